#include <algorithm>
#include <ctime>

#include "protocol/wire/error_message.hpp"
#include "proxy/session/session.hpp"

// Statements by digest: when each was sent and answered, and what came of it. And the query log.
namespace howdah::proxy {

using clock = std::chrono::steady_clock;

bool session::logs_parameters() const {
    const conf::variables& vars = w_.now->vars();
    return vars.eventslog_parameters && !vars.eventslog_filename.empty();
}

void session::time_statement(reply_note& note, const statement_plan& plan, std::string_view text,
                             const portal* bound) {
    if (server_) ++exchanged_->statements;
    const conf::variables& vars = w_.now->vars();
    if (!vars.eventslog_filename.empty()) {
        const auto ruled = plan.verdict ? plan.verdict->log : std::nullopt;
        const bool wanted = ruled.value_or(vars.eventslog_default_log) && w_.next_is_logged();
        if (wanted || vars.long_query_time.count() > 0) {
            auto log = std::make_shared<logged_statement>();
            log->text = text.substr(0, vars.eventslog_buffer_max_query_length);
            log->extended = bound != nullptr;
            if (bound != nullptr) log->parameters = bound->parameters;
            log->wanted = wanted;
            log->began = std::chrono::system_clock::now();
            note.log = std::move(log);
        }
    }
    if (!plan.digest && !note.log) return;
    note.digest = plan.digest;
    note.asked = clock::now();
    if (transaction_asked_ == clock::time_point()) transaction_asked_ = note.asked;
}

void session::count_transaction() {
    ++counted_->transactions;
    const auto began = std::exchange(transaction_asked_, {});
    if (began == clock::time_point() || answered_ < began) return;
    counted_->transaction_us += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(answered_ - began).count());
}

void session::count_statement(const reply_note& note, bool failed) {
    if (!note.digest && !note.log) return;
    const auto now = clock::now();
    // In a pipeline the server begins with it when the one before is done.
    const auto took = now - std::max(note.asked, answered_);
    answered_ = now;
    const conf::variables& vars = w_.now->vars();
    statement_outcome outcome;
    outcome.microseconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    outcome.rows_affected = note.rows_affected;
    outcome.rows_sent = note.rows_sent;
    outcome.failed = failed;
    const bool slow = vars.long_query_time.count() > 0 && took >= vars.long_query_time;
    if (slow) ++w_.counters.slow_queries;
    if (note.log && (note.log->wanted || slow))
        log_statement(*note.log, note.digest ? &note.digest->id : nullptr, outcome, hostgroup_);
    if (!note.digest) return;
    ++counted_->statements;
    counted_->statement_us += outcome.microseconds;
    count_command(w_.commands, note.digest->command, outcome.microseconds);
    w_.digests.record(
        {hostgroup_, who_.login, note.digest->id.hash,
         vars.query_digests_track_hostname ? std::string(client_address()) : std::string()},
        note.digest, outcome, std::time(nullptr), vars.query_digests_max_entries);
}

void session::count_error(const protocol::error_view& error) {
    w_.errors.record({hostgroup_, server_->server(), who_.login, std::string(error.sqlstate)},
                     client_address(), error.message, std::time(nullptr));
}

void session::count_cached(const statement_plan& plan, const cacheable_request& request,
                           std::uint64_t rows) {
    const conf::variables& vars = w_.now->vars();
    statement_outcome outcome;
    outcome.rows_sent = rows;
    ++counted_->transactions;
    ++counted_->statements;
    if (plan.digest) {
        count_command(w_.commands, plan.digest->command, 0);
        w_.digests.record(
            {-1, who_.login, plan.digest->id.hash,
             vars.query_digests_track_hostname ? std::string(client_address()) : std::string()},
            plan.digest, outcome, std::time(nullptr), vars.query_digests_max_entries);
    }
    if (vars.eventslog_filename.empty() ||
        !plan.verdict->log.value_or(vars.eventslog_default_log) || !w_.next_is_logged())
        return;
    logged_statement log;
    log.text = request.text.substr(0, vars.eventslog_buffer_max_query_length);
    log.extended = request.shape != result_shape::simple;
    log.wanted = true;
    log.began = std::chrono::system_clock::now();
    log_statement(log, plan.digest ? &plan.digest->id : nullptr, outcome, -1);
}

void session::log_statement(const logged_statement& what, const sql::digest* id,
                            const statement_outcome& outcome, int hostgroup) const {
    const std::string server =
        hostgroup >= 0 && server_ ? monitor::to_string(server_->server()->at) : std::string();
    query_event event;
    event.client = who_.peer;
    event.username = who_.login->user;
    event.database = who_.login->database;
    event.thread_id = static_cast<std::uint64_t>(pid_);
    event.server = server;
    event.hostgroup = hostgroup;
    event.digest = id != nullptr ? id->hash : 0;
    event.statement = &what;
    event.duration_us = outcome.microseconds;
    event.rows_affected = outcome.rows_affected;
    event.rows_sent = outcome.rows_sent;
    if (outcome.failed) event.sqlstate = {failed_with_.data(), failed_with_.size()};
    event.slow = w_.now->vars().long_query_time.count() > 0 &&
                 std::chrono::microseconds(outcome.microseconds) >= w_.now->vars().long_query_time;
    event.cached = hostgroup < 0;
    w_.shared.log.write(to_json(event));
}

}  // namespace howdah::proxy
