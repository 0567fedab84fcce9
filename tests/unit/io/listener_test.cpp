#include "protocol/io/listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/ip/tcp.hpp>
#include <fstream>

#include "tests/unit/io/sockets.hpp"

namespace howdah::protocol {
namespace {

namespace asio = boost::asio;

struct descriptor {
    explicit descriptor(int opened) : fd(opened) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd >= 0) ::close(fd);
    }
    int fd;
};

std::string complaint(const listen_address& at) {
    try {
        const descriptor opened(open_listening_socket(at));
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "opened";
}

bool connects(const std::string& path) {
    const descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::connect(client.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

TEST(ListeningSocket, port_zero_is_replaced_by_a_free_port) {
    for (const char* host : {"127.0.0.1", "::1", "localhost"}) {
        const descriptor s(open_listening_socket({host, 0}));
        EXPECT_GT(bound_port(s.fd), 0) << host;
    }
}

TEST(ListeningSocket, a_port_is_opened_once_per_worker) {
    const descriptor first(open_listening_socket({"127.0.0.1", 0}));
    const std::uint16_t port = bound_port(first.fd);
    const descriptor second(open_listening_socket({"127.0.0.1", port}));
    EXPECT_EQ(bound_port(second.fd), port);
}

TEST(ListeningSocket, no_host_or_a_star_is_every_address) {
    for (const char* host : {"", "*"}) {
        const descriptor s(open_listening_socket({host, 0}));
        EXPECT_GT(bound_port(s.fd), 0);
    }
}

TEST(ListeningSocket, a_taken_port_is_an_error_with_address_and_reason) {
    asio::io_context io;
    const asio::ip::tcp::acceptor taken(io, {asio::ip::address_v4::loopback(), 0}, false);
    const std::uint16_t port = taken.local_endpoint().port();
    const std::string why = complaint({"127.0.0.1", port});
    EXPECT_NE(why.find("127.0.0.1:" + std::to_string(port)), std::string::npos) << why;
    EXPECT_NE(why.find("in use"), std::string::npos) << why;
}

TEST(ListeningSocket, an_address_of_another_host_is_an_error) {
    EXPECT_NE(complaint({"192.0.2.1", 0}), "opened");
}

TEST(ListeningSocket, a_unix_socket_is_where_libpq_looks_and_open_to_all) {
    const test::temporary_folder folder;
    const listen_address at{folder.path(), 6133};
    EXPECT_EQ(unix_socket_path(at), folder.path() + "/.s.PGSQL.6133");
    const descriptor s(open_listening_socket(at));
    EXPECT_TRUE(connects(unix_socket_path(at)));
    struct stat info {};
    ASSERT_EQ(::stat(unix_socket_path(at).c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 0777U, 0777U);
    EXPECT_EQ(bound_port(s.fd), 0);
}

TEST(ListeningSocket, a_unix_socket_left_over_from_a_crash_is_replaced) {
    const test::temporary_folder folder;
    const listen_address at{folder.path(), 6133};
    { const descriptor crashed(open_listening_socket(at)); }
    ASSERT_FALSE(connects(unix_socket_path(at)));
    const descriptor s(open_listening_socket(at));
    EXPECT_TRUE(connects(unix_socket_path(at)));
}

TEST(ListeningSocket, a_unix_socket_that_somebody_listens_on_is_left_alone) {
    const test::temporary_folder folder;
    const listen_address at{folder.path(), 6133};
    const descriptor live(open_listening_socket(at));
    EXPECT_NE(complaint(at).find("another process listens there"), std::string::npos);
    EXPECT_TRUE(connects(unix_socket_path(at)));
}

TEST(ListeningSocket, a_busy_unix_socket_whose_backlog_is_full_is_left_alone_too) {
    const test::temporary_folder folder;
    const listen_address at{folder.path(), 6133};
    const descriptor live(open_listening_socket(at));
    ASSERT_EQ(::listen(live.fd, 0), 0);
    std::vector<std::unique_ptr<descriptor>> clients;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_socket_path(at).copy(address.sun_path, sizeof address.sun_path - 1);
    for (int rc = 0; rc == 0;) {
        clients.push_back(
            std::make_unique<descriptor>(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)));
        rc = ::connect(clients.back()->fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ASSERT_EQ(errno, EAGAIN);
    EXPECT_NE(complaint(at), "opened");
    struct stat info {};
    EXPECT_EQ(::stat(unix_socket_path(at).c_str(), &info), 0);
    // The one behind the path is still the live one.
    const descriptor accepted(::accept(live.fd, nullptr, nullptr));
    EXPECT_TRUE(connects(unix_socket_path(at)));
}

TEST(ListeningSocket, a_file_that_is_no_socket_is_not_removed) {
    const test::temporary_folder folder;
    const listen_address at{folder.path(), 6133};
    std::ofstream(unix_socket_path(at)) << "precious";
    EXPECT_NE(complaint(at).find("in use"), std::string::npos) << complaint(at);
    std::string content;
    std::ifstream(unix_socket_path(at)) >> content;
    EXPECT_EQ(content, "precious");
}

TEST(ListeningSocket, a_path_that_no_socket_address_holds_is_an_error) {
    EXPECT_NE(complaint({"/tmp/" + std::string(120, 'x'), 1}).find("longer than"),
              std::string::npos);
    EXPECT_NE(complaint({"/nonexistent/folder", 1}).find("bind"), std::string::npos);
}

TEST(Listener, hands_over_every_connection_until_it_is_stopped) {
    asio::io_context io;
    const int fd = open_listening_socket({"127.0.0.1", 0});
    const asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), bound_port(fd));
    std::vector<stream> accepted;
    listener l(
        io, fd, [&](stream_socket s) { accepted.emplace_back(std::move(s)); },
        [](const boost::system::error_code& ec) { FAIL() << ec.message(); });
    l.start();
    std::vector<asio::ip::tcp::socket> clients;
    for (std::size_t i = 1; i <= 5; ++i) {
        clients.emplace_back(io).connect(at);
        while (accepted.size() < i)
            io.run_one();
        EXPECT_EQ(peer_name(accepted.back().socket()),
                  "127.0.0.1:" + std::to_string(clients.back().local_endpoint().port()));
    }
    boost::system::error_code ec;
    clients[0].write_some(asio::buffer("x", 1), ec);
    bool readable = false;
    accepted[0].wait(stream::wait_type::wait_read, [&](const auto& e) { readable = !e; });
    while (!readable)
        io.run_one();
    EXPECT_EQ(test::read_available(accepted[0]), "x");
    l.stop();
    io.run();
    asio::ip::tcp::socket late(io);
    late.connect(at, ec);
    EXPECT_EQ(ec, asio::error::connection_refused);
}

TEST(Listener, listens_on_a_unix_socket_shared_by_two_workers) {
    const test::temporary_folder folder;
    const listen_address where{folder.path(), 1};
    asio::io_context io;
    const int fd = open_listening_socket(where);
    const int copy = ::dup(fd);
    int accepted = 0;
    const auto count = [&](stream_socket s) {
        EXPECT_EQ(peer_name(s), "unix");
        ++accepted;
    };
    const auto fail = [](const boost::system::error_code& ec) { FAIL() << ec.message(); };
    listener first(io, fd, count, fail);
    listener second(io, copy, count, fail);
    first.start();
    second.start();
    for (int i = 1; i <= 4; ++i) {
        EXPECT_TRUE(connects(unix_socket_path(where)));
        while (accepted < i)
            io.run_one();
    }
    first.stop();
    EXPECT_TRUE(connects(unix_socket_path(where)));
    while (accepted < 5)
        io.run_one();
    second.stop();
    io.run();
}

TEST(Listener, out_of_descriptors_says_so_once_and_goes_on_when_there_are_some) {
    asio::io_context io;
    const int fd = open_listening_socket({"127.0.0.1", 0});
    const asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), bound_port(fd));
    std::vector<stream> accepted;
    std::vector<boost::system::error_code> reports;
    listener l(
        io, fd, [&](stream_socket s) { accepted.emplace_back(std::move(s)); },
        [&](const boost::system::error_code& ec) { reports.push_back(ec); });
    l.start();
    asio::ip::tcp::socket client(io);
    client.connect(at);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    // No number below the lowest that is free.
    const int lowest = ::dup(fd);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    // The reason, and one pause at least.
    for (int i = 0; i < 4; ++i)
        io.run_one();
    EXPECT_THAT(reports,
                testing::ElementsAre(boost::system::error_code(asio::error::no_descriptors)));
    EXPECT_TRUE(accepted.empty());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    while (accepted.empty())
        io.run_one();
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_FALSE(reports[1]);
    l.stop();
    io.run();
}

}  // namespace
}  // namespace howdah::protocol
