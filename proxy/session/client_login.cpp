#include "proxy/session/client_login.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "protocol/io/message_channel.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "protocol/wire/startup.hpp"
#include "proxy/session/client_access.hpp"
#include "proxy/session/client_identity.hpp"
#include "proxy/session/client_lookup.hpp"
#include "proxy/session/client_proof.hpp"
#include "proxy/session/replication_relay.hpp"
#include "proxy/session/session.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

namespace sqlstate = protocol::sqlstate;
using boost::asio::awaitable;
using protocol::message_channel;
using protocol::severity;
using protocol::stream;

/// First byte of a TLS record that carries a handshake: a client that starts with TLS at once.
constexpr char tls_handshake_record = 0x16;
constexpr std::uint16_t newest_minor = 2;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

/// What came of the start of a connection.
struct opening {
    enum class what : unsigned char { closed, refused, startup } result = what::closed;
    std::string_view sqlstate;
    std::string message;
    std::string detail;
    std::uint16_t minor = 0;
    std::vector<std::pair<std::string, std::string>> parameters;
};

opening refuse(std::string_view state, std::string message, std::string detail = {}) {
    opening o;
    o.result = opening::what::refused;
    o.sqlstate = state;
    o.message = std::move(message);
    o.detail = std::move(detail);
    return o;
}

void forward_cancel(worker& w, const protocol::cancel_request& request) {
    w.shared.cancel_client(request.pid, request.key);
    if (w.shared.cancel_elsewhere) w.shared.cancel_elsewhere(request.pid, request.key);
}

awaitable<bool> accept_tls(worker& w, stream& s, bool direct) {
    if (!w.now->client_tls || !s.start_tls(w.now->client_tls, stream::role::server, {}, false))
        co_return false;
    const protocol::io_result done = co_await s.async_handshake();
    if (!done.ok()) {
        spdlog::info("TLS handshake with client {} failed: {}", protocol::peer_name(s.socket()),
                     s.tls_error().empty() ? done.error.message() : s.tls_error());
        co_return false;
    }
    if (direct) {
        const unsigned char* protocol_name = nullptr;
        unsigned int length = 0;
        SSL_get0_alpn_selected(s.ssl(), &protocol_name, &length);
        // Without ALPN the client may be something else that was tricked into coming here.
        if (length == 0) {
            spdlog::info("direct TLS connection of {} without ALPN refused",
                         protocol::peer_name(s.socket()));
            co_return false;
        }
    }
    co_return true;
}

awaitable<opening> open_connection(worker& w, stream& s, message_channel& channel) {
    opening result;
    const boost::system::error_code waited = co_await s.wait_for(stream::wait_type::wait_read);
    if (waited) co_return result;
    char first = 0;
    const protocol::io_result peeked = s.peek(&first, 1);
    if (!peeked.ok()) co_return result;
    if (first == tls_handshake_record) {
        const bool secured = co_await accept_tls(w, s, true);
        if (!secured) co_return result;
    }
    bool ssl_answered = s.is_tls();
    bool gss_answered = false;
    for (;;) {
        std::string_view bytes = co_await channel.need(4);
        if (bytes.size() < 4) co_return result;
        const std::optional<std::size_t> length = protocol::startup_length(bytes);
        if (!length) {
            result = refuse(sqlstate::protocol_violation, "invalid length of startup packet");
            co_return result;
        }
        bytes = co_await channel.need(*length);
        if (bytes.size() < *length) co_return result;
        const std::size_t received = bytes.size();
        const protocol::startup_packet packet = protocol::parse_startup(bytes.substr(0, *length));
        if (const auto* error = std::get_if<protocol::startup_error>(&packet)) {
            result = refuse(error->sqlstate, error->message);
            co_return result;
        }
        if (const auto* request = std::get_if<protocol::cancel_request>(&packet)) {
            forward_cancel(w, *request);
            co_return result;
        }
        const bool ssl = std::holds_alternative<protocol::ssl_request>(packet);
        if (ssl || std::holds_alternative<protocol::gssenc_request>(packet)) {
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
            const bool yes = ssl && w.now->client_tls;
            const bool sent = co_await channel.send(yes ? "S" : "N");
            if (!sent) co_return result;
            if (yes) {
                const bool secured = co_await accept_tls(w, s, false);
                if (!secured) co_return result;
            }
            continue;
        }
        const auto& startup = std::get<protocol::startup_message>(packet);
        result.result = opening::what::startup;
        result.minor = std::min(startup.minor, newest_minor);
        for (const auto& [name, value] : startup.parameters)
            result.parameters.emplace_back(name, value);
        std::string negotiate;
        if (startup.minor > newest_minor || !startup.protocol_options.empty())
            protocol::append_negotiate_protocol_version(
                negotiate, protocol::protocol_3_0 + result.minor, startup.protocol_options);
        channel.take(*length);
        if (!negotiate.empty()) {
            const bool sent = co_await channel.send(negotiate);
            if (!sent) result.result = opening::what::closed;
        }
        co_return result;
    }
}

