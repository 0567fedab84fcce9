#include "monitor/wal_sampler.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "conf/settings.hpp"
#include "monitor/login.hpp"
#include "monitor/monitor.hpp"
#include "monitor/pq_connection.hpp"

namespace howdah::monitor {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds fast{50};
constexpr milliseconds slow{1000};
/// Two samples of one server are never closer than this, however many sessions wait.
constexpr milliseconds closest{5};
constexpr milliseconds hurried_for{1000};
constexpr milliseconds reconnect{250};

// The timeline is that of the role check; see role_check.cpp.
constexpr const char* sample_sql =
    "SELECT r.standby,"
    " CASE WHEN r.standby THEN greatest("
    "(SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c),"
    "(SELECT c.min_recovery_end_timeline FROM pg_catalog.pg_control_recovery() c),"
    "(SELECT w.received_tli FROM pg_catalog.pg_stat_get_wal_receiver() w))"
    " ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name("
    "pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4 END,"
    " (CASE WHEN r.standby THEN pg_catalog.pg_last_wal_replay_lsn()"
    " ELSE pg_catalog.pg_current_wal_insert_lsn() END) - '0/0'::pg_catalog.pg_lsn,"
    " (CASE WHEN NOT r.standby THEN pg_catalog.pg_current_wal_flush_lsn() END)"
    " - '0/0'::pg_catalog.pg_lsn,"
    " (CASE WHEN r.standby THEN pg_catalog.floor(1000 * pg_catalog.date_part('epoch',"
    " pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())) END)"
    "::pg_catalog.int8"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r";

template <class Integer>
std::optional<Integer> field(const PGresult* answer, int column) {
    if (PQgetisnull(answer, 0, column)) return std::nullopt;
    const std::string_view text(PQgetvalue(answer, 0, column));
    Integer value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

std::int64_t now_us() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

std::optional<wal_sample> read_sample(const PGresult* answer, clock::time_point asked) {
    if (PQntuples(answer) != 1 || PQnfields(answer) != 5) return std::nullopt;
    const auto timeline = field<std::uint32_t>(answer, 1);
    const auto lsn = field<std::uint64_t>(answer, 2);
    if (!timeline || !lsn) return std::nullopt;
    if (std::strcmp(PQgetvalue(answer, 0, 0), "t") != 0)
        return wal_sample{
            .standby = false,
            .at = {*timeline, end_of_wal(*lsn)},
            .asked = asked,
            .flushed = end_of_wal(std::min(*lsn, field<std::uint64_t>(answer, 3).value_or(0)))};
    wal_sample sample{.standby = true, .at = {*timeline, *lsn}, .asked = asked};
    if (const auto age = field<std::int64_t>(answer, 4))
        sample.transaction_age = milliseconds(*age);
    return sample;
}

}  // namespace

class wal_sampler::impl : public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
         monitor& servers, publish notify)
        : io_(io),
          settings_(std::move(settings)),
          servers_(servers),
          notify_(std::move(notify)),
          names_(std::make_shared<resolver_cache>(io)) {}

    void servers_changed() {
        const auto groups = servers_.current();
        std::map<endpoint, std::string> wanted;  // with the address that the monitor has found
        if (groups && settings_->vars.monitor_enabled)
            for (const member& one : groups->members)
                if (one.state == status::online || one.state == status::shunned_replication_lag)
                    wanted.emplace(one.at, one.address);
        std::erase_if(sources_, [&](const auto& entry) {
            const auto found = wanted.find(entry.first);
            // Its name leads elsewhere now.
            return found == wanted.end() ||
                   (!found->second.empty() && found->second != entry.second->address);
        });
        std::erase_if(latest_, [&](const auto& entry) { return !sources_.contains(entry.first); });
        for (const auto& [at, address] : wanted) {
            auto& one = sources_[at];
            if (one) continue;
            one = std::make_unique<source>(io_, names_);
            one->address = address;
            sample(at, *one);
        }
    }

    void hurry(urgency how) {
        auto& asked = how == urgency::now ? wanted_now_ : wanted_soon_;
        if (asked.load(std::memory_order_relaxed) || asked.exchange(true)) return;
        boost::asio::post(io_, [weak = weak_from_this(), how] {
            const auto self = weak.lock();
            if (!self || self->stopped_) return;
            // Wishes for "soon" are heard again after the next sample only (on_answer).
            if (how == urgency::now) self->wanted_now_ = false;
            self->fast_until_ = clock::now() + hurried_for;
            for (auto& [at, one] : self->sources_)
                self->bring_forward(at, *one, how == urgency::now ? closest : fast);
        });
    }

    void reload(std::shared_ptr<const conf::settings> settings) {
        settings_ = std::move(settings);
        sources_.clear();
        servers_changed();
    }

    void stop() {
        stopped_ = true;
        sources_.clear();
        names_->stop();
    }

