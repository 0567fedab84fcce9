#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/io/buffer.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/tls.hpp"
#include "protocol/wire/scram.hpp"
#include "proxy/pool/server_connection.hpp"

namespace howdah::proxy {

/// Further parameters of a StartupMessage, as they are sent.
using startup_parameters = std::vector<std::pair<std::string, std::string>>;

/// What opening a server connection needs to know. The pointers outlive the attempt.
struct server_login_request {
    const server_entry* server = nullptr;
    const pool_login* login = nullptr;
    std::string database{};                    ///< the server's name of it
    std::string address{};                     ///< where its name leads; empty: ask for it
    std::string password;                      ///< plain text; empty: none is known
    std::optional<protocol::scram_keys> keys;  ///< of an earlier SCRAM login
    /// Called with the keys of a SCRAM login that succeeded.
    std::function<void(const protocol::scram_keys&)> on_keys;
    protocol::sslmode ssl = protocol::sslmode::prefer;
    protocol::tls_context tls;
    std::chrono::milliseconds timeout{1000};
    int keepalive_seconds = 0;
    startup_parameters parameters;  ///< beside user and database
    std::string statements;         ///< run after the login (init_connect); empty: none
    settings_ptr no_settings;       ///< what a fresh connection has
};

/// Why no connection came about.
struct server_login_error {
    /// True where the server (or the way to it) is to blame; false where this user or database is.
    bool server_fault = true;
    /// The server said that it is full (53300): alive, try again when somebody leaves.
    bool full = false;
    std::string sqlstate;
    std::string message;  ///< names the server
    std::string raw;      ///< body of the server's own ErrorResponse, empty if it sent none
};

using server_login_result = std::variant<server_connection::parts, server_login_error>;

/// Connects, negotiates TLS, authenticates (SCRAM with channel binding where offered, md5,
/// cleartext) and reads up to the first ReadyForQuery. Never throws for what the network or the
/// server does; bounded by the request's timeout.
[[nodiscard]] boost::asio::awaitable<server_login_result> log_in_to_server(
    boost::asio::io_context& io, protocol::buffer_pool& buffers, protocol::deadline_wheel& wheel,
    server_login_request request);

/// Sends a CancelRequest and waits until the server has closed the connection, which it does once
/// the signal is sent. Bounded by `timeout`; failures are of no consequence.
[[nodiscard]] boost::asio::awaitable<void> send_cancel(
    boost::asio::io_context& io, protocol::deadline_wheel& wheel, const server_entry* server,
    std::string address, std::int32_t pid, std::string key, std::chrono::milliseconds timeout);

}  // namespace howdah::proxy
