#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "monitor/check_log.hpp"
#include "monitor/pq_connection.hpp"
#include "monitor/resolver_cache.hpp"
#include "monitor/role_check.hpp"
#include "monitor/verdict.hpp"

namespace howdah::conf {
struct settings;
struct variables;
}  // namespace howdah::conf

namespace howdah::monitor {

/// Who listens to a probe. Called on the control thread, never after `probe::stop()`.
class probe_events {
public:
    /// The server's health changed; `reason` is a clause for the log.
    virtual void on_health(const endpoint& at, verdict::change what, const std::string& reason) = 0;
    /// The server's role, or that the first check has ended; `reason` as above, may be empty.
    virtual void on_role(const endpoint& at, const std::string& reason) = 0;
    /// Positions, lag, latency: facts that changed without the above.
    virtual void on_facts(const endpoint& at) = 0;
    virtual void on_check(check kind, check_row row) = 0;

protected:
    ~probe_events() = default;
};

/// Checks one server: ping and read_only on kept connections, connect on a fresh one now and
/// then. Control thread only; owned by shared_ptr.
class probe : public std::enable_shared_from_this<probe> {
public:
    /// `io` and `events` outlive the probe's `stop()`.
    probe(boost::asio::io_context& io, std::shared_ptr<resolver_cache> names, endpoint at,
          probe_events& events);

    void start(std::shared_ptr<const conf::settings> settings);
    void reload(std::shared_ptr<const conf::settings> settings);
    void stop();

    /// Someone saw trouble: ping and connect now, unless that was just done.
    void check_now();

    /// The server's name has these addresses now: what is connected to another one connects anew.
    void addresses_changed(const std::vector<std::string>& addresses);

    /// Another server's role changed: read this one's without waiting for the next tick.
    void check_role_now();

    [[nodiscard]] const observation& seen() const { return seen_; }

private:
    using clock = std::chrono::steady_clock;
    using milliseconds = std::chrono::milliseconds;

    /// When a check began, for its log row and its duration.
    struct stopwatch {
        std::int64_t wall_us = 0;
        clock::time_point began;

        static stopwatch start();
        std::int64_t elapsed_us() const;
    };

    void schedule(boost::asio::steady_timer& timer, milliseconds delay, void (probe::*what)());

    void ping();
    void send_ping();
    void ping_ended(const std::optional<pq_error>& error);
    void note_latency(std::int64_t duration_us);
    /// How long to wait before the login that tells whether the server is still there.
    milliseconds note_lost(const std::string& reason);
    void connection_lost(const std::string& reason);
    /// Brings the next ping forward; never puts it off. While none is under way, one is scheduled.
    void ping_within(milliseconds delay);

    void read_role();
    void send_role_query();
    void role_ended(const std::optional<pq_error>& error, const PGresult* answer);
    void role_known();
    void role_timed_out();

    void check_connect();
    void connect_ended(const std::optional<pq_error>& error);

    void apply(verdict::outcome outcome, const pq_error* cause);
    void settle();
    void log_check(check kind, const stopwatch& watch, const std::optional<pq_error>& error,
                   std::optional<std::int64_t> value = std::nullopt);
    void advise(const pq_error& error);
    void drop_connections();

    const conf::variables& vars() const;
    verdict::limits limits() const;
    bool require_tls() const;
    pq_parameters login() const;

    std::shared_ptr<const conf::settings> settings_;
    endpoint at_;
    probe_events& events_;
    verdict verdict_;
    observation seen_;
    bool stopped_ = true;

    std::shared_ptr<pq_connection> ping_connection_;
    boost::asio::steady_timer ping_timer_;
    stopwatch ping_watch_;
    bool pinging_ = false;
    bool ping_proven_ = false;  ///< this connection has answered before
    std::optional<probe_result> last_ping_;
    clock::time_point last_good_ping_{};
    std::deque<std::int64_t> latencies_us_;
    clock::time_point last_lost_{};

    std::shared_ptr<pq_connection> role_connection_;
    boost::asio::steady_timer role_timer_;
    stopwatch role_watch_;
    bool reading_role_ = false;
    role_check_level level_ = role_check_level::full;
    bool restricted_ = false;  ///< said that the full check is refused
    std::uint32_t role_timeouts_ = 0;

    std::shared_ptr<pq_connection> fresh_connection_;
    boost::asio::steady_timer connect_timer_;
    stopwatch connect_watch_;

    std::optional<clock::time_point> advised_;
};

}  // namespace howdah::monitor
