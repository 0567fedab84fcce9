#pragma once
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "monitor/auth_query_source.hpp"
#include "monitor/hostgroups.hpp"
#include "monitor/wal_sampler.hpp"
#include "protocol/io/authentication.hpp"
#include "proxy/client_limits.hpp"
#include "proxy/held_clients.hpp"
#include "proxy/login_failures.hpp"
#include "proxy/pool/book.hpp"
#include "proxy/pool/connection_throttle.hpp"
#include "proxy/pool/identity.hpp"
#include "proxy/session/client_lookup.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/settings.hpp"
#include "proxy/session/welcome.hpp"
#include "proxy/statistics/query_log.hpp"

namespace howdah::proxy {

class worker;

/// What all workers share. Everything here is thread-safe or fixed before the workers start; none
/// of it is touched by a query that finds an idle connection.
struct process {
    const std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
    identities names;
    pool_book book;
    connection_throttle throttle;
    settings_registry settings;
    statement_registry statements;
    welcome_cache welcomes;
    protocol::scram_secrets secrets;
    login_failures failures;
    found_passwords found;
    query_log log;
    std::vector<worker*> workers;  ///< fixed once they run

    client_limits limits;
    held_clients held;
    /// Clients whose descriptor is not below this are refused; fixed once the workers run.
    int client_descriptors = std::numeric_limits<int>::max();
    /// Draws of the first readers of sessions: evenly over all workers (pool::choose).
    std::atomic<std::uint64_t> first_readers{0};

    /// Secret for what unknown users are shown during SCRAM; random per process.
    std::string mock_secret;
    std::atomic<bool> draining{false};
    /// For system calls that may block (names of OS users).
    boost::asio::thread_pool helpers{1};

    /// To the control thread; callable from any worker.
    std::function<void(const monitor::endpoint&)> report_failure;
    std::function<void(const std::string& database)> request_catalog;
    std::function<void(monitor::wal_sampler::urgency)> hurry_samples;

    /// Cancels what a client of this process runs; a wrong key is ignored. Any thread.
    void cancel_client(std::int32_t pid, std::string_view key) const;
    /// To the process that this one took over from; empty if there is none. Any thread.
    std::function<void(std::int32_t pid, std::string_view key)> cancel_elsewhere;
    std::function<void(std::string user, monitor::auth_query_source::callback)> look_up_password;
    std::function<void(std::string user)> forget_password;
};

}  // namespace howdah::proxy
