#include "proxy/client_limits.hpp"

#include <utility>

namespace howdah::proxy {

void client_limits::place::swap(place& other) noexcept {
    std::swap(in_, other.in_);
    std::swap(address_, other.address_);
    std::swap(user_, other.user_);
    std::swap(database_, other.database_);
}

void client_limits::place::leave() {
    if (in_ == nullptr) return;
    client_limits& in = *std::exchange(in_, nullptr);
    const std::scoped_lock lock(in.mutex_);
    --in.all_;
    give_back(in.addresses_, std::exchange(address_, nullptr));
    give_back(in.users_, std::exchange(user_, nullptr));
    give_back(in.databases_, std::exchange(database_, nullptr));
}

client_limits::counters::value_type* client_limits::take(counters& of, std::string_view name,
                                                         std::optional<std::uint32_t> limit) {
    const auto it = of.find(name);
    const std::uint32_t now = it == of.end() ? 0 : it->second;
    if (limit && now >= *limit) return nullptr;
    auto& taken = it == of.end() ? *of.emplace(std::string(name), 0).first : *it;
    ++taken.second;
    return &taken;
}

void client_limits::give_back(counters& of, counters::value_type* taken) {
    if (taken == nullptr || --taken->second > 0) return;
    // Names come from outside: those that nobody uses are forgotten.
    of.erase(of.find(taken->first));
}

client_limits::verdict client_limits::enter(place& p, std::string_view address,
                                            const bounds& limits, bool may_use_reserved) {
    const std::scoped_lock lock(mutex_);
    if (all_ >= limits.all) return verdict::full;
    if (!may_use_reserved && all_ + limits.reserved >= limits.all) return verdict::reserved;
    counters::value_type* taken = nullptr;
    if (!address.empty()) {
        const auto limit =
            limits.per_address > 0 ? std::optional(limits.per_address) : std::nullopt;
        taken = take(addresses_, address, limit);
        if (taken == nullptr) return verdict::address;
    }
    ++all_;
    p.in_ = this;
    p.address_ = taken;
    return verdict::welcome;
}

bool client_limits::join_user(place& p, std::string_view user, std::uint32_t limit) {
    const std::scoped_lock lock(mutex_);
    p.user_ = take(users_, user, limit);
    return p.user_ != nullptr;
}

bool client_limits::join_database(place& p, std::string_view database,
                                  std::optional<std::uint32_t> limit) {
    const std::scoped_lock lock(mutex_);
    p.database_ = take(databases_, database, limit);
    return p.database_ != nullptr;
}

std::uint32_t client_limits::count() const {
    const std::scoped_lock lock(mutex_);
    return all_;
}

std::string_view address_of(std::string_view peer) {
    const std::size_t port = peer.rfind(':');
    if (port != peer.npos) peer = peer.substr(0, port);
    if (peer.starts_with('[') && peer.ends_with(']')) peer = peer.substr(1, peer.size() - 2);
    return peer;
}

}  // namespace howdah::proxy
