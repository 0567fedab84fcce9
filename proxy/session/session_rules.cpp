#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "conf/rule_values.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// Query rules: what they say of a statement, and the part of it that is done here: refusing it,
// holding it back.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::frame;
using clock = std::chrono::steady_clock;

namespace {

/// No server runs this. Sent in the place of a statement that is refused inside a transaction, so
/// that the transaction fails as it does with any other error.
constexpr std::string_view refused_statement = "refused by a query rule of Howdah";

}  // namespace

verdict_ptr session::judge(std::string_view query, const sql::digest& id, int flag) {
    const auto& rules = w_.now->rules;
    if (!reached_ && rules->looks_at_addresses())
        reached_ = std::make_unique<const protocol::socket_address>(
            protocol::local_address(client_.socket()));
    rule_subject subject{.username = who_.login->user,
                         .database = who_.login->database,
                         .query = query,
                         .digest = id.hash,
                         .flag = flag,
                         .draw = draw_};
    if (reached_) {
        subject.client_addr = client_address();
        subject.proxy_addr = reached_->host;
        subject.proxy_port = reached_->port;
    }
    return w_.verdicts.judge(rules, id, who_.login, subject);
}

statement_plan session::plan_statement(std::string_view query, int flag) {
    auto found = w_.statements.find(query);
    statement_plan plan{std::move(found.what), nullptr, std::move(found.name)};
    if (!w_.now->rules->empty()) {
        plan.verdict = judge(query, found.id, flag);
        if (plan.rewritten()) {
            auto run = w_.statements.find(*plan.verdict->rewritten);
            plan.what = std::move(run.what);
            plan.digest = std::move(run.name);
        }
    }
    if (!w_.now->vars().query_digests) plan.digest = nullptr;
    return plan;
}

const statement_plan& session::plan_of(std::string_view query) {
    if (next_plan_ == batch_plans_.size()) batch_plans_.push_back(plan_statement(query, flag_));
    return batch_plans_[next_plan_];
}

statement_plan session::take_plan() {
    statement_plan taken = std::move(batch_plans_[next_plan_]);
    if (++next_plan_ == batch_plans_.size()) forget_plans();
    return taken;
}

void session::forget_plans() {
    batch_plans_.clear();
    next_plan_ = 0;
}

void session::rewind_plans() {
    forget_plans();
    flag_ = batch_flag_;
    delay_over_ = true;
}

const statement_plan& session::plan_of(client_statement& own) {
    const auto& rules = w_.now->rules;
    if (own.judged_by != rules || rules->draws(own.flag)) {
        own.judged_by = rules;
        const std::string& sent = own.sent ? *own.sent : own.statement->query;
        own.plan.verdict =
            rules->empty() ? nullptr : judge(sent, w_.statements.find(sent).id, own.flag);
    }
    return own.plan;
}

const statement_plan* session::plan_of_statement(std::string_view name) {
    if (name.empty()) return unnamed_ ? &unnamed_->plan : nullptr;
    const own_statement own = find_own(name);
    return own ? &plan_of(*own) : nullptr;
}

own_statement session::make_own(statement_ptr s, std::string_view sent, statement_plan plan) {
    auto own = std::make_shared<client_statement>(std::move(s));
    if (plan.rewritten()) own->sent = std::make_unique<const std::string>(sent);
    own->plan = std::move(plan);
    own->judged_by = w_.now->rules;
    own->flag = flag_;
    return own;
}

void session::add_run(batch& b, const statement_plan& plan) {
    if (!plan.verdict) return;
    const rule_verdict& v = *plan.verdict;
    if (v.delay) b.delay = std::max(b.delay, *v.delay);
    if (v.retries) b.retries = v.retries;
    if (v.next_query_flag_in) b.flag = *v.next_query_flag_in;
    if (v.cache_ttl) b.cached = true;
}

