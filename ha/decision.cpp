#include "ha/decision.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace howdah::ha {
namespace {

std::string closed_gates(const std::vector<gate>& gates) {
    std::string out;
    for (const auto& one : gates)
        if (!one.open) out += (out.empty() ? "" : "; ") + one.reason;
    return out;
}

}  // namespace

std::string_view to_string(action value) noexcept {
    constexpr std::array<std::string_view, 3> words{"none", "confirm", "failover"};
    return words[static_cast<std::size_t>(value)];
}

decision decide(const cluster& subject, const std::optional<cluster_record>& record,
                const policy& allowed, const circumstances& around, const judge_options& judging) {
    decision out;
    out.writers = judge_writers(subject, record, judging);
    out.problems = diagnose(subject, out.writers, allowed.diagnoses);

    auto options = allowed.candidates;
    options.frozen_at_us = 0;
    if (around.order) {
        options.wanted = around.order->to;
        options.allow_data_loss = around.order->allow_data_loss;
    }
    out.forecast = choose_candidate(subject, out.writers.primary, out.writers.record, options);
    out.gates = check_gates(subject, out.problems, out.forecast, allowed, around);
    const auto managed = subject.managed_by_another();
    for (std::size_t i = 0; i < subject.servers.size(); ++i) {
        const auto& one = subject.servers[i];
        // Only what is outdated for certain: there is a record, and it names another server.
        if (out.writers.standings[i] == standing::outdated && out.writers.record.epoch &&
            !one.is(out.writers.record.primary) && !one.downtimed && managed.empty() &&
            around.may_act() && allowed.mode != mode::observe)
            out.to_fence.push_back(i);
    }

    const auto& headline = out.problems.headline;
    const auto name = headline.info().name;
    if (!headline.info().calls_for_failover) {
        // Asking is harmless and tells "dead" from "not seen", whoever then decides. It still is
        // an act.
        const auto forbidden =
            allowed.mode == mode::observe || !around.may_act() ||
            std::ranges::any_of(out.gates, [](const gate& one) {
                return !one.open && (one.name == "other manager" || one.name == "under way");
            });
        if (!out.problems.to_confirm.empty() && !forbidden) out.what = action::confirm;
        out.sentence = headline.what == problem::none
                           ? headline.sentence
                           : fmt::format("{}: {}", name, headline.sentence);
        if (!managed.empty()) out.sentence += "; " + managed;
        return out;
    }
    if (const auto closed = closed_gates(out.gates); !closed.empty()) {
        out.sentence = fmt::format("{}: {}. No failover: {}", name, headline.sentence, closed);
        return out;
    }
    out.what = action::failover;
    out.sentence =
        fmt::format("{}: {}. Failover: {}", name, headline.sentence, out.forecast.sentence);
    return out;
}

}  // namespace howdah::ha
