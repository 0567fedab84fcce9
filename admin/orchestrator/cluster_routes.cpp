#include <algorithm>
#include <nlohmann/json.hpp>

#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/route.hpp"
#include "admin/orchestrator/server_state.hpp"
#include "admin/orchestrator/topology_text.hpp"

namespace howdah::admin::orchestrator {
namespace {

/// All servers, or those of one cluster, in the order of their addresses.
std::vector<place> servers_of(const ha::ha_view& view, const ha::cluster_state* only = nullptr) {
    std::vector<place> out;
    for (const auto& one : view.clusters)
        if (!only || only == &one)
            for (std::size_t i = 0; i < one.subject.servers.size(); ++i)
                out.push_back({&one, i});
    std::ranges::sort(out, {}, [](const place& one) { return one.at(); });
    return out;
}

template <class Wanted>
http_answer instances(const api_call& call, const ha::cluster_state* only, Wanted wanted) {
    json out = json::array();
    for (const place& one : servers_of(*call.view, only))
        if (wanted(one)) out.push_back(instance_object(*call.view, one));
    return json_answer(out);
}
constexpr auto every = [](const place&) { return true; };

http_answer instance(const api_call& call) {
    return json_answer(instance_object(*call.view, call.server()));
}

http_answer instance_replicas(const api_call& call) {
    const place upstream = call.server();
    return instances(call, upstream.in,
                     [&](const place& one) { return one.server().upstream == upstream.index; });
}

http_answer resolve(const api_call& call) {
    return ok_answer("Instance resolved", key_object(call.server().at()));
}

http_answer cluster(const api_call& call) {
    return instances(call, &call.cluster(), every);
}

http_answer cluster_info(const api_call& call) {
    return json_answer(cluster_object(*call.view, call.cluster()));
}

http_answer clusters(const api_call& call) {
    json out = json::array();
    for (const auto& one : call.view->clusters)
        out.push_back(cluster_name(one));
    return json_answer(out);
}

http_answer clusters_info(const api_call& call) {
    json out = json::array();
    for (const auto& one : call.view->clusters)
        out.push_back(cluster_object(*call.view, one));
    return json_answer(out);
}

bool is_writer(const place& one) {
    return one.in->decided.writers.writer == one.index;
}

http_answer masters(const api_call& call) {
    return instances(call, nullptr, is_writer);
}

http_answer master(const api_call& call) {
    const auto& one = call.cluster();
    const auto writer = one.decided.writers.writer;
    if (!writer)
        throw api_error("No masters found: " + one.subject.name + " has no writer now; " +
                        one.decided.sentence);
    return json_answer(instance_object(*call.view, {&one, *writer}));
}

http_answer all_instances(const api_call& call) {
    return instances(call, nullptr, every);
}

http_answer bulk_instances(const api_call& call) {
    json out = json::array();
    for (const place& one : servers_of(*call.view))
        out.push_back(to_string(one.at()));
    return json_answer(out);
}

http_answer search(const api_call& call) {
    const std::string text = call.has("text") ? call.place("text") : call.param("s");
    const auto contains = [&](const std::string& where) { return where.find(text) != where.npos; };
    return instances(call, nullptr, [&](const place& one) {
        return std::ranges::any_of(one.server().names,
                                   [&](const auto& at) { return contains(to_string(at)); }) ||
               contains(one.server().config.name) || contains(one.in->subject.name) ||
               contains(cluster_alias(*call.view, *one.in)) ||
               contains(state_of(*call.view, one).version);
    });
}

http_answer problems(const api_call& call) {
    const auto* only = call.places.size() > 1 ? &call.cluster() : nullptr;
    json out = json::array();
    for (const place& one : servers_of(*call.view, only)) {
        json object = instance_object(*call.view, one);
        if (!object["Problems"].empty()) out.push_back(std::move(object));
    }
    return json_answer(out);
}

http_answer replicas_for_checks(const api_call& call) {
    return instances(call, &call.cluster(), [&](const place& one) {
        const auto state = state_of(*call.view, one);
        return !state.primary && state.valid && state.recent && !state.downtime;
    });
}

http_answer downtimed(const api_call& call) {
    const auto* only = call.places.size() > 1 ? &call.cluster() : nullptr;
    return instances(call, only, [&](const place& one) {
        return state_of(*call.view, one).downtime.has_value();
    });
}

http_answer analysis(const api_call& call) {
    const auto* only = call.has("cluster") ? &call.cluster() : nullptr;
    std::vector<place> wanted;  // one, or none for all
    if (call.has("host")) wanted.push_back(call.server());
    json out = json::array();
    for (const auto& one : call.view->clusters) {
        if ((only && only != &one) || (!wanted.empty() && wanted.front().in != &one)) continue;
        for (auto& entry : analysis_objects(*call.view, one))
            if (wanted.empty() || entry["AnalyzedInstanceKey"] == key_object(wanted.front().at()))
                out.push_back(std::move(entry));
    }
    return ok_answer("Analysis", out);
}

http_answer topology(const api_call& call) {
    const auto& one = call.cluster();
    const std::string& word = call.place("");
    const auto style = word == "topology-tabulated" ? topology_style::tabulated
                       : word == "topology-tags"    ? topology_style::with_tags
                                                    : topology_style::plain;
    return ok_answer("Topology for cluster " + cluster_name(one),
                     topology_text(*call.view, one, style));
}

http_answer can_replicate(const api_call& call) {
    const place standby = call.server();
    const place upstream = call.server("d");
    const auto& a = standby.server();
    const auto& b = upstream.server();
    std::string why;
    if (standby.in != upstream.in || a.foreign || b.foreign)
        why = "they are not of one cluster";
    else if (standby.index == upstream.index)
        why = "it is the same server";
    else if (!a.standing_by())
        why = to_string(a.at()) + " is no standby that answers";
    else if (!b.current)
        why = to_string(b.at()) + " does not answer";
    else if (a.facts.version_num / 10000 != b.facts.version_num / 10000)
        why = "their major versions differ";
    else if (ha::is_before(b.facts.position(), a.facts.position()))
        why = to_string(a.at()) + " has more WAL";
    for (auto at = b.upstream; why.empty() && at; at = standby.in->subject.servers[*at].upstream) {
        if (*at == standby.index) why = to_string(b.at()) + " streams from it";
        if (*at == upstream.index) break;
    }
    return ok_answer(why.empty() ? "true" : "false: " + why, key_object(a.at()));
}

http_answer tags(const api_call& call) {
    json out = json::array();
    for (const auto& [name, value] : tags_of(*call.view, call.server()))
        out.push_back(value.empty() ? name : name + "=" + value);
    return json_answer(out);
}

http_answer tag_value(const api_call& call) {
    const std::string name = call.has("tag") ? call.place("tag") : call.param("tag");
    const auto all = tags_of(*call.view, call.server());
    const auto found = all.find(name);
    if (found == all.end()) throw api_error("tag " + name + " not found");
    return json_answer(found->second);
}

/// "a,b=1,~c": has a, has b with the value 1, has no c.
bool has_tags(const std::map<std::string, std::string>& all, std::string_view wanted) {
    while (!wanted.empty()) {
        std::string_view one = wanted.substr(0, wanted.find(','));
        wanted.remove_prefix(std::min(wanted.size(), one.size() + 1));
        const bool absent = one.starts_with('~');
        if (absent) one.remove_prefix(1);
        const std::size_t equals = one.find('=');
        const auto found = all.find(std::string(one.substr(0, equals)));
        const bool there =
            found != all.end() && (equals == one.npos || found->second == one.substr(equals + 1));
        if (there == absent) return false;
    }
    return true;
}

http_answer tagged(const api_call& call) {
    const std::string wanted = call.param("tag");
    if (wanted.empty()) throw api_error("no tag given");
    std::vector<ha::endpoint> out;
    for (const place& one : servers_of(*call.view))
        if (has_tags(tags_of(*call.view, one), wanted)) out.push_back(one.at());
    return json_answer(keys_object(out));
}

http_answer maintenance(const api_call& call) {
    json out = json::array();
    for (const auto& [at, note] : call.view->notes.maintenance)
        if (note.until > call.does->now())
            out.push_back(maintenance_object(*call.view, at, note, note.since));
    return json_answer(out);
}

http_answer in_maintenance(const api_call& call) {
    const auto at = call.server().at();
    const auto& all = call.view->notes.maintenance;
    const auto found = all.find(at);
    const bool is = found != all.end() && found->second.until > call.does->now();
    return ok_answer(to_string(at) + (is ? " is in maintenance" : " is not in maintenance"),
                     is ? to_string(at) : std::string());
}

http_answer why(const api_call& call) {
    const auto& one = call.cluster();
    return ok_answer(one.decided.sentence, reasons_object(one));
}

}  // namespace

std::vector<route> cluster_routes() {
    return {
        {"clusters", "Names of all clusters: host:port of their primaries.", clusters},
        {"clusters-info", "All clusters.", clusters_info},
        {"cluster-info/alias/:cluster", "One cluster.", cluster_info},
        {"cluster-info/:cluster", "The same, by name, alias or member.", cluster_info},
        {"cluster-info/:host/:port", "The same.", cluster_info},
        {"cluster/alias/:cluster", "A cluster's servers.", cluster},
        {"cluster/instance/:host/:port", "The same.", cluster},
        {"cluster/:cluster", "The same, by name, alias or member.", cluster},
        {"cluster/:host/:port", "The same.", cluster},
        {"masters", "The writers of all clusters.", masters},
        {"master/:cluster", "A cluster's writer; an error where it has none.", master},
        {"master/:host/:port", "The same.", master},
        {"all-instances", "All servers.", all_instances},
        {"bulk-instances", "All servers as host:port.", bulk_instances},
        {"instance/:host/:port", "One server.", instance},
        {"instance-replicas|instance-slaves/:host/:port", "The standbys directly below it.",
         instance_replicas},
        {"resolve/:host/:port", "The name by which Howdah knows a server.", resolve},
        {"search", "Servers with `s` in their address, name, cluster or version.", search},
        {"search/:text", "The same.", search},
        {"problems", "Servers with problems.", problems},
        {"problems/:cluster", "The same of one cluster.", problems},
        {"problems/:host/:port", "The same.", problems},
        {"cluster-osc-replicas|cluster-osc-slaves/:cluster",
         "Standbys that answer and are not in downtime.", replicas_for_checks},
        {"cluster-osc-replicas|cluster-osc-slaves/:host/:port", "The same.", replicas_for_checks},
        {"replication-analysis", "Every problem that there is now.", analysis},
        {"replication-analysis/instance/:host/:port", "The same of one server.", analysis},
        {"replication-analysis/:cluster", "The same of one cluster.", analysis},
        {"why/:cluster", "What Howdah does about a cluster and why: gates, candidates, obstacles.",
         why},
        {"topology|topology-tabulated|topology-tags/:cluster", "The cluster as text.", topology},
        {"topology|topology-tabulated|topology-tags/:host/:port", "The same.", topology},
        {"can-replicate-from|can-replicate-from-gtid/:host/:port/:dhost/:dport",
         "Whether the first could follow the second.", can_replicate},
        {"downtimed", "Servers in downtime.", downtimed},
        {"downtimed/:cluster", "The same of one cluster.", downtimed},
        {"downtimed/:host/:port", "The same.", downtimed},
        {"maintenance", "Servers in maintenance.", maintenance},
        {"in-maintenance/:host/:port", "Whether a server is in maintenance.", in_maintenance},
        {"tags/:host/:port", "A server's tags.", tags},
        {"tag-value/:host/:port", "The value of its tag `tag`.", tag_value},
        {"tag-value/:host/:port/:tag", "The same.", tag_value},
        {"tagged", "Servers with the tags `tag`: a, b=value, ~c (not), separated by commas.",
         tagged},
        {"tagged/:host/:port", "The same; the server does not matter.", tagged},
    };
}

}  // namespace howdah::admin::orchestrator
