#include "monitor/monitor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "conf/settings.hpp"
#include "monitor/probe.hpp"

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
         callbacks notify)
        : io_(io), settings_(std::move(settings)), notify_(std::move(notify)) {}

    void start() {
        if (running_) return;
        running_ = true;
        names_ = std::make_shared<resolver_cache>(io_);
        recompose();
        watch_configured();
    }

    void stop() {
        if (!std::exchange(running_, false)) return;
        for (auto& [at, one] : probes_)
            one->stop();
        probes_.clear();
        names_->stop();
    }

    void reload(std::shared_ptr<const conf::settings> settings) {
        settings_ = std::move(settings);
        if (!running_) return;
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
        for (const auto& [at, one] : probes_)
            out.emplace(at, one->seen());
        return out;
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
            return true;
        });
        for (const auto& at : wanted) {
            if (probes_.contains(at)) continue;
            const auto one = std::make_shared<probe>(io_, names_, at, *this);
            probes_.emplace(at, one);
            one->start(settings_);
        }
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
        const auto conflicts = std::exchange(conflicts_, std::move(fresh.conflicts));
        if (changed && notify_.on_hostgroups) notify_.on_hostgroups(current_);
        report_conflicts(conflicts);
    }

    std::string moved(const hostgroups* before, const endpoint& at) const {
        const auto now = places(*current_, at);
        const auto then = before ? places(*before, at) : now;
        return then == now ? "stays " + now : "was " + then + ", now " + now;
    }

    void log_consequences(const hostgroups& before, const endpoint& cause,
                          const std::string& reason) const {
        for (const auto& at : servers_of(*current_)) {
            if (at == cause && !reason.empty()) continue;
            const auto then = places(before, at);
            const auto now = places(*current_, at);
            if (then != now) spdlog::info("{} was {}, now {}", to_string(at), then, now);
        }
        for (const auto& pair : current_->pairs)
            if (before.any_online(pair.writer) && !current_->any_online(pair.writer))
                spdlog::warn(
                    "hostgroup {} has no writer: writes wait up to {} ms, then fail, "
                    "until a primary is seen",
                    pair.writer, settings_->vars.connect_timeout_server_max.count());
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
    bool running_ = false;
    std::shared_ptr<resolver_cache> names_;
    std::map<endpoint, std::shared_ptr<probe>> probes_;
    ruling ruling_;
    std::map<int, incumbent> incumbents_;
    std::vector<kept_out> conflicts_;
    std::shared_ptr<const hostgroups> current_;
    check_log log_;
};

monitor::monitor(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
                 callbacks notify)
    : impl_(std::make_shared<impl>(io, std::move(settings), std::move(notify))) {}

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
void monitor::rule(ruling decision) {
    impl_->rule(std::move(decision));
}
std::shared_ptr<const hostgroups> monitor::current() const {
    return impl_->current();
}
std::map<endpoint, observation> monitor::observations() const {
    return impl_->observations();
}
std::vector<check_row> monitor::log(check kind) const {
    return impl_->log().rows(kind);
}

}  // namespace howdah::monitor
