"""psycopg 3: extended protocol, named server-side statements, pipelines."""
import threading
import zlib

import psycopg
import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, PARAMETER_BYTES, RAISE_ERROR,
                                 RAISE_FIELDS, RAISE_NOTICE, big_checksum)
from psycopg import errors, sql


@pytest.fixture
def connect(target):
    opened = []

    def make(autocommit=True, **changes):
        opened.append(psycopg.connect(**target.libpq(**changes), autocommit=autocommit))
        return opened[-1]

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
