#include "proxy/session/replication_relay.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cctype>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::io_result;
using protocol::severity;
using protocol::stream;

namespace {

/// Buffers carried per wake-up before others get their turn.
constexpr int rounds_per_turn = 16;

void fill(protocol::input_buffer& buffer, std::string_view bytes) {
    const std::size_t total = buffer.size() + bytes.size();
    while (!bytes.empty()) {
        const std::span<char> space = buffer.prepare(total);
        const std::size_t n = std::min(space.size(), bytes.size());
        std::copy_n(bytes.data(), n, space.data());
        buffer.commit(n);
        bytes.remove_prefix(n);
    }
}

}  // namespace

std::optional<bool> asks_for_replication(std::string_view value) {
    if (value == "database") return true;
    std::string word(value);
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto begins = [&](std::string_view whole, std::size_t at_least) {
        return word.size() >= at_least && whole.starts_with(word);
    };
    // As PostgreSQL's parse_bool: any prefix that leaves no doubt.
    if (word == "1" || begins("true", 1) || begins("yes", 1) || begins("on", 2)) return true;
    if (word == "0" || begins("false", 1) || begins("no", 1) || begins("off", 2)) return false;
    return std::nullopt;
}

replication_relay::replication_relay(worker& w, protocol::stream client, client_identity who,
                                     startup_parameters parameters)
    : w_(w),
      self_(this),
      client_(std::move(client)),
      who_(std::move(who)),
      parameters_(std::move(parameters)),
      key_(who_.minor),
      from_client_(w.buffers) {
    pid_ = w_.enroll(*this);
}

replication_relay::~replication_relay() = default;

void replication_relay::start(std::string_view pending) {
    const boost::intrusive_ptr<replication_relay> guard(this);
    if (w_.shared.draining) {
        terminate(sqlstate::cannot_connect_now, "the database system is shutting down");
        return;
    }
    ++w_.counters.replication_clients;
    fill(from_client_, pending);
    client_messages_.feed(pending);
    want_client(stream::wait_type::wait_read, client_reading_);
    since_ = std::chrono::steady_clock::now();
    w_.wheel.arm(*this, longest_wait());
    ask_for_server();
}

std::chrono::milliseconds replication_relay::longest_wait() const {
    const auto& vars = w_.now->vars();
    const auto usual = who_.value_of(conf::in_force_of::connect_timeout_server_max, vars);
    return held_because() != nullptr ? std::max(usual, vars.ha_hold_timeout) : usual;
}

const std::string* replication_relay::held_because() const {
    return w_.now->hostgroups->held_because(who_.user->default_hostgroup);
}

void replication_relay::ask_for_server() {
    server_wish wish;
    wish.hostgroup = who_.user->default_hostgroup;
    wish.own = &parameters_;
    w_.servers.wait(*this, wish, who_.login);
}

void replication_relay::on_server(server_ptr connection) {
    const boost::intrusive_ptr<replication_relay> guard(this);
    if (!connection) {
        ask_for_server();
        return;
    }
    disarm();
    server_ = std::move(connection);
    server_->set_owner(*this);
    std::string welcome;
    protocol::append_authentication_ok(welcome);
    for (const auto& [name, value] : server_->state().parameters.all())
        protocol::append_parameter_status(welcome, name, value);
    protocol::append_backend_key_data(welcome, pid_, key_.view());
    protocol::append_ready_for_query(welcome, 'I');
    // As if the server had said so.
    fill(server_->in, welcome);
    server_messages_.feed(welcome);
    phase_ = phase::relaying;
    spdlog::info("replication client {} ({}@{}) is connected to server {}", who_.peer,
                 who_.login->user, who_.login->database, monitor::to_string(server_->server()->at));
    pump();
}

void replication_relay::on_no_server(const server_login_error& why) {
    if (why.raw.empty() || !protocol::parse_error(why.raw)) {
        terminate(
            why.sqlstate.empty() ? sqlstate::unable_to_connect : std::string_view(why.sqlstate),
            why.message);
        return;
    }
    const boost::intrusive_ptr<replication_relay> guard(this);
    std::string out;
    // The password was right; the rest is PostgreSQL's to say.
    protocol::append_authentication_ok(out);
    protocol::append_changed_error(out, why.raw, {.level = severity::fatal, .from = {}, .to = {}});
    send_last(out);
    finish();
}

void replication_relay::on_deadline() {
    if (phase_ != phase::waiting) return;
    const auto waited = std::chrono::steady_clock::now() - since_;
    if (waited < longest_wait()) {
        // A failover has begun meanwhile.
        w_.wheel.arm(*this, longest_wait() - waited);
        return;
    }
    ++w_.counters.wait_timeouts;
    std::string text = "Max connect timeout reached while reaching hostgroup " +
                       std::to_string(who_.user->default_hostgroup) + " after " +
                       std::to_string(longest_wait().count()) + "ms";
    if (const std::string* why = held_because())
        text += ": " + *why;
    else if (!last_failure().empty())
        text += ": " + last_failure();
    else if (w_.now->usable(who_.user->default_hostgroup).empty())
        text += ": no server of the hostgroup is online";
    terminate(sqlstate::unable_to_connect, text);
}

void replication_relay::watch_waiting_client() {
    // Only its end is of interest; what it says early waits.
    const std::span<char> space = from_client_.prepare(protocol::buffer_pool::chunk_size);
    if (space.empty()) return;
    const io_result got = client_.read(space.data(), space.size());
    if (got.ok()) {
        client_messages_.feed({space.data(), got.bytes});
        from_client_.commit(got.bytes);
    } else if (got.closed()) {
        finish();
        return;
    }
    if (from_client_.size() < protocol::buffer_pool::chunk_size)
        want_client(stream::wait_type::wait_read, client_reading_);
}

