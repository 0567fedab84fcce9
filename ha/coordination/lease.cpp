#include "ha/coordination/lease.hpp"

#include <time.h>

#include <algorithm>

namespace howdah::ha {

time_us boot_now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<time_us>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

void lease::renewed(time_us sent_us, std::int64_t ttl_s, std::int64_t asked_s) {
    const auto seconds = std::clamp<std::int64_t>(ttl_s, 0, asked_s);
    renewed_us = sent_us;
    valid_until_us = sent_us + seconds * 900'000;
}

bool lease::is_due(time_us now_us) const {
    return id == 0 || now_us - renewed_us >= (valid_until_us - renewed_us) / 3;
}

}  // namespace howdah::ha
