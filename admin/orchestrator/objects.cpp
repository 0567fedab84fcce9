#include "admin/orchestrator/objects.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "admin/orchestrator/server_state.hpp"
#include "ha/lsn.hpp"

namespace howdah::admin::orchestrator {
namespace {

constexpr std::int64_t second = 1'000'000;

json coordinates(std::uint64_t lsn) {
    json out;
    out["LogFile"] = lsn ? "wal" : "";
    out["LogPos"] = static_cast<std::int64_t>(lsn);
    out["Type"] = 0;
    return out;
}

/// What is wrong with this server: its own diagnoses.
std::vector<const ha::diagnosis*> problems_of(const place& which) {
    std::vector<const ha::diagnosis*> out;
    for (const auto& one : which.in->decided.problems.all)
        if (one.what != ha::problem::none && one.subject == which.index) out.push_back(&one);
    return out;
}

/// Orchestrator's own four exclude each other; then come ours.
json problem_words(const server_state& state, const place& which) {
    json out = json::array();
    if (!state.valid)
        out.push_back("last_check_invalid");
    else if (!state.recent)
        out.push_back("not_recently_checked");
    else if (state.astray || (!state.primary && !state.replicates()))
        out.push_back("not_replicating");
    else if (state.lags)
        out.push_back("replication_lag");
    for (const auto* one : problems_of(which))
        if (one->what != ha::problem::standby_not_replicating &&
            one->what != ha::problem::lagging_standby)
            out.push_back(one->info().name);
    return out;
}

std::string receiver_error(const server_state& state, const place& which) {
    const auto& facts = which.server().facts;
    if (!state.valid) return facts.reach_detail;
    for (const auto* one : problems_of(which))
        if (one->what == ha::problem::standby_not_replicating ||
            one->what == ha::problem::slot_missing || one->what == ha::problem::diverged_standby)
            return one->sentence;
    if (!state.primary && !state.receives) return "the WAL receiver does not stream";
    return {};
}

/// What PostgreSQL has and Orchestrator has no field for.
json postgresql_facts(const place& which) {
    const auto& one = which.server();
    const auto& facts = one.facts;
    const auto lsn = [](const std::optional<std::uint64_t>& at) {
        return at ? json(ha::format_lsn(*at)) : json(nullptr);
    };
    json out;
    out["Name"] = one.name();
    // As text: JavaScript's numbers do not hold 64 bits.
    out["SystemIdentifier"] = std::to_string(facts.system_identifier);
    out["Timeline"] = facts.timeline;
    out["FlushLSN"] = lsn(facts.flush_lsn);
    out["ReceiveLSN"] = lsn(facts.receive_lsn);
    out["ReplayLSN"] = lsn(facts.replay_lsn);
    out["SlotName"] = facts.settings.primary_slot_name;
    out["SynchronousStandbyNames"] = facts.settings.synchronous_standby_names;
    const auto& standings = which.in->decided.writers.standings;
    out["Standing"] =
        which.index < standings.size() ? to_string(standings[which.index]) : std::string_view{};
    out["Fenced"] = which.in->decided.writers.fenced.contains(one.at());
    for (const auto& verdict : which.in->decided.forecast.servers) {
        if (verdict.server != which.index) continue;
        out["Promotable"] = verdict.eligible;
        out["PromotableReason"] = verdict.reason;
    }
    return out;
}

void add_downtime(json& out, const ha::ha_view& view, const server_state& state) {
    out["IsDowntimed"] = state.downtime.has_value();
    out["DowntimeReason"] = state.downtime ? state.downtime->reason : "";
    out["DowntimeOwner"] = state.downtime ? state.downtime->owner : "";
    out["DowntimeEndTimestamp"] = state.downtime ? time_text(state.downtime->until) : "";
    out["ElapsedDowntime"] =
        state.downtime ? std::max<std::int64_t>(view.seen_at - state.downtime->since, 0) * 1000 : 0;
}

}  // namespace

std::string time_text(ha::unix_us at) {
    if (at <= 0) return {};
    const std::time_t seconds = at / second;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> out{};
    const auto n = std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return {out.data(), n};
}

json key_object(const ha::endpoint& at) {
    json out;
    out["Hostname"] = at.host;
    out["Port"] = at.port;
    return out;
}

json key_object(const std::optional<ha::endpoint>& at) {
    return key_object(at.value_or(ha::endpoint{"", 0}));
}

json keys_object(std::vector<ha::endpoint> all) {
    std::ranges::sort(all);
    json out = json::array();
    for (const auto& one : all)
        out.push_back(key_object(one));
    return out;
}

json nullable(std::optional<std::int64_t> value) {
    json out;
    out["Int64"] = value.value_or(0);
    out["Valid"] = value.has_value();
    return out;
}

json instance_object(const ha::ha_view& view, const place& which) {
    const auto& one = which.server();
    const auto& facts = one.facts;
    const auto& cluster = which.in->subject;
    const auto state = state_of(view, which);
    const auto position =
        state.primary ? facts.flush_lsn.value_or(0) : facts.replay_lsn.value_or(0);
    const int receives = state.primary ? -1 : state.receives;
    const int replays = state.primary ? -1 : state.replays;
    // A primary has nobody to be behind of: Orchestrator has no value then.
    const json lag = nullable(state.primary ? std::nullopt : state.lag_seconds);
    std::vector<ha::endpoint> below;
    for (const std::size_t i : one.downstream)
        below.push_back(cluster.servers[i].at());
    const json replicas = keys_object(below);
    json out;
    out["Key"] = key_object(one.at());
    out["InstanceAlias"] = one.config.name;
    out["Uptime"] =
        facts.postmaster_start_us
            ? std::max<std::int64_t>((state.seen_at - facts.postmaster_start_us) / second, 1)
            : 1;
    out["ServerID"] = 0;
    out["ServerUUID"] = "";
    out["Version"] = state.version;
    out["VersionComment"] = "";
    out["FlavorName"] = "PostgreSQL";
    out["ReadOnly"] = state.read_only;
    out["Binlog_format"] = "";
    out["BinlogRowImage"] = "";
    out["LogBinEnabled"] = true;
    out["LogSlaveUpdatesEnabled"] = true;
    out["LogReplicationUpdatesEnabled"] = true;
    out["SelfBinlogCoordinates"] = coordinates(position);
    out["MasterKey"] = key_object(state.upstream);
    out["MasterUUID"] = "";
    out["AncestryUUID"] = "";
    out["IsDetachedMaster"] = false;
    out["Slave_SQL_Running"] = state.replays;
    out["ReplicationSQLThreadRuning"] = state.replays;
    out["Slave_IO_Running"] = state.receives;
    out["ReplicationIOThreadRuning"] = state.receives;
    out["ReplicationSQLThreadState"] = replays;
    out["ReplicationIOThreadState"] = receives;
    out["HasReplicationFilters"] = false;
    out["GTIDMode"] = "ON";
    out["SupportsOracleGTID"] = false;
    out["UsingOracleGTID"] = false;
    out["UsingMariaDBGTID"] = false;
    out["UsingPseudoGTID"] = false;
    out["ReadBinlogCoordinates"] =
        coordinates(state.primary ? 0 : facts.receive_lsn.value_or(position));
    out["ExecBinlogCoordinates"] = coordinates(state.primary ? 0 : position);
    out["IsDetached"] = false;
    out["RelaylogCoordinates"] = {{"LogFile", ""}, {"LogPos", 0}, {"Type", 1}};
    out["LastSQLError"] = !state.primary && facts.replay_paused ? "replay is paused" : "";
    out["LastIOError"] = receiver_error(state, which);
    out["SecondsBehindMaster"] = lag;
    out["SQLDelay"] = facts.settings.recovery_min_apply_delay_ms / 1000;
    out["ExecutedGtidSet"] = "";
    out["GtidPurged"] = "";
    out["GtidErrant"] = "";
    out["SlaveLagSeconds"] = lag;
    out["ReplicationLagSeconds"] = lag;
    out["SlaveHosts"] = replicas;
    out["Replicas"] = replicas;
    out["ClusterName"] = cluster_name(*which.in);
    out["SuggestedClusterAlias"] = cluster_alias(view, *which.in);
    out["DataCenter"] = one.config.data_center;
    out["Region"] = "";
    out["PhysicalEnvironment"] = "";
    out["ReplicationDepth"] = one.depth;
    out["IsCoMaster"] = false;
    out["HasReplicationCredentials"] = !state.primary;
    out["ReplicationCredentialsAvailable"] = !state.primary;
    for (const char* name : {"SemiSyncAvailable", "SemiSyncMasterEnabled", "SemiSyncReplicaEnabled",
                             "SemiSyncMasterStatus", "SemiSyncReplicaStatus",
                             "SemiSyncMasterPluginNewVersion", "SemiSyncReplicaPluginNewVersion"})
        out[name] = false;
    for (const char* name : {"SemiSyncPriority", "SemiSyncMasterTimeout",
                             "SemiSyncMasterWaitForReplicaCount", "SemiSyncMasterClients"})
        out[name] = 0;
    out["LastSeenTimestamp"] = time_text(state.seen_at);
    out["IsLastCheckValid"] = state.valid;
    out["IsUpToDate"] = state.recent;
    out["IsRecentlyChecked"] = state.recent;
    out["SecondsSinceLastSeen"] = nullable(
        state.seen_at ? std::optional((view.seen_at - state.seen_at) / second) : std::nullopt);
    out["CountMySQLSnapshots"] = 0;
    out["IsCandidate"] =
        state.rule == ha::promotion_rule::must || state.rule == ha::promotion_rule::prefer;
    out["PromotionRule"] = to_string(state.rule);
    add_downtime(out, view, state);
    out["UnresolvedHostname"] = "";
    out["AllowTLS"] = false;
    out["Problems"] = problem_words(state, which);
    out["LastDiscoveryLatency"] = 0;
    out["ReplicationChannels"] = nullptr;
    out["ManagedChannelName"] = "";
    out["ReplicationGroupName"] = "";
    out["ReplicationGroupIsSinglePrimary"] = false;
    out["ReplicationGroupMemberState"] = "";
    out["ReplicationGroupMemberRole"] = "";
    out["ReplicationGroupMembers"] = json::array();
    out["ReplicationGroupPrimaryInstanceKey"] = key_object(std::nullopt);
    out["QSP"] = nullptr;
    out["ProviderType"] = "postgresql";
    out["PostgreSQL"] = postgresql_facts(which);
    return out;
}

json cluster_object(const ha::ha_view& view, const ha::cluster_state& one) {
    const bool automatic =
        view.allowed.mode == ha::mode::automatic &&
        std::ranges::any_of(view.allowed.cluster_filters, [&](const std::string& filter) {
            return ha::matches_filter(filter, one.subject.name, cluster_alias(view, one));
        });
    std::int64_t lag = 0;
    for (std::size_t i = 0; i < one.subject.servers.size(); ++i)
        lag = std::max(lag, state_of(view, {&one, i}).lag_seconds.value_or(0));
    json out;
    out["ClusterName"] = cluster_name(one);
    out["ClusterAlias"] = cluster_alias(view, one);
    out["ClusterDomain"] = "";
    out["CountInstances"] = one.subject.servers.size();
    out["HeuristicLag"] = lag;
    out["HasAutomatedMasterRecovery"] = automatic;
    out["HasAutomatedIntermediateMasterRecovery"] = false;
    out["StableName"] = one.subject.name;
    out["Epoch"] = one.decided.writers.record.epoch;
    out["Mode"] = to_string(view.allowed.mode);
    out["Sentence"] = one.decided.sentence;
    return out;
}

json maintenance_object(const ha::ha_view& view, const ha::endpoint& at,
                        const ha::maintenance_note& note, std::int64_t id) {
    json out;
    out["MaintenanceId"] = id;
    out["Key"] = key_object(at);
    out["BeginTimestamp"] = time_text(note.since);
    out["SecondsElapsed"] = std::max<std::int64_t>(view.seen_at - note.since, 0) / second;
    out["IsActive"] = true;
    out["Owner"] = note.owner;
    out["Reason"] = note.reason;
    return out;
}

json reasons_object(const ha::cluster_state& one) {
    json gates = json::array();
    for (const auto& gate : one.decided.gates) {
        json row;
        row["Gate"] = gate.name;
        row["Open"] = gate.open;
        row["Reason"] = gate.reason;
        gates.push_back(std::move(row));
    }
    json candidates = json::array();
    for (const auto& verdict : one.decided.forecast.servers) {
        json row;
        row["Key"] = key_object(one.subject.servers[verdict.server].at());
        row["Promotable"] = verdict.eligible;
        row["Reason"] = verdict.reason;
        candidates.push_back(std::move(row));
    }
    json obstacles = json::array();
    for (const auto& obstacle : one.preflight.obstacles) {
        json row;
        row["Key"] = key_object(one.subject.servers[obstacle.server].at());
        row["Obstacle"] = obstacle.reason;
        row["Blocking"] = obstacle.blocking;
        row["Reason"] = obstacle.sentence;
        obstacles.push_back(std::move(row));
    }
    json out;
    out["ClusterName"] = cluster_name(one);
    out["Sentence"] = one.decided.sentence;
    out["Gates"] = gates;
    out["Candidates"] = candidates;
    out["CandidateSentence"] = one.decided.forecast.sentence;
    out["Ready"] = one.preflight.ready;
    out["ReadySentence"] = one.preflight.sentence;
    out["Obstacles"] = obstacles;
    return out;
}

}  // namespace howdah::admin::orchestrator
