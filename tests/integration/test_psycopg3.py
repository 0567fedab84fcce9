"""psycopg 3: extended protocol, named server-side statements, pipelines."""
import asyncio
import threading
import zlib

import psycopg
import psycopg_pool
import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.ledger import amount_of, changes_of, note_of, together
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, PARAMETER_BYTES, RAISE_ERROR,
                                 RAISE_FIELDS, RAISE_NOTICE, big_checksum)
from howdah_test.wait import wait_until
from psycopg import errors, sql


@pytest.fixture
def connect(target):
    opened = []

    def make(autocommit=True, **changes):
        one = psycopg.connect(**target.libpq(**changes), autocommit=autocommit)
        opened.append(one)
        return one

    yield make
    for connection in opened:
        connection.close()


def diagnostics(diag):
    return {"sqlstate": diag.sqlstate, "message": diag.message_primary, "detail": diag.message_detail,
            "hint": diag.message_hint, "schema": diag.schema_name, "table": diag.table_name,
            "column": diag.column_name, "datatype": diag.datatype_name,
            "constraint": diag.constraint_name}


def test_scram_login_without_and_with_verified_tls(connect, target):
    plain = connect()
    assert plain.execute("SELECT current_user, 'h\u00e4lf' || %s", ["\u20ac"]).fetchone() == ("appuser", "h\u00e4lf\u20ac")
    assert not plain.pgconn.ssl_in_use
    tls = connect(**target.verified_tls())
    assert tls.pgconn.ssl_in_use
    assert tls.execute("SELECT 1").fetchone() == (1,)


def test_connection_reports_the_parameters_of_the_server(connect, cluster):
    info = connect().info
    assert info.server_version == cluster.primary.connect().info.server_version
    assert info.encoding == "utf-8"
    assert info.parameter_status("standard_conforming_strings") == "on"
    assert info.parameter_status("integer_datetimes") == "on"
    assert info.backend_pid > 0


def test_prepared_statements_are_reused_across_transactions(connect, table):
    connection = connect(autocommit=False)
    connection.prepare_threshold = 0
    connection.prepared_max = 500
    connection.execute(f"CREATE TABLE {table} (id int, v text)")
    connection.commit()
    for turn in range(3):
        for number in range(150):
            value = f"v{number}"
            row = connection.execute(
                f"INSERT INTO {table} VALUES (%s, %s) RETURNING id + {number}, v", [turn, value]).fetchone()
            assert row == (turn + number, value)
            connection.commit()
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (450,)
    connection.execute(f"DROP TABLE {table}")
    connection.commit()


def test_the_same_statement_name_means_something_else_on_each_connection(connect):
    connections = [connect() for _ in range(10)]
    for connection in connections:
        connection.prepare_threshold = 0
    for _ in range(20):
        for number, connection in enumerate(connections):
            assert connection.execute(f"SELECT {number}, %s::int", [7]).fetchone() == (number, 7)


def test_prepared_statement_survives_a_change_of_its_table(connect, table):
    connection = connect()
    connection.execute(f"CREATE TABLE {table} (id int)")
    connection.prepare_threshold = 0
    connection.execute(f"INSERT INTO {table} VALUES (%s)", [1])
    with connection.transaction():
        assert connection.execute(f"SELECT id FROM {table} WHERE id = %s", [1]).fetchone() == (1,)
    connection.execute(f"ALTER TABLE {table} ADD COLUMN more int")
    with connection.transaction():
        assert connection.execute(f"SELECT id FROM {table} WHERE id = %s", [1]).fetchone() == (1,)
    connection.execute(f"DROP TABLE {table}")


