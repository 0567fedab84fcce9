#include "proxy/session/home_hostgroup.hpp"

#include <optional>

namespace howdah::proxy {
namespace {

/// A user's row that a client has for itself, and the configuration that it belongs to.
struct settled_user {
    std::shared_ptr<const conf::settings> config;
    conf::user row;
};

/// A route of the user's own counts before one of everybody's.
std::optional<int> route_of(const conf::settings& settings, const pool_login& login) {
    std::optional<int> of_all;
    for (const conf::fast_route& f : settings.fast_routes) {
        if (f.flag_in != 0 || f.database != login.database) continue;
        if (f.username == login.user) return f.destination_hostgroup;
        if (f.username.empty()) of_all = f.destination_hostgroup;
    }
    return of_all;
}

}  // namespace

void settle(client_identity& who, const snapshot& now) {
    const std::optional<int> route = route_of(*now.settings, *who.login);
    if (!route) return;
    const int home = now.hostgroups->writer_of(*route).value_or(*route);
    const int usual = who.user->default_hostgroup;
    if (home == usual || home == now.hostgroups->writer_of(usual)) return;
    const auto own = std::make_shared<settled_user>(settled_user{who.config, *who.user});
    own->row.default_hostgroup = home;
    who.user = &own->row;
    who.config = std::shared_ptr<const conf::settings>(own, own->config.get());
}

}  // namespace howdah::proxy
