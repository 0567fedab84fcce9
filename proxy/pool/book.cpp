#include "proxy/pool/book.hpp"

#include <algorithm>
#include <cassert>

namespace howdah::proxy {

bool pool_book::anyone_waits_in(int hostgroup) const {
    const std::scoped_lock lock(mutex_);
    const auto it = queues_.find(hostgroup);
    return it != queues_.end() && !it->second.empty();
}

bool pool_book::reserve(const server_entry* server) {
    account& a = accounts_[server];
    if (a.used >= a.limit) return false;
    a.most_used = std::max(a.most_used, ++a.used);
    return true;
}

const server_entry* pool_book::reserve_for(const ticket& t, const server_entry* preferred,
                                           const server_entry* avoid) {
    const auto it = placement_.find(t.hostgroup);
    if (it == placement_.end()) return nullptr;
    const server_entry* best = nullptr;
    std::uint32_t best_used = 0;
    for (const candidate& c : it->second) {
        if (c.server == avoid || !t.accepts(c.server)) continue;
        if (c.server == preferred && reserve(preferred)) return preferred;
        const account& a = accounts_[c.server];
        if (a.used < a.limit && (best == nullptr || a.used < best_used)) {
            best = c.server;
            best_used = a.used;
        }
    }
    return best != nullptr && reserve(best) ? best : nullptr;
}

pool_book::queued pool_book::enqueue(int hostgroup, const pool_login* login, unsigned worker,
                                     const server_entry* preferred, const server_entry* avoid,
                                     const server_entry* only, bool own) {
    const std::scoped_lock lock(mutex_);
    const ticket_id id = next_++;
    auto [it, fresh] =
        tickets_.emplace(id, ticket{hostgroup, login, worker, avoid, only, own, false});
    queues_[hostgroup].emplace(id, &it->second);
    waiting_.fetch_add(1);
    queued result{id, std::nullopt};
    if (const server_entry* server = reserve_for(it->second, preferred, nullptr)) {
        result.open = order(id, server, it->second);
    }
    return result;
}

pool_book::open_order pool_book::order(ticket_id id, const server_entry* server, ticket& t) {
    t.ordered = true;
    return {id, server, t.login, t.worker, t.own, t.hostgroup};
}

void pool_book::erase(ticket_id id) {
    const auto it = tickets_.find(id);
    assert(it != tickets_.end());
    queues_[it->second.hostgroup].erase(id);
    tickets_.erase(it);
    waiting_.fetch_sub(1);
}

bool pool_book::cancel(ticket_id id) {
    const std::scoped_lock lock(mutex_);
    if (!tickets_.contains(id)) return false;
    erase(id);
    return true;
}

pool_book::claim_result pool_book::claim(const server_entry* server, const pool_login* login,
                                         bool just_opened) {
    const std::scoped_lock lock(mutex_);
    const auto suits = [&](const ticket& t) {
        return !t.own && t.login == login && (just_opened || t.avoid != server);
    };
    claim_result result;
    account& a = accounts_[server];
    // Oldest first over all hostgroups in which the server may be used.
    ticket_id oldest = 0;
    for (const int hostgroup : a.hostgroups) {
        const auto queue = queues_.find(hostgroup);
        if (queue == queues_.end()) continue;
        for (const auto& [id, t] : queue->second) {
            if (!t->accepts(server)) continue;
            // A ticket that needs another connection, and for which one is being opened, needs
            // nothing here.
            if (!suits(*t) && (t->ordered || a.used < a.limit)) continue;
            if (oldest == 0 || id < oldest) oldest = id;
            break;
        }
    }
    if (oldest == 0) return result;
    ticket& t = tickets_.at(oldest);
    result.ticket = oldest;
    result.worker = t.worker;
    if (suits(t)) {
        result.action = claim_result::what::serve;
        erase(oldest);
    } else {
        result.action = claim_result::what::replace;
        if (a.used > a.limit) {
            --a.used;
            return result;
        }
        result.open = order(oldest, server, t);
    }
    return result;
}

void pool_book::opened(ticket_id id) {
    const std::scoped_lock lock(mutex_);
    const auto it = tickets_.find(id);
    if (it != tickets_.end()) it->second.ordered = false;
}

std::optional<pool_book::open_order> pool_book::order_for_oldest(const server_entry* server,
                                                                 ticket_id except) {
    const account& a = accounts_[server];
    if (a.used >= a.limit) return std::nullopt;
    ticket_id oldest = 0;
    for (const int hostgroup : a.hostgroups) {
        const auto queue = queues_.find(hostgroup);
        if (queue == queues_.end()) continue;
        for (const auto& [id, t] : queue->second) {
            if (t->ordered || id == except || !t->accepts(server)) continue;
            if (oldest == 0 || id < oldest) oldest = id;
            break;
        }
    }
    if (oldest == 0 || !reserve(server)) return std::nullopt;
    return order(oldest, server, tickets_.at(oldest));
}

std::optional<pool_book::open_order> pool_book::closed(const server_entry* server) {
    const std::scoped_lock lock(mutex_);
    account& a = accounts_[server];
    assert(a.used > 0);
    --a.used;
    return order_for_oldest(server);
}

pool_book::failure_result pool_book::open_failed(ticket_id id, const server_entry* server) {
    const std::scoped_lock lock(mutex_);
    account& a = accounts_[server];
    assert(a.used > 0);
    --a.used;
    failure_result result;
    const auto it = tickets_.find(id);
    if (it == tickets_.end()) {
        result.other = order_for_oldest(server);
        return result;
    }
    result.still_waiting = true;
    ticket& t = it->second;
    t.ordered = false;
    if (const server_entry* next = reserve_for(t, nullptr, server)) {
        result.retry = order(id, next, t);
    }
    // The ticket itself comes back later; meanwhile its permit must not lie idle.
    result.other = order_for_oldest(server, id);
    return result;
}

std::optional<pool_book::open_order> pool_book::order_again(ticket_id id) {
    const std::scoped_lock lock(mutex_);
    const auto it = tickets_.find(id);
    if (it == tickets_.end() || it->second.ordered) return std::nullopt;
    ticket& t = it->second;
    const server_entry* server = reserve_for(t, nullptr, nullptr);
    if (server == nullptr) return std::nullopt;
    return order(id, server, t);
}

bool pool_book::reserve_spare(const server_entry* server, std::uint32_t most) {
    const std::scoped_lock lock(mutex_);
    return accounts_[server].used < most && reserve(server);
}

std::uint32_t pool_book::surplus(const server_entry* server, unsigned worker, std::uint32_t unused,
                                 std::uint32_t most) {
    const std::scoped_lock lock(mutex_);
    auto& by_worker = accounts_[server].unused;
    by_worker[worker] = unused;
    std::uint32_t all = 0;
    for (const auto& [who, count] : by_worker)
        all += count;
    const std::uint32_t closing = std::min(unused, all - std::min(all, most));
    by_worker[worker] -= closing;
    return closing;
}

std::vector<pool_book::open_order> pool_book::place(placement now) {
    const std::scoped_lock lock(mutex_);
    placement_ = std::move(now);
    for (auto& [server, a] : accounts_) {
        a.limit = 0;
        a.hostgroups.clear();
    }
    for (const auto& [hostgroup, candidates] : placement_) {
        for (const candidate& c : candidates) {
            account& a = accounts_[c.server];
            // One server in several hostgroups is one server: the largest of its limits holds.
            a.limit = std::max(a.limit, c.max_connections);
            a.hostgroups.push_back(hostgroup);
        }
    }
    std::vector<open_order> orders;
    for (auto& [id, t] : tickets_) {
        if (t.ordered) continue;
        const server_entry* server = reserve_for(t, nullptr, nullptr);
        if (server == nullptr) continue;
        orders.push_back(order(id, server, t));
    }
    return orders;
}

std::uint32_t pool_book::used(const server_entry* server) const {
    const std::scoped_lock lock(mutex_);
    const auto it = accounts_.find(server);
    return it == accounts_.end() ? 0 : it->second.used;
}

std::uint32_t pool_book::most_used(const server_entry* server, bool reset) {
    const std::scoped_lock lock(mutex_);
    const auto it = accounts_.find(server);
    if (it == accounts_.end()) return 0;
    account& a = it->second;
    return std::exchange(a.most_used, reset ? a.used : a.most_used);
}

}  // namespace howdah::proxy
