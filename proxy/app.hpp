#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "conf/settings.hpp"
#include "ha/store.hpp"
#include "ha/supervisor.hpp"
#include "monitor/auth_query_source.hpp"
#include "monitor/function_catalog_source.hpp"
#include "monitor/monitor.hpp"
#include "proxy/administration.hpp"
#include "proxy/ha_api.hpp"
#include "proxy/handover.hpp"
#include "proxy/operations.hpp"
#include "proxy/process.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {

/// What can be wrong with a configuration beyond its own text: certificate files and the regular
/// expressions of rules. Throws std::runtime_error with the cause.
void check_resources(const conf::settings& settings);

/// The composition root: builds the objects in order, runs the control thread (the caller's) and
/// the workers, and takes them down in order.
class app {
public:
    /// Opens the listeners, or takes those of the process that has started this one. `command`
    /// (path and arguments) starts a process to take over at SIGUSR2; empty: none can be started.
    /// `started_from_disk`: the modules of the settings that are not from the file.
    /// Throws std::runtime_error.
    explicit app(std::shared_ptr<const conf::settings> settings,
                 std::vector<std::string> command = {},
                 std::vector<std::string> started_from_disk = {});
    ~app();

    /// Serves until SIGTERM or SIGINT. SIGHUP reloads, SIGUSR2 hands over to a new process. Returns
    /// the exit code.
    [[nodiscard]] int run();

    /// The TCP port of the first listener, for tests that listen on port 0.
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// As SIGTERM. Any thread.
    void request_stop();
    [[nodiscard]] boost::asio::io_context& control() { return control_; }
    /// The same of the admin interface.
    [[nodiscard]] std::uint16_t admin_port() const { return administration_->port(); }
    /// For tests; workers' counters are read without synchronisation once they stopped.
    [[nodiscard]] process& shared() { return process_; }
    /// Control thread only.
    [[nodiscard]] operations& traffic_control() { return operations_; }
    /// Control thread only.
    [[nodiscard]] monitor::monitor& watcher() { return monitor_; }

private:
    void open_listeners();
    [[nodiscard]] int open_admin_socket(const conf::listen_address& configured);
    void accept_clients();
    /// Of everything as it is now.
    [[nodiscard]] snapshot_ptr make_snapshot();
    void publish();
    void place_servers(const snapshot& s);
    /// Server connections to where a name led before are not used for anything new.
    void replace_connections_to_old_addresses(const monitor::hostgroups& before);
    /// Empty, or why it stays as it was. MEMORY follows.
    [[nodiscard]] std::string set_ha_mode(conf::ha_mode mode);
    /// What is known of databases that have another name on the servers now is forgotten.
    void leave_old_databases(const conf::settings& before);
    void server_dead(const monitor::endpoint& at);
    void on_catalog(const std::string& database, const monitor::function_rows& rows);
    void on_samples(const monitor::wal_samples& fresh);
    admin::sql_result<std::vector<std::string>> reload();
    /// Puts settings in force, as a whole; an error where a resource cannot be had. Returns what
    /// needs a restart.
    [[nodiscard]] admin::sql_result<std::vector<std::string>> apply(
        const std::shared_ptr<const conf::settings>& wanted);
    void begin_handover();
    void hand_over();
    void close_passed_sockets();
    void when_empty();
    void begin_shutdown();
    void stop_now();
    void stop_rest();
    void await_signal();

    std::shared_ptr<const conf::settings> settings_;
    boost::asio::io_context control_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer drain_limit_;
    boost::asio::steady_timer accept_timer_;
    process process_;
    protocol::tls_context client_tls_;
    protocol::tls_context server_tls_;
    std::shared_ptr<const compiled_rules> rules_;
    std::shared_ptr<const hostgroup_policies> policies_;
    std::shared_ptr<const client_rules> client_access_;
    std::shared_ptr<const monitor::hostgroups> hostgroups_;
    std::map<std::string, snapshot::catalog_ptr, std::less<>> catalogs_;
    monitor::monitor monitor_;
    monitor::function_catalog_source catalog_source_;
    monitor::auth_query_source auth_source_;
    monitor::wal_sampler sampler_;
    wal_view positions_;
    boost::asio::thread_pool ha_threads_{2};   ///< for what blocks: its disk, its hooks
    boost::asio::thread_pool api_threads_{2};  ///< for what its API reads
    std::unique_ptr<ha::store> ha_store_;
    std::unique_ptr<ha::supervisor> supervisor_;
    std::vector<std::unique_ptr<worker>> workers_;
    operations operations_{control_, process_.workers, [this] { publish(); }};
    std::unique_ptr<administration> administration_;
    std::unique_ptr<ha_api> ha_api_;
    std::vector<std::thread> threads_;
    std::vector<std::string> unix_sockets_;
    std::vector<std::pair<worker*, int>> sockets_;  ///< bound, not yet accepting
    std::vector<std::string> listening_on_;
    std::vector<std::string> command_;
    predecessor predecessor_;
    successor successor_;
    std::vector<passed_socket> to_pass_;  ///< duplicates of what the workers listen on
    std::size_t workers_busy_ = 0;
    std::uint16_t port_ = 0;
    bool handed_over_ = false;
    bool stopping_ = false;
};

}  // namespace howdah::proxy
