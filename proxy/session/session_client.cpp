#include <spdlog/spdlog.h>

#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// From the client to the server: reading, routing at batch boundaries, and what is answered when
// no server can be had.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::frame;
using protocol::frame_header_size;
using protocol::severity;

namespace {

/// PostgreSQL's PQ_SMALL_MESSAGE_LIMIT: for messages that have no business being large.
constexpr std::size_t small_message_limit = 10000;

/// Replies a client may be owed before its further input waits.
constexpr std::size_t max_outstanding = 4096;

bool is_known(char type) {
    return std::string_view("QPBDECHSFdcfXp").find(type) != std::string_view::npos;
}
bool is_extended(char type) {
    return std::string_view("PBDEC").find(type) != std::string_view::npos;
}
bool is_small(char type) {
    return std::string_view("CDEHSXc").find(type) != std::string_view::npos;
}

}  // namespace

void session::on_client_readable() {
    if (phase_ == phase::closed || phase_ == phase::resetting) return;
    client_readable_ = true;
    last_active_ = w_.coarse_now;
    if (phase_ == phase::ready) {
        pump_client();
        return;
    }
    // During the login only the end of the connection is of interest.
    if (!read_client() && phase_ != phase::closed && !client_readable_) want_client_read();
}

bool session::can_process() const {
    return phase_ == phase::ready && !waiting() && !awaits_sample_ && !applying_settings_ &&
           !checking_pins_ && !delaying_ && (retain_ ? cursor_ < cleared_ : to_client_.empty()) &&
           (!server_ || (server_->out.empty() && server_->replies.size() < max_outstanding));
}

void session::pump_client() {
    const boost::intrusive_ptr<session> guard(this);
    w_.active = pid_;
    for (int rounds = 0;;) {
        while (can_process() && step()) {
        }
        if (phase_ != phase::ready) return;
        flush_server();
        if (phase_ != phase::ready) return;
        if (server_ && !server_->replies.owed()) drain_local();
        flush_client();
        if (phase_ != phase::ready) return;
        consume_forwarded();
        if (server_ && server_->replies.empty() && server_->out.empty() && !sticky() && !kept() &&
            cursor_ >= cleared_ && !retain_ && !applying_settings_) {
            release_server();
            if (cursor_ < in_.size() && needed_ == 0) continue;
        }
        if (!read_client()) break;
        if (++rounds == read_rounds) return yield_client();
    }
    if (phase_ != phase::ready) return;
    if (!client_readable_) want_client_read();
    if (draining_) drain();
}

bool session::read_client() {
    const std::size_t limit =
        std::max(protocol::buffer_pool::chunk_size, cursor_ + std::max<std::size_t>(needed_, 1));
    if (!client_readable_ || in_.size() >= limit) return false;
    // Nobody can use more input now, and one chunk of it is here already.
    if (!can_process() && in_.size() >= protocol::buffer_pool::chunk_size / 2) return false;
    const std::span<char> space = in_.prepare(limit);
    const protocol::io_result got = client_.read(space.data(), space.size());
    if (got.ok()) {
        in_.commit(got.bytes);
        counted_->received += got.bytes;
        if (got.bytes < space.size() && !client_.has_buffered_input()) client_readable_ = false;
        return true;
    }
    if (in_.empty()) in_.reset();
    if (got.blocked()) {
        client_readable_ = false;
        if (got.what == protocol::io_result::status::want_write) want_client_write();
        return false;
    }
    client_gone();
    return false;
}

bool session::need(std::size_t bytes) {
    needed_ = bytes;
    return false;
}

void session::flush_server() {
    if (!server_) {
        w_.to_server.clear();
        return;
    }
    if (w_.to_server.empty()) return;
    exchanged_->sent += w_.to_server.size();
    const protocol::io_result sent = w_.to_server.flush(server_->stream(), server_->out);
    if (sent.closed()) {
        // What the server said before it went away is still to be read, and says why.
        server_->out.clear();
        return;
    }
    if (!server_->out.empty()) server_->want_write();
    if (server_->replies.owed()) begin_running();
}

void session::consume_forwarded() {
    if (retain_ || unread_ || cursor_ == 0) return;
    const std::size_t done = std::min(cursor_, in_.size());
    in_.consume(done);
    cursor_ -= done;
    cleared_ = cleared_ > done ? cleared_ - done : 0;
}

void session::skip_message(const frame& f) {
    const std::size_t here = std::min(in_.size() - cursor_, f.size());
    cursor_ += here;
    client_left_ = f.size() - here;
    discard_left_ = true;
}

