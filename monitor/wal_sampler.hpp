#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "monitor/hostgroups.hpp"

namespace boost::asio {
class io_context;
}
namespace howdah::conf {
struct settings;
}

namespace howdah::monitor {

class monitor;

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
};

/// Where the WAL before an insert position ends. Behind a page (8 KiB) or segment that is just full
/// the insert position is after the next one's header, and a standby that has replayed everything
/// reports the position before it.
[[nodiscard]] std::uint64_t end_of_wal(std::uint64_t insert_lsn);

/// The last sample of each server that is online. Immutable.
using wal_samples = std::shared_ptr<const std::map<endpoint, wal_sample>>;

/// Samples the WAL positions of the servers that are online, for reads that must not see an old
/// state: each second, and every 50 ms while somebody hurries it. Lives on the control thread; one
/// connection per server as the monitor's user.
class wal_sampler {
public:
    /// Called on the control thread with each new sample, never after `stop()`.
    using publish = std::function<void(wal_samples)>;

    /// `io` and `servers` must outlive it.
    wal_sampler(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
                const monitor& servers, publish notify);
    ~wal_sampler();
    wal_sampler(const wal_sampler&) = delete;
    wal_sampler& operator=(const wal_sampler&) = delete;

    /// The servers' hostgroups have changed.
    void servers_changed();

    /// How soon somebody needs a sample that is taken after this moment.
    enum class urgency : std::uint8_t {
        soon,  ///< every 50 ms for the next second
        now    ///< as soon as the servers answer: a client waits
    };
    /// Any thread, any time; cheap to repeat.
    void hurry(urgency how);

    void reload(std::shared_ptr<const conf::settings> settings);

    /// Idempotent; the destructor calls it.
    void stop();

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace howdah::monitor
