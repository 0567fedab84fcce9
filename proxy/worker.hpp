#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/io/buffer.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/gather.hpp"
#include "protocol/io/listener.hpp"
#include "protocol/io/task_gate.hpp"
#include "proxy/cache/query_cache.hpp"
#include "proxy/counters.hpp"
#include "proxy/mirror/mirror.hpp"
#include "proxy/pool/pool.hpp"
#include "proxy/process.hpp"
#include "proxy/read_floor.hpp"
#include "proxy/rules/rule_hits.hpp"
#include "proxy/rules/verdict_cache.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/sql/statement_cache.hpp"
#include "proxy/statistics/command_statistics.hpp"
#include "proxy/statistics/digest_statistics.hpp"
#include "proxy/statistics/duration_counts.hpp"
#include "proxy/statistics/error_statistics.hpp"
#include "proxy/statistics/server_statistics.hpp"

namespace howdah::proxy {

class worker_client;
struct client_report;

/// One data-plane thread: its event loop and everything that its sessions use without a lock.
/// Sessions and connections live and die here. Other threads only post to `io`.
class worker {
public:
    worker(unsigned index, process& shared, snapshot_ptr first);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// Runs the event loop until stop() was carried out. On the worker's own thread.
    void run();

    // Callable from any thread: posted to the worker.
    void publish(snapshot_ptr fresh);
    void server_dead(const server_entry* server);
    /// Somebody wants to be alone in this database: closes the idle connections to it.
    void leave_database(const std::string& database);
    /// Ends the clients of a scope (FATAL 57P01).
    void kill(const traffic_scope& scope);
    /// Ends one client (FATAL 57P01), or cancels what it runs. Calls back, on this worker's thread,
    /// with whether it is one of this worker's.
    void end_client(std::int32_t pid, bool end, std::function<void(bool)> done);
    /// Calls back, on this worker's thread, with the number of its server connections in a scope.
    void count_servers(const traffic_scope& scope, std::function<void(std::size_t)> done);
    /// Calls back, on this worker's thread, with what its clients do; a few at a time, so that
    /// queries go on meanwhile.
    void report_clients(std::function<void(std::vector<client_report>)> done);
    /// Runs `what` on this worker's thread; it should be quick.
    void on_thread(std::function<void(worker&)> what);
    /// New WAL samples.
    void publish_positions(std::shared_ptr<const wal_view> fresh);
    /// Stops accepting; clients end when they are between transactions. on_empty is called, on
    /// this worker's thread, when the last one has gone.
    void drain(std::function<void()> on_empty);
    /// Stops accepting; clients stay. on_empty as with drain.
    void stop_listening(std::function<void()> on_empty);
    void stop();
    void cancel_client(std::int32_t pid, std::string key);

    /// Accepts on a listening socket, which it owns from now on. Before run() or on its thread.
    void listen(int fd);

    // For the worker's own thread.
    /// Registers a client and gives it the pid that cancel requests will name.
    [[nodiscard]] std::int32_t enroll(worker_client& c);
    void leave(std::int32_t pid);
    /// Of one that was accepted: it is a client by now, or refused.
    void login_ends();
    void report_failure(const server_entry* server, const std::string& why);
    [[nodiscard]] server_login_request server_login(const server_entry* server,
                                                    const pool_login* login) const;
    [[nodiscard]] std::uint64_t next_serial() { return ++serial_ * max_workers + index; }
    [[nodiscard]] std::size_t client_count() const { return clients_.size(); }
    /// With those of the cache and of the mirror.
    [[nodiscard]] worker_counters all_counters() const;
    /// Its share of query_cache_size_mb, in bytes.
    [[nodiscard]] std::size_t cache_capacity() const;
    /// Of statements that shall be logged: whether this one is (eventslog_rate_limit).
    [[nodiscard]] bool next_is_logged() {
        return loggable_++ % now->vars().eventslog_rate_limit == 0;
    }
    /// For rules that draw (rule_subject::draw): evenly spread, and nobody can foretell it.
    [[nodiscard]] std::uint64_t next_draw() { return draws_ += 0x9e3779b97f4a7c15U; }

    static constexpr unsigned max_workers = 256;

    const unsigned index;
    process& shared;
    protocol::buffer_pool buffers;  ///< before io: coroutines that io destroys give chunks back
    boost::asio::io_context io{1};
    protocol::deadline_wheel wheel;
    protocol::task_gate gate;
    protocol::gather to_client;
    protocol::gather to_server;
    std::int32_t active = 0;  ///< pid of the client whose event is at hand
    sql::statement_cache statements;
    verdict_cache verdicts;
    rule_hits hits;
    digest_statistics digests;
    error_statistics errors;
    command_statistics commands;
    server_statistics server_traffic;
    duration_counts waits;  ///< for a server connection
    query_cache cache;
    worker_counters counters;
    std::unordered_map<const pool_login*, login_counters> logins;  ///< entries stay where they are
    snapshot_ptr now;
    std::chrono::steady_clock::time_point coarse_now = std::chrono::steady_clock::now();
    pool servers;
    mirror mirrors{*this};
    std::shared_ptr<const wal_view> positions = std::make_shared<const wal_view>();
    std::vector<pool_book::candidate> suitable;  ///< scratch of read_floor::choose

    /// The client is told of the next sample (on_sample).
    void await_sample(std::int32_t pid);

private:
    void accepted(protocol::stream_socket socket);
    /// FATAL 57P01.
    void end_clients(const traffic_scope& scope);
    void finish_drain_if_empty();
    struct reporting;
    void report_some(std::shared_ptr<reporting> r);
    /// Kept alive while they are told something that may end them.
    [[nodiscard]] std::vector<boost::intrusive_ptr<worker_client>> all_clients() const;

    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::vector<std::unique_ptr<protocol::listener>> listeners_;
    std::unordered_map<std::int32_t, worker_client*> clients_;
    std::set<std::int32_t> sample_waiters_;  // by pid
    std::function<void()> on_empty_;
    std::uint32_t next_pid_ = 0;
    std::uint64_t serial_ = 0;
    std::uint64_t loggable_ = 0;
    std::uint64_t draws_ = sql::statement_cache::random_key();
    bool draining_ = false;
    std::size_t logins_ = 0;      ///< under way: they may become clients
    bool waits_for_end_ = false;  ///< of all clients, as they please
    bool ending_last_ = false;
    bool descriptors_scarce_ = false;
    int found_room_ = 0;  ///< clients in a row that found a descriptor, while they are scarce
};

}  // namespace howdah::proxy
