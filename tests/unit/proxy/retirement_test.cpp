#include "proxy/pool/retirement.hpp"

#include <gtest/gtest.h>

namespace howdah::proxy {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Retirement, without_a_limit_nothing_is_ever_over) {
    EXPECT_FALSE(is_over(clock::time_point(), clock::time_point::max(), milliseconds(0)));
}

TEST(Retirement, comes_at_the_limit_at_the_latest_and_a_tenth_before_it_at_the_earliest) {
    const milliseconds limit(1000);
    for (int i = 1; i <= 1000; ++i) {
        const clock::time_point since(nanoseconds(i * 7919));
        EXPECT_FALSE(is_over(since, since + milliseconds(899), limit)) << i;
        EXPECT_TRUE(is_over(since, since + limit, limit)) << i;
    }
}

TEST(Retirement, is_spread_evenly_over_what_began_together) {
    const milliseconds limit(1000);
    const clock::time_point began{nanoseconds(123'456'789)};
    int over = 0;
    for (int i = 0; i < 1000; ++i) {
        const clock::time_point since = began + nanoseconds(i);
        over += is_over(since, since + milliseconds(950), limit) ? 1 : 0;
    }
    EXPECT_GT(over, 400);
    EXPECT_LT(over, 600);
}

}  // namespace
}  // namespace howdah::proxy
