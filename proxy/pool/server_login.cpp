#include "proxy/pool/server_login.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "protocol/io/listener.hpp"
#include "protocol/io/message_channel.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/md5.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "protocol/wire/startup.hpp"

namespace howdah::proxy {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using protocol::message_channel;
using protocol::sslmode;
using protocol::stream;
using protocol::stream_socket;
namespace sqlstate = protocol::sqlstate;

constexpr std::size_t max_login_message = 64 * 1024;

server_login_error network_error(const server_login_request& r, const std::string& what) {
    server_login_error e;
    e.sqlstate = sqlstate::unable_to_connect;
    e.message = "cannot connect to server " + monitor::to_string(r.server->at) + ": " + what;
    return e;
}

server_login_error login_error(const server_login_request& r, std::string_view state,
                               const std::string& what) {
    server_login_error e;
    e.server_fault = false;
    e.sqlstate = state;
    e.message = "login of user \"" + r.login->user + "\" to server " +
                monitor::to_string(r.server->at) + " failed: " + what;
    return e;
}

server_login_error server_said(const server_login_request& r, std::string_view body) {
    server_login_error e;
    e.raw = body;
    const auto view = protocol::parse_error(body);
    if (!view || view->sqlstate.size() != 5)
        return network_error(r, "the server sent a malformed error");
    e.sqlstate = view->sqlstate;
    e.message = "server " + monitor::to_string(r.server->at) + ": " + std::string(view->message);
    e.full = view->sqlstate == sqlstate::too_many_connections;
    // 57P03 starting up or shutting down, 53xxx out of something, 58xxx and XX broken: the server.
    e.server_fault = e.full || view->sqlstate.starts_with("57P") ||
                     view->sqlstate.starts_with("53") || view->sqlstate.starts_with("58") ||
                     view->sqlstate.starts_with("XX") || view->sqlstate.starts_with("08");
    return e;
}

/// Ends name look-up and connecting when the time is over.
class connect_deadline final : public protocol::deadline {
public:
    explicit connect_deadline(asio::io_context& io) : resolver(io), socket(io.get_executor()) {}
    asio::ip::tcp::resolver resolver;
    stream_socket socket;
    bool expired = false;

private:
    void on_deadline() override {
        expired = true;
        resolver.cancel();
        error_code ignored;
        socket.close(ignored);
    }
};

/// `known` is the address of the host's name; empty: its addresses are looked up and tried in turn.
awaitable<error_code> connect_socket(connect_deadline& work, const monitor::endpoint& at,
                                     std::string known) {
    error_code result;
    if (at.host.starts_with('/')) {
        const protocol::listen_address address{at.host, at.port};
        const asio::local::stream_protocol::endpoint path(protocol::unix_socket_path(address));
        auto [ec] = co_await work.socket.async_connect(
            asio::generic::stream_protocol::endpoint(path), asio::as_tuple(asio::use_awaitable));
        co_return ec;
    }
    const std::string host = known.empty() ? at.host : known;
    auto [resolve_error, found] = co_await work.resolver.async_resolve(
        host, std::to_string(at.port), asio::as_tuple(asio::use_awaitable));
    if (resolve_error) co_return resolve_error;
    for (const auto& entry : found) {
        error_code ignored;
        work.socket.close(ignored);
        const asio::ip::tcp::endpoint tcp = entry.endpoint();
        auto [ec] = co_await work.socket.async_connect(
            asio::generic::stream_protocol::endpoint(tcp), asio::as_tuple(asio::use_awaitable));
        result = ec;
        if (!ec || work.expired) break;
    }
    co_return result;
}

/// Authenticates; nothing on success.
awaitable<std::optional<server_login_error>> authenticate(const server_login_request& r, stream& s,
                                                          message_channel& channel) {
    std::optional<protocol::scram_client> scram;
    std::string out;
    // An md5 hash answers md5 and nothing else.
    const bool has_plain_password = !r.password.empty() && !protocol::is_md5_password(r.password);
    for (;;) {
        const message_channel::message m = co_await channel.next(max_login_message);
        if (m.what != message_channel::outcome::ok)
            co_return network_error(r, "the server closed the connection during authentication");
        if (m.type == 'E') co_return server_said(r, m.body);
        if (m.type == 'N' || m.type == 'v') continue;
        const auto auth = m.type == 'R' ? protocol::parse_authentication(m.body) : std::nullopt;
        if (!auth) co_return network_error(r, "unexpected message during authentication");
        out.clear();
        const std::string no_password =
            "the server asks for a password and none is configured (set server_password)";
        switch (auth->code) {
            case protocol::authentication::ok:
                if (scram && !scram->verified())
                    co_return login_error(r, sqlstate::invalid_password,
                                          "the server did not prove that it knows the password");
                co_return std::nullopt;
            case protocol::authentication::cleartext_password:
                if (!has_plain_password)
                    co_return login_error(r, sqlstate::invalid_password, no_password);
                protocol::append_password(out, r.password);
                break;
            case protocol::authentication::md5_password:
                if (r.password.empty())
                    co_return login_error(r, sqlstate::invalid_password, no_password);
                protocol::append_password(
                    out, protocol::md5_response(r.password, r.login->user, auth->data));
                break;
            case protocol::authentication::sasl: {
                if (!has_plain_password && !r.keys)
                    co_return login_error(r, sqlstate::invalid_password, no_password);
                const auto offered = protocol::parse_sasl_mechanisms(auth->data);
                bool plus = false;
                bool plain = false;
                if (offered) {
                    for (const std::string_view name : *offered) {
                        plus |= name == protocol::scram_sha_256_plus;
                        plain |= name == protocol::scram_sha_256;
                    }
                }
                std::string binding;
                if (s.is_tls()) {
                    X509* certificate = SSL_get1_peer_certificate(s.ssl());
                    binding = protocol::tls_server_end_point(certificate);
                    X509_free(certificate);
                }
                plus = plus && !binding.empty();
                if (!plus && !plain)
                    co_return login_error(r, sqlstate::feature_not_supported,
                                          "the server offers no SASL mechanism known here");
                scram.emplace(r.password, std::move(binding), plus, protocol::random_nonce());
                if (r.keys) scram->set_known_keys(*r.keys);
                protocol::append_sasl_initial(out, scram->mechanism(), scram->initial());
                break;
            }
            case protocol::authentication::sasl_continue: {
                if (!scram) co_return network_error(r, "unexpected SASL message");
                auto answer = scram->on_continue(auth->data);
                if (!answer)
                    co_return login_error(r, answer.error().sqlstate, answer.error().message);
                protocol::append_sasl_response(out, *answer);
                break;
            }
            case protocol::authentication::sasl_final: {
                if (!scram) co_return network_error(r, "unexpected SASL message");
                auto verified = scram->on_final(auth->data);
                if (!verified)
                    co_return login_error(r, verified.error().sqlstate, verified.error().message);
                if (r.on_keys) r.on_keys(scram->keys());
                continue;
            }
            default:
                co_return login_error(r, sqlstate::feature_not_supported,
                                      "the server asks for authentication method " +
                                          std::to_string(auth->code) +
                                          ", which Howdah does not support");
        }
        const bool sent = co_await channel.send(out);
        if (!sent) co_return network_error(r, "the connection broke during authentication");
    }
}

/// Runs the request's statements (init_connect); nothing on success.
awaitable<std::optional<server_login_error>> run_statements(const server_login_request& r,
                                                            message_channel& channel,
                                                            server_connection::parts& parts) {
    std::string out;
    protocol::append_query(out, r.statements);
    const bool sent = co_await channel.send(out);
    if (!sent) co_return network_error(r, "the connection broke during init_connect");
    std::optional<server_login_error> refused;
    for (;;) {
        const message_channel::message m = co_await channel.next(max_login_message);
        if (m.what != message_channel::outcome::ok)
            co_return network_error(r, "the server closed the connection during init_connect");
        if (m.type == 'E' && !refused) {
            refused = server_said(r, m.body);
            refused->message = "init_connect failed: " + refused->message;
            // The client has asked for something else.
            refused->raw.clear();
        } else if (m.type == 'S') {
            if (const auto p = protocol::parse_parameter_status(m.body))
                parts.parameters.set(p->name, p->value);
        } else if (m.type == 'G' || m.type == 'H' || m.type == 'W') {
            co_return login_error(r, sqlstate::feature_not_supported, "init_connect must not COPY");
        } else if (m.type == 'Z') {
            if (refused || m.body == "I") co_return std::move(refused);
            co_return login_error(r, sqlstate::active_sql_transaction,
                                  "init_connect leaves a transaction open");
        }
    }
}

/// One attempt, with or without TLS.
awaitable<server_login_result> attempt(asio::io_context& io, protocol::buffer_pool& buffers,
                                       protocol::deadline_wheel& wheel,
                                       const server_login_request& r, bool use_tls,
                                       bool tls_required,
                                       std::chrono::steady_clock::time_point end) {
    connect_deadline work(io);
    wheel.arm(work, end - std::chrono::steady_clock::now());
    const error_code ec = co_await connect_socket(work, r.server->at, r.address);
    work.disarm();
    if (ec) {
        const std::string what = work.expired ? std::string("timeout") : ec.message();
        co_return network_error(r, what);
    }
    protocol::set_tcp_options(work.socket, r.keepalive_seconds);
    server_connection::parts parts(stream(std::move(work.socket)), r.server, r.login,
                                   r.no_settings);
    parts.database = r.database;
    stream& s = parts.stream;
    protocol::input_buffer in(buffers);
    message_channel channel(s, in);
    protocol::stream_deadline limit(wheel, s, end - std::chrono::steady_clock::now());
    const auto broken = [&](const std::string& what) {
        return network_error(r, limit.expired() ? std::string("timeout") : what);
    };
    std::string out;
    if (use_tls) {
        protocol::append_ssl_request(out);
        const bool sent = co_await channel.send(out);
        const std::string_view answer = co_await channel.need(1);
        if (!sent || answer.empty()) co_return broken("the server closed the connection");
        const char yes_or_no = answer[0];
        // Bytes behind the answer would be read as if they had come through TLS.
        if (answer.size() > 1) co_return broken("unexpected data after the answer to SSLRequest");
        channel.take(1);
        if (yes_or_no == 'S') {
            if (!s.start_tls(r.tls, stream::role::client, r.server->at.host,
                             r.ssl == sslmode::verify_full))
                co_return broken("TLS: " + s.tls_error());
            const protocol::io_result done = co_await s.async_handshake();
            if (!done.ok()) {
                const std::string why =
                    s.tls_error().empty() ? std::string("handshake failed") : s.tls_error();
                co_return broken("TLS: " + why);
            }
        } else if (tls_required) {
            co_return broken("the server does not support TLS, but it is required");
        }
    }
    out.clear();
    std::vector<std::pair<std::string_view, std::string_view>> parameters{{"user", r.login->user},
                                                                          {"database", r.database}};
    parameters.insert(parameters.end(), r.parameters.begin(), r.parameters.end());
    protocol::append_startup(out, 0, parameters);
    const bool sent = co_await channel.send(out);
    if (!sent) co_return broken("the server closed the connection");
    std::optional<server_login_error> failed = co_await authenticate(r, s, channel);
    if (failed) {
        if (limit.expired()) co_return broken("timeout");
        co_return std::move(*failed);
    }
    for (;;) {
        const message_channel::message m = co_await channel.next(max_login_message);
        if (m.what != message_channel::outcome::ok)
            co_return broken("the server closed the connection during login");
        if (m.type == 'E') co_return server_said(r, m.body);
        if (m.type == 'S') {
            if (const auto p = protocol::parse_parameter_status(m.body))
                parts.parameters.set(p->name, p->value);
        } else if (m.type == 'K') {
            if (const auto k = protocol::parse_backend_key(m.body)) {
                parts.pid = k->pid;
                parts.cancel_key = k->key;
            }
        } else if (m.type == 'Z') {
            break;
        } else if (m.type != 'N' && m.type != 'v') {
            co_return broken("unexpected message during login");
        }
    }
    if (!r.statements.empty()) {
        std::optional<server_login_error> refused = co_await run_statements(r, channel, parts);
        if (refused && limit.expired()) co_return broken("timeout");
        if (refused) co_return std::move(*refused);
    }
    limit.disarm();
    co_return std::move(parts);
}

}  // namespace

