#include "ha/fact_query.hpp"

#include <gtest/gtest.h>

namespace howdah::ha {
namespace {

constexpr time_us sent = 50'000'000;

const std::string standby = R"({
 "system_identifier": 18446744073709551615, "version_num": 150004, "in_recovery": true,
 "timeline": 3, "flush_lsn": null, "receive_lsn": 83886080, "replay_lsn": 83886000,
 "replay_lag_ms": 40, "replay_paused": true,
 "receiver": {"streaming": true, "host": "pg1", "port": 5433, "slot": "pg2", "timeline": 3,
              "message_age_us": 1500},
 "senders": [{"application_name": "pg3", "address": "10.0.0.3", "streaming": true,
              "flush_lsn": 83886079, "sync_state": "async"}],
 "slots": [{"name": "pg3", "physical": false, "active": true, "wal_status": "extended"}],
 "settings": {"primary_conninfo": "host=pg1", "primary_slot_name": "pg2", "cluster_name": "c",
  "recovery_min_apply_delay": "250", "wal_receiver_timeout": "5000", "restore_command": "cp",
  "default_transaction_read_only": "on", "hot_standby": "on", "allow_alter_system": "off",
  "full_page_writes": "off", "max_wal_senders": "7", "data_directory": "/data",
  "shared_preload_libraries": "pg_stat_statements, $libdir/repmgr"},
 "manager_sessions": ["Patroni heartbeat"], "pgpool": true, "command_line": ["port", "primary_conninfo"],
 "may": {"promote": true, "reload": false, "alter_conninfo": true, "checkpoint": true},
 "started_us": 1763900000123456, "address": "10.0.0.2", "port": 5432})";

server_facts facts_of(const std::string& text) {
    server_facts out;
    EXPECT_EQ(read_facts(text, sent, out), "");
    return out;
}

TEST(FactQuery, reads_all_that_a_standby_says) {
    const auto facts = facts_of(standby);
    EXPECT_EQ(facts.read_at_us, sent);
    EXPECT_EQ(facts.system_identifier, 18446744073709551615U);
    EXPECT_EQ(facts.version_num, 150004);
    EXPECT_EQ(facts.in_recovery, true);
    EXPECT_EQ(facts.timeline, 3U);
    EXPECT_FALSE(facts.flush_lsn);
    EXPECT_EQ(facts.receive_lsn, 83886080U);
    EXPECT_EQ(facts.replay_lsn, 83886000U);
    EXPECT_EQ(facts.replay_lag_ms, 40);
    EXPECT_TRUE(facts.replay_paused);
    EXPECT_EQ(facts.receiver, (wal_receiver{true, "pg1", 5433, "pg2", 3, sent - 1500}));
    EXPECT_EQ(facts.senders,
              (std::vector<wal_sender>{{"pg3", "10.0.0.3", true, 83886079, "async"}}));
    EXPECT_EQ(facts.slots, (std::vector<replication_slot>{{"pg3", false, true, "extended"}}));
    EXPECT_EQ(facts.postmaster_start_us, 1763900000123456);
    EXPECT_EQ(facts.data_directory, "/data");
    EXPECT_EQ(facts.own_address, (endpoint{"10.0.0.2", 5432}));
    EXPECT_EQ(facts.managers, (std::vector<found_manager>{
                                  {"Patroni", "a session is called Patroni heartbeat", sent},
                                  {"repmgr", "repmgr is in shared_preload_libraries", sent},
                                  {"Pgpool-II", "pgpool.pg_ctl is set", sent}}));
}

TEST(FactQuery, reads_settings_and_privileges) {
    const auto facts = facts_of(standby);
    const auto& settings = facts.settings;
    EXPECT_EQ(settings.primary_conninfo, "host=pg1");
    EXPECT_EQ(settings.recovery_min_apply_delay_ms, 250);
    EXPECT_EQ(settings.wal_receiver_timeout_ms, 5000);
    EXPECT_TRUE(settings.default_transaction_read_only);
    EXPECT_TRUE(settings.restore_command);
    EXPECT_FALSE(settings.allow_alter_system);
    EXPECT_FALSE(settings.full_page_writes);
    EXPECT_EQ(settings.max_wal_senders, 7);
    EXPECT_EQ(settings.max_connections, 100) << "a setting that was not told has its default";
    EXPECT_EQ(settings.fixed_by_command_line,
              (std::vector<std::string>{"port", "primary_conninfo"}));
    EXPECT_TRUE(facts.may.promote);
    EXPECT_FALSE(facts.may.reload);
    EXPECT_TRUE(facts.may.checkpoint);
    EXPECT_FALSE(facts.may.alter_sync) << "what was not told is not allowed";
}

TEST(FactQuery, a_primary_has_no_receiver_and_forgets_the_one_that_it_had) {
    auto facts = facts_of(standby);
    EXPECT_EQ(read_facts(R"({"version_num": 150004, "in_recovery": false, "timeline": 4,
                             "flush_lsn": 12, "receive_lsn": null, "receiver": null,
                             "replay_paused": false, "senders": null, "slots": null,
                             "settings": {}, "command_line": null, "may": {}, "address": null})",
                         sent + 1, facts),
              "");
    EXPECT_EQ(facts.in_recovery, false);
    EXPECT_EQ(facts.flush_lsn, 12U);
    EXPECT_FALSE(facts.receiver);
    EXPECT_FALSE(facts.receive_lsn);
    EXPECT_FALSE(facts.own_address);
    EXPECT_TRUE(facts.senders.empty());
    EXPECT_TRUE(facts.slots.empty());
    EXPECT_TRUE(facts.managers.empty());
}

TEST(FactQuery, an_answer_that_nobody_understands_changes_nothing) {
    const auto before = facts_of(standby);
    for (
        const char* bad :
        {"", "{", "[]", "7", "{}", R"({"in_recovery": "yes"})",
         R"({"version_num": 15, "in_recovery": true, "settings": {"max_wal_senders": "x"},
              "may": {}})",
         R"({"version_num": 15, "in_recovery": true, "settings": [], "may": 3})",
         R"({"version_num": 15, "in_recovery": true, "settings": {}, "may": {}, "senders": [1]})"}) {
        auto facts = before;
        EXPECT_NE(read_facts(bad, sent + 9, facts), "") << bad;
        EXPECT_EQ(facts, before) << bad;
    }
}

TEST(FactQuery, asks_only_what_the_version_knows) {
    for (const char* newer : {"has_parameter_privilege", "pg_checkpoint'"}) {
        EXPECT_EQ(fact_query(140000).find(newer), std::string::npos);
        EXPECT_NE(fact_query(150000).find(newer), std::string::npos);
    }
    EXPECT_EQ(fact_query(160000, false).find('{'), std::string::npos);
    EXPECT_EQ(fact_query(160000, false).find("pg_ls_waldir"), std::string::npos);
    EXPECT_NE(fact_query(160000).find("pg_ls_waldir"), std::string::npos);
}

}  // namespace
}  // namespace howdah::ha
