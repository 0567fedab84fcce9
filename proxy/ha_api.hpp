#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>

#include "admin/http/http_server.hpp"
#include "admin/orchestrator/api.hpp"
#include "conf/settings.hpp"

namespace howdah::proxy {

/// The HTTP API on ha_api_ifaces. Lives on the control thread.
class ha_api {
public:
    /// As `administered::open_socket`.
    using socket_opener = std::function<int(const conf::listen_address&)>;
    using settings_source = std::function<std::shared_ptr<const conf::settings>()>;
    /// As api_functions::set_mode.
    using mode_setter = std::function<std::string(conf::ha_mode)>;

    /// All must outlive it; `threads` runs what blocks, and must be joined after the supervisor
    /// is gone. Opens its sockets. Throws std::runtime_error.
    ha_api(boost::asio::io_context& control, boost::asio::thread_pool& threads,
           ha::supervisor& hands, ha::store& kept, const settings_source& settings,
           const socket_opener& open, mode_setter set_mode);

    /// Another process serves the sockets from now on; clients that are there stay.
    void stop_listening() { server_.stop_listening(); }
    /// Ends all clients; `stopped` is called when none is left.
    void stop(std::function<void()> stopped) { server_.stop(std::move(stopped)); }

private:
    admin::orchestrator::api api_;
    admin::http_server server_;
};

}  // namespace howdah::proxy
