#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <vector>

#include "admin/sql/command.hpp"

namespace howdah::proxy {

class operations;
struct process;

/// PAUSE, RESUME, RECONNECT, DISABLE, ENABLE, KILL and PROXYSQL ...: what operators do to clients
/// and servers. All but the vector must outlive the commands; `shut_down` is called on the control
/// thread.
[[nodiscard]] std::vector<admin::command> traffic_commands(boost::asio::io_context& control,
                                                           process& shared, operations& traffic,
                                                           std::function<void()> shut_down);

}  // namespace howdah::proxy
