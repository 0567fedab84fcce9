#pragma once
#include <chrono>
#include <cstdint>

namespace howdah::proxy {

/// What this process uses of the machine at the moment.
struct process_usage {
    std::chrono::microseconds cpu_user{};  ///< of all threads, since the start
    std::chrono::microseconds cpu_system{};
    std::int64_t resident_bytes = 0;
    std::int64_t open_files = 0;
};
[[nodiscard]] process_usage current_usage();

}  // namespace howdah::proxy
