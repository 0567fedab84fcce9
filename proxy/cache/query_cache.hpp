#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/cache/cached_result.hpp"
#include "proxy/pool/identity.hpp"
#include "proxy/session/settings.hpp"

namespace howdah::proxy {

/// Names are those of ProxySQL's Query_Cache_... statistics.
struct query_cache_counters {
    std::uint64_t gets = 0;
    std::uint64_t hits = 0;
    std::uint64_t sets = 0;
    std::uint64_t bytes_in = 0;   ///< stored
    std::uint64_t bytes_out = 0;  ///< given to clients
    std::uint64_t purged = 0;     ///< results that were over, or had to make room
    std::uint64_t entries = 0;    ///< now
    std::uint64_t memory = 0;     ///< bytes, now
};

/// What has to be equal for a result to be the same: who asks, under which settings (all that the
/// session has set: role, search_path, TimeZone, ...), for what.
struct cache_key {
    const pool_login* login = nullptr;
    settings_ptr settings;  ///< interned; held, so that its address stays its own
    std::string request;    ///< text or bytes of the request, with all that shapes the answer

    bool operator==(const cache_key&) const = default;
};

/// Results by what was asked for, each until its time is over; the least recently used make room.
/// One worker's, on its thread. Pure: it is told the time.
class query_cache {
public:
    using clock = std::chrono::steady_clock;

    /// Null: not there, or over; or, once `soft_pct` percent of its time are over (0: never), this
    /// caller is the one who shall renew it. Valid until the next call.
    [[nodiscard]] const cached_result* find(const cache_key& key, clock::time_point now,
                                            unsigned soft_pct);
    /// Replaces what was there. Nothing happens where it alone is larger than `capacity` bytes.
    void store(cache_key key, cached_result result, std::chrono::milliseconds ttl,
               clock::time_point now, std::size_t capacity);
    /// Drops the oldest until no more than `capacity` bytes are left.
    void shrink(std::size_t capacity);
    void clear() { shrink(0); }
    [[nodiscard]] const query_cache_counters& counters() const { return counters_; }

private:
    struct entry {
        cache_key key;
        cached_result result;
        clock::time_point stored;
        clock::time_point expires;
        bool renewing = false;

        [[nodiscard]] std::size_t cost() const;
    };
    using entries = std::list<entry>;
    struct hash {
        std::size_t operator()(const cache_key* k) const noexcept;
    };
    struct equal {
        bool operator()(const cache_key* a, const cache_key* b) const noexcept { return *a == *b; }
    };

    void erase(entries::iterator at);

    entries order_;  // most recent first
    std::unordered_map<const cache_key*, entries::iterator, hash, equal> index_;
    query_cache_counters counters_;
};

}  // namespace howdah::proxy
