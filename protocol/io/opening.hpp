#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/io/message_channel.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/io/tls.hpp"
#include "protocol/wire/startup.hpp"

namespace howdah::protocol {

/// What came of the start of a client's connection.
struct opening {
    enum class what : unsigned char {
        closed,   ///< nothing more is to be said; `message`, where not empty, is for the log
        refused,  ///< with sqlstate, message and detail
        startup   ///< minor and parameters are what the client asks for
    };
    what result = what::closed;
    std::string_view sqlstate;
    std::string message;
    std::string detail;
    std::uint16_t minor = 0;  ///< negotiated protocol minor version
    std::vector<std::pair<std::string, std::string>> parameters;
};

/// Takes a client's connection to its StartupMessage: TLS at once (with ALPN) or asked for, GSSAPI
/// refused, the protocol's version negotiated. A CancelRequest is handed to `on_cancel` and ends
/// the connection. `tls` null: there is none. The caller bounds the time by closing the stream.
[[nodiscard]] boost::asio::awaitable<opening> open_connection(
    stream& s, message_channel& channel, tls_context tls,
    std::function<void(const cancel_request&)> on_cancel);

}  // namespace howdah::protocol
