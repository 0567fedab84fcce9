#pragma once
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/io/stream.hpp"

namespace howdah::protocol {

/// Where to listen: an address and port, or a unix socket directory (host starts with '/', the
/// socket is <dir>/.s.PGSQL.<port> as libpq expects).
struct listen_address {
    std::string host;
    std::uint16_t port = 0;
};

/// A bound and listening socket. TCP sockets are opened once per worker with SO_REUSEPORT; a unix
/// socket is bound once and its descriptor duplicated for every worker.
/// Throws std::runtime_error with the address and the reason.
[[nodiscard]] int open_listening_socket(const listen_address& at);
[[nodiscard]] std::string unix_socket_path(const listen_address& at);
/// Port that the system chose for port 0, else the bound one.
[[nodiscard]] std::uint16_t bound_port(int fd);

/// Accepts connections on one io_context. Out of descriptors or memory, it pauses for a moment
/// instead of spinning and goes on by itself when it can; the backlog keeps the clients meanwhile.
class listener {
public:
    using on_accept = std::function<void(stream_socket)>;
    /// Called once with the reason when accepting begins to fail or fails for another reason, and
    /// once without an error when it works again.
    using on_error = std::function<void(const boost::system::error_code&)>;

    /// Takes ownership of the descriptor.
    listener(boost::asio::io_context& io, int fd, on_accept accepted, on_error failed);
    void start();
    void stop();

private:
    using acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol,
                                                        boost::asio::io_context::executor_type>;
    void accept_next();
    void report(const boost::system::error_code& now);

    boost::asio::io_context& io_;
    acceptor acceptor_;
    boost::asio::steady_timer pause_;
    on_accept accepted_;
    on_error failed_;
    boost::system::error_code failing_;
    bool stopped_ = false;
};

}  // namespace howdah::protocol
