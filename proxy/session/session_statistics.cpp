#include <algorithm>
#include <ctime>

#include "protocol/wire/error_message.hpp"
#include "proxy/session/session.hpp"

// Statements by digest: when each was sent and answered, and what came of it.
namespace howdah::proxy {

using clock = std::chrono::steady_clock;

void session::time_statement(reply_note& note, const statement_plan& plan) {
    if (server_) ++exchanged_->statements;
    if (!plan.digest) return;
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
    if (!note.digest) return;
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

}  // namespace howdah::proxy
