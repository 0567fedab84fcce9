#include "proxy/session/session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/error.hpp>

#include "conf/names.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/md5.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::severity;

namespace {

/// How often a batch that no server has read is sent anew.
constexpr int most_repeats = 3;

}  // namespace

session::session(worker& w, protocol::stream client, client_identity who)
    : w_(w),
      self_(this),
      client_(std::move(client)),
      who_(std::move(who)),
      in_(w.buffers),
      settings_(who_.settings),
      cancel_key_(who_.minor),
      last_active_(w.coarse_now) {
    pid_ = w_.enroll(*this);
    counted_ = &w_.logins[who_.login];
    settings_changed();
}

session::~session() = default;

conf::pool_mode session::mode() const {
    return who_.value_of(conf::in_force_of::pool_mode, who_.config->vars);
}

char session::status() const {
    if (server_) return server_->state().status;
    return broken_ ? 'E' : 'I';
}

bool session::sticky() const {
    return server_ && (server_->state().status != 'I' || mid_batch_ || effects_.pins() != 0 ||
                       (client_left_ > 0 && !discard_left_) || mode() == conf::pool_mode::session);
}

bool session::kept() const {
    if (!server_ || phase_ != phase::ready) return false;
    const hostgroup_policy* policy = w_.now->policy(hostgroup_);
    return policy != nullptr && !policy->configured.multiplex &&
           w_.now->is_usable(server_->server());
}

std::uint16_t session::pins() const {
    constexpr auto hostgroup = static_cast<std::uint16_t>(sql::pin_reason::hostgroup);
    return static_cast<std::uint16_t>(effects_.pins() | (kept() ? hostgroup : 0));
}

settings_ptr session::settings_for(int hostgroup, const settings_ptr& there) const {
    const hostgroup_policy* policy = w_.now->policy(hostgroup);
    if (policy == nullptr || policy->ignored.empty() || there == settings_) return settings_;
    return w_.shared.settings.intern(without_ignored(*settings_, *there, policy->ignored));
}

std::string_view session::client_address() const {
    return address_of(who_.peer);
}

void session::start(std::string_view pending) {
    if (!pending.empty()) {
        const std::span<char> space = in_.prepare(pending.size());
        std::memcpy(space.data(), pending.data(), pending.size());
        in_.commit(pending.size());
    }
    const boost::intrusive_ptr<session> guard(this);
    w_.shared.request_catalog(std::string(w_.now->server_database(who_.login->database)));
    // So that a client that leaves while its login waits is noticed.
    want_client_read();
    begin_welcome();
}

void session::begin_welcome() {
    const auto known = w_.shared.welcomes.find(who_.login, who_.settings);
    const auto& hostgroups = *w_.now->hostgroups;
    const int writer = who_.user->default_hostgroup;
    const auto can_serve = [&](int hostgroup) {
        return hostgroups.any_online(hostgroup) && hostgroups.held_because(hostgroup) == nullptr;
    };
    const int hostgroup = can_serve(writer) ? writer : reader_or_writer(hostgroups, writer);
    const bool fresh = known && w_.coarse_now - known->taken < welcome_cache::fresh_for;
    // While nobody answers, an old answer is better than none.
    if (known && (fresh || !can_serve(hostgroup))) {
        finish_welcome(known->messages);
        return;
    }
    ask_for_server(hostgroup);
}

void session::send_welcome() {
    std::string messages;
    for (const auto& [name, value] : server_->state().parameters.all())
        protocol::append_parameter_status(messages, name, value);
    w_.shared.welcomes.store(who_.login, who_.settings, messages);
    // Before the client can ask for anything: it would open another one.
    w_.servers.release(std::exchange(server_, nullptr));
    finish_welcome(messages);
}

void session::finish_welcome(std::string_view parameter_messages) {
    std::string& out = w_.to_client.generated();
    protocol::append_authentication_ok(out);
    out += parameter_messages;
    protocol::append_backend_key_data(out, pid_, cancel_key_.view());
    protocol::append_ready_for_query(out, 'I');
    w_.to_client.commit();
    phase_ = phase::ready;
    flush_client();
    if (phase_ != phase::ready) return;
    // Anything may have come in during the login.
    client_readable_ = true;
    arm_idle_deadline();
    pump_client();
}

