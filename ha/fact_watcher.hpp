#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ha/fact_memory.hpp"
#include "ha/fact_reader.hpp"
#include "protocol/io/task_gate.hpp"

namespace howdah::ha {

/// Reads the facts of servers again and again, each server at its own pace, so that a silent one
/// delays no other. Control thread only.
class fact_watcher {
public:
    /// Called after every reading.
    using news = std::function<void(const endpoint&)>;

    /// `tasks` must outlive it.
    fact_watcher(boost::asio::io_context& io, protocol::task_gate& tasks,
                 std::shared_ptr<monitor::resolver_cache> names, news told);
    ~fact_watcher();
    fact_watcher(const fact_watcher&) = delete;
    fact_watcher& operator=(const fact_watcher&) = delete;

    /// From now on exactly these servers, by these logins. Facts of those that stay are kept; a
    /// server whose login changed gets a new session.
    void follow(const std::map<endpoint, monitor::pq_parameters>& servers);
    /// Time between two readings, and for one.
    void pace(std::chrono::milliseconds interval, std::chrono::milliseconds timeout);
    /// Reads at once.
    void look(const endpoint& at);
    void look();
    /// The name leads elsewhere: its servers get new sessions.
    void reconnect(const std::string& host);
    /// Waits until each was read by a reading that began after the call, or failed to be.
    [[nodiscard]] boost::asio::awaitable<void> refresh(std::vector<endpoint> which);
    /// For `server_facts::conninfo_before_freeze`; "" forgets.
    void remember_conninfo(const endpoint& at, const std::string& text);
    /// Of a server that was not read yet.
    void recall(const server_memory& one);
    void stop();

    [[nodiscard]] std::map<endpoint, server_facts> facts() const;
    /// Of the servers that were read.
    [[nodiscard]] std::vector<server_memory> memories() const;
    [[nodiscard]] bool looked_at_all() const;

private:
    struct target;
    boost::asio::awaitable<void> watch(std::shared_ptr<target> one);
    void end(target& one);

    boost::asio::io_context& io_;
    protocol::task_gate& tasks_;
    std::shared_ptr<monitor::resolver_cache> names_;
    news told_;
    boost::asio::steady_timer read_;  ///< never expires; cancelled after every reading
    std::chrono::milliseconds interval_{500};
    std::chrono::milliseconds timeout_{1000};
    std::map<endpoint, std::shared_ptr<target>> targets_;
};

}  // namespace howdah::ha
