#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace howdah::proxy {

/// How often something took how long, in microseconds: two buckets per power of two, up to more
/// than an hour in 256 bytes. What it says of a percentile is right to within the width of a
/// bucket, which is half of its lower bound or less.
class time_histogram {
public:
    static constexpr std::size_t buckets = 64;

    void add(std::uint64_t microseconds) {
        std::uint32_t& count = counts_[bucket_of(microseconds)];
        if (count != std::numeric_limits<std::uint32_t>::max()) ++count;
    }
    void add(const time_histogram& other) {
        for (std::size_t i = 0; i < buckets; ++i)
            counts_[i] = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(std::uint64_t{counts_[i]} + other.counts_[i],
                                        std::numeric_limits<std::uint32_t>::max()));
    }
    /// The time within which `share` (0 to 1) of all were done: the upper end of its bucket. 0 if
    /// there was nothing.
    [[nodiscard]] std::uint64_t percentile(double share) const {
        std::uint64_t all = 0;
        for (const std::uint32_t count : counts_)
            all += count;
        if (all == 0) return 0;
        const auto wanted = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(share * static_cast<double>(all) + 0.999999));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets; ++i) {
            seen += counts_[i];
            if (seen >= wanted) return upper_bound(i);
        }
        return upper_bound(buckets - 1);
    }

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t microseconds) {
        if (microseconds < 2) return static_cast<std::size_t>(microseconds);
        const auto power = static_cast<std::size_t>(std::bit_width(microseconds)) - 1;
        const std::size_t half = microseconds >> (power - 1) & 1U;
        return std::min(2 * power + half, buckets - 1);
    }
    /// The largest time of the bucket.
    [[nodiscard]] static std::uint64_t upper_bound(std::size_t bucket) {
        if (bucket < 2) return bucket;
        const std::uint64_t base = std::uint64_t{1} << (bucket / 2);
        return base + (bucket % 2 + 1) * (base / 2) - 1;
    }

private:
    std::array<std::uint32_t, buckets> counts_{};
};

}  // namespace howdah::proxy
