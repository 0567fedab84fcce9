#include "proxy/sql/functions.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace howdah::proxy::sql {
namespace {

using enum volatility;

bool harmless(const char* sql, const function_catalog& catalog = *function_catalog::built_in()) {
    return harmless_on_standby(classify(sql), catalog);
}

TEST(function_catalog, lets_the_worst_overload_count) {
    const std::vector<function_row> rows{
        {"public", "f", immutable}, {"public", "f", volatile_}, {"public", "f", stable},
        {"public", "g", immutable}, {"public", "g", stable},
    };
    const function_catalog catalog{rows};
    EXPECT_EQ(catalog.lookup("f"), volatile_);
    EXPECT_EQ(catalog.lookup("public.f"), volatile_);
    EXPECT_EQ(catalog.lookup("g"), stable);
}

TEST(function_catalog, takes_the_worst_over_all_schemas_for_a_bare_name) {
    const std::vector<function_row> rows{{"a", "f", immutable}, {"b", "f", volatile_}};
    const function_catalog catalog{rows};
    EXPECT_EQ(catalog.lookup("f"), volatile_);
    EXPECT_EQ(catalog.lookup("a.f"), immutable);
    EXPECT_EQ(catalog.lookup("b.f"), volatile_);
}

TEST(function_catalog, treats_what_it_does_not_know_as_volatile) {
    const function_catalog nothing;
    EXPECT_EQ(nothing.lookup("now"), volatile_);
    EXPECT_EQ(function_catalog::built_in()->lookup("no_such_function"), volatile_);
    EXPECT_EQ(function_catalog::built_in()->lookup("public.now"), volatile_);
}

TEST(function_catalog, knows_common_functions_before_pg_proc_was_read) {
    for (const char* sql :
         {"SELECT count(*), sum(a), min(a), max(a), avg(a) FROM t", "SELECT now()",
          "SELECT lower(a), upper(a), length(a), substring(a from 1 for 2), trim(a) FROM t",
          "SELECT pg_catalog.count(*) FROM t", "SELECT extract(year FROM a), date_trunc('day', a)",
          "SELECT row_number() OVER (), rank() OVER ()", "SELECT jsonb_agg(a), to_char(a, 'x')",
          "SELECT inet_server_port(), inet_server_addr(), pg_backend_pid()", "SELECT version()",
          "SELECT a FROM t", "SELECT a SIMILAR TO 'x', a LIKE 'b' ESCAPE 'c'",
          "SELECT (a, b) OVERLAPS (c, d)", "SELECT position('a' in b), overlay(a placing b from 1)",
          "SELECT a AT TIME ZONE 'utc', current_timestamp, current_user"}) {
        EXPECT_TRUE(harmless(sql)) << sql;
    }
}

TEST(functions, volatile_ones_are_not_harmless_unless_listed) {
    EXPECT_FALSE(harmless("SELECT my_function()"));
    EXPECT_FALSE(harmless("SELECT count(*), my_function()"));
    EXPECT_FALSE(harmless("SELECT pg_read_file('x')"));
    for (const char* sql :
         {"SELECT random()", "SELECT clock_timestamp()", "SELECT timeofday()",
          "SELECT gen_random_uuid()", "SELECT pg_sleep(1)", "SELECT pg_is_in_recovery()",
          "SELECT pg_catalog.pg_is_in_recovery()", "SELECT pg_last_wal_replay_lsn()",
          "SELECT pg_total_relation_size('t')"}) {
        EXPECT_TRUE(harmless(sql)) << sql;
    }
    EXPECT_FALSE(volatile_but_harmless("public.random"));
}

TEST(functions, that_mean_something_else_on_a_standby_are_denied_whatever_the_catalogue_says) {
    const std::vector<const char*> names{"pg_advisory_lock",
                                         "pg_try_advisory_xact_lock",
                                         "pg_advisory_unlock_all",
                                         "set_config",
                                         "pg_notify",
                                         "nextval",
                                         "setval",
                                         "currval",
                                         "lastval",
                                         "txid_current",
                                         "pg_current_xact_id",
                                         "pg_stat_reset",
                                         "pg_stat_reset_shared",
                                         "pg_switch_wal",
                                         "pg_create_restore_point",
                                         "pg_create_physical_replication_slot",
                                         "pg_drop_replication_slot",
                                         "pg_backup_start",
                                         "pg_start_backup",
                                         "pg_stop_backup",
                                         "pg_logical_slot_get_changes",
                                         "pg_replication_slot_advance",
                                         "lo_import",
                                         "lo_get",
                                         "loread",
                                         "dblink",
                                         "dblink_exec",
                                         "pg_cancel_backend",
                                         "pg_terminate_backend",
                                         "pg_promote",
                                         "pg_wal_replay_pause",
                                         "pg_export_snapshot",
                                         "setseed",
                                         "pg_walfile_name"};
    std::vector<function_row> rows;
    for (const char* name : names)
        rows.push_back({"pg_catalog", name, immutable});
    rows.push_back({"app", "nextval", stable});
    const function_catalog catalog{rows};
    for (const char* name : names) {
        EXPECT_TRUE(means_something_else_on_standby(name)) << name;
        EXPECT_TRUE(means_something_else_on_standby("pg_catalog." + std::string{name})) << name;
        traits t;
        t.functions = {name};
        EXPECT_FALSE(harmless_on_standby(t, catalog)) << name;
    }
    EXPECT_TRUE(means_something_else_on_standby("ext.dblink"));
    EXPECT_FALSE(means_something_else_on_standby("app.nextval"));
    EXPECT_TRUE(harmless("SELECT app.nextval()", catalog));
    EXPECT_FALSE(means_something_else_on_standby("now"));
}

TEST(functions, volatility_is_read_from_provolatile) {
    EXPECT_EQ(volatility_from_char('i'), immutable);
    EXPECT_EQ(volatility_from_char('s'), stable);
    EXPECT_EQ(volatility_from_char('v'), volatile_);
    EXPECT_EQ(volatility_from_char('?'), volatile_);
}

}  // namespace
}  // namespace howdah::proxy::sql
