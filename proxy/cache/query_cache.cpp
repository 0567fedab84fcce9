#include "proxy/cache/query_cache.hpp"

#include <iterator>
#include <utility>

namespace howdah::proxy {

std::size_t query_cache::hash::operator()(const cache_key* k) const noexcept {
    return std::hash<std::string_view>()(k->request) ^
           (reinterpret_cast<std::uintptr_t>(k->login) >> 4) * 0x9e3779b97f4a7c15U ^
           (reinterpret_cast<std::uintptr_t>(k->settings.get()) >> 4) * 0xbf58476d1ce4e5b9U;
}

std::size_t query_cache::entry::cost() const {
    // Nodes of list and index, and their allocations.
    constexpr std::size_t overhead = sizeof(entry) + 128;
    return key.request.capacity() + result.messages.capacity() + overhead;
}

void query_cache::erase(entries::iterator at) {
    counters_.memory -= at->cost();
    --counters_.entries;
    ++counters_.purged;
    index_.erase(&at->key);
    order_.erase(at);
}

const cached_result* query_cache::find(const cache_key& key, clock::time_point now,
                                       unsigned soft_pct) {
    ++counters_.gets;
    const auto found = index_.find(&key);
    if (found == index_.end()) return nullptr;
    const entries::iterator at = found->second;
    if (now >= at->expires) {
        erase(at);
        return nullptr;
    }
    if (soft_pct > 0 && !at->renewing &&
        (now - at->stored) * 100 >= (at->expires - at->stored) * soft_pct) {
        at->renewing = true;
        return nullptr;
    }
    order_.splice(order_.begin(), order_, at);
    ++counters_.hits;
    counters_.bytes_out += at->result.messages.size();
    return &at->result;
}

void query_cache::store(cache_key key, cached_result result, std::chrono::milliseconds ttl,
                        clock::time_point now, std::size_t capacity) {
    if (const auto old = index_.find(&key); old != index_.end()) erase(old->second);
    key.request.shrink_to_fit();
    result.messages.shrink_to_fit();
    entry fresh{std::move(key), std::move(result), now, now + ttl};
    const std::size_t cost = fresh.cost();
    if (cost > capacity) return;
    shrink(capacity - cost);
    ++counters_.sets;
    counters_.bytes_in += fresh.result.messages.size();
    counters_.memory += cost;
    ++counters_.entries;
    order_.push_front(std::move(fresh));
    index_.emplace(&order_.front().key, order_.begin());
}

void query_cache::shrink(std::size_t capacity) {
    while (counters_.memory > capacity)
        erase(std::prev(order_.end()));
}

}  // namespace howdah::proxy
