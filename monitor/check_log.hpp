#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "monitor/hostgroups.hpp"

namespace howdah::monitor {

/// The kinds of checks, each the source of one ProxySQL table `monitor.pgsql_server_*_log`.
enum class check : std::uint8_t { connect, ping, read_only, replication_lag };

/// One check's result. Failed: `success_time_us` is 0 and `error` says why.
struct check_row {
    endpoint at;
    std::int64_t time_start_us = 0;     ///< Unix time in microseconds
    std::int64_t success_time_us = 0;   ///< how long it took
    std::string error;                  ///< empty on success
    std::optional<std::int64_t> value;  ///< read_only: 0 or 1; replication_lag: seconds
};

inline constexpr std::size_t check_kinds = 4;

/// How many checks have ended, by kind.
struct check_counts {
    std::array<std::uint64_t, check_kinds> succeeded{};
    std::array<std::uint64_t, check_kinds> failed{};
};

/// Keeps the last results per server and kind, bounded. Not thread-safe.
class check_log {
public:
    static constexpr std::size_t rows_per_server = 1200;  // ten minutes of 500 ms checks

    void add(check kind, check_row row);
    [[nodiscard]] std::vector<check_row> rows(check kind) const;
    void forget(const endpoint& at);
    /// Of everything that was ever added.
    [[nodiscard]] const check_counts& counts() const { return counts_; }

private:
    check_counts counts_;
    std::map<check, std::map<endpoint, std::deque<check_row>>> rows_;
};

}  // namespace howdah::monitor