void session::obey(const rule_verdict* verdict) {
    delay_over_ = false;
    if (verdict == nullptr) return;
    // What is run a second time was asked for once.
    if (repeats_ == 0 && mends_ == 0) w_.hits.count(w_.now->rules, *verdict);
    if (verdict->next_query_flag_in && !verdict->error_msg && !verdict->ok_msg)
        flag_ = *verdict->next_query_flag_in;
    if (verdict->firewall != firewall_finding::none)
        spdlog::warn("firewall: {} a statement of {}@{} from {} that is not on the list",
                     verdict->firewall == firewall_finding::blocked ? "blocked" : "detected",
                     who_.login->user, who_.login->database, who_.peer);
}

bool session::must_wait(const rule_verdict* verdict) {
    // Where the batch was routed, the delay was before that.
    if (verdict == nullptr || !verdict->delay || verdict->delay->count() == 0 || delay_over_ ||
        cursor_ < cleared_)
        return false;
    begin_delay(*verdict->delay);
    return true;
}

void session::begin_delay(std::chrono::milliseconds delay) {
    const auto now = clock::now();
    delaying_ = true;
    delay_until_ = now + delay;
    arm_next_deadline(now);
}

void session::end_delay() {
    delaying_ = false;
    delay_over_ = true;
    arm_idle_deadline();
    pump_client();
}

void session::cancel_delay() {
    const bool alone = !server_ || (status() == 'I' && !mid_batch_);
    delaying_ = false;
    arm_idle_deadline();
    if (alone) {
        fail_batch(sqlstate::query_canceled, "canceling statement due to user request");
    } else {
        delay_over_ = refuse_next_ = true;
    }
    pump_client();
}

std::string session::refusal(const statement_plan& plan) {
    std::string out;
    if (std::exchange(refuse_next_, false)) {
        protocol::append_error(out, protocol::severity::error, sqlstate::query_canceled,
                               "canceling statement due to user request");
    } else {
        protocol::append_error(out, protocol::severity::error, sqlstate::insufficient_privilege,
                               *plan.verdict->error_msg);
    }
    return out;
}

bool session::fails_here() const {
    return !server_ || (status() == 'I' && !mid_batch_);
}

bool session::refuse_query(const frame& f) {
    if (server_ && server_->replies.owed()) return wait_for_reply();
    const statement_plan plan = take_plan();
    obey(plan.verdict.get());
    std::string error = refusal(plan);
    cursor_ += f.size();
    if (fails_here()) {
        unnamed_.reset();
        answer(std::move(error));
        answer_ready();
        return true;
    }
    reply_note note;
    note.text = std::move(error);
    note.changes_unnamed = true;
    note.unnamed_before = std::exchange(unnamed_, nullptr);
    server_->state().unnamed_owner = 0;
    server_->replies.expect(reply_kind::query, std::move(note));
    protocol::append_query(w_.to_server.generated(), refused_statement);
    w_.to_server.commit();
    mid_batch_ = open_ended_ = false;
    return true;
}

bool session::refuse_parse(const frame& f, std::string_view name) {
    if (server_ && earlier_batches_open()) return wait_for_reply();
    const statement_plan plan = take_plan();
    obey(plan.verdict.get());
    std::string error = refusal(plan);
    cursor_ += f.size();
    // What follows is void, here as on a server.
    skip_to_sync_ = true;
    if (fails_here()) {
        if (name.empty()) unnamed_.reset();
        answer(std::move(error));
        return true;
    }
    reply_note note;
    note.text = std::move(error);
    if (name.empty()) {
        note.changes_unnamed = true;
        note.unnamed_before = std::exchange(unnamed_, nullptr);
    }
    server_->replies.expect(reply_kind::parse, std::move(note));
    protocol::append_parse_raw(w_.to_server.generated(), {}, refused_statement,
                               std::string_view("\0\0", 2));
    w_.to_server.commit();
    server_->state().unnamed_owner = 0;
    mid_batch_ = true;
    return true;
}

}  // namespace howdah::proxy
