#include "ha/configured.hpp"

#include <gtest/gtest.h>

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
