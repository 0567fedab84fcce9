#include "protocol/io/gather.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/unit/io/sockets.hpp"

namespace howdah::protocol {
namespace {

using test::pattern;

class Gather : public ::testing::Test {
protected:
    void generate(std::string_view bytes) {
        out_.generated() += bytes;
        out_.commit();
    }

    boost::asio::io_context io_;
    gather out_;
    backlog left_;
};

TEST_F(Gather, sends_ranges_and_generated_bytes_in_the_order_they_were_added) {
    auto pair = test::connected_pair(io_);
    const std::string source = "0123456789";
    out_.add(std::string_view(source).substr(0, 3));
    generate("<a>");
    generate("<b>");
    out_.add(std::string_view(source).substr(3, 2));
    out_.add(std::string_view(source).substr(5, 1));
    out_.add({});
    generate("<c>");
    EXPECT_FALSE(out_.empty());
    EXPECT_TRUE(out_.flush(pair.near, left_).ok());
    EXPECT_TRUE(out_.empty());
    EXPECT_TRUE(left_.empty());
    EXPECT_EQ(test::read_available(pair.far), "012<a><b>345<c>");
}

TEST_F(Gather, with_nothing_added_sends_nothing) {
    auto pair = test::connected_pair(io_);
    out_.commit();
    out_.add("");
    EXPECT_TRUE(out_.empty());
    EXPECT_TRUE(out_.flush(pair.near, left_).ok());
    EXPECT_EQ(test::read_available(pair.far), "");
}

TEST_F(Gather, can_be_used_again_after_flush_and_clear) {
    auto pair = test::connected_pair(io_);
    generate("dropped");
    out_.add("dropped too");
    out_.clear();
    EXPECT_TRUE(out_.empty());
    for (const char* round : {"one", "two", "three"}) {
        generate(round);
        out_.add(round);
        EXPECT_TRUE(out_.flush(pair.near, left_).ok());
    }
    EXPECT_EQ(test::read_available(pair.far), "oneonetwotwothreethree");
}

TEST_F(Gather, sends_more_parts_than_one_system_call_takes) {
    auto pair = test::connected_pair(io_);
    const std::string source = pattern(6000);
    std::string expected;
    for (std::size_t i = 0; i + 2 < source.size(); i += 2) {
        out_.add(std::string_view(source).substr(i, 1));
        expected += source[i];
    }
    EXPECT_TRUE(out_.flush(pair.near, left_).ok());
    EXPECT_EQ(test::read_available(pair.far), expected);
}

TEST_F(Gather, what_the_peer_does_not_take_stays_behind_in_order) {
    auto pair = test::connected_pair(io_, 1);
    const std::string range = pattern(200000);
    const std::string made = pattern(100000, 2);
    out_.add(range);
    generate(made);
    const io_result first = out_.flush(pair.near, left_);
    EXPECT_TRUE(first.blocked());
    EXPECT_EQ(first.what, io_result::status::want_write);
    EXPECT_FALSE(left_.empty());
    EXPECT_TRUE(out_.empty());
    // Later bytes queue behind it.
    out_.add("later");
    EXPECT_TRUE(out_.flush(pair.near, left_).blocked());
    std::string received;
    while (!left_.empty()) {
        received += test::read_available(pair.far);
        const io_result more = flush_backlog(pair.near, left_);
        EXPECT_EQ(more.ok(), left_.empty());
        EXPECT_FALSE(more.closed());
    }
    received += test::read_available(pair.far);
    EXPECT_EQ(received, range + made + "later");
    EXPECT_EQ(left_.bytes.capacity(), std::string().capacity()) << "a burst keeps no memory";
}

TEST_F(Gather, hold_sends_nothing_and_keeps_everything) {
    auto pair = test::connected_pair(io_);
    out_.add("a");
    generate("b");
    EXPECT_FALSE(out_.flush(pair.near, left_, true).closed());
    out_.add("c");
    EXPECT_FALSE(out_.flush(pair.near, left_, true).closed());
    EXPECT_EQ(test::read_available(pair.far), "");
    EXPECT_EQ(left_.size(), 3U);
    out_.add("d");
    EXPECT_TRUE(out_.flush(pair.near, left_).ok());
    EXPECT_EQ(test::read_available(pair.far), "abcd");
    EXPECT_TRUE(left_.empty());
}

TEST_F(Gather, the_backlog_goes_first_even_if_nothing_was_added) {
    auto pair = test::connected_pair(io_);
    out_.add("held");
    (void)out_.flush(pair.near, left_, true);
    EXPECT_TRUE(out_.flush(pair.near, left_).ok());
    EXPECT_EQ(test::read_available(pair.far), "held");
}

TEST_F(Gather, a_closed_peer_is_an_error_and_the_bytes_are_dropped) {
    auto pair = test::connected_pair(io_);
    pair.far.close();
    out_.add("a");
    const io_result outcome = out_.flush(pair.near, left_);
    EXPECT_TRUE(outcome.closed());
    EXPECT_EQ(outcome.what, io_result::status::failed);
    EXPECT_TRUE(outcome.error);
    EXPECT_TRUE(out_.empty());
    EXPECT_TRUE(left_.empty());
}

TEST_F(Gather, random_parts_over_a_slow_reader_arrive_intact) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        auto pair = test::connected_pair(io_, 1);
        const std::string source = pattern(60000, seed);
        std::string expected;
        std::string received;
        for (int turn = 0; turn < 60; ++turn) {
            for (unsigned parts = static_cast<unsigned>(random() % 6); parts > 0; --parts) {
                const std::size_t from = random() % source.size();
                const std::string_view range =
                    std::string_view(source).substr(from, random() % 5000);
                expected += range;
                if (random() % 2 == 0) {
                    out_.add(range);
                } else {
                    generate(range);
                }
            }
            ASSERT_FALSE(out_.flush(pair.near, left_, random() % 5 == 0).closed());
            if (random() % 3 == 0) received += test::read_available(pair.far, random() % 20000);
        }
        do {
            received += test::read_available(pair.far);
        } while (!flush_backlog(pair.near, left_).ok());
        received += test::read_available(pair.far);
        ASSERT_EQ(received.size(), expected.size());
        ASSERT_TRUE(received == expected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace howdah::protocol
