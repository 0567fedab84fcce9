#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "monitor/wal_position.hpp"

namespace howdah::monitor {

/// How far a standby is behind its primary.
struct replication_lag {
    std::uint64_t bytes = 0;  ///< WAL that the primary has on disk and the standby has not replayed
    /// Age of the oldest of it, at the moment of the standby's sample. An idle cluster has none.
    std::chrono::milliseconds time{0};

    bool operator==(const replication_lag&) const = default;
};

/// Where a primary's WAL was when: what the lag of its standbys is measured against. Pure.
///
/// Bounded, and reaches back to its first sample: the older, the fewer are kept, so that an age is
/// exact to about a tenth, and to the interval of the samples within the last seconds.
class wal_history {
public:
    static constexpr std::size_t capacity = 256;

    /// The next sample of this primary. Another timeline begins anew.
    void add(const wal_sample& primary);

    /// Nothing while no primary is known, or for a standby on a later timeline than it. A standby
    /// on an earlier timeline has replayed nothing of this one.
    [[nodiscard]] std::optional<replication_lag> lag_of(const wal_sample& standby) const;

    [[nodiscard]] std::size_t size() const { return places_.size(); }

private:
    struct place {
        std::uint64_t lsn;
        std::chrono::steady_clock::time_point when;
    };

    void drop_one(std::chrono::steady_clock::time_point now);

    std::uint32_t timeline_ = 0;
    std::vector<place> places_;  ///< oldest first, ever greater
};

}  // namespace howdah::monitor
