#include "ha/preflight.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

test::scenario healthy() {
    return test::parse_scenario(
        "record epoch=1 at=0/100\n"
        "server pg1 primary at=0/100 senders=pg2,pg3 hints\n"
        "server pg2 standby at=0/100 streams hints\n"
        "server pg3 standby at=0/100 streams hints\n");
}

preflight_report checked(const test::scenario& one) {
    const auto subject = one.the_cluster();
    return check_preflight(subject, judge_writers(subject, one.record()), one.allowed.candidates);
}

std::string reasons(const preflight_report& report) {
    std::string out;
    for (const auto& one : report.obstacles)
        out += (out.empty() ? "" : " ") + std::to_string(one.server + 1) + ":" +
               std::string(one.reason);
    return out;
}

TEST(Preflight, a_healthy_cluster_is_ready) {
    const auto report = checked(healthy());
    EXPECT_TRUE(report.ready);
    EXPECT_EQ(reasons(report), "1:credentials") << "a primary that never was a standby";
    EXPECT_EQ(report.sentence, "ready: pg2 takes over: at 1:0/100");
}

TEST(Preflight, each_obstacle_has_its_reason) {
    using change = std::function<void(server_facts&)>;
    const std::vector<std::pair<std::string, change>> cases{
        {"version", [](auto& f) { f.version_num = 120000; }},
        {"other_manager",
         [](auto& f) {
             f.managers = {{"repmgr", "by a sign", 0}};
         }},
        {"grant_promote", [](auto& f) { f.may.promote = false; }},
        {"grant_reload", [](auto& f) { f.may.reload = false; }},
        {"grant_conninfo", [](auto& f) { f.may.alter_conninfo = false; }},
        {"grant_sync", [](auto& f) { f.may.alter_sync = false; }},
        {"grant_fence", [](auto& f) { f.may.signal_backend = false; }},
        {"grant_replication", [](auto& f) { f.may.replication = false; }},
        {"alter_system", [](auto& f) { f.settings.allow_alter_system = false; }},
        {"command_line", [](auto& f) { f.settings.fixed_by_command_line = {"primary_conninfo"}; }},
        {"hot_standby", [](auto& f) { f.settings.hot_standby = false; }},
        {"timeline_target", [](auto& f) { f.settings.recovery_target_timeline = "current"; }},
        {"max_wal_senders", [](auto& f) { f.settings.max_wal_senders = 2; }},
        {"slot_room", [](auto& f) { f.settings.max_replication_slots = 0; }},
        {"slot_lost",
         [](auto& f) {
             f.slots = {{"x", true, false, "lost"}};
         }},
        {"rewind", [](auto& f) { f.settings.wal_log_hints = false; }},
        {"conninfo", [](auto& f) { f.settings.primary_conninfo = "host='"; }},
        {"max_connections", [](auto& f) { f.settings.max_connections = 50; }},
        {"major_version", [](auto& f) { f.version_num = 160001; }},
    };
    for (const auto& [reason, apply] : cases) {
        auto one = healthy();
        apply(one.facts("pg2"));
        const auto found = reasons(checked(one));
        EXPECT_NE((" " + found + " ").find(" 2:" + reason + " "), std::string::npos)
            << reason << " in " << found;
    }
}

TEST(Preflight, an_obstacle_at_the_candidate_means_not_ready) {
    auto one = healthy();
    one.facts("pg2").settings.max_wal_senders = 1;
    const auto report = checked(one);
    EXPECT_FALSE(report.ready);
    EXPECT_EQ(report.sentence,
              "not ready: pg2 would take over, but max_wal_senders of pg2 is 1, 3 are needed");
}

TEST(Preflight, another_manager_anywhere_means_not_ready) {
    auto one = healthy();
    one.facts("pg3").managers = {{"Patroni", "a session is called Patroni", 0}};
    const auto report = checked(one);
    EXPECT_FALSE(report.ready);
    EXPECT_EQ(report.sentence,
              "not ready: Patroni manages pg3 (a session is called Patroni): Howdah only observes");
    EXPECT_NE(reasons(report).find("3:other_manager"), std::string::npos);
}

TEST(Preflight, a_manager_that_is_ignored_is_only_mentioned) {
    auto one = healthy();
    one.facts("pg3").managers = {{"Patroni", "a session is called Patroni", 0}};
    one.input.ignored_managers = {"patroni"};
    const auto report = checked(one);
    EXPECT_TRUE(report.ready);
    EXPECT_NE(reasons(report).find("3:ignored_manager"), std::string::npos);
}

TEST(Preflight, a_missing_standby_means_not_ready_where_it_may_hold_confirmed_commits) {
    auto one = healthy();
    one.read("server pg1 primary at=0/100 senders=pg2 sync=\"ANY 1 (pg2, pg3)\" hints");
    one.read("server pg3 standby at=0/100 dead hints");
    const auto report = checked(one);
    EXPECT_FALSE(report.ready);
    EXPECT_NE(report.sentence.find("confirmed by pg3 alone"), std::string::npos);
}

TEST(Preflight, names_in_the_synchronous_set_are_checked) {
    auto one = healthy();
    one.read("server pg1 primary at=0/100 senders=pg2,pg3 sync=\"ANY 1 (pg1, pg2, typo)\" hints");
    EXPECT_NE(reasons(checked(one)).find("1:sync_names"), std::string::npos);
    one.read("server pg1 primary at=0/100 senders=pg2,pg3 sync=\"ANY 1 (pg1, pg2, pg3)\" hints");
    EXPECT_EQ(reasons(checked(one)).find("sync_names"), std::string::npos);
    one.read("server pg3 standby at=0/100 streams app=pg2 hints");
    EXPECT_NE(reasons(checked(one)).find("2:application_name"), std::string::npos);
}

TEST(Preflight, a_long_receiver_timeout_matters_where_howdah_may_not_shorten_it) {
    auto one = healthy();
    one.facts("pg2").may.alter_timeout = false;
    EXPECT_NE(reasons(checked(one)).find("2:receiver_timeout"), std::string::npos);
    one.facts("pg2").settings.wal_receiver_timeout_ms = 5000;
    EXPECT_EQ(reasons(checked(one)).find("2:receiver_timeout"), std::string::npos);
}

}  // namespace
}  // namespace howdah::ha