def test_commit_rollback_savepoint_and_an_error_inside_a_transaction(connect, table):
    connection = connect()
    connection.execute(f"CREATE TABLE {table} (id int PRIMARY KEY)")
    with connection.transaction():
        connection.execute(f"INSERT INTO {table} VALUES (1)")
        with pytest.raises(errors.UniqueViolation), connection.transaction():
            connection.execute(f"INSERT INTO {table} VALUES (2)")
            connection.execute(f"INSERT INTO {table} VALUES (1)")
        connection.execute(f"INSERT INTO {table} VALUES (3)")
    with connection.transaction() as block:
        connection.execute(f"INSERT INTO {table} VALUES (4)")
        raise psycopg.Rollback(block)
    connection.execute("BEGIN")
    with pytest.raises(errors.DivisionByZero):
        connection.execute("SELECT 1 / 0")
    with pytest.raises(errors.InFailedSqlTransaction):
        connection.execute("SELECT 1")
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    connection.execute("ROLLBACK")
    with connection.transaction():
        assert connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall() == [(1,), (3,)]
    connection.execute(f"DROP TABLE {table}")


def test_copy_in_and_out(connect, table):
    connection = connect()
    connection.execute(f"CREATE TABLE {table} (id int, v text)")
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for number in range(50_000):
                copy.write_row((number, f"row {number}\t\\"))
        assert cursor.rowcount == 50_000
        with connection.transaction(), cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT") as copy:
            copy.set_types(["int4", "text"])
            for number, row in enumerate(copy.rows()):
                assert row == (number, f"row {number}\t\\")
        assert number == 49_999
    connection.execute(f"DROP TABLE {table}")


def test_a_broken_copy_in_leaves_the_connection_usable(connect, table):
    connection = connect()
    connection.execute(f"CREATE TABLE {table} (id int)")
    with pytest.raises(errors.InvalidTextRepresentation):
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for _ in range(1000):
                copy.write("1\n" * 1000)
            copy.write("no number\n")
    with pytest.raises(errors.QueryCanceled):
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            copy.write("1\n")
            raise KeyError("the client gives up")
    with connection.transaction():
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    connection.execute(f"DROP TABLE {table}")


def test_cancel_stops_the_running_statement_only(connect, cluster):
    victim, other = connect(), connect()
    outcome = []

    def sleep():
        try:
            victim.execute("SELECT pg_sleep(100) /* psycopg3 cancel */")
        except errors.QueryCanceled as error:
            outcome.append(error.sqlstate)

    thread = threading.Thread(target=sleep)
    thread.start()
    wait_for_statement(cluster, "psycopg3 cancel */")
    victim.cancel()
    thread.join(30)
    assert outcome == ["57014"]
    assert victim.execute("SELECT 1").fetchone() == (1,)
    assert other.execute("SELECT 2").fetchone() == (2,)


@pytest.mark.slow
def test_a_200_mb_result_streams_through_unchanged(connect):
    checksum, size, rows = 0, 0, 0
    for (text,) in connect().cursor().stream(BIG_QUERY):
        data = text.encode()
        checksum, size, rows = zlib.crc32(data, checksum), size + len(data), rows + 1
    assert (rows, size) == (BIG_ROWS, BIG_BYTES)
    assert checksum == big_checksum()


