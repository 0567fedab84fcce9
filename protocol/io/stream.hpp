#pragma once
#include <sys/uio.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/io/tls.hpp"

namespace howdah::protocol {

/// Sockets are tied to a worker's io_context by its concrete executor: smaller and faster than
/// the type-erased one. Covers TCP and unix sockets.
using stream_socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                       boost::asio::io_context::executor_type>;

/// Outcome of one non-blocking read or write.
struct io_result {
    enum class status : std::uint8_t {
        ok,           ///< bytes > 0
        want_read,    ///< nothing to do until the socket is readable
        want_write,   ///< nothing to do until the socket is writable
        end_of_file,  ///< the peer closed in order
        failed        ///< error holds why
    };
    status what = status::ok;
    std::size_t bytes = 0;
    boost::system::error_code error;

    [[nodiscard]] bool ok() const { return what == status::ok; }
    [[nodiscard]] bool blocked() const {
        return what == status::want_read || what == status::want_write;
    }
    [[nodiscard]] bool closed() const {
        return what == status::end_of_file || what == status::failed;
    }
};

/// A plain or TLS byte stream over a non-blocking socket. Reads and writes never block and never
/// allocate; waiting is separate (`wait`), so that a connection without traffic costs no buffer.
/// OpenSSL works on the file descriptor itself: no memory BIOs, no second copy.
/// Belongs to one io_context; not thread-safe. The process ignores SIGPIPE.
class stream {
public:
    using wait_type = boost::asio::socket_base::wait_type;
    enum class role : std::uint8_t { client, server };

    explicit stream(stream_socket socket);
    stream(stream&&) noexcept = default;
    stream& operator=(stream&&) noexcept = default;
    ~stream() = default;

    [[nodiscard]] io_result read(char* to, std::size_t size);
    [[nodiscard]] io_result write(const iovec* parts, std::size_t count);
    /// Bytes that OpenSSL has decrypted and that no readiness event will announce.
    [[nodiscard]] bool has_buffered_input() const;
    /// Looks at bytes without taking them; plain streams only.
    [[nodiscard]] io_result peek(char* to, std::size_t size);

    /// Calls handler(error_code) once when the socket is readable or writable.
    template <class Handler>
    void wait(wait_type type, Handler&& handler) {
        socket_.async_wait(type, std::forward<Handler>(handler));
    }
    [[nodiscard]] boost::asio::awaitable<boost::system::error_code> wait_for(wait_type type);

    /// Starts TLS on the socket. sni: the name to send and, where verify is set, to check (clients
    /// only). The handshake itself is handshake(), to be repeated as its result says.
    [[nodiscard]] bool start_tls(const tls_context& context, role as, const std::string& sni,
                                 bool verify_name);
    [[nodiscard]] io_result handshake();
    [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
    /// Why the last TLS operation failed, for a log line.
    [[nodiscard]] const std::string& tls_error() const { return tls_error_; }

    /// Sequential helpers for logins. The caller bounds them by closing the stream.
    [[nodiscard]] boost::asio::awaitable<io_result> async_handshake();
    /// Reads at least one byte.
    [[nodiscard]] boost::asio::awaitable<io_result> async_read_some(char* to, std::size_t size);
    [[nodiscard]] boost::asio::awaitable<io_result> async_write_all(std::string_view bytes);

    /// Ends all waits (operation_aborted). Sends TLS close_notify if that needs no waiting.
    void close();
    [[nodiscard]] bool is_open() const { return socket_.is_open(); }
    [[nodiscard]] stream_socket& socket() { return socket_; }
    /// Moves the connection to another io_context; no wait may be outstanding.
    [[nodiscard]] stream move_to(boost::asio::io_context& to) &&;

private:
    struct ssl_deleter {
        void operator()(SSL* s) const { SSL_free(s); }
    };
    [[nodiscard]] io_result ssl_outcome(int returned);

    stream_socket socket_;
    std::unique_ptr<SSL, ssl_deleter> ssl_;
    std::string tls_error_;
};

/// Sets TCP_NODELAY and keepalive (seconds of silence before the first probe; 0 = off).
/// No effect on unix sockets.
void set_tcp_options(stream_socket& socket, int keepalive_seconds);

/// "10.0.0.1:5432", "[::1]:5432" or "unix" of the peer, for logs.
[[nodiscard]] std::string peer_name(const stream_socket& socket);

struct socket_address {
    std::string host;  ///< an IP address without brackets, or "unix"
    std::uint16_t port = 0;
};
/// What the peer has connected to.
[[nodiscard]] socket_address local_address(const stream_socket& socket);

}  // namespace howdah::protocol
