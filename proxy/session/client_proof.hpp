#pragma once
#include <boost/asio/awaitable.hpp>
#include <string>

#include "protocol/io/authentication.hpp"
#include "proxy/session/client_access.hpp"

namespace howdah::proxy {

class worker;

/// Lets a client that `decided` has let through prove who it is: by certificate, by the OS user at
/// the other end, or by what authenticate_client asks for. `user` is null for an unknown one.
[[nodiscard]] boost::asio::awaitable<protocol::auth_outcome> prove_identity(
    worker& w, protocol::stream& s, protocol::message_channel& channel, access_decision decided,
    const client_rules& rules, const conf::user* user, std::string username);

}  // namespace howdah::proxy
