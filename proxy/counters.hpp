#pragma once
#include <array>
#include <cstdint>

#include "proxy/cache/query_cache.hpp"
#include "proxy/router.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// Of the clients of one login (database and user), per worker; times in microseconds.
struct login_counters {
    std::uint64_t transactions = 0;
    std::uint64_t statements = 0;
    std::uint64_t assignments = 0;  ///< of server connections to clients
    std::uint64_t received = 0;     ///< bytes from clients
    std::uint64_t sent = 0;         ///< bytes from servers
    std::uint64_t transaction_us = 0;
    std::uint64_t statement_us = 0;  ///< of statements that digests are kept of
    std::uint64_t wait_us = 0;       ///< for a server connection
    std::uint64_t client_parses = 0;
    std::uint64_t binds = 0;
};

/// Mirrored statements of one worker.
struct mirror_counters {
    std::uint64_t sent = 0;     ///< to a server
    std::uint64_t failed = 0;   ///< ... or not, or with an error
    std::uint64_t dropped = 0;  ///< for want of room in the queue, or too large
    std::uint64_t running = 0;  ///< now
    std::uint64_t queued = 0;   ///< now
};

/// What one worker has counted since the start; written by its thread alone.
struct worker_counters {
    std::uint64_t clients_accepted = 0;
    std::uint64_t clients_refused = 0;
    std::uint64_t clients_over_limit = 0;  ///< 53300: in all, of a user, database or address
    std::uint64_t logins_failed = 0;
    std::uint64_t login_timeouts = 0;
    std::uint64_t replication_clients = 0;
    std::uint64_t logins_delayed = 0;  ///< of those that failed, answered after failed_login_delay
    std::uint64_t queries_to_writer = 0;
    std::uint64_t queries_to_reader = 0;
    /// Batches by why they go where they go (route_reason); those of an open transaction or a
    /// pinned session are not routed.
    std::array<std::uint64_t, route_reasons> routed{};
    std::uint64_t reads_in_transaction = 0;  ///< ... that the writer runs because of it
    /// Sessions that began to keep their server, by reason (the bits of sql::pin_reason in order).
    std::array<std::uint64_t, sql::pin_reasons> pinned{};
    /// Reads that the writer answered: no sample covered yet what the session had seen; no reader
    /// had replayed it; a failover may have undone it.
    std::uint64_t reads_held_uncovered = 0;
    std::uint64_t reads_held_lag = 0;
    std::uint64_t reads_held_forked = 0;
    std::uint64_t sample_waits = 0;  ///< reads that waited for a sample
    std::uint64_t server_connections_created = 0;
    std::uint64_t server_connections_failed = 0;
    std::uint64_t servers_lost = 0;
    std::uint64_t reads_rerun = 0;
    std::uint64_t unread_rerun = 0;       ///< batches that a dead server has never read
    std::uint64_t reads_rerouted = 0;     ///< 25006: a read that turned out to write
    std::uint64_t statements_mended = 0;  ///< prepared anew because the server would not run them
    std::uint64_t waits = 0;
    std::uint64_t wait_notices = 0;
    std::uint64_t wait_timeouts = 0;
    /// Waits for the end of a failover or switchover: begun; of these, those that took too long;
    /// and clients that could not wait, because too many did.
    std::uint64_t holds = 0;
    std::uint64_t holds_timed_out = 0;
    std::uint64_t holds_refused = 0;
    std::uint64_t query_timeouts = 0;
    std::uint64_t transaction_timeouts = 0;
    std::uint64_t transaction_idle_timeouts = 0;
    std::uint64_t client_idle_timeouts = 0;
    /// Statements that were running when their client vanished, and those of them cancelled.
    std::uint64_t clients_vanished = 0;
    std::uint64_t cancelled_for_vanished = 0;
    std::uint64_t cancels = 0;
    std::uint64_t slow_queries = 0;  ///< long_query_time
    query_cache_counters cache;      ///< filled in where the counters are handed out
    mirror_counters mirror;          ///< the same
};

}  // namespace howdah::proxy
