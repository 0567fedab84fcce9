#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/pool/identity.hpp"
#include "proxy/session/settings.hpp"

namespace howdah::proxy {

/// The ParameterStatus messages that a client of one login with certain startup settings gets, as
/// a real server reported them. Kept so that not every login needs a server connection, and so
/// that clients can log in while no server answers. Thread-safe; used at login only.
class welcome_cache {
public:
    using clock = std::chrono::steady_clock;
    struct entry {
        std::string messages;
        clock::time_point taken;
    };
    /// Older entries are asked for again, if a server answers.
    static constexpr std::chrono::minutes fresh_for{1};

    [[nodiscard]] std::shared_ptr<const entry> find(const pool_login* login,
                                                    const settings_ptr& settings) const {
        const std::scoped_lock lock(mutex_);
        const auto it = entries_.find({login, settings});
        return it == entries_.end() ? nullptr : it->second;
    }
    void store(const pool_login* login, const settings_ptr& settings, std::string messages) {
        const std::scoped_lock lock(mutex_);
        if (entries_.size() >= max_entries) entries_.clear();
        entries_[{login, settings}] =
            std::make_shared<const entry>(entry{std::move(messages), clock::now()});
    }
    /// The database is gone, or may be soon.
    void forget(std::string_view database) {
        const std::scoped_lock lock(mutex_);
        std::erase_if(entries_, [&](const auto& e) { return e.first.first->database == database; });
    }
    /// After a change of users or servers nothing that was learned before is believed.
    void clear() {
        const std::scoped_lock lock(mutex_);
        entries_.clear();
    }

private:
    static constexpr std::size_t max_entries = 4096;
    mutable std::mutex mutex_;
    std::map<std::pair<const pool_login*, settings_ptr>, std::shared_ptr<const entry>> entries_;
};

}  // namespace howdah::proxy
