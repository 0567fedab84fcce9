#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "admin/sql/live_table.hpp"
#include "conf/settings.hpp"

namespace howdah::monitor {
class monitor;
}

namespace howdah::proxy {

struct process;

/// Adds the tables that show the data plane and the monitor: runtime_pgsql_servers (in place of
/// what is configured), stats_pgsql_*, monitor.pgsql_server_*_log. `settings` is asked on the
/// control thread. All but the vector must outlive the tables.
void add_status_tables(std::vector<admin::live_table>& tables, boost::asio::io_context& control,
                       process& shared, monitor::monitor& watcher,
                       const std::function<std::shared_ptr<const conf::settings>()>& settings);

}  // namespace howdah::proxy