private:
    struct source {
        source(boost::asio::io_context& io, std::shared_ptr<resolver_cache> names)
            : timer(io), connection(std::make_shared<pq_connection>(io, std::move(names))) {}
        ~source() { connection->close(); }
        source(const source&) = delete;
        source& operator=(const source&) = delete;

        boost::asio::steady_timer timer;
        std::shared_ptr<pq_connection> connection;
        std::string address;        ///< where it connects to; empty: where the name leads
        clock::time_point asked{};  ///< when the last sample was begun
        std::int64_t asked_us = 0;  ///< the same as Unix time
        bool again = false;         ///< wanted now while one was under way
        bool ready = false;         ///< the timer runs and a sample may be brought forward
    };

    template <class Member>
    auto then(const endpoint& at, Member member) {
        return [weak = weak_from_this(), at, member](auto&&... arguments) {
            const auto self = weak.lock();
            if (!self || self->stopped_) return;
            const auto found = self->sources_.find(at);
            if (found != self->sources_.end())
                (self.get()->*member)(at, *found->second,
                                      std::forward<decltype(arguments)>(arguments)...);
        };
    }

    void schedule(const endpoint& at, source& one, clock::time_point when, bool ready) {
        one.ready = ready;
        one.timer.expires_at(when);
        one.timer.async_wait([weak = weak_from_this(), at](const boost::system::error_code& ec) {
            const auto self = weak.lock();
            if (ec || !self || self->stopped_) return;
            const auto found = self->sources_.find(at);
            if (found != self->sources_.end()) self->sample(found->first, *found->second);
        });
    }

    void bring_forward(const endpoint& at, source& one, milliseconds spacing) {
        if (!one.ready) {
            one.again = one.again || spacing == closest;
            return;
        }
        const auto due = std::max(clock::now(), one.asked + spacing);
        if (one.timer.expiry() > due) schedule(at, one, due, true);
    }

    void sample(const endpoint& at, source& one) {
        one.ready = one.again = false;
        if (!one.connection->idle()) {
            one.connection->use_address(one.address);
            one.connection->connect(at,
                                    login_parameters(settings_->vars, requires_tls(*settings_, at),
                                                     settings_->vars.monitor_dbname),
                                    settings_->vars.monitor_connect_timeout,
                                    then(at, &impl::on_connected));
            return;
        }
        one.asked = clock::now();
        one.asked_us = now_us();
        one.connection->query(sample_sql, settings_->vars.monitor_replication_lag_timeout,
                              then(at, &impl::on_answer));
    }

    void on_connected(const endpoint& at, source& one, const std::optional<pq_error>& error) {
        if (!error) return sample(at, one);
        failed(at, one, *error);
    }

    void on_answer(const endpoint& at, source& one, const std::optional<pq_error>& error,
                   const pq_result& answer) {
        if (error) return failed(at, one, *error);
        wanted_soon_ = false;
        const auto now = clock::now();
        const auto next = one.again           ? one.asked + closest
                          : now < fast_until_ ? one.asked + fast
                                              : next_tick(one.asked);
        schedule(at, one, std::max(now, next), true);
        const std::optional<wal_sample> fresh = read_sample(answer.get(), one.asked);
        const auto report = row_of(at, one);
        if (fresh) {
            latest_.insert_or_assign(at, *fresh);
            notify_(std::make_shared<const std::map<endpoint, wal_sample>>(latest_));
        }
        // The last thing: it may change the hostgroups, and with them what is sampled.
        servers_.on_sample(report, fresh);
    }

    /// Of all servers at the same times, so that their positions can be compared.
    clock::time_point next_tick(clock::time_point after) const {
        const clock::duration step =
            std::min(slow, settings_->vars.monitor_replication_lag_interval);
        return clock::time_point((after.time_since_epoch() / step + 1) * step);
    }

    static check_row row_of(const endpoint& at, const source& one) {
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - one.asked);
        return {.at = at,
                .time_start_us = one.asked_us,
                .success_time_us = std::max<std::int64_t>(1, took.count()),
                .error = {},
                .value = std::nullopt};
    }

    void failed(const endpoint& at, source& one, const pq_error& error) {
        // The monitor's own checks say so where it matters.
        spdlog::debug("{}: WAL position not read: {}", to_string(at), error.describe());
        // A refusal of the query itself will not pass by connecting again.
        schedule(at, one, clock::now() + (one.connection->idle() ? slow : reconnect), false);
        servers_.on_sample({.at = at,
                            .time_start_us = now_us(),
                            .success_time_us = 0,
                            .error = error.describe(),
                            .value = std::nullopt},
                           std::nullopt);
    }

    boost::asio::io_context& io_;
    std::shared_ptr<const conf::settings> settings_;
    monitor& servers_;
    publish notify_;
    std::shared_ptr<resolver_cache> names_;
    std::map<endpoint, std::unique_ptr<source>> sources_;
    std::map<endpoint, wal_sample> latest_;
    clock::time_point fast_until_{};
    std::atomic<bool> wanted_soon_{false};
    std::atomic<bool> wanted_now_{false};
    bool stopped_ = false;
};

wal_sampler::wal_sampler(boost::asio::io_context& io,
                         std::shared_ptr<const conf::settings> settings, monitor& servers,
                         publish notify)
    : impl_(std::make_shared<impl>(io, std::move(settings), servers, std::move(notify))) {}

wal_sampler::~wal_sampler() {
    impl_->stop();
}
void wal_sampler::servers_changed() {
    impl_->servers_changed();
}
void wal_sampler::hurry(urgency how) {
    impl_->hurry(how);
}
void wal_sampler::reload(std::shared_ptr<const conf::settings> settings) {
    impl_->reload(std::move(settings));
}
void wal_sampler::stop() {
    impl_->stop();
}

}  // namespace howdah::monitor
