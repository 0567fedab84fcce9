#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace howdah::monitor {

/// Decides, from one measurement after the other, whether a standby is too far behind to be read
/// from. A pure state machine: late after `worse` measurements above the limit in a row, good again
/// after `better` within it. A measurement that failed changes nothing.
class lag_verdict {
public:
    using milliseconds = std::chrono::milliseconds;

    struct limits {
        milliseconds longest{0};  ///< max_replication_lag; 0 = no limit, never late
        std::uint32_t worse = 1;
        std::uint32_t better = 2;
    };

    /// Returns late().
    bool on_lag(milliseconds lag, const limits& bounds);
    /// Its lag cannot be told (any more, or yet): what was held back for want of a measurement is
    /// let in, what is late stays.
    void on_unknown() { unproven_ = false; }
    /// It was away: if it has a limit, it is late until a measurement says that it is not.
    void on_return(const limits& bounds);

    [[nodiscard]] bool late() const { return late_ || unproven_; }
    /// Late only because it has not been measured since its return.
    [[nodiscard]] bool unproven() const { return unproven_ && !late_; }

private:
    bool late_ = false;
    bool unproven_ = false;
    std::uint32_t in_a_row_ = 0;  ///< measurements that contradict late_
};

}  // namespace howdah::monitor
