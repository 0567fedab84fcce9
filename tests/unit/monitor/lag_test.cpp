#include <gtest/gtest.h>

#include "monitor/lag_tracker.hpp"
#include "monitor/slow_start.hpp"

namespace howdah::monitor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using moment = std::chrono::steady_clock::time_point;

lag_verdict::limits limits(std::uint32_t worse = 2, std::uint32_t better = 3) {
    return {seconds(10), worse, better};
}

TEST(LagVerdict, one_is_late_after_so_many_measurements_above_the_limit_in_a_row) {
    lag_verdict subject;
    EXPECT_FALSE(subject.on_lag(seconds(11), limits()));
    EXPECT_FALSE(subject.on_lag(seconds(10), limits())) << "the limit is allowed";
    EXPECT_FALSE(subject.on_lag(seconds(11), limits()));
    EXPECT_TRUE(subject.on_lag(seconds(11), limits()));
    EXPECT_FALSE(subject.unproven());
}

TEST(LagVerdict, one_is_good_again_after_so_many_measurements_within_the_limit_in_a_row) {
    lag_verdict subject;
    subject.on_lag(seconds(11), limits(1));
    EXPECT_TRUE(subject.on_lag(seconds(1), limits(1)));
    EXPECT_TRUE(subject.on_lag(seconds(1), limits(1)));
    EXPECT_TRUE(subject.on_lag(seconds(11), limits(1)));
    EXPECT_TRUE(subject.on_lag(seconds(1), limits(1)));
    EXPECT_TRUE(subject.on_lag(seconds(1), limits(1)));
    EXPECT_FALSE(subject.on_lag(seconds(1), limits(1)));
}

TEST(LagVerdict, a_measurement_that_failed_changes_nothing) {
    lag_verdict subject;
    subject.on_lag(seconds(11), limits(1));
    subject.on_unknown();
    EXPECT_TRUE(subject.late());
    lag_verdict good;
    good.on_unknown();
    EXPECT_FALSE(good.late());
}

TEST(LagVerdict, without_a_limit_nobody_is_late) {
    lag_verdict subject;
    const lag_verdict::limits none{seconds(0), 1, 1};
    EXPECT_FALSE(subject.on_lag(std::chrono::hours(100), none));
    subject.on_return(none);
    EXPECT_FALSE(subject.late());
    subject.on_lag(seconds(11), limits(1));
    EXPECT_TRUE(subject.late());
    EXPECT_FALSE(subject.on_lag(seconds(11), none)) << "the limit was taken away";
}

TEST(LagVerdict, one_that_returns_is_late_until_it_is_measured_once) {
    lag_verdict subject;
    subject.on_return(limits());
    EXPECT_TRUE(subject.late() && subject.unproven());
    EXPECT_FALSE(subject.on_lag(seconds(1), limits()));
    subject.on_return(limits());
    EXPECT_TRUE(subject.on_lag(seconds(11), limits())) << "no further proof is needed";
    EXPECT_FALSE(subject.unproven());
}

TEST(LagVerdict, one_that_returns_and_cannot_be_measured_is_let_in) {
    lag_verdict subject;
    subject.on_return(limits());
    subject.on_unknown();
    EXPECT_FALSE(subject.late());
}

class LagTracker : public testing::Test {
protected:
    const endpoint pg1{"pg1", 5432}, pg2{"pg2", 5432};
    const moment start{seconds(1000)};
    lag_tracker subject;
    lag_tracker::context how{pg1, {seconds(10), 1, 1}, seconds(1)};

    bool primary(std::uint64_t lsn, milliseconds after, const endpoint* at = nullptr) {
        const wal_sample sample{
            .standby = false, .at = {1, lsn}, .asked = start + after, .flushed = lsn};
        return subject.on_sample(at ? *at : pg1, sample, how);
    }
    bool standby(std::uint64_t lsn, milliseconds after) {
        return subject.on_sample(pg2, {.standby = true, .at = {1, lsn}, .asked = start + after},
                                 how);
    }
    bool late() const { return subject.verdict_of(pg2)->late(); }
};