bool session::step() {
    if (unread_ && cursor_ >= cleared_ && cursor_ < in_.size()) {
        // The server gets more than the batch that is kept: too much to be asked again.
        unread_ = false;
        consume_forwarded();
    }
    const std::string_view data = in_.data().substr(cursor_);
    needed_ = 0;
    if (client_left_ > 0) {
        const std::size_t n = std::min(client_left_, data.size());
        if (n == 0) return false;
        if (!discard_left_) w_.to_server.add(data.substr(0, n));
        cursor_ += n;
        client_left_ -= n;
        return true;
    }
    const auto f = protocol::peek_frame(data);
    if (!f) return need(frame_header_size);
    if (!is_known(f->type)) {
        terminate(
            sqlstate::protocol_violation,
            "invalid frontend message type " + std::to_string(static_cast<unsigned char>(f->type)));
        return false;
    }
    if (!f->valid() || (is_small(f->type) && f->body_size() > small_message_limit)) {
        terminate(sqlstate::protocol_violation, "invalid message length");
        return false;
    }
    if (f->type == 'X') {
        said_goodbye_ = true;
        client_gone();
        return false;
    }
    if (f->type == 'p') {
        terminate(sqlstate::protocol_violation, "unexpected password message");
        return false;
    }
    if (skip_to_sync_) return step_skipping(*f);
    if (f->type == 'd' || f->type == 'c' || f->type == 'f') return step_copy(*f, data);
    if (broken_) return step_broken(*f, data);
    // The server ignores both while it takes a COPY.
    if ((f->type == 'H' || f->type == 'S') && server_ && server_->replies.copy_in()) {
        if (data.size() < f->size()) return need(f->size());
        forward_raw(*f, data);
        return true;
    }
    // Our Sync stands for the client's Flush: behind an error what follows is void up to its Sync.
    if (server_ && server_->replies.ends_with_own_sync()) return wait_for_reply();
    const bool routed =
        server_ ? (sticky() || open_ended_ || cursor_ < cleared_) : cursor_ < cleared_;
    if (!routed) {
        const routing outcome = route_batch();
        if (outcome != routing::routed) return outcome == routing::answered;
    }
    return forward(*f, data);
}

bool session::step_skipping(const frame& f) {
    if (f.type != 'S') {
        skip_message(f);
        return true;
    }
    if (in_.size() - cursor_ < f.size()) return need(f.size());
    skip_to_sync_ = flush_is_sync_ = false;
    forget_plans();
    if (server_ && mid_batch_) {
        // The server is skipping, too: its answer to this Sync is the client's.
        return forward_sync(f, in_.data().substr(cursor_));
    }
    cursor_ += f.size();
    cleared_ = std::max(cleared_, cursor_);
    answer_ready();
    return true;
}

bool session::step_copy(const frame& f, std::string_view data) {
    // CopyData that arrives after the COPY has ended (it failed, or its server is lost) means
    // nothing any more; PostgreSQL ignores it, too.
    if (!server_ || !server_->replies.owed()) {
        skip_message(f);
        return true;
    }
    if (f.type != 'd') server_->replies.copy_ended();
    forward_raw(f, data);
    return true;
}

void session::answer(std::string text) {
    if (server_ && !server_->replies.empty()) {
        reply_note note;
        note.text = std::move(text);
        server_->replies.expect(reply_kind::local, std::move(note));
        return;
    }
    w_.to_client.generated() += text;
    w_.to_client.commit();
}

void session::answer_ready() {
    std::string out;
    protocol::append_ready_for_query(out, status());
    answer(std::move(out));
}

void session::add_route(batch& b, const statement_plan& plan, std::string_view query) {
    const snapshot& now = *w_.now;
    const route_context context{
        .hostgroups = *now.hostgroups,
        .functions = now.catalog(who_.login->database),
        .default_hostgroup = who_.user->default_hostgroup,
        // A session that keeps its server must be able to write there.
        .split = who_.value_of(conf::in_force_of::read_write_split, now.vars()) &&
                 mode() != conf::pool_mode::session &&
                 consistency() != conf::read_consistency::strong,
        .read_only_mode = read_only_mode_,
        .safe_lexing = safe_lexing_,
        .verdict = plan.verdict.get(),
        .query = query};
    splits_ = context.split && context.hostgroups.is_writer(context.default_hostgroup);
    const route r = route_statement(*plan.what, context);
    b.where = b.has_route ? combine(b.where, r, context) : r;
    b.has_route = true;
    b.begins = b.begins || plan.what->begins_transaction;
}

