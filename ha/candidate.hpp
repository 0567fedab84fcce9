#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ha/record.hpp"
#include "ha/sync_set.hpp"
#include "ha/topology.hpp"

namespace howdah::ha {

/// What a cluster promises about commits that were confirmed to a client. Where the primary waits
/// for standbys (synchronous_standby_names), the rule R + W > N holds in every mode.
enum class durability : std::uint8_t {
    async,  ///< at most `max_lag_bytes` of WAL may be lost, and never what a standby confirmed
    sync,   ///< nothing confirmed is lost; after a failover the set shrinks to who is left
    strict  ///< the same, and the set never shrinks: commits rather wait
};
[[nodiscard]] std::string_view to_string(durability value) noexcept;

struct candidate_options {
    durability promise = durability::async;
    /// A candidate further behind the primary's last known position is not promoted by itself.
    std::uint64_t max_lag_bytes = 1024 * 1024;
    bool same_data_center = false;  ///< only servers of the old primary's data center
    /// When the standbys' receivers were found stopped: only facts read later count, since their
    /// positions cannot move any more. 0: a forecast of what a failover would choose.
    time_us frozen_at_us = 0;
    /// The operator accepts the loss of confirmed commits and of more than `max_lag_bytes`.
    bool allow_data_loss = false;
    std::optional<endpoint> wanted;  ///< the operator's choice; it still has to be eligible
};

/// One server's answer to "could you be the next primary".
struct candidate_verdict {
    std::size_t server = 0;  ///< index into the cluster's servers
    bool eligible = false;
    std::string reason;  ///< in words, for both answers
    wal_position at;
    std::uint64_t missing_bytes = 0;  ///< behind the best position read
};

struct candidate_choice {
    std::vector<candidate_verdict> servers;  ///< all of the cluster, the best first
    std::optional<std::size_t> chosen;       ///< index into the cluster's servers
    /// The chosen one first streams from this server, which has more WAL and must not be promoted.
    std::optional<std::size_t> catch_up_from;
    /// Without that, confirmed commits or more than `max_lag_bytes` would be lost.
    bool must_catch_up = false;
    wal_position target;  ///< how far the chosen one has to be: its own place, or that server's
    std::vector<sync_answer> sync;  ///< one per set that may have been in force
    /// Upper bound of the WAL that is lost, by the primary's last known position; none: unknown.
    std::optional<std::uint64_t> loss_bytes;
    std::string sentence;
};

/// Who should take the place of `primary`. Order: timeline, WAL position max(receive, replay),
/// promotion rule, the old primary's data center, member of the synchronous set, least left to
/// replay, name. Eligible is who is read just now, in recovery, of this cluster and history, and
/// not excluded by version, rule, tag, downtime, delay, pause or privileges. Nobody is chosen where
/// a commit could have been confirmed by a server that was not asked, nor one that is below the
/// sync set's floor or too far behind, unless it can catch up from a server that is not to be
/// promoted.
[[nodiscard]] candidate_choice choose_candidate(const cluster& subject,
                                                std::optional<std::size_t> primary,
                                                const cluster_record& record,
                                                const candidate_options& options);

}  // namespace howdah::ha
