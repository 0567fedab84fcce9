#pragma once
#include <cstdint>

#include "ha/topology.hpp"

namespace howdah::ha {

/// What a standby says about its primary that we do not reach.
enum class testimony : std::uint8_t {
    none,     ///< nothing: we do not reach it, its facts are older than the failure, or it streams
              ///< from somebody else
    streams,  ///< the primary is alive: it sent something after the failure began, a moment ago
    quiet,    ///< its receiver believes to stream, and nothing came since: it proves neither
    cut  ///< no receiver streams from the primary, or one has been silent too long for a live one
};

/// A receiver asks its sender for an answer after half of wal_receiver_timeout without any message,
/// so a live primary is never silent for longer than that and `slack_us`, counted from when that
/// setting came into force at the earliest. `failed_at_us`: when the
/// first check failed. A receiver at an upstream that is no known server may be the primary's under
/// another name, and counts as one. WAL that grew after the failure, within the last seconds and
/// over a receiver, is a sign of life at any depth.
[[nodiscard]] testimony testify(const server& standby, std::size_t primary, time_us failed_at_us,
                                time_us slack_us = 1'000'000);

}  // namespace howdah::ha