session::scan_outcome session::scan(batch& b) {
    const std::string_view data = in_.data().substr(cursor_);
    const frame f = *protocol::peek_frame(data);
    if (f.type == 'F') {
        b.end = cursor_ + f.size();
        b.complete = true;
        b.prepare_only = false;
        b.needs_server = true;
        b.where = {who_.user->default_hostgroup, route_reason::write, false};
        return scan_outcome::ready;
    }
    if (f.type != 'Q') return scan_extended(b);
    if (f.size() > w_.now->vars().max_allowed_packet + frame_header_size) {
        std::string out;
        protocol::append_error(out, severity::error, sqlstate::program_limit_exceeded,
                               "statement of " + std::to_string(f.body_size()) +
                                   " bytes is larger than max_allowed_packet");
        skip_message(f);
        answer(std::move(out));
        answer_ready();
        return scan_outcome::failed;
    }
    if (data.size() < f.size()) {
        (void)need(f.size());
        return scan_outcome::more;
    }
    const auto query = protocol::parse_query(data.substr(frame_header_size, f.body_size()));
    b.end = cursor_ + f.size();
    b.complete = true;
    b.prepare_only = false;
    b.needs_server = true;
    if (!query) {
        // The server must say what it thinks of it.
        add_route(b, {std::make_shared<const sql::traits>(), nullptr, nullptr}, {});
        return scan_outcome::ready;
    }
    const statement_plan& plan = batch_plans_.emplace_back(plan_statement(*query, b.flag));
    b.needs_server = plan.runs() && !answered_here(plan);
    if (!plan.runs()) return scan_outcome::ready;
    add_route(b, plan, plan.text(*query));
    add_run(b, plan);
    return scan_outcome::ready;
}

session::scan_outcome session::scan_extended(batch& b) {
    const std::string_view data = in_.data();
    const auto& vars = w_.now->vars();
    struct known {
        std::string_view name;
        std::string_view query;
        std::size_t plan;  // in batch_plans_
    };
    std::vector<known> parsed_here;
    std::vector<std::pair<std::string_view, bool>> bound_here;  // portals: whether rules answer
    bool refused = false;  // what follows is skipped up to the Sync
    static const statement_plan unknown{std::make_shared<const sql::traits>(), nullptr, nullptr};
    // A statement that nobody knows is the writer's to refuse.
    const auto look_up =
        [&](std::string_view name) -> std::pair<const statement_plan*, std::string_view> {
        for (auto it = parsed_here.rbegin(); it != parsed_here.rend(); ++it)
            if (it->name == name) return {&batch_plans_[it->plan], it->query};
        if (name.empty() && unnamed_) return {&unnamed_->plan, unnamed_->query};
        const own_statement own = find_own(name);
        if (own && !own->statement->writes) return {&plan_of(*own), own->statement->query};
        return {&unknown, {}};
    };
    const auto is_answered = [&](std::string_view portal_name) {
        for (auto it = bound_here.rbegin(); it != bound_here.rend(); ++it)
            if (it->first == portal_name) return it->second;
        const portal* p = find_portal(portal_name);
        return p != nullptr && p->local && p->plan.answered();
    };
    // A malformed message: the server says what it thinks of it.
    const auto to_server_anyhow = [&] {
        b.prepare_only = false;
        b.needs_server = true;
        add_route(b, unknown, {});
    };
    const auto to_writer = [&](std::size_t end) {
        // Its end is out of sight: the writer can take whatever follows.
        b.end = end;
        b.needs_server = true;
        b.prepare_only = false;
        b.where = {who_.user->default_hostgroup, route_reason::write, false};
        return scan_outcome::ready;
    };
    for (std::size_t at = cursor_;;) {
        const std::string_view rest = data.substr(at);
        const auto f = protocol::peek_frame(rest);
        if (f && !f->valid()) {
            // Ends the client in its turn.
            b.end = at;
            return scan_outcome::ready;
        }
        const bool visible = f && rest.size() >= f->size();
        if (!visible) {
            const bool large_text = f && f->type == 'P';
            if (large_text && f->size() > vars.max_allowed_packet + frame_header_size) {
                if (at > cursor_) return to_writer(at);
                std::string out;
                protocol::append_error(out, severity::error, sqlstate::program_limit_exceeded,
                                       "statement of " + std::to_string(f->body_size()) +
                                           " bytes is larger than max_allowed_packet");
                skip_message(*f);
                answer(std::move(out));
                skip_to_sync_ = true;
                return scan_outcome::failed;
            }
            const std::size_t wanted = at - cursor_ + (f ? f->size() : frame_header_size);
            const bool too_much = wanted > vars.threshold_query_length;
            if (too_much && !(large_text && at == cursor_)) return to_writer(at);
            (void)need(wanted);
            return scan_outcome::more;
        }
        const std::string_view body = rest.substr(frame_header_size, f->body_size());
        const std::size_t end = at + f->size();
        if (refused && f->type != 'H' && f->type != 'S' && is_extended(f->type)) {
            at = end;
            continue;
        }
        switch (f->type) {
            case 'P': {
                const auto parse = protocol::parse_parse(body);
                if (!parse) {
                    to_server_anyhow();
                    break;
                }
                const statement_plan& plan =
                    batch_plans_.emplace_back(plan_statement(parse->sql, b.flag));
                refused = plan.refused();
                const std::string_view text = plan.text(parse->sql);
                parsed_here.push_back({statement_name(parse->name), text, batch_plans_.size() - 1});
                if (!plan.runs()) break;
                add_route(b, plan, text);
                b.needs_server = true;
                break;
            }
            case 'B': {
                const auto bind = protocol::parse_bind(body);
                if (!bind) {
                    to_server_anyhow();
                    break;
                }
                b.prepare_only = false;
                const auto [plan, text] = look_up(statement_name(bind->statement));
                if (plan->answered() || !bound_here.empty() || unnamed_portal_.local || portals_)
                    bound_here.emplace_back(bind->portal, plan->answered());
                if (plan->answered()) break;
                b.needs_server = true;
                b.binds_named = b.binds_named || !bind->statement.empty();
                add_route(b, *plan, text);
                add_run(b, *plan);
                break;
            }
            case 'D': {
                const auto describe = protocol::parse_describe(body);
                if (!describe) {
                    to_server_anyhow();
                    break;
                }
                if (describe->kind != 'S') {
                    b.needs_server = b.needs_server || !is_answered(describe->name);
                    break;
                }
                const auto [plan, text] = look_up(statement_name(describe->name));
                if (plan->answered()) break;
                b.needs_server = true;
                add_route(b, *plan, text);
                break;
            }
            case 'E': {
                b.prepare_only = false;
                const auto execute = protocol::parse_execute(body);
                b.needs_server = b.needs_server || !execute || !is_answered(execute->portal);
                break;
            }
            case 'C':
                if (!protocol::parse_close(body)) to_server_anyhow();
                if (!body.empty() && body[0] == 'P') b.needs_server = true;
                break;
            case 'H':
                b.end = end;
                b.flush = true;
                return scan_outcome::ready;
            case 'S':
                b.end = end;
                b.complete = true;
                return scan_outcome::ready;
            default:
                // Query, FunctionCall, Terminate, CopyData: the next unit, without a Sync between.
                b.end = at;
                return scan_outcome::ready;
        }
        at = end;
    }
}

