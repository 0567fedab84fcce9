#include "protocol/io/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>

namespace howdah::protocol {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

io_result from_errno(int code, io_result::status blocked) {
    if (code == EAGAIN || code == EWOULDBLOCK) return {blocked, 0, {}};
    return {io_result::status::failed, 0, error_code(code, boost::system::system_category())};
}

// SSL_write takes one range; small parts are put together so that they share a TLS record.
constexpr std::size_t tls_record = 16 * 1024;

}  // namespace

stream::stream(stream_socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.native_non_blocking(true, ignored);
}

io_result stream::read(char* to, std::size_t size) {
    if (ssl_) {
        ERR_clear_error();
        const int n =
            SSL_read(ssl_.get(), to, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
        if (n > 0) return {io_result::status::ok, static_cast<std::size_t>(n), {}};
        return ssl_outcome(n);
    }
    for (;;) {
        const ssize_t n = ::recv(socket_.native_handle(), to, size, 0);
        if (n > 0) return {io_result::status::ok, static_cast<std::size_t>(n), {}};
        if (n == 0) return {io_result::status::end_of_file, 0, {}};
        if (errno != EINTR) return from_errno(errno, io_result::status::want_read);
    }
}

io_result stream::peek(char* to, std::size_t size) {
    for (;;) {
        const ssize_t n = ::recv(socket_.native_handle(), to, size, MSG_PEEK);
        if (n > 0) return {io_result::status::ok, static_cast<std::size_t>(n), {}};
        if (n == 0) return {io_result::status::end_of_file, 0, {}};
        if (errno != EINTR) return from_errno(errno, io_result::status::want_read);
    }
}

io_result stream::write(const iovec* parts, std::size_t count) {
    if (ssl_) {
        char joined[tls_record];
        const char* from = static_cast<const char*>(parts[0].iov_base);
        std::size_t size = parts[0].iov_len;
        if (count > 1 && size < tls_record) {
            size = 0;
            for (std::size_t i = 0; i < count && size < tls_record; ++i) {
                const std::size_t n = std::min(parts[i].iov_len, tls_record - size);
                std::memcpy(joined + size, parts[i].iov_base, n);
                size += n;
            }
            from = joined;
        }
        ERR_clear_error();
        const int n =
            SSL_write(ssl_.get(), from, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
        if (n > 0) return {io_result::status::ok, static_cast<std::size_t>(n), {}};
        return ssl_outcome(n);
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = std::min<std::size_t>(count, IOV_MAX);
    for (;;) {
        const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
        if (n >= 0) return {io_result::status::ok, static_cast<std::size_t>(n), {}};
        if (errno != EINTR) return from_errno(errno, io_result::status::want_write);
    }
}

bool stream::has_buffered_input() const {
    return ssl_ && SSL_pending(ssl_.get()) > 0;
}

io_result stream::ssl_outcome(int returned) {
    const int saved_errno = errno;
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return {io_result::status::want_read, 0, {}};
        case SSL_ERROR_WANT_WRITE:
            return {io_result::status::want_write, 0, {}};
        case SSL_ERROR_ZERO_RETURN:
            return {io_result::status::end_of_file, 0, {}};
        case SSL_ERROR_SYSCALL:
            if (saved_errno != 0)
                return {io_result::status::failed, 0,
                        error_code(saved_errno, boost::system::system_category())};
            return {io_result::status::end_of_file, 0, {}};
        default:
            tls_error_ = take_ssl_error();
            return {io_result::status::failed, 0,
                    error_code(EPROTO, boost::system::system_category())};
    }
}

bool stream::start_tls(const tls_context& context, role as, const std::string& sni,
                       bool verify_name) {
    ssl_.reset(SSL_new(context.get()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) {
        tls_error_ = take_ssl_error();
        return false;
    }
    if (as == role::server) {
        SSL_set_accept_state(ssl_.get());
        return true;
    }
    SSL_set_connect_state(ssl_.get());
    error_code not_an_address;
    asio::ip::make_address(sni, not_an_address);
    const bool is_address = !not_an_address;
    // RFC 6066 forbids addresses in SNI.
    if (!sni.empty() && !is_address) SSL_set_tlsext_host_name(ssl_.get(), sni.c_str());
    if (verify_name) {
        X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
        const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, sni.c_str())
                                   : SSL_set1_host(ssl_.get(), sni.c_str());
        if (set != 1) {
            tls_error_ = take_ssl_error();
            return false;
        }
    }
    return true;
}

io_result stream::handshake() {
    ERR_clear_error();
    const int n = SSL_do_handshake(ssl_.get());
    if (n == 1) return {io_result::status::ok, 0, {}};
    io_result outcome = ssl_outcome(n);
    const long verified = SSL_get_verify_result(ssl_.get());
    if (outcome.closed() && verified != X509_V_OK)
        tls_error_ = X509_verify_cert_error_string(verified);
    return outcome;
}

asio::awaitable<error_code> stream::wait_for(wait_type type) {
    auto [ec] = co_await socket_.async_wait(type, asio::as_tuple(asio::use_awaitable));
    co_return ec;
}

asio::awaitable<io_result> stream::async_handshake() {
    for (;;) {
        io_result outcome = handshake();
        if (!outcome.blocked()) co_return outcome;
        const auto type = outcome.what == io_result::status::want_read ? wait_type::wait_read
                                                                       : wait_type::wait_write;
        const error_code ec = co_await wait_for(type);
        if (ec) {
            outcome = {io_result::status::failed, 0, ec};
            co_return outcome;
        }
    }
}

asio::awaitable<io_result> stream::async_read_some(char* to, std::size_t size) {
    for (;;) {
        io_result outcome = read(to, size);
        if (!outcome.blocked()) co_return outcome;
        const auto type = outcome.what == io_result::status::want_read ? wait_type::wait_read
                                                                       : wait_type::wait_write;
        const error_code ec = co_await wait_for(type);
        if (ec) {
            outcome = {io_result::status::failed, 0, ec};
            co_return outcome;
        }
    }
}

asio::awaitable<io_result> stream::async_write_all(std::string_view bytes) {
    std::size_t written = 0;
    io_result outcome;
    while (written < bytes.size()) {
        const iovec part{const_cast<char*>(bytes.data()) + written, bytes.size() - written};
        outcome = write(&part, 1);
        if (outcome.closed()) co_return outcome;
        if (outcome.ok()) {
            written += outcome.bytes;
            continue;
        }
        const auto type = outcome.what == io_result::status::want_read ? wait_type::wait_read
                                                                       : wait_type::wait_write;
        const error_code ec = co_await wait_for(type);
        if (ec) {
            outcome = {io_result::status::failed, 0, ec};
            co_return outcome;
        }
    }
    outcome = {io_result::status::ok, written, {}};
    co_return outcome;
}

void stream::close() {
    if (!socket_.is_open()) return;
    if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    error_code ignored;
    socket_.close(ignored);
}

stream stream::move_to(asio::io_context& to) && {
    error_code ignored;
    const auto protocol = socket_.local_endpoint(ignored).protocol();
    const int fd = socket_.release(ignored);
    stream_socket moved(to.get_executor());
    moved.assign(protocol, fd, ignored);
    stream result(std::move(moved));
    result.ssl_ = std::move(ssl_);
    return result;
}

void set_tcp_options(stream_socket& socket, int keepalive_seconds) {
    error_code ec;
    const int family = socket.local_endpoint(ec).protocol().family();
    if (ec || (family != AF_INET && family != AF_INET6)) return;
    const int fd = socket.native_handle();
    const int on = 1;
    // Failures here cost latency, not correctness.
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (keepalive_seconds <= 0) return;
    const int interval = std::max(1, keepalive_seconds / 6);
    const int probes = 3;
    (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_seconds, sizeof keepalive_seconds);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

namespace {

/// Nothing where it is no address of TCP.
template <class Endpoint>
std::optional<asio::ip::tcp::endpoint> as_tcp(const Endpoint& generic) {
    const int family = generic.protocol().family();
    if (family != AF_INET && family != AF_INET6) return std::nullopt;
    asio::ip::tcp::endpoint tcp;
    tcp.resize(generic.size());
    std::memcpy(tcp.data(), generic.data(), generic.size());
    return tcp;
}

}  // namespace

std::string peer_name(const stream_socket& socket) {
    error_code ec;
    const auto generic = socket.remote_endpoint(ec);
    if (ec) return "unknown";
    const auto tcp = as_tcp(generic);
    if (!tcp) return "unix";
    const std::string address = tcp->address().to_string();
    return (tcp->address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(tcp->port());
}

socket_address local_address(const stream_socket& socket) {
    error_code ec;
    const auto generic = socket.local_endpoint(ec);
    if (ec) return {};
    const auto tcp = as_tcp(generic);
    if (!tcp) return {"unix", 0};
    return {tcp->address().to_string(), tcp->port()};
}

}  // namespace howdah::protocol
