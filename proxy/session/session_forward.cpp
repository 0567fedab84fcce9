#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// One client message: to the server as it is, rewritten, or answered here. The batch has its
// server; without one only what needs none comes here.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::frame;
using protocol::frame_header_size;

namespace {

/// A client that names a statement as servers know it must not reach what others prepared.
bool is_server_name(std::string_view name) {
    return name.starts_with("howdah_");
}
/// A name that no server has, for an error in the server's own words.
std::string foreign_name(std::string_view name) {
    return std::string(foreign_prefix).append(name);
}

}  // namespace

bool session::forward(const frame& f, std::string_view data) {
    switch (f.type) {
        case 'Q':
            return forward_query(f, data);
        case 'P':
            return forward_parse(f, data);
        case 'B':
            return forward_bind(f, data);
        case 'D':
            return forward_describe(f, data);
        case 'E':
            return forward_execute(f, data);
        case 'C':
            return forward_close(f, data);
        case 'H':
            return forward_flush(f, data);
        case 'S':
            return forward_sync(f, data);
        default:  // FunctionCall
            note_runs(nullptr);
            server_->replies.expect(reply_kind::function_call);
            forward_raw(f, data);
            mid_batch_ = open_ended_ = false;
            return true;
    }
}

void session::forward_raw(const frame& f, std::string_view data) {
    const std::size_t here = std::min(data.size(), f.size());
    w_.to_server.add(data.substr(0, here));
    cursor_ += here;
    client_left_ = f.size() - here;
    discard_left_ = false;
}

bool session::forward_malformed(const frame& f, std::string_view data) {
    note_runs(nullptr);
    mid_batch_ = f.type != 'Q';
    open_ended_ = false;
    const bool statement = data.size() > frame_header_size && data[frame_header_size] == 'S';
    switch (f.type) {
        case 'Q':
            server_->replies.expect(reply_kind::query);
            break;
        case 'P':
            server_->replies.expect(reply_kind::parse);
            break;
        case 'B':
            server_->replies.expect(reply_kind::bind);
            break;
        case 'D':
            server_->replies.expect(statement ? reply_kind::describe_statement
                                              : reply_kind::describe_portal);
            break;
        case 'E':
            server_->replies.expect(reply_kind::execute);
            break;
        default:
            server_->replies.expect(reply_kind::close);
            break;
    }
    forward_raw(f, data);
    return true;
}

session::portal& session::portal_at(std::string_view name) {
    if (name.empty()) return unnamed_portal_;
    if (!portals_) portals_ = std::make_unique<std::map<std::string, portal, std::less<>>>();
    const auto it = portals_->find(name);
    return it != portals_->end() ? it->second : (*portals_)[std::string(name)];
}

const session::portal* session::find_portal(std::string_view name) const {
    if (name.empty()) return &unnamed_portal_;
    if (!portals_) return nullptr;
    const auto it = portals_->find(name);
    return it == portals_->end() ? nullptr : &it->second;
}

void session::forget_portal(std::string_view name) {
    if (name.empty()) {
        unnamed_portal_ = {};
    } else if (portals_) {
        const auto it = portals_->find(name);
        if (it != portals_->end()) portals_->erase(it);
    }
}

void session::forget_portals() {
    unnamed_portal_ = {};
    if (portals_) portals_->clear();
}

void session::make_room(const sql::traits* what) const {
    if (what == nullptr || what->alone_in.empty()) return;
    // Nobody knows of the connections that Howdah keeps; PostgreSQL waits some seconds for them.
    for (const std::string& name : w_.now->client_names_of(what->alone_in)) {
        w_.shared.welcomes.forget(name);
        for (worker* each : w_.shared.workers)
            each->leave_database(name);
    }
}

