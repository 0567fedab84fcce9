#include "proxy/login_failures.hpp"

#include <gtest/gtest.h>

namespace howdah::proxy {
namespace {

using namespace std::chrono_literals;

conf::ip_address ip(const std::string& text) {
    return conf::parse_ip(text).value();
}

class failed_logins : public ::testing::Test {
protected:
    std::uint32_t fail(const std::string& address) { return failures.add(ip(address), now); }

    login_failures failures;
    login_failures::clock::time_point now{1h};
};

TEST_F(failed_logins, are_counted_by_address) {
    EXPECT_EQ(fail("10.0.0.1"), 1U);
    EXPECT_EQ(fail("10.0.0.1"), 2U);
    EXPECT_EQ(fail("10.0.0.2"), 1U);
    EXPECT_EQ(fail("10.0.0.1"), 3U);
}

TEST_F(failed_logins, of_one_ipv6_network_are_counted_together) {
    EXPECT_EQ(fail("2001:db8:0:1::1"), 1U);
    EXPECT_EQ(fail("2001:db8:0:1:ffff::2"), 2U);
    EXPECT_EQ(fail("2001:db8:0:2::1"), 1U);
}

TEST_F(failed_logins, are_forgotten_after_a_minute_without_another) {
    EXPECT_EQ(fail("10.0.0.1"), 1U);
    now += 59s;
    EXPECT_EQ(fail("10.0.0.1"), 2U);
    now += 59s;
    EXPECT_EQ(fail("10.0.0.1"), 3U);
    now += 60s;
    EXPECT_EQ(fail("10.0.0.1"), 1U);
}

TEST_F(failed_logins, of_many_addresses_take_bounded_memory_and_keep_the_latest) {
    EXPECT_EQ(fail("10.255.0.1"), 1U);
    EXPECT_EQ(fail("10.255.0.2"), 1U);
    for (std::size_t i = 0; i < login_failures::max_addresses - 1; ++i) {
        conf::ip_address one = ip("11.0.0.0");
        one.bytes[2] = static_cast<std::uint8_t>(i / 256);
        one.bytes[3] = static_cast<std::uint8_t>(i % 256);
        EXPECT_EQ(failures.add(one, now), 1U);
        EXPECT_EQ(failures.size(), std::min(i + 3, login_failures::max_addresses));
    }
    EXPECT_EQ(fail("10.255.0.2"), 2U);
    EXPECT_EQ(fail("10.255.0.1"), 1U) << "the oldest was dropped";
}

TEST(login_delay, doubles_up_to_a_bound) {
    conf::variables vars;
    vars.failed_login_delay = 100ms;
    vars.connect_timeout_client = 10s;
    EXPECT_EQ(login_delay(vars, 0), 0ms);
    EXPECT_EQ(login_delay(vars, 1), 100ms);
    EXPECT_EQ(login_delay(vars, 2), 200ms);
    EXPECT_EQ(login_delay(vars, 5), 1600ms);
    EXPECT_EQ(login_delay(vars, 4'000'000'000U), 1600ms);
    vars.connect_timeout_client = 1s;
    EXPECT_EQ(login_delay(vars, 100), 500ms) << "the client is still there to hear it";
    vars.failed_login_delay = 0ms;
    EXPECT_EQ(login_delay(vars, 100), 0ms);
}

}  // namespace
}  // namespace howdah::proxy
