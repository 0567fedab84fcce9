#include <spdlog/spdlog.h>

#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/pins.hpp"
#include "proxy/session/session.hpp"

// From the server to the client: whose reply it is, what it changes, and when the server is free.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::frame;
using protocol::frame_header_size;

namespace {

/// Replies after which an answer can no longer be taken back and asked for elsewhere.
bool is_decisive(char type) {
    return std::string_view("DCIsGHWVZE").find(type) != std::string_view::npos;
}

/// "cannot access temporary or unlogged relations during recovery", in whatever language.
bool is_of_primary_alone(const protocol::error_view& error) {
    return error.sqlstate == sqlstate::feature_not_supported &&
           error.routine == "get_relation_info";
}

}  // namespace

void session::pump_server() {
    const boost::intrusive_ptr<session> guard(this);
    w_.active = pid_;
    for (int round = 0; round < read_rounds; ++round) {
        if (!server_ || (!retain_ && !to_client_.empty())) return;
        const server_ptr server = server_;
        const std::span<char> space = server->in.prepare(protocol::buffer_pool::chunk_size);
        const protocol::io_result got = server->stream().read(space.data(), space.size());
        if (got.blocked()) {
            if (server->in.empty()) server->in.reset();
            server->want_read();
            return;
        }
        if (got.closed()) {
            server_lost(sqlstate::connection_failure,
                        got.error ? "the server connection broke: " + got.error.message()
                                  : "the server closed the connection unexpectedly");
            return;
        }
        server->in.commit(got.bytes);
        counted_->sent += got.bytes;
        exchanged_->received += got.bytes;
        if (!process_server()) return;
        if (server_ != server) return;
        if (got.bytes < space.size() && !server->stream().has_buffered_input()) break;
    }
    if (!server_ || (!retain_ && !to_client_.empty())) return;
    if (server_->stream().has_buffered_input()) {
        // Decrypted already: the socket will not announce it again.
        boost::asio::post(w_.io, [guard, server = server_] {
            if (guard->server_ == server) guard->pump_server();
        });
        return;
    }
    server_->want_read();
}

bool session::must_see_whole(char type) const {
    if (type == 'D' && checking_pins_) return true;
    return type == 'E' || type == 'S' || type == 'C' || type == 'Z' || type == 't' || type == 'T' ||
           (retain_ && type == 'N');
}

bool session::process_server() {
    bool stop = false;
    std::size_t at = 0;
    const std::string_view data = server_->in.data();
    while (at < data.size() && !stop) {
        const std::string_view rest = data.substr(at);
        if (server_->message_left > 0) {
            const std::size_t n = std::min(server_->message_left, rest.size());
            if (server_->forward_message) pass_to_client(rest.substr(0, n));
            server_->message_left -= n;
            at += n;
            continue;
        }
        const auto f = protocol::peek_frame(rest);
        if (!f) break;
        if (!f->valid()) {
            server_lost(sqlstate::protocol_violation, "the server sent an invalid message length");
            return false;
        }
        const bool whole = rest.size() >= f->size();
        // A message that is too large for the buffer is judged by what can be seen of it.
        if (!whole && must_see_whole(f->type) && f->size() <= protocol::buffer_pool::chunk_size)
            break;
        if (!take_server_message(*f, rest.substr(0, std::min(rest.size(), f->size())), stop))
            return false;
        at += std::min(rest.size(), f->size());
        server_->message_left = f->size() - std::min(rest.size(), f->size());
    }
    drain_local();
    flush_client();
    if (phase_ == phase::closed || !server_) return false;
    const server_ptr same = server_;
    if (!same->replies.owed()) running_ = false;
    server_->in.consume(at);
    // A flood of notices is no reason to hold an answer back without bound.
    if (retain_ && to_client_.size() > protocol::buffer_pool::chunk_size) {
        retain_ = false;
        flush_client();
    }
    const bool waited = std::exchange(waits_for_reply_, false);
    if (stop) {
        at_sync();
    } else if (waited) {
        pump_client();
    }
    if (server_ != same) return false;
    // What follows a ReadyForQuery in the same read: notifications, for instance.
    if (stop && !same->in.empty() && to_client_.empty()) return process_server();
    return true;
}

void session::drain_local() {
    while (server_->replies.local_at_front()) {
        unread_ = false;
        w_.to_client.generated() += server_->replies.front().note.text;
        w_.to_client.commit();
        server_->replies.pop();
    }
}

