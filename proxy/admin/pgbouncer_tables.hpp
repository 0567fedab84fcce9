#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "admin/sql/command.hpp"
#include "admin/sql/live_table.hpp"
#include "conf/settings.hpp"

namespace howdah::monitor {
class monitor;
}

namespace howdah::proxy {

class operations;
struct process;

/// PgBouncer's console: the tables of schema "pgbouncer", with its columns, so that its exporters
/// and scripts work. `settings` is asked on the control thread. All but the vector must outlive the
/// tables.
void add_pgbouncer_tables(std::vector<admin::live_table>& tables, boost::asio::io_context& control,
                          process& shared, operations& traffic,
                          const std::function<std::shared_ptr<const conf::settings>()>& settings);

/// SHOW POOLS and the others, each one of these tables.
[[nodiscard]] std::vector<admin::command> pgbouncer_commands();

}  // namespace howdah::proxy