bool session::forward_query(const frame& f, std::string_view data) {
    if (f.size() > w_.now->vars().max_allowed_packet + frame_header_size) {
        terminate(sqlstate::program_limit_exceeded, "statement is larger than max_allowed_packet");
        return false;
    }
    if (data.size() < f.size()) return need(f.size());
    const auto query = protocol::parse_query(data.substr(frame_header_size, f.body_size()));
    if (!query) return forward_malformed(f, data);
    const statement_plan& next = plan_of(*query);
    if (next.refused() || refuse_next_) return refuse_query(f);
    if (answered_here(next)) {
        // Earlier statements decide whether there is a transaction, and whether it has failed.
        if (server_ && server_->replies.owed()) return wait_for_reply();
        if (!can_answer(next)) return false;
        const statement_plan plan = take_plan();
        obey(plan.verdict.get());
        reply_note note;
        unnamed_.reset();
        if (returns_rows(plan)) append_local_description(note.text, plan);
        (void)run_local(plan, note);
        answer(std::move(note.text));
        answer_ready();
        cursor_ += f.size();
        return true;
    }
    if (must_wait(next.verdict.get())) return false;
    statement_plan plan = take_plan();
    obey(plan.verdict.get());
    const auto& t = plan.what;
    note_runs(t.get());
    make_room(t.get());
    server_->state().unnamed_owner = 0;
    reply_note note;
    if (has_effects(*t) || t->ends_transaction) note.what = t;
    note.changes_unnamed = true;
    note.unnamed_before = std::exchange(unnamed_, nullptr);
    note.verdict = plan.verdict;
    time_statement(note, plan, plan.text(*query));
    server_->replies.expect(reply_kind::query, std::move(note));
    note_limit(plan.verdict.get());
    if (drops_statements(*t)) names_changed_at_ = server_->replies.expected();
    if (plan.rewritten()) {
        protocol::append_query(w_.to_server.generated(), *plan.verdict->rewritten);
        w_.to_server.commit();
    } else {
        w_.to_server.add(data.substr(0, f.size()));
    }
    mirror(plan, plan.text(*query));
    cursor_ += f.size();
    mid_batch_ = open_ended_ = false;
    return true;
}

void session::ensure_unnamed() {
    std::uint64_t& owner = server_->state().unnamed_owner;
    if (!unnamed_) {
        // What is there belongs to another client: the server must say that this one has none.
        if (owner == 0) return;
        protocol::append_close(w_.to_server.generated(), 'S', {});
        w_.to_server.commit();
        server_->replies.expect(reply_kind::close, {}, true);
        owner = 0;
        return;
    }
    if (owner == unnamed_->serial) return;
    protocol::append_parse_raw(w_.to_server.generated(), {}, unnamed_->query, unnamed_->oids);
    w_.to_server.commit();
    server_->replies.expect(reply_kind::parse, {}, true);
    owner = unnamed_->serial;
}

bool session::earlier_batches_open() const {
    auto& replies = server_->replies;
    return std::any_of(replies.begin(), replies.end(), owes_ready);
}

bool session::is_undecided(std::string_view name) const {
    if (!server_) return false;
    auto& replies = server_->replies;
    if (name.empty()) {
        // What changed it may be skipped, unless this message is then skipped, too.
        bool earlier = false;
        for (auto it = replies.end(); it != replies.begin();) {
            --it;
            earlier = earlier || owes_ready(*it);
            if (it->note.changes_unnamed) return earlier;
        }
        return false;
    }
    if (replies.settled() >= names_changed_at_) return false;
    auto last = replies.end();
    while (last != replies.begin() && !owes_ready(*std::prev(last)))
        --last;
    const auto drops = [](const server_replies::entry& e) {
        return e.note.what && drops_statements(*e.note.what);
    };
    // A text that another name or a Bind has had prepared there may not be, either.
    const statement_ptr known = find_statement(name);
    const auto decides = [&](const server_replies::entry& e) {
        return e.note.name == name || drops(e) ||
               (known && e.what == reply_kind::parse && e.note.statement == known);
    };
    return std::any_of(replies.begin(), last, decides) || std::any_of(last, replies.end(), drops);
}

bool session::wait_for_reply() {
    // In the middle of a batch the server answers when it is told to.
    if (!std::exchange(waits_for_reply_, true) && mid_batch_) {
        protocol::append_flush(w_.to_server.generated());
        w_.to_server.commit();
    }
    return false;
}

std::shared_ptr<const unnamed_statement> session::make_unnamed(const protocol::parse_view& parse,
                                                               statement_plan plan) {
    auto made = std::make_shared<unnamed_statement>();
    made->serial = w_.next_serial();
    made->query = plan.text(parse.sql);
    made->oids = parse.oids_bytes;
    made->plan = std::move(plan);
    return made;
}

