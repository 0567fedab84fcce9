#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {

static void PrintTo(const setting_change& s, std::ostream* out) {
    *out << static_cast<int>(s.what) << " " << s.name << " TO " << s.value;
}

namespace {

using enum setting_change::kind;
using changes = std::vector<setting_change>;

struct row {
    std::string sql;
    changes expected;
};

TEST(settings, are_read_from_every_spelling_of_set_and_reset) {
    const std::vector<row> rows{
        {"SET x.y = 1", {{set, "x.y", "'1'"}}},
        {"SET statement_timeout TO '5s'", {{set, "statement_timeout", "'5s'"}}},
        {"SET STATEMENT_TIMEOUT = 500", {{set, "statement_timeout", "'500'"}}},
        {"set \"Statement_Timeout\" = 500", {{set, "statement_timeout", "'500'"}}},
        {"SET SESSION work_mem = '64MB'", {{set, "work_mem", "'64MB'"}}},
        {"SET LOCAL work_mem = '64MB'", {{set_local, "work_mem", "'64MB'"}}},
        {"SET seq_page_cost = 1.5", {{set, "seq_page_cost", "'1.5'"}}},
        {"SET seed TO -0.25", {{set, "seed", "'-0.25'"}}},
        {"SET enable_seqscan TO off", {{set, "enable_seqscan", "'off'"}}},
        {"SET enable_seqscan = on", {{set, "enable_seqscan", "'on'"}}},
        {"SET enable_seqscan = true", {{set, "enable_seqscan", "'true'"}}},
        {"SET search_path TO a, \"B c\", public", {{set, "search_path", "'a', 'B c', 'public'"}}},
        {"SET search_path TO 'a','b'", {{set, "search_path", "'a', 'b'"}}},
        {"SET search_path = ''", {{set, "search_path", "''"}}},
        {"SET search_path = \"$user\", public", {{set, "search_path", "'$user', 'public'"}}},
        {"SET DateStyle TO ISO, DMY", {{set, "datestyle", "'iso', 'dmy'"}}},
        {"SET application_name = 'it''s'", {{set, "application_name", "'it''s'"}}},
        {"SET application_name = 'a\\b'", {{set, "application_name", "E'a\\\\b'"}}},
        {"SET application_name = E'a\\\\b'", {{set, "application_name", "E'a\\\\b'"}}},
        {"SET application_name = $$x$$", {{set, "application_name", "'x'"}}},
        {"SET application_name TO DEFAULT", {{reset, "application_name", ""}}},
        {"SET LOCAL application_name TO DEFAULT", {{set_local, "application_name", "DEFAULT"}}},
        {"SET TIME ZONE 'Europe/Rome'", {{set, "timezone", "'Europe/Rome'"}}},
        {"SET TIME ZONE UTC", {{set, "timezone", "'utc'"}}},
        {"SET TIME ZONE -7", {{set, "timezone", "'-7'"}}},
        {"SET TIME ZONE 5.5", {{set, "timezone", "'5.5'"}}},
        {"SET LOCAL TIME ZONE 'UTC'", {{set_local, "timezone", "'UTC'"}}},
        {"SET TIME ZONE LOCAL", {{reset, "timezone", ""}}},
        {"SET TIME ZONE DEFAULT", {{reset, "timezone", ""}}},
        {"SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE",
         {{set, "timezone", "'INTERVAL ''-08:00'''"}}},
        {"SET NAMES 'LATIN1'", {{set, "client_encoding", "'LATIN1'"}}},
        {"SET NAMES", {{reset, "client_encoding", ""}}},
        {"SET SCHEMA 'app'", {{set, "search_path", "'app'"}}},
        {"SET ROLE bob", {{set, "role", "'bob'"}}},
        {"SET ROLE 'Bob'", {{set, "role", "'Bob'"}}},
        {"SET ROLE NONE", {{set, "role", "'none'"}}},
        {"SET LOCAL ROLE bob", {{set_local, "role", "'bob'"}}},
        {"RESET ROLE", {{reset, "role", ""}}},
        {"SET SESSION AUTHORIZATION bob", {{set, "session_authorization", "'bob'"}}},
        {"SET SESSION AUTHORIZATION DEFAULT", {{reset, "session_authorization", ""}}},
        {"RESET SESSION AUTHORIZATION", {{reset, "session_authorization", ""}}},
        {"SET XML OPTION CONTENT", {{set, "xmloption", "'CONTENT'"}}},
        {"RESET Work_Mem", {{reset, "work_mem", ""}}},
        {"RESET TIME ZONE", {{reset, "timezone", ""}}},
        {"RESET ALL", {{reset_all, "", ""}}},
        {"DISCARD ALL",
         {{reset, "session_authorization", ""}, {reset, "role", ""}, {reset_all, "", ""}}},
        {"DISCARD PLANS", {}},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
         {{set, "default_transaction_read_only", "'1'"}}},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
         {{set, "default_transaction_isolation", "'repeatable read'"},
          {set, "default_transaction_read_only", "'0'"}}},
        {"SET a.b = 1; SET a.c = 2", {{set, "a.b", "'1'"}, {set, "a.c", "'2'"}}},
        {"SELECT set_config('a.b', 'x', false)", {{set, "a.b", "'x'"}}},
        {"SELECT pg_catalog.set_config('A.B', 'x''y', 'f')", {{set, "a.b", "'x''y'"}}},
        {"SELECT set_config('a.b', 'x', true)", {{set_local, "a.b", "'x'"}}},
        {"SELECT set_config('a.b', NULL, false)", {{reset, "a.b", ""}}},
        {"SELECT set_config('a.b', NULL, true)", {{set_local, "a.b", "DEFAULT"}}},
        {"SELECT set_config('a', '1', false), set_config('b', '2', true)",
         {{set, "a", "'1'"}, {set_local, "b", "'2'"}}},
        {"SELECT set_config('search_path', '', false)", {{set, "search_path", "''"}}},
        {"SELECT set_config('search_path', 'A, \"B\"\"c\"', false)",
         {{set, "search_path", "'a', 'B\"c'"}}},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET work_mem = '1MB' AS 'select 1'", {}},
        {"ALTER ROLE bob SET work_mem = '1MB'", {}},
        {"SELECT 1", {}},
    };
    for (const row& r : rows) {
        const traits t = classify(r.sql);
        ASSERT_TRUE(t.parsed) << r.sql;
        EXPECT_EQ(t.settings, r.expected) << r.sql;
        EXPECT_FALSE(has_pin(t.pins, pin_reason::unknown_set)) << r.sql;
        EXPECT_FALSE(has_pin(t.pins, pin_reason::set_config)) << r.sql;
    }
}

