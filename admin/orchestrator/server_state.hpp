#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "admin/orchestrator/lookup.hpp"

namespace howdah::admin::orchestrator {

/// One server in Orchestrator's terms: what its objects and the topology's text are made from.
struct server_state {
    bool valid = false;    ///< the last check succeeded
    bool recent = false;   ///< it was checked a moment ago
    bool primary = false;  ///< it accepts writes, or did when it was last read
    /// It accepts or accepted writes, and another server is in charge: it should follow that one.
    bool astray = false;
    bool read_only = true;
    std::optional<ha::endpoint> upstream;  ///< of a standby, also where that is dead or not known
    bool receives = false;                 ///< its WAL receiver streams, now
    bool replays = false;                  ///< replay is not paused, now
    /// None: unknown. A standby that replayed all it received is at 0, however long ago that was.
    std::optional<std::int64_t> lag_seconds;
    bool lags = false;    ///< more than LaggingStandby allows
    std::string version;  ///< "15.4", "" = not known
    std::optional<ha::downtime_note> downtime;
    ha::promotion_rule rule = ha::promotion_rule::neutral;
    ha::unix_us seen_at = 0;  ///< when it was last read; 0 = never

    [[nodiscard]] bool replicates() const { return receives && replays; }
    /// "ok", "invalid", "unchecked", "nonreplicating", "lag".
    [[nodiscard]] std::string_view status() const;
};

[[nodiscard]] server_state state_of(const ha::ha_view& view, const place& which);
/// Tags by configuration and by operators; the latter count.
[[nodiscard]] std::map<std::string, std::string> tags_of(const ha::ha_view& view,
                                                         const place& which);
/// "150004" -> "15.4".
[[nodiscard]] std::string version_text(int version_num);

}  // namespace howdah::admin::orchestrator
