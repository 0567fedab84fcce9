#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "admin/sql/live_table.hpp"
#include "ha/store.hpp"
#include "ha/supervisor.hpp"

namespace howdah::admin {

/// What HA knows and has decided. Never null; any thread.
using ha_view_source = std::function<std::shared_ptr<const ha::ha_view>()>;

/// Schema ha: clusters, servers, analysis, gates, candidates, preflight, discovered, downtimes from
/// the view; recoveries, recovery_steps, detections, audit from `kept`, which must outlive them.
[[nodiscard]] std::vector<live_table> ha_tables(const ha_view_source& view, ha::store& kept);

/// Its parts.
[[nodiscard]] std::vector<live_table> ha_state_tables(const ha_view_source& view);
[[nodiscard]] std::vector<live_table> ha_history_tables(ha::store& kept);

}  // namespace howdah::admin
