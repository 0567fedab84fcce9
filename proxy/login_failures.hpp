#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <vector>

#include "conf/address.hpp"
#include "conf/settings.hpp"

namespace howdah::proxy {

/// Counts failed logins by client address; of IPv6 the /64 network, because one host has all of
/// it. Bounded: the address whose last failure is oldest goes first. Thread-safe.
class login_failures {
public:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t max_addresses = 4096;
    /// An address without a failure for this long begins anew.
    static constexpr std::chrono::minutes forgotten_after{1};

    /// Adds a failure; returns how many the address has now. Unix sockets are 0.0.0.0.
    std::uint32_t add(const conf::ip_address& address, clock::time_point now = clock::now());
    [[nodiscard]] std::size_t size() const;

    struct row {
        conf::ip_address address;  ///< of IPv6 the network
        std::uint32_t count;
        clock::duration ago;  ///< the last one
    };
    /// Those that are remembered, the latest first; `forget`: all begin anew.
    [[nodiscard]] std::vector<row> read(bool forget, clock::time_point now = clock::now());

private:
    struct entry {
        conf::ip_address network;
        std::uint32_t count = 0;
        clock::time_point last;
    };
    mutable std::mutex mutex_;
    std::list<entry> entries_;  ///< latest failure first
    std::map<conf::ip_address, std::list<entry>::iterator> index_;
};

/// How long the answer to the address's n-th failure is held back (failed_login_delay).
[[nodiscard]] std::chrono::milliseconds login_delay(const conf::variables& vars,
                                                    std::uint32_t failures);

}  // namespace howdah::proxy
