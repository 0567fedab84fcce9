#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "monitor/wal_sampler.hpp"
#include "proxy/pool/book.hpp"

namespace howdah::proxy {

/// The monitor's WAL samples, by server. Immutable; the control thread publishes a new one with
/// each sample and every worker keeps its own pointer.
struct wal_view {
    struct server {
        const server_entry* which;
        /// Oldest first, in one role and on one timeline; never empty. Of a standby only the last.
        std::vector<monitor::wal_sample> samples;
    };
    std::vector<server> servers;

    /// Empty: nothing is known of the server.
    [[nodiscard]] std::span<const monitor::wal_sample> of(const server_entry* which) const {
        for (const server& s : servers)
            if (s.which == which) return s.samples;
        return {};
    }
    /// Adds a server's newest sample.
    void add(const server_entry* which, const monitor::wal_sample& newest);
};

/// How far a reader must have replayed so that a session does not go back in time: behind its own
/// writes and behind everything that it has seen. Pure; belongs to one session.
///
/// A reply shows a state that a sample of the primary covers if it was taken after the reply. Until
/// there is such a sample nobody can say which readers will do, and the writer answers; from then
/// on every reader that has replayed the sampled position will. The reader that answered last never
/// goes back by itself; another one must have replayed a sample taken after that answer.
class read_floor {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Why the writer has to answer.
    enum class outcome : std::uint8_t {
        reader,     ///< it does not: some reader will do
        no_sample,  ///< no sample has been taken since the session last saw the writer
        lag,        ///< no reader has replayed what the session has seen
        forked      ///< a failover may have undone what the session has seen; reported once
    };

    /// The writer replied.
    void saw_writer(time_point replied) { uncovered_ = std::max(uncovered_, replied); }
    /// A reader replied.
    void saw_reader(const server_entry* server, time_point replied) {
        reader_ = server;
        read_at_ = replied;
    }
    /// The session's reader is gone: another one must not show less than it did.
    void reader_lost(const server_entry* server) {
        if (reader_ == server) leave_reader();
    }

    /// Which of `readers` will do, in `suitable`.
    /// `writer` may be null, and `avoid`.
    [[nodiscard]] outcome choose(const wal_view& view, const server_entry* writer,
                                 std::span<const pool_book::candidate> readers,
                                 const server_entry* avoid, time_point now,
                                 std::vector<pool_book::candidate>& suitable);

    /// Looks for a sample of the primary that covers what the session has seen so far. False: there
    /// is none yet.
    bool cover(std::span<const monitor::wal_sample> primary);
    /// Another session has seen this; this one must not see less.
    void at_least(const monitor::wal_position& what, time_point now);

    /// What the session has seen, as far as samples cover it.
    [[nodiscard]] const monitor::wal_position& position() const { return floor_; }
    /// A reader has answered before, and is still the session's.
    [[nodiscard]] bool has_reader() const { return reader_ != nullptr; }
    [[nodiscard]] bool covered() const { return uncovered_ == time_point{}; }

private:
    void leave_reader();
    [[nodiscard]] static bool covers(const wal_view& view, const server_entry* server,
                                     const monitor::wal_position& what);

    monitor::wal_position floor_;  // lsn 0: nothing has been seen that a reader could lack
    time_point covered_until_{};   // when the sample was taken that is the floor
    time_point uncovered_{};       // the last reply that no sample covers yet
    const server_entry* reader_ = nullptr;
    time_point read_at_{};
};

}  // namespace howdah::proxy