void session::ask_for_server(int hostgroup) {
    hostgroup_ = hostgroup;
    if (phase_ == phase::ready && consistent_read_ && hostgroup != who_.user->default_hostgroup) {
        ask_for_reader();
    } else {
        request_server(hostgroup, nullptr);
    }
}

void session::request_server(int hostgroup, const server_entry* only) {
    hostgroup_ = hostgroup;
    only_ = only;
    server_wish wish;
    paused_ = w_.now->orders.paused(*who_.login);
    // Who waits for no hostgroup waits for the snapshot in which the pause has ended.
    if (paused_) {
        wish.hostgroup = pool_book::no_hostgroup;
    } else {
        wish = {hostgroup, avoid_, only};
    }
    server_ptr ready =
        w_.servers.try_take(wish, who_.login, settings_for(hostgroup, w_.shared.settings.none()));
    if (ready) {
        attach(std::move(ready));
        return;
    }
    ++w_.counters.waits;
    if (wait_since_ == std::chrono::steady_clock::time_point())
        wait_since_ = std::chrono::steady_clock::now();
    arm_wait_deadline(held_because() != nullptr ? wait_since_ : std::chrono::steady_clock::now());
    w_.servers.wait(*this, wish, who_.login);
}

void session::on_server(server_ptr connection) {
    const boost::intrusive_ptr<session> guard(this);
    if (phase_ == phase::closed) {
        if (connection) w_.servers.release(std::move(connection));
        return;
    }
    arm_idle_deadline();
    if (connection) {
        attach(std::move(connection));
    } else {
        ask_for_server(hostgroup_);
    }
    if (server_ && !applying_settings_ && phase_ == phase::ready) pump_client();
}

void session::attach(server_ptr connection) {
    server_ = std::move(connection);
    ++counted_->assignments;
    if (wait_since_ != std::chrono::steady_clock::time_point()) {
        const auto waited = std::chrono::steady_clock::now() - std::exchange(wait_since_, {});
        const auto waited_us = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
        counted_->wait_us += waited_us;
        w_.waits.add(waited_us);
    }
    exchanged_ = &w_.server_traffic.traffic[{hostgroup_, server_->server()}];
    server_->set_owner(*this);
    server_->want_read();
    server_dirty_ = waits_for_reply_ = ruled_timeouts_ = false;
    names_changed_at_ = 0;
    avoid_ = nullptr;
    // What an earlier client has set and this one ignores goes, too.
    awaited_settings_ = settings_for(hostgroup_, w_.shared.settings.none());
    if (server_->state().settings != awaited_settings_) {
        begin_settings();
        return;
    }
    if (phase_ == phase::welcome) {
        send_welcome();
    }
}

void session::begin_settings() {
    const std::string sql = replay_statements(*server_->state().settings, *awaited_settings_);
    if (sql.empty()) {
        end_settings();
        return;
    }
    apply_settings(sql);
}

void session::apply_settings(std::string_view sql) {
    applying_settings_ = true;
    settings_error_.clear();
    protocol::append_query(w_.to_server.generated(), sql);
    w_.to_server.commit();
    server_->state().unnamed_owner = 0;
    server_->replies.expect(reply_kind::query, {}, true);
    flush_server();
}

void session::end_settings() {
    applying_settings_ = false;
    if (resets_.held) {
        finish_undo();
        return;
    }
    if (!settings_error_.empty()) {
        // Whatever was set before the error is unknown now.
        server_ptr bad = std::move(server_);
        w_.servers.discard(std::move(bad));
        const std::string raw = std::exchange(settings_error_, {});
        if (phase_ == phase::welcome) {
            refuse_login(raw);
            return;
        }
        fail_batch({}, {}, raw);
        pump_client();
        return;
    }
    server_->state().settings = awaited_settings_;
    if (phase_ == phase::welcome) {
        send_welcome();
        return;
    }
    pump_client();
}

void session::refuse_login(std::string_view body) {
    std::string& out = w_.to_client.generated();
    // As from PostgreSQL, whose own words these are: the password was right.
    protocol::append_authentication_ok(out);
    protocol::append_changed_error(out, body, {.level = severity::fatal, .from = {}, .to = {}});
    w_.to_client.commit();
    (void)w_.to_client.flush(client_, to_client_);
    client_gone();
}

