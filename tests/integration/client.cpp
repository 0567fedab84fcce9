// The libpqxx side of test_libpqxx.py: runs the check that is named by the first argument.
#include <cstdlib>
#include <iostream>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace {

std::string conninfo;
std::string prefix;  // of the ledger's tables
int turns = 0;

template <typename A, typename B>
void expect(const A& actual, const B& wanted, const char* what) {
    if (actual == wanted) return;
    std::cerr << what << ": got " << actual << ", wanted " << wanted << '\n';
    std::exit(1);
}

template <typename Error, typename Work>
void expect_error(Work work, const char* what) {
    try {
        work();
    } catch (const Error&) {
        return;
    }
    expect("nothing", "an error", what);
}

std::string note_of(int client, int turn) {
    return std::to_string(client) + "/" + std::to_string(turn) +
           " \xc3\xa4 'quoted' \\ \xe2\x82\xac";
}

long sum_by_cursor(pqxx::transaction_base& tx, const std::string& query) {
    long sum = 0;
    pqxx::icursorstream cursor(tx, query, "rows", 30);
    for (pqxx::result rows; cursor >> rows;)
        for (const auto& row : rows)
            sum += row[0].as<long>();
    return sum;
}

void streams() {
    pqxx::connection one(conninfo), two(conninfo);
    const std::string table = prefix + "_m";
    {
        pqxx::work tx(one);
        pqxx::stream_to into(tx, table);
        for (int i = 0; i < 5000; ++i)
            into << std::make_tuple(1, i, -i, note_of(1, i) + "\t\n");
        into.complete();
        tx.commit();
    }
    {
        pqxx::work tx(two);
        pqxx::stream_from out(tx, table);
        std::tuple<int, int, int, std::string> row;
        long rows = 0, sum = 0;
        for (; out >> row; ++rows) {
            const int turn = std::get<1>(row);
            expect(row == std::make_tuple(1, turn, -turn, note_of(1, turn) + "\t\n"), true, "row");
            sum += turn;
        }
        expect(rows, 5000L, "rows");
        expect(sum, 4999L * 2500, "sum of rows");
    }
    expect_error<pqxx::sql_error>(
        [&] {
            pqxx::work tx(one);
            pqxx::stream_to into(tx, table);
            into << std::make_tuple(1, 1, 1, "again");
            into.complete();
        },
        "a duplicate");
    pqxx::work tx(one);
    expect(sum_by_cursor(tx, "SELECT turn FROM " + table), 4999L * 2500, "cursor");
    pqxx::stateless_cursor<pqxx::cursor_base::read_only, pqxx::cursor_base::owned> scroll(
        tx, "SELECT turn FROM " + table + " ORDER BY turn", "scrolls", true);
    expect(scroll.retrieve(4000, 4001)[0][0].as<int>(), 4000, "forward");
    expect(scroll.retrieve(7, 6)[0][0].as<int>(), 7, "backward");
}

void pipelines() {
    pqxx::connection one(conninfo), two(conninfo);
    {
        pqxx::nontransaction tx(one), other(two);
        pqxx::pipeline first(tx), second(other);
        first.retain(5);
        for (int i = 0; i < 40; ++i) {
            const auto a = first.insert("SELECT " + std::to_string(i));
            const auto b = second.insert("SELECT -" + std::to_string(i));
            if (i % 10 != 9) continue;
            expect(first.retrieve(a)[0][0].as<int>(), i, "first pipeline");
            expect(second.retrieve(b)[0][0].as<int>(), -i, "second pipeline");
        }
    }
    {
        pqxx::work tx(one);
        pqxx::largeobject object(tx);
        {
            pqxx::olostream out(tx, object);
            for (int i = 0; i < 20000; ++i)
                out << i << ' ';
        }
        pqxx::ilostream in(tx, object);
        long sum = 0;
        for (int i = 0; in >> i;)
            sum += i;
        expect(sum, 19999L * 10000, "large object");
        object.remove(tx);
        tx.commit();
    }
}

void keep_books(int client) {
    pqxx::connection connection(conninfo +
                                " options='-c howdah_test.client=" + std::to_string(client) + "'");
    const std::string moves = prefix + "_m", accounts = prefix + "_a";
    connection.prepare("move", "INSERT INTO " + moves + " VALUES ($1, $2, $3, $4)");
    connection.prepare("change",
                       "UPDATE " + accounts + " SET balance = balance + $1 WHERE id = $2");
    connection.prepare(
        "read", "SELECT count(*), sum(amount), max(note) FILTER (WHERE turn = $2) FROM " + moves +
                    " WHERE client = $1");
    long total = 0;
    for (int turn = 0; turn < turns; ++turn) {
        const int amount = (client * 31 + turn * 7) % 50 + 1;
        const int source = (client + turn) % 8, sink = (source + 1 + client % 3) % 8;
        total += amount;
        pqxx::perform([&] {
            pqxx::work tx(connection);
            tx.exec_prepared0("move", client, turn, amount, note_of(client, turn));
            tx.exec0("SAVEPOINT attempt");
            tx.exec_params0("INSERT INTO " + moves + " VALUES ($1, $2, 0, '')", client,
                            1000 + turn);
            expect_error<pqxx::unique_violation>(
                [&] { tx.exec_prepared0("move", client, turn, amount, note_of(client, turn)); },
                "a duplicate");
            tx.exec0("ROLLBACK TO attempt");
            tx.exec_prepared0("change", source < sink ? -amount : amount, std::min(source, sink));
            tx.exec_prepared0("change", source < sink ? amount : -amount, std::max(source, sink));
            tx.commit();
        });
        {
            pqxx::nontransaction tx(connection);
            const auto row = tx.exec_prepared1("read", client, turn);
            expect(row[0].as<int>(), turn + 1, "own moves");
            expect(row[1].as<long>(), total, "own total");
            expect(row[2].as<std::string>(), note_of(client, turn), "own note");
            expect(tx.exec1("SHOW howdah_test.client")[0].as<int>(), client, "own setting");
            expect(tx.exec_params1("SELECT $1::int * " + std::to_string(turn), client)[0].as<int>(),
                   client * turn, "product");
        }
        pqxx::read_transaction tx(connection);
        expect(sum_by_cursor(tx, "SELECT i * " + std::to_string(client) +
                                     " FROM generate_series(1, 100) AS i"),
               5050L * client, "cursor");
    }
}

void crowd() {
    std::vector<std::thread> threads;
    for (int client = 0; client < 20; ++client)
        threads.emplace_back(keep_books, client);
    for (auto& thread : threads)
        thread.join();
}

}  // namespace

int main(int, char** arguments) try {
    const std::string check = arguments[1];
    conninfo = arguments[2];
    prefix = arguments[3];
    turns = std::atoi(arguments[4]);
    if (check == "streams")
        streams();
    else if (check == "pipelines")
        pipelines();
    else if (check == "crowd")
        crowd();
    else
        return 2;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