def test_a_10_mb_parameter_goes_there_and_back(connect):
    text = "x\u00e4" * (PARAMETER_BYTES // 3)
    connection = connect()
    assert connection.execute("SELECT %s::text", [text]).fetchone() == (text,)
    data = bytes(range(256)) * (PARAMETER_BYTES // 256)
    assert connection.execute("SELECT %b::bytea", [data]).fetchone() == (data,)


def test_errors_arrive_with_all_their_fields(connect, table):
    connection = connect()
    with pytest.raises(psycopg.Error) as raised:
        connection.execute(RAISE_ERROR)
    assert diagnostics(raised.value.diag) == RAISE_FIELDS
    assert raised.value.diag.context.startswith("PL/pgSQL function inline_code_block")
    connection.execute(f"CREATE TABLE {table} (id int CONSTRAINT positive CHECK (id > 0))")
    with pytest.raises(errors.CheckViolation) as raised:
        connection.execute(f"INSERT INTO {table} VALUES (-1)")
    assert raised.value.diag.constraint_name == "positive"
    assert raised.value.diag.table_name == table
    assert raised.value.diag.message_detail == "Failing row contains (-1)."
    with pytest.raises(errors.UndefinedTable) as raised:
        connection.execute("SELECT * FROM no_such_table")
    assert raised.value.diag.statement_position == "15"
    assert raised.value.diag.severity_nonlocalized == "ERROR"
    connection.execute(f"DROP TABLE {table}")


def test_notices_arrive_with_all_their_fields(connect):
    connection, notices = connect(), []
    connection.add_notice_handler(lambda diag: notices.append(diagnostics(diag)))
    connection.execute(RAISE_NOTICE)
    assert notices == [RAISE_FIELDS]


def test_settings_last_over_transactions_and_stay_with_their_client(connect):
    one, other = connect(), connect()
    one.execute("SET application_name = 'one'")
    one.execute("SET search_path = pg_catalog, public")
    one.execute("SET statement_timeout = '77s'")
    other.execute("SET TimeZone = 'Asia/Tokyo'")
    for _ in range(5):
        assert one.execute("SHOW application_name").fetchone() == ("one",)
        assert one.execute("SHOW search_path").fetchone() == ("pg_catalog, public",)
        assert one.execute("SELECT current_setting('statement_timeout')").fetchone() == ("77s",)
        assert other.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",)
        assert other.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert other.execute("SHOW application_name").fetchone() == ("",)
    assert other.info.parameter_status("TimeZone") == "Asia/Tokyo"
    assert one.info.parameter_status("application_name") == "one"
    one.execute("RESET ALL")
    assert one.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_settings_of_a_rolled_back_transaction_are_gone(connect):
    connection = connect()
    connection.execute("SET work_mem = '5MB'")
    with connection.transaction() as block:
        connection.execute("SET work_mem = '9MB'")
        connection.execute("SET LOCAL statement_timeout = '9s'")
        assert connection.execute("SHOW work_mem").fetchone() == ("9MB",)
        raise psycopg.Rollback(block)
    for _ in range(3):
        assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_pipelines_with_several_syncs_and_an_error_in_the_middle(connect, table):
    connection = connect()
    connection.execute(f"CREATE TABLE {table} (id int)")
    with connection.pipeline() as pipeline:
        cursors = [connection.execute(f"INSERT INTO {table} VALUES (%s) RETURNING id", [n]) for n in range(100)]
        pipeline.sync()
        more = [connection.execute("SELECT %s::int", [n]) for n in range(100)]
        assert [cursor.fetchone() for cursor in cursors + more] == [(n,) for n in range(100)] * 2
    with pytest.raises(errors.DivisionByZero), connection.pipeline():
        connection.execute(f"INSERT INTO {table} VALUES (1000)")
        connection.execute("SELECT 1 / %s", [0])
        connection.execute(f"INSERT INTO {table} VALUES (1001)")
    with connection.transaction():
        assert connection.execute(f"SELECT count(*) FROM {table} WHERE id < 1000").fetchone() == (100,)
        assert connection.execute(f"SELECT count(*) FROM {table} WHERE id = 1001").fetchone() == (0,)
    connection.execute(f"DROP TABLE {table}")


def test_temporary_tables_cursors_and_listen_keep_working(connect, table):
    connection = connect()
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT generate_series(1, 10) AS id")
    for _ in range(5):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (10,)
    with connection.transaction(), connection.cursor(name="named") as cursor:
        cursor.itersize = 7
        cursor.execute("SELECT generate_series(1, 100)")
        assert sum(row[0] for row in cursor) == 5050
    held = connect()
    held.execute("DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 3)")
    assert held.execute("FETCH 2 FROM held").fetchall() == [(1,), (2,)]
    assert held.execute("FETCH 2 FROM held").fetchall() == [(3,)]
    listener = connect()
    listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(table)))
    connection.execute("SELECT pg_notify(%s, 'hello')", [table])
    notification = next(listener.notifies())
    assert (notification.channel, notification.payload) == (table, "hello")