bool session::take_server_message(const frame& f, std::string_view message, bool& stop) {
    const std::string_view body = message.substr(std::min(message.size(), frame_header_size));
    if (f.type == 'E' && !on_server_error(body)) return false;
    if (f.type == 'N' && retain_ && repeatable_) {
        // "terminating connection because of crash of another server process": the end follows.
        const auto view = protocol::parse_error(body);
        if (view && view->sqlstate == sqlstate::crash_shutdown) {
            server_->forward_message = false;
            return true;
        }
    }
    drain_local();
    // It answers, so it reads; what sets parameters goes out before the client's own.
    const bool aside = f.type == 'N' || f.type == 'S' || f.type == 'A';
    if (!aside && !applying_settings_) unread_ = false;
    if (f.type == 'D' && server_->replies.owed()) ++server_->replies.front().note.rows_sent;
    if (f.type == 'C') on_command_complete(body);
    if (f.type == 'S') take_parameter(body);
    const bool owed = server_->replies.owed();
    std::string refusal;
    if (owed) {
        const server_replies::entry& first = server_->replies.front();
        const bool describes = first.what == reply_kind::describe_statement ||
                               first.what == reply_kind::describe_portal;
        if (describes && (f.type == 't' || f.type == 'T' || f.type == 'n'))
            learn_shape(first, f.type, message.size() == f.size() ? body : std::string_view());
        if (f.type == 'E' && !first.note.text.empty()) refusal = first.note.text;
    }
    const bool swallowed_query = applying_settings_ || checking_pins_ || phase_ == phase::resetting;
    if (f.type == 'D' && checking_pins_) {
        if (const auto held = pins_in(body))
            effects_.unpin(static_cast<std::uint16_t>(verifiable(held_pins()) & ~*held));
    }
    const auto handling = server_->replies.on_message(
        f.type, [this](server_replies::entry& e) { on_done(e); },
        [this](server_replies::entry& e, bool failed) { on_skipped(server_->replies, e, failed); });
    if (handling == server_replies::handling::violation) {
        server_lost(sqlstate::protocol_violation,
                    std::string("the server sent an unexpected message of type '") + f.type + "'");
        return false;
    }
    // A notification is the client's whatever we have asked meanwhile.
    server_->forward_message = handling == server_replies::handling::forward &&
                               (!swallowed_query || f.type == 'A') &&
                               !(mending_ && f.type == 'E') && !(f.type == 'S' && told_);
    // Until the client's own Sync everything it sends is void, as the server would see it.
    if (f.type == 'E' && owed && !swallowed_query && !mending_) {
        auto& replies = server_->replies;
        if (std::none_of(replies.begin(), replies.end(), owes_ready)) {
            skip_to_sync_ = true;
            // Also what waited for another server.
            waits_for_reply_ = true;
        }
        // The server waits for a Sync, also where a Query stood behind the failed message.
        if (replies.empty()) mid_batch_ = true;
    }
    // The Sync that came with the COPY will be ignored: another one has to end this batch.
    if (f.type == 'G' && server_->replies.copy_in() &&
        server_->replies.front().what == reply_kind::execute)
        mid_batch_ = true;
    if (f.type == 'Z') {
        const auto ready = protocol::parse_ready_for_query(body);
        if (!ready) {
            server_lost(sqlstate::protocol_violation, "the server sent a malformed ReadyForQuery");
            return false;
        }
        on_ready(*ready);
        if (!swallowed_query && !mending_) {
            retain_ = false;
            fresh_names_.clear();
            keep_recorded(*ready);
        }
        if (server_->forward_message) {
            if (!hold_ready()) {
                tell_parameters();
                w_.to_client.add(message);
            }
        }
        if (!server_->replies.owed()) drain_local();
        stop = server_->replies.empty();
        return true;
    }
    if (!server_->forward_message) return true;
    if (!refusal.empty() && refuse_in_place(body, refusal)) return true;
    if (f.type == 'E' && blames_timeout_ && show_stop_reason(body)) return true;
    const bool names_ours = f.type == 'E' && (body.find("howdah_") != body.npos ||
                                              body.find(foreign_prefix) != body.npos);
    if (names_ours && show_own_name(body)) return true;
    // Until here the answer could have been given up for another server's, or for that of a
    // statement prepared anew: that is decided when it is bound.
    if (retain_ && owed && (is_decisive(f.type) || (!repeatable_ && f.type == '2'))) {
        retain_ = false;
        fresh_names_.clear();
    }
    pass_to_client(message);
    return true;
}

