#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/pool/identity.hpp"
#include "proxy/sql/statement_cache.hpp"

namespace howdah::proxy {

/// What one client is doing at a moment; a copy that any thread may have. The entries it points to
/// live as long as the process.
struct client_report {
    std::int32_t pid = 0;
    unsigned worker = 0;
    const pool_login* login = nullptr;
    std::string peer;    ///< "10.0.0.1:40112", "unix"
    int hostgroup = -1;  ///< of the server that it holds or waits for; -1: neither
    const server_entry* server = nullptr;  ///< null: it holds none
    std::int32_t server_pid = 0;
    char status = 'I';     ///< of its transaction, as in ReadyForQuery
    bool running = false;  ///< the server owes it something
    bool waiting = false;  ///< for a server
    bool tls = false;
    bool replication = false;
    std::uint16_t pins = 0;                       ///< why it keeps its server (sql::pin_reason)
    std::chrono::steady_clock::duration since{};  ///< it runs, waits or is idle
    sql::digested_ptr digest;                     ///< what runs; null: not known
};

}  // namespace howdah::proxy
