#include "proxy/operations.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "proxy/worker.hpp"

namespace howdah::proxy {

namespace {

/// How often the workers are asked what is still held.
constexpr std::chrono::milliseconds look{10};

}  // namespace

operations::operations(boost::asio::io_context& control, std::vector<worker*>& workers,
                       std::function<void()> publish)
    : workers_(workers), publish_(std::move(publish)), control_(control), timer_(control) {}

void operations::pause(const traffic_scope& scope, std::chrono::milliseconds timeout, answer done) {
    if (!orders_.pause(scope)) {
        done(to_string(scope) + " is paused already");
        return;
    }
    spdlog::info("pausing {}", to_string(scope));
    publish_();
    pausing_.push_back({scope, std::chrono::steady_clock::now() + timeout, std::move(done)});
    look_again();
}

void operations::look_again() {
    timer_.cancel();
    ++round_;
    unanswered_ = workers_.size() * pausing_.size();
    for (pausing& p : pausing_) {
        p.held = 0;
        for (worker* w : workers_) {
            w->count_servers(p.scope, [this, round = round_, &p](std::size_t held) {
                boost::asio::post(control_, [this, round, &p, held] {
                    // Of an older round: `p` may be gone.
                    if (round != round_) return;
                    p.held += held;
                    if (--unanswered_ == 0) judge();
                });
            });
        }
    }
}

void operations::judge() {
    const auto now = std::chrono::steady_clock::now();
    std::list<pausing> over;
    for (auto it = pausing_.begin(); it != pausing_.end();) {
        const auto next = std::next(it);
        if (it->held == 0 || now >= it->until) over.splice(over.end(), pausing_, it);
        it = next;
    }
    for (const pausing& p : over) {
        if (p.held == 0) {
            spdlog::info("{} is paused", to_string(p.scope));
            p.done({});
            continue;
        }
        (void)orders_.resume(p.scope);
        publish_();
        const std::string why = to_string(p.scope) +
                                " could not be paused in time: " + std::to_string(p.held) +
                                " server connections are in transactions or kept by their "
                                "sessions; it goes on";
        spdlog::warn("{}", why);
        p.done(why);
    }
    if (pausing_.empty()) return;
    timer_.expires_after(look);
    timer_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec) look_again();
    });
}

std::string operations::resume(const traffic_scope& scope) {
    if (!orders_.resume(scope)) return to_string(scope) + " is not paused";
    spdlog::info("{} goes on", to_string(scope));
    ++round_;  // answers that are under way count for nothing
    unanswered_ = 0;
    std::list<pausing> over;
    for (auto it = pausing_.begin(); it != pausing_.end();) {
        const auto next = std::next(it);
        const auto& left = orders_.pauses();
        if (std::find(left.begin(), left.end(), it->scope) == left.end())
            over.splice(over.end(), pausing_, it);
        it = next;
    }
    publish_();
    for (const pausing& p : over)
        p.done(to_string(p.scope) + " was resumed before the pause was complete");
    if (!pausing_.empty()) look_again();
    return {};
}

void operations::reconnect(const traffic_scope& scope) {
    spdlog::info("renewing the server connections of {}", to_string(scope));
    orders_.renew(scope, std::chrono::steady_clock::now());
    publish_();
}

std::string operations::disable(const traffic_scope& scope) {
    if (scope.what == traffic_scope::kind::server) return "a server has no logins to disable";
    if (!orders_.disable(scope)) return to_string(scope) + " is disabled already";
    spdlog::info("{} is disabled: nobody may log in", to_string(scope));
    publish_();
    return {};
}

std::string operations::enable(const traffic_scope& scope) {
    if (!orders_.enable(scope)) return to_string(scope) + " is not disabled";
    spdlog::info("{} is enabled", to_string(scope));
    publish_();
    return {};
}

void operations::kill(const traffic_scope& scope) {
    spdlog::info("ending the clients of {}", to_string(scope));
    for (worker* w : workers_)
        w->kill(scope);
}

void operations::stop() {
    ++round_;
    timer_.cancel();
    for (const pausing& p : std::exchange(pausing_, {}))
        p.done("Howdah is being stopped");
}

}  // namespace howdah::proxy
