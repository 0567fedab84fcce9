#include "ha/executor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "ha/fact_reader.hpp"

namespace howdah::ha {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

/// Between two questions whether a step is done.
constexpr std::chrono::milliseconds poll_interval{20};
/// The least time that one statement gets, also at the end of a step's.
constexpr time_us least_us = 200'000;

std::string reason_of(const sql_answer& answer) {
    return answer.error ? answer.error->describe() : std::string();
}

}  // namespace

std::string_view to_string(step_outcome value) noexcept {
    constexpr std::array<std::string_view, 5> words{"done", "already", "failed", "undone",
                                                    "unknown"};
    return words[static_cast<std::size_t>(value)];
}

executor::executor(boost::asio::io_context& io, plan_hands& hands)
    : io_(io), hands_(hands), tasks_(io, [](std::exception_ptr error) {
          try {
              std::rethrow_exception(error);
          } catch (const std::exception& e) {
              spdlog::error("ha: a step ended with {}", e.what());
          }
      }) {}

awaitable<plan_report> executor::carry_out(const plan& subject) {
    plan_report out;
    captured_.clear();
    done_.clear();
    bool no_return = false;
    for (std::size_t next = 0; next < subject.steps.size();) {
        std::vector<progress> all;
        for (; next < subject.steps.size() &&
               (all.empty() || subject.steps[next].stage == all.front().what->stage);
             ++next)
            all.push_back(progress{&subject.steps[next]});
        std::vector<progress*> stage;
        for (auto& one : all)
            stage.push_back(&one);
        co_await run_stage(stage);

        const progress* failure = nullptr;
        for (const auto& one : all) {
            no_return |= one.what->no_return && (one.sent || one.how == step_outcome::already);
            if (one.how == step_outcome::done) done_.push_back(one.what);
            if (one.how == step_outcome::done || one.how == step_outcome::already) continue;
            if (one.what->failing == on_failure::go_on) {
                const bool of_standby =
                    one.what->kind == step_kind::rewire || one.what->kind == step_kind::freeze;
                if (of_standby && one.what->at) out.lost.push_back(*one.what->at);
                continue;
            }
            // Not knowing is graver than having failed.
            if (!failure || one.how == step_outcome::unknown) failure = &one;
        }
        if (!failure) continue;
        out.sentence = fmt::format("{}: {}", failure->what->what, failure->detail);
        if (failure->how == step_outcome::unknown) {
            out.how = plan_report::outcome::unknown;
        } else if (no_return) {
            out.how = plan_report::outcome::stuck;
        } else {
            out.how = plan_report::outcome::undone;
            co_await undo_all();
        }
        co_return out;
    }
    co_return out;
}

awaitable<void> executor::undo_all() {
    std::ranges::reverse(done_);
    for (const auto* one : std::exchange(done_, {})) {
        const bool stopped =
            one->kind == step_kind::agent && one->environment.at("HOWDAH_ACTION") == "stop";
        if ((one->undo.empty() && !stopped) || !one->at) continue;
        const auto began = now_us();
        std::string detail;
        if (stopped) {
            auto back = *one;
            back.environment["HOWDAH_ACTION"] = "start";
            const auto answer = co_await hands_.act(back);
            detail = reason_of(answer);
        }
        for (const auto& statement : one->undo) {
            const auto answer = co_await ask(*one, statement.sql, began + one->timeout_us);
            if (detail.empty()) detail = reason_of(answer);
        }
        hands_.report(*one, detail.empty() ? step_outcome::undone : step_outcome::failed, detail,
                      now_us() - began);
    }
}

awaitable<void> executor::run_stage(std::vector<progress*> stage) {
    if (stage.size() == 1) {
        co_await run(*stage.front());
        co_return;
    }
    boost::asio::steady_timer all_done(io_, boost::asio::steady_timer::time_point::max());
    for (auto* one : stage)
        tasks_.spawn(run(*one));
    tasks_.when_idle([&all_done] { all_done.cancel(); });
    if (tasks_.running() > 0) co_await all_done.async_wait(as_tuple(use_awaitable));
}