bool session::compatible(const batch& b) const {
    if (!b.has_route && !b.needs_server) return true;
    return b.where.hostgroup == hostgroup_ ||
           (b.where.reason == route_reason::read && hostgroup_ == who_.user->default_hostgroup);
}

session::routing session::route_batch() {
    forget_plans();
    draw_ = w_.next_draw();
    batch b;
    b.flag = flag_;
    switch (scan(b)) {
        case scan_outcome::ready:
            break;
        case scan_outcome::more:
            return routing::stalled;
        case scan_outcome::failed:
            return phase_ == phase::ready ? routing::answered : routing::stalled;
    }
    if (!b.has_route)
        b.where = {who_.user->default_hostgroup, route_reason::write,
                   b.complete && !b.needs_server};
    if (mode() == conf::pool_mode::statement && b.begins) {
        fail_batch(sqlstate::feature_not_supported,
                   "transaction blocks are not allowed in statement pooling mode");
        return phase_ == phase::ready ? routing::answered : routing::stalled;
    }
    if (!b.complete && !b.flush) b.where.repeatable = false;
    // What executes before its Sync is seen could be followed by a write.
    const bool prepares = b.flush && b.prepare_only && b.end == in_.size();
    const bool open = !b.complete && !prepares;
    if (open && b.where.reason != route_reason::rule)
        b.where = {who_.user->default_hostgroup, route_reason::write, false};
    if (force_writer_) {
        b.where.hostgroup = who_.user->default_hostgroup;
        b.where.repeatable = false;
        force_writer_ = false;
    }
    if (b.delay.count() > 0 && !delay_over_) {
        if (!server_ || !server_->replies.owed()) begin_delay(b.delay);
        return routing::stalled;
    }
    // Kept for its hostgroup only, and another one is needed.
    if (server_ && server_->clean() && !compatible(b) && kept()) release_server();
    if (server_) {
        // Replies are outstanding: later batches may follow on the same server or must wait.
        if (!compatible(b)) return routing::stalled;
        cleared_ = b.end;
        open_ended_ = open;
        flush_is_sync_ = prepares;
        batch_begins_ = batch_begins_ || b.begins;
        retries_ = b.retries;
        if (mends_ > 0 && server_->replies.empty()) retain_batch(b);
        return routing::routed;
    }
    recording_.reset();
    if (b.cached && answer_from_cache(b))
        return phase_ == phase::ready ? routing::answered : routing::stalled;
    if (b.needs_server && w_.now->hostgroups->refuses(b.where.hostgroup)) {
        recording_.reset();
        batch_begins_ = b.begins;
        fail_batch(sqlstate::unable_to_connect,
                   "every reader of hostgroup " + std::to_string(b.where.hostgroup) +
                       " is further behind than its max_replication_lag "
                       "(monitor_all_readers_lagging is error)");
        return phase_ == phase::ready ? routing::answered : routing::stalled;
    }
    cleared_ = b.end;
    if (!b.needs_server) return routing::routed;
    ++w_.counters.routed[static_cast<std::size_t>(b.where.reason)];
    open_ended_ = open;
    flush_is_sync_ = prepares;
    batch_begins_ = b.begins;
    retries_ = b.retries;
    // Kept from here on: everything before this batch has been consumed or is dropped now.
    consume_forwarded();
    retain_batch(b);
    const bool reads =
        b.where.reason == route_reason::read || b.where.reason == route_reason::read_only_mode;
    consistent_read_ = reads && consistency() == conf::read_consistency::session;
    ask_for_server(b.where.hostgroup);
    if (hostgroup_ != who_.user->default_hostgroup) {
        ++w_.counters.queries_to_reader;
    } else {
        ++w_.counters.queries_to_writer;
    }
    return server_ && !applying_settings_ ? routing::routed : routing::stalled;
}

