#pragma once
#include <string>
#include <utility>
#include <vector>

namespace howdah::proxy {

/// What a hostgroup's init_connect makes of every new server connection. Parameters that it sets go
/// out with the StartupMessage: for the server they are the session's own defaults, to which RESET
/// and DISCARD ALL go back, so that no client can lose them for the next one.
struct connection_init {
    std::string text;  ///< as configured
    std::vector<std::pair<std::string, std::string>> parameters;
    /// Run after the login and after every DISCARD ALL of ours; empty: the parameters are all.
    std::string statements;
};

}  // namespace howdah::proxy
