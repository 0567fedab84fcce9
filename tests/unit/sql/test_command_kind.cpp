#include <gtest/gtest.h>

#include <set>

#include "proxy/sql/command_kind.hpp"
#include "proxy/sql/digest.hpp"

namespace howdah::proxy::sql {
namespace {

std::string command(std::string_view sql) {
    return command_names()[command_of(digest_text(sql, 2048), classify(sql).first)];
}

TEST(command_kind, is_the_command_of_a_statement) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"SELECT 1", "SELECT"},
        {" (SELECT 1) UNION SELECT 2", "SELECT"},
        {"VALUES (1)", "SELECT"},
        {"TABLE t", "SELECT"},
        {"/* c */ insert into t values (1)", "INSERT"},
        {"with a as (select 1) update t set b = 1", "UPDATE"},
        {"with a as (delete from t returning *) select * from a", "SELECT"},
        {"BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN"},
        {"START TRANSACTION READ ONLY", "BEGIN"},
        {"END", "COMMIT"},
        {"COMMIT PREPARED 'x'", "COMMIT_PREPARED"},
        {"PREPARE TRANSACTION 'x'", "PREPARE_TRANSACTION"},
        {"PREPARE p AS SELECT 1", "PREPARE"},
        {"ROLLBACK", "ROLLBACK"},
        {"ROLLBACK TO SAVEPOINT a", "ROLLBACK_TO_SAVEPOINT"},
        {"ROLLBACK WORK TO a", "ROLLBACK_TO_SAVEPOINT"},
        {"RELEASE a", "RELEASE_SAVEPOINT"},
        {"CREATE TABLE t (a int)", "CREATE_TABLE"},
        {"CREATE UNLOGGED TABLE IF NOT EXISTS t (a int)", "CREATE_TABLE"},
        {"CREATE GLOBAL TEMPORARY TABLE t (a int)", "CREATE_TABLE"},
        {"CREATE UNIQUE INDEX i ON t (a)", "CREATE_INDEX"},
        {"CREATE OR REPLACE RECURSIVE VIEW v (a) AS SELECT 1", "CREATE_VIEW"},
        {"CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE_MATERIALIZED_VIEW"},
        {"CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
         "CREATE_FUNCTION"},
        {"CREATE USER MAPPING FOR u SERVER s", "CREATE_USER_MAPPING"},
        {"CREATE USER u", "CREATE_USER"},
        {"CREATE TEXT SEARCH CONFIGURATION c (COPY = x)", "CREATE_TEXT_SEARCH_CONFIGURATION"},
        {"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO u", "ALTER_DEFAULT_PRIVILEGES"},
        {"ALTER SYSTEM SET work_mem = 1", "ALTER_SYSTEM"},
        {"DROP FOREIGN DATA WRAPPER w", "DROP_FOREIGN_DATA_WRAPPER"},
        {"DROP OPERATOR CLASS c USING btree", "DROP_OPERATOR_CLASS"},
        {"REFRESH MATERIALIZED VIEW CONCURRENTLY v", "REFRESH_MATERIALIZED_VIEW"},
        {"DECLARE c CURSOR FOR SELECT 1", "DECLARE_CURSOR"},
        {"SET TRANSACTION READ ONLY", "SET"},
        {"SELECT 1; DROP TABLE t", "SELECT"},
        {"CREATE", "UNKNOWN"},
        {"CREATE NONSENSE x", "UNKNOWN"},
        {"selec 1", "UNKNOWN"},
        {"", "UNKNOWN"},
        {"?!", "UNKNOWN"},
    };
    for (const auto& [sql, name] : cases)
        EXPECT_EQ(command(sql), name) << sql;
}

TEST(command_kind, has_each_name_once) {
    const auto names = command_names();
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    EXPECT_GT(names.size(), 150U);
}

}  // namespace
}  // namespace howdah::proxy::sql