bool session::on_server_error(std::string_view body) {
    const auto view = protocol::parse_error(body);
    if (!view) return true;
    if (applying_settings_) {
        if (settings_error_.empty()) settings_error_ = body;
        if (!view->ends_connection()) return true;
    }
    const bool lost = view->ends_connection() || view->sqlstate == sqlstate::admin_shutdown ||
                      view->sqlstate == sqlstate::crash_shutdown;
    if (lost && view->sqlstate == sqlstate::protocol_violation && !applying_settings_ &&
        !checking_pins_ && phase_ == phase::ready) {
        // What the client has sent made the server end the connection: so it is told, and ends.
        count_error(*view);
        fail_for_good(body);
        return false;
    }
    if (lost) {
        // Copies: the view's bytes go with the connection.
        const std::string state(view->sqlstate.empty() ? sqlstate::connection_failure
                                                       : view->sqlstate);
        const std::string why(view->message);
        // Of all that ends a backend only a dead postmaster is noticed nowhere but there.
        const bool never_read =
            view->routine == "secure_read" && view->sqlstate == sqlstate::admin_shutdown;
        count_error(*view);
        server_lost(state, why, never_read);
        return false;
    }
    if (!applying_settings_ && !checking_pins_ && mend_statement(*view)) return true;
    if (retain_ && repeatable_ && server_->replies.owed()) {
        const bool wrote =
            view->sqlstate == sqlstate::read_only_sql_transaction || is_of_primary_alone(*view);
        const bool conflict =
            view->message.find("conflict with recovery") != std::string_view::npos;
        if ((wrote || conflict) && hostgroup_ != who_.user->default_hostgroup) {
            ++w_.counters.reads_rerouted;
            if (wrote) learn_writes();
            w_.to_client.clear();
            server_ptr old = std::exchange(server_, nullptr);
            // Another standby may be free of the conflict; the writer is, always.
            const bool another = conflict && repeats_ == 0 && w_.now->usable(hostgroup_).size() > 1;
            if (another) avoid_ = old->server();
            force_writer_ = !another;
            // It still owes the rest of this exchange; opening another is cheaper than a detour
            // for a digest that from now on goes to the writer at once.
            w_.servers.discard(std::move(old));
            ++repeats_;
            repeat_batch();
            return false;
        }
    }
    // The question was ours; unanswered, the pins stay.
    if (checking_pins_) return true;
    count_error(*view);
    std::copy_n(view->sqlstate.begin(), std::min(view->sqlstate.size(), failed_with_.size()),
                failed_with_.begin());
    if (server_->state().status == 'I') effects_.failed_outside_transaction();
    query_failed_ = true;
    return true;
}

bool session::refuse_in_place(std::string_view body, const std::string& refusal) {
    const auto view = protocol::parse_error(body);
    if (!view || (view->sqlstate != sqlstate::invalid_sql_statement_name &&
                  view->sqlstate != sqlstate::syntax_error))
        return false;
    retain_ = false;
    fresh_names_.clear();
    w_.to_client.generated() += refusal;
    w_.to_client.commit();
    return true;
}

void session::fail_for_good(std::string_view body) {
    retain_ = false;
    protocol::append_message(w_.to_client.generated(), 'E', body);
    w_.to_client.commit();
    flush_client();
    if (phase_ == phase::closed) return;
    server_dirty_ = true;
    client_gone();
}

bool session::show_own_name(std::string_view body) {
    const auto view = protocol::parse_error(body);
    if (!view || view->sqlstate.empty()) return false;
    // As servers know it, in quotes; "client:" stands before a name that must not meet theirs.
    const std::size_t begin = view->message.find('"');
    const std::size_t end = view->message.find('"', begin + 1);
    if (begin == view->message.npos || end == view->message.npos) return false;
    const std::string_view shown = view->message.substr(begin + 1, end - begin - 1);
    std::optional<std::string_view> own;
    if (shown.starts_with(foreign_prefix)) own = shown.substr(foreign_prefix.size());
    if (statements_)
        for (const auto& [name, s] : *statements_)
            if (s->statement->server_name == shown) own = name;
    if (!own) return false;
    retain_ = false;
    fresh_names_.clear();
    protocol::append_changed_error(w_.to_client.generated(), body,
                                   {.level = std::nullopt, .from = shown, .to = *own});
    w_.to_client.commit();
    return true;
}

