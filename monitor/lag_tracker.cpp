#include "monitor/lag_tracker.hpp"

namespace howdah::monitor {

bool lag_tracker::is_due(const standby& one, std::chrono::steady_clock::time_point when,
                         const context& how) {
    // A tick may come a little early.
    return !one.measured || when - *one.measured >= how.interval * 9 / 10;
}

bool lag_tracker::on_sample(const endpoint& at, const wal_sample& sample, const context& how) {
    if (!sample.standby) {
        standbys_.erase(at);
        primaries_[at].add(sample);
        return false;
    }
    primaries_.erase(at);
    auto& one = standbys_[at];
    const auto primary = how.primary ? primaries_.find(*how.primary) : primaries_.end();
    one.lag = primary == primaries_.end() ? std::nullopt : primary->second.lag_of(sample);
    if (!is_due(one, sample.asked, how)) return false;
    one.measured = sample.asked;
    if (one.lag) {
        one.verdict.on_lag(one.lag->time, how.limits);
    } else {
        one.verdict.on_unknown();
    }
    return true;
}

bool lag_tracker::on_failure(const endpoint& at, std::chrono::steady_clock::time_point when,
                             const context& how) {
    auto& one = standbys_[at];
    if (!is_due(one, when, how)) return false;
    one.measured = when;
    one.verdict.on_unknown();
    return true;
}

void lag_tracker::on_return(const endpoint& at, const lag_verdict::limits& limits) {
    auto& one = standbys_[at];
    one.verdict.on_return(limits);
    one.measured.reset();
}

void lag_tracker::forget(const endpoint& at) {
    primaries_.erase(at);
    standbys_.erase(at);
}

std::optional<replication_lag> lag_tracker::lag_of(const endpoint& at) const {
    const auto found = standbys_.find(at);
    return found == standbys_.end() ? std::nullopt : found->second.lag;
}

const lag_verdict* lag_tracker::verdict_of(const endpoint& at) const {
    const auto found = standbys_.find(at);
    return found == standbys_.end() ? nullptr : &found->second.verdict;
}

}  // namespace howdah::monitor
