#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

namespace howdah::monitor {

/// How many percent of its weight a server has `since` it is used again: a tenth at first, all
/// after `whole`, in ten steps. So it is not hit by everything at once while its caches are cold.
[[nodiscard]] constexpr std::uint32_t slow_start_share(std::chrono::milliseconds since,
                                                       std::chrono::milliseconds whole) {
    if (whole.count() <= 0 || since >= whole) return 100;
    const auto steps = std::max<std::int64_t>(0, since.count() * 10 / whole.count());
    return static_cast<std::uint32_t>(std::min<std::int64_t>(10, steps + 1)) * 10;
}

}  // namespace howdah::monitor
