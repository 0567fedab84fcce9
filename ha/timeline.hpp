#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/wal_sampler.hpp"

namespace howdah::ha {

using monitor::wal_position;

/// Where a timeline ended and the next of the same history began.
struct timeline_switch {
    std::uint32_t timeline = 0;  ///< the one that was left
    std::uint64_t end_lsn = 0;   ///< nothing of it beyond this place belongs to the history
    std::string reason;

    bool operator==(const timeline_switch&) const = default;
};

/// The ancestors of a timeline, oldest first: the content of its history file. Timeline 1 has none.
using timeline_history = std::vector<timeline_switch>;

/// Nothing where the text is not what PostgreSQL writes: timelines that grow, an LSN in each line;
/// blank lines and comments are skipped.
[[nodiscard]] std::optional<timeline_history> parse_timeline_history(std::string_view content);

/// How a place in the WAL lies to a history.
enum class lineage : std::uint8_t {
    within,    ///< on it: a standby there can follow
    diverged,  ///< off it: what lies beyond the fork must be rewound
    unknown    ///< nothing known about it
};

/// `at`: how far a server has WAL. `tip`: the timeline it should follow; `history` its ancestors,
/// where known. A place on `tip` itself is within.
[[nodiscard]] lineage relate(const wal_position& at, std::uint32_t tip,
                             const std::optional<timeline_history>& history);

}  // namespace howdah::ha
