#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/engine.hpp"
#include "tests/unit/monitor/world.hpp"

namespace howdah::monitor {
namespace {

using namespace test;

conf::hostgroup_attributes& attributes(world& w, int hostgroup) {
    conf::hostgroup_attributes a;
    a.hostgroup_id = hostgroup;
    return w.settings.hostgroup_attributes.emplace_back(a);
}

TEST(HostgroupAttributes, a_hostgroup_with_more_servers_online_than_it_may_have_takes_no_work) {
    auto subject = world().healthy();
    attributes(subject, reader_hg).max_num_online_servers = 1;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED, 20 pg3 SHUNNED");
    EXPECT_EQ(
        subject.shown("pg2"),
        "2 servers of hostgroup 20 are online, more than its max_num_online_servers (1): none "
        "takes work");
    EXPECT_TRUE(subject.last.groups.find(reader_hg, at("pg2"))->overfull);
    EXPECT_TRUE(subject.last.conflicts.empty());
}

TEST(HostgroupAttributes, only_servers_that_would_take_work_are_counted) {
    auto subject = world().healthy();
    attributes(subject, reader_hg).max_num_online_servers = 1;
    subject["pg3"].health = health::down;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 SHUNNED");
    EXPECT_EQ(subject.shown("pg3"), "it does not answer");
    subject["pg3"].health = health::up;
    subject.settings.servers[1].status = conf::server_status::offline_soft;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 OFFLINE_SOFT, 20 pg3 ONLINE");
}

TEST(HostgroupAttributes, as_many_as_it_may_have_are_not_too_many) {
    auto subject = world().healthy();
    attributes(subject, reader_hg).max_num_online_servers = 2;
    attributes(subject, writer_hg).max_num_online_servers = 1;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 ONLINE");
    EXPECT_FALSE(subject.last.groups.find(reader_hg, at("pg2"))->overfull);
}

TEST(HostgroupAttributes, two_servers_outside_of_pairs_never_both_write_where_one_may) {
    world subject;
    subject.settings.replication_hostgroups.clear();
    subject.settings.servers.clear();
    subject.add(5, "a");
    subject.add(5, "b");
    subject["a"] = subject["b"] = seen(role::primary);
    attributes(subject, 5).max_num_online_servers = 1;
    EXPECT_EQ(subject.compose(), "5 a SHUNNED, 5 b SHUNNED");
    subject["a"].health = health::down;
    EXPECT_EQ(subject.compose(), "5 a SHUNNED, 5 b ONLINE");
}

TEST(HostgroupAttributes, a_server_without_a_row_in_its_hostgroup_has_the_defaults_of_that) {
    auto subject = world().healthy();
    for (conf::server& s : subject.settings.servers) {
        s.weight = 1;
        s.max_connections = 80;
    }
    attributes(subject, reader_hg).servers_defaults =
        R"({"weight": 5, "max_connections": 7, "use_ssl": 1})";
    attributes(subject, writer_hg).servers_defaults = R"({"max_connections": 9})";
    subject["pg1"] = seen(role::standby, 2);
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::standby, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 ONLINE, 20 pg3 ONLINE");
    const member& moved = *subject.last.groups.find(reader_hg, at("pg1"));
    EXPECT_EQ(moved.weight, 5U);
    EXPECT_EQ(moved.max_connections, 7U);
    EXPECT_EQ(moved.use_ssl, 1);
    const member& promoted = *subject.last.groups.find(writer_hg, at("pg2"));
    EXPECT_EQ(promoted.weight, 1U) << "what has no default stays";
    EXPECT_EQ(promoted.max_connections, 9U);
    const member& at_home = *subject.last.groups.find(reader_hg, at("pg3"));
    EXPECT_EQ(at_home.weight, 1U) << "it has a row";
    EXPECT_EQ(at_home.max_connections, 80U);
}

}  // namespace
}  // namespace howdah::monitor
