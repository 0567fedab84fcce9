#pragma once
#include <string>

#include "ha/supervisor.hpp"

namespace howdah::admin::orchestrator {

enum class topology_style : std::uint8_t { plain, tabulated, with_tags };

/// A cluster as Orchestrator draws it, the primary first, standbys below their upstream, in the
/// order of their addresses:
///
///     pg1:5432   [0s,ok,15.4,rw,>>]
///     + pg2:5432 [0s,ok,15.4,ro,>>]
///
/// In brackets: lag, status, version, rw or ro, ">>" (it can feed others), "downtimed". '+' is a
/// standby that replicates, '-' one that does not. Lines end in a line feed but the last.
[[nodiscard]] std::string topology_text(const ha::ha_view& view, const ha::cluster_state& one,
                                        topology_style style);

}  // namespace howdah::admin::orchestrator
