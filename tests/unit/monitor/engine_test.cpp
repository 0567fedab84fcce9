#include "monitor/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/monitor/world.hpp"

namespace howdah::monitor {
namespace {

using namespace test;
using testing::HasSubstr;

constexpr const char* healthy_places = "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 ONLINE";

TEST(Engine, servers_never_observed_stand_as_configured) {
    EXPECT_EQ(world().compose(), healthy_places);
}

TEST(Engine, roles_as_configured_change_nothing) {
    EXPECT_EQ(world().healthy().compose(), healthy_places);
}

TEST(Engine, a_writer_is_also_a_reader_where_that_is_wanted) {
    auto subject = world().healthy();
    subject.settings.vars.monitor_writer_is_also_reader = true;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 ONLINE");
}

TEST(Engine, a_shunned_primary_stands_in_the_reader_hostgroup_and_the_writer_hostgroup_is_empty) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"].health = health::down;
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 ONLINE");
    EXPECT_TRUE(subject.last.groups.in(writer_hg).empty());
    EXPECT_TRUE(subject.last.groups.exists(writer_hg));
}

TEST(Engine, a_server_that_takes_no_sessions_is_shunned) {
    auto subject = world().healthy();
    subject["pg2"].health = health::not_ready;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED, 20 pg3 ONLINE");
}

TEST(Engine, a_configured_writer_that_was_never_reached_is_shunned_as_a_reader) {
    world subject;
    subject["pg1"] = in_health(seen(role::unknown), health::down);
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 ONLINE");
}

TEST(Engine, a_primary_that_comes_back_writes_again) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"].health = health::down;
    subject.compose();
    subject["pg1"].health = health::up;
    EXPECT_EQ(subject.compose(), healthy_places);
}

TEST(Engine, a_promoted_standby_takes_the_writers_place) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"].health = health::down;
    subject["pg2"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
}

TEST(Engine, a_switchover_swaps_the_places) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"] = seen(role::standby, 2);
    subject["pg3"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg3 ONLINE, 20 pg1 ONLINE, 20 pg2 ONLINE");
    EXPECT_EQ(subject.incumbents.at(writer_hg), (incumbent{at("pg3"), our_cluster, 2}));
}

TEST(Engine, without_any_primary_there_is_no_writer) {
    auto subject = world().healthy();
    subject["pg1"] = seen(role::standby);
    EXPECT_EQ(subject.compose(), "20 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 ONLINE");
}

TEST(Engine, an_old_primary_that_returns_is_kept_out) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"].health = health::down;
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::standby, 2);
    subject.compose();
    subject["pg1"].health = health::up;
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
    EXPECT_THAT(subject.reason("pg1"), HasSubstr("on timeline 1, and pg2:5432 has already written "
                                                 "on timeline 2"));
}

TEST(Engine, an_old_primary_is_kept_out_even_when_the_new_one_is_gone) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"].health = health::down;
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::standby, 2);
    subject.compose();
    subject["pg1"].health = health::up;
    subject["pg2"].health = health::down;
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 SHUNNED, 20 pg3 ONLINE");
    subject["pg3"].timeline = 1;
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 SHUNNED, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.shown("pg3"), HasSubstr("which pg1:5432 still writes"));
}

TEST(Engine, a_standby_promoted_beside_a_living_primary_writes_and_the_old_one_is_kept_out) {
    auto subject = world().healthy();
    subject["pg3"] = seen(role::standby, 0);
    subject.compose();
    subject["pg2"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
    const auto why = subject.reason("pg1");
    EXPECT_THAT(why, HasSubstr("on timeline 1, and pg2:5432 has already written on timeline 2"));
    EXPECT_EQ(subject.shown("pg1"), why);
    EXPECT_EQ(subject.last.groups.split, std::vector{writer_hg});
    subject.compose();
    EXPECT_EQ(subject.reason("pg1"), why) << "it is not reported anew";
}

TEST(Engine, a_second_primary_on_the_same_timeline_is_kept_out_as_a_split_brain) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg2"] = seen(role::primary, 1);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED, 20 pg3 ONLINE");
    EXPECT_THAT(subject.shown("pg2"),
                HasSubstr("split brain: it is a second primary (timeline 1) beside the writer "
                          "pg1:5432 (timeline 1)"));
    EXPECT_EQ(subject.last.groups.split, std::vector{writer_hg});
    subject["pg2"] = seen(role::standby, 1);
    EXPECT_EQ(subject.compose(), healthy_places);
    EXPECT_TRUE(subject.last.groups.split.empty());
}

