#include "monitor/probe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "conf/settings.hpp"
#include "monitor/login.hpp"

namespace howdah::monitor {
namespace {

using std::chrono::milliseconds;

/// After a failure: quick enough that a refused server is out well under a second.
constexpr milliseconds soon{50};
/// A fresh login now and then: kept sessions answer even when no new one would be let in.
constexpr milliseconds connect_check_interval{10000};
constexpr std::chrono::seconds advice_spacing{60};
constexpr std::size_t latency_samples = 3;
/// A server that refuses the monitor's login is asked less often: each try fills its log.
constexpr int backoff_when_refused = 4;

/// A missing privilege or function: asking again will not help.
bool is_refusal(const pq_error& error) {
    return error.sqlstate == "42501" || error.sqlstate == "42883" || error.sqlstate == "0A000";
}

const char* name_of(role value) {
    return value == role::primary ? "primary" : "standby";
}

/// "primary (timeline 2, PostgreSQL 15)"
std::string describe(const observation& seen) {
    if (!seen.timeline) return name_of(seen.as);
    return fmt::format("{} (timeline {}, PostgreSQL {})", name_of(seen.as), seen.timeline,
                       seen.server_version_num / 10000);
}

}  // namespace

probe::stopwatch probe::stopwatch::start() {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(wall).count(), clock::now()};
}

std::int64_t probe::stopwatch::elapsed_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - began).count();
}

probe::probe(boost::asio::io_context& io, std::shared_ptr<resolver_cache> names, endpoint at,
             probe_events& events)
    : at_(std::move(at)),
      events_(events),
      verdict_({}),
      ping_connection_(std::make_shared<pq_connection>(io, names)),
      ping_timer_(io),
      role_connection_(std::make_shared<pq_connection>(io, names)),
      role_timer_(io),
      fresh_connection_(std::make_shared<pq_connection>(io, names)),
      connect_timer_(io) {}

void probe::start(std::shared_ptr<const conf::settings> settings) {
    settings_ = std::move(settings);
    verdict_.set_limits(limits());
    stopped_ = false;
    for (const auto& connection : {ping_connection_, role_connection_})
        connection->on_lost([weak = weak_from_this()](const std::string& reason) {
            if (const auto self = weak.lock(); self && !self->stopped_)
                self->connection_lost(reason);
        });
    schedule(ping_timer_, milliseconds{0}, &probe::ping);
    schedule(role_timer_, vars().monitor_read_only_interval, &probe::read_role);
    schedule(connect_timer_, connect_check_interval, &probe::check_connect);
}

void probe::reload(std::shared_ptr<const conf::settings> settings) {
    const auto before = login();
    settings_ = std::move(settings);
    verdict_.set_limits(limits());
    if (login() == before) return;
    drop_connections();
    advised_.reset();
    restricted_ = false;
    schedule(ping_timer_, milliseconds{0}, &probe::ping);
}

void probe::stop() {
    stopped_ = true;
    ping_timer_.cancel();
    role_timer_.cancel();
    connect_timer_.cancel();
    drop_connections();
}

void probe::check_now() {
    const auto now = std::chrono::duration_cast<milliseconds>(clock::now().time_since_epoch());
    if (stopped_ || !verdict_.on_report(now.count())) return;
    ping_within(milliseconds{0});
    if (!fresh_connection_->open()) check_connect();
}

void probe::addresses_changed(const std::vector<std::string>& addresses) {
    const auto gone = [&](const std::shared_ptr<pq_connection>& connection) {
        const std::string address = connection->address();
        return !address.empty() && std::ranges::find(addresses, address) == addresses.end();
    };
    if (stopped_ || (!gone(ping_connection_) && !gone(role_connection_))) return;
    spdlog::info(
        "{}: its name has other addresses now ({}); the connections to the old one are "
        "replaced",
        to_string(at_), fmt::join(addresses, ", "));
    drop_connections();
    schedule(ping_timer_, milliseconds{0}, &probe::ping);
    read_role();
}

void probe::check_role_now() {
    if (!stopped_) read_role();
}

void probe::schedule(boost::asio::steady_timer& timer, milliseconds delay, void (probe::*what)()) {
    timer.expires_after(std::max(delay, milliseconds{0}));
    timer.async_wait([weak = weak_from_this(), what](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && !self->stopped_) (self.get()->*what)();
    });
}

void probe::ping() {
    if (pinging_) return;  // its end schedules the next one
    pinging_ = true;
    ping_watch_ = stopwatch::start();
    if (ping_connection_->idle()) return send_ping();
    ping_proven_ = false;
    ping_connection_->connect(at_, login(), vars().monitor_connect_timeout,
                              [weak = weak_from_this()](const std::optional<pq_error>& error) {
                                  const auto self = weak.lock();
                                  if (!self) return;
                                  self->log_check(check::connect, self->ping_watch_, error);
                                  if (error) return self->ping_ended(error);
                                  self->ping_watch_ = stopwatch::start();
                                  self->send_ping();
                              });
}