void session::on_no_server(const server_login_error& why) {
    const boost::intrusive_ptr<session> guard(this);
    const int writer = who_.user->default_hostgroup;
    if (phase_ == phase::ready && !why.server_fault && hostgroup_ != writer) {
        // A standby may not have heard yet of a new database, user or password.
        ask_for_server(writer);
        if (server_ && !applying_settings_) pump_client();
        return;
    }
    if (why.sqlstate == sqlstate::invalid_catalog_name)
        w_.shared.welcomes.forget(who_.login->database);
    if (phase_ == phase::welcome) {
        if (!why.raw.empty() && protocol::parse_error(why.raw)) {
            refuse_login(why.raw);
        } else {
            terminate(why.sqlstate, why.message);
        }
        return;
    }
    fail_batch(why.sqlstate.empty() ? sqlstate::unable_to_connect : std::string_view(why.sqlstate),
               why.message);
    pump_client();
}

void session::release_server() {
    if (server_dirty_) {
        w_.servers.discard(std::exchange(server_, nullptr));
    } else {
        w_.servers.release(std::exchange(server_, nullptr));
    }
}

client_report session::report() const {
    client_report r;
    r.pid = pid_;
    r.login = who_.login;
    r.peer = who_.peer;
    r.status = status();
    r.running = running_;
    r.waiting = waiting();
    r.tls = client_.is_tls();
    r.pins = pins();
    if (server_ || waiting()) r.hostgroup = hostgroup_;
    if (server_) {
        r.server = server_->server();
        r.server_pid = server_->state().pid;
    }
    // What is running may have no time limit, and then nobody has looked at the clock for it.
    const auto never = std::chrono::steady_clock::time_point();
    auto since = r.waiting ? wait_since_ : running_ ? running_since_ : last_active_;
    if (since == never && server_ && server_->replies.owed())
        since = server_->replies.front().note.asked;
    if (since == never) since = last_active_;
    r.since = std::chrono::steady_clock::now() - since;
    if (r.running && server_)
        for (const server_replies::entry& e : server_->replies)
            if (e.note.digest) {
                r.digest = e.note.digest;
                break;
            }
    return r;
}

void session::on_server_dead(const server_entry* server) {
    floor_.reader_lost(server);
    if (server_ && server_->server() == server)
        server_lost(sqlstate::connection_failure, "the monitor found the server dead");
}

void session::server_lost(std::string_view state, const std::string& why, bool never_read) {
    const boost::intrusive_ptr<session> guard(this);
    ++w_.counters.servers_lost;
    // What the server said before belongs to the client.
    flush_client();
    if (!server_) return;
    const server_entry* server = server_->server();
    floor_.reader_lost(server);
    w_.report_failure(server, why);
    if (phase_ == phase::resetting) {
        w_.servers.discard(std::exchange(server_, nullptr));
        finish();
        return;
    }
    // What sets a parameter again behind a RESET may run in the client's transaction.
    const bool had_state = server_->state().status != 'I' || effects_.pins() != 0;
    const bool applying = std::exchange(applying_settings_, false);
    if (phase_ == phase::welcome || (applying && !had_state)) {
        // The client's own input is untouched: ask another server.
        w_.servers.discard(std::exchange(server_, nullptr));
        avoid_ = server;
        if (++repeats_ > most_repeats) {
            if (phase_ == phase::welcome) {
                terminate(state, why);
            } else {
                fail_batch(state, why);
                pump_client();
            }
            return;
        }
        ask_for_server(hostgroup_);
        if (server_ && !applying_settings_) pump_client();
        return;
    }
    if (retain_ && repeatable_ &&
        repeats_ < retries_.value_or(w_.now->vars().query_retries_on_failure)) {
        ++w_.counters.reads_rerun;
        avoid_ = server;
        w_.servers.discard(std::exchange(server_, nullptr));
        ++repeats_;
        repeat_batch();
        return;
    }
    if (never_read && unread_ && server_->replies.owed() && ++repeats_ <= most_repeats) {
        ++w_.counters.unread_rerun;
        avoid_ = server;
        const server_ptr lost = std::exchange(server_, nullptr);
        // What it changed for the client is not so yet.
        for (auto it = lost->replies.end(); it != lost->replies.begin();)
            on_skipped(lost->replies, *--it, false);
        w_.servers.discard(lost);
        repeat_batch();
        return;
    }
    report_lost_server(state, "server " + monitor::to_string(server->at) + " in hostgroup " +
                                  std::to_string(hostgroup_) + ": " + why);
}

