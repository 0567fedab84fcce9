"""The simple query protocol."""
from differ.messages import query
from differ.scenario import scenario, send

_EVERY_TYPE = ("SELECT 1::int2, 2::int4, 3::int8, 4.5::float4, 5.25::float8, 6.125::numeric, 't'::bool, 'text'::text, "
               "'vc'::varchar(10), 'c'::char(5), 'n'::name, '\\xdeadbeef'::bytea, '2024-02-29'::date, '12:34:56'::time, "
               "'2024-02-29 12:34:56.789'::timestamp, '2024-02-29 12:34:56+02'::timestamptz, '1 day 02:03'::interval, "
               "'{1,2,NULL}'::int[], '{\"a\": [1]}'::json, '{\"a\": [1]}'::jsonb, '10.0.0.1/24'::inet, "
               "'00000000-0000-0000-0000-000000000001'::uuid, '(1,2)'::point, '[1,5)'::int4range, 'a b'::tsvector, "
               "B'101'::bit(3), '1.5'::money::numeric, ROW(1, 'x'), NULL")

SCENARIOS = [
    scenario("one_row", "SELECT 1"),
    scenario("no_rows", "SELECT a FROM d.t WHERE false"),
    scenario("many_rows", "SELECT i, i * i, 'row ' || i FROM generate_series(1, 500) AS i"),
    scenario("no_columns", "SELECT", "SELECT FROM d.t"),
    scenario("every_type", _EVERY_TYPE),
    scenario("nulls_and_empty_text", "SELECT a, b, b IS NULL FROM d.t ORDER BY a"),
    scenario("empty_query", ""),
    scenario("blanks_only", "   \n\t "),
    scenario("semicolons_only", ";", ";;;"),
    scenario("comment_only", "-- nothing", "/* nothing */", "/* a */ ; -- b"),
    scenario("comments_around", "/* before */ SELECT 1 -- after", "SELECT /* in /* nested */ */ 2"),
    scenario("trailing_semicolon_and_blanks", "SELECT 1 ;  \n"),
    scenario("several_statements", "SELECT 1; SELECT 2, 3; SELECT 'x'"),
    scenario("several_statements_with_empty_ones", "SELECT 1;; ;SELECT 2;"),
    scenario("several_statements_with_writes",
             "INSERT INTO d.t VALUES (10, 'ten'); UPDATE d.t SET b = 'TEN' WHERE a = 10; SELECT * FROM d.t WHERE a = 10; "
             "DELETE FROM d.t WHERE a = 10"),
    scenario("insert_update_delete", "INSERT INTO d.t VALUES (11, 'x'), (12, 'y')", "UPDATE d.t SET b = 'z' WHERE a > 10",
             "DELETE FROM d.t WHERE a > 10", "DELETE FROM d.t WHERE a > 10"),
    scenario("returning", "INSERT INTO d.t VALUES (11, 'x') RETURNING a, upper(b)", "UPDATE d.t SET a = a + 100 RETURNING *",
             "DELETE FROM d.t WHERE a = 111 RETURNING b"),
    scenario("on_conflict", "INSERT INTO d.t VALUES (1, 'again') ON CONFLICT DO NOTHING",
             "INSERT INTO d.t VALUES (1, 'again') ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *"),
    scenario("merge", "MERGE INTO d.t USING (VALUES (1, 'm'), (50, 'n')) v(a, b) ON t.a = v.a WHEN MATCHED THEN UPDATE SET "
             "b = v.b WHEN NOT MATCHED THEN INSERT VALUES (v.a, v.b)", "SELECT * FROM d.t ORDER BY a"),
    scenario("with_that_writes", "WITH gone AS (DELETE FROM d.t WHERE a = 5 RETURNING *) SELECT * FROM gone",
             "SELECT count(*) FROM d.t"),
    scenario("values_and_table", "VALUES (1, 'a'), (2, 'b')", "TABLE d.t"),
    scenario("explain", "EXPLAIN (COSTS OFF) SELECT * FROM d.t WHERE a = 1",
             "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) INSERT INTO d.t VALUES (60, 'x')",
             "SELECT count(*) FROM d.t WHERE a = 60"),
    scenario("show", "SHOW server_encoding", "SHOW standard_conforming_strings", "SHOW transaction_isolation",
             "SHOW TIME ZONE"),
    scenario("ddl", "CREATE TABLE d.made (x int)", "ALTER TABLE d.made ADD y text DEFAULT 'd'",
             "INSERT INTO d.made (x) VALUES (1) RETURNING *", "CREATE INDEX ON d.made (x)", "COMMENT ON TABLE d.made IS 'c'",
             "DROP TABLE d.made", setup="DROP TABLE IF EXISTS d.made"),
    scenario("create_table_as", "CREATE TABLE d.made AS SELECT a FROM d.t WHERE a < 3", "SELECT * FROM d.made ORDER BY a",
             "SELECT a INTO d.made2 FROM d.t WHERE a > 3", "DROP TABLE d.made, d.made2",
             setup="DROP TABLE IF EXISTS d.made, d.made2"),
    scenario("two_queries_in_one_write", send(query("SELECT 1"), query("SELECT 2"))),
    scenario("ten_queries_in_one_write", send(*[query(f"SELECT {i}, 'q{i}'") for i in range(10)])),
    scenario("queries_with_errors_in_one_write",
             send(query("SELECT 1"), query("SELECT 1/0"), query("SELECT 2"), query("SELEC"), query("SELECT 3"))),
    scenario("writes_and_reads_in_one_write",
             send(query("INSERT INTO d.t VALUES (70, 'x')"), query("SELECT b FROM d.t WHERE a = 70"),
                  query("DELETE FROM d.t WHERE a = 70"), query("SELECT b FROM d.t WHERE a = 70"))),
    scenario("dollar_quotes_and_escapes", "SELECT $$it's$$, $x$ $$ $x$, E'a\\nb', 'a\\nb', U&'\\0041', 'it''s'"),
    scenario("identifiers_in_quotes", 'SELECT 1 AS "A b", 2 AS "select", 3 AS "ü"'),
    scenario("vacuum_and_analyze", "VACUUM d.t", "ANALYZE d.t", "VACUUM d.t; SELECT 1"),
    scenario("procedure", "CALL d.p(3)", "CALL d.p(4)", setup="CREATE OR REPLACE PROCEDURE d.p(INOUT x int) LANGUAGE plpgsql "
             "AS $$ BEGIN x := x * 2; COMMIT; END $$"),
    scenario("procedure_with_several_transactions", "CALL d.q()", "SELECT count(*) FROM d.t", "BEGIN", "CALL d.q()",
             "ROLLBACK", setup="CREATE OR REPLACE PROCEDURE d.q() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM d.t WHERE a = 5; "
             "ROLLBACK; DELETE FROM d.t WHERE a = 4 AND false; COMMIT; END $$"),
    scenario("set_returning_functions", "SELECT * FROM unnest('{1,2}'::int[], '{a,b,c}'::text[])",
             "SELECT generate_series(1, 3), 'x'"),
    scenario("hint_comments_of_howdah_are_comments", "/* hostgroup=10 */ SELECT 1", "SELECT /* hostgroup=10 */ 2"),
]
