#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "proxy/pool/identity.hpp"

namespace howdah::proxy {

/// The process-wide account of server connections: who holds how many permits, and who waits,
/// oldest first. It makes limits exact and waiting fair over any number of workers. Decides only;
/// the workers open, close and hand over. Thread-safe; a worker that finds an idle connection of
/// its own while nobody waits never comes here.
class pool_book {
public:
    /// Of a wish that no server meets.
    static constexpr int no_hostgroup = -1;
    using ticket_id = std::uint64_t;

    /// A server of a hostgroup that may be used now.
    struct candidate {
        const server_entry* server;
        std::uint32_t weight;
        std::uint32_t max_connections;
    };
    using placement = std::map<int, std::vector<candidate>>;

    /// "Open a connection to that server for this ticket"; the permit is already taken.
    struct open_order {
        ticket_id ticket;
        const server_entry* server;
        const pool_login* login;
        unsigned worker;
        bool own;       ///< for this ticket and nobody else
        int hostgroup;  ///< in which it is needed
    };
    struct queued {
        ticket_id ticket;
        std::optional<open_order> open;  ///< nothing: wait for a connection or a permit
    };
    /// What to do with a connection that nobody uses.
    struct claim_result {
        enum class what {
            keep,    ///< nobody wants it: idle
            serve,   ///< it goes to this ticket
            replace  ///< close it; its permit goes to `open`, or, above a lowered limit, to nobody
        };
        what action = what::keep;
        ticket_id ticket = 0;
        unsigned worker = 0;
        std::optional<open_order> open;
    };

    /// How many tickets wait. Workers read it before they use or keep an idle connection.
    [[nodiscard]] std::size_t waiting() const { return waiting_.load(); }
    [[nodiscard]] bool anyone_waits_in(int hostgroup) const;

    /// Joins the queue of a hostgroup. `preferred` is tried first for a new connection. `avoid` has
    /// just failed this client: its older connections may be about to end, too, so that only one
    /// opened from now on will do. With `only` no other server of the hostgroup will do. With `own`
    /// no connection will do but one opened for this very ticket, which leaves the queue (cancel)
    /// when it has it.
    [[nodiscard]] queued enqueue(int hostgroup, const pool_login* login, unsigned worker,
                                 const server_entry* preferred, const server_entry* avoid = nullptr,
                                 const server_entry* only = nullptr, bool own = false);
    /// Leaves the queue. False: the ticket was already served.
    bool cancel(ticket_id ticket);

    /// A connection became free (released or just opened).
    [[nodiscard]] claim_result claim(const server_entry* server, const pool_login* login,
                                     bool just_opened = false);
    /// The connection opened for a ticket is there; the ticket, if it still waits, may order again.
    void opened(ticket_id ticket);
    /// A connection is gone: its permit goes to the oldest ticket that can use it.
    [[nodiscard]] std::optional<open_order> closed(const server_entry* server);
    /// Opening failed: the permit is returned; the ticket gets another server of its hostgroup if
    /// there is one with a permit.
    struct failure_result {
        bool still_waiting = false;
        std::optional<open_order> retry;  ///< for the same ticket
        std::optional<open_order> other;  ///< the permit went to somebody else
    };
    [[nodiscard]] failure_result open_failed(ticket_id ticket, const server_entry* server);
    /// Tries again for a ticket whose last attempt failed.
    [[nodiscard]] std::optional<open_order> order_again(ticket_id ticket);

    /// A permit for a connection that nobody waits for, as long as fewer than `most` are in use. It
    /// goes back by closed().
    [[nodiscard]] bool reserve_spare(const server_entry* server, std::uint32_t most);
    /// A worker has so many connections to the server that were not used lately. How many of them
    /// it has to close, so that all workers together keep no more than `most`.
    [[nodiscard]] std::uint32_t surplus(const server_entry* server, unsigned worker,
                                        std::uint32_t unused, std::uint32_t most);

    /// New roles, statuses or limits. Returns what can be opened now for those who wait.
    [[nodiscard]] std::vector<open_order> place(placement now);

    /// Permits in use, for statistics and tests.
    [[nodiscard]] std::uint32_t used(const server_entry* server) const;
    /// The most that were in use at a time; `reset`: from now on.
    [[nodiscard]] std::uint32_t most_used(const server_entry* server, bool reset);

private:
    struct ticket {
        int hostgroup;
        const pool_login* login;
        unsigned worker;
        const server_entry* avoid;
        const server_entry* only;
        bool own;
        bool ordered;

        [[nodiscard]] bool accepts(const server_entry* server) const {
            return only == nullptr || only == server;
        }
    };
    struct account {
        std::uint32_t used = 0;
        std::uint32_t most_used = 0;
        std::uint32_t limit = 0;
        std::vector<int> hostgroups;
        std::map<unsigned, std::uint32_t> unused;  ///< by worker: not used lately
    };

    [[nodiscard]] bool reserve(const server_entry* server);
    [[nodiscard]] const server_entry* reserve_for(const ticket& t, const server_entry* preferred,
                                                  const server_entry* avoid);
    [[nodiscard]] std::optional<open_order> order_for_oldest(const server_entry* server,
                                                             ticket_id except = 0);
    [[nodiscard]] static open_order order(ticket_id id, const server_entry* server, ticket& t);
    void erase(ticket_id id);

    mutable std::mutex mutex_;
    std::atomic<std::size_t> waiting_{0};
    ticket_id next_ = 1;
    std::map<ticket_id, ticket> tickets_;
    std::map<int, std::map<ticket_id, ticket*>> queues_;  // by hostgroup, oldest first
    placement placement_;
    std::unordered_map<const server_entry*, account> accounts_;
};

}  // namespace howdah::proxy