void session::on_command_complete(std::string_view body) {
    const auto tag = protocol::parse_command_complete(body);
    if (!tag || applying_settings_ || checking_pins_ || phase_ != phase::ready) return;
    const char first = tag->empty() ? '\0' : tag->front();
    if (first == 'D' || first == 'R') effects_.completed(*tag);
    if (effects_.take_statements_dropped()) drop_statements();
    // What its init_connect has done beside setting parameters is gone, too.
    if (const auto& init = server_->login()->init;
        init && !init->statements.empty() && *tag == "DISCARD ALL")
        server_dirty_ = true;
    if (server_->replies.empty()) return;
    reply_note& note = server_->replies.front().note;
    if (note.digest) note.rows_affected += rows_affected(*tag, note.rows_sent);
    if (!note.what || note.what->parts.empty()) return;
    const auto& parts = note.what->parts;
    const auto part = std::lower_bound(
        parts.begin(), parts.end(), note.completed,
        [](const sql::statement_part& p, std::size_t index) { return p.index < index; });
    if (part != parts.end() && part->index == note.completed) effects_.ran(part->what);
    ++note.completed;
}

void session::drop_statements() {
    // The unnamed statement stays, and what the same batch prepares behind it.
    auto& prepared = server_->state().prepared;
    prepared.clear();
    const auto before = std::exchange(statements_, nullptr);
    for (const server_replies::entry& e : server_->replies) {
        if (e.what == reply_kind::parse && e.note.statement)
            prepared.add(e.note.statement, w_.coarse_now);
        if (e.note.name.empty() || e.note.closes || !before || !before->contains(e.note.name))
            continue;
        if (!statements_) statements_ = std::make_unique<client_statements>();
        statements_->insert_or_assign(e.note.name, e.note.own);
    }
}

// A later batch of the pipeline closes or prepares the statement itself: what an error skips in
// this one says nothing about it.
bool session::is_settled_later(server_replies& replies, const server_replies::entry& e) {
    if (!e.note.statement) return false;
    const auto end_of_batch = std::find_if(replies.begin(), replies.end(), [&](const auto& other) {
        return &other >= &e && other.what == reply_kind::sync;
    });
    return std::any_of(end_of_batch, replies.end(), [&](const auto& other) {
        return other.note.statement == e.note.statement &&
               (other.what == reply_kind::parse || other.what == reply_kind::close);
    });
}

void session::on_skipped(server_replies& replies, server_replies::entry& e, bool failed) {
    if (failed) count_statement(e.note, true);
    // What was refused may have got as far as taking a lock that outlives its transaction.
    if (e.note.what && failed && e.note.what->pins != 0) {
        effects_.pin(e.note.what->pins);
        pins_may_end_ = true;
    }
    if (server_ && !is_settled_later(replies, e)) {
        server_connection::parts& server = server_->state();
        if (e.what == reply_kind::close && e.note.statement)
            server.prepared.add(e.note.statement, w_.coarse_now);  // it is still there
        if (e.what == reply_kind::describe_statement && e.swallow && e.note.statement)
            if (auto* there = server.prepared.find(*e.note.statement)) there->described = false;
        if (e.what == reply_kind::parse) {
            if (e.note.statement) {
                server.prepared.remove(*e.note.statement);
            } else {
                // A Parse that fails has dropped the one before already.
                server.unnamed_owner = failed ? 0 : unnamed_unknown;
            }
        }
    }
    if (std::exchange(e.note.changes_unnamed, false)) {
        const auto stays = failed ? nullptr : std::move(e.note.unnamed_before);
        // A later message of the pipeline has changed it again: that is where this one came from.
        const auto later = std::find_if(replies.begin(), replies.end(), [&](const auto& other) {
            return &other > &e && other.note.changes_unnamed;
        });
        (later != replies.end() ? later->note.unnamed_before : unnamed_) = stays;
    } else if (e.note.closes) {
        if (!statements_) statements_ = std::make_unique<client_statements>();
        statements_->insert_or_assign(e.note.name, e.note.own);
    } else if (!e.note.name.empty() && statements_) {
        const auto it = statements_->find(e.note.name);
        if (it != statements_->end() && it->second == e.note.own) statements_->erase(it);
    }
}

void session::on_done(server_replies::entry& e) {
    count_statement(e.note, e.what == reply_kind::query && query_failed_);
    if (e.swallow || (!e.note.what && !e.note.verdict)) return;
    constexpr int unchanged = -1;
    const int multiplex =
        e.note.verdict ? e.note.verdict->multiplex.value_or(unchanged) : unchanged;
    const bool failed = e.what == reply_kind::query && query_failed_;
    if (e.note.what) {
        const sql::traits& t = *e.note.what;
        const std::uint16_t before = effects_.pins();
        if (may_end_pins(t)) pins_may_end_ = true;
        if (failed) {
            effects_.pin(t.pins);
        } else {
            note_resets(t);
            if (t.statements == 1) effects_.ran(t);
        }
        if (multiplex == 2) effects_.unpin(static_cast<std::uint16_t>(t.pins & ~before));
    }
    constexpr auto rule = static_cast<std::uint16_t>(sql::pin_reason::query_rule);
    if (multiplex == 0 && !failed) effects_.pin(rule);
    if (multiplex == 1) effects_.unpin(rule);
}

