#include "protocol/io/opening.hpp"

#include <algorithm>
#include <optional>

#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::protocol {
namespace {

using boost::asio::awaitable;

/// First byte of a TLS record that carries a handshake: a client that starts with TLS at once.
constexpr char tls_handshake_record = 0x16;
constexpr std::uint16_t newest_minor = 2;

opening refuse(std::string_view state, std::string message, std::string detail = {}) {
    opening o;
    o.result = opening::what::refused;
    o.sqlstate = state;
    o.message = std::move(message);
    o.detail = std::move(detail);
    return o;
}

/// Empty: it is secured; else why not.
awaitable<std::string> accept_tls(stream& s, const tls_context& tls, bool direct) {
    std::string why;
    if (!tls || !s.start_tls(tls, stream::role::server, {}, false)) {
        why = "TLS asked for, which is not offered";
        co_return why;
    }
    const io_result done = co_await s.async_handshake();
    if (!done.ok()) {
        why = "TLS handshake failed: " +
              (s.tls_error().empty() ? done.error.message() : s.tls_error());
        co_return why;
    }
    if (direct) {
        const unsigned char* protocol_name = nullptr;
        unsigned int length = 0;
        SSL_get0_alpn_selected(s.ssl(), &protocol_name, &length);
        // Without ALPN the client may be something else that was tricked into coming here.
        if (length == 0) {
            why = "direct TLS connection without ALPN refused";
            co_return why;
        }
    }
    co_return why;
}

}  // namespace

awaitable<opening> open_connection(stream& s, message_channel& channel, tls_context tls,
                                   std::function<void(const cancel_request&)> on_cancel) {
    opening result;
    const boost::system::error_code waited = co_await s.wait_for(stream::wait_type::wait_read);
    if (waited) co_return result;
    char first = 0;
    const io_result peeked = s.peek(&first, 1);
    if (!peeked.ok()) co_return result;
    if (first == tls_handshake_record) {
        result.message = co_await accept_tls(s, tls, true);
        if (!result.message.empty()) co_return result;
    }
    bool ssl_answered = s.is_tls();
    bool gss_answered = false;
    for (;;) {
        std::string_view bytes = co_await channel.need(4);
        if (bytes.size() < 4) co_return result;
        const std::optional<std::size_t> length = startup_length(bytes);
        if (!length) {
            result = refuse(sqlstate::protocol_violation, "invalid length of startup packet");
            co_return result;
        }
        bytes = co_await channel.need(*length);
        if (bytes.size() < *length) co_return result;
        const std::size_t received = bytes.size();
        const startup_packet packet = parse_startup(bytes.substr(0, *length));
        if (const auto* error = std::get_if<startup_error>(&packet)) {
            result = refuse(error->sqlstate, error->message);
            co_return result;
        }
        if (const auto* request = std::get_if<cancel_request>(&packet)) {
            on_cancel(*request);
            co_return result;
        }
        const bool ssl = std::holds_alternative<ssl_request>(packet);
        if (ssl || std::holds_alternative<gssenc_request>(packet)) {
            if ((ssl && ssl_answered) || (!ssl && gss_answered)) {
                result = refuse(sqlstate::protocol_violation,
                                "unsupported frontend protocol 1234.567" +
                                    std::string(ssl ? "9" : "8") + ": server supports 3.0 to 3.2");
                co_return result;
            }
            (ssl ? ssl_answered : gss_answered) = true;
            if (received > *length) {
                result = refuse(sqlstate::protocol_violation,
                                std::string("received unencrypted data after ") +
                                    (ssl ? "SSL" : "GSSAPI encryption") + " request",
                                "This could be either a client-software bug or evidence of an "
                                "attempted man-in-the-middle attack.");
                co_return result;
            }
            channel.take(*length);
            const bool yes = ssl && tls;
            const bool sent = co_await channel.send(yes ? "S" : "N");
            if (!sent) co_return result;
            if (yes) {
                result.message = co_await accept_tls(s, tls, false);
                if (!result.message.empty()) co_return result;
            }
            continue;
        }
        const auto& startup = std::get<startup_message>(packet);
        result.result = opening::what::startup;
        result.minor = std::min(startup.minor, newest_minor);
        for (const auto& [name, value] : startup.parameters)
            result.parameters.emplace_back(name, value);
        std::string negotiate;
        if (startup.minor > newest_minor || !startup.protocol_options.empty())
            append_negotiate_protocol_version(negotiate, protocol_3_0 + result.minor,
                                              startup.protocol_options);
        channel.take(*length);
        if (!negotiate.empty()) {
            const bool sent = co_await channel.send(negotiate);
            if (!sent) result.result = opening::what::closed;
        }
        co_return result;
    }
}

}  // namespace howdah::protocol
