#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// The client's named statements on the server connection of the moment: prepared where they are
// missing, in the shape that the client knows, and anew where the server will not run them any
// more.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::frame;
using protocol::frame_header_size;

namespace {

/// Statements prepared anew for one batch: each makes the next attempt get further.
constexpr std::uint16_t max_mends = 100;

/// The routine of PostgreSQL that says "cached plan must not change result type", in whatever
/// language.
constexpr std::string_view revalidation = "RevalidateCachedQuery";

reply_note note_of(statement_ptr s) {
    reply_note note;
    note.statement = std::move(s);
    return note;
}

}  // namespace

own_statement session::find_own(std::string_view name) const {
    if (!statements_) return nullptr;
    const auto it = statements_->find(name);
    return it == statements_->end() ? nullptr : it->second;
}

statement_ptr session::find_statement(std::string_view name) const {
    const own_statement own = find_own(statement_name(name));
    return own ? own->statement : nullptr;
}

void session::forget_name(std::string_view name) {
    if (!statements_) return;
    const auto it = statements_->find(statement_name(name));
    if (it != statements_->end()) statements_->erase(it);
}

statement_ptr session::make_statement(std::string_view oids, const statement_plan& plan,
                                      std::string_view sent) {
    std::string reading = settings_->reading();
    // Under settings that hold for this transaction alone it must not become anybody else's.
    if (effects_.changes_reading()) reading += "transaction " + std::to_string(w_.next_serial());
    return w_.shared.statements.intern(plan.text(sent), oids, reading, plan.what);
}

void session::close_on_server(const statement_ptr& s) {
    protocol::append_close(w_.to_server.generated(), 'S', s->server_name);
    w_.to_server.commit();
    server_->replies.expect(reply_kind::close, note_of(s), true);
    server_->state().prepared.remove(*s);
}

void session::parse_on_server(const statement_ptr& s, const own_statement& own,
                              std::string client_name) {
    prepared_on_server& prepared = server_->state().prepared;
    protocol::append_parse_raw(w_.to_server.generated(), s->server_name, s->query, s->oids);
    w_.to_server.commit();
    reply_note note = note_of(s);
    note.own = own;
    note.name = std::move(client_name);
    server_->replies.expect(reply_kind::parse, std::move(note), own == nullptr);
    names_changed_at_ = server_->replies.expected();
    prepared.add(s, w_.coarse_now);
    const auto& vars = w_.now->vars();
    const prepared_limits limits{vars.max_stmts_per_connection, vars.max_stmts_bytes_per_connection,
                                 vars.stmts_max_idle_time};
    while (const statement_ptr old = prepared.take_excess(limits, w_.coarse_now))
        close_on_server(old);
}

prepared_on_server::entry& session::ensure_prepared(const statement_ptr& s) {
    prepared_on_server& prepared = server_->state().prepared;
    prepared_on_server::entry* there = prepared.touch(*s, w_.coarse_now);
    if (there != nullptr && !there->stale) return *there;
    if (there != nullptr) close_on_server(s);
    parse_on_server(s, nullptr, {});
    return *prepared.find(*s);
}

session::readiness session::ready_to_bind(client_statement& own, bool described_again) {
    // Read anew under the settings of today, as PostgreSQL would.
    if (own.statement->reading != settings_->reading() && !effects_.changes_reading())
        own.replace(w_.shared.statements.intern(own.statement->query, own.statement->oids,
                                                settings_->reading(), own.statement->what));
    prepared_on_server::entry& there = ensure_prepared(own.statement);
    statement_shape relied_on = own.seen;
    if (described_again) relied_on.columns = 0;
    if (!relied_on.known()) return readiness::ready;
    if (there.shape.covers(relied_on))
        return there.shape.agrees(relied_on) ? readiness::ready : readiness::changed;
    if (!std::exchange(there.described, true)) {
        protocol::append_describe(w_.to_server.generated(), 'S', own.statement->server_name);
        w_.to_server.commit();
        server_->replies.expect(reply_kind::describe_statement, note_of(own.statement), true);
    }
    return readiness::wait;
}