awaitable<server_login_result> log_in_to_server(asio::io_context& io,
                                                protocol::buffer_pool& buffers,
                                                protocol::deadline_wheel& wheel,
                                                server_login_request request) {
    const auto end = std::chrono::steady_clock::now() + request.timeout;
    const bool local = request.server->at.host.starts_with('/');
    const bool required = !local && request.ssl >= sslmode::require;
    const bool tls_first = !local && request.ssl >= sslmode::prefer;
    server_login_result first =
        co_await attempt(io, buffers, wheel, request, tls_first, required, end);
    // allow and prefer try the other way where the server's pg_hba.conf or TLS set-up refused the
    // first, as libpq does.
    const auto* refused = std::get_if<server_login_error>(&first);
    const bool other_way = refused != nullptr && !local &&
                           (request.ssl == sslmode::allow || request.ssl == sslmode::prefer) &&
                           (refused->sqlstate == sqlstate::invalid_authorization_specification ||
                            refused->message.find(": TLS: ") != std::string::npos);
    if (!other_way) co_return std::move(first);
    server_login_result second =
        co_await attempt(io, buffers, wheel, request, !tls_first, !tls_first, end);
    if (std::holds_alternative<server_connection::parts>(second)) co_return std::move(second);
    co_return std::move(first);
}

awaitable<void> send_cancel(asio::io_context& io, protocol::deadline_wheel& wheel,
                            const server_entry* server, std::string address, std::int32_t pid,
                            std::string key, std::chrono::milliseconds timeout) {
    connect_deadline work(io);
    wheel.arm(work, timeout);
    const error_code ec = co_await connect_socket(work, server->at, std::move(address));
    if (ec) co_return;
    work.disarm();
    stream s(std::move(work.socket));
    protocol::stream_deadline limit(wheel, s, timeout);
    std::string packet;
    protocol::append_cancel_request(packet, pid, key);
    const protocol::io_result sent = co_await s.async_write_all(packet);
    if (!sent.ok()) co_return;
    char rest[16];
    const protocol::io_result end = co_await s.async_read_some(rest, sizeof rest);
    (void)end;
}

}  // namespace howdah::proxy
