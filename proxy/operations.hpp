#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "proxy/traffic.hpp"

namespace howdah::proxy {

class worker;

/// What operators do to client traffic while Howdah runs: PAUSE, RESUME, RECONNECT, DISABLE,
/// ENABLE, KILL, for everything or one database, user or server. Control thread only.
class operations {
public:
    /// Called once, on the control thread; empty: it is done.
    using answer = std::function<void(const std::string& error)>;

    /// `publish` gives current() to the workers.
    operations(boost::asio::io_context& control, std::vector<worker*>& workers,
               std::function<void()> publish);

    /// Clients of the scope get no server any more; answers when they hold none and the idle ones
    /// are closed. Transactions may finish, for at most `timeout`; then the pause is taken back
    /// and the error says how many connections are still held. Replication connections go on.
    void pause(const traffic_scope& scope, std::chrono::milliseconds timeout, answer done);
    /// Clients that wait go on. A pause that is not complete yet answers with an error.
    [[nodiscard]] std::string resume(const traffic_scope& scope);
    /// New server connections take the place of those of today, each when it is free.
    void reconnect(const traffic_scope& scope);
    /// Nobody may log in (57P03); who is there stays.
    [[nodiscard]] std::string disable(const traffic_scope& scope);
    [[nodiscard]] std::string enable(const traffic_scope& scope);
    /// Ends the clients of the scope at once (FATAL 57P01), their statements are cancelled.
    void kill(const traffic_scope& scope);
    /// Answers all pauses under way; for the end of the process.
    void stop();

    [[nodiscard]] const traffic& current() const { return orders_; }

private:
    struct pausing {
        traffic_scope scope;
        std::chrono::steady_clock::time_point until;
        answer done;
        std::size_t held = 0;  ///< as far as the workers have answered
    };
    void look_again();
    void judge();

    std::vector<worker*>& workers_;
    std::function<void()> publish_;
    boost::asio::io_context& control_;
    boost::asio::steady_timer timer_;
    traffic orders_;
    std::list<pausing> pausing_;
    std::size_t round_ = 0;       ///< of questions to the workers
    std::size_t unanswered_ = 0;  ///< in this round
};

}  // namespace howdah::proxy
