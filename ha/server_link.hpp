#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "monitor/pq_connection.hpp"

namespace howdah::ha {

using monitor::endpoint;

/// What came back from a statement.
struct sql_answer {
    std::optional<monitor::pq_error> error;
    std::string value;  ///< of the first column of the first row; "" = none, or NULL

    /// The statement gave the boolean true.
    [[nodiscard]] bool yes() const { return !error && value == "t"; }
};

/// One libpq session to a server: opened when it is needed, then kept. One statement at a time.
/// Control thread only.
class server_link {
public:
    /// `login` without host and port.
    server_link(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
                endpoint at, monitor::pq_parameters login);
    ~server_link();
    server_link(const server_link&) = delete;
    server_link& operator=(const server_link&) = delete;

    /// Logs in first where there is no session. `deadline` holds for each of the two.
    [[nodiscard]] boost::asio::awaitable<sql_answer> ask(std::string sql,
                                                         std::chrono::milliseconds deadline);
    /// Ends the session; whoever waits gets an error. The next statement begins a new one.
    void close();

    [[nodiscard]] bool open() const { return connection_ && connection_->open(); }
    [[nodiscard]] const endpoint& at() const { return at_; }
    /// Counts the sessions: tells whether it is still the same one.
    [[nodiscard]] std::uint64_t session() const { return session_; }

private:
    using answered = std::function<void(sql_answer)>;
    void begin(const std::string& sql, std::chrono::milliseconds deadline, answered done);
    void send(const std::string& sql, std::chrono::milliseconds deadline);
    void finish(sql_answer answer);

    boost::asio::io_context& io_;
    std::shared_ptr<monitor::resolver_cache> names_;
    endpoint at_;
    monitor::pq_parameters login_;
    std::shared_ptr<monitor::pq_connection> connection_;
    std::uint64_t session_ = 0;
    answered done_;
};

/// Links to many servers, each for as long as one statement takes; those that are free are kept
/// open. Control thread only.
class link_pool {
public:
    /// How to log in to a server.
    using login_source = std::function<monitor::pq_parameters(const endpoint&)>;

    link_pool(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
              login_source login)
        : io_(io), names_(std::move(names)), login_(std::move(login)) {}

    [[nodiscard]] boost::asio::awaitable<sql_answer> ask(endpoint at, std::string sql,
                                                         std::chrono::milliseconds deadline);
    /// Ends the sessions that are free, and the others after their statement.
    void clear();
    /// Ends all; whoever waits gets an error.
    void abort();

private:
    boost::asio::io_context& io_;
    std::shared_ptr<monitor::resolver_cache> names_;
    login_source login_;
    std::map<endpoint, std::vector<std::unique_ptr<server_link>>> free_;
    std::vector<server_link*> busy_;
    std::uint64_t generation_ = 0;  ///< links of an earlier one are not kept
};

}  // namespace howdah::ha
