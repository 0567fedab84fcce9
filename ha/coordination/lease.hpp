#pragma once
#include <cstdint>

#include "ha/facts.hpp"

namespace howdah::ha {

/// Microseconds on CLOCK_BOOTTIME: it also runs while the machine is suspended, and no clock step
/// moves it.
[[nodiscard]] time_us boot_now_us();

/// The right to hold keys in etcd for a while, as its holder has to see it. The time counts from
/// when the request was SENT: etcd begins to count later, so it ends here first. Pure.
struct lease {
    std::int64_t id = 0;     ///< 0: none
    time_us renewed_us = 0;  ///< the last request that was granted was sent then
    time_us valid_until_us = 0;

    /// Takes a grant or renewal of `ttl_s` seconds into account. No more than what was asked for is
    /// used, and a tenth less: clocks do not run alike.
    void renewed(time_us sent_us, std::int64_t ttl_s, std::int64_t asked_s);
    /// Whoever acts needs this; looked at anew after every wait.
    [[nodiscard]] bool holds(time_us now_us) const { return id != 0 && now_us < valid_until_us; }
    /// A third of the time is over.
    [[nodiscard]] bool is_due(time_us now_us) const;
};

}  // namespace howdah::ha
