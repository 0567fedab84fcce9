#include "ha/news.hpp"

#include <gtest/gtest.h>

namespace howdah::ha {
namespace {

TEST(News, are_not_that_time_goes_by_or_wal_is_written) {
    EXPECT_EQ(
        without_quantities("pg3:5432 is 12 s behind, 3.5 MiB are received and not replayed"),
        without_quantities("pg3:5432 is 7 s behind, 812 bytes are received and not replayed"));
    EXPECT_EQ(without_quantities("pg2 takes over: at 1:0/5000000, 1 byte to replay"),
              without_quantities("pg2 takes over: at 1:A/5F00B0, 17 bytes to replay"));
    EXPECT_EQ(without_quantities("pg1:5432 was replaced 9 s ago; blocked for 3600 s, or until"),
              without_quantities("pg1:5432 was replaced 10 s ago; blocked for 3600 s, or until"));
    EXPECT_EQ(without_quantities("pg1 has WAL up to 0/50, which is not in"),
              without_quantities("pg1 has WAL up to 0/51, which is not in"));
}

TEST(News, are_another_server_another_timeline_and_another_count) {
    const auto differ = [](const char* a, const char* b) {
        return without_quantities(a) != without_quantities(b);
    };
    EXPECT_TRUE(differ("pg1:5432 is 12 s behind", "pg2:5432 is 12 s behind"));
    EXPECT_TRUE(differ("10.0.0.1:5432 is dead", "10.0.0.2:5432 is dead"));
    EXPECT_TRUE(differ("127.0.0.1:5432 is dead", "127.0.0.1:5433 is dead"));
    EXPECT_TRUE(differ("it is on timeline 3", "it is on timeline 4"));
    EXPECT_TRUE(differ("the writer of epoch 1", "the writer of epoch 2"));
    EXPECT_TRUE(differ("2 of 2 standbys answer", "1 of 2 standbys answer"));
    EXPECT_TRUE(differ("pg1 is dead", "pg1 is dead. No failover: ha_mode is manual"));
}

}  // namespace
}  // namespace howdah::ha
