#pragma once
#include <chrono>
#include <cstdint>

namespace howdah::proxy {

/// Whether what began at `since` has reached its limit (0: none) by `now`. The limits of several
/// are spread, each by its own share of up to a tenth, so that connections that were opened
/// together are not closed and opened together again.
[[nodiscard]] inline bool is_over(std::chrono::steady_clock::time_point since,
                                  std::chrono::steady_clock::time_point now,
                                  std::chrono::milliseconds limit) {
    if (limit.count() == 0) return false;
    // Nanoseconds as the lot: nobody else began at this very one.
    const auto lot = static_cast<std::uint64_t>(since.time_since_epoch().count());
    const std::uint64_t spread = (lot * 0x9e3779b97f4a7c15ULL) >> 32;  // 0 to 2^32 - 1
    const std::chrono::nanoseconds whole = limit;
    const auto less = static_cast<std::int64_t>(static_cast<double>(whole.count()) / 10 *
                                                (static_cast<double>(spread) / 4294967296.0));
    return now - since >= whole - std::chrono::nanoseconds(less);
}

}  // namespace howdah::proxy