void session::repeat_batch() {
    // Unless it was kept back, what is there answers what came before.
    if (retain_) to_client_.clear();
    recording_.reset();
    for (const std::string& name : fresh_names_)
        if (statements_) statements_->erase(name);
    fresh_names_.clear();
    cursor_ = cleared_ = 0;
    needed_ = client_left_ = 0;
    rewind_plans();
    mid_batch_ = open_ended_ = flush_is_sync_ = skip_to_sync_ = query_failed_ = false;
    retain_ = unread_ = false;
    effects_.forget();
    pump_client();
}

void session::report_lost_server(std::string_view state, const std::string& why) {
    server_ptr lost = std::exchange(server_, nullptr);
    retain_ = unread_ = false;
    recording_.reset();
    std::copy_n(state.begin(), std::min(state.size(), failed_with_.size()), failed_with_.begin());
    // After a disconnect the state of the transaction is what it would have become.
    const bool in_transaction = lost->state().status != 'I' || batch_begins_;
    bool committing = false;
    std::size_t unanswered = 0;
    bool first_is_local = true;
    bool dangling = false;  // what a Flush has asked for: no ReadyForQuery of it will follow
    std::string& out = w_.to_client.generated();
    for (auto& entry : lost->replies) {
        if (entry.what == reply_kind::local && first_is_local) {
            out += entry.note.text;
            continue;
        }
        if (std::exchange(first_is_local, false)) count_statement(entry.note, true);
        if (entry.note.what && entry.note.what->ends_transaction && !entry.note.what->rollback_like)
            committing = true;
        if (owes_ready(entry)) ++unanswered;
        dangling = owes_ready(entry) ? false : dangling || !entry.swallow;
    }
    if (std::exchange(resets_.held, false)) ++unanswered;
    resets_.pending.clear();
    for (auto it = lost->replies.end(); it != lost->replies.begin();)
        if ((--it)->what == reply_kind::parse) on_skipped(lost->replies, *it, false);
    // What a transaction did that cannot have been committed was not there.
    if (in_transaction && !committing) touched_ = false;
    note_seen();
    const bool half_sent = lost->message_left > 0 && lost->forward_message;
    const bool open_batch = (mid_batch_ || dangling) && !skip_to_sync_;
    checking_pins_ = pins_may_end_ = false;
    // Temporary tables, locks and the like are gone with the server: a client that went on as if
    // they were there would be worse off than one that has to connect again.
    const bool state_lost = effects_.pins() != 0 || mode() == conf::pool_mode::session;
    effects_.forget();
    effects_.unpin_all();
    forget_portals();
    w_.servers.discard(std::move(lost));
    if (state_lost && !half_sent) {
        w_.to_client.clear();
        terminate(committing ? sqlstate::transaction_resolution_unknown : state,
                  "the session's server connection and its state are lost: " + why);
        return;
    }
    if (half_sent) {
        // The client has half a message: nothing that follows could be understood.
        w_.to_client.clear();
        client_gone();
        return;
    }
    const std::string_view shown = committing ? sqlstate::transaction_resolution_unknown : state;
    const std::string text =
        committing ? "the server was lost during COMMIT: whether the transaction took effect is "
                     "unknown (" +
                         why + ")"
                   : why;
    broken_ = in_transaction;
    broken_reported_ = unanswered > 0 || open_batch;
    const char ready = in_transaction ? 'E' : 'I';
    for (std::size_t i = 0; i < unanswered; ++i) {
        // Whoever has seen an error for this statement needs no second one.
        if (!std::exchange(query_failed_, false))
            protocol::append_error(out, severity::error, shown, text);
        protocol::append_ready_for_query(out, ready);
    }
    // Its results may have been shown already, but without a Sync nothing of it is committed.
    if (open_batch) protocol::append_error(out, severity::error, shown, text);
    w_.to_client.commit();
    forget_plans();
    // A batch that waited for replies before it begins finds another server.
    cleared_ = cursor_;
    // What the client still sends of the batch at hand is ignored up to its Sync.
    skip_to_sync_ = skip_to_sync_ || mid_batch_ || dangling;
    mid_batch_ = open_ended_ = flush_is_sync_ = query_failed_ = false;
    if (client_left_ > 0) discard_left_ = true;
    batch_begins_ = false;
    arm_idle_deadline();
    flush_client();
    pump_client();
}

