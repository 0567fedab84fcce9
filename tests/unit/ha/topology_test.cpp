#include "ha/topology.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

using test::parse_scenario;

/// "pg1 <- pg2 <- pg3": the upstream before the arrow.
std::string tree(const cluster& one) {
    std::string out;
    for (const auto& member : one.servers)
        out += (out.empty() ? "" : ", ") + member.name() + ":" + std::to_string(member.depth) +
               (member.upstream ? "<" + one.servers[*member.upstream].name() : "");
    return out;
}

TEST(Topology, standbys_stand_below_whom_they_stream_from) {
    EXPECT_EQ(tree(parse_scenario("server pg1 primary at=0/1\n"
                                  "server pg2 standby at=0/1 streams\n"
                                  "server pg3 standby at=0/1 of=pg2 streams\n"
                                  "server pg4 standby at=0/1 of=pg3\n")
                       .the_cluster()),
              "pg1:0, pg2:1<pg1, pg3:2<pg2, pg4:3<pg3");
}

TEST(Topology, a_quoted_host_name_does_not_split_the_cluster) {
    EXPECT_EQ(tree(parse_scenario("server pg1 primary at=0/1\n"
                                  "server pg2 standby at=0/1 conninfo=\"user=x host='pg1'\"\n")
                       .the_cluster()),
              "pg1:0, pg2:1<pg1");
}

TEST(Topology, names_and_addresses_of_one_host_are_one) {
    EXPECT_EQ(tree(parse_scenario("address pg1 10.0.0.1\n"
                                  "server pg1 primary at=0/1\n"
                                  "server pg2 standby at=0/1 of=10.0.0.1 streams\n"
                                  "server pg3 standby at=0/1 of=PG1 streams\n"
                                  "server pg4 standby at=0/1 of=10.0.0.9 streams\n")
                       .the_cluster()),
              "pg1:0, pg2:1<pg1, pg3:1<pg1, pg4:1");
}

TEST(Topology, a_server_says_its_own_address) {
    auto one = parse_scenario(
        "server pg1 primary at=0/1\n"
        "server pg2 standby at=0/1 of=10.0.0.1 streams\n");
    one.facts("pg1").own_address = endpoint{"10.0.0.1", 5432};
    EXPECT_EQ(tree(one.the_cluster()), "pg1:0, pg2:1<pg1");
}

TEST(Topology, localhost_is_the_standbys_own_machine) {
    auto one = parse_scenario(
        "server pg1 primary at=0/1\n"
        "server pg2 standby at=0/1 conninfo=\"host=127.0.0.1 port=5433\"\n");
    EXPECT_EQ(tree(one.the_cluster()), "pg1:0, pg2:1");
    one.config("pg1").also_known_as = {{"pg2", 5433}};
    EXPECT_EQ(tree(one.the_cluster()), "pg1:0, pg2:1<pg1");
}

TEST(Topology, several_hosts_lead_to_the_first_that_is_known) {
    EXPECT_EQ(tree(parse_scenario("server pg1 primary at=0/1\n"
                                  "server pg2 standby at=0/1 conninfo=\"host=vip,pg1\"\n")
                       .the_cluster()),
              "pg1:0, pg2:1<pg1");
}

TEST(Topology, a_circle_of_standbys_ends) {
    const auto one = parse_scenario(
                         "server pg1 standby at=0/1 of=pg2\n"
                         "server pg2 standby at=0/1 of=pg1\n")
                         .the_cluster();
    EXPECT_EQ(one.servers[0].upstream, 1U);
    EXPECT_EQ(one.servers[1].upstream, 0U);
}

TEST(Topology, a_primary_has_no_upstream_whatever_its_settings_keep) {
    auto one = parse_scenario("server pg1 primary at=0/1\nserver pg2 primary at=0/1\n");
    one.facts("pg2").settings.primary_conninfo = "host=pg1";
    EXPECT_EQ(tree(one.the_cluster()), "pg1:0, pg2:0");
}

TEST(Topology, one_server_under_two_names_is_one) {
    auto one = parse_scenario(
        "server pg1 primary at=0/1\n"
        "server pg1.example.org primary at=0/1\n"
        "server pg2 standby at=0/1 of=pg1.example.org streams\n");
    one.facts("pg1").postmaster_start_us = one.facts("pg1.example.org").postmaster_start_us = 123;
    const auto merged = one.the_cluster();
    EXPECT_EQ(tree(merged), "pg1:0, pg2:1<pg1");
    EXPECT_EQ(merged.find({"pg1.example.org", 5432}), 0U);
}

