#include "ha/testimony.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

constexpr time_us failed_ms_ago = 2000;

/// What pg2 says about pg1, which failed two seconds ago.
testimony of(const std::string& standby) {
    const auto subject = test::parse_scenario("server pg1 primary at=0/100 dead\nserver pg2 " +
                                              standby + "\nserver pg3 standby at=0/100\n")
                             .the_cluster();
    return testify(subject.servers[1], 0, subject.now_us - failed_ms_ago * 1000);
}

TEST(Testimony, a_message_after_the_failure_proves_life) {
    EXPECT_EQ(of("standby at=0/100 heard=100"), testimony::streams);
    EXPECT_EQ(of("standby at=0/100 heard=1999"), testimony::streams);
}

TEST(Testimony, a_message_before_the_failure_proves_neither) {
    EXPECT_EQ(of("standby at=0/100 heard=2000"), testimony::quiet);
    EXPECT_EQ(of("standby at=0/100 heard=30000"), testimony::quiet);
}

TEST(Testimony, silence_for_longer_than_a_live_primary_ever_keeps_it_proves_death) {
    EXPECT_EQ(of("standby at=0/100 heard=31500"), testimony::cut);
    EXPECT_EQ(of("standby at=0/100 heard=3000 receiver_timeout=2000"), testimony::cut);
    EXPECT_EQ(of("standby at=0/100 heard=2050 receiver_timeout=2000"), testimony::quiet);
}

TEST(Testimony, a_sign_of_life_from_right_after_the_failure_proves_nothing_seconds_later) {
    const auto subject = test::parse_scenario(
                             "server pg1 primary at=0/100 dead\n"
                             "server pg2 standby at=0/100 heard=9000\n"
                             "server pg3 standby at=0/100 of=pg2 heard=100 grew=9000\n")
                             .the_cluster();
    const auto failed_at = subject.now_us - 10'000'000;
    EXPECT_EQ(testify(subject.servers[1], 0, failed_at), testimony::quiet);
    EXPECT_EQ(testify(subject.servers[2], 0, failed_at), testimony::none);
}

TEST(Testimony, one_whose_receiver_ended_is_cut_although_it_got_something_after_the_first_failure) {
    EXPECT_EQ(of("standby at=0/100 grew=1900"), testimony::cut);
}

TEST(Testimony, silence_counts_from_when_the_receiver_was_told_to_ask) {
    const std::string told = "standby at=0/100 heard=9000 receiver_timeout=12000 timeout_since=";
    EXPECT_EQ(of(told + "1000"), testimony::quiet);
    EXPECT_EQ(of(told + "1200"), testimony::cut);
}

TEST(Testimony, silence_proves_nothing_where_receivers_never_ask) {
    EXPECT_EQ(of("standby at=0/100 heard=900000 receiver_timeout=0"), testimony::quiet);
}

TEST(Testimony, no_receiver_means_cut) {
    EXPECT_EQ(of("standby at=0/100"), testimony::cut);
    EXPECT_EQ(of("standby at=0/100 frozen"), testimony::cut);
}

TEST(Testimony, what_was_read_before_the_failure_proves_nothing) {
    EXPECT_EQ(of("standby at=0/100 read=2500"), testimony::none);
    EXPECT_EQ(of("standby at=0/100 read=2500 heard=40000"), testimony::quiet);
}

TEST(Testimony, a_standby_that_does_not_answer_says_nothing) {
    EXPECT_EQ(of("standby at=0/100 dead"), testimony::none);
    EXPECT_EQ(of("standby at=0/100 heard=100 refusing"), testimony::none);
}

TEST(Testimony, one_that_follows_another_standby_knows_only_of_growing_wal) {
    EXPECT_EQ(of("standby at=0/100 of=pg3 heard=100"), testimony::none);
    EXPECT_EQ(of("standby at=0/100 of=pg3"), testimony::none);
    EXPECT_EQ(of("standby at=0/100 of=pg3 heard=100 grew=1000"), testimony::streams);
    EXPECT_EQ(of("standby at=0/100 of=pg3 heard=100 grew=2000"), testimony::none);
}

TEST(Testimony, an_upstream_that_nobody_knows_may_be_the_primary) {
    EXPECT_EQ(of("standby at=0/100 of=vip heard=100"), testimony::streams);
    EXPECT_EQ(of("standby at=0/100 of=vip heard=2500"), testimony::quiet);
}

TEST(Testimony, one_without_any_upstream_is_no_witness) {
    EXPECT_EQ(of("standby at=0/100 conninfo="), testimony::none);
}

}  // namespace
}  // namespace howdah::ha
