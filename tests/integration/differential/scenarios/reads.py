"""Reads that are split off to standbys: their answers are the primary's."""
from differ.messages import SYNC, bind, describe_statement, execute, parse, query, run
from differ.scenario import Login, scenario, send

_SPLIT = Login(user="verifier_user")


def _read(name, *steps, **more):
    return scenario(name, *steps, login=_SPLIT, interleaved=False, **more)


# Nothing here reads what a scenario's own setup has just written: a standby may not have it yet.
SCENARIOS = [
    _read("select", "SELECT 1", "SELECT relname, relkind FROM pg_class WHERE relname = 'pg_class'", "TABLE pg_am", "VALUES (1), (2)"),
    _read("extended", (run("SELECT $1::int + 1", 5), SYNC), (run("SELECT proname FROM pg_proc WHERE oid = $1", 1377), SYNC)),
    _read("prepared", (parse("SELECT typname FROM pg_type WHERE oid = $1", "s1"), describe_statement("s1"), SYNC), (bind(23, statement="s1"), execute(), SYNC), (bind(25, statement="s1"), execute(), SYNC)),
    _read("errors", "SELECT 1/0", "SELECT nothing", "SELEC", "SELECT * FROM nowhere", (run("SELECT 1/0"), run("SELECT 1"), SYNC)),
    _read("settings_follow", "SET TimeZone = 'Asia/Tokyo'", "SELECT '2024-01-01 00:00+00'::timestamptz", "SET d.custom = 'x'", "SELECT current_setting('d.custom')", "RESET ALL", "SHOW TimeZone"),
    _read("write_then_read_in_a_transaction", "BEGIN", "INSERT INTO d.t VALUES (10, 'x')", "SELECT count(*) FROM d.t", "ROLLBACK"),
    _read("read_only_transaction", "BEGIN READ ONLY", "SELECT 1", "SELECT count(*) FROM pg_am", "COMMIT", "BEGIN READ ONLY", "CREATE TABLE d.x (a int)", "ROLLBACK"),
    _read("batches_of_reads_and_writes", (run("SELECT 1"), SYNC, run("INSERT INTO d.t VALUES (10, 'x')"), SYNC, run("SELECT 2"), SYNC, run("DELETE FROM d.t WHERE a = 10"), SYNC)),
    _read("queries_of_reads_and_writes", send(query("SELECT 1"), query("INSERT INTO d.t VALUES (10, 'x')"), query("SELECT 2"), query("DELETE FROM d.t WHERE a = 10"), query("SELECT 3"))),
    _read("one_batch_that_reads_and_writes", (run("SELECT 1"), run("INSERT INTO d.t VALUES (10, 'x')"), run("SELECT count(*) FROM d.t"), SYNC)),
    _read("string_that_reads_and_writes", "SELECT 1; INSERT INTO d.t VALUES (10, 'x'); SELECT count(*) FROM d.t"),
    _read("locking_reads", "SELECT a FROM d.t WHERE a = 1 FOR UPDATE", "SELECT a FROM d.t WHERE a = 1 FOR KEY SHARE"),
    _read("functions_that_write", "SELECT d.writes(10)", "SELECT setval('d.others', 5)", "SELECT nextval('d.others')", "SELECT txid_current() > 0", "SELECT pg_notify('nobody', 'x')",
          setup="CREATE OR REPLACE FUNCTION d.writes(x int) RETURNS int LANGUAGE sql AS $$ INSERT INTO d.t VALUES (x, 'w') RETURNING a $$"),
    _read("functions_that_lie", "SELECT d.lies(10)", "SELECT d.lies(11)",
          setup="CREATE OR REPLACE FUNCTION d.hidden(x int) RETURNS int LANGUAGE sql AS $$ INSERT INTO d.t VALUES (x, 'w') RETURNING a $$; "
          "CREATE OR REPLACE FUNCTION d.lies(x int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN d.hidden(x); END $$"),
    _read("copy_out", "COPY (SELECT amname FROM pg_am ORDER BY 1) TO STDOUT", (run("COPY (SELECT 1) TO STDOUT"), SYNC)),
    _read("explain", "EXPLAIN (COSTS OFF) SELECT 1", "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) DELETE FROM d.t WHERE a = 99"),
    _read("notices_of_reads", "SELECT pg_catalog.pg_typeof(1)", "SET client_min_messages = debug1", "SELECT 2"),
    _read("parse_and_flush", (parse("SELECT 1", "s1"), SYNC), (bind(statement="s1"), execute(), SYNC), "BEGIN", (bind(statement="s1"), execute(), SYNC), "COMMIT", (bind(statement="s1"), execute(), SYNC)),
    _read("limited_rows", (parse("SELECT i FROM generate_series(1, 5) AS i"), bind(), execute(rows=2), execute(rows=2), execute(rows=2), SYNC)),
    _read("large_answers", "SELECT repeat('x', 100000)", "SELECT i, repeat('r', 100) FROM generate_series(1, 1000) AS i"),
    _read("show", "SHOW transaction_read_only", "SHOW in_hot_standby", "SHOW search_path"),
]
