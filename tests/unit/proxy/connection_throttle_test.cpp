#include "proxy/pool/connection_throttle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace howdah::proxy {
namespace {

using std::chrono::milliseconds;

/// Somebody asks every `step`, as often as it is allowed, for `seconds`; when it was allowed.
std::vector<milliseconds> allowed(even_pace& pace, std::uint32_t per_second, int seconds,
                                  milliseconds step) {
    const even_pace::clock::time_point begin = even_pace::clock::now();
    std::vector<milliseconds> out;
    for (milliseconds at{0}; at < std::chrono::seconds(seconds); at += step)
        while (pace.take(per_second, begin + at))
            out.push_back(at);
    return out;
}

TEST(ConnectionThrottle, one_per_second_is_one_per_second_from_the_first_on) {
    even_pace pace;
    EXPECT_EQ(allowed(pace, 1, 3, milliseconds(100)),
              (std::vector{milliseconds(0), milliseconds(1000), milliseconds(2000)}));
}

TEST(ConnectionThrottle, no_second_has_more_than_were_asked_for_and_a_tenth) {
    for (const std::uint32_t rate : {3U, 10U, 50U, 1000U}) {
        even_pace pace;
        const auto when = allowed(pace, rate, 5, milliseconds(100));
        EXPECT_GE(when.size(), rate * 5 - rate / 10) << rate;
        for (const milliseconds from : when) {
            const auto in_second = std::ranges::count_if(when, [&](milliseconds at) {
                return at >= from && at < from + milliseconds(1000);
            });
            EXPECT_LE(in_second, rate + rate / 10 + 1) << rate << " from " << from.count();
        }
    }
}

TEST(ConnectionThrottle, what_was_not_used_is_not_saved_up) {
    even_pace pace;
    const auto begin = even_pace::clock::now();
    ASSERT_TRUE(pace.take(2, begin));
    const auto later = begin + std::chrono::hours(1);
    EXPECT_TRUE(pace.take(2, later));
    EXPECT_FALSE(pace.take(2, later));
}

TEST(ConnectionThrottle, hostgroups_do_not_share_their_rates) {
    connection_throttle throttle;
    const auto now = even_pace::clock::now();
    EXPECT_TRUE(throttle.take(10, 1, now));
    EXPECT_FALSE(throttle.take(10, 1, now));
    EXPECT_TRUE(throttle.take(20, 1, now));
}

}  // namespace
}  // namespace howdah::proxy