void session::refuse_bind(const frame& f, std::string error) {
    // What the server says about a statement that nobody has is replaced by `error`.
    reply_note note;
    note.text = std::move(error);
    server_->replies.expect(reply_kind::bind, std::move(note));
    constexpr std::string_view nothing("\0\0\0\0\0\0", 6);  // formats, parameters, formats
    std::string& out = w_.to_server.generated();
    protocol::append_bind_prefix(out, {}, "howdah_refused", nothing.size());
    out += nothing;
    w_.to_server.commit();
    skip_message(f);
}

void session::refuse_changed(const frame& f) {
    std::string error;
    protocol::append_error(error, {.sqlstate = sqlstate::feature_not_supported,
                                   .message = "cached plan must not change result type",
                                   .routine = revalidation});
    refuse_bind(f, std::move(error));
}

bool session::describes_portal(std::string_view name, std::string_view behind) const {
    while (const auto f = protocol::peek_frame(behind)) {
        if (!f->valid() || behind.size() < f->size()) return false;
        const std::string_view body = behind.substr(frame_header_size, f->body_size());
        if (f->type == 'D') {
            const auto describe = protocol::parse_describe(body);
            if (describe && describe->kind == 'P' && describe->name == name) return true;
        } else if (f->type == 'E' || f->type == 'S' || f->type == 'B') {
            return false;
        }
        behind.remove_prefix(f->size());
    }
    return false;
}

reply_note session::describe_note(const own_statement& own, bool statement) {
    const auto* there = statement ? &ensure_prepared(own->statement)
                                  : server_->state().prepared.find(*own->statement);
    reply_note note = note_of(own->statement);
    const bool known = there != nullptr && there->shape.columns != 0 &&
                       (!statement || there->shape.parameters != 0);
    if (!known) {
        note.own = own;
        return note;
    }
    // What the server has said once of a statement it says again, or refuses.
    own->seen.columns = there->shape.columns;
    if (statement) own->seen.parameters = there->shape.parameters;
    return note;
}

void session::learn_shape(const server_replies::entry& e, char type, std::string_view body) {
    if (!e.note.statement) return;
    prepared_on_server::entry* there = server_->state().prepared.find(*e.note.statement);
    const bool parameters = type == 't';
    const bool whole = !body.empty() || type == 'n';
    const std::uint64_t shape = !whole       ? statement_shape::too_large
                                : parameters ? shape_of_parameters(body)
                                             : shape_of_columns(body);
    const auto note = [&](statement_shape& s) { (parameters ? s.parameters : s.columns) = shape; };
    if (there != nullptr) note(there->shape);
    if (e.note.own) note(e.note.own->seen);
}

bool session::mend_statement(const protocol::error_view& error) {
    if (!retain_ || mends_ >= max_mends || server_->state().status != 'I') return false;
    auto& replies = server_->replies;
    const auto first = std::find_if(replies.begin(), replies.end(),
                                    [](const auto& e) { return e.what != reply_kind::local; });
    if (first == replies.end() || !first->note.statement ||
        (first->what != reply_kind::bind && first->what != reply_kind::describe_statement))
        return false;
    prepared_on_server& prepared = server_->state().prepared;
    prepared_on_server::entry* there = prepared.find(*first->note.statement);
    if (error.sqlstate == sqlstate::feature_not_supported && error.routine == revalidation) {
        if (there != nullptr) there->stale = true;
    } else if (error.sqlstate == sqlstate::invalid_sql_statement_name) {
        prepared.remove(*first->note.statement);
    } else {
        return false;
    }
    ++mends_;
    ++w_.counters.statements_mended;
    mending_ = true;
    const auto sync = std::find_if(replies.begin(), replies.end(), owes_ready);
    if (sync != replies.end()) {
        sync->swallow = true;
    } else {
        protocol::append_sync(w_.to_server.generated());
        w_.to_server.commit();
        replies.expect(reply_kind::sync, {}, true);
        flush_server();
    }
    return true;
}

void session::run_mended() {
    mending_ = false;
    repeat_batch();
}

}  // namespace howdah::proxy