TEST(settings, keep_transaction_modes_apart) {
    for (const char* sql :
         {"SET TRANSACTION READ ONLY", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
          "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
          "SET transaction_isolation = 'serializable'", "SET LOCAL transaction_read_only = on",
          "SET transaction_deferrable TO on", "RESET transaction_isolation"}) {
        const traits t = classify(sql);
        ASSERT_TRUE(t.parsed) << sql;
        EXPECT_TRUE(t.sets_transaction_mode) << sql;
        EXPECT_TRUE(t.settings.empty()) << sql;
        EXPECT_EQ(t.pins, 0) << sql;
    }
    EXPECT_FALSE(classify("SET work_mem = '1MB'").sets_transaction_mode);
    EXPECT_FALSE(
        classify("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").sets_transaction_mode);
}

TEST(settings, that_cannot_be_written_again_pin_the_session) {
    EXPECT_TRUE(has_pin(classify("SET TIME ZONE INTERVAL '8' HOUR").pins, pin_reason::unknown_set));
    for (const char* sql :
         {"SELECT set_config($1, $2, false)", "SELECT set_config('a', x, false) FROM t",
          "SELECT set_config('a', 'b', false) WHERE false", "SELECT 1, set_config('a', 'b', false)",
          "SELECT length(set_config('a', 'b', false))", "SELECT set_config('a', 'b', x)",
          "SELECT * FROM set_config('a', 'b', false)",
          "INSERT INTO t SELECT set_config('a', 'b', false)",
          "EXPLAIN ANALYZE SELECT set_config('a', 'b', false)",
          "SELECT set_config('search_path', 'a b', false)",
          "SELECT set_config('search_path', 'a,', false)",
          "SELECT set_config('transaction_read_only', 'on', false)",
          "SELECT pg_catalog.set_config(setting_name => 'a', new_value => 'b', is_local => "
          "false)"}) {
        const traits t = classify(sql);
        ASSERT_TRUE(t.parsed) << sql;
        EXPECT_TRUE(has_pin(t.pins, pin_reason::set_config)) << sql;
        EXPECT_TRUE(t.settings.empty()) << sql;
    }
}

TEST(settings, by_set_config_that_end_with_the_transaction_never_pin) {
    for (const char* sql :
         {"SELECT set_config($1, $2, true)", "SELECT set_config('a', x, true) FROM t",
          "SELECT 1, set_config('a', 'b', true)"}) {
        EXPECT_EQ(classify(sql).pins, 0) << sql;
    }
}

TEST(settings, make_traits_depend_on_literals) {
    EXPECT_TRUE(classify("SET a.b = 1").literal_dependent);
    EXPECT_TRUE(classify("SELECT set_config('a', 'b', false)").literal_dependent);
    EXPECT_TRUE(classify("SELECT 1; SET a.b = 1").literal_dependent);
    EXPECT_FALSE(classify("RESET a.b").literal_dependent);
    EXPECT_FALSE(classify("SELECT 1").literal_dependent);
}

}  // namespace
}  // namespace howdah::proxy::sql
