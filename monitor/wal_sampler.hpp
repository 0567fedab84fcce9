#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "monitor/hostgroups.hpp"
#include "monitor/wal_position.hpp"

namespace boost::asio {
class io_context;
}
namespace howdah::conf {
struct settings;
}

namespace howdah::monitor {

class monitor;

/// The last sample of each server that is online or behind its max_replication_lag. Immutable.
using wal_samples = std::shared_ptr<const std::map<endpoint, wal_sample>>;

/// Samples the WAL positions of the servers that are online or lag: for the monitor's measure of
/// replication lag every monitor_replication_lag_interval, of all servers at the same time; and for
/// reads that must not see an old state each second, or every 50 ms while somebody hurries it.
/// Lives on the control thread; one connection per server as the monitor's user.
class wal_sampler {
public:
    /// Called on the control thread with each new sample, never after `stop()`.
    using publish = std::function<void(wal_samples)>;

    /// `io` and `servers` must outlive it.
    wal_sampler(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
                monitor& servers, publish notify);
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
