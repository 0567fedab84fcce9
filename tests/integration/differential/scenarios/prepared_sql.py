"""PREPARE, EXECUTE and DEALLOCATE of SQL, alone and beside the protocol's statements."""
from differ.messages import SYNC, bind, close_statement, describe_statement, execute, parse, query, run
from differ.scenario import scenario, send


def _pin(sql):
    return send(query(sql), pins=True)


def _free(sql):
    return send(query(sql), frees=True)


SCENARIOS = [
    scenario("prepare_and_execute", _pin("PREPARE s AS SELECT a FROM d.t WHERE a > $1 ORDER BY a"), "EXECUTE s(3)", "EXECUTE s(4)", "SELECT 1", "EXECUTE s(0)", _free("DEALLOCATE s"), "EXECUTE s(1)"),
    scenario("prepare_with_types", _pin("PREPARE s (int, text) AS SELECT $1 + 1, $2"), "EXECUTE s(1, 'x')", "EXECUTE s(1)", "EXECUTE s('x', 1)"),
    scenario("prepare_twice", _pin("PREPARE s AS SELECT 1"), "PREPARE s AS SELECT 2", "EXECUTE s"),
    scenario("prepare_that_fails", "PREPARE s AS SELEC", "PREPARE s AS SELECT * FROM d.nothing", "EXECUTE s"),
    scenario("execute_unknown", "EXECUTE nobody", "DEALLOCATE nobody", "DEALLOCATE PREPARE nobody"),
    scenario("deallocate_all", _pin("PREPARE s AS SELECT 1"), "PREPARE s2 AS SELECT 2", _free("DEALLOCATE ALL"), "EXECUTE s", "EXECUTE s2", "DEALLOCATE ALL"),
    scenario("prepare_in_a_rolled_back_transaction", "BEGIN", _pin("PREPARE s AS SELECT 'survives'"), "ROLLBACK", "EXECUTE s"),
    scenario("several_in_one_string", _pin("PREPARE s AS SELECT 1; EXECUTE s; PREPARE s2 AS SELECT 2"), "EXECUTE s2", "DEALLOCATE s; DEALLOCATE s2"),
    scenario("prepare_execute_deallocate_in_one_string", "PREPARE s AS SELECT 1; EXECUTE s; DEALLOCATE s", "EXECUTE s"),
    scenario("prepare_of_a_write", _pin("PREPARE s AS INSERT INTO d.t VALUES ($1, 'x') RETURNING a"), "EXECUTE s(10)", "EXECUTE s(10)", "EXECUTE s(11)", "SELECT count(*) FROM d.t"),
    scenario("create_table_as_execute", _pin("PREPARE s AS SELECT 5 AS five"), "CREATE TABLE d.five AS EXECUTE s", "SELECT * FROM d.five", "DROP TABLE d.five", setup="DROP TABLE IF EXISTS d.five"),
    scenario("explain_execute", _pin("PREPARE s (int) AS SELECT $1"), "EXPLAIN (COSTS OFF) EXECUTE s(1)"),
    scenario("prepare_by_the_extended_protocol", send(run("PREPARE s AS SELECT 1"), SYNC, pins=True), (run("EXECUTE s"), SYNC), send(run("DEALLOCATE s"), SYNC, frees=True), (run("EXECUTE s"), SYNC)),
    scenario("sql_and_protocol_share_names", _pin("PREPARE s AS SELECT 'sql'"), (bind(statement="s"), execute(), SYNC), (describe_statement("s"), SYNC), (parse("SELECT 'protocol'", "s"), SYNC), (close_statement("s"), SYNC), "EXECUTE s"),
    scenario("protocol_and_sql_share_names", (parse("SELECT 'protocol', $1::int", "s"), SYNC), "EXECUTE s(5)", "PREPARE s AS SELECT 'sql'", "DEALLOCATE s", (bind(1, statement="s"), execute(), SYNC)),
    scenario("deallocate_of_a_protocol_statement", (parse("SELECT 'protocol'", "s"), SYNC), "DEALLOCATE s", (bind(statement="s"), execute(), SYNC), "DEALLOCATE s"),
    scenario("deallocate_of_a_protocol_statement_extended", (parse("SELECT 'protocol'", "s"), SYNC), (run("DEALLOCATE s"), SYNC), (bind(statement="s"), execute(), SYNC)),
    scenario("deallocate_of_a_protocol_statement_quoted", (parse("SELECT 1", "My Statement"), parse("SELECT 2", "mine"), SYNC), 'DEALLOCATE "My Statement"', "DEALLOCATE MINE", (bind(statement="My Statement"), execute(), SYNC), (bind(statement="mine"), execute(), SYNC)),
    scenario("deallocate_of_a_protocol_statement_in_a_string", (parse("SELECT 'protocol'", "s"), SYNC), "DEALLOCATE s; SELECT 1", (bind(statement="s"), execute(), SYNC)),
    scenario("deallocate_of_a_protocol_statement_in_a_transaction", (parse("SELECT 'protocol'", "s"), SYNC), "BEGIN", "DEALLOCATE s", "ROLLBACK", (bind(statement="s"), execute(), SYNC)),
    scenario("deallocate_in_a_failed_transaction", (parse("SELECT 'protocol'", "s"), SYNC), "BEGIN", "SELECT 1/0", "DEALLOCATE s", "ROLLBACK", (bind(statement="s"), execute(), SYNC)),
    scenario("deallocate_all_of_protocol_statements", (parse("SELECT 1", "s1"), parse("SELECT 2", "s2"), SYNC), "DEALLOCATE ALL", (bind(statement="s1"), execute(), SYNC), (parse("SELECT 'new'", "s1"), bind(statement="s1"), execute(), SYNC), (bind(statement="s2"), SYNC)),
    scenario("deallocate_all_extended", (parse("SELECT 1", "s1"), SYNC), (run("DEALLOCATE ALL"), SYNC), (bind(statement="s1"), execute(), SYNC)),
    scenario("deallocate_all_keeps_the_unnamed_statement", (parse("SELECT 'unnamed'"), SYNC), (parse("DEALLOCATE ALL", "s1"), bind(statement="s1"), execute(), SYNC), (bind(), execute(), SYNC)),
    scenario("discard_all", (parse("SELECT 1", "s1"), SYNC), "DISCARD ALL", (bind(statement="s1"), execute(), SYNC), (parse("SELECT 2", "s1"), bind(statement="s1"), execute(), SYNC)),
    scenario("discard_plans", (parse("SELECT 1", "s1"), SYNC), "DISCARD PLANS", (bind(statement="s1"), execute(), SYNC)),
    scenario("deallocate_all_in_a_pipeline", (parse("SELECT 1", "s1"), SYNC, run("DEALLOCATE ALL"), SYNC, bind(statement="s1"), execute(), SYNC, parse("SELECT 2", "s1"), bind(statement="s1"), execute(), SYNC)),
    scenario("deallocate_all_and_parse_in_one_batch", (parse("SELECT 1", "s1"), SYNC), (run("DEALLOCATE ALL"), parse("SELECT 2", "s1"), bind(statement="s1"), execute(), SYNC), (bind(statement="s1"), execute(), SYNC)),
    scenario("statements_seen_in_the_catalog", _pin("PREPARE s AS SELECT 1"), "SELECT name, statement, from_sql FROM pg_prepared_statements WHERE from_sql"),
    scenario("protocol_statements_seen_in_the_catalog", (parse("SELECT 41", "s1"), SYNC), "SELECT name, statement, parameter_types FROM pg_prepared_statements ORDER BY name"),
    scenario("execute_that_sets", _pin("PREPARE s AS SELECT set_config('d.custom', 'by execute', false)"), "EXECUTE s", "SHOW d.custom"),
]
