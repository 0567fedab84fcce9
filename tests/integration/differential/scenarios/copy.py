"""COPY in both directions, in both protocols, whole and broken."""
from differ.messages import (COPY_DONE, FLUSH, SYNC, bind, copy_data, copy_fail, describe_portal, execute, parse, query, run)
from differ.scenario import NOTHING, read, ready, scenario, seen, send

_IN = "COPY d.t FROM STDIN"
_ROWS = [copy_data(f"{100 + i}\tcopied {i}\n") for i in range(5)]
_BINARY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\2" + b"\0\0\0\4\0\0\0\x64" + b"\0\0\0\3bin" + b"\xff\xff"


def _copy_in(*messages, sql=_IN):
    """In two steps, as drivers do: the statement, and after CopyInResponse the rest."""
    return [send(query(sql), until=seen("G")), send(*messages, until=ready())]


_COUNT = "SELECT count(*), sum(a) FROM d.t"
_EXECUTE_IN = parse(_IN) + bind() + execute()

SCENARIOS = [
    scenario("out", "COPY d.t TO STDOUT", "SELECT 1"),
    scenario("out_csv", "COPY d.t TO STDOUT (FORMAT csv, HEADER, NULL 'nil', FORCE_QUOTE *)"),
    scenario("out_binary", "COPY (SELECT a, b FROM d.t ORDER BY a) TO STDOUT (FORMAT binary)"),
    scenario("out_of_a_query", "COPY (SELECT i, 'row ' || i FROM generate_series(1, 300) AS i) TO STDOUT"),
    scenario("out_of_returning", "COPY (DELETE FROM d.t WHERE a = 5 RETURNING a) TO STDOUT", _COUNT),
    scenario("out_empty", "COPY (SELECT 1 WHERE false) TO STDOUT", "COPY (SELECT) TO STDOUT"),
    scenario("out_extended", (run("COPY d.t TO STDOUT"), SYNC), (parse("COPY d.t TO STDOUT", "s1"), SYNC), (bind(statement="s1"), execute(), SYNC)),
    scenario("out_with_an_error_in_the_middle", "COPY (SELECT 1 / (5 - i) FROM generate_series(1, 9) AS i) TO STDOUT", "SELECT 1"),
    scenario("out_between_other_statements", "SELECT 1; COPY d.t TO STDOUT; SELECT 2"),
    scenario("out_in_a_pipeline", (run("SELECT 1"), run("COPY d.t TO STDOUT"), run("SELECT 2"), SYNC, run("COPY d.t TO STDOUT"), SYNC)),
    scenario("out_of_what_does_not_exist", "COPY d.nothing TO STDOUT", "COPY d.t (nothing) TO STDOUT"),
    scenario("in", *_copy_in(*_ROWS, COPY_DONE), _COUNT),
    scenario("in_without_a_pause", send(query(_IN), *_ROWS, COPY_DONE, until=ready()), _COUNT),
    scenario("in_followed_by_queries_without_a_pause", send(query(_IN), *_ROWS, COPY_DONE, query(_COUNT), query("SELECT 1"), until=ready(3))),
    scenario("in_without_rows", *_copy_in(COPY_DONE), _COUNT),
    scenario("in_in_pieces", send(query(_IN), until=seen("G")), send(copy_data("10"), until=NOTHING), send(copy_data("0\tin pie"), until=NOTHING), send(copy_data("ces\n101\tx\n"), COPY_DONE, until=ready()), _COUNT),
    scenario("in_with_empty_pieces", *_copy_in(copy_data(""), _ROWS[0], copy_data(""), COPY_DONE), _COUNT),
    scenario("in_csv", *_copy_in(copy_data('a,b\n100,"quoted, ""text"""\n101,\n'), COPY_DONE, sql="COPY d.t FROM STDIN (FORMAT csv, HEADER)"), "SELECT * FROM d.t WHERE a > 99 ORDER BY a"),
    scenario("in_binary", *_copy_in(copy_data(_BINARY), COPY_DONE, sql="COPY d.t FROM STDIN (FORMAT binary)"), "SELECT * FROM d.t WHERE a > 99 ORDER BY a"),
    scenario("in_with_end_marker", *_copy_in(copy_data("100\tx\n\\.\n"), COPY_DONE), _COUNT),
    scenario("in_fails_by_the_client", *_copy_in(*_ROWS, copy_fail("changed my mind")), _COUNT),
    scenario("in_fails_by_the_client_at_once", *_copy_in(copy_fail("")), _COUNT),
    scenario("in_with_bad_data", *_copy_in(copy_data("100\tx\n"), copy_data("abc\ty\n"), COPY_DONE), _COUNT),
    scenario("in_with_a_duplicate", *_copy_in(copy_data("100\tx\n1\tagain\n"), *_ROWS[1:], COPY_DONE), _COUNT),
    scenario("in_with_missing_columns", *_copy_in(copy_data("100\n"), *_ROWS, COPY_DONE), "SELECT 1"),
    scenario("in_with_an_error_before_it", "COPY d.nothing FROM STDIN", "COPY d.t FROM STDIN (FORMAT nothing)", "SELECT 1"),
    scenario("data_after_a_refused_copy_is_ignored", send(query("COPY d.nothing FROM STDIN"), *_ROWS, COPY_DONE, until=ready()), "SELECT 1"),
    scenario("data_without_a_copy_is_ignored", send(*_ROWS, COPY_DONE, query("SELECT 1"), until=ready()), send(copy_fail("x"), query("SELECT 2"), until=ready())),
    scenario("in_answered_by_a_query", send(query(_IN), until=seen("G")), send(query("SELECT 1"), until=seen("E")), read(ready()), "SELECT 2"),
    scenario("in_with_sync_and_flush_between", *_copy_in(_ROWS[0], FLUSH, SYNC, _ROWS[1], SYNC, COPY_DONE), _COUNT),
    scenario("in_in_a_transaction", "BEGIN", *_copy_in(*_ROWS, COPY_DONE), _COUNT, "ROLLBACK", _COUNT),
    scenario("in_fails_in_a_transaction", "BEGIN", *_copy_in(*_ROWS, copy_fail("no")), "SELECT 1", "ROLLBACK", _COUNT),
    scenario("in_fails_to_a_savepoint", "BEGIN", "SAVEPOINT a", *_copy_in(copy_data("x\n"), COPY_DONE), "ROLLBACK TO a", *_copy_in(*_ROWS, COPY_DONE), "COMMIT", _COUNT),
    scenario("in_between_other_statements", *_copy_in(*_ROWS, COPY_DONE, sql=f"SELECT 1; {_IN}; SELECT 2"), _COUNT),
    scenario("two_in_one_string", send(query(f"{_IN}; {_IN}"), until=seen("G")), send(_ROWS[0], COPY_DONE, until=seen("G")), send(_ROWS[1], COPY_DONE, until=ready()), _COUNT),
    scenario("two_in_one_string_the_second_fails", send(query(f"{_IN}; {_IN}"), until=seen("G")), send(_ROWS[0], COPY_DONE, until=seen("G")), send(_ROWS[0], COPY_DONE, until=ready()), _COUNT),
    scenario("in_then_out_in_one_string", *_copy_in(*_ROWS, COPY_DONE, sql=f"{_IN}; COPY d.t TO STDOUT"), _COUNT),
    scenario("in_extended", send(_EXECUTE_IN, FLUSH, until=seen("G")), send(*_ROWS, COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_extended_without_a_pause", send(_EXECUTE_IN, *_ROWS, COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_extended_with_an_early_sync", send(_EXECUTE_IN, SYNC, until=seen("G")), send(*_ROWS, COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_extended_with_describe", send(parse(_IN, "s1"), bind(statement="s1"), describe_portal(), execute(), FLUSH, until=seen("G")), send(*_ROWS, COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_extended_fails_by_the_client", send(_EXECUTE_IN, FLUSH, until=seen("G")), send(_ROWS[0], copy_fail("no"), SYNC, until=ready()), _COUNT),
    scenario("in_extended_with_bad_data", send(_EXECUTE_IN, FLUSH, until=seen("G")), send(copy_data("x\n"), _ROWS[0], COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_extended_with_bad_data_in_pieces", send(_EXECUTE_IN, FLUSH, until=seen("G")), send(copy_data("x\n"), until=seen("E")), send(_ROWS[0], until=NOTHING), send(COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_simple_with_bad_data_in_pieces", send(query(_IN), until=seen("G")), send(copy_data("x\n"), until=ready()), send(_ROWS[0], until=NOTHING), send(COPY_DONE, query("SELECT 1"), until=ready()), _COUNT),
    scenario("in_inside_a_pipeline", send(run("SELECT 1"), _EXECUTE_IN, *_ROWS, COPY_DONE, run("SELECT 2"), SYNC, run(_COUNT), SYNC, until=ready(2))),
    scenario("in_fails_inside_a_pipeline", send(run("SELECT 1"), _EXECUTE_IN, _ROWS[0], copy_fail("no"), run("SELECT 2"), SYNC, run(_COUNT), SYNC, until=ready(2))),
    scenario("in_twice_in_a_pipeline", send(_EXECUTE_IN, _ROWS[0], COPY_DONE, SYNC, _EXECUTE_IN, _ROWS[1], COPY_DONE, SYNC, until=ready(2)), _COUNT),
    scenario("in_extended_answered_by_a_parse", send(_EXECUTE_IN, FLUSH, until=seen("G")), send(parse("SELECT 1"), SYNC, until=ready()), "SELECT 1"),
    scenario("in_by_a_prepared_statement_twice", (parse(_IN, "s1"), SYNC), send(bind(statement="s1"), execute(), _ROWS[0], COPY_DONE, SYNC, until=ready()),
             send(bind(statement="s1"), execute(), _ROWS[1], COPY_DONE, SYNC, until=ready()), _COUNT),
    scenario("in_with_notices", *_copy_in(*_ROWS, COPY_DONE, sql="COPY d.loud FROM STDIN"),
             setup="DROP TABLE IF EXISTS d.loud; CREATE TABLE d.loud (a int, b text); CREATE OR REPLACE FUNCTION d.shout() RETURNS trigger LANGUAGE plpgsql AS "
             "$$ BEGIN RAISE NOTICE 'row %', new.a; RETURN new; END $$; CREATE TRIGGER x BEFORE INSERT ON d.loud FOR EACH ROW EXECUTE FUNCTION d.shout()"),
    scenario("in_left_by_the_client", send(query(_IN), _ROWS[0], until=seen("G"))),
    scenario("in_many_rows", *_copy_in(copy_data("".join(f"{1000 + i}\trow\n" for i in range(2000))), COPY_DONE), _COUNT),
    scenario("in_many_messages", *_copy_in(*[copy_data(f"{1000 + i}\trow\n") for i in range(500)], COPY_DONE), _COUNT),
    scenario("in_large_message", *_copy_in(copy_data("1000\t" + "x" * 100000 + "\n"), COPY_DONE), "SELECT a, length(b) FROM d.t WHERE a = 1000"),
    scenario("out_large_row", "COPY (SELECT repeat('y', 100000)) TO STDOUT"),
    scenario("in_from_nowhere", "COPY d.t FROM '/nonexistent'", "COPY d.t FROM PROGRAM 'true'"),
    scenario("sync_before_the_data", send(_EXECUTE_IN, SYNC, *_ROWS, COPY_DONE, SYNC, until=ready()), _COUNT),
]
