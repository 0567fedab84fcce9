#include "ha/executor.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>

namespace howdah::ha {
namespace {

using boost::asio::awaitable;

/// Servers that answer from a script, and everything that reached them in order.
class scripted final : public plan_hands {
public:
    /// What a server says to a statement; none: it succeeds without a value.
    std::map<std::string, std::function<sql_answer()>> answers;
    std::vector<std::string> sent;
    std::vector<std::string> reports;
    std::string journal_error;
    std::string act_error;

    awaitable<sql_answer> ask(endpoint at, std::string sql, std::chrono::milliseconds) override {
        sent.push_back(at.host + ": " + sql);
        const auto found = answers.find(sql);
        sql_answer out;
        if (found != answers.end()) out = found->second();
        co_return out;
    }
    awaitable<sql_answer> act(const step& what) override {
        const bool agent = what.kind == step_kind::agent;
        sent.push_back(agent ? "agent: " + what.environment.at("HOWDAH_ACTION")
                             : "howdah: " + what.what);
        sql_answer out;
        if (!act_error.empty()) out.error = monitor::pq_error{.message = act_error};
        co_return out;
    }
    awaitable<std::string> before_no_return(const step& what) override {
        sent.push_back("journal: " + what.what);
        co_return journal_error;
    }
    void report(const step& what, step_outcome how, std::string, std::int64_t) override {
        reports.push_back(what.what + " " + std::string(to_string(how)));
    }
};

sql_answer value(std::string text) {
    sql_answer out;
    out.value = std::move(text);
    return out;
}
sql_answer failure(std::string text) {
    sql_answer out;
    out.error = monitor::pq_error{.message = std::move(text)};
    return out;
}
/// False at first, then true.
std::function<sql_answer()> becomes_true() {
    return [asked = 0]() mutable { return value(asked++ == 0 ? "f" : "t"); };
}

step sql_step(int stage, const std::string& host, const std::string& name) {
    step out;
    out.kind = step_kind::configure;
    out.stage = stage;
    out.at = endpoint{host, 5432};
    out.what = name;
    out.sql = {plain("do " + name)};
    out.undo = {plain("undo " + name)};
    out.timeout_us = 60'000;
    return out;
}

awaitable<void> carry(executor& by, const plan& what, plan_report& out) {
    auto done = co_await by.carry_out(what);
    out = std::move(done);
}

plan_report run(scripted& hands, std::vector<step> steps) {
    boost::asio::io_context io;
    executor by(io, hands);
    plan what;
    what.steps = std::move(steps);
    plan_report out;
    boost::asio::co_spawn(io, carry(by, what, out), boost::asio::detached);
    io.run();
    return out;
}

using testing::Test;
using outcome = plan_report::outcome;

TEST(executor, works_through_the_stages_in_order) {
    scripted hands;
    const auto report = run(hands, {sql_step(1, "a", "one"), sql_step(2, "b", "two")});
    EXPECT_EQ(report.how, outcome::done);
    EXPECT_EQ(hands.sent, (std::vector<std::string>{"a: do one", "b: do two"}));
}

TEST(executor, starts_again_what_its_agent_has_stopped_when_a_later_step_fails) {
    scripted hands;
    hands.answers["do two"] = [] { return failure("no"); };
    step stop;
    stop.kind = step_kind::agent;
    stop.at = endpoint{"a", 5432};
    stop.what = "stop a";
    stop.environment["HOWDAH_ACTION"] = "stop";
    stop.stage = 1;
    const auto report = run(hands, {stop, sql_step(2, "b", "two")});
    EXPECT_EQ(report.how, outcome::undone);
    EXPECT_EQ(hands.sent, (std::vector<std::string>{"agent: stop", "b: do two", "agent: start"}));
    EXPECT_EQ(hands.reports.back(), "stop a undone");
}

TEST(executor, does_nothing_where_it_is_done_already) {
    scripted hands;
    auto one = sql_step(1, "a", "one");
    one.done_when = "done?";
    hands.answers["done?"] = [] { return value("t"); };
    EXPECT_EQ(run(hands, {one}).how, outcome::done);
    EXPECT_EQ(hands.sent, std::vector<std::string>{"a: done?"});
    EXPECT_EQ(hands.reports, std::vector<std::string>{"one already"});
}

TEST(executor, undoes_in_reverse_order_what_it_did_itself) {
    scripted hands;
    auto already = sql_step(2, "b", "two");
    already.done_when = "two?";
    hands.answers["two?"] = [] { return value("t"); };
    hands.answers["do four"] = [] { return failure("no"); };
    const auto report = run(hands, {sql_step(1, "a", "one"), already, sql_step(3, "c", "three"),
                                    sql_step(4, "d", "four"), sql_step(5, "e", "five")});
    EXPECT_EQ(report.how, outcome::undone);
    EXPECT_EQ(report.sentence, "four: no");
    EXPECT_EQ(hands.sent, (std::vector<std::string>{"a: do one", "b: two?", "c: do three",
                                                    "d: do four", "c: undo three", "a: undo one"}));
}

TEST(executor, goes_on_without_a_standby_that_cannot_be_rewired_and_lists_it) {
    scripted hands;
    auto lost = sql_step(1, "a", "one");
    lost.kind = step_kind::rewire;
    lost.failing = on_failure::go_on;
    lost.done_when = "streams?";
    hands.answers["streams?"] = [] { return value("f"); };
    const auto report = run(hands, {lost, sql_step(2, "b", "two")});
    EXPECT_EQ(report.how, outcome::done);
    EXPECT_EQ(report.lost, (std::vector<endpoint>{{"a", 5432}}));
    EXPECT_EQ(hands.sent.back(), "b: do two");

    auto frozen = lost;
    frozen.kind = step_kind::freeze;
    EXPECT_EQ(run(hands, {frozen}).lost, report.lost) << "nor one that cannot be stopped";
}

TEST(executor, sends_nothing_where_the_guard_does_not_hold) {
    scripted hands;
    auto one = sql_step(1, "a", "one");
    one.guard = "may?";
    one.no_return = true;
    one.failing = on_failure::unknown;
    hands.answers["may?"] = [] { return value("f"); };
    const auto report = run(hands, {one});
    EXPECT_EQ(report.how, outcome::undone);
    EXPECT_EQ(hands.sent, std::vector<std::string>{"a: may?"});
}

step promotion() {
    auto out = sql_step(2, "b", "promote");
    out.kind = step_kind::promote;
    out.no_return = true;
    out.failing = on_failure::unknown;
    out.done_when = "primary?";
    out.undo.clear();
    return out;
}

TEST(executor, journals_right_before_what_cannot_be_undone) {
    scripted hands;
    hands.answers["primary?"] = becomes_true();
    EXPECT_EQ(run(hands, {promotion()}).how, outcome::done);
    EXPECT_EQ(hands.sent, (std::vector<std::string>{"b: primary?", "journal: promote",
                                                    "b: do promote", "b: primary?"}));
}

TEST(executor, sends_nothing_that_cannot_be_undone_without_a_journal) {
    scripted hands;
    hands.answers["primary?"] = [] { return value("f"); };
    hands.journal_error = "disk full";
    const auto report = run(hands, {sql_step(1, "a", "one"), promotion()});
    EXPECT_EQ(report.how, outcome::undone);
    EXPECT_EQ(report.sentence, "promote: disk full");
    EXPECT_EQ(hands.sent.back(), "a: undo one");
    EXPECT_EQ(std::ranges::count(hands.sent, "b: do promote"), 0);
}

TEST(executor, never_undoes_after_a_promotion_that_may_have_happened) {
    scripted hands;
    hands.answers["primary?"] = [] { return value("f"); };
    hands.answers["do promote"] = [] { return failure("connection lost"); };
    const auto report = run(hands, {sql_step(1, "a", "one"), promotion(), sql_step(3, "c", "x")});
    EXPECT_EQ(report.how, outcome::unknown);
    EXPECT_EQ(report.sentence, "promote: connection lost");
    EXPECT_EQ(std::ranges::count(hands.sent, "a: undo one"), 0);
    EXPECT_EQ(std::ranges::count(hands.sent, "c: do x"), 0);
}

TEST(executor, takes_a_promotion_for_done_that_took_effect_although_its_answer_was_lost) {
    scripted hands;
    hands.answers["primary?"] = becomes_true();
    hands.answers["do promote"] = [] { return failure("connection lost"); };
    EXPECT_EQ(run(hands, {promotion()}).how, outcome::done);
}

TEST(executor, does_not_know_how_it_stands_where_an_epoch_cannot_be_published) {
    scripted hands;
    hands.answers["primary?"] = becomes_true();
    hands.act_error = "disk full";
    step publish;
    publish.kind = step_kind::publish;
    publish.stage = 3;
    publish.what = "publish";
    EXPECT_EQ(run(hands, {promotion(), publish}).how, outcome::unknown);
}

TEST(executor, puts_captured_values_into_later_steps) {
    scripted hands;
    auto capture = sql_step(1, "a", "capture");
    capture.captured_as = "last_wal";
    hands.answers["do capture"] = [] { return value("0/5000"); };
    auto later = sql_step(2, "b", "later");
    later.kind = step_kind::check;
    later.sql.clear();
    later.done_when = "SELECT '{last_wal}' <= '{other}'";
    hands.answers["SELECT '0/5000' <= '{other}'"] = [] { return value("t"); };
    EXPECT_EQ(run(hands, {capture, later}).how, outcome::done);
}

}  // namespace
}  // namespace howdah::ha
