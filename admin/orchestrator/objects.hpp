#pragma once
#include <string>
#include <vector>

#include "admin/orchestrator/json.hpp"
#include "admin/orchestrator/lookup.hpp"
#include "ha/history.hpp"

namespace howdah::admin::orchestrator {

/// Orchestrator's JSON objects, field by field and in its order; what it has no field for comes
/// last. Times are UTC.

/// "2026-01-31 12:00:00"; "" for 0.
[[nodiscard]] std::string time_text(ha::unix_us at);
/// {"Hostname": ..., "Port": ...}
[[nodiscard]] json key_object(const ha::endpoint& at);
[[nodiscard]] json key_object(const std::optional<ha::endpoint>& at);  ///< none: "" and 0
[[nodiscard]] json keys_object(std::vector<ha::endpoint> all);         ///< sorted
/// {"Int64": ..., "Valid": ...}
[[nodiscard]] json nullable(std::optional<std::int64_t> value);

[[nodiscard]] json instance_object(const ha::ha_view& view, const place& which);
[[nodiscard]] json cluster_object(const ha::ha_view& view, const ha::cluster_state& one);

/// One entry of replication-analysis.
[[nodiscard]] json analysis_object(const ha::ha_view& view, const ha::cluster_state& one,
                                   const ha::diagnosis& found);
/// All problems of a cluster.
[[nodiscard]] json analysis_objects(const ha::ha_view& view, const ha::cluster_state& one);
/// What Orchestrator calls a problem of ours: its name, else ours.
[[nodiscard]] std::string analysis_name(std::string_view problem);

/// What is asked of a recovery's cluster comes from the view, where it is still there.
[[nodiscard]] json recovery_object(const ha::ha_view& view, const ha::recovery& row);
/// A detection in the shape of a recovery, as audit-failure-detection has it.
[[nodiscard]] json detection_object(const ha::ha_view& view, const ha::detection& row);
[[nodiscard]] json step_object(const ha::recovery_step& row);
[[nodiscard]] json audit_object(const ha::audit_entry& row);
[[nodiscard]] json maintenance_object(const ha::ha_view& view, const ha::endpoint& at,
                                      const ha::maintenance_note& note, std::int64_t id);
/// Why Howdah does or does not act on a cluster: sentence, gates, candidates, what is missing.
[[nodiscard]] json reasons_object(const ha::cluster_state& one);

}  // namespace howdah::admin::orchestrator
