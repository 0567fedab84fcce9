#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace howdah::monitor {

/// What a server said it is: `pg_is_in_recovery()`.
enum class role : std::uint8_t { unknown, primary, standby };

/// Whether queries can be sent to a server, as decided by its `verdict`.
enum class health : std::uint8_t {
    up,
    not_ready,  ///< it answers, but refuses sessions (57P03: starting up, shutting down)
    down,       ///< it does not answer
};

/// Whether a standby may be read from for its replication lag, as decided by its `lag_verdict`.
enum class lag_state : std::uint8_t {
    within,      ///< within the limit, not limited, or not known
    above,       ///< too far behind
    unmeasured,  ///< it was away, and has not been measured since
};

/// What is known about one server: its health now, and the last answer to the read_only check.
/// Facts stay as last seen while the server is down.
struct observation {
    enum health health = health::up;
    role as = role::unknown;
    bool settled = false;      ///< the first check has ended, one way or the other
    std::int64_t ping_us = 0;  ///< mean of the last three pings

    std::uint64_t system_identifier = 0;       ///< 0 = unknown
    std::uint32_t timeline = 0;                ///< 0 = unknown
    std::optional<std::uint64_t> current_lsn;  ///< primary: pg_current_wal_lsn()
    std::optional<std::uint64_t> receive_lsn;  ///< standby: pg_last_wal_receive_lsn()
    std::optional<std::uint64_t> replay_lsn;   ///< standby: pg_last_wal_replay_lsn()
    /// Standby: age of the oldest WAL of its primary that it has not replayed; 0 when there is
    /// none.
    std::optional<std::int64_t> replay_lag_ms;
    std::optional<std::uint64_t> replay_lag_bytes;  ///< how much WAL that is
    lag_state lag = lag_state::within;              ///< compared with its max_replication_lag
    bool receiver_active = false;                   ///< standby: its WAL receiver runs
    bool default_read_only = false;                 ///< default_transaction_read_only
    int server_version_num = 0;
    /// Where its name led to when it was asked; empty where it is configured by address.
    std::string address;
    std::uint32_t share = 100;        ///< percent of its weight that it gets (slow start)
    std::string trouble;              ///< why it is not up; a clause
    std::int64_t observed_at_us = 0;  ///< when the check was sent, Unix time in microseconds

    bool operator==(const observation&) const = default;
};

}  // namespace howdah::monitor