TEST(Topology, servers_that_only_resemble_each_other_stay_two) {
    server_facts a;
    a.system_identifier = 7;
    a.postmaster_start_us = 123;
    auto b = a;
    EXPECT_TRUE(same_instance(a, b));
    b.postmaster_start_us = 124;
    EXPECT_FALSE(same_instance(a, b));
    b = a;
    b.system_identifier = 8;
    EXPECT_FALSE(same_instance(a, b));
    b = a;
    a.data_directory = "/a";
    EXPECT_TRUE(same_instance(a, b));
    b.data_directory = "/b";
    EXPECT_FALSE(same_instance(a, b));
    b = a;
    a.own_address = endpoint{"10.0.0.1", 5432};
    b.own_address = endpoint{"127.0.0.1", 5433};
    EXPECT_FALSE(same_instance(a, b));
    b.own_address = endpoint{"127.0.0.1", 5432};
    EXPECT_TRUE(same_instance(a, b));
    EXPECT_FALSE(same_instance({}, {}));
}

TEST(Topology, facts_that_are_too_old_are_memory) {
    const auto one = parse_scenario(
                         "server pg1 primary at=0/1 read=4900\n"
                         "server pg2 standby at=0/1 read=5100\n")
                         .the_cluster();
    EXPECT_TRUE(one.servers[0].current);
    EXPECT_FALSE(one.servers[1].current);
}

TEST(Topology, a_server_of_another_cluster_is_foreign) {
    const auto one = parse_scenario(
                         "record epoch=1\n"
                         "server pg1 primary at=0/1 cluster=9\n"
                         "server pg2 primary at=0/1 cluster=9\n"
                         "server pg3 primary at=0/1\n")
                         .the_cluster();
    EXPECT_TRUE(one.servers[0].foreign);
    EXPECT_TRUE(one.servers[1].foreign);
    EXPECT_FALSE(one.servers[2].foreign) << "the record decides, not the number";
}

TEST(Topology, the_cluster_keeps_its_name_whoever_is_the_primary) {
    auto one = parse_scenario("server pg1 standby at=0/1 of=pg2\nserver pg2 primary at=0/1\n");
    EXPECT_EQ(one.the_cluster().name, "main");
    one.input.clusters.front().name = "";
    EXPECT_EQ(one.the_cluster().name, "pg1:5432");
}

TEST(Topology, servers_that_are_named_and_not_configured_are_reported) {
    const auto all = build_topology(parse_scenario("server pg1 primary at=0/1 senders=ghost\n"
                                                   "server pg2 standby at=0/1 of=vip\n")
                                        .input);
    EXPECT_EQ(all.clusters.front().unknown_senders, std::vector<std::string>{"ghost"});
    ASSERT_EQ(all.discovered.size(), 1U);
    EXPECT_EQ(all.discovered.front(),
              (discovered_server{{"vip", 5432}, "main", "upstream of pg2"}));
}

TEST(Topology, an_unconfigured_server_joins_the_cluster_of_its_identifier) {
    auto one = parse_scenario("server pg1 primary at=0/1\n");
    one.facts("new").system_identifier = test::our_cluster;
    one.facts("other").system_identifier = 42;
    const auto all = build_topology(one.input);
    ASSERT_EQ(all.clusters.size(), 2U);
    EXPECT_EQ(all.clusters[0].servers.size(), 2U);
    EXPECT_EQ(all.clusters[1].name, "cluster-42");
}

TEST(Topology, a_hint_is_a_name_an_alias_or_a_member) {
    auto one = parse_scenario("server pg1 primary at=0/1\n");
    one.input.clusters.front().alias = "prod";
    const auto all = build_topology(one.input);
    for (const char* hint : {"main", "prod", "pg1:5432", "pg1"})
        EXPECT_EQ(all.find(hint), &all.clusters.front()) << hint;
    EXPECT_EQ(all.find(""), nullptr);
    EXPECT_EQ(all.find("pg9"), nullptr);
}

TEST(Topology, a_standby_is_known_upstream_by_its_application_name) {
    auto one = parse_scenario("server pg2 standby at=0/1 conninfo=\"host=pg1\" cluster_name=two\n");
    EXPECT_EQ(one.the_cluster().servers[0].replication_name(), "two");
    one.facts("pg2").settings.cluster_name = "";
    EXPECT_EQ(one.the_cluster().servers[0].replication_name(), "walreceiver");
    one.facts("pg2").settings.primary_conninfo = "host=pg1 application_name=x";
    EXPECT_EQ(one.the_cluster().servers[0].replication_name(), "x");
}

TEST(Topology, promotion_rules_have_orchestrators_names) {
    for (const char* name : {"must", "prefer", "neutral", "prefer_not", "must_not"})
        EXPECT_EQ(to_string(*parse_promotion_rule(name)), name);
    EXPECT_FALSE(parse_promotion_rule("never"));
}

}  // namespace
}  // namespace howdah::ha
