// The pgx side of test_pgx.py: runs the check that is named by the first argument.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgconn/stmtcache"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var (
	background      = context.Background()
	url             = os.Args[2]
	moves, accounts = os.Args[3] + "_m", os.Args[3] + "_a"
	turns, _        = strconv.Atoi(os.Args[4])
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(actual, wanted any) {
	if actual != wanted {
		panic(fmt.Sprintf("got <%v>, wanted <%v>", actual, wanted))
	}
}

func expectError(err error, code string) {
	var server *pgconn.PgError
	if !errors.As(err, &server) || server.Code != code {
		panic(fmt.Sprintf("got <%v>, wanted %s", err, code))
	}
}

// How many clients prepare and cache their statements, only describe them, and use the simple protocol.
func connect(client int) *pgx.Conn {
	config, err := pgx.ParseConfig(url)
	must(err)
	config.RuntimeParams["howdah_test.client"] = strconv.Itoa(client)
	switch client % 4 {
	case 1:
		config.BuildStatementCache = func(conn *pgconn.PgConn) stmtcache.Cache {
			return stmtcache.New(conn, stmtcache.ModePrepare, 3)
		}
	case 2:
		config.BuildStatementCache = func(conn *pgconn.PgConn) stmtcache.Cache {
			return stmtcache.New(conn, stmtcache.ModeDescribe, 512)
		}
	case 3:
		config.PreferSimpleProtocol = true
	}
	conn, err := pgx.ConnectConfig(background, config)
	must(err)
	return conn
}

func noteOf(client, turn int) string {
	return fmt.Sprintf("%d/%d \u00e4 'quoted' \\ \u20ac", client, turn)
}

func amountOf(client, turn int) int { return (client*31+turn*7)%50 + 1 }

// {account, difference} in the order of the accounts, so that no two clients deadlock.
func changesOf(client, turn int) [2][2]int {
	source := (client + turn) % 8
	sink := (source + 1 + client%3) % 8
	amount := amountOf(client, turn)
	changes := [2][2]int{{source, -amount}, {sink, amount}}
	sort.Slice(changes[:], func(a, b int) bool { return changes[a][0] < changes[b][0] })
	return changes
}

func statements() {
	conns := []*pgx.Conn{connect(0), connect(1), connect(2), connect(3), connect(4), connect(5)}
	for turn := 0; turn < 6; turn++ {
		for number, conn := range conns {
			for i := 0; i < 20; i++ {
				var v int
				var text string
				must(conn.QueryRow(background, fmt.Sprintf("SELECT $1::int + %d, $2::text", i*number), turn, "t").Scan(&v, &text))
				expect(v, turn+i*number)
			}
		}
	}
	_, err := conns[0].Prepare(background, "named", "SELECT $1::int * 2")
	must(err)
	for i := 0; i < 5; i++ {
		var v int
		must(conns[0].QueryRow(background, "named", i).Scan(&v))
		expect(v, i*2)
	}
	must(conns[0].Deallocate(background, "named"))
	expectError(conns[0].QueryRow(background, "SELECT no_such_column").Scan(), "42703")
	for _, conn := range conns {
		must(conn.Close(background))
	}
}

func batches() {
	conn, other := connect(0), connect(2)
	for turn := 0; turn < 3; turn++ {
		for _, c := range []*pgx.Conn{conn, other} {
			batch := &pgx.Batch{}
			for i := 0; i < 50; i++ {
				batch.Queue("SELECT $1::int8 * $2::int8", i, turn)
			}
			batch.Queue("SELECT count(*) FROM " + moves)
			results := c.SendBatch(background, batch)
			for i := 0; i < 50; i++ {
				var v int
				must(results.QueryRow().Scan(&v))
				expect(v, i*turn)
			}
			must(results.Close())
		}
	}
	// A batch is one transaction: what comes before its error is undone.
	batch := &pgx.Batch{}
	batch.Queue("INSERT INTO "+moves+" VALUES ($1, $2, $3, $4)", 1, 1, 1, "undone")
	batch.Queue("SELECT 1 / $1::int", 0)
	results := conn.SendBatch(background, batch)
	_, err := results.Exec()
	must(err)
	var v int
	expectError(results.QueryRow().Scan(&v), "22012")
	results.Close()
	rows := make([][]any, 5000)
	for i := range rows {
		rows[i] = []any{2, i, -i, noteOf(2, i)}
	}
	copied, err := conn.CopyFrom(background, pgx.Identifier{moves}, []string{"client", "turn", "amount", "note"}, pgx.CopyFromRows(rows))
	must(err)
	expect(copied, int64(5000))
	_, err = conn.CopyFrom(background, pgx.Identifier{moves}, []string{"client", "turn", "amount", "note"}, pgx.CopyFromRows(rows[:3]))
	expectError(err, "23505")
	var count, sum int
	must(conn.QueryRow(background, "SELECT count(*), sum(amount) FROM "+moves).Scan(&count, &sum))
	expect(count, 5000)
	expect(sum, -4999*2500)
	must(conn.Close(background))
	must(other.Close(background))
}

