#pragma once
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "monitor/auth_query_source.hpp"
#include "monitor/hostgroups.hpp"
#include "monitor/wal_sampler.hpp"
#include "proxy/login_failures.hpp"
#include "proxy/pool/book.hpp"
#include "proxy/pool/identity.hpp"
#include "proxy/session/client_auth.hpp"
#include "proxy/session/client_lookup.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/settings.hpp"
#include "proxy/session/welcome.hpp"

namespace howdah::proxy {

class worker;

/// What all workers share. Everything here is thread-safe or fixed before the workers start; none
/// of it is touched by a query that finds an idle connection.
struct process {
    identities names;
    pool_book book;
    settings_registry settings;
    statement_registry statements;
    welcome_cache welcomes;
    scram_secrets secrets;
    login_failures failures;
    found_passwords found;
    std::vector<worker*> workers;  ///< fixed once they run

    std::atomic<std::uint32_t> clients{0};
    /// Draws of the first readers of sessions: evenly over all workers (pool::choose).
    std::atomic<std::uint64_t> first_readers{0};
    /// Client connections of one user.
    [[nodiscard]] std::atomic<std::uint32_t>& clients_of(const std::string& user) {
        const std::scoped_lock lock(user_mutex_);
        auto& slot = user_clients_[user];
        if (!slot) slot = std::make_unique<std::atomic<std::uint32_t>>(0);
        return *slot;
    }

    /// Secret for what unknown users are shown during SCRAM; random per process.
    std::string mock_secret;
    std::atomic<bool> draining{false};
    /// For system calls that may block (names of OS users).
    boost::asio::thread_pool helpers{1};

    /// To the control thread; callable from any worker.
    std::function<void(const monitor::endpoint&)> report_failure;
    std::function<void(const std::string& database)> request_catalog;
    std::function<void(monitor::wal_sampler::urgency)> hurry_samples;
    std::function<void(std::string user, monitor::auth_query_source::callback)> look_up_password;
    std::function<void(std::string user)> forget_password;

private:
    std::mutex user_mutex_;
    std::map<std::string, std::unique_ptr<std::atomic<std::uint32_t>>> user_clients_;
};

}  // namespace howdah::proxy
