#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "monitor/hostgroups.hpp"

namespace howdah::ha {

using monitor::endpoint;

/// A server that wrote once and was replaced: wherever it comes back writable, it is wrong.
struct fenced_server {
    endpoint at;
    std::uint64_t epoch = 0;     ///< the one in which it lost its place
    std::uint32_t timeline = 0;  ///< the last on which it was the primary
    std::string reason;

    bool operator==(const fenced_server&) const = default;
};

/// What has to outlive Howdah, per cluster. Written to disk before anything that rests on it is
/// published, so that a restart never believes the first writable server that it sees.
struct cluster_record {
    std::string cluster;  ///< its stable name
    std::uint64_t system_identifier = 0;
    std::uint64_t epoch = 0;  ///< grows by one with every change of the writer; 0 = none yet
    endpoint primary;         ///< the writer of the epoch
    std::uint32_t timeline = 0;
    /// The highest timeline that any server had while the writer was known to be right. One above
    /// it, met after a restart, means that somebody was promoted unseen.
    std::uint32_t known_timeline = 0;
    /// The furthest pg_current_wal_flush_lsn() seen of the primary, on `timeline`.
    std::uint64_t flush_lsn = 0;
    /// Values of synchronous_standby_names under which commits were confirmed that may not be
    /// elsewhere: the last one seen, and after a change those before it, until the standbys of the
    /// last one have everything up to `sync_changed_at`.
    std::vector<std::string> sync_sets;
    std::uint64_t sync_changed_at = 0;
    std::vector<fenced_server> fenced;
    /// Where our own failover left the timeline before: who has more of it has diverged, now or
    /// when it comes back. 0 = not known.
    std::uint32_t left_timeline = 0;
    std::uint64_t fork_lsn = 0;

    bool operator==(const cluster_record&) const = default;
};

}  // namespace howdah::ha