bool session::is_covered_by(const traffic_scope& scope) const {
    return scope.covers(*who_.login) || holds_server(scope);
}

bool session::holds_server(const traffic_scope& scope) const {
    return server_ && scope.covers(*server_->login(), *server_->server());
}

void session::on_snapshot() {
    if (!waiting() || (phase_ != phase::ready && phase_ != phase::welcome)) return;
    if (paused_ != w_.now->orders.paused(*who_.login)) {
        const boost::intrusive_ptr<session> guard(this);
        w_.servers.forget(*this);
        ask_for_server(hostgroup_);
        if (server_ && !applying_settings_ && phase_ == phase::ready) pump_client();
        return;
    }
    follow_hold();
    if (paused_ || phase_ != phase::ready) return;
    const auto& hostgroups = *w_.now->hostgroups;
    const int writer = who_.user->default_hostgroup;
    if (hostgroup_ == writer || hostgroups.reader_of(writer) != hostgroup_) return;
    const int hostgroup = reader_or_writer(hostgroups, writer);
    if (hostgroup == hostgroup_ && (only_ == nullptr || w_.now->is_usable(only_))) return;
    const boost::intrusive_ptr<session> guard(this);
    w_.servers.forget(*this);
    ask_for_server(hostgroup);
    if (server_ && !applying_settings_) pump_client();
}

void session::on_server_readable(server_connection&) {
    pump_server();
}

void session::on_server_writable(server_connection& from) {
    const protocol::io_result sent = protocol::flush_backlog(from.stream(), from.out);
    if (sent.closed()) {
        server_lost(sqlstate::connection_failure, "the connection broke while sending");
        return;
    }
    if (!from.out.empty()) {
        from.want_write();
        return;
    }
    pump_client();
}

void session::cancel(std::string_view key) {
    if (cancel_key_.matches(key)) cancel_running();
}

void session::cancel_running() {
    const boost::intrusive_ptr<session> guard(this);
    ++w_.counters.cancels;
    if (delaying_) return cancel_delay();
    if (server_ && server_->replies.owed()) {
        // What is cancelled is over: it must not start again elsewhere.
        retain_ = unread_ = false;
        w_.servers.cancel(*server_);
        flush_client();
        return;
    }
    if ((waiting() || awaits_sample_) && phase_ == phase::ready) {
        awaits_sample_ = awaits_position_ = false;
        w_.servers.forget(*this);
        fail_batch(sqlstate::query_canceled, "canceling statement due to user request");
        pump_client();
    }
}

void session::drain() {
    draining_ = true;
    const bool free = !server_ || (server_->clean() && !mid_batch_);
    if (phase_ == phase::ready && free && !waiting() && !awaits_sample_ && in_.empty() &&
        to_client_.empty() && !broken_)
        terminate(sqlstate::admin_shutdown, "terminating connection due to administrator command");
}

void session::terminate(std::string_view state, std::string_view message) {
    if (phase_ == phase::closed) return;
    ended_by_us_ = true;
    protocol::append_error(w_.to_client.generated(), severity::fatal, state, message);
    w_.to_client.commit();
    // Best effort: a client that does not read gets no farewell.
    (void)w_.to_client.flush(client_, to_client_);
    spdlog::debug("client {} ({}@{}): {}", who_.peer, who_.login->user, who_.login->database,
                  message);
    client_gone();
}

