"""psycopg2: simple protocol, client-side parameters."""
import io
import select
import threading
import zlib

import psycopg2
import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.ledger import amount_of, changes_of, note_of, together
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, PARAMETER_BYTES, RAISE_ERROR,
                                 RAISE_FIELDS, RAISE_NOTICE, big_checksum)
from psycopg2 import errors, extensions, extras


@pytest.fixture
def connect(target):
    opened = []

    def make(autocommit=True, **changes):
        one = psycopg2.connect(**target.libpq(**changes))
        one.autocommit = autocommit
        opened.append(one)
        return one

    yield make
    for connection in opened:
        connection.close()


def run(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None


def test_scram_login_without_and_with_verified_tls(connect, target):
    assert run(connect(), "SELECT current_user") == [("appuser",)]
    tls = connect(**target.verified_tls())
    assert tls.info.ssl_in_use
    assert run(tls, "SELECT %s, %s", ("a'b", 3)) == [("a'b", 3)]


def test_sql_level_prepared_statements_last_over_transactions(connect):
    connection = connect()
    for number in range(20):
        run(connection, f"PREPARE p{number} (int) AS SELECT $1 + {number}")
    for turn in range(5):
        for number in range(20):
            assert run(connection, f"EXECUTE p{number} ({turn})") == [(turn + number,)]
    run(connection, "DEALLOCATE p3")
    with pytest.raises(errors.InvalidSqlStatementName):
        run(connection, "EXECUTE p3 (1)")
    run(connection, "DEALLOCATE ALL")


def test_commit_rollback_savepoint_and_an_error_inside_a_transaction(connect, table):
    connection = connect(autocommit=False)
    run(connection, f"CREATE TABLE {table} (id int PRIMARY KEY)")
    connection.commit()
    run(connection, f"INSERT INTO {table} VALUES (1)")
    run(connection, "SAVEPOINT s")
    with pytest.raises(errors.UniqueViolation):
        run(connection, f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(errors.InFailedSqlTransaction):
        run(connection, "SELECT 1")
    assert connection.status == extensions.STATUS_IN_TRANSACTION
    run(connection, "ROLLBACK TO s")
    run(connection, f"INSERT INTO {table} VALUES (2)")
    connection.commit()
    run(connection, f"INSERT INTO {table} VALUES (3)")
    connection.rollback()
    run(connection, f"UPDATE {table} SET id = id")
    assert run(connection, f"SELECT id FROM {table} ORDER BY id") == [(1,), (2,)]
    run(connection, f"DROP TABLE {table}")
    connection.commit()


def test_isolation_level_and_read_only_of_a_session(connect):
    connection = connect()
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
    assert run(connection, "SHOW transaction_isolation") == [("repeatable read",)]
    assert run(connection, "SHOW transaction_read_only") == [("on",)]
    with pytest.raises(errors.ReadOnlySqlTransaction):
        run(connection, "CREATE TABLE never (id int)")
    connection.rollback()


def test_copy_in_and_out(connect, table):
    connection = connect()
    run(connection, f"CREATE TABLE {table} (id int, v text)")
    lines = "".join(f"{number}\tvalue {number}\n" for number in range(100_000))
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(lines))
        assert cursor.rowcount == 100_000
        out = io.StringIO()
        # In one transaction with a write, so that it is the primary that answers.
        connection.autocommit = False
        cursor.execute(f"DELETE FROM {table} WHERE id < 0")
        cursor.copy_expert(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT", out)
        connection.commit()
        connection.autocommit = True
    assert out.getvalue() == lines
    with pytest.raises(errors.BadCopyFileFormat), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO("1\t2\t3\n"))
    run(connection, f"DROP TABLE {table}")


def test_cancel_stops_the_running_statement_only(connect, cluster):
    victim, outcome = connect(), []

    def sleep():
        try:
            run(victim, "SELECT pg_sleep(100) /* psycopg2 cancel */")
        except errors.QueryCanceled as error:
            outcome.append(error.pgcode)

    thread = threading.Thread(target=sleep)
    thread.start()
    wait_for_statement(cluster, "psycopg2 cancel */")
    victim.cancel()
    thread.join(30)
    assert outcome == ["57014"]
    assert run(victim, "SELECT 1") == [(1,)]


@pytest.mark.slow
def test_a_200_mb_result_arrives_unchanged_through_a_server_side_cursor(connect):
    connection = connect(autocommit=False)
    checksum, size, rows = 0, 0, 0
    with connection.cursor("big") as cursor:
        cursor.itersize = 5000
        cursor.execute(BIG_QUERY)
        for (text,) in cursor:
            data = text.encode()
            checksum, size, rows = zlib.crc32(data, checksum), size + len(data), rows + 1
    connection.rollback()
    assert (rows, size, checksum) == (BIG_ROWS, BIG_BYTES, big_checksum())


def test_a_10_mb_parameter_goes_there_and_back(connect):
    text = "y" * PARAMETER_BYTES
    assert run(connect(), "SELECT %s", (text,)) == [(text,)]


def test_errors_arrive_with_all_their_fields(connect):
    with pytest.raises(psycopg2.Error) as raised:
        run(connect(), RAISE_ERROR)
    diag = raised.value.diag
    assert {
        "sqlstate": diag.sqlstate, "message": diag.message_primary, "detail": diag.message_detail,
        "hint": diag.message_hint, "schema": diag.schema_name, "table": diag.table_name,
        "column": diag.column_name, "datatype": diag.datatype_name,
        "constraint": diag.constraint_name,
    } == RAISE_FIELDS
    with pytest.raises(errors.SyntaxError) as raised:
        run(connect(), "SELEC 1")
    assert raised.value.diag.statement_position == "1"


def test_notices_arrive(connect):
    connection = connect()
    run(connection, RAISE_NOTICE)
    assert connection.notices == ["NOTICE:  the message\nDETAIL:  the detail\nHINT:  the hint\n"]


def test_settings_last_over_transactions_and_stay_with_their_client(connect):
    one, other = connect(), connect()
    run(one, "SET datestyle = 'SQL, DMY'")
    run(one, "SET lock_timeout = '5s'")
    for _ in range(5):
        assert run(one, "SHOW datestyle") == [("SQL, DMY",)]
        assert run(one, "SHOW lock_timeout") == [("5s",)]
        assert run(other, "SHOW datestyle") == [("ISO, MDY",)]
        assert run(other, "SHOW lock_timeout") == [("0",)]
    assert one.get_parameter_status("DateStyle") == "SQL, DMY"
    one.set_client_encoding("LATIN1")
    assert run(one, "SELECT %s", ("\u00e4",)) == [("\u00e4",)]
    assert run(one, "SHOW client_encoding") == [("LATIN1",)]
    assert run(other, "SHOW client_encoding") == [("UTF8",)]


def test_startup_options_are_settings_of_the_session(connect):
    connection = connect(options="-c statement_timeout=33s -c search_path=pg_catalog")
    for _ in range(3):
        assert run(connection, "SHOW statement_timeout") == [("33s",)]
        assert run(connection, "SHOW search_path") == [("pg_catalog",)]


def test_several_statements_in_one_string_are_one_transaction(connect, table):
    connection = connect()
    run(connection, f"CREATE TABLE {table} (id int); INSERT INTO {table} VALUES (1)")
    with pytest.raises(errors.DivisionByZero):
        run(connection, f"INSERT INTO {table} VALUES (2); SELECT 1 / 0")
    assert run(connection, f"INSERT INTO {table} VALUES (3); SELECT array_agg(id ORDER BY id) FROM {table}") == [([1, 3],)]
    run(connection, f"DROP TABLE {table}")


def test_large_objects_work_inside_a_transaction(connect):
    connection = connect(autocommit=False)
    large = connection.lobject(0, "wb")
    large.write(b"z" * 3_000_000)
    large.seek(0)
    assert len(connection.lobject(large.oid, "rb").read()) == 3_000_000
    large.unlink()
    connection.commit()


def test_named_cursors_scroll_and_outlive_their_transaction(connect, pool_of_two):
    connection, other = connect(autocommit=False, port=pool_of_two), connect(port=pool_of_two)
    query = "SELECT i FROM generate_series(1, 3000) AS i"
    with connection.cursor("plain") as plain, connection.cursor("scrolls", scrollable=True) as scrolls:
        plain.itersize = 400
        plain.execute(query)
        scrolls.execute(query)
        scrolls.scroll(2000, mode="absolute")
        assert scrolls.fetchone() == (2001,)
        assert [row[0] for row in plain] == list(range(1, 3001))
        scrolls.scroll(-2)
        assert scrolls.fetchone() == (2000,)
    connection.commit()
    held = connection.cursor("held", withhold=True)
    held.execute(query)
    connection.commit()
    assert run(other, "SELECT name FROM pg_cursors") == []
    assert len(held.fetchall()) == 3000
    held.close()
    connection.commit()


def test_large_objects_are_written_by_one_client_and_read_by_another(connect, pool_of_two, tmp_path):
    one, two = connect(autocommit=False, port=pool_of_two), connect(autocommit=False, port=pool_of_two)
    source, result = tmp_path / "source", tmp_path / "result"
    source.write_bytes(bytes(range(256)) * 8000)
    large = one.lobject(0, "rw", 0, str(source))
    large.seek(-6, 2)
    assert large.tell() == 256 * 8000 - 6
    large.truncate(1_000_000)
    oid = large.oid
    one.commit()
    two.lobject(oid, "rb").export(str(result))
    assert result.read_bytes() == source.read_bytes()[:1_000_000]
    two.lobject(oid).unlink()
    two.commit()
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        one.lobject(oid, "rb")
    one.rollback()


def test_two_phase_commit_is_finished_by_another_client(connect, pool_of_two, ledger):
    two = connect(autocommit=False, port=pool_of_two)
    xids = [two.xid(8, f"{ledger.moves} {n}", "branch") for n in range(2)]
    for number, xid in enumerate(xids):
        one = connect(autocommit=False, port=pool_of_two)
        one.tpc_begin(xid)
        run(one, f"INSERT INTO {ledger.moves} VALUES (1, {number}, 0, '')")
        one.tpc_prepare()
        one.close()
    assert {xid.gtrid for xid in two.tpc_recover()} >= {xid.gtrid for xid in xids}
    two.rollback()
    two.tpc_commit(xids[0])
    two.tpc_rollback(xids[1])
    assert run(two, f"SELECT turn FROM {ledger.moves}") == [(0,)]
    two.rollback()


def test_notifications_are_polled_while_the_client_is_idle(connect, pool_of_two, table):
    listener, sender = connect(port=pool_of_two), connect(port=pool_of_two)
    run(listener, f"LISTEN {table}")
    for number in range(3):
        run(sender, f"NOTIFY {table}, 'number {number}'")
    while len(listener.notifies) < 3:
        assert select.select([listener], [], [], 30)[0]
        listener.poll()
    assert [(n.channel, n.payload) for n in listener.notifies] == [(table, f"number {n}") for n in range(3)]
    run(listener, "UNLISTEN *")


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(connect, pool_of_two, ledger):
    def work(client):
        connection = connect(port=pool_of_two, options=f"-c howdah_test.client={client}")
        total = 0
        for turn in range(ledger.turns):
            total += amount_of(client, turn)
            row = (client, turn, amount_of(client, turn), note_of(client, turn))
            connection.autocommit = False
            run(connection, f"INSERT INTO {ledger.moves} VALUES (%s, %s, %s, %s)", row)
            run(connection, "SAVEPOINT a")
            with pytest.raises(errors.UniqueViolation):
                extras.execute_values(connection.cursor(), f"INSERT INTO {ledger.moves} VALUES %s",
                                      [(client, 1000 + turn, 0, ""), row])
            run(connection, "ROLLBACK TO a")
            extras.execute_batch(
                connection.cursor(), f"UPDATE {ledger.accounts} SET balance = balance + %s WHERE id = %s",
                [(difference, account) for account, difference in changes_of(client, turn)])
            connection.commit()
            with connection.cursor("rows") as cursor:
                cursor.itersize = 30
                cursor.execute("SELECT i * %s FROM generate_series(1, 100) AS i", (client,))
                assert sum(row[0] for row in cursor) == 5050 * client
            connection.rollback()
            connection.autocommit = True
            assert run(connection, f"SELECT count(*), sum(amount), max(note) FILTER (WHERE turn = {turn}) "
                                   f"FROM {ledger.moves} WHERE client = {client}") == [(turn + 1, total, row[3])]
            assert run(connection, "SHOW howdah_test.client") == [(str(client),)]
            out = io.StringIO()
            connection.cursor().copy_expert(
                f"COPY (SELECT * FROM {ledger.moves} WHERE client = {client}) TO STDOUT", out)
            assert len(out.getvalue().splitlines()) == turn + 1
            if turn == 3:
                with pytest.raises(errors.DivisionByZero):
                    run(connection, "SELECT 1; SELECT 1 / 0; SELECT 2")

    together(work)
    ledger.check()