TEST(Engine, of_three_primaries_the_only_one_on_the_newest_timeline_writes) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg2"] = seen(role::primary, 3);
    subject["pg3"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 SHUNNED");
}

TEST(Engine, two_primaries_that_share_the_newest_timeline_leave_nobody_to_write) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 SHUNNED, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.shown("pg2"), HasSubstr("stop all but one"));
}

TEST(Engine, a_newer_primary_of_which_the_cluster_is_not_known_does_not_replace_the_writer) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg2"] = seen(role::primary, 2, 0);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED, 20 pg3 ONLINE");
}

TEST(Engine, a_standby_of_the_old_primary_is_not_read_from_while_that_one_still_writes) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg2"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.shown("pg3"),
                HasSubstr("standby on timeline 1, which pg1:5432 still writes"));
    subject["pg1"].health = health::down;
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
    subject["pg1"].health = health::up;
    subject["pg3"].timeline = 2;
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
}

TEST(Engine, a_standby_on_a_newer_timeline_than_the_living_writer_follows_somebody_else) {
    auto subject = world().healthy();
    subject["pg3"] = seen(role::standby, 2);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.shown("pg3"), HasSubstr("it follows another primary"));
    subject["pg1"].health = health::down;
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 ONLINE");
}

TEST(Engine, a_configured_writer_that_was_initialised_anew_does_not_win_over_its_standbys) {
    auto subject = world().healthy();
    subject["pg1"] = seen(role::primary, 1, 888);
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 ONLINE");
    EXPECT_THAT(subject.shown("pg1"), HasSubstr("another cluster (system identifier 888; that of "
                                                "hostgroup 10 is 777)"));
}

TEST(Engine, of_two_clusters_with_as_many_servers_the_configured_writers_counts) {
    auto subject = world().healthy();
    subject.settings.servers.pop_back();
    subject["pg2"] = seen(role::primary, 7, 888);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED");
}

TEST(Engine, servers_of_two_clusters_that_nothing_tells_apart_are_all_kept_out) {
    world subject;
    subject.settings.servers.erase(subject.settings.servers.begin());
    subject["pg2"] = seen(role::primary, 1, 888);
    subject["pg3"] = seen(role::standby, 1, 999);
    EXPECT_EQ(subject.compose(), "20 pg2 SHUNNED, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.shown("pg3"), HasSubstr("nothing tells which is the right one"));
}

TEST(Engine, a_server_that_is_down_says_why) {
    auto subject = world().healthy();
    subject["pg2"].health = health::down;
    subject["pg2"].trouble = "it does not answer: refused";
    subject.compose();
    EXPECT_EQ(subject.shown("pg2"), "it does not answer: refused");
    EXPECT_EQ(subject.shown("pg3"), "");
}

TEST(Engine, a_second_primary_of_unknown_timeline_is_kept_out) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg2"] = seen(role::primary, 0, 0);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED, 20 pg3 ONLINE");
}

