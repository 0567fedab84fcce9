#pragma once
#include <cstdint>
#include <optional>

#include "ha/topology.hpp"

namespace howdah::ha {

/// Bytes of WAL that a server of the cluster has not, and the furthest one of its timeline is known
/// to have; none: nothing is known of it.
[[nodiscard]] std::optional<std::uint64_t> missing_wal(const cluster& subject, const server& of);

}  // namespace howdah::ha