void session::client_gone() {
    if (phase_ == phase::closed || phase_ == phase::resetting) return;
    const boost::intrusive_ptr<session> guard(this);
    // The gathers are the worker's: what is left in them would go to the next session's peers.
    w_.to_client.clear();
    flush_server();  // whose replies are expected
    to_client_.clear();
    retain_ = unread_ = awaits_sample_ = false;
    client_.close();
    disarm();
    w_.servers.forget(*this);
    if (server_) {
        // A question of ours is answered soon, and nobody minds its answer.
        const bool settled = server_->clean() || checking_pins_;
        const bool reusable =
            settled && !server_dirty_ && !mid_batch_ && (client_left_ == 0 || discard_left_);
        const bool has_state =
            effects_.pins() != 0 || checking_pins_ || mode() == conf::pool_mode::session;
        if (reusable && has_state) {
            // What the session left behind must not reach the next client.
            phase_ = phase::resetting;
            query_failed_ = checking_pins_ = false;
            w_.wheel.arm(*this, w_.now->vars().connect_timeout_server_max);
            protocol::append_query(w_.to_server.generated(), "DISCARD ALL");
            w_.to_server.commit();
            server_->replies.expect(reply_kind::query, {}, true);
            if (const auto& init = server_->login()->init; init && !init->statements.empty()) {
                protocol::append_query(w_.to_server.generated(), init->statements);
                w_.to_server.commit();
                server_->replies.expect(reply_kind::query, {}, true);
            }
            flush_server();
            server_->want_read();
            return;
        }
        if (reusable) {
            release_server();
        } else {
            leave_running();
        }
    }
    finish();
}

void session::finish() {
    if (phase_ == phase::closed) return;
    phase_ = phase::closed;
    disarm();
    in_.reset();
    to_client_.clear();
    who_.place.leave();
    w_.leave(pid_);
    self_.reset();
}

void session::want_client_read() {
    if (client_reading_ || phase_ == phase::closed || phase_ == phase::resetting) return;
    client_reading_ = true;
    client_.wait(protocol::stream::wait_type::wait_read,
                 [self = boost::intrusive_ptr<session>(this)](const boost::system::error_code& ec) {
                     self->client_reading_ = false;
                     if (ec != boost::asio::error::operation_aborted) self->on_client_readable();
                 });
}

void session::yield_client() {
    if (std::exchange(client_yields_, true)) return;
    boost::asio::post(w_.io, [self = boost::intrusive_ptr<session>(this)] {
        self->client_yields_ = false;
        self->on_client_readable();
    });
}

void session::want_client_write() {
    if (client_writing_ || phase_ == phase::closed || phase_ == phase::resetting) return;
    client_writing_ = true;
    client_.wait(
        protocol::stream::wait_type::wait_write,
        [self = boost::intrusive_ptr<session>(this)](const boost::system::error_code& ec) {
            self->client_writing_ = false;
            if (ec == boost::asio::error::operation_aborted || self->phase_ == phase::closed)
                return;
            self->flush_client();
            if (self->phase_ == phase::closed || !self->to_client_.empty()) return;
            if (self->server_ && self->phase_ == phase::ready) self->pump_server();
            if (self->phase_ == phase::ready) self->pump_client();
        });
}

void session::flush_client() {
    if (phase_ == phase::resetting || phase_ == phase::closed) {
        w_.to_client.clear();
        return;
    }
    const protocol::io_result sent = w_.to_client.flush(client_, to_client_, retain_);
    if (sent.closed()) {
        client_gone();
    } else if (!retain_ && !to_client_.empty()) {
        want_client_write();
    }
}

void session::settings_changed() {
    const auto is_on = [&](std::string_view name, bool when_unset) {
        const std::string* statement = settings_->find(name);
        return statement == nullptr ? when_unset : sets_to_true(*statement);
    };
    own_consistency_.reset();
    if (const std::string* own = settings_->find("howdah.read_consistency"))
        own_consistency_ = conf::from_string<conf::read_consistency>(setting_value(*own));
    read_only_mode_ = is_on("default_transaction_read_only", false);
    // Otherwise the lexer could see the end of a literal where the server does not.
    const std::string* encoding = settings_->find("client_encoding");
    safe_lexing_ = is_on("standard_conforming_strings", true) &&
                   (encoding == nullptr || !sets_to_ascii_unsafe_encoding(*encoding));
}

}  // namespace howdah::proxy
