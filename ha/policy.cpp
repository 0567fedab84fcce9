#include "ha/policy.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace howdah::ha {
namespace {

constexpr std::string_view alias_is = "alias=";
constexpr std::string_view alias_matches = "alias~=";

bool matches_regex(std::string_view pattern, std::string_view text) {
    RE2::Options quiet;
    quiet.set_log_errors(false);
    const RE2 regex(re2::StringPiece(pattern.data(), pattern.size()), quiet);
    return regex.ok() && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex);
}

struct asked {
    const cluster& subject;
    const cluster_diagnosis& found;
    const candidate_choice& choice;
    const policy& allowed;
    const circumstances& around;

    bool ordered() const { return around.order.has_value(); }
    const server* failed() const {
        return found.primary ? &subject.servers[*found.primary] : nullptr;
    }
};

using answer = std::pair<bool, std::string>;

answer of_diagnosis(const asked& a) {
    const auto& info = a.found.headline.info();
    if (info.calls_for_failover) return {true, a.found.headline.sentence};
    return {false, fmt::format("{} does not call for a failover: {}", info.name,
                               a.found.headline.sentence)};
}

answer of_evidence(const asked& a) {
    const auto& view = a.found.view;
    if (view.primary != cluster_view::primary_state::dead) return {true, "the primary is not dead"};
    if (!view.cut) return {false, "no standby confirms that the primary is dead"};
    return {true, fmt::format("{} standbys followed the primary and do not any more", view.cut)};
}

answer of_mode(const asked& a) {
    if (a.allowed.mode == mode::observe) return {false, "ha_mode is observe"};
    if (a.ordered()) return {true, fmt::format("ordered by {}", a.around.order->by)};
    return {a.allowed.mode == mode::automatic,
            fmt::format("ha_mode is {}", to_string(a.allowed.mode))};
}

answer of_filter(const asked& a) {
    for (const auto& filter : a.allowed.cluster_filters)
        if (matches_filter(filter, a.subject.name, a.subject.alias))
            return {true, fmt::format("the cluster filter {} matches", filter)};
    return {a.ordered(), fmt::format("no cluster filter matches {}", a.subject.name)};
}

answer of_global_switch(const asked& a) {
    return {a.allowed.global_recoveries || a.ordered(), a.allowed.global_recoveries
                                                            ? "recoveries are enabled"
                                                            : "recoveries are globally disabled"};
}

answer of_downtime(const asked& a) {
    const auto* failed = a.failed();
    if (!failed || !failed->downtimed) return {true, "the primary is not in downtime"};
    return {a.ordered(),
            fmt::format("{} is in downtime: {}", failed->name(), failed->config.down->reason)};
}

answer of_past(const asked& a) {
    for (const auto& one : a.around.past) {
        const auto age_us = a.subject.now_us - one.ended_at_us;
        if (one.acknowledged || age_us >= a.allowed.block_after_recovery_us) continue;
        return {a.ordered(),
                fmt::format("{} was replaced {} s ago; the next failover by itself is blocked for "
                            "{} s, or until that one is acknowledged",
                            one.failed, age_us / 1'000'000,
                            a.allowed.block_after_recovery_us / 1'000'000)};
    }
    return {true, "no recovery of late that nobody acknowledged"};
}

answer of_other_manager(const asked& a) {
    auto why = a.subject.managed_by_another();
    if (why.empty()) return {true, "no other manager was found"};
    return {false, std::move(why)};
}

answer of_under_way(const asked& a) {
    return {!a.around.recovery_under_way, a.around.recovery_under_way
                                              ? "a recovery of this cluster is under way"
                                              : "no recovery is under way"};
}

answer of_right_to_act(const asked& a) {
    return {a.around.may_act(), a.around.may_act()
                                    ? "this Howdah may act"
                                    : "this Howdah may not act: " + a.around.may_not_act_because};
}

answer of_candidate(const asked& a) {
    return {a.choice.chosen.has_value(), a.choice.sentence};
}

answer of_writer(const asked& a) {
    const bool writes = a.found.view.primary == cluster_view::primary_state::writing;
    if (!writes) return {false, "no primary accepts writes: " + a.found.headline.sentence};
    if (a.found.view.rivals) return {false, a.found.headline.sentence};
    return {true, a.failed()->name() + " accepts writes"};
}

answer of_order(const asked& a) {
    return {a.ordered(),
            a.ordered() ? fmt::format("ordered by {}", a.around.order->by) : "nobody ordered it"};
}

struct row {
    std::string_view name;
    answer (*ask)(const asked&);
};

constexpr std::array<row, 11> rows{{{"diagnosis", of_diagnosis},
                                    {"evidence", of_evidence},
                                    {"mode", of_mode},
                                    {"filter", of_filter},
                                    {"global switch", of_global_switch},
                                    {"downtime", of_downtime},
                                    {"past recoveries", of_past},
                                    {"other manager", of_other_manager},
                                    {"under way", of_under_way},
                                    {"right to act", of_right_to_act},
                                    {"candidate", of_candidate}}};

constexpr std::array<row, 7> switchover_rows{{{"order", of_order},
                                              {"writer", of_writer},
                                              {"mode", of_mode},
                                              {"other manager", of_other_manager},
                                              {"under way", of_under_way},
                                              {"right to act", of_right_to_act},
                                              {"candidate", of_candidate}}};

std::vector<gate> ask(std::span<const row> table, const asked& question) {
    std::vector<gate> out;
    for (const auto& one : table) {
        auto [open, reason] = one.ask(question);
        out.push_back({one.name, open, std::move(reason)});
    }
    return out;
}

}  // namespace

bool matches_filter(std::string_view filter, std::string_view name, std::string_view alias) {
    if (filter.starts_with(alias_matches))
        return matches_regex(filter.substr(alias_matches.size()), alias);
    if (filter.starts_with(alias_is)) return filter.substr(alias_is.size()) == alias;
    if (filter == "*") return true;
    if (filter.empty()) return false;
    return filter == name || filter == alias || matches_regex(filter, name);
}

std::string check_filter(std::string_view filter) {
    if (filter.empty()) return "an empty filter matches nothing";
    if (filter == "*" || filter.starts_with(alias_is)) return {};
    const auto pattern =
        filter.starts_with(alias_matches) ? filter.substr(alias_matches.size()) : filter;
    RE2::Options quiet;
    quiet.set_log_errors(false);
    const RE2 regex(re2::StringPiece(pattern.data(), pattern.size()), quiet);
    return regex.ok() ? std::string() : regex.error();
}

std::vector<gate> check_gates(const cluster& subject, const cluster_diagnosis& found,
                              const candidate_choice& choice, const policy& allowed,
                              const circumstances& around) {
    return ask(rows, {subject, found, choice, allowed, around});
}

std::vector<gate> check_switchover(const cluster& subject, const cluster_diagnosis& found,
                                   const candidate_choice& choice, const policy& allowed,
                                   const circumstances& around) {
    return ask(switchover_rows, {subject, found, choice, allowed, around});
}

}  // namespace howdah::ha
