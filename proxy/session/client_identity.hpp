#pragma once
#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "conf/address.hpp"
#include "protocol/io/stream.hpp"
#include "proxy/session/client_rules.hpp"

namespace howdah::proxy {

class worker;

/// Common name of the certificate that the client has shown and the handshake has verified;
/// nothing where there is none.
[[nodiscard]] std::optional<std::string> certificate_owner(SSL* ssl);

/// Name of the OS user at the other end of a unix socket (SO_PEERCRED); nothing if it has none.
/// The look-up may ask a directory service, so it runs on the process's helper thread.
[[nodiscard]] boost::asio::awaitable<std::optional<std::string>> peer_user(
    worker& w, protocol::stream_socket& socket);

/// Address of the other end; 0.0.0.0 for a unix socket or one that is gone.
[[nodiscard]] conf::ip_address peer_address(const protocol::stream_socket& socket);

/// Addresses and networks of this host's interfaces as of now. Throws std::runtime_error if the
/// system does not tell (start-up and reload only).
[[nodiscard]] own_networks local_networks();

}  // namespace howdah::proxy
