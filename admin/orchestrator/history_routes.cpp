#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/route.hpp"

namespace howdah::admin::orchestrator {
namespace {

constexpr std::size_t page_size = 20;
constexpr ha::unix_us recently = 300'000'000;

std::int64_t number(const std::string& text) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size() || out < 0)
        throw api_error(text + " is no number");
    return out;
}

/// A cluster that is gone is still in the history, under its stable name.
std::string stable_name(const api_call& call, const std::string& hint) {
    const auto* known = find_cluster(*call.view, hint);
    return known ? known->subject.name : hint;
}

/// By the places id, uid, cluster, host and port, page, and by the query.
ha::history_filter filter_of(const api_call& call) {
    ha::history_filter out;
    if (call.has("id")) out.id = number(call.place("id"));
    if (call.has("uid")) out.uid = call.place("uid");
    if (call.has("cluster")) out.cluster = stable_name(call, call.place("cluster"));
    if (call.has("host")) out.server = call.key();
    out.only_unacknowledged = call.param("unacknowledged") == "true";
    const auto page = call.has("page") ? call.place("page") : call.param("page");
    out.limit = page_size;
    out.offset = page.empty() ? 0 : static_cast<std::size_t>(number(page)) * page_size;
    return out;
}

http_answer recoveries_by(const api_call& call, const ha::history_filter& which) {
    json out = json::array();
    for (const auto& row : call.does->recoveries(which))
        out.push_back(recovery_object(*call.view, row));
    return json_answer(out);
}

http_answer recoveries(const api_call& call) {
    return recoveries_by(call, filter_of(call));
}

http_answer active(const api_call& call) {
    auto which = filter_of(call);
    which.only_active = true;
    return recoveries_by(call, which);
}

http_answer recent(const api_call& call) {
    auto which = filter_of(call);
    which.since = call.does->now() - recently;
    return recoveries_by(call, which);
}

http_answer steps(const api_call& call) {
    ha::history_filter which;
    which.uid = call.place("uid");
    json out = json::array();
    for (const auto& row : call.does->recoveries(which))
        for (const auto& step : call.does->steps(row.id))
            out.push_back(step_object(step));
    return json_answer(out);
}

http_answer detections(const api_call& call) {
    json out = json::array();
    for (const auto& row : call.does->detections(filter_of(call)))
        out.push_back(detection_object(*call.view, row));
    return json_answer(out);
}

http_answer changelog(const api_call& call) {
    constexpr std::size_t enough = 1000;
    ha::history_filter which;
    which.limit = enough;
    std::map<ha::endpoint, json> by_server;
    auto rows = call.does->detections(which);
    std::ranges::reverse(rows);
    for (const auto& row : rows) {
        auto& lines = by_server.try_emplace(row.server, json::array()).first->second;
        lines.push_back(time_text(row.at) + ";" + analysis_name(row.problem));
    }
    json out = json::array();
    for (auto& [at, lines] : by_server) {
        json entry;
        entry["AnalyzedInstanceKey"] = at.host.empty() ? key_object(std::nullopt) : key_object(at);
        entry["Changelog"] = std::move(lines);
        out.push_back(std::move(entry));
    }
    return json_answer(out);
}

http_answer audit(const api_call& call) {
    json out = json::array();
    for (const auto& row : call.does->audit(filter_of(call)))
        out.push_back(audit_object(row));
    return json_answer(out);
}

/// Orchestrator lists what an earlier recovery blocks. Whatever keeps Howdah from a failover that
/// is called for is listed here, with the reason.
http_answer blocked(const api_call& call) {
    const auto* only = call.has("cluster") ? &call.cluster() : nullptr;
    json out = json::array();
    for (const auto& one : call.view->clusters) {
        const auto& headline = one.decided.problems.headline;
        if ((only && only != &one) || !headline.info().calls_for_failover) continue;
        std::string reasons;
        for (const auto& gate : one.decided.gates)
            if (!gate.open) reasons += (reasons.empty() ? "" : "; ") + gate.reason;
        if (reasons.empty()) continue;
        ha::history_filter which;
        which.cluster = one.subject.name;
        which.limit = 1;
        const auto last = call.does->recoveries(which);
        const auto primary = primary_of(one);
        json row;
        row["FailedInstanceKey"] =
            key_object(primary ? std::optional(one.subject.servers[*primary].at()) : std::nullopt);
        row["ClusterName"] = cluster_name(one);
        row["Analysis"] = analysis_name(headline.info().name);
        row["LastBlockedTimestamp"] = time_text(one.seen_at);
        row["BlockingRecoveryId"] = last.empty() ? 0 : last.front().id;
        row["Reason"] = reasons;
        out.push_back(std::move(row));
    }
    return json_answer(out);
}

}  // namespace

std::vector<route> history_routes() {
    return {
        {"audit-recovery", "Recoveries, newest first, 20 per page; `unacknowledged=true`.",
         recoveries},
        {"audit-recovery/id/:id", "One of them.", recoveries},
        {"audit-recovery/uid/:uid", "The same.", recoveries},
        {"audit-recovery/cluster/:cluster", "Those of one cluster.", recoveries},
        {"audit-recovery/cluster/:cluster/:page", "The same.", recoveries},
        {"audit-recovery/alias/:cluster", "The same.", recoveries},
        {"audit-recovery/alias/:cluster/:page", "The same.", recoveries},
        {"audit-recovery/:page", "A page, from 0.", recoveries},
        {"audit-recovery-steps/:uid", "The steps of a recovery.", steps},
        {"active-cluster-recovery/:cluster", "Recoveries of a cluster that are under way.", active},
        {"recently-active-cluster-recovery/:cluster", "Its recoveries of the last five minutes.",
         recent},
        {"recently-active-instance-recovery/:host/:port", "The same of one server.", recent},
        {"blocked-recoveries", "Failovers that are called for and not done, with the reason.",
         blocked},
        {"blocked-recoveries/cluster/:cluster", "The same of one cluster.", blocked},
        {"audit-failure-detection", "Detected problems, newest first, 20 per page.", detections},
        {"audit-failure-detection/id/:id", "One of them.", detections},
        {"audit-failure-detection/alias/:cluster", "Those of one cluster.", detections},
        {"audit-failure-detection/alias/:cluster/:page", "The same.", detections},
        {"audit-failure-detection/:page", "A page, from 0.", detections},
        {"replication-analysis-changelog", "Detected problems by server, oldest first.", changelog},
        {"audit", "What was ordered and done, newest first, 20 per page.", audit},
        {"audit/instance/:host/:port", "The same of one server.", audit},
        {"audit/instance/:host/:port/:page", "The same.", audit},
        {"audit/:page", "A page, from 0.", audit},
    };
}

}  // namespace howdah::admin::orchestrator