def test_binary_and_text_results_of_many_types(connect):
    connection = connect()
    query = ("SELECT 1::int2, 2::int8, 1.5::float8, 12.34::numeric, true, 'x'::text, NULL::int, "
             "'2026-01-02 03:04:05+00'::timestamptz, ARRAY[1, 2], '{\"a\": 1}'::jsonb")
    text = connection.cursor(binary=False).execute(query).fetchone()
    assert connection.cursor(binary=True).execute(query).fetchone() == text


def test_an_empty_statement_and_several_in_one_string(connect):
    connection = connect()
    assert connection.execute("").description is None
    cursor = connection.execute("SELECT 1; SELECT 2; SELECT 3")
    results = [cursor.fetchall()]
    while cursor.nextset():
        results.append(cursor.fetchall())
    assert results == [[(1,)], [(2,)], [(3,)]]


@pytest.mark.parametrize("threshold", [0, 5])
def test_prepare_threshold_with_more_clients_than_connections(connect, pool_of_two, threshold):
    clients = [connect(port=pool_of_two) for _ in range(6)]
    for client in clients:
        client.prepare_threshold = threshold
    for turn in range(12):
        for number, client in enumerate(clients):
            assert client.execute("SELECT %s::int + 1, %s::text", [turn, str(number)]).fetchone() == (turn + 1, str(number))
            assert client.execute(f"SELECT %s::int * {number}", [turn]).fetchone() == (turn * number,)
        # The same text with another type of parameter is another statement.
        assert clients[0].execute("SELECT pg_typeof(%s)::text", [turn if turn % 2 else 1.5]).fetchone() == (
            "smallint" if turn % 2 else "double precision",)
    clients[0].execute("DEALLOCATE ALL")
    assert clients[1].execute("SELECT %s::int + 1, %s::text", [1, "1"]).fetchone() == (2, "1")


def test_new_clients_prepare_anew_after_a_change_of_the_table(connect, pool_of_two, ledger):
    one, two = connect(port=pool_of_two), connect(port=pool_of_two)
    query = f"SELECT * FROM {ledger.accounts} WHERE id = %s FOR SHARE"
    with one.transaction():
        for client in (one, two):  # on both connections to the primary
            assert client.execute(query, [3], prepare=True).fetchone() == (3, 1000)
    one.execute(f"ALTER TABLE {ledger.accounts} ADD COLUMN more int DEFAULT 5")
    for _ in range(3):
        assert connect(port=pool_of_two).execute(query, [3], prepare=True).fetchone() == (3, 1000, 5)


def test_one_text_means_another_table_under_another_search_path(connect, pool_of_two, table):
    clients, holder = [connect(port=pool_of_two) for _ in range(2)], connect(autocommit=False, port=pool_of_two)
    for number, client in enumerate(clients):
        client.execute(f"CREATE SCHEMA {table}_{number}")
        client.execute(f"SET search_path = {table}_{number}")
    try:
        clients[0].execute("CREATE TABLE own AS SELECT 7 AS v")
        clients[1].execute("CREATE TABLE own AS SELECT 'seven' AS v, 7.0 AS w")
        holder.execute("SELECT 1")  # one connection to the primary is left for both
        for _ in range(3):
            assert clients[0].execute("SELECT * FROM own FOR SHARE", prepare=True).fetchall() == [(7,)]
            assert clients[1].execute("SELECT * FROM own FOR SHARE", prepare=True).fetchall() == [("seven", 7)]
    finally:
        for number, client in enumerate(clients):
            client.execute(f"DROP SCHEMA {table}_{number} CASCADE")


