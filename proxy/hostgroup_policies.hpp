#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "proxy/pool/connection_init.hpp"
#include "proxy/session/settings.hpp"

namespace howdah::proxy {

/// What one row of hostgroup_attributes means for the data plane.
struct hostgroup_policy {
    conf::hostgroup_attributes configured;
    std::shared_ptr<const connection_init> init;  ///< null: nothing
    std::vector<std::string> ignored;             ///< ignore_session_variables: lower case, sorted

    /// The share of a server's connections that free_connections_pct speaks of.
    [[nodiscard]] std::uint32_t idle_share(std::uint32_t max_connections) const {
        const std::uint64_t share =
            std::uint64_t{max_connections} * configured.free_connections_pct;
        return static_cast<std::uint32_t>(share / 100);
    }
};

/// All rows, read and checked. Immutable.
class hostgroup_policies {
public:
    /// Throws std::runtime_error, which names the hostgroup, for what cannot be done.
    explicit hostgroup_policies(const conf::settings& settings);

    /// Null: the hostgroup has none.
    [[nodiscard]] const hostgroup_policy* find(int hostgroup) const {
        const auto it = all_.find(hostgroup);
        return it == all_.end() ? nullptr : &it->second;
    }
    [[nodiscard]] bool any_init() const { return any_init_; }

private:
    std::map<int, hostgroup_policy> all_;
    bool any_init_ = false;
};

/// Reads an init_connect. Null where it does nothing. Throws std::runtime_error with the reason for
/// what must not be in it.
[[nodiscard]] std::shared_ptr<const connection_init> read_init_connect(const std::string& text);

/// What a client's settings become on a server connection on which `there` is set: those that are
/// ignored stay as they are there. Pure.
[[nodiscard]] session_settings::list without_ignored(const session_settings& wanted,
                                                     const session_settings& there,
                                                     std::span<const std::string> ignored);

}  // namespace howdah::proxy
