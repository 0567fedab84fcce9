#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

namespace howdah::proxy {

/// When the next of so many per second may be: evenly spread, never saved up for later. Pure.
class even_pace {
public:
    using clock = std::chrono::steady_clock;

    /// Whether one may be now; if so, it is.
    [[nodiscard]] bool take(std::uint32_t per_second, clock::time_point now);

private:
    clock::time_point next_{};
};

/// Holds hostgroups to their throttle_connections_per_sec, over all workers. Thread-safe.
class connection_throttle {
public:
    [[nodiscard]] bool take(int hostgroup, std::uint32_t per_second,
                            even_pace::clock::time_point now) {
        const std::scoped_lock lock(mutex_);
        return paces_[hostgroup].take(per_second, now);
    }

private:
    std::mutex mutex_;
    std::map<int, even_pace> paces_;
};

}  // namespace howdah::proxy
