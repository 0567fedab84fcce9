#pragma once
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <string_view>

#include "proxy/client_report.hpp"
#include "proxy/pool/identity.hpp"
#include "proxy/traffic.hpp"

namespace howdah::proxy {

/// A client that has logged in, as its worker sees it: a session, or the relay of a replication
/// connection. Lives on the worker's thread, which makes all these calls.
class worker_client
    : public boost::intrusive_ref_counter<worker_client, boost::thread_unsafe_counter> {
public:
    virtual ~worker_client() = default;

    /// A CancelRequest that named this client; a wrong key is ignored.
    virtual void cancel(std::string_view key) = 0;
    /// An administrator cancels what it runs.
    virtual void cancel_running() {}
    /// The monitor says that this server is gone.
    virtual void on_server_dead(const server_entry* server) = 0;
    /// New roles or servers.
    virtual void on_snapshot() {}
    /// A new WAL sample, for one that waits for it.
    virtual void on_sample() {}
    /// Howdah is being stopped: end as soon as nothing is under way.
    virtual void drain() = 0;
    /// Goes on while others drain, and is ended when only such are left on its worker.
    [[nodiscard]] virtual bool leaves_last() const { return false; }
    /// It is of this login, or holds a connection to this server.
    [[nodiscard]] virtual bool is_covered_by(const traffic_scope& scope) const = 0;
    /// It holds a server connection of this scope.
    [[nodiscard]] virtual bool holds_server(const traffic_scope& scope) const = 0;
    /// What it is doing, for those who look at statistics.
    [[nodiscard]] virtual client_report report() const = 0;
    /// Says why (FATAL) and ends the client.
    virtual void terminate(std::string_view sqlstate, std::string_view message) = 0;
};

}  // namespace howdah::proxy
