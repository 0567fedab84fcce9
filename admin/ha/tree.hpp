#pragma once
#include <string>
#include <vector>

#include "ha/supervisor.hpp"

namespace howdah::admin {

/// One server of a cluster's tree, as people read it.
struct tree_line {
    std::string name;   ///< indented below its upstream: "  + pg3"
    std::string state;  ///< "standby, timeline 3, WAL up to 0/5000060, streaming, lag 0 ms"
};

/// Every server once: those at the top first, each with all below it; then application_names of
/// standbys that are no known server.
[[nodiscard]] std::vector<tree_line> tree_of(const ha::cluster_state& state);

}  // namespace howdah::admin
