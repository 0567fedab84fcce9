#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "monitor/check_log.hpp"
#include "monitor/engine.hpp"
#include "monitor/hostgroups.hpp"
#include "monitor/observation.hpp"
#include "monitor/resolver_cache.hpp"
#include "monitor/wal_position.hpp"

namespace boost::asio {
class io_context;
}
namespace howdah::conf {
struct settings;
}

namespace howdah::monitor {

/// What the monitor tells its owner. Called on the control thread, never after `stop()`.
struct callbacks {
    /// A new snapshot; the first one is published by `start()`, as configured.
    std::function<void(std::shared_ptr<const hostgroups>)> on_hostgroups;
    /// Close every connection to this server at once: it is dead, fenced, or a second primary.
    std::function<void(const endpoint&)> on_server_dead;
};

/// Watches every configured server over libpq and keeps the hostgroups true.
///
/// Lives on the control thread: construct it, and call everything but `report_failure`, there.
/// Two persistent connections per server (ping; read_only), so that a slow check never delays a
/// ping. A lost connection is noticed when it breaks, not at the next tick.
class monitor {
public:
    /// `io` must outlive the monitor.
    /// `ask` resolves the servers' names; empty: as the system does.
    monitor(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
            callbacks notify, resolver_cache::lookup ask = {});
    ~monitor();
    monitor(const monitor&) = delete;
    monitor& operator=(const monitor&) = delete;

    /// Publishes the configured state and begins to check.
    void start();

    /// Ends all checks and connections. No callback comes after it; what is still queued in the
    /// io_context touches nothing but itself. Idempotent; the destructor calls it.
    void stop();

    /// Takes new settings: new servers are watched, gone ones dropped, what is known of the
    /// others stays. Publishes if anything changed.
    void reload(std::shared_ptr<const conf::settings> settings);

    /// The data plane lost or could not open a connection to this server: check it now.
    /// Any thread, any time, also after `stop()`; at most one extra check per 100 ms and server.
    void report_failure(endpoint at);

    /// A server's WAL position was asked for: with the answer, or with the error in `row`. What
    /// replication lag is measured from (wal_sampler).
    void on_sample(check_row row, const std::optional<wal_sample>& sample);

    /// HA decides who writes and who is kept out; applied and published at once.
    void rule(ruling decision);

    /// The last published snapshot; never null after `start()`.
    [[nodiscard]] std::shared_ptr<const hostgroups> current() const;

    /// What is known of every watched server.
    [[nodiscard]] std::map<endpoint, observation> observations() const;

    /// How many checks of each kind have ended, well and badly, since the start.
    [[nodiscard]] check_counts counts() const;

    /// The last results of one kind of check, all servers, oldest first per server.
    [[nodiscard]] std::vector<check_row> log(check kind) const;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace howdah::monitor
