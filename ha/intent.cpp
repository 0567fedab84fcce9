#include "ha/intent.hpp"

#include <fmt/format.h>

#include <array>

namespace howdah::ha {

std::string_view to_string(resumption value) noexcept {
    constexpr std::array<std::string_view, 4> words{"undo", "promote", "finish", "wait"};
    return words[static_cast<std::size_t>(value)];
}

resume_answer resume(const cluster& subject, const failover_intent& intent) {
    if (intent.phase == intent_phase::freezing || !intent.candidate)
        return {resumption::undo,
                fmt::format("the failover from {} ended before anybody was promoted: the standbys "
                            "follow again",
                            to_string(intent.from))};
    const auto name = to_string(*intent.candidate);
    const auto found = subject.find(*intent.candidate);
    if (!found || !subject.servers[*found].current)
        return {
            resumption::wait,
            fmt::format("{} may have been promoted and does not answer: nobody else is promoted",
                        name)};
    const auto& one = subject.servers[*found];
    if (one.foreign)
        return {resumption::wait,
                fmt::format("{} was to be promoted, and at its address is another cluster", name)};
    if (one.standing_by())
        return {resumption::promote, fmt::format("{} is still in recovery: promote it", name)};
    if (one.facts.timeline > intent.base_timeline)
        return {resumption::finish,
                fmt::format("{} was promoted to timeline {}", name, one.facts.timeline)};
    return {resumption::wait,
            fmt::format("{} accepts writes on timeline {}, which is not later than {}: it was not "
                        "promoted",
                        name, one.facts.timeline, intent.base_timeline)};
}

}  // namespace howdah::ha