/// What the start-up parameters ask for.
struct wishes {
    std::string user;
    std::string database;
    session_settings::list settings;
    bool replication = false;
    bool physical_replication = false;  ///< ... and of no database
    startup_parameters as_sent;         ///< without user and database
    std::string_view sqlstate;          ///< not empty: refused
    std::string message;
};

wishes read_parameters(const std::vector<std::pair<std::string, std::string>>& parameters) {
    wishes w;
    std::map<std::string, std::string> values;
    for (const auto& [name, value] : parameters) {
        if (name != "user" && name != "database") w.as_sent.emplace_back(name, value);
        if (name == "user") {
            w.user = value;
        } else if (name == "database") {
            w.database = value;
        } else if (name == "replication") {
            const std::optional<bool> asked = asks_for_replication(value);
            w.replication = asked.value_or(false);
            w.physical_replication = w.replication && value != "database";
            if (!asked) {
                w.sqlstate = sqlstate::invalid_parameter_value;
                w.message = "invalid value for parameter \"replication\": \"" + value + "\"";
            }
        } else if (name == "options") {
            const auto options = protocol::split_options(value);
            if (!options.has_value()) {
                w.sqlstate = options.error().sqlstate;
                w.message = options.error().message;
                continue;
            }
            for (const auto& [option, setting] : *options)
                values[lower(option)] = setting;
        } else {
            values[lower(name)] = value;
        }
    }
    if (w.database.empty()) w.database = w.user;
    for (const auto& [name, value] : values)
        w.settings.emplace_back(name, raw_setting_statement(name, value));
    return w;
}

awaitable<void> say_goodbye(message_channel& channel, std::string_view state,
                            std::string_view message, std::string_view detail = {}) {
    std::string out;
    protocol::append_error(out, severity::fatal, state, message, detail);
    const bool sent = co_await channel.send(out);
    (void)sent;
}

/// Ends a login that takes too long: in PostgreSQL's words, once the client has said that it
/// speaks the protocol.
class login_deadline final : public protocol::deadline {
public:
    login_deadline(worker& w, stream& s, std::chrono::milliseconds limit) : w_(w), stream_(s) {
        w.wheel.arm(*this, limit);
    }
    void speak() { speaks_ = true; }

private:
    void on_deadline() override {
        ++w_.counters.login_timeouts;
        if (speaks_) {
            std::string out;
            protocol::append_error(out, severity::fatal, sqlstate::query_canceled,
                                   "canceling authentication due to timeout");
            const iovec part{out.data(), out.size()};
            (void)stream_.write(&part, 1);
        }
        stream_.close();
    }
    worker& w_;
    stream& stream_;
    bool speaks_ = false;
};

std::string no_room(client_limits::verdict why, const std::string& address) {
    switch (why) {
        case client_limits::verdict::reserved:
            return "remaining connection slots are reserved for users with "
                   "use_reserved_connections";
        case client_limits::verdict::address:
            return "too many connections from address \"" + address + "\"";
        default:
            return "sorry, too many clients already";
    }
}

/// Slows down who tries passwords; the worker goes on meanwhile.
awaitable<void> hold_back(worker& w, std::chrono::milliseconds delay) {
    if (delay.count() == 0) co_return;
    ++w.counters.logins_delayed;
    boost::asio::steady_timer timer(w.io, delay);
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

/// Of a login that the worker has counted already.
class login_under_way {
public:
    explicit login_under_way(worker& w) : w_(w) {}
    ~login_under_way() { w_.login_ends(); }
    login_under_way(const login_under_way&) = delete;
    login_under_way& operator=(const login_under_way&) = delete;

private:
    worker& w_;
};

bool is_unix(const protocol::stream_socket& socket) {
    boost::system::error_code ec;
    return socket.local_endpoint(ec).protocol().family() == AF_UNIX;
}

}  // namespace

