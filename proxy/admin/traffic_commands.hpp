#pragma once
#include <boost/asio/io_context.hpp>
#include <vector>

#include "admin/sql/command.hpp"

namespace howdah::proxy {

class operations;
struct process;

/// PAUSE, RESUME, RECONNECT, DISABLE, ENABLE and KILL: what operators do to clients and servers.
/// All must outlive the commands.
[[nodiscard]] std::vector<admin::command> traffic_commands(boost::asio::io_context& control,
                                                           process& shared, operations& traffic);

}  // namespace howdah::proxy
