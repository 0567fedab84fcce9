#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ha/coordination/etcd_messages.hpp"
#include "monitor/resolver_cache.hpp"
#include "protocol/io/tls.hpp"

namespace howdah::ha {

struct etcd_login {
    std::vector<etcd_endpoint> endpoints;
    std::string user;  ///< empty: none
    std::string password;
    protocol::tls_files tls;
    std::chrono::milliseconds timeout{1000};  ///< of one attempt at one endpoint
};

/// Asks etcd over HTTP, one connection per question: nothing is ever lost to an idle connection
/// that the other end has closed. The endpoint that answered last is asked first, then the others
/// in turn. What it sends may be sent to several of them: every request here can bear that, because
/// transactions compare revisions. Control thread.
class etcd_client {
public:
    /// Throws std::runtime_error naming the TLS file that cannot be used.
    etcd_client(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
                etcd_login login);

    /// An answer with an error where nobody gave a useful one; it names endpoint and cause.
    [[nodiscard]] boost::asio::awaitable<etcd_answer> ask(etcd_request what);

private:
    [[nodiscard]] boost::asio::awaitable<etcd_answer> ask_once(etcd_request what);
    [[nodiscard]] boost::asio::awaitable<etcd_answer> ask_at(etcd_endpoint at, etcd_request what);

    boost::asio::io_context& io_;
    std::shared_ptr<monitor::resolver_cache> names_;
    etcd_login login_;
    protocol::tls_context tls_;
    std::size_t first_ = 0;  ///< the endpoint that answered last
    std::string token_;
};

}  // namespace howdah::ha
