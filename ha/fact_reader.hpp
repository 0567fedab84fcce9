#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "ha/facts.hpp"
#include "ha/server_link.hpp"

namespace howdah::ha {

/// Now, on the clock of `time_us`: monotonic, of this machine.
[[nodiscard]] time_us now_us();

/// Reads one server's facts, over a session that it keeps. Control thread only.
class fact_reader {
public:
    /// As server_link.
    fact_reader(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
                const endpoint& at, monitor::pq_parameters login)
        : link_(io, std::move(names), at, std::move(login)) {}

    /// With reachability `up` and the facts, else with what was wrong in `reach_detail` and no
    /// facts. `deadline` holds for the login and for each statement. A session that was kept and
    /// broke proves nothing: then a new one is tried, and that decides.
    [[nodiscard]] boost::asio::awaitable<server_facts> read(std::chrono::milliseconds deadline);
    void close() { link_.close(); }

private:
    /// Over the session that there is, or a new one.
    [[nodiscard]] boost::asio::awaitable<server_facts> try_once(std::chrono::milliseconds deadline);

    server_link link_;
    int version_ = 0;
    bool lists_wal_ = true;         ///< not refused in this session
    std::uint64_t version_of_ = 0;  ///< the session that said so
};

}  // namespace howdah::ha
