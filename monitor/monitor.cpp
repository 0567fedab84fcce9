#include "monitor/monitor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include "conf/settings.hpp"
#include "monitor/lag_tracker.hpp"
#include "monitor/probe.hpp"
#include "monitor/slow_start.hpp"

namespace howdah::monitor {
namespace {

std::set<endpoint> watched(const conf::settings& settings) {
    std::set<endpoint> out;
    if (!settings.vars.monitor_enabled) return out;
    for (const auto& row : settings.servers)
        if (row.status != conf::server_status::offline_hard) out.insert({row.hostname, row.port});
    return out;
}

/// "ONLINE in 10", "SHUNNED in 20", "not in any hostgroup".
std::string places(const hostgroups& groups, const endpoint& at) {
    std::string out;
    for (const auto& one : groups.members)
        if (one.at == at)
            out += fmt::format("{}{} in {}", out.empty() ? "" : ", ", to_string(one.state),
                               one.hostgroup);
    return out.empty() ? "not in any hostgroup" : out;
}

std::set<endpoint> servers_of(const hostgroups& groups) {
    std::set<endpoint> out;
    for (const auto& one : groups.members)
        out.insert(one.at);
    return out;
}

}  // namespace

class monitor::impl final : public probe_events, public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
         callbacks notify, resolver_cache::lookup ask)
        : io_(io),
          settings_(std::move(settings)),
          notify_(std::move(notify)),
          ask_(std::move(ask)),
          ramp_timer_(io) {}

    void start() {
        if (running_) return;
        running_ = true;
        names_ = std::make_shared<resolver_cache>(io_, ask_);
        names_->set_time_to_live(settings_->vars.monitor_local_dns_cache_ttl);
        names_->on_change([this](const std::string& host, const resolver_cache::addresses& now) {
            for (const auto& [at, one] : std::map(probes_))
                if (at.host == host) one->addresses_changed(now);
        });
        recompose();
        watch_configured();
    }

    void stop() {
        if (!std::exchange(running_, false)) return;
        for (auto& [at, one] : probes_)
            one->stop();
        probes_.clear();
        ramp_timer_.cancel();
        names_->stop();
    }

    void reload(std::shared_ptr<const conf::settings> settings) {
        settings_ = std::move(settings);
        if (!running_) return;
        names_->set_time_to_live(settings_->vars.monitor_local_dns_cache_ttl);
        for (auto& [at, one] : probes_)
            one->reload(settings_);
        watch_configured();
        if (!settings_->vars.monitor_enabled) incumbents_.clear();
        recompose();
    }

    void rule(ruling decision) {
        ruling_ = std::move(decision);
        if (running_) recompose();
    }

    void report(endpoint at) {
        boost::asio::post(io_, [weak = weak_from_this(), at = std::move(at)] {
            const auto self = weak.lock();
            if (!self || !self->running_) return;
            if (const auto found = self->probes_.find(at); found != self->probes_.end())
                found->second->check_now();
        });
    }

    std::map<endpoint, observation> observations() const {
        std::map<endpoint, observation> out;
        for (const auto& [at, one] : probes_) {
            auto& seen = out.emplace(at, one->seen()).first->second;
            if (seen.as == role::standby) add_lag(at, seen);
            if (const auto since = let_in_.find(at); since != let_in_.end())
                seen.share = share_of(since->second);
        }
        return out;
    }

    void on_sample(check_row row, const std::optional<wal_sample>& sample) {
        if (!running_ || !probes_.contains(row.at)) return;
        const auto self = shared_from_this();
        const auto at = row.at;
        const auto how = lag_context(at);
        if (!sample && row.error.empty()) {
            row.error = "the server gives no WAL position";
            row.success_time_us = 0;
        }
        const auto before = lag_state_of(at);
        bool measured = false;
        if (sample) {
            measured = lags_.on_sample(at, *sample, how);
        } else if (probes_.at(at)->seen().as == role::standby) {
            measured = lags_.on_failure(at, std::chrono::steady_clock::now(), how);
        }
        note_measurable(at, how.limits,
                        row.error.empty() && !how.primary ? "its primary is not known" : row.error);
        const auto lag = lags_.lag_of(at);
        if (measured) {
            if (sample && lag)
                row.value = std::chrono::duration_cast<std::chrono::seconds>(lag->time).count();
            log_.add(check::replication_lag, std::move(row));
        }
        const auto now = lag_state_of(at);
        // Of one that was promoted the change of its role tells.
        if (now == before || (sample && !sample->standby)) return;
        const bool late = now == lag_state::above;
        if (!late) let_in(at);
        recompose(at, lag_news(late, sample ? lag : std::nullopt, how.limits),
                  late ? spdlog::level::warn : spdlog::level::info);
    }

    const std::shared_ptr<const hostgroups>& current() const { return current_; }
    const check_log& log() const { return log_; }

    void on_health(const endpoint& at, verdict::change what, const std::string& reason) override {
        const auto self = shared_from_this();
        switch (what) {
            case verdict::change::died:
                recompose(at, "is dead, its connections are closed: " + reason,
                          spdlog::level::warn);
                return close_connections(at);
            case verdict::change::became_not_ready:
                return recompose(at, "takes no sessions: " + reason, spdlog::level::warn);
            case verdict::change::recovered:
                if (probes_.at(at)->seen().as == role::standby)
                    lags_.on_return(at, lag_context(at).limits);
                let_in(at);
                return recompose(at, "is back: " + reason, spdlog::level::info);
            case verdict::change::none:
                return;
        }
    }

    void on_role(const endpoint& at, const std::string& reason) override {
        const auto self = shared_from_this();
        recompose(at, reason, spdlog::level::info);
        if (reason.empty()) return;
        // Roles change in pairs; what is believed of the others may have just become false.
        for (const auto& [other, one] : std::map(probes_))
            if (other != at) one->check_role_now();
    }

    void on_facts(const endpoint&) override {
        const auto self = shared_from_this();
        recompose();
    }

    void on_check(check kind, check_row row) override { log_.add(kind, std::move(row)); }

