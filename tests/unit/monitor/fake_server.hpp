#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "monitor/hostgroups.hpp"

namespace howdah::monitor::test {

/// A PostgreSQL server as far as the monitor can tell, on a free loopback port, in the test's own
/// io_context. What it does can be changed while it runs.
class fake_server {
public:
    enum class manner {
        serve,
        refuse_login,
        hang_at_login,
        hang_at_query,
        hang_at_role_check,
        drop_at_query
    };

    /// On a free port, or on that of `beside` at another loopback address.
    explicit fake_server(boost::asio::io_context& io);
    fake_server(boost::asio::io_context& io, const fake_server& beside, const std::string& address);
    ~fake_server();
    fake_server(const fake_server&) = delete;
    fake_server& operator=(const fake_server&) = delete;

    endpoint at() const { return {address_, port_}; }

    /// Closes the port and all sessions, as a killed postmaster does.
    void kill();
    /// Listens again on the same port.
    void revive();
    /// Ends all sessions, the port stays open.
    void end_sessions();

    manner behaviour = manner::serve;
    bool standby = false;
    int timeline = 1;
    std::uint64_t lsn = 1000;  ///< what a WAL sample says
    std::uint64_t system_identifier = 777;
    bool full_check_allowed = true;
    bool sample_allowed = true;
    std::string refusal_sqlstate = "57P03";
    /// What pg_proc holds: schema, name, volatility; and the fingerprint of that.
    std::vector<std::vector<std::string>> functions;
    std::string fingerprint;
    /// What a statement with one parameter gives, by its value: rows of name and password.
    std::map<std::string, std::vector<std::vector<std::optional<std::string>>>> passwords;
    /// Not empty: the error that such a statement gets.
    std::string query_sqlstate;
    int logins = 0;
    std::vector<std::string> queries;  ///< those with a parameter as "$1=value sql"

private:
    class session;

    void accept();

    boost::asio::io_context& io_;
    std::unique_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
    std::string address_ = "127.0.0.1";
    std::uint16_t port_ = 0;
    std::set<std::shared_ptr<session>> sessions_;
};

}  // namespace howdah::monitor::test
