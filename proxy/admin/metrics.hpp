#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace howdah::monitor {
class monitor;
}

namespace howdah::ha {
struct ha_view;
}

namespace howdah::proxy {

struct process;

/// What Prometheus scrapes, in its text format. Asks the workers and the monitor, and nothing that
/// lies on a disk: for admin threads, costs the query path no lock. Throws std::runtime_error where
/// one does not answer.
[[nodiscard]] std::string metrics_text(process& shared, boost::asio::io_context& control,
                                       monitor::monitor& watcher, const ha::ha_view& clusters);

}  // namespace howdah::proxy
