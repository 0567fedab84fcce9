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

/// A cluster per pair of replication_hostgroups that has servers; its comment is the alias.
/// `now` and `clock` are the same moment, for what ends at a time.
[[nodiscard]] std::vector<cluster_config> configured_clusters(const conf::settings& settings,
                                                              const operator_notes& notes = {},
                                                              unix_us now = 0, time_us clock = 0);
[[nodiscard]] policy policy_of(const conf::variables& vars, const operator_notes& notes = {});
[[nodiscard]] plan_options plan_options_of(const conf::variables& vars);
/// How HA logs in to a server, without host and port.
[[nodiscard]] monitor::pq_parameters login_of(const conf::settings& settings, const endpoint& at);

}  // namespace howdah::ha
