#include "ha/timeline.hpp"

#include <charconv>

#include "ha/lsn.hpp"

namespace howdah::ha {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view take_word(std::string_view& line) {
    const auto start = line.find_first_not_of(blanks);
    if (start == std::string_view::npos) return line = {};
    const auto end = line.find_first_of(blanks, start);
    const auto word = line.substr(start, end == std::string_view::npos ? end : end - start);
    line = end == std::string_view::npos ? std::string_view{} : line.substr(end + 1);
    return word;
}

}  // namespace

std::optional<timeline_history> parse_timeline_history(std::string_view content) {
    timeline_history out;
    while (!content.empty()) {
        const auto end = content.find('\n');
        auto line = content.substr(0, end);
        content = end == std::string_view::npos ? std::string_view{} : content.substr(end + 1);
        const auto number = take_word(line);
        if (number.empty() || number.front() == '#') continue;
        timeline_switch one;
        const auto [stop, error] =
            std::from_chars(number.data(), number.data() + number.size(), one.timeline);
        const auto lsn = parse_lsn(take_word(line));
        if (error != std::errc{} || stop != number.data() + number.size() || !one.timeline || !lsn)
            return std::nullopt;
        if (!out.empty() && (out.back().timeline >= one.timeline || out.back().end_lsn > *lsn))
            return std::nullopt;
        one.end_lsn = *lsn;
        one.reason = line;
        out.push_back(std::move(one));
    }
    return out;
}

lineage relate(const wal_position& at, std::uint32_t tip,
               const std::optional<timeline_history>& history) {
    if (!at.timeline || !tip) return lineage::unknown;
    if (at.timeline == tip) return lineage::within;
    if (at.timeline > tip) return lineage::diverged;
    if (!history) return lineage::unknown;
    for (const auto& one : *history)
        if (one.timeline == at.timeline)
            return at.lsn <= one.end_lsn ? lineage::within : lineage::diverged;
    return lineage::diverged;
}

}  // namespace howdah::ha
