#include <charconv>
#include <nlohmann/json.hpp>

#include "admin/orchestrator/node.hpp"
#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/route.hpp"
#include "admin/orchestrator/topology_text.hpp"

namespace howdah::admin::orchestrator {
namespace {

constexpr std::size_t page_size = 20;

http_answer good(const json& data) {
    json out;
    out["status"] = "ok";
    out["data"] = data;
    return json_answer(out);
}

http_answer bad(std::string_view code, std::string_view message, unsigned status) {
    json out;
    out["status"] = "error";
    out["error"] = {{"code", code}, {"message", message}};
    out["message"] = message;
    return json_answer(out, status);
}

/// Calls `f` with the cluster, where it is known.
template <class F>
http_answer with_cluster(const api_call& call, F f) {
    const auto* one = find_cluster(*call.view, call.place("cluster"));
    if (!one) return bad("NOT_FOUND", "no such cluster: " + call.place("cluster"), 404);
    return f(*one);
}

http_answer clusters(const api_call& call) {
    json out = json::array();
    for (const auto& one : call.view->clusters)
        out.push_back(cluster_object(*call.view, one));
    return good(out);
}

http_answer cluster(const api_call& call) {
    return with_cluster(call,
                        [&](const auto& one) { return good(cluster_object(*call.view, one)); });
}

http_answer instances(const api_call& call) {
    return with_cluster(call, [&](const ha::cluster_state& one) {
        json out = json::array();
        for (std::size_t i = 0; i < one.subject.servers.size(); ++i)
            out.push_back(instance_object(*call.view, {&one, i}));
        return good(out);
    });
}

http_answer topology(const api_call& call) {
    return with_cluster(call, [&](const ha::cluster_state& one) {
        json out;
        out["clusterName"] = cluster_name(one);
        out["topology"] = topology_text(*call.view, one, topology_style::plain);
        return good(out);
    });
}

http_answer instance(const api_call& call) {
    std::optional<ha::endpoint> at;
    try {
        at = call.key();
    } catch (const api_error& e) {
        return bad("INVALID_INSTANCE", e.what(), 400);
    }
    const auto found = find_server(*call.view, *at);
    if (!found) return bad("NOT_FOUND", "no such instance: " + to_string(*at), 404);
    return good(instance_object(*call.view, *found));
}

http_answer recoveries_by(const api_call& call, ha::history_filter which, std::string_view code) {
    const std::string hint =
        call.param("cluster").empty() ? call.param("alias") : call.param("cluster");
    if (!hint.empty()) {
        const auto* known = find_cluster(*call.view, hint);
        which.cluster = known ? known->subject.name : hint;
    }
    const std::string page = call.param("page");
    std::size_t number = 0;
    if (!page.empty()) {
        const auto [end, error] = std::from_chars(page.data(), page.data() + page.size(), number);
        if (error != std::errc{} || end != page.data() + page.size() || number > 1'000'000)
            return bad(code, "page is no number: " + page, 400);
    }
    which.limit = page_size;
    which.offset = number * page_size;
    try {
        json out = json::array();
        for (const auto& row : call.does->recoveries(which))
            out.push_back(recovery_object(*call.view, row));
        return good(out);
    } catch (const std::exception& e) {
        return bad(code, e.what(), 500);
    }
}

http_answer recoveries(const api_call& call) {
    return recoveries_by(call, {}, "RECOVERIES_ERROR");
}

http_answer active(const api_call& call) {
    ha::history_filter which;
    which.only_active = true;
    return recoveries_by(call, which, "ACTIVE_RECOVERIES_ERROR");
}

http_answer status(const api_call& call) {
    return good(health_object(*call.does));
}

http_answer no_proxysql(const api_call&) {
    return bad("PROXYSQL_NOT_CONFIGURED", "Howdah is the proxy: see runtime_pgsql_servers", 503);
}

}  // namespace

std::vector<route> v2_routes() {
    return {
        {"v2/clusters", "All clusters.", clusters},
        {"v2/clusters/:cluster", "One of them.", cluster},
        {"v2/clusters/:cluster/instances", "Its servers.", instances},
        {"v2/clusters/:cluster/topology", "The same as text.", topology},
        {"v2/instances/:host/:port", "One server.", instance},
        {"v2/recoveries", "Recoveries, newest first; `cluster`, `alias`, `page`.", recoveries},
        {"v2/recoveries/active", "Those under way.", active},
        {"v2/status", "How this Howdah is.", status},
        {"v2/proxysql/servers", "503: Howdah is the proxy.", no_proxysql},
        {"v2/proxysql/servers/:hostgroup", "The same.", no_proxysql},
    };
}

}  // namespace howdah::admin::orchestrator
