#include "monitor/wal_history.hpp"

#include <algorithm>
#include <limits>

namespace howdah::monitor {
namespace {

/// A standby that cannot replay the oldest known place within this time was behind before we
/// looked; how long, only its last transaction can tell.
constexpr std::chrono::milliseconds proof{1000};

}  // namespace

void wal_history::add(const wal_sample& primary) {
    if (primary.standby) return;
    if (primary.at.timeline != timeline_) {
        places_.clear();
        timeline_ = primary.at.timeline;
    }
    // An earlier place on the same timeline: it was restored or is another server. Begin anew.
    if (!places_.empty() && primary.flushed < places_.back().lsn) places_.clear();
    if (!places_.empty() && primary.flushed == places_.back().lsn) return;
    if (places_.size() == capacity) drop_one(primary.asked);
    places_.push_back({primary.flushed, primary.asked});
}

void wal_history::drop_one(std::chrono::steady_clock::time_point now) {
    // The one whose absence makes the least difference, compared with its age. The first stays.
    std::size_t least = 1;
    double smallest = std::numeric_limits<double>::max();
    for (std::size_t i = 1; i + 1 < places_.size(); ++i) {
        const std::chrono::duration<double> gap = places_[i + 1].when - places_[i - 1].when;
        const std::chrono::duration<double> age = now - places_[i].when;
        if (gap / age >= smallest) continue;
        smallest = gap / age;
        least = i;
    }
    places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(least));
}

std::optional<replication_lag> wal_history::lag_of(const wal_sample& standby) const {
    using std::chrono::milliseconds;
    if (places_.empty() || standby.at.timeline > timeline_) return std::nullopt;
    const auto lacking = standby.at.timeline < timeline_
                             ? places_.begin()
                             : std::ranges::upper_bound(places_, standby.at.lsn, {}, &place::lsn);
    if (lacking == places_.end()) return replication_lag{};
    const std::uint64_t newest = places_.back().lsn;
    replication_lag lag{.bytes = newest > standby.at.lsn ? newest - standby.at.lsn : 0};
    if (standby.asked > lacking->when)
        lag.time = std::chrono::duration_cast<milliseconds>(standby.asked - lacking->when);
    if (lacking == places_.begin() && lag.time >= proof)
        lag.time = std::max(lag.time, standby.transaction_age.value_or(milliseconds{0}));
    return lag;
}

}  // namespace howdah::monitor
