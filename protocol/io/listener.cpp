#include "protocol/io/listener.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace howdah::protocol {
namespace {

using boost::system::error_code;

std::string describe(const listen_address& at) {
    if (at.host.starts_with('/')) return unix_socket_path(at);
    const bool v6 = at.host.find(':') != std::string::npos;
    return (v6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

[[noreturn]] void fail(const listen_address& at, int fd, const char* what) {
    const std::string reason = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("cannot listen on " + describe(at) + ": " + what + ": " + reason);
}

int open_unix(const listen_address& at) {
    const std::string path = unix_socket_path(at);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error("cannot listen on " + path + ": the path is longer than " +
                                 std::to_string(sizeof address.sun_path - 1) + " bytes");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) fail(at, fd, "socket");
    // A socket file that nobody answers on is left over from a crash.
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        ::close(fd);
        throw std::runtime_error("cannot listen on " + path + ": another process listens there");
    }
    const bool refused = errno == ECONNREFUSED;
    struct stat existing {};
    if (refused && ::lstat(path.c_str(), &existing) == 0 && S_ISSOCK(existing.st_mode))
        ::unlink(path.c_str());
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fail(at, fd, "bind");
    ::chmod(path.c_str(), 0777);
    if (::listen(fd, SOMAXCONN) != 0) fail(at, fd, "listen");
    return fd;
}

int open_tcp(const listen_address& at) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(at.port);
    const char* host = at.host.empty() || at.host == "*" ? nullptr : at.host.c_str();
    if (const int rc = ::getaddrinfo(host, port.c_str(), &hints, &found); rc != 0)
        throw std::runtime_error("cannot listen on " + describe(at) + ": " + ::gai_strerror(rc));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, ::freeaddrinfo);
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) fail(at, fd, "socket");
    const int on = 1;
    if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        fail(at, fd, "setsockopt");
    if (::bind(fd, found->ai_addr, found->ai_addrlen) != 0) fail(at, fd, "bind");
    if (::listen(fd, SOMAXCONN) != 0) fail(at, fd, "listen");
    return fd;
}

}  // namespace

std::string unix_socket_path(const listen_address& at) {
    return at.host + "/.s.PGSQL." + std::to_string(at.port);
}

int open_listening_socket(const listen_address& at) {
    return at.host.starts_with('/') ? open_unix(at) : open_tcp(at);
}

std::uint16_t bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    if (address.ss_family == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
    return 0;
}

listener::listener(boost::asio::io_context& io, int fd, on_accept accepted, on_error failed)
    : io_(io),
      acceptor_(io.get_executor()),
      pause_(io),
      accepted_(std::move(accepted)),
      failed_(std::move(failed)) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    acceptor_.assign(boost::asio::generic::stream_protocol(address.ss_family, 0), fd);
}

void listener::start() {
    accept_next();
}

void listener::accept_next() {
    acceptor_.async_accept(io_.get_executor(), [this](const error_code& ec, stream_socket socket) {
        if (stopped_) return;
        if (!ec) {
            report(ec);
            accepted_(std::move(socket));
            accept_next();
            return;
        }
        if (ec == boost::asio::error::connection_aborted) {
            accept_next();
            return;
        }
        report(ec);
        pause_.expires_after(std::chrono::milliseconds(100));
        pause_.async_wait([this](const error_code& waited) {
            if (!waited && !stopped_) accept_next();
        });
    });
}

void listener::report(const error_code& now) {
    if (now == failing_) return;
    failing_ = now;
    failed_(now);
}

void listener::stop() {
    stopped_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

}  // namespace howdah::protocol
