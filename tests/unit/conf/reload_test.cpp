#include "conf/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/options.hpp"

namespace howdah::conf {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(a_reload, of_the_same_settings_changes_nothing) {
    const auto report = compare({}, {});
    EXPECT_THAT(report.changed, IsEmpty());
    EXPECT_THAT(report.needs_restart, IsEmpty());
}

TEST(a_reload, says_what_changed_and_what_needs_a_restart) {
    settings fresh;
    fresh.vars.monitor_ping_interval = 200ms;
    fresh.vars.threads = 8;
    fresh.vars.max_stmts_cache = 500;
    fresh.vars.log_file = "/var/log/howdah.log";
    const auto report = compare({}, fresh);
    EXPECT_THAT(report.changed, ElementsAre("threads: 0 -> 8", "max_stmts_cache: 10000 -> 500",
                                            "monitor_ping_interval: 500 -> 200",
                                            "log_file: (empty) -> /var/log/howdah.log"));
    EXPECT_THAT(report.needs_restart,
                ElementsAre("threads: 0 -> 8", "max_stmts_cache: 10000 -> 500",
                            "log_file: (empty) -> /var/log/howdah.log"));
}

TEST(a_reload, does_not_show_secrets) {
    settings fresh;
    fresh.vars.monitor_password = "hunter2";
    EXPECT_THAT(compare({}, fresh).changed, ElementsAre("monitor_password: changed"));
}

TEST(a_reload, counts_what_changed_in_the_lists) {
    settings running, fresh;
    const auto make_server = [](const char* host, std::uint32_t weight) {
        server one;
        one.hostname = host;
        one.weight = weight;
        return one;
    };
    running.servers = {make_server("a", 1), make_server("b", 1), make_server("c", 1)};
    fresh.servers = {make_server("d", 1), make_server("a", 1), make_server("b", 2)};
    running.replication_hostgroups = {{1, 2, ""}};
    fresh.replication_hostgroups = {{1, 3, ""}};
    fresh.users.resize(1);
    running.query_rules.resize(1);
    running.fast_routes.resize(1);
    fresh.fast_routes.resize(1);
    fresh.fast_routes[0].destination_hostgroup = 1;
    fresh.firewall_users.resize(1);
    running.firewall_rules.resize(1);
    fresh.firewall_rules.resize(1);
    fresh.firewall_rules[0].digest = "0x1";
    running.hba_rules.resize(2);
    fresh.hba_rules.resize(2);
    fresh.hba_rules[1].method = hba_method::reject;
    EXPECT_THAT(
        compare(running, fresh).changed,
        ElementsAre("servers: 1 added, 1 removed, 1 changed", "replication_hostgroups: 1 changed",
                    "users: 1 added", "query_rules: 1 removed",
                    "query_rules_fast_routing: 1 changed", "firewall_whitelist_users: 1 added",
                    "firewall_whitelist_rules: 1 added, 1 removed",
                    "hba_rules: changed (2 before, 2 now)"));
}

TEST(a_reload, keeps_the_running_value_of_what_needs_a_restart) {
    settings running, fresh;
    running.vars.threads = 2;
    running.vars.interfaces = {{"127.0.0.1", 1}, {"/tmp", 2}};
    fresh.vars.threads = 8;
    fresh.vars.wait_timeout = 5s;
    fresh.users.resize(1);
    const auto now = in_force_after_reload(running, fresh);
    EXPECT_EQ(now->vars.threads, 2u);
    EXPECT_EQ(now->vars.interfaces, running.vars.interfaces);
    EXPECT_EQ(now->vars.wait_timeout, 5s);
    EXPECT_EQ(now->users.size(), 1u);
    EXPECT_THAT(compare(*now, fresh).needs_restart, ::testing::SizeIs(2));
}

}  // namespace
}  // namespace howdah::conf
