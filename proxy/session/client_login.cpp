#include "proxy/session/client_login.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "protocol/io/message_channel.hpp"
#include "protocol/io/opening.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "protocol/wire/startup.hpp"
#include "proxy/session/client_access.hpp"
#include "proxy/session/client_identity.hpp"
#include "proxy/session/client_lookup.hpp"
#include "proxy/session/client_proof.hpp"
#include "proxy/session/home_hostgroup.hpp"
#include "proxy/session/replication_relay.hpp"
#include "proxy/session/session.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

namespace sqlstate = protocol::sqlstate;
using boost::asio::awaitable;
using protocol::message_channel;
using protocol::opening;
using protocol::severity;
using protocol::stream;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

void forward_cancel(worker& w, const protocol::cancel_request& request) {
    w.shared.cancel_client(request.pid, request.key);
    if (w.shared.cancel_elsewhere) w.shared.cancel_elsewhere(request.pid, request.key);
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

    const auto cancels = [&w](const protocol::cancel_request& request) {
        forward_cancel(w, request);
    };
    const opening start = co_await protocol::open_connection(s, channel, now->client_tls, cancels);
    if (start.result == opening::what::closed) {
        if (!start.message.empty()) spdlog::info("client {}: {}", peer, start.message);
        co_return;
    }
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
    const protocol::auth_outcome auth = co_await prove_identity(
        w, s, channel, std::move(access), *now->client_access, user, wanted.user);
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
    settle(who, *now);
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
