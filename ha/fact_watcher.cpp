#include "ha/fact_watcher.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <utility>

namespace howdah::ha {
namespace {

using boost::asio::as_tuple;
using boost::asio::use_awaitable;

}  // namespace

struct fact_watcher::target {
    target(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
           const endpoint& where, monitor::pq_parameters as)
        : at(where), login(as), reader(io, std::move(names), where, std::move(as)), timer(io) {}

    endpoint at;
    monitor::pq_parameters login;
    fact_reader reader;
    boost::asio::steady_timer timer;
    server_facts facts;
    std::uint64_t begun = 0;  ///< readings
    std::uint64_t ended = 0;  ///< the last one that ended
    bool wanted = false;      ///< the next reading without delay
    bool gone = false;
};

fact_watcher::fact_watcher(boost::asio::io_context& io, protocol::task_gate& tasks,
                           std::shared_ptr<monitor::resolver_cache> names, news told)
    : io_(io),
      tasks_(tasks),
      names_(std::move(names)),
      told_(std::move(told)),
      read_(io, boost::asio::steady_timer::time_point::max()) {}

fact_watcher::~fact_watcher() {
    stop();
}

void fact_watcher::end(target& one) {
    one.gone = true;
    one.reader.close();
    one.timer.cancel();
}

void fact_watcher::stop() {
    for (const auto& [at, one] : targets_)
        end(*one);
    targets_.clear();
    read_.cancel();
}

void fact_watcher::follow(const std::map<endpoint, monitor::pq_parameters>& servers) {
    std::map<endpoint, std::shared_ptr<target>> fresh;
    for (const auto& [at, login] : servers) {
        const auto known = targets_.find(at);
        if (known != targets_.end() && known->second->login == login) {
            fresh[at] = known->second;
            continue;
        }
        auto one = std::make_shared<target>(io_, names_, at, login);
        if (known != targets_.end()) one->facts = known->second->facts;
        fresh[at] = one;
        tasks_.spawn(watch(std::move(one)));
    }
    for (const auto& [at, one] : targets_)
        if (const auto kept = fresh.find(at); kept == fresh.end() || kept->second != one) end(*one);
    targets_ = std::move(fresh);
    read_.cancel();
}

void fact_watcher::pace(std::chrono::milliseconds interval, std::chrono::milliseconds timeout) {
    timeout_ = timeout;
    if (std::exchange(interval_, interval) > interval) look();
}

void fact_watcher::look(const endpoint& at) {
    const auto found = targets_.find(at);
    if (found == targets_.end()) return;
    found->second->wanted = true;
    found->second->timer.cancel();
}

void fact_watcher::look() {
    for (const auto& [at, one] : targets_)
        look(at);
}

void fact_watcher::reconnect(const std::string& host) {
    for (const auto& [at, one] : targets_)
        if (at.host == host) {
            one->reader.close();
            look(at);
        }
}

boost::asio::awaitable<void> fact_watcher::watch(std::shared_ptr<target> one) {
    while (!one->gone) {
        one->wanted = false;
        const auto number = ++one->begun;
        auto fresh = co_await one->reader.read(timeout_);
        if (one->gone) co_return;
        one->facts = remembered(one->facts, std::move(fresh));
        one->ended = number;
        read_.cancel();
        told_(one->at);
        if (one->gone || one->wanted) continue;
        one->timer.expires_after(interval_);
        co_await one->timer.async_wait(as_tuple(use_awaitable));
    }
}

boost::asio::awaitable<void> fact_watcher::refresh(std::vector<endpoint> which) {
    std::vector<std::pair<std::shared_ptr<target>, std::uint64_t>> waiting;
    for (const auto& at : which)
        if (const auto found = targets_.find(at); found != targets_.end()) {
            waiting.emplace_back(found->second, found->second->begun + 1);
            look(at);
        }
    for (;;) {
        std::erase_if(waiting, [](const auto& one) {
            return one.first->gone || one.first->ended >= one.second;
        });
        if (waiting.empty()) co_return;
        co_await read_.async_wait(as_tuple(use_awaitable));
    }
}

void fact_watcher::remember_conninfo(const endpoint& at, const std::string& text) {
    if (const auto found = targets_.find(at); found != targets_.end())
        found->second->facts.conninfo_before_freeze = text;
}

void fact_watcher::recall(const server_memory& one) {
    if (const auto found = targets_.find(one.at); found != targets_.end())
        ha::recall(one, found->second->facts);
}

std::map<endpoint, server_facts> fact_watcher::facts() const {
    std::map<endpoint, server_facts> out;
    for (const auto& [at, one] : targets_)
        if (one->ended || one->facts.read_at_us) out[at] = one->facts;
    return out;
}

std::vector<server_memory> fact_watcher::memories() const {
    std::vector<server_memory> out;
    for (const auto& [at, one] : targets_)
        if (auto now = memory_of(at, one->facts)) out.push_back(std::move(*now));
    return out;
}

bool fact_watcher::looked_at_all() const {
    return std::ranges::all_of(targets_, [](const auto& one) {
        return one.second->ended || one.second->facts.read_at_us;
    });
}

}  // namespace howdah::ha