awaitable<void> log_in_client(worker& w, protocol::stream_socket socket) {
    ++w.counters.clients_accepted;
    const login_under_way counted(w);
    const snapshot_ptr now = w.now;
    const conf::variables& vars = now->vars();
    protocol::set_tcp_options(
        socket, vars.use_tcp_keepalive ? static_cast<int>(vars.tcp_keepalive_time.count()) : 0);
    const std::string peer = protocol::peer_name(socket);
    const bool local = is_unix(socket);
    const conf::ip_address address = peer_address(socket);
    stream s(std::move(socket));
    protocol::input_buffer in(w.buffers);
    message_channel channel(s, in);
    login_deadline limit(w, s, vars.connect_timeout_client);

    const opening start = co_await open_connection(w, s, channel);
    if (start.result == opening::what::closed) co_return;
    if (start.result == opening::what::refused) {
        ++w.counters.clients_refused;
        spdlog::info("client {} refused: {}", peer, start.message);
        co_await say_goodbye(channel, start.sqlstate, start.message, start.detail);
        co_return;
    }
    limit.speak();
    const wishes wanted = read_parameters(start.parameters);
    const auto refuse_client = [&](std::string_view state, const std::string& message) {
        ++w.counters.clients_refused;
        spdlog::info("client {} ({}@{}) refused: {} {}", peer, wanted.user, wanted.database, state,
                     message);
        return say_goodbye(channel, state, message);
    };
    if (!wanted.sqlstate.empty()) {
        co_await refuse_client(wanted.sqlstate, wanted.message);
        co_return;
    }
    if (w.shared.draining) {
        const std::string message = "the database system is shutting down";
        co_await refuse_client(sqlstate::cannot_connect_now, message);
        co_return;
    }
    const conf::user* listed = now->find_user(wanted.user);
    client_identity who;
    const client_limits::bounds bounds{vars.max_connections, vars.reserved_connections,
                                       vars.max_connections_per_address};
    const std::string from(local ? std::string_view() : address_of(peer));
    const auto verdict = w.shared.limits.enter(
        who.place, from, bounds, listed != nullptr && listed->use_reserved_connections);
    if (verdict != client_limits::verdict::welcome) {
        const std::string message = no_room(verdict, from);
        ++w.counters.clients_over_limit;
        co_await refuse_client(sqlstate::too_many_connections, message);
        co_return;
    }
    login_facts facts;
    facts.local = local;
    facts.tls = s.is_tls();
    facts.address = address;
    facts.user = wanted.user;
    facts.database = wanted.database;
    facts.physical_replication = wanted.physical_replication;
    access_decision access = decide_access(vars, *now->client_access, facts, listed);
    if (!access.sqlstate.empty()) {
        co_await refuse_client(access.sqlstate, access.message);
        co_return;
    }
    const user_lookup known = co_await look_up_user(w, now, wanted.user);
    if (!known.failure.empty()) {
        co_await refuse_client(sqlstate::unable_to_connect, known.failure);
        co_return;
    }
    const conf::user* user = known.user;
    const auth_outcome auth = co_await prove_identity(w, s, channel, std::move(access),
                                                      *now->client_access, user, wanted.user);
    if (!auth.ok) {
        ++w.counters.logins_failed;
        if (auth.sqlstate.empty()) co_return;
        if (known.found) w.shared.forget_password(wanted.user);
        const std::uint32_t failures = w.shared.failures.add(address);
        spdlog::info("failed login {} within a minute from {}", failures,
                     local ? "unix sockets" : conf::to_string(address));
        co_await hold_back(w, login_delay(vars, failures));
        co_await refuse_client(auth.sqlstate, auth.message);
        co_return;
    }
    if (known.found) w.shared.found.remember(wanted.user, user->password);
    const conf::database* database = now->find_database(wanted.database);
    std::string crowded;
    if (!w.shared.limits.join_user(who.place, wanted.user, user->max_connections)) {
        crowded = "too many connections for role \"" + wanted.user + "\"";
    } else if (!w.shared.limits.join_database(
                   who.place, wanted.database,
                   database == nullptr ? std::nullopt : database->max_connections)) {
        crowded = "too many connections for database \"" + wanted.database + "\"";
    }
    if (!crowded.empty()) {
        ++w.counters.clients_over_limit;
        co_await refuse_client(sqlstate::too_many_connections, crowded);
        co_return;
    }
    limit.disarm();
    if (!s.is_open()) co_return;
    who.login = w.shared.names.login(wanted.database, wanted.user);
    if (w.now->orders.disabled(*who.login)) {
        const std::string message = "an administrator has disabled logins of user \"" +
                                    wanted.user + "\" to database \"" + wanted.database + "\"";
        co_await refuse_client(sqlstate::cannot_connect_now, message);
        co_return;
    }
    who.config = known.config;
    who.user = user;
    who.database = database;
    who.peer = peer;
    who.settings = w.shared.settings.intern(wanted.settings);
    who.minor = start.minor;
    const std::string_view pending = co_await channel.need(0);
    if (wanted.replication) {
        const boost::intrusive_ptr<replication_relay> relay(
            new replication_relay(w, std::move(s), std::move(who), wanted.as_sent));
        relay->start(pending);
        co_return;
    }
    const boost::intrusive_ptr<session> client(new session(w, std::move(s), std::move(who)));
    client->start(pending);
}

}  // namespace howdah::proxy