bool session::forward_parse(const frame& f, std::string_view data) {
    if (f.size() > w_.now->vars().max_allowed_packet + frame_header_size) {
        terminate(sqlstate::program_limit_exceeded, "statement is larger than max_allowed_packet");
        return false;
    }
    if (data.size() < f.size()) return need(f.size());
    const auto parse = protocol::parse_parse(data.substr(frame_header_size, f.body_size()));
    if (!parse) return forward_malformed(f, data);
    const std::string_view name = statement_name(parse->name);
    if (is_undecided(name)) return wait_for_reply();
    const statement_plan& next = plan_of(parse->sql);
    if (next.refused()) return refuse_parse(f, name);
    const bool local = answered_here(next);
    if (local && server_ && earlier_batches_open()) return wait_for_reply();
    const statement_plan plan = take_plan();
    mid_batch_ = server_ != nullptr;
    cursor_ += f.size();
    ++counted_->client_parses;
    const auto send_unnamed = [&] {
        if (plan.rewritten()) {
            protocol::append_parse_raw(w_.to_server.generated(), {}, *plan.verdict->rewritten,
                                       parse->oids_bytes);
            w_.to_server.commit();
        } else {
            w_.to_server.add(data.substr(0, f.size()));
        }
    };
    if (name.empty()) {
        reply_note note;
        note.changes_unnamed = true;
        note.unnamed_before = std::exchange(unnamed_, make_unnamed(*parse, plan));
        if (local) {
            protocol::append_parse_complete(note.text);
            expect_local(std::move(note));
            return true;
        }
        server_->state().unnamed_owner = unnamed_->serial;
        server_->replies.expect(reply_kind::parse, std::move(note));
        send_unnamed();
        return true;
    }
    if (!statements_) statements_ = std::make_unique<client_statements>();
    if (statements_->contains(name)) {
        if (!server_) {
            std::string error;
            protocol::append_error(
                error, protocol::severity::error, sqlstate::duplicate_prepared_statement,
                "prepared statement \"" + std::string(name) + "\" already exists");
            answer(std::move(error));
            skip_to_sync_ = true;
            return true;
        }
        // PostgreSQL's own words for it (42P05), and its own effect on the transaction: prepare
        // such a name, unseen, and let the client's Parse run into it. It stays there, so it is
        // none that the client can name.
        const std::string taken = foreign_name(parse->name);
        const std::string_view text = plan.rewritten() ? *plan.verdict->rewritten : parse->sql;
        for (int i = 0; i < 2; ++i)
            protocol::append_parse_raw(w_.to_server.generated(), taken, text, parse->oids_bytes);
        w_.to_server.commit();
        server_->replies.expect(reply_kind::parse, {}, true);
        server_->replies.expect(reply_kind::parse);
        server_dirty_ = true;
        return true;
    }
    const statement_ptr s = make_statement(parse->oids_bytes, plan, parse->sql);
    const own_statement own = make_own(s, parse->sql, plan);
    statements_->emplace(name, own);
    if (retain_) fresh_names_.emplace_back(name);
    if (local) {
        reply_note note;
        protocol::append_parse_complete(note.text);
        note.name = name;
        note.own = own;
        expect_local(std::move(note));
    } else {
        // The server must say itself what it thinks of this Parse, today, so it must not stumble
        // over the statement that is there.
        if (server_->state().prepared.contains(*s)) close_on_server(s);
        parse_on_server(s, own, std::string(name));
    }
    if (server_) names_changed_at_ = server_->replies.expected();
    return true;
}

