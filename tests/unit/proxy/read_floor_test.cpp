#include "proxy/read_floor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace howdah::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using outcome = read_floor::outcome;

class ReadFloor : public ::testing::Test {
protected:
    using time_point = read_floor::time_point;

    static time_point at(int ms) { return time_point{} + std::chrono::milliseconds(1000 + ms); }

    /// A sample of the primary asked for at `ms`.
    void primary(int ms, std::uint64_t lsn, std::uint32_t timeline = 1) {
        view_.add(p_, {false, {timeline, lsn}, at(ms)});
    }
    void standby(const server_entry* which, int ms, std::uint64_t lsn, std::uint32_t timeline = 1) {
        view_.add(which, {true, {timeline, lsn}, at(ms)});
    }
    outcome choose(int ms = 100'000, const server_entry* avoid = nullptr) {
        return floor_.choose(view_, p_, readers_, avoid, at(ms), suitable_);
    }
    std::vector<const server_entry*> suitable() const {
        std::vector<const server_entry*> out;
        for (const auto& c : suitable_)
            out.push_back(c.server);
        return out;
    }

    identities names_;
    const server_entry* p_ = names_.server({"p", 5432});
    const server_entry* a_ = names_.server({"a", 5432});
    const server_entry* b_ = names_.server({"b", 5432});
    std::vector<pool_book::candidate> readers_{{a_, 1, 10}, {b_, 1, 10}};
    wal_view view_;
    read_floor floor_;
    std::vector<pool_book::candidate> suitable_;
};

TEST_F(ReadFloor, a_session_that_has_seen_nothing_may_use_any_reader_also_without_samples) {
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_, b_));
}

TEST_F(ReadFloor, after_a_write_the_writer_answers_until_a_sample_taken_later) {
    primary(0, 500);
    standby(a_, 0, 500);
    standby(b_, 0, 500);
    floor_.saw_writer(at(10));
    EXPECT_EQ(choose(), outcome::no_sample);
    primary(9, 900);
    EXPECT_EQ(choose(), outcome::no_sample) << "asked before the reply";
    primary(10, 600);
    EXPECT_EQ(choose(), outcome::lag);
    EXPECT_THAT(suitable(), IsEmpty());
    EXPECT_EQ(floor_.position(), (monitor::wal_position{1, 600}));
}

TEST_F(ReadFloor, every_reader_that_has_replayed_the_floor_will_do) {
    floor_.saw_writer(at(10));
    primary(20, 600);
    standby(a_, 20, 599);
    standby(b_, 20, 600);
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(b_));
    standby(a_, 30, 601);
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_, b_));
}

TEST_F(ReadFloor, the_floor_is_the_first_sample_after_the_reply_and_not_what_others_write_later) {
    floor_.saw_writer(at(10));
    primary(5, 100);
    primary(50, 200);
    primary(100, 300);
    standby(a_, 100, 250);
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_));
}

TEST_F(ReadFloor,
       a_session_that_only_reads_keeps_its_reader_until_another_is_known_to_have_as_much) {
    (void)choose();
    primary(5, 500);
    standby(a_, 5, 500);
    floor_.saw_reader(b_, at(10));
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(b_));
    primary(10, 600);
    standby(a_, 20, 599);
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(b_)) << "also without a sample of its own";
    standby(a_, 30, 600);
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_, b_));
}

TEST_F(ReadFloor, another_reader_must_not_show_less_than_the_one_that_failed) {
    floor_.saw_reader(b_, at(10));
    EXPECT_EQ(choose(20, b_), outcome::no_sample);
    primary(20, 600);
    standby(a_, 20, 599);
    EXPECT_EQ(choose(20, b_), outcome::lag);
    standby(a_, 30, 600);
    EXPECT_EQ(choose(30, b_), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_));
}

TEST_F(ReadFloor, a_reader_that_left_the_hostgroup_or_died_is_left_in_the_same_way) {
    floor_.saw_reader(b_, at(10));
    readers_.pop_back();
    EXPECT_EQ(choose(), outcome::no_sample);

    read_floor other;
    other.saw_reader(a_, at(10));
    other.reader_lost(b_);
    EXPECT_EQ(other.choose(view_, p_, readers_, nullptr, at(20), suitable_), outcome::reader);
    other.reader_lost(a_);
    EXPECT_EQ(other.choose(view_, p_, readers_, nullptr, at(20), suitable_), outcome::no_sample);
}

