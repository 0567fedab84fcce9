#include "monitor/wal_history.hpp"

#include <gtest/gtest.h>

namespace howdah::monitor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using moment = std::chrono::steady_clock::time_point;

constexpr moment start{seconds(1000)};

wal_sample primary(std::uint64_t lsn, milliseconds after, std::uint32_t timeline = 1) {
    return {.standby = false, .at = {timeline, lsn}, .asked = start + after, .flushed = lsn};
}
wal_sample standby(std::uint64_t lsn, milliseconds after, std::uint32_t timeline = 1) {
    return {.standby = true, .at = {timeline, lsn}, .asked = start + after};
}

TEST(WalHistory, says_nothing_before_the_primary_is_known) {
    EXPECT_EQ(wal_history().lag_of(standby(1, seconds(0))), std::nullopt);
}

TEST(WalHistory, a_standby_that_has_replayed_everything_has_no_lag_however_old_the_last_write_is) {
    wal_history subject;
    subject.add(primary(5000, seconds(0)));
    for (int hour = 1; hour < 100; ++hour)
        subject.add(primary(5000, std::chrono::hours(hour)));
    auto sample = standby(5000, std::chrono::hours(99));
    sample.transaction_age = std::chrono::hours(98);
    EXPECT_EQ(subject.lag_of(sample), replication_lag{});
    EXPECT_EQ(subject.size(), 1U);
}

TEST(WalHistory, the_lag_is_the_age_of_the_oldest_place_that_is_not_replayed) {
    wal_history subject;
    for (int second = 0; second <= 10; ++second)
        subject.add(primary(1000 + 100 * second, seconds(second)));
    EXPECT_EQ(subject.lag_of(standby(1700, seconds(10))), (replication_lag{300, seconds(2)}));
    EXPECT_EQ(subject.lag_of(standby(1699, seconds(10))), (replication_lag{301, seconds(3)}));
    EXPECT_EQ(subject.lag_of(standby(1999, seconds(10))), (replication_lag{1, seconds(0)}));
    EXPECT_EQ(subject.lag_of(standby(2000, seconds(10))), replication_lag{});
    EXPECT_EQ(subject.lag_of(standby(2500, seconds(10))), replication_lag{}) << "a later place";
}

TEST(WalHistory, a_standby_that_stopped_falls_back_by_a_second_each_second) {
    wal_history subject;
    subject.add(primary(1000, seconds(0)));
    subject.add(primary(2000, seconds(1)));
    EXPECT_EQ(subject.lag_of(standby(1000, seconds(1)))->time, seconds(0));
    EXPECT_EQ(subject.lag_of(standby(1000, seconds(61)))->time, seconds(60));
}

TEST(WalHistory, counts_what_is_on_disk_and_not_what_no_standby_can_have_yet) {
    wal_history subject;
    auto sample = primary(9000, seconds(0));
    sample.flushed = 8000;
    subject.add(sample);
    EXPECT_EQ(subject.lag_of(standby(8000, seconds(5))), replication_lag{});
}

TEST(WalHistory, a_sample_of_a_standby_is_none_of_a_primary) {
    wal_history subject;
    subject.add(standby(5, seconds(0)));
    EXPECT_EQ(subject.lag_of(standby(1, seconds(1))), std::nullopt);
}

TEST(WalHistory, a_standby_that_was_behind_before_we_looked_is_as_late_as_its_last_transaction) {
    wal_history subject;
    subject.add(primary(5000, seconds(0)));
    auto sample = standby(1000, milliseconds(500));
    sample.transaction_age = seconds(3600);
    EXPECT_EQ(subject.lag_of(sample)->time, milliseconds(500)) << "on its way, perhaps";
    sample.asked = start + seconds(2);
    EXPECT_EQ(subject.lag_of(sample)->time, seconds(3600));
    sample.at.lsn = 5000;
    EXPECT_EQ(subject.lag_of(sample), replication_lag{});
}

TEST(WalHistory, on_an_earlier_timeline_nothing_of_this_one_is_replayed) {
    wal_history subject;
    subject.add(primary(1000, seconds(0), 1));
    subject.add(primary(500, seconds(10), 2));
    EXPECT_EQ(subject.lag_of(standby(900, seconds(15), 1)), (replication_lag{0, seconds(5)}));
    EXPECT_EQ(subject.lag_of(standby(500, seconds(15), 2)), replication_lag{});
    EXPECT_EQ(subject.lag_of(standby(500, seconds(15), 3)), std::nullopt);
}

TEST(WalHistory, a_primary_that_goes_back_on_its_timeline_begins_anew) {
    wal_history subject;
    subject.add(primary(9000, seconds(0)));
    subject.add(primary(1000, seconds(1)));
    EXPECT_EQ(subject.lag_of(standby(1000, seconds(2))), replication_lag{});
}

TEST(WalHistory, reaches_back_for_days_in_bounded_memory) {
    wal_history subject;
    const int count = 200'000;
    for (int second = 0; second < count; ++second) {
        subject.add(primary(1000 + static_cast<std::uint64_t>(second), seconds(second)));
        ASSERT_LE(subject.size(), wal_history::capacity);
    }
    const seconds now(count - 1);
    EXPECT_EQ(subject.lag_of(standby(999, now))->time, now) << "the oldest place stays";
    for (const int behind : {2, 5, 10, 60, 100, 1000, 10'000, 100'000}) {
        const auto lag = subject.lag_of(standby(1000 + count - 1 - behind, now))->time;
        EXPECT_LT(lag, seconds(behind)) << behind;
        EXPECT_GE(lag, milliseconds(behind * 880 - 1000)) << behind;
    }
}

}  // namespace
}  // namespace howdah::monitor