void session::retain_batch(const batch& b) {
    if (repeats_ == 0 && mends_ == 0) batch_flag_ = flag_;
    // What executes nothing can be asked of any server again.
    repeatable_ = b.where.repeatable || flush_is_sync_;
    unread_ = (b.complete || flush_is_sync_) && cursor_ == 0;
    retain_ =
        unread_ && (repeatable_ || b.binds_named) && to_client_.empty() && w_.to_client.empty();
}

void session::learn_writes() {
    const auto learn = [this](std::string_view query) {
        w_.statements.learn_write(w_.statements.find(query).id);
    };
    const auto learn_run = [&](std::string_view sent) {
        learn(plan_statement(sent, batch_flag_).text(sent));
    };
    // The retained batch is at the start of the input, whole.
    std::string_view rest = in_.data();
    while (const auto f = protocol::peek_frame(rest)) {
        if (!f->valid() || rest.size() < f->size()) return;
        const std::string_view body = rest.substr(frame_header_size, f->body_size());
        rest.remove_prefix(f->size());
        if (f->type == 'Q') {
            if (const auto query = protocol::parse_query(body)) learn_run(*query);
        } else if (f->type == 'P') {
            if (const auto parse = protocol::parse_parse(body)) learn_run(parse->sql);
        } else if (f->type == 'B') {
            const auto bind = protocol::parse_bind(body);
            if (const statement_ptr s = bind ? find_statement(bind->statement) : nullptr) {
                s->writes = true;
                learn(s->query);
            }
        }
        if (f->type == 'Q' || f->type == 'S') return;
    }
}

void session::fail_batch(std::string_view state, std::string_view message, std::string_view raw,
                         std::string_view hint) {
    retain_ = unread_ = false;
    wait_since_ = {};
    recording_.reset();
    std::string out;
    if (raw.empty()) {
        protocol::append_error(out, severity::error, state, message, {}, hint);
    } else {
        protocol::append_message(out, 'E', raw);
    }
    // A transaction that could not begin must not let its statements run outside of it.
    if (batch_begins_) {
        broken_ = true;
        broken_reported_ = true;
        batch_begins_ = false;
    }
    answer(std::move(out));
    open_ended_ = flush_is_sync_ = delay_over_ = false;
    forget_plans();
    const auto f = protocol::peek_frame(in_.data().substr(cursor_));
    cleared_ = cursor_;
    if (f && (f->type == 'Q' || f->type == 'F')) {
        skip_message(*f);
        answer_ready();
    } else {
        skip_to_sync_ = true;
    }
    repeats_ = 0;
    flush_client();
}

}  // namespace howdah::proxy
