#include "ha/configured.hpp"

#include <gtest/gtest.h>

#include "conf/names.hpp"

namespace howdah::ha {
namespace {

conf::settings two_servers() {
    conf::settings out;
    out.replication_hostgroups.push_back({10, 20, {}});
    for (const auto* host : {"pg1", "pg2"}) {
        conf::server row;
        row.hostgroup_id = host[2] == '1' ? 10 : 20;
        row.hostname = host;
        out.servers.push_back(row);
    }
    return out;
}

TEST(configured_clusters, are_the_pairs_that_have_servers) {
    auto settings = two_servers();
    settings.replication_hostgroups.push_back({30, 40, {}});
    const auto found = configured_clusters(settings);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name, "pg1:5432");
    EXPECT_EQ(found[0].writer_hostgroup, 10);
    EXPECT_EQ(found[0].servers.size(), 2U);
}

TEST(configured_clusters, have_a_server_of_both_hostgroups_once_and_none_that_is_offline_hard) {
    auto settings = two_servers();
    auto twice = settings.servers[0];
    twice.hostgroup_id = 20;
    settings.servers.push_back(twice);
    settings.servers[1].status = conf::server_status::offline_hard;
    const auto found = configured_clusters(settings);
    ASSERT_EQ(found[0].servers.size(), 1U);
    EXPECT_EQ(found[0].servers[0].at.host, "pg1");
}

TEST(configured_clusters, bring_notes_to_the_clock_of_the_facts) {
    known_so_far known;
    auto& notes = known.notes;
    notes.downtimes[{"pg2", 5432}] = {"me", "disk", 0, 5'000};
    notes.promotion_rules[{"pg2", 5432}] = {promotion_rule::must_not, 0};
    notes.aliases["pg1:5432"] = "main";
    const auto during = [&] {
        known.now = 4'000;
        known.clock = 100;
        return configured_clusters(two_servers(), known);
    }();
    EXPECT_EQ(during[0].alias, "main");
    ASSERT_TRUE(during[0].servers[1].down);
    EXPECT_EQ(during[0].servers[1].down->until_us, 1'100);
    EXPECT_EQ(during[0].servers[1].rule, promotion_rule::must_not);
    known.now = 5'000;
    EXPECT_FALSE(configured_clusters(two_servers(), known)[0].servers[1].down);
}

conf::settings with_told_server() {
    auto settings = two_servers();
    conf::ha_server row;
    row.hostname = "pg2";
    row.promotion_rule = conf::promotion_rule::prefer_not;
    row.data_center = "west";
    row.tags = R"({"role": "reports", "zone": "a"})";
    settings.ha_servers.push_back(row);
    return settings;
}

TEST(configured_clusters, have_what_the_configuration_says_of_a_server) {
    const auto found = configured_clusters(with_told_server());
    const auto& told = found[0].servers[1];
    EXPECT_EQ(told.rule, promotion_rule::prefer_not);
    EXPECT_EQ(told.data_center, "west");
    EXPECT_EQ(told.tags, (std::map<std::string, std::string>{{"role", "reports"}, {"zone", "a"}}));
    EXPECT_EQ(found[0].servers[0].rule, promotion_rule::neutral);
    EXPECT_EQ(found[0].servers[0].data_center, "");
}

TEST(configured_clusters, believe_what_was_said_at_run_time_before_the_configuration) {
    known_so_far known;
    known.now = 1'000;
    known.notes.promotion_rules[{"pg2", 5432}] = {promotion_rule::prefer, 2'000};
    known.notes.tags[{"pg2", 5432}] = {{"zone", "b"}, {"spare", ""}};
    const auto told = configured_clusters(with_told_server(), known)[0].servers[1];
    EXPECT_EQ(told.rule, promotion_rule::prefer);
    EXPECT_EQ(told.tags, (std::map<std::string, std::string>{
                             {"role", "reports"}, {"spare", ""}, {"zone", "b"}}));
    known.now = 2'000;
    EXPECT_EQ(configured_clusters(with_told_server(), known)[0].servers[1].rule,
              promotion_rule::prefer_not)
        << "the note is over";
}

TEST(configured_clusters, know_every_rule_by_the_same_name_as_the_configuration) {
    for (const auto& [name, rule] : conf::names_of(conf::promotion_rule{}))
        EXPECT_EQ(to_string(static_cast<promotion_rule>(rule)), name);
}

TEST(configured_clusters, keep_the_name_under_which_their_writer_is_recorded) {
    known_so_far known;
    known.records["old:5432"].primary = {"pg2", 5432};
    known.records["other:5432"].primary = {"elsewhere", 5432};
    EXPECT_EQ(configured_clusters(two_servers(), known)[0].name, "old:5432");
    known.records["pg1:5432"].primary = {"pg1", 5432};
    EXPECT_EQ(configured_clusters(two_servers(), known)[0].name, "pg1:5432");
}

TEST(policy_of_settings, splits_the_filters) {
    conf::variables vars;
    vars.ha_recover_cluster_filters = " main ; alias=x;";
    EXPECT_EQ(policy_of(vars).cluster_filters, (std::vector<std::string>{"main", "alias=x"}));
    EXPECT_EQ(policy_of(vars).mode, mode::manual);
}

TEST(policy_of_settings, follows_the_global_switch) {
    operator_notes notes;
    notes.global_recoveries = false;
    EXPECT_FALSE(policy_of({}, notes).global_recoveries);
}

TEST(login_of_ha, is_the_monitors_unless_it_has_its_own) {
    auto settings = two_servers();
    const auto user_of = [](const monitor::pq_parameters& login) {
        for (const auto& [key, value] : login)
            if (key == "user") return value;
        return std::string();
    };
    EXPECT_EQ(user_of(login_of(settings, {"pg1", 5432})), "monitor");
    settings.vars.ha_username = "ha";
    EXPECT_EQ(user_of(login_of(settings, {"pg1", 5432})), "ha");
}

}  // namespace
}  // namespace howdah::ha
