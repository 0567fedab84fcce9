#include "protocol/io/message_channel.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "protocol/io/task_gate.hpp"
#include "tests/unit/io/sockets.hpp"

namespace howdah::protocol {
namespace {

namespace asio = boost::asio;
using outcome = message_channel::outcome;

struct received {
    outcome what;
    char type;
    std::string body;
};

/// Reads messages until one is not ok.
asio::awaitable<void> read_all(message_channel& channel, std::size_t limit,
                               std::vector<received>& into) {
    for (;;) {
        const message_channel::message m = co_await channel.next(limit);
        into.push_back({m.what, m.type, std::string(m.body)});
        if (m.what != outcome::ok) co_return;
    }
}

asio::awaitable<void> need(message_channel& channel, std::size_t n, std::string& out) {
    const std::string_view bytes = co_await channel.need(n);
    out = bytes;
}

asio::awaitable<void> send(message_channel& channel, std::string bytes, bool& ok) {
    ok = co_await channel.send(bytes);
}

std::string message(char type, std::string_view body) {
    std::string out(1, type);
    const auto length = static_cast<std::uint32_t>(body.size() + 4);
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(length >> shift);
    return out.append(body);
}

class MessageChannel : public ::testing::Test {
protected:
    void write(std::string_view bytes) {
        iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        ASSERT_EQ(pair_.far.write(&part, 1).bytes, bytes.size());
    }
    void read(std::size_t limit = 1000) { gate_.spawn(read_all(channel_, limit, seen_)); }
    std::string needed(std::size_t n) {
        std::string out;
        gate_.spawn(need(channel_, n, out));
        io_.restart();
        io_.run();
        return out;
    }

