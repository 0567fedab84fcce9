#include "monitor/hostgroups.hpp"

#include <gtest/gtest.h>

namespace howdah::monitor {
namespace {

hostgroups sample() {
    hostgroups out;
    out.pairs = {{10, 20}, {30, 40}};
    out.known = {10, 20, 30, 40, 50};
    for (const auto& [hostgroup, host] :
         {std::pair{10, "a"}, std::pair{20, "b"}, std::pair{20, "c"}, std::pair{50, "a"}}) {
        member one;
        one.hostgroup = hostgroup;
        one.at = {host, 5432};
        out.members.push_back(one);
    }
    return out;
}

TEST(Hostgroups, gives_the_members_of_one_hostgroup) {
    const auto groups = sample();
    ASSERT_EQ(groups.in(20).size(), 2U);
    EXPECT_EQ(groups.in(20)[0].at.host, "b");
    EXPECT_EQ(groups.in(20)[1].at.host, "c");
    EXPECT_TRUE(groups.in(30).empty());
    EXPECT_TRUE(groups.in(99).empty());
    EXPECT_TRUE(hostgroups{}.in(10).empty());
}

TEST(Hostgroups, finds_a_server_in_a_hostgroup) {
    const auto groups = sample();
    ASSERT_NE(groups.find(50, {"a", 5432}), nullptr);
    EXPECT_EQ(groups.find(50, {"a", 5432})->hostgroup, 50);
    EXPECT_EQ(groups.find(50, {"a", 5433}), nullptr);
    EXPECT_EQ(groups.find(40, {"a", 5432}), nullptr);
}

TEST(Hostgroups, knows_the_pairs) {
    const auto groups = sample();
    EXPECT_EQ(groups.reader_of(10), 20);
    EXPECT_EQ(groups.writer_of(40), 30);
    EXPECT_EQ(groups.reader_of(20), std::nullopt);
    EXPECT_EQ(groups.writer_of(50), std::nullopt);
    EXPECT_TRUE(groups.is_writer(30));
    EXPECT_FALSE(groups.is_writer(20));
}

TEST(Hostgroups, an_empty_hostgroup_exists_and_an_unconfigured_one_does_not) {
    const auto groups = sample();
    EXPECT_TRUE(groups.exists(40));
    EXPECT_FALSE(groups.exists(41));
}

TEST(Hostgroups, says_whether_any_member_is_online) {
    auto groups = sample();
    EXPECT_TRUE(groups.any_online(20));
    groups.members[1].state = status::offline_soft;
    EXPECT_TRUE(groups.any_online(20));
    groups.members[2].state = status::shunned;
    EXPECT_FALSE(groups.any_online(20));
    EXPECT_FALSE(groups.any_online(30));
}

TEST(Hostgroups, sameness_leaves_the_version_aside) {
    auto groups = sample();
    auto other = groups;
    other.version = 7;
    EXPECT_TRUE(groups.same_as(other));
    other.members[0].weight = 2;
    EXPECT_FALSE(groups.same_as(other));
}

TEST(Hostgroups, names_statuses_as_proxysql_does) {
    EXPECT_EQ(to_string(status::online), "ONLINE");
    EXPECT_EQ(to_string(status::shunned), "SHUNNED");
    EXPECT_EQ(to_string(status::offline_soft), "OFFLINE_SOFT");
    EXPECT_EQ(to_string(status::offline_hard), "OFFLINE_HARD");
    EXPECT_EQ(to_string(status::shunned_replication_lag), "SHUNNED_REPLICATION_LAG");
}

TEST(Endpoint, is_written_as_people_write_addresses) {
    EXPECT_EQ(to_string(endpoint{"pg1", 5432}), "pg1:5432");
    EXPECT_EQ(to_string(endpoint{"10.0.0.1", 1}), "10.0.0.1:1");
    EXPECT_EQ(to_string(endpoint{"fe80::1", 5432}), "[fe80::1]:5432");
    EXPECT_EQ(to_string(endpoint{"/run/postgresql", 5432}), "/run/postgresql:5432");
    EXPECT_EQ(to_string(endpoint{}), ":5432");
}

}  // namespace
}  // namespace howdah::monitor
