#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct row {
    std::string sql;
    verb kind;
    bool read_only;
};

constexpr bool reads = true;
constexpr bool stays = false;  // on the writer

void expect_class(const std::vector<row>& rows) {
    for (const row& r : rows) {
        const traits t = classify(r.sql);
        ASSERT_TRUE(t.parsed) << r.sql;
        EXPECT_EQ(t.first, r.kind) << r.sql << ": " << to_string(t.first);
        EXPECT_EQ(t.last, r.kind) << r.sql << ": " << to_string(t.last);
        EXPECT_EQ(t.read_only, r.read_only) << r.sql;
        EXPECT_EQ(t.statements, 1) << r.sql;
    }
}

TEST(classify, knows_queries_that_only_read) {
    expect_class({
        {"SELECT 1", verb::select, reads},
        {"SELECT", verb::select, reads},
        {"(SELECT 1)", verb::select, reads},
        {"SELECT * FROM a, b WHERE a.x = b.y AND a.z = $1", verb::select, reads},
        {"SELECT a FROM t ORDER BY b LIMIT 10 OFFSET 5", verb::select, reads},
        {"SELECT DISTINCT ON (a) a, b FROM t", verb::select, reads},
        {"SELECT count(*) FILTER (WHERE x) OVER (PARTITION BY y) FROM t", verb::select, reads},
        {"SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3", verb::select, reads},
        {"SELECT * FROM t TABLESAMPLE system (10)", verb::select, reads},
        {"SELECT ctid, xmin, tableoid FROM t", verb::select, reads},
        {"SELECT * FROM generate_series(1, 10) g", verb::select, reads},
        {"SELECT * FROM a LEFT JOIN LATERAL (SELECT * FROM b WHERE b.i = a.i) c ON true",
         verb::select, reads},
        {"SELECT (SELECT max(x) FROM u) FROM t WHERE EXISTS (SELECT 1 FROM v)", verb::select,
         reads},
        {"SELECT a FROM t GROUP BY GROUPING SETS ((a), ()) HAVING count(*) > 1", verb::select,
         reads},
        {"WITH x AS (SELECT 1) SELECT * FROM x", verb::select, reads},
        {"WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT 2) SELECT * FROM x", verb::select, reads},
        {"VALUES (1, 2), (3, 4)", verb::select, reads},
        {"TABLE t", verb::select, reads},
        {"SELECT '; DELETE FROM t'", verb::select, reads},
        {"SELECT 1 -- ; DELETE FROM t", verb::select, reads},
        {"/* DELETE */ SELECT 1", verb::select, reads},
        {"SELECT \"update\" FROM \"delete\"", verb::select, reads},
        {"SELECT E'\\'; DELETE FROM t; --'", verb::select, reads},
        {"SELECT $$ ; DELETE FROM t $$", verb::select, reads},
        {"SHOW ALL", verb::show, reads},
        {"SHOW search_path", verb::show, reads},
        {"SHOW TIME ZONE", verb::show, reads},
        {"SHOW TRANSACTION ISOLATION LEVEL", verb::show, reads},
        {"EXPLAIN SELECT 1", verb::explain, reads},
        {"EXPLAIN ANALYZE SELECT 1", verb::explain, reads},
        {"EXPLAIN (ANALYZE 1, FORMAT json) SELECT 1", verb::explain, reads},
        {"EXPLAIN (ANALYZE off) SELECT 1", verb::explain, reads},
        {"COPY t TO STDOUT", verb::copy_to, reads},
        {"COPY t (a, b) TO STDOUT WITH (FORMAT binary)", verb::copy_to, reads},
        {"COPY (SELECT * FROM t) TO STDOUT", verb::copy_to, reads},
        {"DECLARE c CURSOR FOR SELECT 1", verb::declare_cursor, reads},
        {"DECLARE c NO SCROLL CURSOR WITHOUT HOLD FOR SELECT 1", verb::declare_cursor, reads},
    });
}

