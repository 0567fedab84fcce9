#include "proxy/pool/balance.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace howdah::proxy {
namespace {

const server_entry a{0, {"a", 1}}, b{1, {"b", 1}}, c{2, {"c", 1}};
using candidates = std::vector<pool_book::candidate>;

/// How often each server is chosen in `rounds` draws.
template <class Choose>
std::map<const server_entry*, int> tally(int rounds, Choose choose) {
    std::map<const server_entry*, int> out;
    std::uint64_t draw = 12345;
    for (int i = 0; i < rounds; ++i)
        ++out[choose(draw += golden_step)];
    return out;
}

TEST(Balance, weights_are_shares) {
    const candidates group{{&a, 3, 9}, {&b, 1, 9}, {&c, 0, 9}};
    auto got = tally(4000, [&](auto draw) { return choose_by_weight(group, nullptr, draw); });
    EXPECT_NEAR(got[&a], 3000, 20);
    EXPECT_NEAR(got[&b], 1000, 20);
    EXPECT_EQ(got[&c], 0) << "no weight: only if there is no other";
}

TEST(Balance, the_largest_weights_do_not_overflow) {
    constexpr std::uint32_t most = 1'000'000'000;  // 10,000,000 in hundredths
    std::vector<server_entry> servers;
    for (std::uint32_t i = 0; i < 100; ++i)
        servers.push_back({i, {"s", static_cast<std::uint16_t>(i)}});
    candidates group;
    for (const auto& one : servers)
        group.push_back({&one, most, 9});
    auto got = tally(10'000, [&](auto draw) { return choose_by_weight(group, nullptr, draw); });
    EXPECT_EQ(got.size(), servers.size());
    for (const auto& [server, n] : got)
        EXPECT_NEAR(n, 100, 20);
}

TEST(Balance, a_slow_start_is_a_tenth_of_the_weight) {
    const candidates group{{&a, 1 * 100, 9}, {&b, 1 * 10, 9}};
    auto got = tally(1100, [&](auto draw) { return choose_by_weight(group, nullptr, draw); });
    EXPECT_NEAR(got[&b], 100, 10);
}

TEST(Balance, who_failed_is_avoided_unless_it_is_the_only_one) {
    const candidates group{{&a, 5, 9}, {&b, 0, 9}};
    const busy_counts busy{0, 100};
    for (std::uint64_t draw = 1; draw != 0; draw <<= 1) {
        EXPECT_EQ(choose_by_weight(group, &a, draw), &b);
        EXPECT_EQ(choose_least_busy(group, &a, busy, draw), &b);
        EXPECT_EQ(choose_by_weight(candidates{{&a, 5, 9}}, &a, draw), &a);
        EXPECT_EQ(choose_least_busy(candidates{{&a, 5, 9}}, &a, busy, draw), &a);
    }
    EXPECT_EQ(choose_by_weight({}, nullptr, 1), nullptr);
    EXPECT_EQ(choose_least_busy({}, nullptr, busy, 1), nullptr);
}

TEST(Balance, least_connections_is_the_fewest_in_use_for_the_weight) {
    for (std::uint64_t draw = 1; draw != 0; draw <<= 1) {
        const candidates equal{{&a, 1, 9}, {&b, 1, 9}, {&c, 1, 9}};
        EXPECT_EQ(choose_least_busy(equal, nullptr, {2, 1, 3}, draw), &b);
        EXPECT_EQ(choose_least_busy(equal, nullptr, {2, 1}, draw), &c) << "never used";
        EXPECT_EQ(choose_least_busy(equal, &b, {2, 1, 3}, draw), &a);
        const candidates weighted{{&a, 4, 9}, {&b, 1, 9}};
        EXPECT_EQ(choose_least_busy(weighted, nullptr, {3, 1}, draw), &a);
        EXPECT_EQ(choose_least_busy(weighted, nullptr, {5, 1}, draw), &b);
        const candidates spare{{&a, 1, 9}, {&b, 0, 9}};
        EXPECT_EQ(choose_least_busy(spare, nullptr, {50, 0}, draw), &a);
    }
}

TEST(Balance, among_the_equally_busy_weights_are_shares) {
    const candidates group{{&a, 3, 9}, {&b, 1, 9}, {&c, 9, 9}};
    auto got = tally(4000, [&](auto draw) {
        return choose_least_busy(group, nullptr, {0, 0, 1}, draw);
    });
    EXPECT_NEAR(got[&a], 3000, 20);
    EXPECT_NEAR(got[&b], 1000, 20);
    EXPECT_EQ(got[&c], 0);
}

}  // namespace
}  // namespace howdah::proxy
