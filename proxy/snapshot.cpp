#include "proxy/snapshot.hpp"

#include <algorithm>

namespace howdah::proxy {

bool snapshot::wants(const pool_login& login, const server_entry& server) const {
    if (!login.init && !policies->any_init()) return true;
    bool placed = false;
    for (const auto& [hostgroup, candidates] : placement) {
        const bool here = std::ranges::any_of(
            candidates, [&](const pool_book::candidate& c) { return c.server == &server; });
        if (!here) continue;
        placed = true;
        const hostgroup_policy* p = policy(hostgroup);
        const connection_init* init = p != nullptr ? p->init.get() : nullptr;
        const bool same = init == nullptr || !login.init ? init == login.init.get()
                                                         : init->text == login.init->text;
        if (same) return true;
    }
    return !placed;
}

std::vector<std::string> snapshot::client_names_of(std::string_view wanted) const {
    std::vector<std::string> out;
    if (server_database(wanted) == wanted) out.emplace_back(wanted);
    for (const auto& [name, database] : databases)
        if (name != wanted && server_database(name) == wanted) out.emplace_back(name);
    return out;
}

std::vector<std::pair<const server_entry*, std::uint32_t>> idle_limits(
    const pool_book::placement& placement, const hostgroup_policies& policies) {
    std::map<const server_entry*, std::uint32_t> most;
    std::map<const server_entry*, bool> limited;
    for (const auto& [hostgroup, candidates] : placement) {
        const hostgroup_policy* p = policies.find(hostgroup);
        for (const pool_book::candidate& c : candidates) {
            const auto kept = p != nullptr ? p->idle_share(c.max_connections) : c.max_connections;
            std::uint32_t& so_far = most[c.server];
            so_far = std::max(so_far, kept);
            bool& all_limited = limited.try_emplace(c.server, true).first->second;
            all_limited = all_limited && p != nullptr && p->configured.free_connections_pct < 100;
        }
    }
    std::vector<std::pair<const server_entry*, std::uint32_t>> out;
    for (const auto& [server, kept] : most)
        if (limited[server]) out.emplace_back(server, kept);
    return out;
}

}  // namespace howdah::proxy
