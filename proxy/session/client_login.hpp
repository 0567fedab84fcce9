#pragma once
#include <boost/asio/awaitable.hpp>

#include "protocol/io/stream.hpp"

namespace howdah::proxy {

class worker;

/// Takes a new connection from its first byte to a running session: TLS (negotiated or direct),
/// cancel requests, start-up packet, limits, authentication. Every refusal carries PostgreSQL's
/// SQLSTATE and wording. Bounded by connect_timeout_client. Runs on the worker's thread.
[[nodiscard]] boost::asio::awaitable<void> log_in_client(worker& w, protocol::stream_socket socket);

}  // namespace howdah::proxy
