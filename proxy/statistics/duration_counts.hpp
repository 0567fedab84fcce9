#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace howdah::proxy {

/// How often something was done, and how long that took.
struct duration_counts {
    /// Upper bounds of the buckets in microseconds, as in stats_pgsql_commands_counters; what takes
    /// longer is in one more.
    static constexpr std::array<std::uint64_t, 11> bounds{
        100, 500, 1'000, 5'000, 10'000, 50'000, 100'000, 500'000, 1'000'000, 5'000'000, 10'000'000};

    std::uint64_t count = 0;
    std::uint64_t total_us = 0;
    std::array<std::uint64_t, bounds.size() + 1> buckets{};

    void add(std::uint64_t microseconds) {
        ++count;
        total_us += microseconds;
        std::size_t bucket = 0;
        while (bucket < bounds.size() && microseconds > bounds[bucket])
            ++bucket;
        ++buckets[bucket];
    }
    void add(const duration_counts& other) {
        count += other.count;
        total_us += other.total_us;
        for (std::size_t i = 0; i < buckets.size(); ++i)
            buckets[i] += other.buckets[i];
    }
};

}  // namespace howdah::proxy
