#pragma once
#include <map>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "ha/notes.hpp"
#include "ha/plan.hpp"
#include "ha/policy.hpp"
#include "ha/topology.hpp"
#include "monitor/pq_connection.hpp"

// What the configuration and the operators' notes say, in the words of HA. Pure.
namespace howdah::ha {

/// What configured_clusters looks at beside the settings. `now` and `clock` are the same moment,
/// for what ends at a time.
struct known_so_far {
    operator_notes notes{};
    std::map<std::string, cluster_record> records{};
    unix_us now = 0;
    time_us clock = 0;
};

/// A cluster per pair of replication_hostgroups that has servers; its comment is the alias. It is
/// called host:port of its first server, or as its record calls it: whoever comes first in the
/// configuration, a cluster whose writer is recorded keeps its name.
[[nodiscard]] std::vector<cluster_config> configured_clusters(const conf::settings& settings,
                                                              const known_so_far& known = {});
[[nodiscard]] policy policy_of(const conf::variables& vars, const operator_notes& notes = {});
/// Managers whose signs mean nothing here.
[[nodiscard]] std::vector<std::string> ignored_managers(const conf::variables& vars);
[[nodiscard]] plan_options plan_options_of(const conf::variables& vars);
/// How HA logs in to a server, without host and port.
[[nodiscard]] monitor::pq_parameters login_of(const conf::settings& settings, const endpoint& at);

}  // namespace howdah::ha
