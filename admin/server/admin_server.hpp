#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/sql_session.hpp"
#include "protocol/io/authentication.hpp"
#include "protocol/io/buffer.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/listener.hpp"
#include "protocol/io/task_gate.hpp"
#include "protocol/io/tls.hpp"

namespace howdah::admin {

/// Who may log in to the administration, and how.
struct admin_access {
    struct account {
        std::string password;  ///< plain text or a SCRAM verifier
        role as = role::stats;
        bool local_only = false;  ///< the built-in password: from this machine only
    };
    std::map<std::string, account, std::less<>> accounts;
    protocol::tls_context tls;  ///< null: no TLS is offered
    std::chrono::milliseconds failed_login_delay{0};
};

/// The administration's PostgreSQL server. Lives on the control thread; statements run on threads
/// of its own, so that neither a slow one nor the disk delays a health check, and a busy data plane
/// does not delay an administrator.
class admin_server {
public:
    /// `io` and `environment` must outlive it. `access` is asked at each login.
    admin_server(boost::asio::io_context& io, const sql_environment& environment,
                 std::function<admin_access()> access);
    ~admin_server();
    admin_server(const admin_server&) = delete;
    admin_server& operator=(const admin_server&) = delete;

    /// Serves a listening socket, which it owns from now on.
    void listen(int fd);
    /// Accepts nobody any more; who is there stays.
    void stop_listening();
    /// Accepts nobody any more and ends all clients; `stopped` is called when none is left, at once
    /// if there is none. Must have happened before `io` and this are destroyed.
    void stop(std::function<void()> stopped);
    [[nodiscard]] std::size_t client_count() const { return clients_.size(); }
    /// For statements that are nobody's.
    [[nodiscard]] boost::asio::thread_pool& threads() { return threads_; }

private:
    struct client;
    boost::asio::awaitable<void> serve(protocol::stream_socket socket);
    boost::asio::awaitable<void> converse(client& c, protocol::message_channel& channel);
    void cancel(std::int32_t pid, std::string_view key);

    boost::asio::io_context& io_;
    const sql_environment& environment_;
    std::function<admin_access()> access_;
    boost::asio::thread_pool threads_;
    protocol::buffer_pool buffers_;
    protocol::deadline_wheel wheel_;
    protocol::task_gate gate_;
    protocol::scram_secrets secrets_;
    std::string mock_secret_;
    std::vector<std::unique_ptr<protocol::listener>> listeners_;
    std::set<protocol::stream*> streams_;  ///< of all clients, also those that log in
    std::map<std::int32_t, client*> clients_;
    std::int32_t next_pid_ = 0;
    bool stopped_ = false;
};

}  // namespace howdah::admin
