#include "monitor/password_cache.hpp"

#include <algorithm>

namespace howdah::monitor {

void password_cache::store(const std::string& user, answer what, clock::time_point now,
                           std::chrono::milliseconds lifetime) {
    if (const auto before = index_.find(user); before != index_.end()) erase(before);
    if (!what.exists) lifetime = std::min<std::chrono::milliseconds>(lifetime, unknown_lifetime);
    if (lifetime.count() <= 0) return;
    entries& list = list_of(what);
    if (list.size() >= max_entries) erase(index_.find(list.back().user));
    list.push_front({user, std::move(what), now, now + lifetime});
    index_[user] = list.begin();
}

const password_cache::answer* password_cache::find(const std::string& user,
                                                   clock::time_point now) const {
    const auto found = index_.find(user);
    return found != index_.end() && now < found->second->expires ? &found->second->what : nullptr;
}

void password_cache::forget(const std::string& user, clock::time_point now) {
    const auto found = index_.find(user);
    if (found != index_.end() && now - found->second->stored >= forget_after) erase(found);
}

void password_cache::clear() {
    index_.clear();
    known_.clear();
    unknown_.clear();
}

void password_cache::erase(std::map<std::string, entries::iterator>::iterator where) {
    const auto gone = where->second;
    index_.erase(where);
    list_of(gone->what).erase(gone);
}

}  // namespace howdah::monitor
