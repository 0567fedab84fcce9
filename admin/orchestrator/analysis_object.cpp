#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/server_state.hpp"

namespace howdah::admin::orchestrator {
namespace {

/// The standbys below a server, counted as Orchestrator does.
struct replica_counts {
    std::size_t all = 0;
    std::size_t valid = 0;
    std::size_t replicating = 0;
    std::size_t cut = 0;  ///< valid, and without their upstream
    std::size_t downtimed = 0;
    std::size_t delayed = 0;
    std::size_t lagging = 0;
    std::set<int> versions;
    std::vector<ha::endpoint> keys;
};

replica_counts count(const ha::ha_view& view, const place& upstream) {
    replica_counts out;
    for (const std::size_t i : upstream.server().downstream) {
        const place below{upstream.in, i};
        const auto state = state_of(view, below);
        const bool valid = state.valid && state.recent;
        ++out.all;
        out.valid += valid;
        out.replicating += valid && state.replicates();
        out.cut += valid && !state.receives;
        out.downtimed += state.downtime.has_value();
        out.delayed += below.server().facts.settings.recovery_min_apply_delay_ms > 0;
        out.lagging += state.lags;
        out.versions.insert(below.server().facts.version_num / 10000);
        out.keys.push_back(below.at());
    }
    return out;
}

json log_position(std::uint64_t lsn) {
    json out;
    out["LogFile"] = "wal";
    out["LogPos"] = static_cast<std::int64_t>(lsn);
    out["Type"] = 0;
    return out;
}

}  // namespace

std::string analysis_name(std::string_view problem) {
    for (const auto& info : ha::problem_table())
        if (info.name == problem && !info.orchestrator_name.empty())
            return std::string(info.orchestrator_name);
    return std::string(problem);
}

json analysis_object(const ha::ha_view& view, const ha::cluster_state& one,
                     const ha::diagnosis& found) {
    // A problem of the whole cluster is told of its primary, as Orchestrator has one server each.
    const place which{&one, found.subject.value_or(primary_of(one).value_or(0))};
    const auto& server = which.server();
    const auto state = state_of(view, which);
    const auto below = count(view, which);
    const json replicas = keys_object(below.keys);
    json out;
    out["AnalyzedInstanceKey"] = key_object(which.at());
    out["AnalyzedInstanceMasterKey"] = key_object(state.upstream);
    out["ClusterDetails"] = cluster_object(view, one);
    out["AnalyzedInstanceDataCenter"] = server.config.data_center;
    out["AnalyzedInstanceRegion"] = "";
    out["AnalyzedInstancePhysicalEnvironment"] = "";
    out["AnalyzedInstanceBinlogCoordinates"] = log_position(server.facts.wal_end().value_or(0));
    out["IsMaster"] = state.primary;
    out["IsReplicationGroupMember"] = false;
    out["IsCoMaster"] = false;
    out["LastCheckValid"] = state.valid;
    out["LastCheckPartialSuccess"] = server.facts.reach == ha::reachability::refusing ||
                                     server.facts.reach == ha::reachability::starting;
    out["CountReplicas"] = below.all;
    out["CountValidReplicas"] = below.valid;
    out["CountValidReplicatingReplicas"] = below.replicating;
    out["CountReplicasFailingToConnectToMaster"] = below.cut;
    out["CountDowntimedReplicas"] = below.downtimed;
    out["ReplicationDepth"] = server.depth;
    out["Replicas"] = replicas;
    out["SlaveHosts"] = replicas;
    out["IsFailingToConnectToMaster"] = !state.primary && state.valid && !state.receives;
    out["Analysis"] =
        found.info().orchestrator_name.empty() ? found.info().name : found.info().orchestrator_name;
    out["Description"] = found.sentence;
    out["StructureAnalysis"] = json::array();
    out["IsDowntimed"] = state.downtime.has_value();
    out["IsReplicasDowntimed"] = below.all > 0 && below.downtimed == below.all;
    out["DowntimeEndTimestamp"] = state.downtime ? time_text(state.downtime->until) : "";
    out["DowntimeRemainingSeconds"] =
        state.downtime ? (state.downtime->until - view.seen_at) / 1'000'000 : 0;
    for (const char* name :
         {"IsBinlogServer", "PseudoGTIDImmediateTopology", "OracleGTIDImmediateTopology",
          "MariaDBGTIDImmediateTopology", "BinlogServerImmediateTopology", "SemiSyncMasterEnabled",
          "SemiSyncMasterStatus"})
        out[name] = false;
    for (const char* name : {"SemiSyncMasterWaitForReplicaCount", "SemiSyncMasterClients",
                             "CountSemiSyncReplicasEnabled"})
        out[name] = 0;
    out["CountLoggingReplicas"] = below.all;
    for (const char* name : {"CountStatementBasedLoggingReplicas", "CountMixedBasedLoggingReplicas",
                             "CountRowBasedLoggingReplicas"})
        out[name] = 0;
    out["CountDistinctMajorVersionsLoggingReplicas"] = below.versions.size();
    out["CountDelayedReplicas"] = below.delayed;
    out["CountLaggingReplicas"] = below.lagging;
    out["IsActionableRecovery"] = found.info().calls_for_failover;
    out["ProcessingNodeHostname"] = "";
    out["ProcessingNodeToken"] = "";
    out["CountAdditionalAgreeingNodes"] = 0;
    out["StartActivePeriod"] = "";
    out["SkippableDueToDowntime"] = state.downtime.has_value();
    out["GTIDMode"] = "ON";
    out["MinReplicaGTIDMode"] = "ON";
    out["MaxReplicaGTIDMode"] = "ON";
    out["MaxReplicaGTIDErrant"] = "";
    out["CommandHint"] = found.info().calls_for_failover ? "recover" : "";
    out["IsReadOnly"] = state.read_only;
    out["Problem"] = found.info().name;
    out["Severity"] = to_string(found.info().weight);
    out["Decision"] = one.decided.sentence;
    return out;
}

json analysis_objects(const ha::ha_view& view, const ha::cluster_state& one) {
    json out = json::array();
    if (one.subject.servers.empty()) return out;
    for (const auto& found : one.decided.problems.all)
        if (found.what != ha::problem::none) out.push_back(analysis_object(view, one, found));
    return out;
}

}  // namespace howdah::admin::orchestrator
