#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "conf/settings.hpp"
#include "monitor/hostgroups.hpp"
#include "protocol/io/tls.hpp"
#include "proxy/hostgroup_policies.hpp"
#include "proxy/pool/book.hpp"
#include "proxy/rules/compiled_rules.hpp"
#include "proxy/session/client_rules.hpp"
#include "proxy/sql/functions.hpp"
#include "proxy/traffic.hpp"

namespace howdah::proxy {

/// Everything that the data plane looks up, as of one moment. Immutable; the control thread
/// publishes a new one at each change and every worker keeps its own pointer.
struct snapshot {
    using catalog_ptr = std::shared_ptr<const sql::function_catalog>;

    std::shared_ptr<const conf::settings> settings;
    std::shared_ptr<const monitor::hostgroups> hostgroups;
    pool_book::placement placement;    ///< usable servers by hostgroup
    protocol::tls_context client_tls;  ///< null: TLS is not offered to clients
    protocol::tls_context server_tls;
    std::unordered_map<std::string_view, const conf::user*> users;  ///< active ones, by name
    std::unordered_map<std::string_view, const conf::database*> databases;  ///< by name
    std::shared_ptr<const compiled_rules> rules;
    std::shared_ptr<const hostgroup_policies> policies;  ///< hostgroup_attributes
    /// How many connections that were not used lately a server may keep; missing: all.
    std::vector<std::pair<const server_entry*, std::uint32_t>> kept_idle;
    std::shared_ptr<const client_rules> client_access;  ///< hba_rules and user_maps
    traffic orders;                                     ///< of operators
    /// Functions by the servers' name of the database; what is missing has the built-in catalogue.
    std::map<std::string, catalog_ptr, std::less<>> catalogs;

    [[nodiscard]] const conf::variables& vars() const { return settings->vars; }
    [[nodiscard]] const conf::user* find_user(std::string_view name) const {
        const auto it = users.find(name);
        return it == users.end() ? nullptr : it->second;
    }
    [[nodiscard]] const conf::database* find_database(std::string_view name) const {
        const auto it = databases.find(name);
        return it == databases.end() ? nullptr : it->second;
    }
    /// What the servers call the database that clients ask for by this name.
    [[nodiscard]] std::string_view server_database(std::string_view name) const {
        const conf::database* known = find_database(name);
        return known == nullptr ? name : known->on_servers();
    }
    /// By which names clients get to what the servers call so.
    [[nodiscard]] std::vector<std::string> client_names_of(std::string_view server_database) const;
    [[nodiscard]] const sql::function_catalog& catalog(std::string_view database) const {
        const auto it = catalogs.find(server_database(database));
        return it == catalogs.end() ? *sql::function_catalog::built_in() : *it->second;
    }
    [[nodiscard]] const std::vector<pool_book::candidate>& usable(int hostgroup) const {
        static const std::vector<pool_book::candidate> none;
        const auto it = placement.find(hostgroup);
        return it == placement.end() ? none : it->second;
    }
    /// What is configured for a hostgroup, or null.
    [[nodiscard]] const hostgroup_policy* policy(int hostgroup) const {
        return policies->find(hostgroup);
    }
    /// Connections that began as this login's do are used in a hostgroup of this server, as far as
    /// that is in any.
    [[nodiscard]] bool wants(const pool_login& login, const server_entry& server) const;
    /// Where the monitor has found the server that its name stands for; empty: it is for the
    /// resolver to say.
    [[nodiscard]] std::string address_of(const server_entry& server) const {
        for (const monitor::member& m : hostgroups->members)
            if (m.at == server.at) return m.address;
        return {};
    }
    [[nodiscard]] bool is_usable(const server_entry* server) const {
        for (const auto& [hostgroup, candidates] : placement)
            for (const auto& c : candidates)
                if (c.server == server) return true;
        return false;
    }
};
using snapshot_ptr = std::shared_ptr<const snapshot>;

/// snapshot::kept_idle. A server in several hostgroups may keep the most that one of them allows.
[[nodiscard]] std::vector<std::pair<const server_entry*, std::uint32_t>> idle_limits(
    const pool_book::placement& placement, const hostgroup_policies& policies);

}  // namespace howdah::proxy
