#pragma once
#include <boost/asio/io_context.hpp>
#include <vector>

#include "admin/sql/command.hpp"
#include "admin/sql/live_table.hpp"

namespace howdah::monitor {
class monitor;
}

namespace howdah::proxy {

struct process;

/// Adds the tables of what is counted: stats_pgsql_{connection_pool, errors, client_host_cache,
/// query_digest} with their _reset twins, which a SELECT empties, stats_pgsql_{commands_counters,
/// prepared_statements_info, query_rules}. All but the vector must outlive the tables.
void add_statistics_tables(std::vector<admin::live_table>& tables, boost::asio::io_context& control,
                           process& shared, monitor::monitor& watcher);

/// TRUNCATE of the tables that can be emptied. `shared` must outlive them.
[[nodiscard]] std::vector<admin::command> statistics_commands(process& shared);

}  // namespace howdah::proxy
