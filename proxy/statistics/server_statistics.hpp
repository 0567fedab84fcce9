#pragma once
#include <cstdint>
#include <map>
#include <utility>

#include "proxy/pool/identity.hpp"

namespace howdah::proxy {

/// What clients have exchanged with a server as a member of a hostgroup.
struct server_counters {
    std::uint64_t statements = 0;
    std::uint64_t sent = 0;      ///< bytes to the server
    std::uint64_t received = 0;  ///< bytes from it

    void add(const server_counters& other) {
        statements += other.statements;
        sent += other.sent;
        received += other.received;
    }
};

/// Connections to a server, whatever the hostgroup: it does not matter to them.
struct connection_counters {
    std::uint64_t opened = 0;
    std::uint64_t failed = 0;

    void add(const connection_counters& other) {
        opened += other.opened;
        failed += other.failed;
    }
};

/// Of one worker, on its thread. Entries stay where they are: sessions keep a pointer to theirs.
struct server_statistics {
    std::map<std::pair<int, const server_entry*>, server_counters> traffic;
    std::map<const server_entry*, connection_counters> connections;

    /// A copy; counting begins anew.
    [[nodiscard]] server_statistics take() {
        server_statistics before = *this;
        for (auto& [key, n] : traffic)
            n = {};
        for (auto& [key, n] : connections)
            n = {};
        return before;
    }
    /// Adds another worker's.
    void add(const server_statistics& other) {
        for (const auto& [key, n] : other.traffic)
            traffic[key].add(n);
        for (const auto& [key, n] : other.connections)
            connections[key].add(n);
    }
};

}  // namespace howdah::proxy
