#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "proxy/sql/code_block.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {
namespace {

using enum pin_reason;

TEST(pins, come_from_statements_that_leave_session_state) {
    const std::vector<std::pair<std::string, pin_reason>> rows{
        {"SELECT 1", none},
        {"CREATE TABLE t (a int)", none},
        {"CREATE TEMP TABLE t (a int)", temp_object},
        {"CREATE TEMPORARY TABLE t (a int) ON COMMIT DROP", temp_object},
        {"CREATE LOCAL TEMP TABLE t (a int)", temp_object},
        {"CREATE TEMP TABLE t AS SELECT 1", temp_object},
        {"CREATE UNLOGGED TABLE t (a int)", none},
        {"CREATE TEMP VIEW v AS SELECT 1", temp_object},
        {"CREATE OR REPLACE TEMP VIEW v AS SELECT 1", temp_object},
        {"CREATE TEMP SEQUENCE s", temp_object},
        {"SELECT 1 INTO TEMP t", temp_object},
        {"SELECT 1 INTO t", none},
        {"CREATE TABLE pg_temp.t (a int)", temp_object},
        {"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'select 1'", temp_object},
        {"CREATE TYPE pg_temp.e AS ENUM ('a')", temp_object},
        {"DROP TABLE pg_temp.t", none},
        {"SELECT * FROM pg_temp.t", none},
        {"SET search_path = pg_temp, public", temp_object},
        {"SELECT set_config('search_path', 'pg_temp', false)", temp_object},
        {"SELECT pg_advisory_lock(1)", advisory_lock},
        {"SELECT pg_catalog.pg_advisory_lock(1, 2)", advisory_lock},
        {"SELECT pg_try_advisory_lock($1)", advisory_lock},
        {"SELECT pg_advisory_lock_shared(1)", advisory_lock},
        {"SELECT * FROM t WHERE pg_try_advisory_lock_shared(id)", advisory_lock},
        {"SELECT pg_advisory_xact_lock(1)", none},
        {"SELECT pg_advisory_unlock(1)", none},
        {"SELECT app.pg_advisory_lock(1)", none},
        {"LISTEN c", listen},
        {"UNLISTEN c", none},
        {"NOTIFY c", none},
        {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", hold_cursor},
        {"DECLARE c BINARY INSENSITIVE SCROLL CURSOR WITH HOLD FOR SELECT 1", hold_cursor},
        {"DECLARE c BINARY INSENSITIVE SCROLL CURSOR FOR SELECT 1", none},
        {"PREPARE p AS SELECT 1", sql_prepare},
        {"EXECUTE p", none},
        {"LOAD 'auto_explain'", load},
        {"SELECT setseed(0.5)", session_function},
        {"SELECT dblink_connect('x')", session_function},
        {"SELECT ext.dblink_connect('a', 'x')", session_function},
        {"SELECT nextval('s')", none},
        {"DO $$ begin perform 1; end $$", none},
        {"DO $$ begin update t set a = 1; end $$", none},
        {"DO $$ begin create temp table x (a int); end $$", code_block},
        {"DO 'begin perform pg_advisory_lock(1); end'", code_block},
        {"DO LANGUAGE plpgsql $$ begin perform set_config(''a'', ''b'', false); end $$",
         code_block},
        {"BEGIN", none},
        {"INSERT INTO t VALUES (1)", none},
    };
    for (const auto& [sql, expected] : rows) {
        const traits t = classify(sql);
        ASSERT_TRUE(t.parsed) << sql;
        EXPECT_EQ(t.pins, static_cast<uint16_t>(expected)) << sql;
    }
}

TEST(pins, of_several_statements_add_up) {
    EXPECT_EQ(classify("LISTEN a; CREATE TEMP TABLE t (a int); SELECT pg_advisory_lock(1)").pins,
              static_cast<uint16_t>(listen) | static_cast<uint16_t>(temp_object) |
                  static_cast<uint16_t>(advisory_lock));
}

TEST(pins, have_names) {
    EXPECT_EQ(to_string(none), "none");
    EXPECT_EQ(to_string(hold_cursor), "cursor with hold");
    EXPECT_EQ(to_string(static_cast<pin_reason>(listen | load)), "several");
    EXPECT_EQ(to_string(verb::other), "other");
    EXPECT_EQ(to_string(verb::empty), "empty");
    EXPECT_EQ(to_string(verb::ddl), "ddl");
    EXPECT_EQ(to_string(verb::delete_), "delete");
    EXPECT_EQ(to_string(verb::close_cursor), "close cursor");
}

TEST(code_block, is_suspected_by_the_words_that_make_session_state) {
    for (const char* body :
         {"begin set work_mem = '1MB'; end", "begin x := 1; SET ROLE bob; end", "listen a",
          "begin if a then reset all; end if; end", "begin execute 'create temp table x()'; end",
          "begin execute $q$ select set_config('a', 'b', false) $q$; end",
          "begin execute 'execute ''listen x'''; end", "begin load 'x'; end",
          "create temporary view x as select 1", "select pg_try_advisory_lock(1)"}) {
        EXPECT_TRUE(seems_to_create_session_state(body)) << body;
    }
    for (const char* body :
         {"", "begin update t set a = 1; end", "begin perform pg_advisory_xact_lock(1); end",
          "begin insert into t values ('a', 'b'); end", "-- set x\n begin end",
          "begin raise notice 'this is set'; end", "begin truncate temporal; end", "''", "$$$$"}) {
        EXPECT_FALSE(seems_to_create_session_state(body)) << body;
    }
}

}  // namespace
}  // namespace howdah::proxy::sql