TEST(classify, keeps_queries_with_side_effects_on_the_writer) {
    expect_class({
        {"SELECT 1 FROM t FOR UPDATE", verb::select, stays},
        {"SELECT 1 FROM t FOR NO KEY UPDATE", verb::select, stays},
        {"SELECT 1 FROM t FOR SHARE", verb::select, stays},
        {"SELECT 1 FROM t FOR KEY SHARE SKIP LOCKED", verb::select, stays},
        {"SELECT 1 FROM t FOR UPDATE OF t NOWAIT", verb::select, stays},
        {"SELECT * FROM (SELECT 1 FROM t FOR UPDATE) x", verb::select, stays},
        {"SELECT (SELECT 1 FROM t FOR SHARE)", verb::select, stays},
        {"(SELECT 1 FROM t FOR UPDATE) UNION ALL (SELECT 2)", verb::select, stays},
        {"WITH x AS (SELECT 1 FROM t FOR UPDATE) SELECT * FROM x", verb::select, stays},
        {"SELECT 1 INTO x", verb::select, stays},
        {"SELECT 1 INTO TEMP x", verb::select, stays},
        {"WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", verb::select, stays},
        {"WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x", verb::select, stays},
        {"WITH x AS (UPDATE t SET a = 1 RETURNING *) TABLE x", verb::select, stays},
        {"SELECT * FROM (WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x) y", verb::select,
         stays},
        {"EXPLAIN INSERT INTO t VALUES (1)", verb::explain, stays},
        {"EXPLAIN ANALYZE DELETE FROM t", verb::explain, stays},
        {"EXPLAIN ANALYZE SELECT 1 FROM t FOR UPDATE", verb::explain, stays},
        {"EXPLAIN ANALYZE WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x", verb::explain,
         stays},
        {"EXPLAIN CREATE TABLE x AS SELECT 1", verb::explain, stays},
        {"EXPLAIN EXECUTE p", verb::explain, stays},
        {"EXPLAIN DECLARE c CURSOR FOR SELECT 1", verb::explain, stays},
        {"COPY t TO '/tmp/x'", verb::copy_to, stays},
        {"COPY t TO PROGRAM 'cat'", verb::copy_to, stays},
        {"COPY (DELETE FROM t RETURNING *) TO STDOUT", verb::copy_to, stays},
        {"COPY (SELECT 1 FROM t FOR UPDATE) TO STDOUT", verb::copy_to, stays},
        {"COPY t FROM STDIN", verb::copy_from, stays},
        {"COPY t FROM '/tmp/x'", verb::copy_from, stays},
        {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", verb::declare_cursor, stays},
        {"DECLARE c CURSOR FOR SELECT 1 FROM t FOR UPDATE", verb::declare_cursor, stays},
        {"SHOW transaction_read_only", verb::show, stays},
        {"SHOW in_hot_standby", verb::show, stays},
    });
}

TEST(classify, knows_writes_and_session_statements) {
    expect_class({
        {"INSERT INTO t VALUES (1)", verb::insert, stays},
        {"INSERT INTO t SELECT * FROM u", verb::insert, stays},
        {"INSERT INTO t DEFAULT VALUES ON CONFLICT DO NOTHING", verb::insert, stays},
        {"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", verb::insert, stays},
        {"UPDATE t SET a = 1 WHERE b = 2", verb::update, stays},
        {"DELETE FROM t USING u WHERE t.a = u.a", verb::delete_, stays},
        {"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", verb::merge, stays},
        {"BEGIN", verb::begin, stays},
        {"START TRANSACTION", verb::begin, stays},
        {"COMMIT", verb::commit, stays},
        {"END", verb::commit, stays},
        {"ROLLBACK", verb::rollback, stays},
        {"ABORT WORK", verb::rollback, stays},
        {"SAVEPOINT s", verb::savepoint, stays},
        {"RELEASE s", verb::release, stays},
        {"ROLLBACK TO SAVEPOINT s", verb::rollback_to, stays},
        {"PREPARE TRANSACTION 'x'", verb::prepare_transaction, stays},
        {"COMMIT PREPARED 'x'", verb::commit_prepared, stays},
        {"ROLLBACK PREPARED 'x'", verb::rollback_prepared, stays},
        {"SET x.y = 1", verb::set, stays},
        {"SET TRANSACTION READ ONLY", verb::set, stays},
        {"SET CONSTRAINTS ALL DEFERRED", verb::other, stays},
        {"RESET ALL", verb::reset, stays},
        {"DISCARD ALL", verb::discard, stays},
        {"DEALLOCATE ALL", verb::deallocate, stays},
        {"DEALLOCATE PREPARE p", verb::deallocate, stays},
        {"PREPARE p AS SELECT 1", verb::prepare, stays},
        {"EXECUTE p (1)", verb::execute, stays},
        {"LISTEN c", verb::listen, stays},
        {"UNLISTEN *", verb::unlisten, stays},
        {"NOTIFY c, 'x'", verb::notify, stays},
        {"LOCK TABLE t IN EXCLUSIVE MODE", verb::lock, stays},
        {"FETCH 10 FROM c", verb::fetch, stays},
        {"MOVE ALL IN c", verb::fetch, stays},
        {"CLOSE c", verb::close_cursor, stays},
        {"CALL p(1)", verb::call, stays},
        {"DO $$ begin end $$", verb::do_block, stays},
        {"LOAD 'x'", verb::load, stays},
        {"VACUUM", verb::vacuum, stays},
        {"ANALYZE t", verb::vacuum, stays},
        {"CHECKPOINT", verb::checkpoint, stays},
        {"CREATE TABLE t (a int)", verb::ddl, stays},
        {"CREATE TABLE t AS SELECT 1", verb::ddl, stays},
        {"CREATE INDEX CONCURRENTLY ON t (a)", verb::ddl, stays},
        {"CREATE VIEW v AS SELECT 1", verb::ddl, stays},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'", verb::ddl, stays},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
         verb::ddl, stays},
        {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", verb::ddl, stays},
        {"CREATE DATABASE d", verb::ddl, stays},
        {"CREATE EXTENSION x", verb::ddl, stays},
        {"CREATE ROLE r", verb::ddl, stays},
        {"ALTER TABLE t ADD b int", verb::ddl, stays},
        {"ALTER SYSTEM SET x = 1", verb::ddl, stays},
        {"ALTER ROLE r SET x = 1", verb::ddl, stays},
        {"DROP TABLE t", verb::ddl, stays},
        {"TRUNCATE t", verb::ddl, stays},
        {"GRANT SELECT ON t TO r", verb::ddl, stays},
        {"COMMENT ON TABLE t IS 'x'", verb::ddl, stays},
        {"REINDEX TABLE t", verb::ddl, stays},
        {"CLUSTER t", verb::ddl, stays},
        {"REFRESH MATERIALIZED VIEW v", verb::ddl, stays},
        {"SECURITY LABEL ON TABLE t IS 'x'", verb::ddl, stays},
        {"IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y", verb::ddl, stays},
    });
}

TEST(classify, leaves_views_of_a_servers_own_state_to_the_writer) {
    for (const char* sql :
         {"SELECT * FROM pg_prepared_xacts", "SELECT * FROM pg_catalog.pg_locks l JOIN t ON true",
          "SELECT count(*) FROM pg_stat_activity", "TABLE pg_statio_user_tables",
          "SELECT 1 WHERE EXISTS (SELECT FROM pg_replication_slots)"})
        EXPECT_FALSE(classify(sql).read_only) << sql;
    for (const char* sql : {"SELECT * FROM mine.pg_locks", "SELECT * FROM pg_class",
                            "SELECT * FROM pg_statistic_ext", "SELECT pg_locks FROM t"})
        EXPECT_TRUE(classify(sql).read_only) << sql;
}

TEST(classify, names_the_database_in_which_a_statement_must_be_alone) {
    const auto alone_in = [](std::string_view sql) { return classify(sql).alone_in; };
    EXPECT_EQ(alone_in("DROP DATABASE x"), "x");
    EXPECT_EQ(alone_in("DROP DATABASE IF EXISTS \"X y\" WITH (FORCE)"), "X y");
    EXPECT_EQ(alone_in("ALTER DATABASE x RENAME TO y"), "x");
    EXPECT_EQ(alone_in("ALTER DATABASE x SET TABLESPACE y"), "x");
    EXPECT_EQ(alone_in("CREATE DATABASE y TEMPLATE x"), "x");
    EXPECT_EQ(alone_in("CREATE DATABASE y WITH TEMPLATE = 'x' OWNER z"), "x");
    EXPECT_EQ(alone_in("CREATE DATABASE y"), "");
    EXPECT_EQ(alone_in("ALTER TABLE x RENAME TO y"), "");
    EXPECT_EQ(alone_in("DROP TABLE x"), "");
}

TEST(classify, keeps_the_statements_of_a_string_apart_where_their_order_matters) {
    const auto parts = [](std::string_view sql) {
        std::string out;
        for (const statement_part& p : classify(sql).parts) {
            EXPECT_EQ(p.what.statements, 1) << sql;
            out += std::to_string(p.index) + ":" + std::string(to_string(p.what.first)) + " ";
        }
        return out;
    };
    EXPECT_EQ(parts("SET a.b = 1"), "");
    EXPECT_EQ(parts("SELECT 1; DELETE FROM t"), "");
    EXPECT_EQ(parts("BEGIN; SELECT 1; SET a.b = 1; COMMIT"), "0:begin 2:set 3:commit ");
    EXPECT_EQ(parts("SELECT 1; SELECT 2; SAVEPOINT s; ROLLBACK TO s; RELEASE s"),
              "2:savepoint 3:rollback to 4:release ");
    EXPECT_EQ(parts("SELECT 1; LISTEN a; UNLISTEN *"), "1:listen 2:unlisten ");
    EXPECT_EQ(parts("SELECT 1; CREATE TEMP TABLE t (); SELECT 2"), "1:ddl ");
}

TEST(classify, sums_up_what_the_statements_of_a_string_do) {
    const traits t = classify(
        "BEGIN READ ONLY; SELECT f(1), a(); SET x.y = 1; SELECT f(2); "
        "RESET x.z; ROLLBACK AND CHAIN");
    EXPECT_TRUE(t.begins_transaction && t.begin_read_only && t.ends_transaction);
    EXPECT_TRUE(t.rollback_like && t.chain && t.literal_dependent);
    EXPECT_EQ(t.functions, (std::vector<std::string>{"a", "f"}));
    ASSERT_EQ(t.settings.size(), 2U);
    EXPECT_EQ(t.settings[0].name, "x.y");
    EXPECT_EQ(t.settings[1].name, "x.z");
}

TEST(classify, takes_a_string_of_statements_as_read_only_if_all_of_them_are) {
    struct multi {
        std::string sql;
        uint16_t statements;
        verb first, last;
        bool read_only;
    };
    const std::vector<multi> rows{
        {"SELECT 1; SELECT 2", 2, verb::select, verb::select, true},
        {"SELECT 1; SHOW all;", 2, verb::select, verb::show, true},
        {"SELECT 1; DELETE FROM t", 2, verb::select, verb::delete_, false},
        {"DELETE FROM t; SELECT 1", 2, verb::delete_, verb::select, false},
        {"BEGIN; SELECT 1; COMMIT", 3, verb::begin, verb::commit, false},
        {"SET x.y = 1; SELECT 1", 2, verb::set, verb::select, false},
        {"SELECT 1;;;", 1, verb::select, verb::select, true},
        {";;SELECT 1", 1, verb::select, verb::select, true},
        {"", 0, verb::empty, verb::empty, false},
        {" ; ; ", 0, verb::empty, verb::empty, false},
        {"-- nothing", 0, verb::empty, verb::empty, false},
    };
    for (const multi& r : rows) {
        const traits t = classify(r.sql);
        EXPECT_TRUE(t.parsed) << r.sql;
        EXPECT_EQ(t.statements, r.statements) << r.sql;
        EXPECT_EQ(t.first, r.first) << r.sql;
        EXPECT_EQ(t.last, r.last) << r.sql;
        EXPECT_EQ(t.read_only, r.read_only) << r.sql;
    }
}

TEST(classify, reads_transaction_control) {
    const auto is = [](const char* sql, bool begins, bool read_only, bool ends, bool rolls_back,
                       bool chains) {
        const traits t = classify(sql);
        ASSERT_TRUE(t.parsed) << sql;
        EXPECT_EQ(t.begins_transaction, begins) << sql;
        EXPECT_EQ(t.begin_read_only, read_only) << sql;
        EXPECT_EQ(t.ends_transaction, ends) << sql;
        EXPECT_EQ(t.rollback_like, rolls_back) << sql;
        EXPECT_EQ(t.chain, chains) << sql;
        EXPECT_FALSE(t.read_only) << sql;
    };
    is("BEGIN", true, false, false, false, false);
    is("BEGIN READ ONLY", true, true, false, false, false);
    is("START TRANSACTION READ ONLY", true, true, false, false, false);
    is("BEGIN READ WRITE", true, false, false, false, false);
    is("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", true, true, false, false, false);
    is("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", true, false, false, false, false);
    is("BEGIN READ ONLY, ISOLATION LEVEL SERIALIZABLE DEFERRABLE", true, false, false, false,
       false);
    is("BEGIN READ ONLY READ WRITE", true, false, false, false, false);
    is("COMMIT", false, false, true, false, false);
    is("END AND NO CHAIN", false, false, true, false, false);
    is("COMMIT AND CHAIN", false, false, true, false, true);
    is("ROLLBACK", false, false, true, true, false);
    is("ABORT", false, false, true, true, false);
    is("ROLLBACK AND CHAIN", false, false, true, true, true);
    is("PREPARE TRANSACTION 'x'", false, false, true, false, false);
    is("ROLLBACK TO s", false, false, false, false, false);
    is("COMMIT PREPARED 'x'", false, false, false, false, false);
}

TEST(classify, names_the_target) {
    EXPECT_EQ(classify("DEALLOCATE \"P1\"").target, "P1");
    EXPECT_EQ(classify("DEALLOCATE ALL").target, "");
    EXPECT_EQ(classify("PREPARE P1 AS SELECT 1").target, "p1");
    EXPECT_EQ(classify("EXECUTE p1").target, "p1");
    EXPECT_EQ(classify("SHOW Work_Mem").target, "work_mem");
    EXPECT_EQ(classify("SHOW TIME ZONE").target, "timezone");
    EXPECT_EQ(classify("LISTEN Chan").target, "chan");
    EXPECT_EQ(classify("UNLISTEN chan").target, "chan");
    EXPECT_EQ(classify("UNLISTEN *").target, "");
    EXPECT_EQ(classify("NOTIFY chan, 'x'").target, "chan");
    EXPECT_EQ(classify("DECLARE c CURSOR FOR SELECT 1").target, "c");
    EXPECT_EQ(classify("FETCH NEXT FROM c").target, "c");
    EXPECT_EQ(classify("CLOSE c").target, "c");
    EXPECT_EQ(classify("CLOSE ALL").target, "");
    EXPECT_EQ(classify("SAVEPOINT s").target, "s");
    EXPECT_EQ(classify("PREPARE TRANSACTION 'gid'").target, "gid");
    EXPECT_TRUE(classify("PREPARE TRANSACTION 'gid'").literal_dependent);
    EXPECT_EQ(classify("DISCARD ALL").target, "all");
    EXPECT_EQ(classify("DISCARD TEMP").target, "temp");
    EXPECT_EQ(classify("DISCARD PLANS").target, "plans");
    EXPECT_EQ(classify("DISCARD SEQUENCES").target, "sequences");
    EXPECT_EQ(classify("LISTEN a; LISTEN b").target, "a");
}

TEST(classify, finds_functions_wherever_they_are_called) {
    const auto functions = [](const char* sql) { return classify(sql).functions; };
    EXPECT_THAT(functions("SELECT 1 + a FROM t"), IsEmpty());
    EXPECT_THAT(functions("SELECT f(g(1)), F(2)"), ElementsAre("f", "g"));
    EXPECT_THAT(functions("SELECT \"F\"(1), S.f(1), d.s.f(1)"), ElementsAre("F", "s.f"));
    EXPECT_THAT(functions("SELECT * FROM f(1), LATERAL g(h(2))"), ElementsAre("f", "g", "h"));
    EXPECT_THAT(functions("SELECT * FROM ROWS FROM (f(), g()) x"), ElementsAre("f", "g"));
    EXPECT_THAT(functions("SELECT 1 FROM t WHERE a IN (SELECT f(b) FROM u) ORDER BY g(a)"),
                ElementsAre("f", "g"));
    EXPECT_THAT(functions("SELECT 1 FROM a JOIN b ON f(a.x) GROUP BY g(x) HAVING h(x) "
                          "LIMIT i() OFFSET j()"),
                ElementsAre("f", "g", "h", "i", "j"));
    EXPECT_THAT(functions("WITH x AS (SELECT f()) SELECT g() OVER (ORDER BY h()) FROM x"),
                ElementsAre("f", "g", "h"));
    EXPECT_THAT(functions("SELECT CASE WHEN f() THEN ARRAY[g()] ELSE (ROW(h())).x END"),
                ElementsAre("f", "g", "h"));
    EXPECT_THAT(functions("SELECT coalesce(f(), 1), nullif(g(), 1), greatest(h(), 1)"),
                ElementsAre("f", "g", "h"));
    EXPECT_THAT(functions("VALUES (f()), (g())"), ElementsAre("f", "g"));
    EXPECT_THAT(functions("SELECT x[f()], y[g():h()], z::int, (i()).*"),
                ElementsAre("f", "g", "h", "i"));
    EXPECT_THAT(functions("SELECT count(*) FILTER (WHERE f()), sum(a ORDER BY g())"),
                ElementsAre("count", "f", "g", "sum"));
    EXPECT_THAT(
        functions("SELECT extract(year FROM now()), trim(a), a AT TIME ZONE 'utc'"),
        ElementsAre("now", "pg_catalog.btrim", "pg_catalog.extract", "pg_catalog.timezone"));
    EXPECT_THAT(functions("SELECT * FROM t TABLESAMPLE system (f())"), ElementsAre("f"));
    EXPECT_THAT(functions("SELECT current_user, current_timestamp"), IsEmpty());
    EXPECT_THAT(functions("COPY (SELECT f()) TO STDOUT"), ElementsAre("f"));
    EXPECT_THAT(functions("EXPLAIN SELECT f()"), ElementsAre("f"));
    EXPECT_THAT(functions("CALL p(f())"), ElementsAre("f", "p"));
    EXPECT_THAT(functions("SELECT f(); SELECT g()"), ElementsAre("f", "g"));
    EXPECT_THAT(functions("SELECT f(VARIADIC g()), h(x => i())"), ElementsAre("f", "g", "h", "i"));
    EXPECT_THAT(functions("SELECT * FROM xmltable('/a' PASSING f() COLUMNS b int DEFAULT g())"),
                ElementsAre("f", "g"));
}

TEST(classify, reports_what_it_cannot_parse) {
    for (const char* sql : {"SELEC 1", "SELECT 1 FROM", "SELECT 'a", "BEGIN; SELEC", ")",
                            "SELECT {", "SELECT 0x", "\xff\xfe", "SELECT E'\\u00'", "SELECT $$a"}) {
        const traits t = classify(sql);
        EXPECT_FALSE(t.parsed) << sql;
        EXPECT_FALSE(t.read_only) << sql;
        EXPECT_EQ(t.statements, 0) << sql;
    }
    EXPECT_FALSE(classify(std::string_view{"SELECT 1\0", 9}).parsed);
    EXPECT_FALSE(classify(std::string_view{"SELECT 1\0; DELETE FROM t", 24}).parsed);
}

TEST(classify, refuses_what_is_longer_than_the_limit) {
    EXPECT_TRUE(classify("SELECT 1", {.bytes = 8, .depth = 100}).parsed);
    EXPECT_FALSE(classify("SELECT 1", {.bytes = 7, .depth = 100}).parsed);
}

TEST(classify, survives_statements_of_any_depth) {
    const auto repeat = [](std::string_view s, int n) {
        std::string result;
        for (int i = 0; i < n; ++i)
            result += s;
        return result;
    };
    for (const int n : {10, 100, 400, 1000, 100000}) {
        const std::vector<std::string> deep{
            "SELECT " + repeat("(", n) + "1" + repeat(")", n),
            "SELECT 1" + repeat("+1", n),
            "SELECT " + repeat("- ", n) + "1",
            "SELECT " + repeat("NOT ", n) + "true",
            repeat("SELECT (", n) + "SELECT 1" + repeat(")", n),
            "SELECT 1" + repeat(" UNION SELECT 1", n),
            "SELECT 1" + repeat(" UNION SELECT 1, 2", n),
            "SELECT 1" + repeat("::int", n),
            "SELECT 1 FROM a" + repeat(" JOIN b ON a.x = b.y", n),
            "SELECT 1 FROM a" + repeat(" NATURAL JOIN b", n),
            "SELECT 1 FROM " + repeat("(", n) + "a" + repeat(" CROSS JOIN b)", n),
            "SELECT " + repeat("f(", n) + repeat(")", n),
            "SELECT " + repeat("CASE WHEN a AND b THEN 1 ELSE ", n) + "1" + repeat(" END", n),
            "SELECT 1" + repeat(" + CASE WHEN a AND b THEN 1 ELSE 2 END", n),
            "SELECT " + repeat("ARRAY[", n) + "1" + repeat("]", n),
            "SELECT " + repeat("1 FROM (SELECT ", n) + "1" + repeat(") x", n),
            repeat("WITH a AS (", n) + "SELECT 1" + repeat(") SELECT 1", n),
            "SELECT a" + repeat(" IS DISTINCT FROM (b", n) + repeat(")", n),
            "SELECT 1" + repeat(" + percentile_cont(1) WITHIN GROUP (ORDER BY x)", n),
            "SELECT a" + repeat(" COLLATE \"C\"", n),
            "SELECT a" + repeat(" AT TIME ZONE b", n),
            "SELECT a" + repeat(" BETWEEN b AND c", n),
            "SELECT a" + repeat("[1]", n),
            "SELECT (a)" + repeat(".b", n),
            "SELECT a" + repeat(" AND a", n),
            "SELECT 1" + repeat(", 1", n),
        };
        for (const std::string& sql : deep) {
            const traits t = classify(sql);
            EXPECT_EQ(t.parsed, t.read_only) << sql.substr(0, 60);
        }
    }
    EXPECT_TRUE(classify("SELECT a" + repeat(" AND b = 1", 20000)).parsed);
    EXPECT_TRUE(classify("SELECT 1 FROM t WHERE a IN (1" + repeat(", 1", 20000) + ")").parsed);
    EXPECT_TRUE(
        classify("SELECT 1" + repeat(" UNION ALL SELECT a, b FROM t WHERE c = 1", 100)).parsed);
    EXPECT_FALSE(classify("SELECT 1" + repeat("+1", 100000)).parsed);
}

TEST(classify, works_on_many_threads_at_once) {
    std::vector<std::thread> threads;
    std::vector<int> good(8, 0);
    for (std::size_t i = 0; i < good.size(); ++i) {
        threads.emplace_back([&good, i] {
            for (int n = 0; n < 200; ++n) {
                const bool read = classify("SELECT f(a) FROM t WHERE b = 1").read_only;
                const bool write = classify("DELETE FROM t").first == verb::delete_;
                const bool bad = !classify("SELEC").parsed;
                good[i] += read && write && bad ? 1 : 0;
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    EXPECT_THAT(good, testing::Each(200));
}

}  // namespace
}  // namespace howdah::proxy::sql
