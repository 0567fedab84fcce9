#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "admin/config/layers.hpp"
#include "admin/history/history.hpp"
#include "admin/http/http_server.hpp"
#include "admin/server/admin_server.hpp"
#include "admin/sql/sql_session.hpp"
#include "conf/settings.hpp"
#include "proxy/admin/process_commands.hpp"

namespace howdah::monitor {
class monitor;
}

namespace howdah::ha {
class store;
class supervisor;
}  // namespace howdah::ha

namespace howdah::proxy {

class operations;
struct process;

/// What the administration may do to the rest of the process. All on the control thread.
struct administered {
    boost::asio::io_context& control;
    process& shared;
    monitor::monitor& watcher;
    operations& traffic_control;
    ha::supervisor& clusters;
    ha::store& kept_of_clusters;
    std::function<std::shared_ptr<const conf::settings>()> settings;
    /// Puts accepted settings in force; an error, or what needs a restart.
    std::function<admin::sql_result<std::vector<std::string>>(
        std::shared_ptr<const conf::settings>)>
        apply;
    process_control commands;
    /// The modules that the start took from DISK.
    std::vector<std::string> started_from_disk;
    std::function<protocol::tls_context()> client_tls;
    /// A socket that listens there: that of the process before this one, or a new one, which the
    /// next process gets. Throws std::runtime_error.
    std::function<int(const conf::listen_address&)> open_socket;
};

/// The administration of this process: puts the tables, commands and the server together. Lives on
/// the control thread.
class administration {
public:
    /// Throws std::runtime_error.
    explicit administration(administered what);
    ~administration();
    administration(const administration&) = delete;
    administration& operator=(const administration&) = delete;

    /// Opens the listeners of admin_pgsql_ifaces and admin_metrics_ifaces. Throws
    /// std::runtime_error.
    void listen();
    /// Another process serves the sockets from now on; clients that are there stay.
    void stop_listening();
    /// Ends all clients; `stopped` is called when none is left, at once if there is none.
    void stop(std::function<void()> stopped);
    /// A configuration came into force that MEMORY knows nothing of (SIGHUP).
    void follow(std::shared_ptr<const conf::settings> settings);
    /// The same for one variable (by the API); what else MEMORY has stays.
    void follow(std::string variable, std::string value);
    /// Of the first TCP listener; 0: there is none.
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    /// On an admin thread.
    void change_memory(std::function<admin::sql_result<void>(admin::database&)> change);
    [[nodiscard]] admin::admin_access access() const;
    void keep_history();
    void take_sample();
    [[nodiscard]] admin::sql_result<admin::command_result> keep_digests() const;
    /// Opens a socket and says so; `what` is for the log.
    [[nodiscard]] int open(const conf::listen_address& at, const char* what) const;

    administered what_;
    admin::sql_environment environment_;
    std::unique_ptr<admin::config_layers> layers_;
    std::unique_ptr<admin::database> keeper_;  ///< as long as it is open MEMORY exists
    std::unique_ptr<admin::history> history_;  ///< null: there is no datadir
    boost::asio::steady_timer history_timer_;
    std::chrono::steady_clock::time_point history_kept_{};
    bool keeping_history_ = false;  ///< a sample is being taken
    std::unique_ptr<admin::admin_server> server_;
    std::unique_ptr<admin::http_server> http_;
    std::stop_source closing_;  ///< ends the waiting for orders
    std::uint16_t port_ = 0;
};

/// "admin:secret;other:pass" -> accounts. The built-in pair may come from this machine only.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> split_credentials(
    std::string_view text);

}  // namespace howdah::proxy