def test_pipelines_of_many_clients_interleave_on_few_connections(connect, pool_of_two, ledger):
    clients = [connect(port=pool_of_two) for _ in range(6)]
    for client in clients:
        client.prepare_threshold = 0

    def work(number):
        client, insert = clients[number], f"INSERT INTO {ledger.moves} VALUES (%s, %s, %s, '') RETURNING turn"
        for turn in range(5):
            with client.pipeline() as pipeline:
                inserted = [client.execute(insert, [number, turn * 100 + n, n]) for n in range(20)]
                pipeline.sync()
                read = client.execute(f"SELECT count(*) FROM {ledger.moves} WHERE client = %s", [number])
                pipeline.sync()
                with pytest.raises(errors.UniqueViolation):
                    client.execute(insert, [number, turn * 100 + 50, 0])
                    client.execute(insert, [number, turn * 100, 0])
                    pipeline.sync()
                with client.transaction():
                    inside = client.execute(insert, [number, turn * 100 + 60, 0])
                    with pytest.raises(errors.DivisionByZero), client.transaction():
                        client.execute(insert, [number, turn * 100 + 61, 0])
                        client.execute("SELECT 1 / %s", [0]).fetchone()
                assert [cursor.fetchone()[0] for cursor in inserted] == [turn * 100 + n for n in range(20)]
                assert read.fetchone() == (turn * 21 + 20,)
                assert inside.fetchone() == (turn * 100 + 60,)

    together(work, len(clients))
    with clients[0].transaction():
        assert clients[0].execute(f"SELECT count(*), count(*) FILTER (WHERE turn % 100 IN (50, 61)) "
                                  f"FROM {ledger.moves}").fetchone() == (6 * 5 * 21, 0)


def test_server_side_cursors_scroll_and_outlive_their_transaction(connect, pool_of_two):
    connection, other = connect(autocommit=False, port=pool_of_two), connect(port=pool_of_two)
    query = "SELECT i, repeat('x', 100) FROM generate_series(1, 5000) AS i"
    with connection.cursor("plain") as plain, connection.cursor("scrolls", scrollable=True) as scrolls:
        plain.itersize = 700
        plain.execute(query)
        scrolls.execute(query)
        assert scrolls.fetchmany(2)[1][0] == 2
        scrolls.scroll(4000, mode="absolute")
        assert scrolls.fetchone()[0] == 4001
        assert [row[0] for row in plain] == list(range(1, 5001))
        scrolls.scroll(-2)
        assert scrolls.fetchone()[0] == 4000
    connection.commit()
    with connection.cursor("held", withhold=True) as held:
        held.execute(query)
        assert held.fetchone()[0] == 1
        connection.commit()
        assert other.execute("SELECT name FROM pg_cursors").fetchall() == []
        assert connection.execute("SELECT 5").fetchone() == (5,)
        connection.commit()
        assert [row[0] for row in held.fetchall()] == list(range(2, 5001))
        connection.rollback()
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("FETCH 1 FROM held")
    connection.rollback()


