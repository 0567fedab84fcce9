#pragma once
#include <cstddef>
#include <vector>

#include "ha/topology.hpp"

namespace howdah::ha {

struct tree_place {
    std::size_t server;  ///< index in the cluster
    std::size_t depth;   ///< below how many others it is drawn
};

/// Every server once, each right before those that follow it. Servers that follow each other in a
/// circle have no top: they come last.
[[nodiscard]] std::vector<tree_place> tree_order(const cluster& subject);

}  // namespace howdah::ha
