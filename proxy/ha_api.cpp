#include "proxy/ha_api.hpp"

#include <spdlog/spdlog.h>

#include "admin/http/https.hpp"
#include "protocol/io/listener.hpp"

namespace howdah::proxy {
namespace {

namespace orchestrator = admin::orchestrator;

/// With the port that clients are told, as far as it is known beforehand.
orchestrator::api_functions functions(boost::asio::io_context& control,
                                      boost::asio::thread_pool& threads, ha::supervisor& hands,
                                      ha::store& kept, const ha_api::settings_source& settings,
                                      ha_api::mode_setter set_mode) {
    auto out = orchestrator::functions_of(control, threads, hands, kept);
    out.mode = [settings] { return settings()->vars.ha_mode; };
    out.set_mode = std::move(set_mode);
    out.version = HOWDAH_VERSION;
    for (const auto& at : settings()->vars.ha_api_ifaces) {
        if (at.is_unix()) continue;
        out.advertised = out.hostname + ":" + std::to_string(at.port);
        break;
    }
    return out;
}

}  // namespace

ha_api::ha_api(boost::asio::io_context& control, boost::asio::thread_pool& threads,
               ha::supervisor& hands, ha::store& kept, const settings_source& settings,
               const socket_opener& open, mode_setter set_mode)
    : api_(functions(control, threads, hands, kept, settings, std::move(set_mode)),
           [settings] { return orchestrator::access_rules_of(*settings()); }),
      server_(control, threads) {
    api_.serve_on(server_);
    const auto now = settings();
    admin::http_server::tls_source tls;
    if (now->vars.ha_api_tls && !now->vars.ha_api_ifaces.empty()) tls = admin::https_by(settings);
    for (const conf::listen_address& at : now->vars.ha_api_ifaces) {
        const int fd = open(at);
        conf::listen_address bound = at;
        if (!at.is_unix()) bound.port = protocol::bound_port(fd);
        spdlog::info("API on {}", bound.to_string());
        server_.listen(fd, tls);
    }
}

}  // namespace howdah::proxy
