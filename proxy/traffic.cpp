#include "proxy/traffic.hpp"

#include <algorithm>

namespace howdah::proxy {

namespace {

using kind = traffic_scope::kind;

bool add(std::vector<traffic_scope>& to, const traffic_scope& scope) {
    if (std::find(to.begin(), to.end(), scope) != to.end()) return false;
    to.push_back(scope);
    return true;
}

bool take(std::vector<traffic_scope>& from, const traffic_scope& scope) {
    return std::erase_if(from, [&](const traffic_scope& s) {
               return scope.what == kind::everything || s == scope;
           }) > 0;
}

template <class... What>
bool any_covers(const std::vector<traffic_scope>& scopes, const What&... what) {
    return std::any_of(scopes.begin(), scopes.end(),
                       [&](const traffic_scope& s) { return s.covers(what...); });
}

}  // namespace

bool traffic_scope::covers(const pool_login& login) const {
    switch (what) {
        case kind::everything:
            return true;
        case kind::database:
            return login.database == name;
        case kind::user:
            return login.user == name;
        case kind::server:
            return false;
    }
    return false;
}

bool traffic_scope::covers(const server_entry& server) const {
    return what == kind::server && monitor::to_string(server.at) == name;
}

bool traffic_scope::covers(const pool_login& login, const server_entry& server) const {
    return covers(login) || covers(server);
}

std::string to_string(const traffic_scope& scope) {
    switch (scope.what) {
        case kind::everything:
            return "all traffic";
        case kind::database:
            return "database \"" + scope.name + "\"";
        case kind::user:
            return "user \"" + scope.name + "\"";
        case kind::server:
            return "server " + scope.name;
    }
    return {};
}

bool traffic::pause(const traffic_scope& scope) {
    return add(paused_, scope);
}
bool traffic::resume(const traffic_scope& scope) {
    return take(paused_, scope);
}
bool traffic::disable(const traffic_scope& scope) {
    return add(disabled_, scope);
}
bool traffic::enable(const traffic_scope& scope) {
    return take(disabled_, scope);
}

void traffic::renew(const traffic_scope& scope, clock::time_point now) {
    std::erase_if(renewed_, [&](const auto& r) {
        return scope.what == kind::everything || r.first == scope;
    });
    renewed_.emplace_back(scope, now);
}

bool traffic::paused(const pool_login& login) const {
    return any_covers(paused_, login);
}
bool traffic::paused(const server_entry& server) const {
    return any_covers(paused_, server);
}
bool traffic::disabled(const pool_login& login) const {
    return any_covers(disabled_, login);
}

bool traffic::unwanted(const pool_login& login, const server_entry& server,
                       clock::time_point opened) const {
    return any_covers(paused_, login, server) ||
           std::any_of(renewed_.begin(), renewed_.end(), [&](const auto& r) {
               return opened < r.second && r.first.covers(login, server);
           });
}

}  // namespace howdah::proxy
