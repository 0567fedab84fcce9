#include "ha/supervisor_hands.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "ha/lsn.hpp"
#include "protocol/io/offload.hpp"

namespace howdah::ha {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

/// Switchover: whether clients are in transactions, and how often that is asked.
constexpr const char* no_transactions =
    "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client "
    "backend' AND xact_start IS NOT NULL AND pid <> pg_catalog.pg_backend_pid() AND usename IS "
    "DISTINCT FROM current_user)";
constexpr std::chrono::milliseconds drain_question{1000};
constexpr std::chrono::milliseconds drain_interval{20};
/// Of a standby whose receiver is stopped; nothing where an archive may give it more.
constexpr const char* all_that_it_has =
    "SELECT greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()) "
    "WHERE pg_catalog.current_setting('restore_command') = ''";
constexpr std::chrono::milliseconds fork_question{500};

std::string last_line(std::string_view text) {
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    return std::string(text.substr(text.rfind('\n') + 1));
}

}  // namespace

sql_answer failed_answer(std::string why) {
    sql_answer out;
    out.error = monitor::pq_error{.message = std::move(why)};
    return out;
}

awaitable<sql_answer> supervisor::impl::run_hands::ask(endpoint at, std::string sql,
                                                       std::chrono::milliseconds deadline) {
    auto why = refused();
    if (!why.empty()) co_return failed_answer(std::move(why));
    auto answer = co_await owner_.links_.ask(std::move(at), std::move(sql), deadline);
    co_return answer;
}

awaitable<sql_answer> supervisor::impl::run_hands::act(const step& what) {
    sql_answer out;
    auto why = refused();
    if (!why.empty()) co_return failed_answer(std::move(why));
    switch (what.kind) {
        case step_kind::hold_writers: {
            w_.holding = true;
            co_await owner_.next_cycle();
            if (w_.under_way && w_.under_way->kind == "switchover") co_await drain(what.timeout_us);
            break;
        }
        case step_kind::close_connections:
            if (what.at) owner_.hooks_.close_connections(*what.at);
            break;
        case step_kind::publish: {
            auto published = co_await owner_.begin_epoch(w_, name_, *what.at);
            out = std::move(published);
            break;
        }
        case step_kind::agent: {
            auto done = co_await run_agent(what);
            out = std::move(done);
            break;
        }
        default:
            out = failed_answer("this step is not Howdah's own");
    }
    co_return out;
}

awaitable<void> supervisor::impl::run_hands::drain(time_us patience_us) {
    const auto until = now_us() + patience_us;
    boost::asio::steady_timer pause(owner_.io_);
    while (now_us() < until) {
        auto at = w_.record->primary;
        std::string sql = no_transactions;
        const auto idle = co_await ask(std::move(at), std::move(sql), drain_question);
        if (idle.yes() || idle.error) co_return;
        pause.expires_after(drain_interval);
        co_await pause.async_wait(as_tuple(use_awaitable));
    }
}

awaitable<sql_answer> supervisor::impl::run_hands::run_agent(const step& what) {
    const auto& vars = owner_.settings_->vars;
    if (vars.ha_agent.empty()) co_return failed_answer("no agent is configured (ha_agent)");
    const auto& action = what.environment.at("HOWDAH_ACTION");
    if (action == "stop") {
        const bool kept = co_await journal_stop(what, true);
        if (!kept) co_return failed_answer("the journal cannot be written");
    }
    command_result result;
    auto environment = what.environment;
    if (what.at) environment["HOWDAH_SERVER"] = to_string(*what.at);
    const std::function<void()> run = [&result, &environment, command = vars.ha_agent,
                                       shell = vars.ha_hook_shell, timeout = vars.ha_agent_timeout,
                                       stop = owner_.agents_.get_token()] {
        result = run_command(command, shell, environment, timeout, stop);
    };
    // A copy may take hours: not on the threads that the history needs.
    boost::asio::thread_pool own(1);
    co_await protocol::offload(own, owner_.io_, run);
    if (!result.ok()) co_return failed_answer(result.sentence() + ": " + result.output);
    if (action == "start") co_await journal_stop(what, false);
    sql_answer out;
    out.value = last_line(result.output);
    co_return out;
}

awaitable<bool> supervisor::impl::run_hands::journal_stop(const step& what, bool stopped) {
    const bool concerned = w_.intent && !row_ && what.at && *what.at == w_.intent->from;
    if (!concerned || w_.intent->stopped == stopped) co_return true;
    auto intent = *w_.intent;
    intent.stopped = stopped;
    const bool kept = co_await owner_.keep_intent(w_, std::move(intent));
    co_return kept;
}

awaitable<std::string> supervisor::impl::run_hands::before_no_return(const step& what) {
    if (!w_.intent) co_return "the journal is gone";
    endpoint candidate = what.at.value_or(endpoint{});
    std::string question = all_that_it_has;
    const auto has = co_await ask(std::move(candidate), std::move(question), fork_question);
    auto intent = *w_.intent;
    intent.phase = intent_phase::promoting;
    intent.candidate = what.at;
    intent.fork_lsn = parse_lsn(has.value).value_or(0);
    const bool kept = co_await owner_.keep_intent(w_, std::move(intent));
    if (!kept) co_return "the journal cannot be written";
    co_return refused();
}

void supervisor::impl::run_hands::report(const step& what, step_outcome how, std::string detail,
                                         std::int64_t took_us) {
    recovery_step row;
    row.at = unix_now_us();
    row.took_us = took_us;
    row.server = what.server;
    row.what = what.what;
    row.outcome = to_string(how);
    row.detail = std::move(detail);
    if (how == step_outcome::failed) failure_ = row.what + ": " + row.detail;
    if (row.detail.empty())
        for (const auto& statement : what.sql)
            row.detail += (row.detail.empty() ? "" : "; ") + statement.shown;
    spdlog::log(how == step_outcome::failed || how == step_outcome::unknown ? spdlog::level::warn
                                                                            : spdlog::level::info,
                "ha: {}: {}: {} ({} ms){}", name_, row.what, row.outcome, took_us / 1000,
                how == step_outcome::failed || how == step_outcome::unknown ? ": " + row.detail
                                                                            : std::string());
    const auto* of = row_;
    if (!of && w_.under_way) of = &*w_.under_way;
    if (!of) return;
    row.recovery_id = of->id;
    row.recovery_uid = of->uid;
    steps_.push_back(std::move(row));
}

awaitable<std::string> supervisor::impl::run_hands::work_through(executor& steps,
                                                                 const plan& what) {
    const auto report = co_await steps.carry_out(what);
    co_await keep_steps();
    auto why = report.sentence;
    if (why.empty()) why = failure_;
    co_return why;
}

awaitable<void> supervisor::impl::run_hands::keep_steps() {
    const auto rows = std::exchange(steps_, {});
    const std::function<void()> write = [this, &rows] {
        for (const auto& one : rows)
            owner_.store_.add(one);
    };
    const auto error = co_await owner_.keep(write);
    if (!error.empty()) spdlog::error("ha: {}: steps cannot be written: {}", name_, error);
}

}  // namespace howdah::ha