TEST(Engine, of_two_primaries_at_start_the_higher_timeline_writes) {
    auto subject = world().healthy();
    subject["pg2"] = seen(role::standby, 2);
    subject["pg3"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg3 ONLINE, 20 pg1 SHUNNED, 20 pg2 ONLINE");
}

TEST(Engine, of_two_primaries_at_start_on_one_timeline_the_configured_one_writes) {
    auto subject = world().healthy();
    subject["pg3"] = seen(role::primary, 1);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 SHUNNED");
}

TEST(Engine, of_two_primaries_of_two_clusters_at_start_the_configured_one_writes) {
    auto subject = world().healthy();
    subject["pg3"] = seen(role::primary, 9, 888);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 SHUNNED");
}

TEST(Engine, of_two_primaries_that_nothing_tells_apart_none_writes) {
    auto subject = world().healthy();
    subject["pg1"] = seen(role::standby);
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "20 pg1 ONLINE, 20 pg2 SHUNNED, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.reason("pg2"), HasSubstr("stop all but one"));
}

TEST(Engine, the_first_primary_seen_at_start_is_not_yet_the_incumbent) {
    world subject;
    subject["pg1"] = seen(role::primary, 1);
    EXPECT_EQ(subject.compose(), healthy_places);
    EXPECT_TRUE(subject.incumbents.empty());
    EXPECT_FALSE(subject.last.groups.settled);
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::standby, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
    EXPECT_EQ(subject.incumbents.at(writer_hg).at, at("pg2"));
    EXPECT_TRUE(subject.last.groups.settled);
}

TEST(Engine, a_configured_writer_not_yet_seen_waits_while_a_primary_is_seen) {
    world subject;
    subject["pg2"] = seen(role::primary, 2);
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
    EXPECT_EQ(subject.reason("pg1"), "");
    EXPECT_EQ(subject.shown("pg1"), "its role is not known yet");
}

TEST(Engine, a_configured_writer_whose_role_cannot_be_read_never_writes_after_another) {
    world subject;
    subject["pg1"].settled = true;
    subject["pg2"] = seen(role::primary, 2);
    subject["pg3"] = seen(role::standby, 2);
    subject.compose();
    subject["pg2"].health = health::down;
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 SHUNNED, 20 pg3 ONLINE");
    EXPECT_THAT(subject.reason("pg1"), HasSubstr("role could not be read"));
}

TEST(Engine, a_primary_of_another_cluster_never_follows_the_writer) {
    auto subject = world().healthy();
    subject.compose();
    subject["pg1"].health = health::down;
    subject["pg2"] = seen(role::primary, 5, 888);
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 SHUNNED, 20 pg3 ONLINE");
    EXPECT_THAT(subject.reason("pg2"), HasSubstr("another cluster (system identifier 888"));
}

TEST(Engine, a_standby_of_another_cluster_is_not_read_from) {
    auto subject = world().healthy();
    subject["pg3"] = seen(role::standby, 1, 888);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 SHUNNED");
    EXPECT_THAT(subject.reason("pg3"), HasSubstr("standby of another cluster"));
}

TEST(Engine, without_privileges_roles_alone_decide) {
    auto subject = world();
    subject["pg1"] = seen(role::primary, 0, 0);
    subject["pg2"] = seen(role::standby, 0, 0);
    subject["pg3"] = seen(role::standby, 0, 0);
    EXPECT_EQ(subject.compose(), healthy_places);
    subject["pg1"].health = health::down;
    subject["pg2"].as = role::primary;
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
    subject["pg1"].health = health::up;
    EXPECT_EQ(subject.compose(), "10 pg2 ONLINE, 20 pg1 SHUNNED, 20 pg3 ONLINE");
}

TEST(Engine, a_role_read_without_timeline_does_not_lower_the_known_one) {
    auto subject = world().healthy();
    subject["pg1"] = seen(role::primary, 4);
    subject.compose();
    subject["pg1"] = seen(role::primary, 0, 0);
    subject.compose();
    EXPECT_EQ(subject.incumbents.at(writer_hg), (incumbent{at("pg1"), our_cluster, 4}));
}

TEST(Engine, the_operators_status_stays_whatever_is_observed) {
    for (const auto& [configured, shown] :
         {std::pair{conf::server_status::shunned, "SHUNNED"},
          std::pair{conf::server_status::offline_soft, "OFFLINE_SOFT"},
          std::pair{conf::server_status::offline_hard, "OFFLINE_HARD"}}) {
        auto subject = world().healthy();
        subject.settings.servers[1].status = configured;
        const auto expected = std::string("10 pg1 ONLINE, 20 pg2 ") + shown + ", 20 pg3 ONLINE";
        EXPECT_EQ(subject.compose(), expected);
        subject["pg2"].health = health::down;
        EXPECT_EQ(subject.compose(), expected);
    }
}

TEST(Engine, a_primary_that_the_operator_took_offline_stays_in_its_place_without_writing) {
    auto subject = world().healthy();
    subject.settings.servers[0].status = conf::server_status::offline_soft;
    EXPECT_EQ(subject.compose(), "10 pg1 OFFLINE_SOFT, 20 pg2 ONLINE, 20 pg3 ONLINE");
}

TEST(Engine, each_row_of_a_server_keeps_its_own_attributes) {
    auto subject = world().healthy();
    subject.settings.servers[0].weight = 7;
    auto& reader_row = subject.add(reader_hg, "pg1");
    reader_row.weight = 3;
    subject.compose();
    EXPECT_EQ(subject.last.groups.find(writer_hg, at("pg1"))->weight, 7U);
    subject["pg1"].as = role::standby;
    subject.compose();
    EXPECT_EQ(subject.last.groups.find(reader_hg, at("pg1"))->weight, 3U);
}

TEST(Engine, a_server_moved_to_the_other_hostgroup_takes_its_attributes_along) {
    auto subject = world().healthy();
    subject.settings.servers[1].weight = 9;
    subject.settings.servers[1].max_connections = 5;
    subject.settings.servers[1].use_ssl = 1;
    subject["pg1"].health = health::down;
    subject["pg2"] = seen(role::primary, 2);
    subject.compose();
    const auto* writer = subject.last.groups.find(writer_hg, at("pg2"));
    ASSERT_NE(writer, nullptr);
    EXPECT_EQ(writer->weight, 9U);
    EXPECT_EQ(writer->max_connections, 5U);
    EXPECT_EQ(writer->use_ssl, 1);
}

TEST(Engine, a_late_reader_is_shunned_for_its_lag) {
    auto subject = world().healthy();
    subject.settings.servers[1].max_replication_lag = 10;
    subject["pg2"].lag = lag_state::above;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED_REPLICATION_LAG, 20 pg3 ONLINE");
    EXPECT_EQ(subject.shown("pg2"), "it is further behind than its max_replication_lag (10 s)");
    subject["pg2"].lag = lag_state::unmeasured;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED_REPLICATION_LAG, 20 pg3 ONLINE");
    EXPECT_THAT(subject.shown("pg2"), HasSubstr("not measured yet"));
    subject["pg2"].lag = lag_state::within;
    EXPECT_EQ(subject.compose(), healthy_places);
}

TEST(Engine, a_late_server_writes_all_the_same_once_it_is_the_primary) {
    auto subject = world().healthy();
    subject["pg1"].lag = lag_state::above;
    EXPECT_EQ(subject.compose(), healthy_places);
}

/// The reader hostgroup when pg2 is late and pg3 is as given: does it serve, does it refuse?
struct readers_of {
    bool serves, refuses;
    bool operator==(const readers_of&) const = default;
};
readers_of when_late(conf::lagging_reads policy, observation pg3) {
    auto subject = world().healthy();
    subject.settings.vars.monitor_all_readers_lagging = policy;
    subject["pg2"].lag = lag_state::above;
    subject["pg3"] = pg3;
    subject.compose();
    return {subject.last.groups.any_online(reader_hg), subject.last.groups.refuses(reader_hg)};
}

TEST(Engine, when_every_reader_is_late_the_policy_says_what_becomes_of_reads) {
    auto late = seen(role::standby);
    late.lag = lag_state::above;
    const auto down = in_health(seen(role::standby), health::down);
    for (const auto& other : {late, down}) {
        EXPECT_EQ(when_late(conf::lagging_reads::writer, other), (readers_of{false, false}));
        EXPECT_EQ(when_late(conf::lagging_reads::error, other), (readers_of{false, true}));
        EXPECT_EQ(when_late(conf::lagging_reads::stale, other), (readers_of{true, false}));
    }
}

TEST(Engine, while_one_reader_is_not_late_the_policy_has_no_say) {
    for (const auto policy :
         {conf::lagging_reads::writer, conf::lagging_reads::error, conf::lagging_reads::stale})
        EXPECT_EQ(when_late(policy, seen(role::standby)), (readers_of{true, false}));
    auto subject = world().healthy();
    subject.settings.vars.monitor_all_readers_lagging = conf::lagging_reads::stale;
    subject["pg2"].lag = lag_state::above;
    subject.compose();
    EXPECT_FALSE(subject.last.groups.find(reader_hg, at("pg2"))->serves());
}

TEST(Engine, a_reader_that_is_only_not_measured_yet_makes_no_read_fail) {
    auto subject = world().healthy();
    subject.settings.vars.monitor_all_readers_lagging = conf::lagging_reads::error;
    subject["pg2"].lag = subject["pg3"].lag = lag_state::unmeasured;
    subject.compose();
    EXPECT_FALSE(subject.last.groups.refuses(reader_hg));
    EXPECT_FALSE(subject.last.groups.any_online(reader_hg));
}

TEST(Engine, stale_reads_keep_the_readers_shown_as_late) {
    auto subject = world().healthy();
    subject.settings.vars.monitor_all_readers_lagging = conf::lagging_reads::stale;
    subject.settings.servers.pop_back();
    subject["pg2"].lag = lag_state::above;
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 SHUNNED_REPLICATION_LAG");
    EXPECT_TRUE(subject.last.groups.find(reader_hg, at("pg2"))->serves());
}

TEST(Engine, a_hostgroup_whose_readers_are_dead_is_not_one_whose_readers_are_late) {
    auto subject = world().healthy();
    subject.settings.vars.monitor_all_readers_lagging = conf::lagging_reads::error;
    subject["pg2"].health = subject["pg3"].health = health::down;
    subject.compose();
    EXPECT_FALSE(subject.last.groups.refuses(reader_hg));
}

TEST(Engine, the_share_and_the_address_of_a_server_are_shown_with_it) {
    auto subject = world().healthy();
    subject["pg2"].share = 30;
    subject["pg2"].address = "10.0.0.2";
    subject.compose();
    const auto* reader = subject.last.groups.find(reader_hg, at("pg2"));
    EXPECT_EQ(reader->share, 30U);
    EXPECT_EQ(reader->address, "10.0.0.2");
    EXPECT_EQ(subject.last.groups.find(reader_hg, at("pg3"))->share, 100U);
}

TEST(Engine, a_server_above_its_latency_limit_is_marked_slow) {
    auto subject = world().healthy();
    subject.settings.servers[1].max_latency_ms = 20;
    subject["pg2"].ping_us = 20000;
    subject["pg3"].ping_us = 90000;
    subject.compose();
    EXPECT_FALSE(subject.last.groups.find(reader_hg, at("pg2"))->slow);
    subject["pg2"].ping_us = 20001;
    subject.compose();
    EXPECT_TRUE(subject.last.groups.find(reader_hg, at("pg2"))->slow);
    EXPECT_FALSE(subject.last.groups.find(reader_hg, at("pg3"))->slow);
}

TEST(Engine, outside_pairs_servers_stay_where_they_are_configured) {
    auto subject = world().healthy();
    subject.add(30, "pg4");
    subject.add(30, "pg5").status = conf::server_status::offline_soft;
    subject["pg4"] = seen(role::standby);
    subject["pg5"] = seen(role::primary);
    EXPECT_EQ(subject.compose(),
              std::string(healthy_places) + ", 30 pg4 ONLINE, 30 pg5 OFFLINE_SOFT");
    subject["pg4"].health = health::down;
    EXPECT_EQ(subject.compose(),
              std::string(healthy_places) + ", 30 pg4 SHUNNED, 30 pg5 OFFLINE_SOFT");
}

TEST(Engine, a_member_of_a_pair_and_of_another_hostgroup_has_its_own_place_in_each) {
    auto subject = world().healthy();
    subject.add(30, "pg1");
    subject["pg1"].as = role::standby;
    EXPECT_EQ(subject.compose(), "20 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 ONLINE, 30 pg1 ONLINE");
}

TEST(Engine, two_pairs_do_not_disturb_each_other) {
    auto subject = world().healthy();
    subject.settings.replication_hostgroups.push_back({40, 50, ""});
    subject.add(40, "pg8");
    subject.add(50, "pg9");
    subject["pg8"] = seen(role::primary, 1, 888);
    subject["pg9"] = seen(role::standby, 1, 888);
    EXPECT_EQ(subject.compose(), std::string(healthy_places) + ", 40 pg8 ONLINE, 50 pg9 ONLINE");
    EXPECT_EQ(subject.incumbents.at(40).system_identifier, 888U);
}

TEST(Engine, a_ruling_makes_the_writer_before_its_role_is_observed) {
    auto subject = world().healthy();
    subject.compose();
    subject.decision.writers[writer_hg] = at("pg3");
    EXPECT_EQ(subject.compose(), "10 pg3 ONLINE, 20 pg1 SHUNNED, 20 pg2 ONLINE");
    EXPECT_THAT(subject.reason("pg1"), HasSubstr("pg3:5432 was made the writer"));
}

TEST(Engine, a_ruled_writer_that_is_down_leaves_the_writer_hostgroup_empty) {
    auto subject = world().healthy();
    subject.decision.writers[writer_hg] = at("pg3");
    subject["pg3"].health = health::down;
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 SHUNNED");
}

TEST(Engine, where_nobody_may_write_a_primary_is_kept_out_and_no_address_is_made_up) {
    auto subject = world().healthy();
    subject.decision.writers[writer_hg] = endpoint{"", 0};
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 ONLINE");
    EXPECT_EQ(subject.reason("pg1"), "it accepts writes, and nobody may write now: see SHOW HA");
}

TEST(Engine, a_hostgroup_is_held_as_long_as_the_ruling_says_so_and_its_members_stay) {
    auto subject = world().healthy();
    subject.compose();
    const auto before = subject.last.groups;
    EXPECT_EQ(before.held_because(writer_hg), nullptr);
    subject.decision.held[writer_hg] = "a switchover of main is under way";
    EXPECT_EQ(subject.compose(), healthy_places);
    ASSERT_NE(subject.last.groups.held_because(writer_hg), nullptr);
    EXPECT_EQ(*subject.last.groups.held_because(writer_hg), "a switchover of main is under way");
    EXPECT_EQ(subject.last.groups.held_because(reader_hg), nullptr);
    EXPECT_FALSE(subject.last.groups.same_as(before)) << "it has to be published";
    subject.decision.held.clear();
    subject.compose();
    EXPECT_TRUE(subject.last.groups.same_as(before));
}

TEST(Engine, only_writer_hostgroups_of_pairs_are_held_in_order_of_their_number) {
    auto subject = world().healthy();
    subject.settings.replication_hostgroups.insert(subject.settings.replication_hostgroups.begin(),
                                                   {40, 50, ""});
    subject.decision.held = {{10, "b"}, {reader_hg, "no writers there"}, {40, "a"}, {99, "gone"}};
    subject.compose();
    const std::vector<held_hostgroup> expected{{10, "b"}, {40, "a"}};
    EXPECT_EQ(subject.last.groups.held, expected);
}

TEST(Engine, a_fenced_server_is_shunned_wherever_it_stands) {
    auto subject = world().healthy();
    subject.add(30, "pg1");
    subject.decision.fenced.insert(at("pg1"));
    EXPECT_EQ(subject.compose(), "20 pg1 SHUNNED, 20 pg2 ONLINE, 20 pg3 ONLINE, 30 pg1 SHUNNED");
    EXPECT_EQ(subject.reason("pg1"), "it is fenced");
}

TEST(Engine, without_the_monitor_everything_is_settled_and_as_configured) {
    world subject;
    subject.settings.vars.monitor_enabled = false;
    EXPECT_EQ(subject.compose(), healthy_places);
    EXPECT_TRUE(subject.last.groups.settled);
}

TEST(Engine, a_server_taken_off_hard_is_not_waited_for) {
    auto subject = world();
    subject.settings.servers[2].status = conf::server_status::offline_hard;
    subject["pg1"] = seen(role::primary);
    subject["pg2"] = seen(role::standby);
    EXPECT_EQ(subject.compose(), "10 pg1 ONLINE, 20 pg2 ONLINE, 20 pg3 OFFLINE_HARD");
    EXPECT_TRUE(subject.last.groups.settled);
    EXPECT_EQ(subject.incumbents.at(writer_hg).at, at("pg1"));
}

}  // namespace
}  // namespace howdah::monitor
