#include "ha/fact_reader.hpp"

#include <charconv>
#include <string>
#include <utility>

#include "ha/fact_query.hpp"

namespace howdah::ha {
namespace {

using monitor::pq_error;

constexpr const char* version_query =
    "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4";

constexpr std::string_view insufficient_privilege = "42501";

reachability reach_of(const pq_error& error) {
    switch (monitor::classify(error)) {
        case monitor::probe_result::not_ready:
            return reachability::starting;
        case monitor::probe_result::alive:
            return reachability::refusing;
        case monitor::probe_result::failed:
        case monitor::probe_result::ok:
            break;
    }
    return reachability::dead;
}

void failed(server_facts& facts, const pq_error& error) {
    facts.reach = reach_of(error);
    facts.refused = facts.reach == reachability::dead &&
                    error.message.find("Connection refused") != std::string::npos;
    facts.reach_detail = error.describe();
}

void refused(server_facts& facts, std::string why) {
    facts.reach = reachability::refusing;
    facts.reach_detail = std::move(why);
}

}  // namespace

time_us now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

boost::asio::awaitable<server_facts> fact_reader::read(std::chrono::milliseconds deadline) {
    const auto began = now_us();
    const bool kept = link_.open();
    auto facts = co_await try_once(deadline);
    const bool silent = now_us() - began >= std::chrono::microseconds(deadline).count();
    if (kept && facts.reach != reachability::up && !silent) {
        link_.close();
        auto again = co_await try_once(deadline);
        facts = std::move(again);
    }
    facts.reach_since_us = began;
    co_return facts;
}

boost::asio::awaitable<server_facts> fact_reader::try_once(std::chrono::milliseconds deadline) {
    server_facts facts;
    if (!link_.open() || version_of_ != link_.session()) {
        std::string question = version_query;
        const auto version = co_await link_.ask(std::move(question), deadline);
        if (version.error) {
            failed(facts, *version.error);
            co_return facts;
        }
        const auto& text = version.value;
        if (std::from_chars(text.data(), text.data() + text.size(), version_).ec != std::errc{}) {
            refused(facts, "it does not say its version");
            co_return facts;
        }
        version_of_ = link_.session();
        lists_wal_ = true;
    }
    const auto sent = now_us();
    auto question = fact_query(version_, lists_wal_);
    auto answer = co_await link_.ask(std::move(question), deadline);
    if (lists_wal_ && answer.error && answer.error->sqlstate == insufficient_privilege) {
        lists_wal_ = false;
        auto less = fact_query(version_, false);
        auto again = co_await link_.ask(std::move(less), deadline);
        answer = std::move(again);
    }
    if (answer.error) {
        failed(facts, *answer.error);
        co_return facts;
    }
    if (auto wrong = read_facts(answer.value, sent, facts); !wrong.empty()) {
        refused(facts, std::move(wrong));
        co_return facts;
    }
    facts.reach = reachability::up;
    co_return facts;
}

}  // namespace howdah::ha
