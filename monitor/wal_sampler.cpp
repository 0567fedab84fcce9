#include "monitor/wal_sampler.hpp"

#include <fmt/format.h>
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
constexpr milliseconds query_timeout{2000};
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
    " ELSE pg_catalog.pg_current_wal_insert_lsn() END) - '0/0'::pg_catalog.pg_lsn"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r";

template <class Integer>
std::optional<Integer> number(std::string_view text, int base = 10) {
    Integer value{};
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, base);
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

template <class Integer>
std::optional<Integer> field(const PGresult* answer, int column) {
    if (PQgetisnull(answer, 0, column)) return std::nullopt;
    return number<Integer>(PQgetvalue(answer, 0, column));
}

std::optional<wal_sample> read_sample(const PGresult* answer, clock::time_point asked) {
    if (PQntuples(answer) != 1 || PQnfields(answer) != 3) return std::nullopt;
    const auto timeline = field<std::uint32_t>(answer, 1);
    const auto lsn = field<std::uint64_t>(answer, 2);
    if (!timeline || !lsn) return std::nullopt;
    const bool standby = std::strcmp(PQgetvalue(answer, 0, 0), "t") == 0;
    return wal_sample{standby, {*timeline, standby ? *lsn : end_of_wal(*lsn)}, asked};
}

}  // namespace

std::string to_string(const wal_position& at) {
    return fmt::format("{}:{:X}/{:X}", at.timeline, at.lsn >> 32, at.lsn & 0xffffffff);
}

std::optional<wal_position> parse_wal_position(std::string_view text) {
    const std::size_t colon = text.find(':'), slash = text.find('/');
    if (colon == text.npos || slash == text.npos || slash < colon) return std::nullopt;
    const auto timeline = number<std::uint32_t>(text.substr(0, colon));
    const auto high = number<std::uint32_t>(text.substr(colon + 1, slash - colon - 1), 16);
    const auto low = number<std::uint32_t>(text.substr(slash + 1), 16);
    if (!timeline || !high || !low) return std::nullopt;
    return wal_position{*timeline, std::uint64_t{*high} << 32 | *low};
}

std::uint64_t end_of_wal(std::uint64_t insert_lsn) {
    constexpr std::uint64_t page = 8192, short_header = 24, long_header = 40;
    // No record fits between the two.
    const std::uint64_t offset = insert_lsn % page;
    return offset == short_header || offset == long_header ? insert_lsn - offset : insert_lsn;
}

class wal_sampler::impl : public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
         const monitor& servers, publish notify)
        : io_(io),
          settings_(std::move(settings)),
          servers_(servers),
          notify_(std::move(notify)),
          names_(std::make_shared<resolver_cache>(io)) {}

    void servers_changed() {
        const auto groups = servers_.current();
        std::set<endpoint> wanted;
        if (groups && settings_->vars.monitor_enabled)
            for (const member& one : groups->members)
                if (one.state == status::online) wanted.insert(one.at);
        std::erase_if(sources_, [&](const auto& entry) { return !wanted.contains(entry.first); });
        std::erase_if(latest_, [&](const auto& entry) { return !wanted.contains(entry.first); });
        for (const endpoint& at : wanted) {
            auto& one = sources_[at];
            if (one) continue;
            one = std::make_unique<source>(io_, names_);
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
        clock::time_point asked{};  ///< when the last sample was begun
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
            one.connection->connect(at,
                                    login_parameters(settings_->vars, requires_tls(*settings_, at),
                                                     settings_->vars.monitor_dbname),
                                    settings_->vars.monitor_connect_timeout,
                                    then(at, &impl::on_connected));
            return;
        }
        one.asked = clock::now();
        one.connection->query(sample_sql, query_timeout, then(at, &impl::on_answer));
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
        const auto next = one.asked + (one.again ? closest : now < fast_until_ ? fast : slow);
        schedule(at, one, std::max(now, next), true);
        const std::optional<wal_sample> fresh = read_sample(answer.get(), one.asked);
        if (!fresh) return;
        latest_.insert_or_assign(at, *fresh);
        notify_(std::make_shared<const std::map<endpoint, wal_sample>>(latest_));
    }

    void failed(const endpoint& at, source& one, const pq_error& error) {
        // The monitor's own checks say so where it matters.
        spdlog::debug("{}: WAL position not read: {}", to_string(at), error.describe());
        // A refusal of the query itself will not pass by connecting again.
        schedule(at, one, clock::now() + (one.connection->idle() ? slow : reconnect), false);
    }

    boost::asio::io_context& io_;
    std::shared_ptr<const conf::settings> settings_;
    const monitor& servers_;
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
                         std::shared_ptr<const conf::settings> settings, const monitor& servers,
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
