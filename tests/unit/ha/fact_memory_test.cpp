#include "ha/fact_memory.hpp"

#include <gtest/gtest.h>

namespace howdah::ha {
namespace {

server_facts read_at(time_us when, std::uint64_t received) {
    server_facts out;
    out.reach = reachability::up;
    out.reach_since_us = when;
    out.read_at_us = when;
    out.in_recovery = true;
    out.timeline = 1;
    out.receive_lsn = received;
    return out;
}

server_facts dead_at(time_us when) {
    server_facts out;
    out.reach = reachability::dead;
    out.reach_since_us = when;
    out.refused = true;
    out.reach_detail = "Connection refused";
    return out;
}

TEST(remembered_facts, of_a_server_that_does_not_answer_stay_as_last_read) {
    const auto out = remembered(read_at(10, 100), dead_at(20));
    EXPECT_EQ(out.reach, reachability::dead);
    EXPECT_EQ(out.reach_since_us, 20);
    EXPECT_TRUE(out.refused);
    EXPECT_EQ(out.reach_detail, "Connection refused");
    EXPECT_EQ(out.read_at_us, 10);
    EXPECT_EQ(out.receive_lsn, 100U);
}

TEST(remembered_facts, that_a_rejoin_needs_outlive_howdah) {
    EXPECT_EQ(memory_of({"pg1", 5432}, dead_at(10)), std::nullopt);
    auto facts = read_at(10, 100);
    facts.data_directory = "/data";
    facts.settings.wal_log_hints = true;
    facts.settings.full_page_writes = false;
    const auto kept = memory_of({"pg1", 5432}, facts);
    ASSERT_TRUE(kept);

    server_facts unread;
    recall(*kept, unread);
    const auto dead = remembered(unread, dead_at(20));
    EXPECT_EQ(dead.data_directory, "/data");
    EXPECT_TRUE(dead.settings.wal_log_hints);
    EXPECT_FALSE(dead.settings.full_page_writes);
    EXPECT_EQ(dead.read_at_us, 0);

    auto moved = read_at(30, 100);
    moved.data_directory = "/elsewhere";
    recall(*kept, moved);
    EXPECT_EQ(moved.data_directory, "/elsewhere");
}

TEST(remembered_facts, keep_when_the_server_first_looked_so) {
    const auto dead = remembered(remembered(read_at(10, 100), dead_at(20)), dead_at(30));
    EXPECT_EQ(dead.reach_since_us, 20);
    const auto up = remembered(read_at(10, 100), read_at(40, 100));
    EXPECT_EQ(up.reach_since_us, 10);
    EXPECT_EQ(remembered(dead, read_at(50, 100)).reach_since_us, 50);
}

TEST(remembered_facts, tell_since_when_wal_has_grown) {
    const auto same = remembered(read_at(10, 100), read_at(20, 100));
    EXPECT_EQ(same.receive_grew_after_us, 0);
    const auto grown = remembered(same, read_at(30, 101));
    EXPECT_EQ(grown.receive_grew_after_us, 20);
    EXPECT_EQ(remembered(grown, read_at(40, 101)).receive_grew_after_us, 20);
}

TEST(remembered_facts, tell_since_when_receivers_have_their_time_out) {
    const auto first = remembered({}, read_at(10, 100));
    EXPECT_EQ(first.receiver_timeout_since_us, 10);
    EXPECT_EQ(remembered(first, read_at(20, 100)).receiver_timeout_since_us, 10);
    auto shorter = read_at(30, 100);
    shorter.settings.wal_receiver_timeout_ms = 2000;
    const auto changed = remembered(first, shorter);
    EXPECT_EQ(changed.receiver_timeout_since_us, 30);
    EXPECT_EQ(remembered(changed, dead_at(40)).receiver_timeout_since_us, 30);
}

TEST(remembered_facts, keep_where_a_frozen_standby_streamed_from) {
    auto before = read_at(10, 100);
    before.conninfo_before_freeze = "host=pg1";
    EXPECT_EQ(remembered(before, read_at(20, 100)).conninfo_before_freeze, "host=pg1");
}

TEST(remembered_facts, keep_another_manager_for_a_while_after_its_sessions_have_gone) {
    auto before = read_at(10, 100);
    before.managers = {{"Patroni", "a session is called Patroni", 10}};
    const auto soon = remembered(before, read_at(9 + manager_memory_us, 100));
    EXPECT_EQ(soon.managers, before.managers);
    EXPECT_TRUE(remembered(soon, read_at(10 + manager_memory_us, 100)).managers.empty());
}

TEST(remembered_facts, have_a_manager_that_is_seen_again_once) {
    auto before = read_at(10, 100);
    before.managers = {{"Patroni", "a session is called Patroni", 10}, {"repmgr", "x", 10}};
    auto fresh = read_at(20, 100);
    fresh.managers = {{"Patroni", "a session is called Patroni heartbeat", 20}};
    const auto both = remembered(before, fresh);
    EXPECT_EQ(both.managers,
              (std::vector<found_manager>{fresh.managers.front(), before.managers.back()}));
}

TEST(remembered_facts, of_a_dead_server_still_say_who_manages_it) {
    auto before = read_at(10, 100);
    before.managers = {{"Patroni", "a session is called Patroni", 10}};
    const auto dead = remembered(before, dead_at(10 + 2 * manager_memory_us));
    EXPECT_EQ(dead.managers, before.managers);
}

TEST(remembered_facts, forget_the_history_of_another_timeline) {
    auto before = read_at(10, 100);
    before.timeline_history = "1\t0/100\tno recovery target specified\n";
    EXPECT_EQ(remembered(before, read_at(20, 100)).timeline_history, before.timeline_history);
    auto fresh = read_at(20, 100);
    fresh.timeline = 2;
    EXPECT_EQ(remembered(before, fresh).timeline_history, "");
}

}  // namespace
}  // namespace howdah::ha