bool session::forward_bind(const frame& f, std::string_view data) {
    const std::string_view seen =
        data.substr(frame_header_size, std::min(data.size() - frame_header_size, f.body_size()));
    const auto bind = protocol::parse_bind(seen);
    if (!bind) {
        if (data.size() >= f.size() || data.size() >= protocol::buffer_pool::chunk_size)
            return forward_malformed(f, data);
        return need(std::min(f.size(), protocol::buffer_pool::chunk_size));
    }
    const std::string_view name = statement_name(bind->statement);
    if (is_undecided(name)) return wait_for_reply();
    const own_statement own = find_own(name);
    const statement_plan* known = plan_of_statement(name);
    const bool refused = refuse_next_ || (known != nullptr && known->refused());
    const bool local = !refused && known != nullptr && answered_here(*known);
    if ((local || refused) && server_ && earlier_batches_open()) return wait_for_reply();
    const statement_plan plan = known != nullptr ? *known : statement_plan{};
    if (!local && !refused && must_wait(plan.verdict.get())) return false;
    mid_batch_ = server_ != nullptr;
    if (refused) {
        obey(plan.verdict.get());
        refuse_bind(f, refusal(plan));
        skip_to_sync_ = true;
        return true;
    }
    if (local) {
        obey(plan.verdict.get());
        portal_at(bind->portal) = {plan, own, true};
        reply_note note;
        protocol::append_bind_complete(note.text);
        expect_local(std::move(note));
        skip_message(f);
        return true;
    }
    if (own) {
        const std::string_view behind = in_.data().substr(std::min(in_.size(), cursor_ + f.size()));
        switch (ready_to_bind(*own, describes_portal(bind->portal, behind))) {
            case readiness::ready:
                break;
            case readiness::wait:
                return wait_for_reply();
            case readiness::changed:
                refuse_changed(f);
                return true;
        }
    } else if (name.empty()) {
        ensure_unnamed();
    }
    obey(plan.verdict.get());
    note_runs(plan.what.get());
    make_room(plan.what.get());
    portal& bound = portal_at(bind->portal);
    bound = {plan, own, false};
    const std::string_view tail =
        seen.size() == f.body_size() ? seen.substr(bind->header_size) : std::string_view();
    if (logs_parameters())
        bound.parameters =
            parameters_to_json(tail, w_.now->vars().eventslog_buffer_max_query_length);
    if (own) {
        const std::string_view oids = own->statement->oids;
        mirror(plan, own->statement->query, &oids, tail);
    } else if (name.empty() && unnamed_) {
        const std::string_view oids = unnamed_->oids;
        mirror(plan, unnamed_->query, &oids, tail);
    }
    reply_note note;
    if (own) note.statement = own->statement;
    server_->replies.expect(reply_kind::bind, std::move(note));
    if (!own && !is_server_name(bind->statement)) {
        forward_raw(f, data);
        return true;
    }
    protocol::append_bind_prefix(w_.to_server.generated(), bind->portal,
                                 own ? own->statement->server_name : foreign_name(bind->statement),
                                 f.body_size() - bind->header_size);
    w_.to_server.commit();
    const std::size_t head = frame_header_size + bind->header_size;
    const std::size_t here = std::min(data.size(), f.size());
    w_.to_server.add(data.substr(head, here - head));
    cursor_ += here;
    client_left_ = f.size() - here;
    discard_left_ = false;
    return true;
}

bool session::forward_describe(const frame& f, std::string_view data) {
    if (data.size() < f.size()) return need(f.size());
    const auto describe = protocol::parse_describe(data.substr(frame_header_size, f.body_size()));
    if (!describe) return forward_malformed(f, data);
    const bool statement = describe->kind == 'S';
    const std::string_view name = statement ? statement_name(describe->name) : describe->name;
    if (statement && is_undecided(name)) return wait_for_reply();
    const portal* bound = statement ? nullptr : find_portal(describe->name);
    const statement_plan* known = statement                          ? plan_of_statement(name)
                                  : bound != nullptr && bound->local ? &bound->plan
                                                                     : nullptr;
    const bool local = known != nullptr && answered_here(*known);
    if (local && server_ && earlier_batches_open()) return wait_for_reply();
    mid_batch_ = server_ != nullptr;
    if (local) {
        reply_note note;
        if (status() == 'E' && returns_rows(*known)) {
            protocol::append_error(note.text, protocol::severity::error,
                                   protocol::sqlstate::in_failed_sql_transaction,
                                   "current transaction is aborted, commands ignored until end of "
                                   "transaction block");
            skip_to_sync_ = true;
        } else {
            if (statement) append_local_parameters(note.text, name, *known);
            append_local_description(note.text, *known);
        }
        expect_local(std::move(note));
        cursor_ += f.size();
        return true;
    }
    const own_statement own = statement      ? find_own(name)
                              : name.empty() ? unnamed_portal_.own
                                             : nullptr;
    reply_note note;
    if (own) note = describe_note(own, statement);
    if (statement && (own || is_server_name(name))) {
        protocol::append_describe(w_.to_server.generated(), 'S',
                                  own ? own->statement->server_name : foreign_name(describe->name));
        w_.to_server.commit();
        cursor_ += f.size();
    } else {
        if (statement && name.empty()) ensure_unnamed();
        forward_raw(f, data);
    }
    server_->replies.expect(
        statement ? reply_kind::describe_statement : reply_kind::describe_portal, std::move(note));
    return true;
}