void probe::send_ping() {
    ping_connection_->query(
        "", vars().monitor_ping_timeout,
        [weak = weak_from_this()](const std::optional<pq_error>& error, const pq_result&) {
            if (const auto self = weak.lock()) self->ping_ended(error);
        });
}

void probe::ping_ended(const std::optional<pq_error>& error) {
    pinging_ = false;
    const auto duration_us = ping_watch_.elapsed_us();
    log_check(check::ping, ping_watch_, error);
    const auto result = error ? classify(*error) : probe_result::ok;

    // A kept connection that breaks need not mean a dead server (a session may be terminated);
    // the login that follows at once tells.
    if (std::exchange(ping_proven_, !error) && error && !error->timed_out &&
        result == probe_result::failed)
        return schedule(ping_timer_, note_lost(error->message), &probe::ping);

    last_ping_ = result;
    if (result == probe_result::ok) {
        last_good_ping_ = clock::now();
        note_latency(duration_us);
    }
    if (result == probe_result::alive) {
        advise(*error);
        settle();
    }
    const auto outcome = verdict_.on_probe(verdict::channel::ping, result);
    const auto interval = vars().monitor_ping_interval;
    const auto spent = milliseconds{duration_us / 1000};
    schedule(ping_timer_,
             outcome.probe_soon              ? soon
             : result == probe_result::alive ? interval * backoff_when_refused
                                             : interval - std::min(spent, interval),
             &probe::ping);
    apply(outcome, error ? &*error : nullptr);
    if (!stopped_ && result == probe_result::ok &&
        (verdict_.health() != health::up || seen_.as == role::unknown))
        read_role();
}

void probe::note_latency(std::int64_t duration_us) {
    latencies_us_.push_back(duration_us);
    if (latencies_us_.size() > latency_samples) latencies_us_.pop_front();
    seen_.ping_us = std::accumulate(latencies_us_.begin(), latencies_us_.end(), std::int64_t{0}) /
                    static_cast<std::int64_t>(latencies_us_.size());
    events_.on_facts(at_);
}

probe::milliseconds probe::note_lost(const std::string& reason) {
    spdlog::debug("{}: the monitor's connection broke: {}", to_string(at_), reason);
    const auto now = clock::now();
    const bool again = now - std::exchange(last_lost_, now) < 2 * soon;
    return again ? soon : milliseconds{0};
}

void probe::connection_lost(const std::string& reason) {
    ping_within(note_lost(reason));
}

void probe::ping_within(milliseconds delay) {
    if (!pinging_ && ping_timer_.expiry() > clock::now() + delay)
        schedule(ping_timer_, delay, &probe::ping);
}

void probe::read_role() {
    schedule(role_timer_, vars().monitor_read_only_interval, &probe::read_role);
    if (reading_role_ || last_ping_ != probe_result::ok) return;
    reading_role_ = true;
    role_watch_ = stopwatch::start();
    if (role_connection_->idle()) return send_role_query();
    level_ = role_check_level::full;
    role_connection_->connect(at_, login(), vars().monitor_connect_timeout,
                              [weak = weak_from_this()](const std::optional<pq_error>& error) {
                                  const auto self = weak.lock();
                                  if (!self) return;
                                  if (error) return self->role_ended(error, nullptr);
                                  self->role_watch_ = stopwatch::start();
                                  self->send_role_query();
                              });
}

void probe::send_role_query() {
    role_connection_->query(
        role_check_sql(level_), vars().monitor_read_only_timeout,
        [weak = weak_from_this()](const std::optional<pq_error>& error, const pq_result& answer) {
            if (const auto self = weak.lock()) self->role_ended(error, answer.get());
        });
}

void probe::role_ended(const std::optional<pq_error>& error, const PGresult* answer) {
    if (error && level_ == role_check_level::full && is_refusal(*error) &&
        role_connection_->idle()) {
        if (!std::exchange(restricted_, true))
            spdlog::warn(
                "{}: the full read_only check is refused ({}); only pg_is_in_recovery() is "
                "asked: no positions, timeline or lag; grant pg_monitor to \"{}\"",
                to_string(at_), error->describe(), vars().monitor_username);
        level_ = role_check_level::basic;
        return send_role_query();
    }
    reading_role_ = false;
    auto fresh = seen_;
    if (!error && read_role_check(answer, fresh)) {
        fresh.observed_at_us = role_watch_.wall_us;
        // With the role, so that nobody is sent to an address that may be another server's.
        fresh.address = role_connection_->address();
        if (fresh.address == at_.host) fresh.address.clear();
        const auto before = std::exchange(seen_, fresh);
        role_timeouts_ = 0;
        log_check(check::read_only, role_watch_, error, seen_.as == role::standby);
        apply(verdict_.on_role_seen(), nullptr);
        if (stopped_) return;
        if (before.as != seen_.as) {
            events_.on_role(at_, before.as == role::unknown
                                     ? "is a " + describe(seen_)
                                     : fmt::format("was a {}, is a {} now", name_of(before.as),
                                                   describe(seen_)));
        } else {
            events_.on_facts(at_);
        }
        return settle();
    }
    log_check(check::read_only, role_watch_,
              error ? error : pq_error{.message = "unexpected answer"});
    if (error && error->timed_out) {
        role_timed_out();
    } else if (error && !role_connection_->open()) {
        connection_lost(error->message);
    }
    settle();
}

