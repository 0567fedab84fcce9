#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "ha/facts.hpp"
#include "monitor/pq_connection.hpp"

namespace howdah::ha {

/// Now, on the clock of `time_us`: monotonic, of this machine.
[[nodiscard]] time_us now_us();

using facts_handler = std::function<void(server_facts)>;

/// Logs in to a server (`login` without host and port), asks once for its facts and ends the
/// session. `done` is called once, from the event loop: with reachability `up` and the facts, else
/// with what was wrong in `reach_detail` and no facts. `deadline` holds for the login and for each
/// of the two statements. Works until the answer is there; the loop has to run so long.
void read_server(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
                 const endpoint& at, monitor::pq_parameters login,
                 std::chrono::milliseconds deadline, facts_handler done);

}  // namespace howdah::ha
