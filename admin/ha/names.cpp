#include "admin/ha/names.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "admin/sql/text.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;

std::string listed(const std::vector<named_server>& servers) {
    std::string out;
    for (const named_server& one : servers) {
        out += (out.empty() ? "" : ", ") + to_string(one.at());
        if (!one.it().config.name.empty()) out += " (" + one.it().config.name + ")";
    }
    return out;
}

std::vector<named_server> all_servers(const ha::ha_view& view) {
    std::vector<named_server> out;
    for (const ha::cluster_state& state : view.clusters)
        for (std::size_t i = 0; i < state.subject.servers.size(); ++i)
            out.push_back({&state, i});
    return out;
}

std::string listed_clusters(const ha::ha_view& view) {
    std::string out;
    for (const ha::cluster_state& one : view.clusters) {
        out += (out.empty() ? "" : ", ") + one.subject.name;
        if (!one.subject.alias.empty()) out += " (" + one.subject.alias + ")";
    }
    return out.empty() ? "No cluster is configured: replication_hostgroups names none."
                       : "Clusters: " + out + ".";
}

/// Whether `matches` holds for the server's address or any other of its names.
template <class Matches>
bool any_name(const ha::server& one, const Matches& matches) {
    return matches(one.at()) || std::ranges::any_of(one.names, matches);
}

std::vector<named_server> matching(const std::vector<named_server>& all, std::string_view hint) {
    const std::string wanted = lower(hint);
    std::vector<named_server> out;
    std::ranges::copy_if(all, std::back_inserter(out), [&](const named_server& one) {
        return lower(one.it().config.name) == wanted ||
               any_name(one.it(),
                        [&](const ha::endpoint& at) { return lower(to_string(at)) == wanted; });
    });
    if (!out.empty()) return out;
    std::string host = wanted;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    std::ranges::copy_if(all, std::back_inserter(out), [&](const named_server& one) {
        return any_name(one.it(), [&](const ha::endpoint& at) { return lower(at.host) == host; });
    });
    return out;
}

}  // namespace

sql_result<named_server> find_server(const ha::ha_view& view, std::string_view hint) {
    const std::vector<named_server> all = all_servers(view);
    const std::vector<named_server> found = hint.empty() ? all : matching(all, hint);
    if (found.size() == 1 && !hint.empty()) return found.front();
    if (found.empty() || hint.empty())
        return sql_error(sqlstate::undefined_object,
                         "there is no server \"" + std::string(hint) + "\"",
                         all.empty() ? listed_clusters(view) : "Servers: " + listed(all) + ".");
    return sql_error(sqlstate::invalid_parameter_value,
                     "\"" + std::string(hint) + "\" can be any of several servers",
                     "Say which: " + listed(found) + ".");
}

sql_result<const ha::cluster_state*> find_cluster(const ha::ha_view& view, std::string_view hint) {
    if (hint.empty()) {
        if (view.clusters.size() == 1) return &view.clusters.front();
        return sql_error(
            view.clusters.empty() ? sqlstate::undefined_object : sqlstate::invalid_parameter_value,
            view.clusters.empty() ? "there is no cluster" : "say which cluster",
            listed_clusters(view));
    }
    const ha::cluster_state* by_alias = nullptr;
    for (const ha::cluster_state& one : view.clusters) {
        if (one.subject.name == hint) return &one;
        if (one.subject.alias == hint) by_alias = &one;
    }
    if (by_alias != nullptr) return by_alias;
    const std::vector<named_server> members = matching(all_servers(view), hint);
    if (members.empty())
        return sql_error(sqlstate::undefined_object,
                         "there is no cluster \"" + std::string(hint) + "\", and no server",
                         listed_clusters(view));
    for (const named_server& one : members)
        if (one.state != members.front().state)
            return sql_error(sqlstate::invalid_parameter_value,
                             "\"" + std::string(hint) + "\" is in several clusters",
                             listed_clusters(view));
    return members.front().state;
}

}  // namespace howdah::admin
