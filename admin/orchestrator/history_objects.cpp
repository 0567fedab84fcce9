#include <nlohmann/json.hpp>

#include "admin/orchestrator/objects.hpp"

namespace howdah::admin::orchestrator {
namespace {

/// The part of an analysis that Orchestrator reads back from its history.
json past_analysis(const ha::ha_view& view, const ha::endpoint& failed, const std::string& cluster,
                   const std::string& alias, std::string_view problem, const json& replicas) {
    json details;
    if (const auto* known = find_cluster(view, cluster)) {
        details = cluster_object(view, *known);
    } else {
        details["ClusterName"] = cluster;
        details["ClusterAlias"] = alias.empty() ? cluster : alias;
        details["HasAutomatedMasterRecovery"] = false;
        details["HasAutomatedIntermediateMasterRecovery"] = false;
    }
    // Of the moment of the failure: the cluster was called by the server that failed.
    if (!failed.host.empty()) details["ClusterName"] = to_string(failed);
    json out;
    out["AnalyzedInstanceKey"] =
        key_object(failed.host.empty() ? std::nullopt : std::optional(failed));
    out["Analysis"] = analysis_name(problem);
    out["ClusterDetails"] = details;
    out["CountReplicas"] = replicas.size();
    out["Replicas"] = replicas;
    out["SlaveHosts"] = replicas;
    return out;
}

bool replaces_primary(const ha::recovery& row) {
    return row.kind == "failover" || row.kind == "switchover";
}

}  // namespace

json recovery_object(const ha::ha_view& view, const ha::recovery& row) {
    std::vector<ha::endpoint> others;
    for (const auto& one : row.participants)
        if (one != row.failed) others.push_back(one);
    std::string alias;
    if (row.successor)
        if (const auto found = find_server(view, *row.successor))
            alias = found->server().config.name;
    json errors = json::array();
    errors.push_back(row.ended_at && !row.successful ? row.sentence : "");
    json out;
    out["Id"] = row.id;
    out["UID"] = row.uid;
    out["AnalysisEntry"] =
        past_analysis(view, row.failed, row.cluster, row.alias, row.problem, keys_object(others));
    out["SuccessorKey"] = key_object(row.successor);
    out["SuccessorAlias"] = alias;
    out["SuccessorBinlogCoordinates"] = nullptr;
    out["IsActive"] = row.ended_at == 0;
    out["IsSuccessful"] = row.successful;
    out["LostReplicas"] = keys_object(row.lost);
    out["ParticipatingInstanceKeys"] = keys_object(row.participants);
    out["AllErrors"] = errors;
    out["RecoveryStartTimestamp"] = time_text(row.started_at);
    out["RecoveryEndTimestamp"] = time_text(row.ended_at);
    out["ProcessingNodeHostname"] = "";
    out["ProcessingNodeToken"] = "";
    out["Acknowledged"] = row.acknowledged;
    out["AcknowledgedAt"] = time_text(row.acknowledged_at);
    out["AcknowledgedBy"] = row.acknowledged_by;
    out["AcknowledgedComment"] = row.acknowledge_comment;
    out["LastDetectionId"] = 0;
    out["RelatedRecoveryId"] = 0;
    out["Type"] = replaces_primary(row) ? "MasterRecovery" : "";
    out["RecoveryType"] = replaces_primary(row) ? "MasterRecoveryGTID" : "NotMasterRecovery";
    out["Kind"] = row.kind;
    out["StableName"] = row.cluster;
    out["Sentence"] = row.sentence;
    out["Epoch"] = row.epoch;
    out["Automatic"] = row.automatic;
    out["OrderedBy"] = row.ordered_by;
    out["MillisecondsWithoutWriter"] =
        row.writable_at ? json((row.writable_at - row.started_at) / 1000) : json(nullptr);
    out["LossBytesAtMost"] = row.loss_bytes ? json(*row.loss_bytes) : json(nullptr);
    return out;
}

json detection_object(const ha::ha_view& view, const ha::detection& row) {
    ha::recovery shape;
    shape.id = row.id;
    shape.cluster = row.cluster;
    shape.alias = row.alias;
    shape.problem = row.problem;
    shape.failed = row.server;
    shape.started_at = shape.ended_at = row.at;
    shape.successful = true;
    shape.sentence = row.sentence;
    json out = recovery_object(view, shape);
    out["IsSuccessful"] = false;
    out["RelatedRecoveryId"] = row.recovery_id;
    out["Kind"] = "detection";
    return out;
}

json step_object(const ha::recovery_step& row) {
    std::string message = row.server.empty() ? row.what : row.server + ": " + row.what;
    message += ": " + row.outcome;
    if (!row.detail.empty()) message += " (" + row.detail + ")";
    json out;
    out["Id"] = row.id;
    out["RecoveryUID"] = row.recovery_uid;
    out["AuditAt"] = time_text(row.at);
    out["Message"] = message;
    out["Outcome"] = row.outcome;
    out["Microseconds"] = row.took_us;
    return out;
}

json audit_object(const ha::audit_entry& row) {
    json out;
    out["AuditId"] = row.id;
    out["AuditTimestamp"] = time_text(row.at);
    out["AuditType"] = row.type;
    out["AuditInstanceKey"] =
        key_object(row.server.host.empty() ? std::nullopt : std::optional(row.server));
    out["Message"] = row.by.empty() ? row.message : row.by + ": " + row.message;
    return out;
}

}  // namespace howdah::admin::orchestrator
