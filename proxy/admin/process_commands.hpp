#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "admin/sql/command.hpp"

namespace howdah::proxy {

/// What the commands about the process itself call, on the control thread.
struct process_control {
    /// As SIGHUP: the configuration file. An error, or what needs a restart.
    std::function<admin::sql_result<std::vector<std::string>>()> reload;
    /// Reads certificates anew and opens the log file again.
    std::function<admin::sql_result<std::vector<std::string>>()> renew_resources;
    /// As SIGTERM.
    std::function<void()> shut_down;
};

/// RELOAD, PROXYSQL RELOAD TLS, FLUSH LOGS, SHUTDOWN and so on. `control` must outlive them.
[[nodiscard]] std::vector<admin::command> process_commands(boost::asio::io_context& control,
                                                           process_control what);

}  // namespace howdah::proxy