TEST_F(LagTracker, measures_a_standby_against_its_primary) {
    EXPECT_FALSE(primary(1000, seconds(0)));
    EXPECT_TRUE(standby(1000, seconds(0)));
    EXPECT_EQ(subject.lag_of(pg2), replication_lag{});
    primary(3000, seconds(1));
    EXPECT_TRUE(standby(1000, seconds(13)));
    EXPECT_EQ(subject.lag_of(pg2), (replication_lag{2000, seconds(12)}));
    EXPECT_TRUE(late());
    EXPECT_EQ(subject.lag_of(pg1), std::nullopt);
    EXPECT_EQ(subject.verdict_of(pg1), nullptr);
}

TEST_F(LagTracker, samples_between_two_measurements_do_not_count) {
    how.limits.worse = 3;
    primary(1000, seconds(0));
    primary(2000, seconds(1));
    EXPECT_TRUE(standby(1000, seconds(20)));
    for (int i = 1; i < 18; ++i)
        EXPECT_FALSE(standby(1000, seconds(20) + i * milliseconds(50)));
    EXPECT_FALSE(late());
    EXPECT_EQ(subject.lag_of(pg2)->time, milliseconds(19850)) << "they are known all the same";
    standby(1000, seconds(21));
    standby(1000, seconds(22));
    EXPECT_TRUE(late());
}

TEST_F(LagTracker, without_a_known_primary_a_lag_is_not_known) {
    how.primary.reset();
    EXPECT_TRUE(standby(1000, seconds(0)));
    EXPECT_EQ(subject.lag_of(pg2), std::nullopt);
    how.primary = endpoint{"pg9", 1};
    EXPECT_TRUE(standby(1000, seconds(1)));
    EXPECT_EQ(subject.lag_of(pg2), std::nullopt);
    EXPECT_FALSE(late());
}

TEST_F(LagTracker, what_a_dead_primary_had_written_still_counts) {
    primary(1000, seconds(0));
    primary(2000, seconds(1));
    standby(1500, seconds(20));
    EXPECT_EQ(subject.lag_of(pg2), (replication_lag{500, seconds(19)}));
}

TEST_F(LagTracker, a_standby_that_is_promoted_has_no_lag_and_a_primary_that_follows_has) {
    primary(1000, seconds(0));
    standby(900, seconds(20));
    primary(1200, seconds(21), &pg2);
    EXPECT_EQ(subject.verdict_of(pg2), nullptr);
    how.primary = pg2;
    const wal_sample demoted{.standby = true, .at = {1, 1000}, .asked = start + seconds(23)};
    EXPECT_TRUE(subject.on_sample(pg1, demoted, how));
    EXPECT_EQ(subject.lag_of(pg1)->bytes, 200U);
}

TEST_F(LagTracker, one_that_returns_is_held_back_until_the_very_next_sample) {
    primary(1000, seconds(0));
    standby(1000, seconds(0));
    subject.on_return(pg2, how.limits);
    EXPECT_TRUE(late());
    EXPECT_TRUE(standby(1000, milliseconds(1)));
    EXPECT_FALSE(late());
}

TEST_F(LagTracker, failures_count_at_the_interval) {
    EXPECT_TRUE(subject.on_failure(pg2, start, how)) << "also of one that never had an answer";
    EXPECT_FALSE(subject.on_failure(pg2, start + milliseconds(100), how));
    EXPECT_TRUE(subject.on_failure(pg2, start + seconds(1), how));
    subject.forget(pg2);
    EXPECT_EQ(subject.verdict_of(pg2), nullptr);
}

TEST(SlowStart, the_share_grows_from_a_tenth_to_all_in_ten_steps) {
    std::uint32_t last = 0;
    for (int ms = 0; ms < 1000; ms += 10) {
        const auto share = slow_start_share(milliseconds(ms), milliseconds(1000));
        EXPECT_GE(share, last);
        EXPECT_EQ(share, static_cast<std::uint32_t>(ms / 100 + 1) * 10);
        last = share;
    }
    EXPECT_EQ(slow_start_share(milliseconds(1000), milliseconds(1000)), 100U);
    EXPECT_EQ(slow_start_share(std::chrono::hours(1), milliseconds(1000)), 100U);
}

TEST(SlowStart, switched_off_everybody_has_all) {
    EXPECT_EQ(slow_start_share(milliseconds(0), milliseconds(0)), 100U);
}

}  // namespace
}  // namespace howdah::monitor
