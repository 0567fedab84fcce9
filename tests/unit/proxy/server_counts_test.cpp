#include <gtest/gtest.h>

#include "proxy/statistics/command_statistics.hpp"
#include "proxy/statistics/error_statistics.hpp"
#include "proxy/statistics/server_statistics.hpp"

namespace howdah::proxy {
namespace {

const pool_login alice{1, "shop", "alice", {}, {}};
const server_entry one{1, {"a", 5432}};
const server_entry two{2, {"b", 5432}};

TEST(error_statistics, count_by_server_login_and_sqlstate) {
    error_statistics s;
    s.record({10, &one, &alice, "42P01"}, "10.0.0.1", "no such table", 100);
    s.record({10, &one, &alice, "42P01"}, "10.0.0.2", "nor that one", 200);
    s.record({10, &two, &alice, "42P01"}, "10.0.0.1", "x", 100);
    s.record({10, &one, &alice, "23505"}, "10.0.0.1", "y", 100);
    ASSERT_EQ(s.read().rows.size(), 3U);
    const error_counts& n = s.read().rows.at({10, &one, &alice, "42P01"});
    EXPECT_EQ(n.count, 2U);
    EXPECT_EQ(n.first_seen, 100);
    EXPECT_EQ(n.last_seen, 200);
    EXPECT_EQ(n.client_address, "10.0.0.2");
    EXPECT_EQ(n.message, "nor that one");
}

TEST(error_statistics, keep_a_bounded_number_and_bounded_messages) {
    error_statistics s;
    for (std::size_t i = 0; i < error_statistics::capacity + 5; ++i)
        s.record({static_cast<int>(i), &one, &alice, "XX000"}, "", std::string(5000, 'x'), 1);
    EXPECT_EQ(s.read().rows.size(), error_statistics::capacity);
    EXPECT_EQ(s.read().dropped, 5U);
    EXPECT_EQ(s.read().rows.begin()->second.message.size(), error_statistics::longest_message);
}

TEST(error_statistics, of_several_workers_are_one_and_begin_anew_when_taken) {
    error_statistics a, b;
    a.record({10, &one, &alice, "42P01"}, "x", "late", 300);
    b.record({10, &one, &alice, "42P01"}, "y", "early", 100);
    const error_report all = merge({a.take(), b.read()});
    ASSERT_EQ(all.rows.size(), 1U);
    const error_counts& n = all.rows.begin()->second;
    EXPECT_EQ(n.count, 2U);
    EXPECT_EQ(n.first_seen, 100);
    EXPECT_EQ(n.last_seen, 300);
    EXPECT_EQ(n.message, "late");
    EXPECT_TRUE(a.read().rows.empty());
}

TEST(server_statistics, keep_their_entries_in_place_when_they_begin_anew) {
    server_statistics s;
    server_counters& kept = s.traffic[{10, &one}];
    kept.statements = 3;
    s.connections[&one].opened = 2;
    const server_statistics before = s.take();
    EXPECT_EQ(before.traffic.at({10, &one}).statements, 3U);
    EXPECT_EQ(before.connections.at(&one).opened, 2U);
    ++kept.statements;
    EXPECT_EQ(s.traffic.at({10, &one}).statements, 1U);
    EXPECT_EQ(s.connections.at(&one).opened, 0U);
    server_statistics sum = before;
    sum.add(s);
    EXPECT_EQ(sum.traffic.at({10, &one}).statements, 4U);
}

TEST(duration_counts, put_every_time_into_the_bucket_whose_bound_it_does_not_exceed) {
    duration_counts d;
    for (const std::uint64_t us : {0, 100, 101, 500, 10'000'000, 10'000'001})
        d.add(us);
    EXPECT_EQ(d.count, 6U);
    EXPECT_EQ(d.total_us, 20'000'702U);
    EXPECT_EQ(d.buckets[0], 2U);
    EXPECT_EQ(d.buckets[1], 2U);
    EXPECT_EQ(d.buckets[10], 1U);
    EXPECT_EQ(d.buckets[11], 1U);
}

TEST(command_statistics, of_several_workers_are_added_up) {
    command_statistics a, b;
    count_command(a, 0, 7);
    count_command(b, 4, 9);
    count_command(b, 0, 1);
    add(a, b);
    ASSERT_EQ(a.size(), 5U);
    EXPECT_EQ(a[0].count, 2U);
    EXPECT_EQ(a[0].total_us, 8U);
    EXPECT_EQ(a[4].count, 1U);
}

}  // namespace
}  // namespace howdah::proxy
