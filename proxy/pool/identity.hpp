#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "monitor/hostgroups.hpp"

namespace howdah::proxy {

/// A server that was configured at some time; lives as long as the process, so workers compare and
/// keep plain pointers.
struct server_entry {
    std::uint32_t id;
    monitor::endpoint at;
};

/// Whose connections a pool holds: database and user. Lives as long as the process.
struct pool_login {
    std::uint32_t id;
    std::string database;
    std::string user;
};

/// Gives equal things the same address. Thread-safe; not on the query path.
class identities {
public:
    [[nodiscard]] const server_entry* server(const monitor::endpoint& at) {
        const std::scoped_lock lock(mutex_);
        auto [it, fresh] = server_index_.try_emplace(at, nullptr);
        if (fresh)
            it->second = &servers_.emplace_back(
                server_entry{static_cast<std::uint32_t>(servers_.size()), at});
        return it->second;
    }
    [[nodiscard]] const pool_login* login(const std::string& database, const std::string& user) {
        const std::scoped_lock lock(mutex_);
        auto [it, fresh] = login_index_.try_emplace({database, user}, nullptr);
        if (fresh)
            it->second = &logins_.emplace_back(
                pool_login{static_cast<std::uint32_t>(logins_.size()), database, user});
        return it->second;
    }

private:
    std::mutex mutex_;
    std::deque<server_entry> servers_;
    std::deque<pool_login> logins_;
    std::map<monitor::endpoint, const server_entry*> server_index_;
    std::map<std::pair<std::string, std::string>, const pool_login*> login_index_;
};

}  // namespace howdah::proxy