awaitable<void> executor::run(progress& one) {
    const auto began = now_us();
    const auto& what = *one.what;
    const bool is_ours = what.kind == step_kind::hold_writers ||
                         what.kind == step_kind::close_connections ||
                         what.kind == step_kind::publish || what.kind == step_kind::agent;
    if (is_ours) {
        const auto answer = co_await hands_.act(what);
        one.detail = reason_of(answer);
        one.how = answer.error ? step_outcome::failed : step_outcome::done;
        // The new primary writes, and nobody is told: only asking again helps.
        if (answer.error && what.kind == step_kind::publish) one.how = step_outcome::unknown;
        if (!answer.error && !what.captured_as.empty()) captured_[what.captured_as] = answer.value;
    } else {
        co_await run_sql(one);
    }
    hands_.report(what, one.how, one.detail, now_us() - began);
}

awaitable<void> executor::run_sql(progress& one) {
    const auto& what = *one.what;
    const auto until = now_us() + what.timeout_us;
    const bool asks = !what.done_when.empty() && what.kind != step_kind::check;
    if (asks) {
        const auto before = co_await ask(what, what.done_when, until);
        if (before.yes()) {
            one.how = step_outcome::already;
            co_return;
        }
    }
    if (!what.guard.empty()) {
        const auto holds = co_await ask(what, what.guard, until);
        if (!holds.yes()) {
            one.detail = reason_of(holds);
            if (one.detail.empty()) one.detail = "the state of the server has changed";
            co_return;
        }
    }
    if (what.no_return) {
        one.detail = co_await hands_.before_no_return(what);
        if (!one.detail.empty()) co_return;
    }
    one.sent = true;
    for (const auto& statement : what.sql) {
        const auto answer = co_await ask(what, statement.sql, until);
        if (!what.captured_as.empty() && !answer.error) captured_[what.captured_as] = answer.value;
        if (!answer.error) continue;
        one.detail = reason_of(answer);
        // Where it may have taken effect all the same, only its effect counts.
        if (what.failing == on_failure::unknown) break;
        one.how = step_outcome::failed;
        co_return;
    }
    if (what.done_when.empty()) {
        one.how = step_outcome::done;
        co_return;
    }
    if (co_await await_done(what, until)) {
        one.detail.clear();
        one.how = step_outcome::done;
        co_return;
    }
    if (what.failing == on_failure::unknown) one.how = step_outcome::unknown;
    if (one.detail.empty())
        one.detail = fmt::format("not done after {} ms", what.timeout_us / 1000);
}

awaitable<bool> executor::await_done(const step& one, time_us until_us) {
    boost::asio::steady_timer pause(io_);
    for (;;) {
        const auto answer = co_await ask(one, one.done_when, until_us);
        if (answer.yes()) co_return true;
        if (now_us() >= until_us) co_return false;
        pause.expires_after(poll_interval);
        co_await pause.async_wait(as_tuple(use_awaitable));
    }
}

awaitable<sql_answer> executor::ask(const step& one, const std::string& sql, time_us until_us) {
    const auto left = std::max(until_us - now_us(), least_us);
    auto text = filled_in(sql);
    endpoint at = one.at.value_or(endpoint{});
    auto answer =
        co_await hands_.ask(std::move(at), std::move(text), std::chrono::milliseconds(left / 1000));
    co_return answer;
}

std::string executor::filled_in(std::string sql) const {
    for (const auto& [name, value] : captured_) {
        const auto mark = "{" + name + "}";
        for (std::size_t i = 0; (i = sql.find(mark, i)) != std::string::npos; i += value.size())
            sql.replace(i, mark.size(), value);
    }
    return sql;
}

}  // namespace howdah::ha
