"""psycopg2: simple protocol, client-side parameters."""
import io
import threading
import zlib

import psycopg2
import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, PARAMETER_BYTES, RAISE_ERROR,
                                 RAISE_FIELDS, RAISE_NOTICE, big_checksum)
from psycopg2 import errors, extensions


@pytest.fixture
def connect(target):
    opened = []

    def make(autocommit=True, **changes):
        opened.append(psycopg2.connect(**target.libpq(**changes)))
        opened[-1].autocommit = autocommit
        return opened[-1]

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