def test_binary_copy_from_one_client_to_another(connect, pool_of_two, ledger):
    one, two = connect(port=pool_of_two), connect(port=pool_of_two)
    two.execute(f"CREATE TABLE {ledger.moves}_copy (LIKE {ledger.moves})")
    rows = [(n % 7, n, -n, None if n % 3 else "\u00e4\t\\." * (n % 50)) for n in range(20_000)]
    types = ["int4", "int4", "int4", "text"]
    with one.cursor().copy(f"COPY {ledger.moves} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
    with one.cursor().copy(f"COPY {ledger.moves} TO STDOUT (FORMAT BINARY)") as out, \
            two.cursor().copy(f"COPY {ledger.moves}_copy FROM STDIN (FORMAT BINARY)") as into:
        for data in out:
            into.write(data)
    with two.cursor().copy(f"COPY (SELECT * FROM {ledger.moves}_copy ORDER BY turn) TO STDOUT (FORMAT BINARY)") as copy:
        copy.set_types(types)
        assert list(copy.rows()) == rows
    # A COPY that the client does not read to its end leaves the connection as it was.
    with pytest.raises(KeyError), one.cursor().copy(f"COPY {ledger.moves} TO STDOUT") as copy:
        copy.read()
        raise KeyError
    assert one.execute(f"SELECT count(*) FROM {ledger.moves}").fetchone() == (20_000,)
    two.execute(f"DROP TABLE {ledger.moves}_copy")


def test_notifications_reach_a_waiting_client_in_order_and_only_after_commit(target, connect, pool_of_two, table):
    async def listen():
        async with await psycopg.AsyncConnection.connect(
                **target.libpq(port=pool_of_two), autocommit=True) as listener:
            await listener.execute(f"LISTEN {table}")
            sender = connect(port=pool_of_two)
            with sender.transaction() as block:
                sender.execute(f"NOTIFY {table}, 'never'")
                raise psycopg.Rollback(block)
            with sender.transaction():
                for number in range(3):
                    sender.execute("SELECT pg_notify(%s, %s)", [table, f"in transaction {number}"])
            sender.execute(f"NOTIFY {table}, 'end'")
            payloads = []
            async for notification in listener.notifies():
                payloads.append(notification.payload)
                if notification.payload == "end":
                    break
            await listener.execute(f"UNLISTEN {table}")
            return payloads
    assert asyncio.run(asyncio.wait_for(listen(), 60)) == [f"in transaction {n}" for n in range(3)] + ["end"]


def test_large_objects_in_and_outside_of_transactions(connect, pool_of_two):
    connection, other = connect(port=pool_of_two), connect(port=pool_of_two)
    data = bytes(range(256)) * 4000
    oid, = connection.execute("SELECT lo_from_bytea(0, %b)", [data]).fetchone()
    assert connection.execute("SELECT lo_get(%s)", [oid]).fetchone() == (data,)
    connection.execute("SELECT lo_put(%s, 3, 'abc')", [oid])
    assert connection.execute("SELECT lo_get(%s, 2, 5)", [oid]).fetchone() == (b"\x02abc\x06",)
    with connection.transaction():
        handle, = connection.execute("SELECT lo_open(%s, x'60000'::int)", [oid]).fetchone()
        assert connection.execute("SELECT lo_lseek(%s, -4, 2)", [handle]).fetchone() == (len(data) - 4,)
        assert connection.execute("SELECT loread(%s, 10)", [handle]).fetchone() == (data[-4:],)
        assert connection.execute("SELECT lowrite(%s, 'more')", [handle]).fetchone() == (4,)
    assert other.execute("SELECT length(lo_get(%s))", [oid]).fetchone() == (len(data) + 4,)
    connection.execute("SELECT lo_unlink(%s)", [oid])
    with pytest.raises(errors.UndefinedObject):
        connection.execute("SELECT lo_get(%s)", [oid])


def test_two_phase_commit_is_finished_by_another_client(connect, pool_of_two, ledger):
    two = connect(autocommit=False, port=pool_of_two)
    xids = [two.xid(7, f"{ledger.moves} {n}", "branch") for n in range(3)]
    for number, xid in enumerate(xids):
        one = connect(autocommit=False, port=pool_of_two)
        one.tpc_begin(xid)
        one.execute(f"INSERT INTO {ledger.moves} VALUES (1, %s, 0, 'two phases')", [number])
        one.tpc_prepare()
        if number == 0:
            one.tpc_commit()
        one.close()
    assert sorted(xid.gtrid for xid in two.tpc_recover() if xid.gtrid.startswith(ledger.moves)) == [
        f"{ledger.moves} 1", f"{ledger.moves} 2"]
    two.tpc_commit(xids[1])
    two.tpc_rollback(xids[2])
    assert two.execute(f"SELECT turn FROM {ledger.moves} ORDER BY turn").fetchall() == [(0,), (1,)]
    two.rollback()
    with pytest.raises(errors.UndefinedObject):
        two.tpc_commit(xids[1])


def test_prepared_transactions_are_found_outside_of_a_transaction(connect, pool_of_two, ledger):
    one, two = connect(autocommit=False, port=pool_of_two), connect(port=pool_of_two)
    xid = one.xid(9, ledger.moves, "")
    one.tpc_begin(xid)
    one.execute(f"DELETE FROM {ledger.moves}")
    one.tpc_prepare()
    try:
        assert [found.gtrid for found in two.tpc_recover()] == [ledger.moves]
    finally:
        one.tpc_rollback()


def test_cancel_while_the_client_waits_for_a_connection(connect, pool_of_two):
    holders = [connect(port=pool_of_two) for _ in range(2)]
    for holder in holders:
        holder.execute("BEGIN")
        holder.execute("SELECT pg_advisory_xact_lock_shared(99)")
    waiting = connect(port=pool_of_two)
    waiting.pgconn.send_query(b"DO $$ BEGIN PERFORM pg_sleep(100); END $$")

    def answered_after_a_cancel():
        # One that overtakes the statement finds nothing to cancel, as in PostgreSQL.
        waiting.pgconn.get_cancel().cancel()
        waiting.pgconn.consume_input()
        return not waiting.pgconn.is_busy()

    wait_until(answered_after_a_cancel, 30, "the statement is cancelled")
    assert waiting.pgconn.get_result().error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
    assert waiting.pgconn.get_result() is None
    for holder in holders:
        holder.execute("COMMIT")
    assert waiting.execute("SELECT txid_current() > 0").fetchone() == (True,)


def test_the_pool_of_psycopg_lends_clean_connections(target, pool_of_two, ledger):
    with psycopg_pool.ConnectionPool(kwargs=target.libpq(port=pool_of_two), min_size=8, max_size=8, timeout=60,
                                     reset=lambda connection: connection.execute("RESET ALL").connection.commit()) as pool:
        def work(client):
            for turn in range(10):
                with pool.connection() as connection:
                    assert connection.execute("SHOW work_mem").fetchone() == ("4MB",)
                    connection.execute("SET work_mem = '9MB'")
                    connection.execute(f"INSERT INTO {ledger.moves} VALUES (%s, %s, 0, '')", [client, turn])
                with pool.connection() as connection, connection.transaction(force_rollback=True):
                    connection.execute(f"DELETE FROM {ledger.moves}")
        together(work)
        with pool.connection() as connection:
            assert connection.execute(f"SELECT count(*) FROM {ledger.moves}").fetchone() == (200,)


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(connect, pool_of_two, ledger):
    def work(client):
        connection = connect(port=pool_of_two, options=f"-c howdah_test.client={client}")
        connection.prepare_threshold = client % 3
        total = 0
        for turn in range(ledger.turns):
            total += amount_of(client, turn)
            row = [client, turn, amount_of(client, turn), note_of(client, turn)]
            with connection.transaction():
                connection.execute(f"INSERT INTO {ledger.moves} VALUES (%s, %s, %s, %s)", row)
                with pytest.raises(errors.UniqueViolation), connection.transaction():
                    connection.execute(f"INSERT INTO {ledger.moves} VALUES (%s, %s, %s, %s)", row)
                for account, difference in changes_of(client, turn):
                    connection.execute(f"UPDATE {ledger.accounts} SET balance = balance + %s WHERE id = %s",
                                       [difference, account])
            assert connection.execute(
                f"SELECT count(*), sum(amount), max(note) FILTER (WHERE turn = %s) FROM {ledger.moves} "
                "WHERE client = %s", [turn, client]).fetchone() == (turn + 1, total, row[3])
            assert connection.execute(f"SELECT %s::int * {turn}", [client]).fetchone() == (client * turn,)
            assert connection.execute("SHOW howdah_test.client").fetchone() == (str(client),)
            with connection.pipeline():
                answers = [connection.execute("SELECT %s::int8 + %s", [client, n]) for n in range(10)]
                assert [answer.fetchone()[0] for answer in answers] == [client + n for n in range(10)]
            with connection.transaction(), connection.cursor("rows") as cursor:
                cursor.itersize = 30
                cursor.execute("SELECT i * %s FROM generate_series(1, 100) AS i", [client])
                assert sum(row[0] for row in cursor) == 5050 * client
            with connection.cursor().copy("COPY (SELECT repeat('z', 100) FROM generate_series(1, 50)) TO STDOUT") as copy:
                assert sum(len(data) for data in copy) == 5050
            if turn == 3:
                with pytest.raises(errors.DivisionByZero):
                    connection.execute("SELECT 1 / %s", [0])

    together(work)
    ledger.check()