replication_relay::outcome replication_relay::carry(stream& from, protocol::input_buffer& bytes,
                                                    protocol::frame_walker& walker, stream& to) {
    if (bytes.empty()) {
        const std::span<char> space = bytes.prepare(protocol::buffer_pool::chunk_size);
        const io_result got = from.read(space.data(), space.size());
        if (!got.ok()) {
            bytes.reset();
            return {got, true};
        }
        walker.feed({space.data(), got.bytes});
        bytes.commit(got.bytes);
    }
    const iovec part{const_cast<char*>(bytes.data().data()), bytes.size()};
    const io_result sent = to.write(&part, 1);
    if (sent.ok()) bytes.consume(sent.bytes);
    return {sent, false};
}

void replication_relay::pump() {
    const boost::intrusive_ptr<replication_relay> guard(this);
    if (phase_ != phase::relaying) return;
    w_.active = pid_;
    for (int round = 0; round < rounds_per_turn; ++round) {
        outcome up{{io_result::status::want_read, 0, {}}, true};
        if (!server_deaf_) {
            up = carry(client_, from_client_, client_messages_, server_->stream());
            if (!up.io.ok() && !stopped(up, true)) return;
        }
        const outcome down = carry(server_->stream(), server_->in, server_messages_, client_);
        if (!down.io.ok() && !stopped(down, false)) return;
        if (!up.io.ok() && !down.io.ok()) return;
    }
    boost::asio::post(w_.io,
                      [self = boost::intrusive_ptr<replication_relay>(this)] { self->pump(); });
}

bool replication_relay::stopped(const outcome& why, bool upwards) {
    const bool client_side = upwards == why.reading;
    if (why.io.closed()) {
        if (client_side) {
            finish();
            return false;
        }
        if (why.reading) {
            server_ended(why.io);
            return false;
        }
        server_deaf_ = true;
        from_client_.reset();
        return true;
    }
    const bool read = why.io.what == io_result::status::want_read;
    if (!client_side) {
        read ? server_->want_read() : server_->want_write();
    } else if (read) {
        want_client(stream::wait_type::wait_read, client_reading_);
    } else {
        want_client(stream::wait_type::wait_write, client_writing_);
    }
    return true;
}

void replication_relay::server_ended(const io_result& how) {
    const server_entry* server = server_->server();
    const bool expected = client_messages_.last_type() == 'X';
    if (!expected) {
        ++w_.counters.servers_lost;
        w_.report_failure(server, "a replication connection ended");
    }
    if (expected || how.what == io_result::status::end_of_file) {
        // The server has said what it had to say.
        finish();
        return;
    }
    terminate(sqlstate::connection_failure, "server " + monitor::to_string(server->at) +
                                                ": connection lost: " + how.error.message());
}

bool replication_relay::is_covered_by(const traffic_scope& scope) const {
    return scope.covers(*who_.login) || (server_ && scope.covers(*server_->server()));
}

void replication_relay::on_server_dead(const server_entry* server) {
    if (!server_ || server_->server() != server) return;
    ++w_.counters.servers_lost;
    terminate(sqlstate::connection_failure,
              "server " + monitor::to_string(server->at) + ": the monitor found the server dead");
}

void replication_relay::cancel(std::string_view key) {
    if (!server_ || !key_.matches(key)) return;
    ++w_.counters.cancels;
    // It may come late: nobody else can ever use this connection.
    w_.servers.cancel(*server_);
}

void replication_relay::want_client(stream::wait_type type, bool& armed) {
    if (armed || phase_ == phase::closed) return;
    armed = true;
    client_.wait(type, [self = boost::intrusive_ptr<replication_relay>(this),
                        &armed](const boost::system::error_code& ec) {
        armed = false;
        if (ec == boost::asio::error::operation_aborted) return;
        if (self->phase_ == phase::waiting) self->watch_waiting_client();
        if (self->phase_ == phase::relaying) self->pump();
    });
}

void replication_relay::send_last(std::string_view message) {
    // Best effort: a client that does not read gets no farewell.
    const iovec part{const_cast<char*>(message.data()), message.size()};
    (void)client_.write(&part, 1);
}

client_report replication_relay::report() const {
    client_report r;
    r.pid = pid_;
    r.login = who_.login;
    r.peer = who_.peer;
    r.replication = true;
    r.waiting = waiting();
    r.running = phase_ == phase::relaying;
    r.tls = client_.is_tls();
    if (server_) {
        r.hostgroup = who_.user->default_hostgroup;
        r.server = server_->server();
        r.server_pid = server_->state().pid;
    }
    return r;
}

void replication_relay::terminate(std::string_view state, std::string_view message) {
    if (phase_ == phase::closed) return;
    const boost::intrusive_ptr<replication_relay> guard(this);
    spdlog::info("replication client {} ({}@{}): {}", who_.peer, who_.login->user,
                 who_.login->database, message);
    // Behind half a message it would be taken for the rest of it.
    if (!server_ || (server_->in.empty() && server_messages_.at_boundary())) {
        std::string out;
        protocol::append_error(out, severity::fatal, state, message);
        send_last(out);
    }
    finish();
}

void replication_relay::finish() {
    if (phase_ == phase::closed) return;
    phase_ = phase::closed;
    const boost::intrusive_ptr<replication_relay> guard(this);
    disarm();
    client_.close();
    from_client_.reset();
    w_.servers.forget(*this);
    if (server_) w_.servers.discard(std::exchange(server_, nullptr));
    who_.place.leave();
    w_.leave(pid_);
    self_.reset();
}

}  // namespace howdah::proxy
