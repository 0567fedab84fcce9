#include "monitor/check_log.hpp"

#include <gtest/gtest.h>

namespace howdah::monitor {
namespace {

check_row row(const std::string& host, std::int64_t started) {
    check_row out;
    out.at = {host, 5432};
    out.time_start_us = started;
    return out;
}

TEST(CheckLog, keeps_kinds_and_servers_apart_and_rows_in_order) {
    check_log log;
    log.add(check::ping, row("b", 1));
    log.add(check::ping, row("a", 2));
    log.add(check::ping, row("b", 3));
    log.add(check::connect, row("b", 4));
    const auto pings = log.rows(check::ping);
    ASSERT_EQ(pings.size(), 3U);
    EXPECT_EQ(pings[0].at.host, "a");
    EXPECT_EQ(pings[1].time_start_us, 1);
    EXPECT_EQ(pings[2].time_start_us, 3);
    EXPECT_EQ(log.rows(check::connect).size(), 1U);
    EXPECT_TRUE(log.rows(check::read_only).empty());
}

TEST(CheckLog, drops_the_oldest_rows_of_a_server_beyond_the_bound) {
    check_log log;
    log.add(check::ping, row("quiet", 0));
    const auto many = static_cast<std::int64_t>(check_log::rows_per_server) + 5;
    for (std::int64_t i = 0; i < many; ++i)
        log.add(check::ping, row("busy", i));
    const auto rows = log.rows(check::ping);
    ASSERT_EQ(rows.size(), check_log::rows_per_server + 1);
    EXPECT_EQ(rows.front().time_start_us, 5);
    EXPECT_EQ(rows.back().at.host, "quiet");
}

TEST(CheckLog, forgets_a_server_in_all_kinds) {
    check_log log;
    log.add(check::ping, row("a", 1));
    log.add(check::connect, row("a", 1));
    log.add(check::ping, row("b", 1));
    log.forget({"a", 5432});
    EXPECT_EQ(log.rows(check::ping).size(), 1U);
    EXPECT_TRUE(log.rows(check::connect).empty());
}

}  // namespace
}  // namespace howdah::monitor
