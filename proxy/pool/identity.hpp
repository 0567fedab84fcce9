#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "monitor/hostgroups.hpp"
#include "proxy/pool/connection_init.hpp"

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
    /// What its connections begin with; null: nothing.
    std::shared_ptr<const connection_init> init;
    /// The login of clients. Its connections in hostgroups with an init_connect have a login of
    /// their own, so that those that began differently never stand in for each other.
    const pool_login* plain;
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
        const pool_login*& found = login_index_[{database, user, std::string()}];
        if (found == nullptr) {
            pool_login& made = logins_.emplace_back(pool_login{next_id(), database, user, {}, {}});
            found = made.plain = &made;
        }
        return found;
    }
    /// That of the connections which begin so for a client's login.
    [[nodiscard]] const pool_login* login(const pool_login* plain,
                                          const std::shared_ptr<const connection_init>& init) {
        const std::scoped_lock lock(mutex_);
        const pool_login*& found = login_index_[{plain->database, plain->user, init->text}];
        if (found == nullptr)
            found = &logins_.emplace_back(
                pool_login{next_id(), plain->database, plain->user, init, plain});
        return found;
    }

private:
    [[nodiscard]] std::uint32_t next_id() const {
        return static_cast<std::uint32_t>(logins_.size());
    }

    std::mutex mutex_;
    std::deque<server_entry> servers_;
    std::deque<pool_login> logins_;
    std::map<monitor::endpoint, const server_entry*> server_index_;
    std::map<std::tuple<std::string, std::string, std::string>, const pool_login*> login_index_;
};

}  // namespace howdah::proxy
