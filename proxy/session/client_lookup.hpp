#pragma once
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "conf/settings.hpp"

namespace howdah::proxy {

class worker;
struct snapshot;

/// Passwords, mostly SCRAM verifiers, of users who were found by auth_query and have proven
/// theirs: what the pools log in to servers with. As many as there are such roles. Thread-safe.
class found_passwords {
public:
    void remember(const std::string& user, const std::string& password) {
        const std::scoped_lock lock(mutex_);
        passwords_[user] = password;
    }
    [[nodiscard]] std::optional<std::string> password(const std::string& user) const {
        const std::scoped_lock lock(mutex_);
        const auto it = passwords_.find(user);
        return it == passwords_.end() ? std::nullopt : std::optional(it->second);
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> passwords_;
};

/// Who wants to log in.
struct user_lookup {
    std::shared_ptr<const conf::settings> config;  ///< keeps `user` alive
    const conf::user* user = nullptr;              ///< null: there is no such user
    bool found = false;                            ///< by auth_query, not in `users`
    std::string failure;                           ///< not empty: nobody could be asked
};

/// The row of `users`, or, where auth_user is set and the name is not listed there at all, what
/// auth_query says. Ends within half of connect_timeout_client. Runs on the worker's thread.
[[nodiscard]] boost::asio::awaitable<user_lookup> look_up_user(worker& w,
                                                               std::shared_ptr<const snapshot> now,
                                                               std::string name);

}  // namespace howdah::proxy
