#include "protocol/io/deadline.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

namespace howdah::protocol {
namespace {

using namespace std::chrono_literals;

class alarm_clock final : public deadline {
public:
    explicit alarm_clock(std::function<void()> ring = {}) : ring_(std::move(ring)) {}

    int rings = 0;
    bool early = false;

private:
    void on_deadline() override {
        ++rings;
        early = early || clock::now() < when();
        // The function may destroy this object.
        if (const auto ring = ring_) ring();
    }
    std::function<void()> ring_;
};

class DeadlineWheel : public ::testing::Test {
protected:
    ~DeadlineWheel() override {
        wheel_.stop();
        io_.restart();
        io_.run();
    }
    /// Lets time pass until the deadline has fired.
    void run_until(const alarm_clock& last) {
        while (last.rings == 0)
            io_.run_one();
    }

    boost::asio::io_context io_;
    deadline_wheel wheel_{io_};
};

TEST_F(DeadlineWheel, a_deadline_fires_once_and_never_early) {
    std::vector<std::unique_ptr<alarm_clock>> clocks;
    for (const auto limit : {0ms, 1ms, 19ms, 20ms, 21ms, 39ms, 40ms, 73ms, 100ms}) {
        clocks.push_back(std::make_unique<alarm_clock>());
        wheel_.arm(*clocks.back(), limit);
        EXPECT_TRUE(clocks.back()->armed());
    }
    for (const auto& c : clocks)
        run_until(*c);
    alarm_clock later;
    wheel_.arm(later, 60ms);
    run_until(later);
    for (const auto& c : clocks) {
        EXPECT_EQ(c->rings, 1);
        EXPECT_FALSE(c->early);
        EXPECT_FALSE(c->armed());
    }
}

TEST_F(DeadlineWheel, a_time_in_the_past_is_due_at_the_next_tick) {
    alarm_clock first;
    wheel_.arm(first, 50ms);
    run_until(first);
    alarm_clock past;
    alarm_clock long_past;
    alarm_clock later;
    wheel_.arm(past, -30ms);
    wheel_.arm(long_past, -1h);
    wheel_.arm(later, 200ms);
    run_until(later);
    EXPECT_EQ(past.rings, 1);
    EXPECT_EQ(long_past.rings, 1);
}

TEST_F(DeadlineWheel, a_disarmed_deadline_does_not_fire) {
    alarm_clock disarmed;
    alarm_clock later;
    wheel_.arm(disarmed, 20ms);
    wheel_.arm(later, 60ms);
    disarmed.disarm();
    EXPECT_FALSE(disarmed.armed());
    disarmed.disarm();
    run_until(later);
    EXPECT_EQ(disarmed.rings, 0);
}

TEST_F(DeadlineWheel, arming_again_replaces_the_earlier_time) {
    alarm_clock postponed;
    int seen = -1;
    alarm_clock between([&] { seen = postponed.rings; });
    wheel_.arm(postponed, 0ms);
    wheel_.arm(postponed, 100ms);
    wheel_.arm(between, 40ms);
    run_until(postponed);
    EXPECT_EQ(seen, 0);
    EXPECT_FALSE(postponed.early);
    alarm_clock advanced;
    alarm_clock later;
    wheel_.arm(advanced, 1h);
    wheel_.arm(advanced, 0ms);
    wheel_.arm(later, 60ms);
    run_until(later);
    EXPECT_EQ(advanced.rings, 1);
}

TEST_F(DeadlineWheel, a_deadline_beyond_one_turn_of_the_wheel_waits_its_rounds) {
    alarm_clock far;
    alarm_clock near;
    // The same slot as a deadline of a few ticks, one turn later.
    wheel_.arm(far, deadline_wheel::tick * 512 + 40ms);
    wheel_.arm(near, 80ms);
    run_until(near);
    EXPECT_EQ(far.rings, 0);
    EXPECT_TRUE(far.armed());
}

TEST_F(DeadlineWheel, a_deadline_may_arm_itself_again) {
    int left = 3;
    alarm_clock* self = nullptr;
    alarm_clock periodic([&] {
        if (--left > 0) wheel_.arm(*self, 0ms);
    });
    self = &periodic;
    wheel_.arm(periodic, 0ms);
    while (left > 0)
        io_.run_one();
    EXPECT_EQ(periodic.rings, 3);
    EXPECT_FALSE(periodic.early);
    EXPECT_FALSE(periodic.armed());
}

TEST_F(DeadlineWheel, a_deadline_may_destroy_itself_and_others_that_are_due) {
    std::vector<std::unique_ptr<alarm_clock>> clocks;
    int rings = 0;
    // Armed in one go, so that most fall into the same slot.
    for (int i = 0; i < 10; ++i)
        clocks.push_back(std::make_unique<alarm_clock>([&] {
            ++rings;
            clocks.clear();
        }));
    for (const auto& c : clocks)
        wheel_.arm(*c, 30ms);
    alarm_clock later;
    wheel_.arm(later, 100ms);
    run_until(later);
    EXPECT_EQ(rings, 1);
    EXPECT_TRUE(clocks.empty());
}

TEST_F(DeadlineWheel, a_deadline_may_disarm_or_postpone_others_that_are_due) {
    alarm_clock disarmed;
    alarm_clock postponed;
    alarm_clock first([&] {
        disarmed.disarm();
        wheel_.arm(postponed, 1h);
    });
    // Whichever of them is in front of the first has fired; so the first is armed first.
    wheel_.arm(first, 0ms);
    wheel_.arm(disarmed, 20ms);
    wheel_.arm(postponed, 20ms);
    alarm_clock later;
    wheel_.arm(later, 100ms);
    run_until(later);
    EXPECT_EQ(first.rings, 1);
    EXPECT_EQ(disarmed.rings, 0);
    EXPECT_EQ(postponed.rings, 0);
}

TEST_F(DeadlineWheel, a_destroyed_deadline_has_left_the_wheel) {
    {
        alarm_clock gone;
        wheel_.arm(gone, 20ms);
    }
    alarm_clock later;
    wheel_.arm(later, 60ms);
    run_until(later);
    EXPECT_EQ(later.rings, 1);
}

TEST_F(DeadlineWheel, nothing_fires_after_stop) {
    alarm_clock never;
    wheel_.arm(never, 0ms);
    wheel_.stop();
    io_.run();
    EXPECT_EQ(never.rings, 0);
    EXPECT_TRUE(never.armed());
}

TEST(DeadlineWheelLifetime, may_go_before_its_deadlines) {
    alarm_clock survivor;
    {
        boost::asio::io_context io;
        deadline_wheel wheel(io);
        wheel.arm(survivor, 1h);
    }
    EXPECT_EQ(survivor.rings, 0);
}

}  // namespace
}  // namespace howdah::protocol
