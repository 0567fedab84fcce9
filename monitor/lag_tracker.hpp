#pragma once
#include <chrono>
#include <map>
#include <optional>

#include "monitor/hostgroups.hpp"
#include "monitor/lag_verdict.hpp"
#include "monitor/wal_history.hpp"

namespace howdah::monitor {

/// The replication lag of every standby, from the samples of all servers, and which of them are too
/// far behind. Pure; one for the whole monitor.
class lag_tracker {
public:
    /// What a server's samples are judged by.
    struct context {
        std::optional<endpoint> primary;  ///< whose WAL it replays; nothing: not known
        lag_verdict::limits limits;
        /// Samples that follow sooner are no further measurements.
        std::chrono::milliseconds interval{1000};
    };

    /// True: it counts as a measurement of a standby's lag, lag_of() is its result.
    bool on_sample(const endpoint& at, const wal_sample& sample, const context& how);
    /// A standby could not be sampled at this time. True: it counts as a measurement.
    bool on_failure(const endpoint& at, std::chrono::steady_clock::time_point when,
                    const context& how);
    /// It was away, and can be used again.
    void on_return(const endpoint& at, const lag_verdict::limits& limits);
    void forget(const endpoint& at);

    /// Of the last measurement; nothing where it is not known, and of primaries.
    [[nodiscard]] std::optional<replication_lag> lag_of(const endpoint& at) const;
    /// Nothing of servers that were never measured.
    [[nodiscard]] const lag_verdict* verdict_of(const endpoint& at) const;

private:
    struct standby {
        std::optional<replication_lag> lag;
        lag_verdict verdict;
        std::optional<std::chrono::steady_clock::time_point> measured;
    };
    [[nodiscard]] static bool is_due(const standby& one, std::chrono::steady_clock::time_point when,
                                     const context& how);

    std::map<endpoint, wal_history> primaries_;
    std::map<endpoint, standby> standbys_;
};

}  // namespace howdah::monitor
