#include "ha/other_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include "conf/loader.hpp"

namespace howdah::ha {
namespace {

using testing::IsEmpty;

std::string found(const manager_traces& traces) {
    std::string out;
    for (const auto& one : managers_in(traces, 7))
        out += (out.empty() ? "" : "; ") + one.name + ": " + one.sign;
    return out;
}

manager_traces session(const std::string& name) {
    return {.sessions = {name}};
}

TEST(OtherManager, is_noticed_by_the_names_of_its_sessions) {
    EXPECT_EQ(found(session("Patroni")), "Patroni: a session is called Patroni");
    EXPECT_EQ(found(session("Patroni heartbeat")),
              "Patroni: a session is called Patroni heartbeat");
    EXPECT_EQ(found(session("Patroni restapi")), "Patroni: a session is called Patroni restapi");
    EXPECT_EQ(found(session("repmgrd")), "repmgr: a session is called repmgrd");
    EXPECT_EQ(found(session("repmgr")), "repmgr: a session is called repmgr");
    EXPECT_EQ(found(session("pgautofailover_standby_2")),
              "pg_auto_failover: a session is called pgautofailover_standby_2");
    EXPECT_EQ(found(session("stolon_a1b2")), "Stolon: a session is called stolon_a1b2");
    EXPECT_EQ(found(session("cnpg-instance-manager")),
              "CloudNativePG: a session is called cnpg-instance-manager");
    EXPECT_EQ(found(session("efm")), "EFM: a session is called efm");
}

TEST(OtherManager, is_nobody_whose_name_only_resembles) {
    for (const char* name : {"", "patronizing", "Patronising", "my Patroni", "repmgr_reports",
                             "howdah-ha", "efmx", "walreceiver", "stolon", "pg_auto_failover"})
        EXPECT_EQ(found(session(name)), "") << name;
}

TEST(OtherManager, is_noticed_by_what_stays_while_its_sessions_are_gone) {
    EXPECT_EQ(found({.slots = {"mine", "pgautofailover_standby_1"}}),
              "pg_auto_failover: a slot is called pgautofailover_standby_1");
    EXPECT_EQ(found({.slots = {"stolon_x"}}), "Stolon: a slot is called stolon_x");
    EXPECT_EQ(found({.slots = {"_cnpg_main_2"}}), "CloudNativePG: a slot is called _cnpg_main_2");
    EXPECT_EQ(found({.libraries = {"auto_explain", "repmgr"}}),
              "repmgr: repmgr is in shared_preload_libraries");
    EXPECT_EQ(found({.libraries = {"pgautofailover"}}),
              "pg_auto_failover: pgautofailover is in shared_preload_libraries");
    EXPECT_EQ(found({.settings = {"pgpool.pg_ctl"}}), "Pgpool-II: pgpool.pg_ctl is set");
}

TEST(OtherManager, patroni_is_noticed_by_the_whole_command_line_that_it_starts_servers_with) {
    manager_traces traces;
    traces.command_line = {"cluster_name",
                           "config_file",
                           "hot_standby",
                           "listen_addresses",
                           "max_connections",
                           "max_locks_per_transaction",
                           "max_prepared_transactions",
                           "max_replication_slots",
                           "max_wal_senders",
                           "max_worker_processes",
                           "port",
                           "track_commit_timestamp",
                           "wal_level",
                           "wal_log_hints"};
    EXPECT_EQ(found(traces), "Patroni: it was started with the command line of Patroni");
    std::erase(traces.command_line, "wal_log_hints");
    EXPECT_EQ(found(traces), "");
}

TEST(OtherManager, is_named_once_by_its_first_sign_and_beside_others) {
    EXPECT_EQ(found({.sessions = {"Patroni restapi", "Patroni heartbeat", "repmgrd"},
                     .libraries = {"repmgr"}}),
              "Patroni: a session is called Patroni restapi; repmgr: a session is called repmgrd");
    EXPECT_EQ(managers_in(session("efm"), 7).front().seen_us, 7);
}

TEST(OtherManager, every_session_that_is_a_sign_is_read_from_the_server) {
    const RE2 pattern(session_pattern());
    ASSERT_TRUE(pattern.ok()) << pattern.error();
    for (const char* name :
         {"Patroni", "Patroni heartbeat", "repmgrd", "repmgr", "pgautofailover_standby_2",
          "stolon_a", "cnpg-instance-manager", "efm"}) {
        EXPECT_TRUE(RE2::PartialMatch(name, pattern)) << name;
        EXPECT_NE(found(session(name)), "");
    }
    for (const char* name : {"psql", "repmgr_reports", "my Patroni", ""})
        EXPECT_FALSE(RE2::PartialMatch(name, pattern)) << name;
}

TEST(OtherManager, that_is_ignored_is_not_in_charge) {
    const std::vector<found_manager> both{{"Patroni", "x", 1}, {"repmgr", "y", 1}};
    EXPECT_EQ(manager_in_charge(both, {}), &both[0]);
    EXPECT_EQ(manager_in_charge(both, {"PATRONI"}), &both[1]);
    EXPECT_EQ(manager_in_charge(both, {"repmgr", "Patroni"}), nullptr);
    EXPECT_EQ(manager_in_charge(both, {"*"}), nullptr);
    EXPECT_EQ(manager_in_charge({}, {}), nullptr);
}

TEST(OtherManager, has_a_name_that_the_configuration_knows) {
    for (const auto name : known_managers()) {
        const auto result = conf::load_text(
            "variables: {ha_ignore_managers: '" + std::string(name) + "'}\n", "f.yaml");
        EXPECT_THAT(result.errors, IsEmpty()) << name;
    }
}

}  // namespace
}  // namespace howdah::ha