TEST_F(ReadFloor, an_own_reader_that_lags_behind_the_own_write_gives_way_to_another) {
    floor_.saw_reader(b_, at(10));
    floor_.saw_writer(at(20));
    primary(30, 600);
    standby(b_, 30, 500);
    standby(a_, 30, 600);
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_));
}

TEST_F(ReadFloor, what_was_read_at_the_writer_counts_as_seen) {
    floor_.saw_writer(at(10));
    primary(20, 600);
    standby(a_, 20, 599);
    EXPECT_EQ(choose(), outcome::lag);
    floor_.saw_writer(at(30));
    standby(a_, 40, 700);
    EXPECT_EQ(choose(), outcome::no_sample);
}

TEST_F(ReadFloor, after_a_failover_the_writer_answers_until_a_sample_of_the_new_timeline) {
    floor_.saw_writer(at(10));
    primary(20, 600);
    standby(a_, 20, 600);
    EXPECT_EQ(choose(20), outcome::reader);
    primary(30, 550, 2);
    EXPECT_EQ(choose(40), outcome::forked);
    EXPECT_EQ(choose(41), outcome::no_sample) << "reported once";
    primary(50, 560, 2);
    EXPECT_EQ(choose(51), outcome::lag) << "a standby that is ahead on the old timeline";
    standby(a_, 60, 560, 2);
    EXPECT_EQ(choose(61), outcome::reader);
}

TEST_F(ReadFloor, a_position_from_another_session_is_a_floor_like_any_other) {
    standby(a_, 10, 600);
    standby(b_, 10, 599);
    floor_.at_least({1, 600}, at(10));
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_));
    floor_.at_least({1, 500}, at(11));
    EXPECT_EQ(floor_.position().lsn, 600U) << "never lower than before";
    floor_.at_least({}, at(11));
    EXPECT_EQ(floor_.position().lsn, 600U);
    floor_.saw_writer(at(20));
    primary(25, 700);
    floor_.at_least({1, 900}, at(30));
    EXPECT_EQ(choose(), outcome::no_sample) << "a sample must cover the position, too";
}

TEST_F(ReadFloor, without_a_primary_a_floor_that_is_known_still_serves) {
    floor_.saw_writer(at(10));
    primary(20, 600);
    standby(a_, 20, 600);
    EXPECT_EQ(choose(), outcome::reader);
    view_.servers.erase(view_.servers.begin());
    EXPECT_EQ(choose(), outcome::reader);
    EXPECT_THAT(suitable(), ElementsAre(a_));
}

TEST_F(ReadFloor, a_demoted_primary_is_no_source_of_floors) {
    floor_.saw_writer(at(10));
    standby(p_, 20, 600);
    EXPECT_EQ(choose(), outcome::no_sample);
}

TEST(WalView, keeps_a_bounded_history_of_primaries_and_the_last_sample_of_standbys) {
    identities names;
    const server_entry* server = names.server({"p", 1});
    wal_view view;
    const auto time = [](unsigned n) {
        return std::chrono::steady_clock::time_point{} + std::chrono::seconds(n);
    };
    EXPECT_TRUE(view.of(server).empty());
    for (unsigned n = 1; n <= 1000; ++n)
        view.add(server, {false, {1, n}, time(n)});
    ASSERT_EQ(view.of(server).size(), 128U);
    EXPECT_EQ(view.of(server).front().at.lsn, 873U);
    EXPECT_EQ(view.of(server).back().at.lsn, 1000U);
    view.add(server, {false, {1, 1000}, time(1000)});
    EXPECT_EQ(view.of(server).size(), 128U) << "published again with another server's sample";
    view.add(server, {false, {2, 1001}, time(1001)});
    EXPECT_EQ(view.of(server).size(), 1U);
    view.add(server, {true, {2, 1002}, time(1002)});
    view.add(server, {true, {2, 1003}, time(1003)});
    ASSERT_EQ(view.of(server).size(), 1U);
    EXPECT_EQ(view.of(server).back().at.lsn, 1003U);
}

}  // namespace
}  // namespace howdah::proxy