void session::count_pins() {
    const unsigned held = pins();
    const unsigned fresh = held & ~std::exchange(counted_pins_, held);
    for (std::size_t i = 0; i < sql::pin_reasons; ++i)
        if ((fresh >> i & 1U) != 0) ++w_.counters.pinned[i];
}

void session::on_ready(char new_status) {
    server_->state().status = new_status;
    if (applying_settings_ || checking_pins_ || phase_ != phase::ready) return;
    count_pins();
    if (new_status == 'I') count_transaction();
    end_running(new_status);
    // A COMMIT that fails is a ROLLBACK.
    if (std::exchange(query_failed_, false) && new_status == 'I')
        effects_.failed_outside_transaction();
    if (new_status != 'I') {
        effects_.still_in_transaction();
        return;
    }
    const auto forget_resets = [this] { resets_.undone = resets_.left = false; };
    note_seen();
    batch_begins_ = false;
    forget_portals();
    if (effects_.nothing_pending()) {
        (void)effects_.settle();
        forget_resets();
        return;
    }
    const std::vector<sql::setting_change> changes = effects_.settle();
    if (changes.empty()) {
        forget_resets();
        return;
    }
    // A RESET goes to the server's own value, unless the client's own was set behind it.
    const session_settings nothing({});
    const session_settings& base = resets_.undone ? *who_.settings : nothing;
    if (resets_.undone && resets_.left) server_dirty_ = true;
    settings_ = w_.shared.settings.intern(apply_changes(*settings_, *who_.settings, changes));
    server_->state().settings =
        w_.shared.settings.intern(apply_changes(*server_->state().settings, base, changes));
    forget_resets();
    settings_changed();
}

std::uint16_t session::held_pins() const {
    // Under such a search_path what is not temporary by its grammar is so, too.
    const std::string* path = settings_->find("search_path");
    const bool any_may_be_temporary = path != nullptr && path->find("pg_temp") != path->npos;
    const auto temporary = static_cast<std::uint16_t>(sql::pin_reason::temp_object);
    return any_may_be_temporary ? static_cast<std::uint16_t>(effects_.pins() & ~temporary)
                                : effects_.pins();
}

bool session::begin_pin_check() {
    if (!pins_may_end_ || server_->state().status != 'I' || mid_batch_ || client_left_ > 0)
        return false;
    pins_may_end_ = false;
    const std::uint16_t pins = verifiable(held_pins());
    if (pins == 0 || mode() != conf::pool_mode::transaction) return false;
    checking_pins_ = true;
    protocol::append_query(w_.to_server.generated(), pin_check(pins));
    w_.to_server.commit();
    server_->state().unnamed_owner = 0;
    server_->replies.expect(reply_kind::query, {}, true);
    flush_server();
    return true;
}

void session::at_sync() {
    if (phase_ == phase::resetting) {
        if (!server_->replies.empty()) return;
        server_->state().settings = w_.shared.settings.none();
        server_->state().prepared.clear();
        server_dirty_ = server_dirty_ || query_failed_;
        release_server();
        finish();
        return;
    }
    if (applying_settings_) {
        end_settings();
        return;
    }
    checking_pins_ = false;
    if (server_->replies.empty()) ruled_timeouts_ = false;
    if (mending_) {
        run_mended();
        return;
    }
    repeats_ = mends_ = 0;
    delay_over_ = false;
    arm_idle_deadline();
    if (mode() == conf::pool_mode::statement && server_->state().status != 'I') {
        server_dirty_ = true;
        terminate(sqlstate::feature_not_supported,
                  "transaction blocks are not allowed in statement pooling mode");
        return;
    }
    if (resets_.held) {
        undo_reset();
        return;
    }
    // RESET goes back to the login's values on the server; the client's are those it began with.
    const bool stays = sticky() || kept();
    if (stays && server_->state().status == 'I' && !mid_batch_ && client_left_ == 0 &&
        server_->state().settings != settings_) {
        awaited_settings_ = settings_for(hostgroup_, server_->state().settings);
        if (server_->state().settings != awaited_settings_) {
            begin_settings();
            return;
        }
    }
    if (begin_pin_check()) return;
    // Nothing to do for the client at once: others may have the server.
    if (!stays && cursor_ >= cleared_ && server_->out.empty()) release_server();
    pump_client();
}

}  // namespace howdah::proxy