    asio::io_context io_;
    test::stream_pair pair_ = test::connected_pair(io_);
    buffer_pool pool_;
    input_buffer in_{pool_};
    message_channel channel_{pair_.near, in_};
    std::vector<received> seen_;
    task_gate gate_{io_, [](std::exception_ptr) { FAIL() << "a task threw"; }};
};

TEST_F(MessageChannel, gives_one_message_after_the_other) {
    write(message('p', "secret") + message('S', "") + message('R', "12"));
    read();
    io_.poll();
    ASSERT_EQ(seen_.size(), 3U);
    EXPECT_EQ(seen_[0].type, 'p');
    EXPECT_EQ(seen_[0].body, "secret");
    EXPECT_EQ(seen_[1].type, 'S');
    EXPECT_EQ(seen_[1].body, "");
    EXPECT_EQ(seen_[2].body, "12");
    pair_.far.close();
    io_.run();
    EXPECT_EQ(seen_.back().what, outcome::closed);
}

TEST(MessageChannelSplit, puts_together_what_arrives_split_at_any_offset) {
    const std::string bytes = message('p', "secret") + message('S', "") + message('Q', "select 1");
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        SCOPED_TRACE(at);
        asio::io_context io;
        auto pair = test::connected_pair(io);
        buffer_pool pool;
        input_buffer in(pool);
        message_channel channel(pair.near, in);
        std::vector<received> seen;
        task_gate gate(io, [](std::exception_ptr) { FAIL(); });
        gate.spawn(read_all(channel, 1000, seen));
        for (const std::string& part : {bytes.substr(0, at), bytes.substr(at)}) {
            iovec v{const_cast<char*>(part.data()), part.size()};
            ASSERT_TRUE(pair.far.write(&v, 1).ok());
            io.poll();
        }
        pair.far.close();
        io.run();
        ASSERT_EQ(seen.size(), 4U);
        EXPECT_EQ(seen[0].body, "secret");
        EXPECT_EQ(seen[1].body, "");
        EXPECT_EQ(seen[2].body, "select 1");
        EXPECT_EQ(seen[3].what, outcome::closed);
    }
}

TEST_F(MessageChannel, reads_a_message_larger_than_a_chunk) {
    const std::string body = test::pattern(3 * buffer_pool::chunk_size);
    read(1 << 20);
    write(message('p', body) + message('S', ""));
    io_.poll();
    ASSERT_EQ(seen_.size(), 2U);
    EXPECT_TRUE(seen_[0].body == body);
    EXPECT_EQ(seen_[1].type, 'S');
    pair_.far.close();
    io_.run();
}

TEST_F(MessageChannel, a_message_at_the_limit_is_read_and_one_beyond_is_not) {
    write(message('p', std::string(95, 'x')) + message('p', std::string(96, 'x')));
    read(100);
    io_.run();
    ASSERT_EQ(seen_.size(), 2U);
    EXPECT_EQ(seen_[0].what, outcome::ok);
    EXPECT_EQ(seen_[0].body.size(), 95U);
    EXPECT_EQ(seen_[1].what, outcome::too_long);
    EXPECT_EQ(seen_[1].type, 'p');
    EXPECT_EQ(seen_[1].body, "");
}

TEST_F(MessageChannel, a_huge_announcement_is_refused_from_its_header_alone) {
    write(std::string("p\x7f\xff\xff\xff", 5));
    read();
    io_.run();
    ASSERT_EQ(seen_.size(), 1U);
    EXPECT_EQ(seen_[0].what, outcome::too_long);
    EXPECT_EQ(in_.capacity(), buffer_pool::chunk_size);
}

TEST_F(MessageChannel, an_impossible_length_is_refused) {
    write(std::string("p\0\0\0\3", 5));
    read();
    io_.run();
    ASSERT_EQ(seen_.size(), 1U);
    EXPECT_EQ(seen_[0].what, outcome::too_long);
}

TEST_F(MessageChannel, a_peer_that_leaves_in_the_middle_of_a_message_has_closed) {
    const std::string whole = message('p', "secret");
    for (const std::size_t size : {std::size_t{1}, std::size_t{5}, whole.size() - 1}) {
        asio::io_context io;
        auto pair = test::connected_pair(io);
        input_buffer in(pool_);
        message_channel channel(pair.near, in);
        std::vector<received> seen;
        task_gate gate(io, [](std::exception_ptr) { FAIL(); });
        gate.spawn(read_all(channel, 1000, seen));
        iovec v{const_cast<char*>(whole.data()), size};
        ASSERT_TRUE(pair.far.write(&v, 1).ok());
        pair.far.close();
        io.run();
        ASSERT_EQ(seen.size(), 1U);
        EXPECT_EQ(seen[0].what, outcome::closed);
    }
}

TEST_F(MessageChannel, need_shows_bytes_without_taking_them) {
    write("abcdef");
    EXPECT_EQ(needed(2), "abcdef");
    EXPECT_EQ(needed(6), "abcdef");
    channel_.take(4);
    EXPECT_EQ(needed(2), "ef");
    pair_.far.close();
    EXPECT_EQ(needed(3), "");
}

TEST_F(MessageChannel, sends_and_says_whether_it_could) {
    bool ok = false;
    gate_.spawn(send(channel_, "hello", ok));
    io_.run();
    EXPECT_TRUE(ok);
    EXPECT_EQ(test::read_available(pair_.far), "hello");
    pair_.far.close();
    gate_.spawn(send(channel_, "hello", ok));
    io_.restart();
    io_.run();
    EXPECT_FALSE(ok);
    gate_.spawn(send(channel_, "", ok));
    io_.restart();
    io_.run();
    EXPECT_TRUE(ok) << "nothing to send";
}

TEST_F(MessageChannel, a_deadline_ends_a_login_that_takes_too_long) {
    deadline_wheel wheel(io_);
    stream_deadline limit(wheel, pair_.near, std::chrono::milliseconds(1));
    EXPECT_FALSE(limit.expired());
    read();
    while (seen_.empty())
        io_.run_one();
    EXPECT_TRUE(limit.expired());
    EXPECT_EQ(seen_[0].what, outcome::closed);
    EXPECT_FALSE(pair_.near.is_open());
    wheel.stop();
    io_.run();
}

}  // namespace
}  // namespace howdah::protocol
