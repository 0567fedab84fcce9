#pragma once
#include <libpq-fe.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "monitor/hostgroups.hpp"
#include "monitor/pq_error.hpp"
#include "monitor/resolver_cache.hpp"

namespace howdah::monitor {

/// libpq connection parameters, keyword and value.
using pq_parameters = std::vector<std::pair<std::string, std::string>>;

struct pq_result_deleter {
    void operator()(PGresult* result) const { PQclear(result); }
};
using pq_result = std::unique_ptr<PGresult, pq_result_deleter>;

/// One libpq connection on asio: connect, one query at a time, a notice when it breaks while
/// idle. Control thread only; owned by shared_ptr. Handlers are called from the io_context, never
/// from inside `connect` or `query`, once each, and not after `close()`.
class pq_connection : public std::enable_shared_from_this<pq_connection> {
public:
    using connected = std::function<void(std::optional<pq_error>)>;
    using answered = std::function<void(std::optional<pq_error>, pq_result)>;
    using lost = std::function<void(const std::string& reason)>;
    using milliseconds = std::chrono::milliseconds;

    pq_connection(boost::asio::io_context& io, std::shared_ptr<resolver_cache> names);
    ~pq_connection();
    pq_connection(const pq_connection&) = delete;
    pq_connection& operator=(const pq_connection&) = delete;

    /// `parameters` without host and port; the deadline covers name resolution and login.
    void connect(const endpoint& to, pq_parameters parameters, milliseconds deadline,
                 connected done);

    /// From now on `connect` does not resolve the host's name but takes this; empty: it resolves.
    void use_address(std::string address) { fixed_address_ = std::move(address); }

    /// Needs `idle()`. A server error leaves the connection usable; anything else closes it.
    void query(const std::string& sql, milliseconds deadline, answered done);
    /// One statement with parameters $1, $2, ... as text.
    void query(const std::string& sql, const std::vector<std::string>& parameters,
               milliseconds deadline, answered done);

    /// Told when an idle connection breaks. The connection is closed then.
    void on_lost(lost handler) { lost_ = std::move(handler); }

    void close();

    /// The IP address it is connected to; empty for unix sockets and while it is closed.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] bool idle() const { return state_ == state::idle; }
    [[nodiscard]] bool open() const { return state_ != state::closed; }

private:
    enum class state : std::uint8_t { closed, resolving, connecting, idle, busy };
    enum class direction : std::uint8_t { read, write };

    void begin_query(milliseconds deadline, answered done);
    void await_answer(bool sent);
    void start_connecting(const endpoint& to, pq_parameters parameters,
                          const std::vector<std::string>& addresses);
    void poll_connect();
    void resume_query();
    void resume_idle();
    void wait(direction what);
    void ready();
    void arm_deadline(milliseconds bound);
    void timed_out();
    void fail(pq_error error);
    void finish_query();
    void release_socket();
    void disconnect();

    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer deadline_;
    std::shared_ptr<resolver_cache> names_;
    PGconn* conn_ = nullptr;
    state state_ = state::closed;
    std::uint64_t epoch_ = 0;  ///< tells a late handler that its wait is over
    std::string host_;
    std::string fixed_address_;
    milliseconds bound_{0};
    connected connected_;
    answered answered_;
    lost lost_;
    pq_result result_;
};

}  // namespace howdah::monitor