func listen() {
	listener, sender := connect(0), connect(1)
	_, err := listener.Exec(background, "LISTEN "+moves)
	must(err)
	for i := 0; i < 3; i++ {
		_, err = sender.Exec(background, "SELECT pg_notify($1, $2)", moves, strconv.Itoa(i))
		must(err)
	}
	for i := 0; i < 3; i++ {
		notification, err := listener.WaitForNotification(background)
		must(err)
		expect(notification.Channel+notification.Payload, moves+strconv.Itoa(i))
	}
	cancelled, cancel := context.WithCancel(background)
	cancel()
	_, err = listener.WaitForNotification(cancelled)
	expect(errors.Is(err, context.Canceled), true)
	must(sender.Close(background))
}

func pool() {
	config, err := pgxpool.ParseConfig(url)
	must(err)
	config.MaxConns = 20
	pool, err := pgxpool.ConnectConfig(background, config)
	must(err)
	var group sync.WaitGroup
	for i := 0; i < 200; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			must(pool.BeginFunc(background, func(tx pgx.Tx) error {
				_, err := tx.Exec(background, "INSERT INTO "+moves+" VALUES ($1, 0, 1, '')", i)
				return err
			}))
			var v int
			must(pool.QueryRow(background, "SELECT $1::int", i).Scan(&v))
			expect(v, i)
		}(i)
	}
	group.Wait()
	must(pool.BeginFunc(background, func(tx pgx.Tx) error {
		var count int
		must(tx.QueryRow(background, "SELECT count(*) FROM "+moves).Scan(&count))
		expect(count, 200)
		return nil
	}))
	pool.Close()
}

func keepBooks(client int) {
	conn, total := connect(client), 0
	for turn := 0; turn < turns; turn++ {
		amount, note := amountOf(client, turn), noteOf(client, turn)
		total += amount
		insert := "INSERT INTO " + moves + " VALUES ($1, $2, $3, $4)"
		must(conn.BeginFunc(background, func(tx pgx.Tx) error {
			_, err := tx.Exec(background, insert, client, turn, amount, note)
			must(err)
			expectError(tx.BeginFunc(background, func(inner pgx.Tx) error {
				_, err := inner.Exec(background, insert, client, 1000+turn, amount, "")
				must(err)
				_, err = inner.Exec(background, insert, client, turn, amount, note)
				return err
			}), "23505")
			batch := &pgx.Batch{}
			for _, change := range changesOf(client, turn) {
				batch.Queue("UPDATE "+accounts+" SET balance = balance + $1 WHERE id = $2", change[1], change[0])
			}
			results := tx.SendBatch(background, batch)
			for range changesOf(client, turn) {
				tag, err := results.Exec()
				must(err)
				expect(tag.RowsAffected(), int64(1))
			}
			return results.Close()
		}))
		var count, sum, product int
		var own, setting string
		must(conn.QueryRow(background, "SELECT count(*), sum(amount), max(note) FILTER (WHERE turn = $1) FROM "+moves+
			" WHERE client = $2", turn, client).Scan(&count, &sum, &own))
		expect(count, turn+1)
		expect(sum, total)
		expect(own, note)
		must(conn.QueryRow(background, fmt.Sprintf("SELECT $1::int * %d", turn), client).Scan(&product))
		expect(product, client*turn)
		must(conn.QueryRow(background, "SHOW howdah_test.client").Scan(&setting))
		expect(setting, strconv.Itoa(client))
		rows, err := conn.Query(background, "SELECT i * $1::int FROM generate_series(1, 100) AS i", client)
		must(err)
		sum = 0
		for rows.Next() {
			must(rows.Scan(&product))
			sum += product
		}
		must(rows.Err())
		expect(sum, 5050*client)
		if turn == 3 {
			expectError(conn.QueryRow(background, "SELECT 1 / $1::int", 0).Scan(&product), "22012")
		}
	}
	must(conn.Close(background))
}

func crowd() {
	var group sync.WaitGroup
	for client := 0; client < 20; client++ {
		group.Add(1)
		go func(client int) {
			defer group.Done()
			keepBooks(client)
		}(client)
	}
	group.Wait()
}

func main() {
	map[string]func(){"statements": statements, "batches": batches, "listen": listen, "pool": pool, "crowd": crowd}[os.Args[1]]()
}
