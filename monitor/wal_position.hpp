#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::monitor {

/// A place in the WAL. Places of one timeline compare by `lsn`.
struct wal_position {
    std::uint32_t timeline = 0;  ///< 0 = unknown
    std::uint64_t lsn = 0;

    bool operator==(const wal_position&) const = default;
};

/// "timeline:hi/lo" with the two halves of the LSN in hexadecimal, as in "1:0/16B3748".
[[nodiscard]] std::string to_string(const wal_position& at);
/// Nothing where the text is no such position.
[[nodiscard]] std::optional<wal_position> parse_wal_position(std::string_view text);

/// How far one server was at a time between `asked` and the arrival of the answer: a primary with
/// writing (pg_current_wal_insert_lsn), a standby with replaying (pg_last_wal_replay_lsn).
struct wal_sample {
    bool standby = false;
    wal_position at;
    std::chrono::steady_clock::time_point asked;
    /// Primary: up to where its WAL is on disk, and so can be on a standby
    /// (pg_current_wal_flush_lsn); never beyond `at`. Standby: 0.
    std::uint64_t flushed = 0;
    /// Standby: how long ago the last transaction that it has replayed was committed.
    std::optional<std::chrono::milliseconds> transaction_age{};
};

/// Where the WAL before an insert position ends. Behind a page (8 KiB) or segment that is just full
/// the insert position is after the next one's header, and a standby that has replayed everything
/// reports the position before it.
[[nodiscard]] std::uint64_t end_of_wal(std::uint64_t insert_lsn);

}  // namespace howdah::monitor
