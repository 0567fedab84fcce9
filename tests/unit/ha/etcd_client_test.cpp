#include "ha/coordination/etcd_client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <thread>

#include "protocol/io/task_gate.hpp"

namespace howdah::ha {
namespace {

using boost::asio::ip::tcp;

/// What the client makes of a server that reads one request, answers this, and closes.
etcd_answer after(const std::string& text) {
    boost::asio::io_context io, other;
    tcp::acceptor acceptor(other, {boost::asio::ip::address_v4::loopback(), 0});
    std::thread server([&] {
        tcp::socket one(other);
        acceptor.accept(one);
        std::string request;
        boost::asio::read_until(one, boost::asio::dynamic_buffer(request), "}");
        boost::asio::write(one, boost::asio::buffer(text));
    });
    etcd_login login;
    login.endpoints = {{false, "127.0.0.1", acceptor.local_endpoint().port()}};
    login.timeout = std::chrono::seconds(10);
    etcd_client client(io, std::make_shared<monitor::resolver_cache>(io), login);
    protocol::task_gate tasks(io, [](std::exception_ptr e) { std::rethrow_exception(e); });
    etcd_answer out;
    struct asking {
        static boost::asio::awaitable<void> run(etcd_client* of, etcd_answer* to) {
            auto what = grant_lease(10);
            auto answer = co_await of->ask(std::move(what));
            *to = std::move(answer);
        }
    };
    tasks.spawn(asking::run(&client, &out));
    io.run();
    server.join();
    return out;
}

TEST(EtcdClient, an_answer_that_breaks_off_anywhere_is_an_error) {
    const std::string body = R"({"header":{"revision":"3"},"ID":"7","TTL":"10"})";
    const auto whole =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const auto good = after(whole);
    ASSERT_TRUE(good.ok()) << good.error;
    EXPECT_EQ(good.lease, 7);
    for (std::size_t size = 0; size < whole.size(); ++size)
        ASSERT_FALSE(after(whole.substr(0, size)).ok()) << size;
}

TEST(EtcdClient, an_answer_without_a_length_ends_with_the_connection) {
    const auto good = after("HTTP/1.1 200 OK\r\n\r\n{\"header\":{},\"ID\":\"7\"}");
    ASSERT_TRUE(good.ok()) << good.error;
    EXPECT_EQ(good.lease, 7);
}

TEST(EtcdClient, what_is_too_long_or_no_http_is_an_error) {
    EXPECT_FALSE(after("SSH-2.0-x\r\n").ok());
    EXPECT_FALSE(after("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").ok());
    EXPECT_FALSE(after("HTTP/1.1 200 OK\r\nX: " + std::string(40000, 'x') + "\r\n\r\n{}").ok());
}

}  // namespace
}  // namespace howdah::ha