bool session::forward_execute(const frame& f, std::string_view data) {
    if (data.size() < f.size()) return need(f.size());
    const auto execute = protocol::parse_execute(data.substr(frame_header_size, f.body_size()));
    if (!execute) return forward_malformed(f, data);
    mid_batch_ = server_ != nullptr;
    const portal* bound = find_portal(execute->portal);
    if (bound != nullptr && bound->local) {
        if (!can_answer(bound->plan)) return false;
        reply_note note;
        portal& here = portal_at(execute->portal);
        bool ran = true;
        if (here.shown) {
            protocol::append_command_complete(note.text, "SHOW");
        } else {
            ran = run_local(here.plan, note, execute->max_rows);
            here.shown = ran && returns_rows(here.plan);
        }
        expect_local(std::move(note));
        if (server_) names_changed_at_ = server_->replies.expected();
        if (!ran) skip_to_sync_ = true;
        cursor_ += f.size();
        return true;
    }
    reply_note note;
    if (bound != nullptr && bound->plan.what) {
        // A transaction's end matters, too: COMMIT in flight is never "failed".
        const sql::traits& t = *bound->plan.what;
        if (has_effects(t) || t.ends_transaction) note.what = bound->plan.what;
        note.verdict = bound->plan.verdict;
        const std::string_view text = bound->own ? std::string_view(bound->own->statement->query)
                                      : unnamed_ ? std::string_view(unnamed_->query)
                                                 : std::string_view();
        time_statement(note, bound->plan, text, bound);
    }
    const bool drops = note.what && drops_statements(*note.what);
    const verdict_ptr verdict = note.verdict;
    server_->replies.expect(reply_kind::execute, std::move(note));
    note_limit(verdict.get());
    if (drops) names_changed_at_ = server_->replies.expected();
    forward_raw(f, data);
    return true;
}

bool session::forward_close(const frame& f, std::string_view data) {
    if (data.size() < f.size()) return need(f.size());
    const auto close = protocol::parse_close(data.substr(frame_header_size, f.body_size()));
    if (!close) return forward_malformed(f, data);
    if (close->kind == 'P') {
        mid_batch_ = true;
        ++counted_->binds;
        forget_portal(close->name);
        server_->replies.expect(reply_kind::close);
        forward_raw(f, data);
        return true;
    }
    const std::string_view name = statement_name(close->name);
    if (is_undecided(name)) return wait_for_reply();
    // The statement stays on the servers for whoever prepares the same text next.
    reply_note note;
    protocol::append_close_complete(note.text);
    if (name.empty()) {
        note.changes_unnamed = true;
        note.unnamed_before = std::exchange(unnamed_, nullptr);
    } else if (statements_) {
        const auto it = statements_->find(name);
        if (it != statements_->end()) {
            note.own = it->second;
            note.name = it->first;
            note.closes = true;
            statements_->erase(it);
        }
    }
    cursor_ += f.size();
    if (server_) {
        mid_batch_ = true;
        server_->replies.expect(reply_kind::local, std::move(note));
        names_changed_at_ = server_->replies.expected();
    } else {
        answer(std::move(note.text));
    }
    return true;
}

bool session::forward_flush(const frame& f, std::string_view data) {
    if (data.size() < f.size()) return need(f.size());
    if (!server_) {
        cursor_ += f.size();
        return true;
    }
    if (flush_is_sync_) {
        // Nothing was executed: end it here, so that the server is free while the client thinks.
        flush_is_sync_ = mid_batch_ = false;
        cursor_ += f.size();
        if (!server_->replies.owed()) {
            // All of it is answered here: there is nothing left to ask another server again.
            retain_ = unread_ = false;
            fresh_names_.clear();
            return true;
        }
        protocol::append_sync(w_.to_server.generated());
        w_.to_server.commit();
        server_->replies.expect(reply_kind::sync, {}, true);
        return true;
    }
    forward_raw(f, data);
    return true;
}

bool session::forward_sync(const frame& f, std::string_view data) {
    if (data.size() < f.size()) return need(f.size());
    if (!server_) {
        cursor_ += f.size();
        answer_ready();
        return true;
    }
    // During COPY FROM STDIN the server ignores Sync, so there will be no reply to it.
    if (!server_->replies.copy_in()) {
        server_->replies.expect(reply_kind::sync);
        mid_batch_ = open_ended_ = false;
    }
    forward_raw(f, data);
    return true;
}

}  // namespace howdah::proxy
