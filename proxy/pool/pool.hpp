#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/io/deadline.hpp"
#include "proxy/held_clients.hpp"
#include "proxy/pool/balance.hpp"
#include "proxy/pool/book.hpp"
#include "proxy/pool/orphans.hpp"
#include "proxy/pool/server_connection.hpp"
#include "proxy/pool/server_login.hpp"
#include "proxy/traffic.hpp"

namespace howdah::proxy {

class hostgroup_policies;
class worker;

/// Somebody who waits for a server connection. Its owner takes it out of the pool (forget) before
/// it dies.
class server_waiter {
public:
    /// The connection is the waiter's until it releases or discards it. Null: it broke on the way,
    /// ask again.
    virtual void on_server(server_ptr connection) = 0;
    /// There will be none; the waiter is out of the queue.
    virtual void on_no_server(const server_login_error& why) = 0;
    /// An attempt failed for one who waits for that very server. True: the waiter has taken itself
    /// out of the queue (forget) and looks elsewhere; false: further attempts follow.
    virtual bool on_attempt_failed(const server_entry* server) = 0;

    [[nodiscard]] bool waiting() const { return ticket_ != 0; }
    /// Why the latest attempt to connect on its behalf failed; empty if none did.
    [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

protected:
    virtual ~server_waiter() = default;
    /// It waits for others than those that failed so far.
    void forget_failures() {
        attempts_ = 0;
        last_failure_.clear();
    }
    /// While it waits for the end of a failover or switchover; given back when it does not wait any
    /// more.
    held_clients::place hold_;

private:
    friend class pool;
    pool_book::ticket_id ticket_ = 0;
    unsigned attempts_ = 0;
    bool only_ = false;
    const startup_parameters* own_ = nullptr;
    std::string last_failure_;
};

/// Which server will do.
struct server_wish {
    int hostgroup = 0;
    const server_entry* avoid = nullptr;  ///< has just failed this client
    const server_entry* only = nullptr;   ///< null: any of the hostgroup
    /// Not null: a connection opened with these, never one that was used before; its waiter
    /// discards it in the end. They live as long as the waiter waits.
    const startup_parameters* own = nullptr;
};

/// An idle server connection, for those who look at statistics.
struct idle_report {
    const server_entry* server;
    const pool_login* login;
    std::int32_t pid;
    std::chrono::steady_clock::duration since;
    const connection_init* init;  ///< what it began with; null: nothing
};

/// One worker's server connections: its idle ones and those it opens. Takes part in the
/// process-wide account (pool_book) as soon as an idle connection of its own will not do.
class pool final : public server_owner, private protocol::deadline {
public:
    explicit pool(worker& w);
    ~pool();

    /// An idle connection of this worker, if nobody has waited longer. A matching one is preferred
    /// by its settings. None of `avoid`.
    [[nodiscard]] server_ptr try_take(const server_wish& wish, const pool_login* login,
                                      const settings_ptr& settings);
    /// Queues for a connection: on_server or on_no_server follows, from the event loop. One of
    /// `avoid` only if no other server will do, and only a new one.
    void wait(server_waiter& who, const server_wish& wish, const pool_login* login);
    void forget(server_waiter& who);

    /// One of several servers as load_balance says; `avoid` only if there is no other. Null: none.
    [[nodiscard]] const server_entry* choose(std::span<const pool_book::candidate> candidates,
                                             const server_entry* avoid, std::uint64_t draw) const;
    [[nodiscard]] std::uint64_t draw() { return drawn_ += golden_step; }

    /// Gives a clean connection back: to the oldest waiter of the process, else to the idle ones.
    void release(server_ptr connection);
    /// Closes a connection and returns its permit.
    void discard(server_ptr connection);
    /// A connection that still runs something for a client that has gone: kept until that is
    /// through, then cleaned and given back.
    void orphan(server_ptr connection) { orphans_.adopt(std::move(connection)); }
    /// Sends a cancel for what the connection runs now.
    void cancel(server_connection& connection);

