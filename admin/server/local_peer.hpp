#pragma once
#include "protocol/io/stream.hpp"

namespace howdah::admin {

/// The other side is on this machine: a loopback address or a unix socket.
[[nodiscard]] bool is_local(const protocol::stream_socket& socket);

}  // namespace howdah::admin
