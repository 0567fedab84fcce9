"""What belongs to a session: temporary tables, advisory locks, sequences, DISCARD."""
from differ.messages import SYNC, bind, execute, parse, query, run
from differ.scenario import scenario, send


def _pin(sql, **more):
    return send(query(sql), pins=True, **more)


def _free(sql):
    return send(query(sql), frees=True)


_UNLOCKED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"

SCENARIOS = [
    scenario("temp_table", _pin("CREATE TEMP TABLE x (a int)"), "INSERT INTO x VALUES (1), (2)", "SELECT count(*) FROM x", "SELECT 1", "SELECT sum(a) FROM x", _free("DROP TABLE x"), "SELECT * FROM x"),
    scenario("temp_table_spellings", _pin("CREATE TEMPORARY TABLE x1 (a int)"), "CREATE LOCAL TEMP TABLE x2 (a int)", "CREATE TABLE pg_temp.x3 (a int)", "SELECT 1 AS a INTO TEMP x4", "SELECT 2 AS a INTO TEMPORARY TABLE x5", "CREATE TEMP TABLE x6 AS SELECT 3 AS a",
             "CREATE TEMP TABLE IF NOT EXISTS x6 (a int)", "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relname ~ '^x[1-6]$'"),
    *[scenario(f"temp_table_by_{name}", _pin(sql), "SELECT count(*) FROM x", "SELECT 1", "SELECT count(*) FROM x")
      for name, sql in (("create_temporary", "create temporary table x (a int)"), ("pg_temp", "CREATE TABLE pg_temp.x (a int)"), ("select_into", "SELECT a INTO TEMP TABLE x FROM d.t"),
                        ("create_as", "CREATE TEMP TABLE x AS TABLE d.t"), ("with_select_into", "WITH w AS (SELECT 1) SELECT * INTO TEMP x FROM w"), ("local", "CREATE LOCAL TEMPORARY TABLE x (a int)"),
                        ("view", "CREATE TEMP VIEW x AS SELECT 1"), ("recursive_view", "CREATE TEMP RECURSIVE VIEW x (n) AS SELECT 1"), ("implied_temp_view", "CREATE TEMP TABLE y (a int); CREATE VIEW x AS SELECT * FROM y"))],
    scenario("temp_sequence", _pin("CREATE TEMP SEQUENCE x"), "SELECT nextval('x')", "SELECT 1", "SELECT nextval('x'), currval('x')"),
    scenario("temp_function", _pin("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 5'"), "SELECT pg_temp.f()", "SELECT 1", "SELECT pg_temp.f()"),
    scenario("temp_type_and_domain", _pin("CREATE TYPE pg_temp.mood AS ENUM ('a', 'b')"), "SELECT 'a'::pg_temp.mood", "CREATE DOMAIN pg_temp.dom AS int CHECK (value > 0)", "SELECT 1::pg_temp.dom"),
    scenario("temp_table_by_search_path", "SET search_path = pg_temp, d", _pin("CREATE TABLE x (a int)"), "SELECT count(*) FROM x", "SELECT relpersistence FROM pg_class WHERE relname = 'x'"),
    scenario("temp_table_in_a_transaction", "BEGIN", _pin("CREATE TEMP TABLE x (a int)"), "INSERT INTO x VALUES (1)", "COMMIT", "SELECT * FROM x"),
    scenario("temp_table_rolled_back", "BEGIN", "CREATE TEMP TABLE x (a int)", "ROLLBACK", "SELECT * FROM x"),
    scenario("temp_table_on_commit_drop", "BEGIN", "CREATE TEMP TABLE x (a int) ON COMMIT DROP", "INSERT INTO x VALUES (1)", "COMMIT", "SELECT * FROM x"),
    scenario("temp_table_on_commit_delete_rows", _pin("CREATE TEMP TABLE x (a int) ON COMMIT DELETE ROWS"), "INSERT INTO x VALUES (1)", "SELECT count(*) FROM x", "BEGIN", "INSERT INTO x VALUES (1)", "SELECT count(*) FROM x", "COMMIT", "SELECT count(*) FROM x"),
    scenario("temp_table_hides_another", "SET search_path = d", _pin("CREATE TEMP TABLE t (z text)"), "INSERT INTO t VALUES ('temporary')", "SELECT * FROM t", "SELECT count(*) FROM d.t"),
    scenario("temp_table_extended", send(run("CREATE TEMP TABLE x (a int)"), SYNC, pins=True), (run("INSERT INTO x VALUES ($1)", 5), SYNC), (run("SELECT * FROM x"), SYNC), (parse("SELECT a + 1 FROM x", "s1"), bind(statement="s1"), execute(), SYNC), (bind(statement="s1"), execute(), SYNC)),
    scenario("temp_table_and_discard_temp", _pin("CREATE TEMP TABLE x (a int)"), _free("DISCARD TEMP"), "SELECT * FROM x"),
    scenario("temp_table_and_discard_all", _pin("CREATE TEMP TABLE x (a int)"), _free("DISCARD ALL"), "SELECT * FROM x"),
    scenario("temp_table_in_a_do_block", _pin("DO $$ BEGIN CREATE TEMP TABLE x (a int); END $$"), "SELECT * FROM x"),
    scenario("temp_table_in_a_string", _pin("SELECT 1; CREATE TEMP TABLE x (a int); INSERT INTO x VALUES (1)"), "SELECT * FROM x"),
    scenario("temp_table_that_fails", "CREATE TEMP TABLE x (a nothing)", "SELECT * FROM x"),
    scenario("temp_table_and_copy", _pin("CREATE TEMP TABLE x (a int)"), "COPY x TO STDOUT", "ALTER TABLE x ADD b int", "COPY x TO STDOUT (FORMAT csv, HEADER)"),
    scenario("advisory_lock", _pin("SELECT pg_advisory_lock(77001)"), _UNLOCKED, "SELECT 1", "SELECT pg_try_advisory_lock(77001)", "SELECT pg_advisory_unlock(77001), pg_advisory_unlock(77001)", _free("SELECT pg_advisory_unlock(77001)"), _UNLOCKED),
    scenario("advisory_lock_spellings", _pin("SELECT pg_try_advisory_lock(77002)"), "SELECT pg_advisory_lock_shared(77003)", "SELECT pg_try_advisory_lock_shared(77, 4)", "SELECT pg_catalog.pg_advisory_lock(77, 5)", _UNLOCKED, _free("SELECT pg_advisory_unlock_all()"), _UNLOCKED),
    *[scenario(f"advisory_lock_{name}", _pin(sql), _UNLOCKED, "SELECT 1", _UNLOCKED)
      for name, sql in (("in_a_cte", "WITH w AS (SELECT pg_advisory_lock(77010)) SELECT count(*) FROM w w1, w w2"), ("in_a_subquery", "SELECT (SELECT pg_try_advisory_lock(77011))"), ("in_where", "SELECT 1 WHERE pg_try_advisory_lock(77012)"),
                        ("in_from", "SELECT * FROM pg_try_advisory_lock(77013)"), ("in_an_insert", "INSERT INTO d.t SELECT 50, 'x' FROM pg_advisory_lock(77014)"), ("in_a_do_block", "DO $$ BEGIN PERFORM pg_advisory_lock(77015); END $$"), ("in_upper_case", "SELECT PG_ADVISORY_LOCK(77016)"))],
    scenario("advisory_lock_extended", send(run("SELECT pg_try_advisory_lock($1)", 77020), SYNC, pins=True), (run(_UNLOCKED), SYNC), send(run("SELECT pg_advisory_unlock($1)", 77020), SYNC, frees=True), (run(_UNLOCKED), SYNC)),
    scenario("advisory_lock_prepared", (parse("SELECT pg_try_advisory_lock($1)", "s1"), parse("SELECT pg_advisory_unlock($1)", "s2"), SYNC), send(bind(77021, statement="s1"), execute(), SYNC, pins=True), (run(_UNLOCKED), SYNC), send(bind(77021, statement="s2"), execute(), SYNC, frees=True), (run(_UNLOCKED), SYNC)),
    scenario("advisory_lock_in_a_rolled_back_transaction", "BEGIN", _pin("SELECT pg_advisory_lock(77022)"), "ROLLBACK", _UNLOCKED, _free("SELECT pg_advisory_unlock_all()"), _UNLOCKED),
    scenario("advisory_lock_taken_before_an_error", _pin("SELECT pg_advisory_lock(77023); SELECT 1/0"), _UNLOCKED),
    scenario("advisory_lock_of_a_transaction", "BEGIN", "SELECT pg_advisory_xact_lock(77030)", _UNLOCKED, "COMMIT", _UNLOCKED, "SELECT pg_try_advisory_xact_lock(77031)", _UNLOCKED),
    scenario("advisory_lock_ends_with_discard_all", _pin("SELECT pg_advisory_lock(77040)"), _free("DISCARD ALL"), _UNLOCKED),
    scenario("advisory_unlock_without_lock", "SELECT pg_advisory_unlock(77041)", "SELECT pg_advisory_unlock_all()"),
    scenario("sequence_state_in_a_transaction", "BEGIN", "SELECT setval('d.seq', 10)", "SELECT nextval('d.seq'), currval('d.seq'), lastval()", "COMMIT", setup="DROP SEQUENCE IF EXISTS d.seq; CREATE SEQUENCE d.seq"),
    scenario("sequence_unknown_at_first", "BEGIN", "SELECT currval('d.seq2')", "ROLLBACK", setup="DROP SEQUENCE IF EXISTS d.seq2; CREATE SEQUENCE d.seq2"),
    scenario("sequence_of_another_client", "SELECT 1", "SELECT currval('d.others')"),
    scenario("discard_all", "SET d.custom = 'x'; SET work_mem = '128kB'", "DISCARD ALL", "SHOW work_mem", "SELECT current_setting('d.custom', true)"),
    scenario("discard_all_extended", "SET work_mem = '128kB'", (run("DISCARD ALL"), SYNC), "SHOW work_mem"),
    scenario("discard_all_in_a_transaction", "BEGIN", "DISCARD ALL", "ROLLBACK", "SELECT 1; DISCARD ALL"),
    scenario("discard_the_others", "DISCARD PLANS", "DISCARD SEQUENCES", "DISCARD TEMP", "DISCARD TEMPORARY", "DISCARD nothing"),
    scenario("discard_all_twice_with_settings_between", "DISCARD ALL", "SET work_mem = '128kB'", "DISCARD ALL", "SHOW work_mem", "SET work_mem = '256kB'", "SHOW work_mem"),
    scenario("discard_all_with_startup_parameters", "DISCARD ALL", "SHOW application_name"),
    scenario("load", _pin("LOAD 'plpgsql'"), "SELECT 1"),
    scenario("reset_role_and_all_is_what_drivers_send", "SET ROLE d_role", "SET work_mem = '128kB'", "RESET ALL; RESET SESSION AUTHORIZATION", "SELECT current_user, current_setting('work_mem')", "UNLISTEN *; CLOSE ALL; RESET ALL; SELECT pg_advisory_unlock_all()", "SELECT 1"),
    scenario("asyncpg_reset", "SET work_mem = '128kB'", "SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;", "SHOW work_mem"),
    scenario("npgsql_reset", "SET work_mem = '128kB'", "CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP", "SHOW work_mem"),
]