void probe::role_timed_out() {
    // Silence of the whole server is the ping's business: count only what pings outlived.
    if (verdict_.health() != health::up || last_good_ping_ < role_watch_.began) return;
    if (++role_timeouts_ != vars().monitor_read_only_max_timeout_count) return;
    if (seen_.as != role::primary) return;
    seen_.as = role::standby;
    events_.on_role(at_, fmt::format("missed {} read_only checks in a row and answers pings: taken "
                                     "for read-only until a check answers",
                                     role_timeouts_));
}

void probe::check_connect() {
    schedule(connect_timer_, connect_check_interval, &probe::check_connect);
    if (verdict_.health() != health::up || fresh_connection_->open()) return;
    connect_watch_ = stopwatch::start();
    fresh_connection_->connect(at_, login(), vars().monitor_connect_timeout,
                               [weak = weak_from_this()](const std::optional<pq_error>& error) {
                                   if (const auto self = weak.lock()) self->connect_ended(error);
                               });
}

void probe::connect_ended(const std::optional<pq_error>& error) {
    fresh_connection_->close();
    log_check(check::connect, connect_watch_, error);
    if (error && classify(*error) == probe_result::alive) advise(*error);
    const auto outcome =
        verdict_.on_probe(verdict::channel::connect, error ? classify(*error) : probe_result::ok);
    if (outcome.probe_soon) schedule(connect_timer_, soon, &probe::check_connect);
    apply(outcome, error ? &*error : nullptr);
}

void probe::apply(verdict::outcome outcome, const pq_error* cause) {
    if (stopped_) return;
    seen_.health = verdict_.health();
    if (seen_.health == health::up) seen_.trouble.clear();
    switch (outcome.change) {
        case verdict::change::none:
            return;
        case verdict::change::died:
        case verdict::change::became_not_ready: {
            last_ping_.reset();
            latencies_us_.clear();
            role_timeouts_ = 0;
            seen_.settled = true;
            const auto reason = cause ? cause->describe() : std::string{};
            seen_.trouble = outcome.change == verdict::change::died
                                ? "it does not answer: " + reason
                                : "it takes no sessions: " + reason;
            drop_connections();
            schedule(ping_timer_, vars().monitor_ping_interval, &probe::ping);
            return events_.on_health(
                at_, outcome.change,
                outcome.change == verdict::change::died
                    ? fmt::format("{} checks in a row failed, the last with: {}",
                                  vars().monitor_ping_max_failures, reason)
                    : reason);
        }
        case verdict::change::recovered:
            return events_.on_health(
                at_, outcome.change,
                fmt::format("{} good checks in a row, it is a {}",
                            vars().monitor_shun_recovery_checks, name_of(seen_.as)));
    }
}

void probe::settle() {
    if (stopped_ || std::exchange(seen_.settled, true)) return;
    events_.on_role(at_, {});
}

void probe::log_check(check kind, const stopwatch& watch, const std::optional<pq_error>& error,
                      std::optional<std::int64_t> value) {
    events_.on_check(kind,
                     {.at = at_,
                      .time_start_us = watch.wall_us,
                      .success_time_us = error ? 0 : std::max<std::int64_t>(1, watch.elapsed_us()),
                      .error = error ? error->describe() : std::string{},
                      .value = value});
}

void probe::advise(const pq_error& error) {
    const auto now = clock::now();
    if (advised_ && now - *advised_ < advice_spacing) return;
    advised_ = now;
    spdlog::warn("{}", login_advice(vars(), at_, vars().monitor_dbname, error));
}

void probe::drop_connections() {
    ping_connection_->close();
    role_connection_->close();
    fresh_connection_->close();
    pinging_ = false;
    reading_role_ = false;
    ping_proven_ = false;
}

const conf::variables& probe::vars() const {
    return settings_->vars;
}

verdict::limits probe::limits() const {
    return {vars().monitor_ping_max_failures, vars().monitor_shun_recovery_checks};
}

bool probe::require_tls() const {
    return requires_tls(*settings_, at_);
}

pq_parameters probe::login() const {
    return login_parameters(vars(), require_tls(), vars().monitor_dbname);
}

}  // namespace howdah::monitor
