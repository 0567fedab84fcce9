#include "protocol/io/stream.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstring>

#include "protocol/io/task_gate.hpp"
#include "tests/unit/io/sockets.hpp"

namespace howdah::protocol {
namespace {

namespace asio = boost::asio;
using test::pattern;

asio::awaitable<void> send_all(stream& to, std::string bytes, io_result& out) {
    out = co_await to.async_write_all(bytes);
}

asio::awaitable<void> receive(stream& from, std::size_t size, std::string& into) {
    char chunk[3000];
    while (into.size() < size) {
        const io_result got = co_await from.async_read_some(chunk, sizeof chunk);
        if (!got.ok()) co_return;
        into.append(chunk, got.bytes);
    }
}

asio::awaitable<void> wait_once(stream& on, stream::wait_type type,
                                boost::system::error_code& out) {
    out = co_await on.wait_for(type);
}

class Stream : public ::testing::Test {
protected:
    void spawn(asio::awaitable<void> task) { gate_.spawn(std::move(task)); }

    asio::io_context io_;
    task_gate gate_{io_, [](std::exception_ptr) { FAIL() << "a task threw"; }};
};

TEST_F(Stream, never_blocks) {
    auto pair = test::connected_pair(io_, 1);
    char byte;
    EXPECT_EQ(pair.near.read(&byte, 1).what, io_result::status::want_read);
    EXPECT_EQ(pair.near.peek(&byte, 1).what, io_result::status::want_read);
    const std::string bytes = pattern(1 << 20);
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    std::size_t taken = 0;
    io_result outcome = pair.near.write(&part, 1);
    while (outcome.ok()) {
        taken += outcome.bytes;
        part = {const_cast<char*>(bytes.data()) + taken, bytes.size() - taken};
        outcome = pair.near.write(&part, 1);
    }
    EXPECT_EQ(outcome.what, io_result::status::want_write);
    EXPECT_TRUE(outcome.blocked());
    EXPECT_LT(taken, bytes.size());
    EXPECT_EQ(test::read_available(pair.far), bytes.substr(0, taken));
}

TEST_F(Stream, peek_leaves_the_bytes_where_they_are) {
    auto pair = test::connected_pair(io_);
    iovec part{const_cast<char*>("abc"), 3};
    EXPECT_EQ(pair.near.write(&part, 1).bytes, 3U);
    char seen[8];
    for (int i = 0; i < 2; ++i) {
        const io_result got = pair.far.peek(seen, sizeof seen);
        ASSERT_EQ(got.bytes, 3U);
        EXPECT_EQ(std::string_view(seen, 3), "abc");
    }
    EXPECT_EQ(test::read_available(pair.far), "abc");
    EXPECT_FALSE(pair.far.has_buffered_input());
}

TEST_F(Stream, an_orderly_end_is_told_from_a_failure) {
    auto pair = test::connected_pair(io_);
    iovec part{const_cast<char*>("last"), 4};
    EXPECT_TRUE(pair.near.write(&part, 1).ok());
    pair.near.close();
    EXPECT_FALSE(pair.near.is_open());
    pair.near.close();
    char bytes[8];
    EXPECT_EQ(pair.far.read(bytes, sizeof bytes).bytes, 4U);
    const io_result end = pair.far.read(bytes, sizeof bytes);
    EXPECT_EQ(end.what, io_result::status::end_of_file);
    EXPECT_TRUE(end.closed());
    EXPECT_FALSE(end.error);
    EXPECT_EQ(pair.far.peek(bytes, sizeof bytes).what, io_result::status::end_of_file);
    const io_result refused = pair.far.write(&part, 1);
    EXPECT_EQ(refused.what, io_result::status::failed);
    EXPECT_EQ(refused.error.value(), EPIPE);
}

TEST_F(Stream, gathers_several_parts_into_one_write) {
    auto pair = test::connected_pair(io_);
    iovec parts[] = {
        {const_cast<char*>("ab"), 2}, {const_cast<char*>("c"), 1}, {const_cast<char*>("def"), 3}};
    EXPECT_EQ(pair.near.write(parts, 3).bytes, 6U);
    EXPECT_EQ(test::read_available(pair.far), "abcdef");
}

TEST_F(Stream, writes_all_to_a_slow_reader) {
    auto pair = test::connected_pair(io_, 1);
    const std::string bytes = pattern(500000);
    io_result sent;
    std::string received;
    spawn(send_all(pair.near, bytes, sent));
    spawn(receive(pair.far, bytes.size(), received));
    io_.run();
    EXPECT_TRUE(sent.ok());
    EXPECT_EQ(sent.bytes, bytes.size());
    EXPECT_TRUE(received == bytes);
}

TEST_F(Stream, writing_nothing_is_done_at_once) {
    auto pair = test::connected_pair(io_);
    io_result sent;
    sent.what = io_result::status::failed;
    spawn(send_all(pair.near, {}, sent));
    io_.run();
    EXPECT_FALSE(sent.closed());
    EXPECT_EQ(sent.bytes, 0U);
}

TEST_F(Stream, closing_ends_every_wait) {
    auto pair = test::connected_pair(io_);
    boost::system::error_code readable;
    std::string received;
    spawn(wait_once(pair.near, stream::wait_type::wait_read, readable));
    spawn(receive(pair.near, 1, received));
    io_.poll();
    EXPECT_EQ(gate_.running(), 2U);
    pair.near.close();
    io_.run();
    EXPECT_EQ(readable, asio::error::operation_aborted);
    EXPECT_EQ(gate_.running(), 0U);
}

TEST_F(Stream, tells_when_it_is_readable_and_writable) {
    auto pair = test::connected_pair(io_);
    int readable = 0;
    int writable = 0;
    pair.near.wait(stream::wait_type::wait_read, [&](const auto& ec) { readable += ec ? 0 : 1; });
    pair.near.wait(stream::wait_type::wait_write, [&](const auto& ec) { writable += ec ? 0 : 1; });
    io_.poll();
    EXPECT_EQ(writable, 1);
    EXPECT_EQ(readable, 0);
    iovec part{const_cast<char*>("x"), 1};
    (void)pair.far.write(&part, 1);
    io_.run();
    EXPECT_EQ(readable, 1);
}

TEST_F(Stream, moves_to_another_io_context_with_its_bytes) {
    auto pair = test::connected_pair(io_);
    iovec part{const_cast<char*>("before"), 6};
    (void)pair.near.write(&part, 1);
    asio::io_context other;
    stream moved = std::move(pair.far).move_to(other);
    EXPECT_TRUE(moved.is_open());
    EXPECT_FALSE(pair.far.is_open());
    EXPECT_EQ(test::read_available(moved), "before");
    bool readable = false;
    moved.wait(stream::wait_type::wait_read, [&](const auto& ec) { readable = !ec; });
    (void)pair.near.write(&part, 1);
    other.run();
    EXPECT_TRUE(readable);
    EXPECT_EQ(test::read_available(moved), "before");
}

TEST_F(Stream, names_its_peer) {
    auto pair = test::connected_pair(io_);
    EXPECT_EQ(peer_name(pair.near.socket()), "unix");
    for (const char* address : {"127.0.0.1", "::1"}) {
        asio::ip::tcp::acceptor acceptor(io_);
        const asio::ip::tcp::endpoint at(asio::ip::make_address(address), 0);
        acceptor.open(at.protocol());
        acceptor.bind(at);
        acceptor.listen();
        asio::ip::tcp::socket client(io_);
        client.connect(acceptor.local_endpoint());
        asio::ip::tcp::socket accepted = acceptor.accept();
        const std::string expected = (at.address().is_v6() ? "[::1]:" : "127.0.0.1:") +
                                     std::to_string(client.local_endpoint().port());
        const int family = at.protocol().family();
        stream s = test::adopt(io_, accepted.release(), family);
        EXPECT_EQ(peer_name(s.socket()), expected);

        set_tcp_options(s.socket(), 60);
        const auto option = [&](int level, int name) {
            int value = -1;
            socklen_t size = sizeof value;
            (void)::getsockopt(s.socket().native_handle(), level, name, &value, &size);
            return value;
        };
        EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
        EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
        EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
        EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
    }
    set_tcp_options(pair.near.socket(), 60);
    pair.near.close();
    EXPECT_EQ(peer_name(pair.near.socket()), "unknown");
}

asio::awaitable<void> throws() {
    throw std::runtime_error("out of a task");
    co_return;
}

TEST(TaskGate, reports_what_escapes_from_a_task_and_tells_when_it_is_idle) {
    asio::io_context io;
    std::string reported;
    task_gate gate(io, [&](std::exception_ptr e) {
        try {
            std::rethrow_exception(e);
        } catch (const std::exception& what) {
            reported = what.what();
        }
    });
    int idle = 0;
    gate.when_idle([&] { ++idle; });
    EXPECT_EQ(idle, 1) << "nothing runs";
    gate.spawn(throws());
    EXPECT_EQ(gate.running(), 1U);
    gate.when_idle([&] { ++idle; });
    EXPECT_EQ(idle, 1);
    io.run();
    EXPECT_EQ(idle, 2);
    EXPECT_EQ(gate.running(), 0U);
    EXPECT_EQ(reported, "out of a task");
}

}  // namespace
}  // namespace howdah::protocol