private:
    void watch_configured() {
        const auto wanted = watched(*settings_);
        std::erase_if(probes_, [&](const auto& entry) {
            if (wanted.contains(entry.first)) return false;
            entry.second->stop();
            log_.forget(entry.first);
            lags_.forget(entry.first);
            let_in_.erase(entry.first);
            return true;
        });
        for (const auto& at : wanted) {
            if (probes_.contains(at)) continue;
            const auto one = std::make_shared<probe>(io_, names_, at, *this);
            probes_.emplace(at, one);
            one->start(settings_);
        }
    }

    /// What is known of a standby's replication lag.
    void add_lag(const endpoint& at, observation& seen) const {
        if (const auto lag = lags_.lag_of(at)) {
            seen.replay_lag_ms = lag->time.count();
            seen.replay_lag_bytes = lag->bytes;
        }
        seen.lag = lag_state_of(at);
    }

    lag_state lag_state_of(const endpoint& at) const {
        const auto* verdict = lags_.verdict_of(at);
        if (!verdict || !verdict->late()) return lag_state::within;
        return verdict->unproven() ? lag_state::unmeasured : lag_state::above;
    }

    /// By which limit and against whom a server's replication lag is measured: its row in a reader
    /// hostgroup counts before one in a writer hostgroup, and that before one outside of pairs.
    lag_tracker::context lag_context(const endpoint& at) const {
        const auto& vars = settings_->vars;
        lag_tracker::context out;
        out.interval = vars.monitor_replication_lag_interval;
        out.limits.worse = vars.monitor_replication_lag_count;
        out.limits.better = vars.monitor_shun_recovery_checks;
        for (const auto& row : settings_->servers)
            if (row.hostname == at.host && row.port == at.port)
                out.limits.longest = std::chrono::seconds(row.max_replication_lag);
        for (const auto& pair : settings_->replication_hostgroups)
            for (const int hostgroup : {pair.writer_hostgroup, pair.reader_hostgroup})
                for (const auto& row : settings_->servers) {
                    if (row.hostgroup_id != hostgroup || row.hostname != at.host ||
                        row.port != at.port)
                        continue;
                    out.limits.longest = std::chrono::seconds(row.max_replication_lag);
                    out.primary = writer_of(pair.writer_hostgroup);
                }
        return out;
    }

    std::optional<endpoint> writer_of(int hostgroup) const {
        if (const auto known = incumbents_.find(hostgroup); known != incumbents_.end())
            return known->second.at;
        for (const auto& one : current_->in(hostgroup))
            if (one.state == status::online) return one.at;
        return std::nullopt;
    }

    /// Says it once where a limit has no effect.
    void note_measurable(const endpoint& at, const lag_verdict::limits& limits,
                         const std::string& error) {
        if (error.empty()) {
            unmeasurable_.erase(at);
        } else if (limits.longest.count() > 0 && lags_.verdict_of(at) &&
                   unmeasurable_.insert(at).second) {
            spdlog::warn(
                "{}: its replication lag cannot be measured ({}): max_replication_lag has no "
                "effect meanwhile; if it stays so, grant pg_monitor to \"{}\"",
                to_string(at), error, settings_->vars.monitor_username);
        }
    }

    static std::string lag_news(bool late, const std::optional<replication_lag>& lag,
                                const lag_verdict::limits& limits) {
        if (!lag) return late ? "is too far behind" : "is used, its replication lag is not known";
        return fmt::format("is {:.1f} s ({} bytes of WAL) behind, {} {} s",
                           static_cast<double>(lag->time.count()) / 1000, lag->bytes,
                           late ? "max_replication_lag is" : "within max_replication_lag,",
                           limits.longest.count() / 1000);
    }

    std::uint32_t share_of(std::chrono::steady_clock::time_point since) const {
        return slow_start_share(std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::steady_clock::now() - since),
                                settings_->vars.monitor_slow_start);
    }

    /// It is used again from now on, with little at first.
    void let_in(const endpoint& at) {
        if (settings_->vars.monitor_slow_start.count() == 0) return;
        let_in_[at] = std::chrono::steady_clock::now();
        await_next_share();
    }

    void await_next_share() {
        ramp_timer_.expires_after(settings_->vars.monitor_slow_start / 10 +
                                  std::chrono::milliseconds(1));
        ramp_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            const auto self = weak.lock();
            if (error || !self || !self->running_) return;
            std::erase_if(self->let_in_,
                          [&](const auto& entry) { return self->share_of(entry.second) == 100; });
            if (!self->let_in_.empty()) self->await_next_share();
            self->recompose();
        });
    }

    void recompose() { recompose({}, {}, spdlog::level::info); }

    /// Composes, publishes what changed, says so, and only then has connections closed: by then
    /// nobody is routed there any more.
    void recompose(const endpoint& cause, const std::string& reason,
                   spdlog::level::level_enum level) {
        auto fresh = compose(*settings_, observations(), ruling_, incumbents_);
        incumbents_ = std::move(fresh.incumbents);
        const auto before = current_;
        const bool changed = !before || !before->same_as(fresh.groups);
        if (changed) {
            fresh.groups.version = before ? before->version + 1 : 1;
            current_ = std::make_shared<const hostgroups>(std::move(fresh.groups));
        }
        if (!reason.empty())
            spdlog::log(level, "{} {}; {}", to_string(cause), reason, moved(before.get(), cause));
        if (changed && before) log_consequences(*before, cause, reason);
        if (changed) log_overfull(before.get());
        const auto conflicts = std::exchange(conflicts_, std::move(fresh.conflicts));
        if (changed && notify_.on_hostgroups) notify_.on_hostgroups(current_);
        report_conflicts(conflicts);
    }

    /// Why nobody of the hostgroup takes work, if it has more servers than it may; or empty.
    static std::string_view overfull_reason(const hostgroups& groups, int hostgroup) {
        const auto members = groups.in(hostgroup);
        const auto found = std::ranges::find_if(members, &member::overfull);
        return found == members.end() ? std::string_view() : found->reason;
    }

    void log_overfull(const hostgroups* before) const {
        for (const auto& a : settings_->hostgroup_attributes) {
            const auto now = overfull_reason(*current_, a.hostgroup_id);
            if (!now.empty() && (!before || overfull_reason(*before, a.hostgroup_id) != now))
                spdlog::warn("{}", now);
        }
    }

    std::string moved(const hostgroups* before, const endpoint& at) const {
        const auto now = places(*current_, at);
        const auto then = before ? places(*before, at) : now;
        return then == now ? "stays " + now : "was " + then + ", now " + now;
    }

    void log_consequences(const hostgroups& before, const endpoint& cause,
                          const std::string& reason) {
        for (const auto& at : servers_of(*current_)) {
            if (at == cause && !reason.empty()) continue;
            const auto then = places(before, at);
            const auto now = places(*current_, at);
            if (then != now) spdlog::info("{} was {}, now {}", to_string(at), then, now);
        }
        for (const auto& pair : current_->pairs) {
            if (before.any_online(pair.writer) && !current_->any_online(pair.writer))
                spdlog::warn(
                    "hostgroup {} has no writer: writes wait up to {} ms, then fail, "
                    "until a primary is seen",
                    pair.writer, settings_->vars.connect_timeout_server_max.count());
            const auto now = late_readers(pair.reader);
            const auto was = std::exchange(said_late_[pair.reader], now);
            if (now && was != now)
                spdlog::warn(
                    "every reader of hostgroup {} is behind its max_replication_lag: {} "
                    "(monitor_all_readers_lagging)",
                    pair.reader, *now);
            if (was && !now) spdlog::info("hostgroup {} is read from as usual again", pair.reader);
        }
    }

    /// What becomes of the reads of a hostgroup whose readers are all too far behind.
    std::optional<std::string_view> late_readers(int reader) const {
        if (current_->refuses(reader)) return "reads fail";
        bool late = false;
        for (const auto& one : current_->in(reader)) {
            if (one.state == status::online) return std::nullopt;
            if (one.stale_allowed) return "reads may be stale";
            late |= one.state == status::shunned_replication_lag &&
                    lag_state_of(one.at) == lag_state::above;
        }
        return late ? std::optional<std::string_view>("the writer answers reads") : std::nullopt;
    }

    void report_conflicts(const std::vector<kept_out>& before) {
        const auto was = [&before](const kept_out& one) {
            return std::ranges::find(before, one.at, &kept_out::at);
        };
        for (const auto& one : std::vector(conflicts_)) {
            const auto known = was(one);
            if (known == before.end() || known->reason != one.reason)
                spdlog::warn("{} is kept out: {}", to_string(one.at), one.reason);
            if (known == before.end()) close_connections(one.at);
        }
        for (const auto& one : before)
            if (std::ranges::find(conflicts_, one.at, &kept_out::at) == conflicts_.end())
                spdlog::info("{} is no longer kept out", to_string(one.at));
    }

    void close_connections(const endpoint& at) {
        if (running_ && notify_.on_server_dead) notify_.on_server_dead(at);
    }

    boost::asio::io_context& io_;
    std::shared_ptr<const conf::settings> settings_;
    callbacks notify_;
    resolver_cache::lookup ask_;
    bool running_ = false;
    std::shared_ptr<resolver_cache> names_;
    std::map<endpoint, std::shared_ptr<probe>> probes_;
    ruling ruling_;
    std::map<int, incumbent> incumbents_;
    std::vector<kept_out> conflicts_;
    std::shared_ptr<const hostgroups> current_;
    check_log log_;
    lag_tracker lags_;
    std::set<endpoint> unmeasurable_;  ///< of those with a limit; said so already
    std::map<int, std::optional<std::string_view>> said_late_;  ///< by reader hostgroup
    std::map<endpoint, std::chrono::steady_clock::time_point>
        let_in_;  ///< with a part of its weight
    boost::asio::steady_timer ramp_timer_;
};

monitor::monitor(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
                 callbacks notify, resolver_cache::lookup ask)
    : impl_(std::make_shared<impl>(io, std::move(settings), std::move(notify), std::move(ask))) {}

monitor::~monitor() {
    impl_->stop();
}

void monitor::start() {
    impl_->start();
}
void monitor::stop() {
    impl_->stop();
}
void monitor::reload(std::shared_ptr<const conf::settings> settings) {
    impl_->reload(std::move(settings));
}
void monitor::report_failure(endpoint at) {
    impl_->report(std::move(at));
}
void monitor::on_sample(check_row row, const std::optional<wal_sample>& sample) {
    impl_->on_sample(std::move(row), sample);
}
void monitor::rule(ruling decision) {
    impl_->rule(std::move(decision));
}
std::shared_ptr<const hostgroups> monitor::current() const {
    return impl_->current();
}
std::map<endpoint, observation> monitor::observations() const {
    return impl_->observations();
}
check_counts monitor::counts() const {
    return impl_->log().counts();
}
std::vector<check_row> monitor::log(check kind) const {
    return impl_->log().rows(kind);
}

}  // namespace howdah::monitor
