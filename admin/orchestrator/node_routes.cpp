#include <nlohmann/json.hpp>

#include "admin/orchestrator/node.hpp"
#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/route.hpp"

namespace howdah::admin::orchestrator {
namespace {

json node(const api_functions& does) {
    json out;
    out["Hostname"] = does.hostname;
    out["Token"] = "";
    out["AppVersion"] = does.version;
    out["FirstSeenActive"] = time_text(does.started_at);
    out["LastSeenActive"] = time_text(does.now());
    out["ExtraInfo"] = "";
    out["Command"] = "howdah";
    out["DBBackend"] = "sqlite";
    out["LastReported"] = time_text(does.now());
    return out;
}

http_answer fine(const api_call&) {
    return json_answer("OK");
}

http_answer health(const api_call& call) {
    return ok_answer("Application node is healthy", health_object(*call.does));
}

http_answer raft_state(const api_call&) {
    return json_answer("Leader");
}

http_answer raft_leader(const api_call& call) {
    return json_answer(call.does->advertised);
}

http_answer raft_health(const api_call&) {
    return json_answer("healthy");
}

http_answer raft_peers(const api_call& call) {
    return json_answer(json::array({call.does->advertised}));
}

http_answer raft_status(const api_call& call) {
    json out;
    out["RaftBind"] = call.does->advertised;
    out["RaftAdvertise"] = call.does->advertised;
    out["State"] = "Leader";
    out["Healthy"] = true;
    out["IsPartOfQuorum"] = true;
    out["Leader"] = call.does->advertised;
    out["LeaderURI"] = "";
    out["Peers"] = json::array({call.does->advertised});
    return json_answer(out);
}

/// The only node leads whatever is asked; another one there is not.
http_answer raft_yield(const api_call& call) {
    const std::string& hint = call.place("node");
    if (call.does->advertised.find(hint) == std::string::npos)
        throw api_error("there is no node like " + hint + ": this Howdah is the only one");
    return ok_answer("Asynchronously yielded by hint " + hint, hint);
}

http_answer recovery_filters(const api_call& call) {
    json filters = json::array();
    if (call.view->allowed.mode == ha::mode::automatic)
        for (const auto& one : call.view->allowed.cluster_filters)
            filters.push_back(one);
    json out;
    out["RecoverMasterClusterFilters"] = filters;
    out["RecoverIntermediateMasterClusterFilters"] = json::array();
    out["RecoveryIgnoreHostnameFilters"] = json::array();
    out["Mode"] = to_string(call.view->allowed.mode);
    return ok_answer("Automated recovery configuration details", out);
}

http_answer alive(const api_call&) {
    json out;
    out["status"] = "alive";
    return json_answer(out);
}

http_answer ready(const api_call& call) {
    const bool is = call.view->looked_at_all;
    json out;
    out["status"] = is ? "ready" : "not ready";
    return json_answer(out, is ? 200 : 503);
}

http_answer leader(const api_call&) {
    json out;
    out["status"] = "leader";
    return json_answer(out);
}

}  // namespace

json health_object(const api_functions& does) {
    const json self = node(does);
    json out;
    out["Healthy"] = true;
    out["Hostname"] = does.hostname;
    out["Token"] = "";
    out["IsActiveNode"] = true;
    out["ActiveNode"] = self;
    out["Error"] = nullptr;
    out["AvailableNodes"] = json::array({self});
    out["RaftLeader"] = does.advertised;
    out["IsRaftLeader"] = true;
    out["RaftLeaderURI"] = "";
    out["RaftAdvertise"] = does.advertised;
    out["RaftHealthyMembers"] = json::array({does.advertised});
    return out;
}

std::vector<route> node_routes() {
    return {
        {"health", "How this Howdah is.", health},
        {"status", "The same.", health},
        {"lb-check|_ping", "`OK`.", fine},
        {"leader-check|routed-leader-check", "`OK`: a single Howdah leads.", fine},
        {"leader-check|routed-leader-check/:status", "The same.", fine},
        {"raft-state", "`Leader`.", raft_state},
        {"raft-leader", "This Howdah's host and port.", raft_leader},
        {"raft-health", "`healthy`.", raft_health},
        {"raft-peers", "This Howdah.", raft_peers},
        {"raft-status", "All of that.", raft_status},
        {"raft-yield|raft-yield-hint/:node", "Nothing changes: there is one node.", raft_yield},
        {"automated-recovery-filters", "For which clusters Howdah acts by itself.",
         recovery_filters},
    };
}

std::vector<route> probe_routes() {
    return {
        {"health/live", "200: the process answers.", alive},
        {"health/ready", "200 once every server was looked at, else 503.", ready},
        {"health/leader", "200.", leader},
    };
}

}  // namespace howdah::admin::orchestrator