    /// Closes the connections of a server that no client holds.
    void close_idle(const server_entry* server);
    /// Closes the idle connections to a database.
    void close_idle(std::string_view database);
    /// Closes the idle connections that operators want no more.
    void close_unwanted();
    /// Connections that no client holds.
    [[nodiscard]] std::size_t count_idle(const traffic_scope& scope) const;
    [[nodiscard]] std::vector<idle_report> report_idle() const;
    /// Closes every idle connection, for shutdown.
    void close_all_idle();

    /// Messages from other workers.
    void carry_out(const pool_book::open_order& order);
    void receive(pool_book::ticket_id ticket, server_connection::parts parts);
    void offer_idle();

    [[nodiscard]] int idle_count() const { return idle_count_.load(); }
    void start();
    void stop();

private:
    struct key {
        const server_entry* server;
        const pool_login* login;
        bool operator==(const key&) const = default;
    };
    struct key_hash {
        std::size_t operator()(const key& k) const {
            return (std::size_t{k.server->id} << 32 | k.login->id) * 0x9e3779b97f4a7c15ULL;
        }
    };

    void on_server_readable(server_connection& from) override;
    void on_server_writable(server_connection& from) override;
    void on_deadline() override;

    // pool_upkeep.cpp: what hostgroup_attributes say
    void note_use(int hostgroup, const server_entry* server, const pool_login* login);
    void warm_up();
    void close_surplus();
    void open_throttled();
    /// False: not yet; open_throttled does it when it may be.
    [[nodiscard]] bool may_open(const pool_book::open_order& order);
    [[nodiscard]] boost::asio::awaitable<void> open_spare(const server_entry* server,
                                                          const pool_login* login);
    /// That of the connections which this login uses in this hostgroup.
    [[nodiscard]] const pool_login* login_in(int hostgroup, const pool_login* login);

    [[nodiscard]] const server_entry* choose(const server_wish& wish);
    [[nodiscard]] server_ptr take_idle(const server_entry* server, const pool_login* login,
                                       const settings_ptr& settings);
    void close_idle_if(const std::function<bool(server_connection&)>& chosen);
    [[nodiscard]] bool unwanted(server_connection& connection) const;
    void remove_idle(server_connection& connection);
    /// A connection that nobody uses: to whoever waits for it, to the idle ones, or closed.
    void hand_out(server_ptr connection, bool just_opened);
    /// Gives an unused connection to whoever waits longest; false: nobody does.
    [[nodiscard]] bool pass_on(server_ptr& connection, bool just_opened);
    void keep(server_ptr connection);
    void deliver(pool_book::ticket_id ticket, server_ptr connection);
    void dispatch(const pool_book::open_order& order);
    boost::asio::awaitable<void> dispatch_later(pool_book::open_order order);
    [[nodiscard]] boost::asio::awaitable<void> open(pool_book::open_order order);
    [[nodiscard]] boost::asio::awaitable<void> open_own(pool_book::open_order order);
    [[nodiscard]] boost::asio::awaitable<void> run_cancel(const server_entry* server,
                                                          std::int32_t pid, std::string key,
                                                          std::shared_ptr<int> cancels);
    void count_opened(const server_entry* server);
    void count_failed(const server_entry* server, const server_login_error& why);
    void open_failed(const pool_book::open_order& order, const server_login_error& why);
    void return_permit(const server_entry* server);
    /// Asks every worker that has idle connections to offer them to those who wait.
    void ask_for_idle();
    [[nodiscard]] bool process_idle_input(server_connection& connection);

    worker& worker_;
    std::uint32_t& busy_count(const server_entry* server);

    std::unordered_map<key, std::vector<server_ptr>, key_hash> idle_;
    busy_counts busy_;
    orphans orphans_;
    std::vector<server_ptr> parked_;  // out of use until their cancels are through
    std::unordered_map<pool_book::ticket_id, server_waiter*> waiters_;
    std::vector<pool_book::ticket_id> retry_;
    std::vector<pool_book::open_order> throttled_;
    /// Servers and logins in use whose hostgroup wants more connections open.
    std::set<std::tuple<int, const server_entry*, const pool_login*>> to_warm_;
    /// login_in, under these policies.
    std::map<std::pair<int, const pool_login*>, const pool_login*> logins_in_;
    std::shared_ptr<const hostgroup_policies> logins_by_;
    std::atomic<int> idle_count_{0};
    std::uint64_t drawn_;
};

}  // namespace howdah::proxy
