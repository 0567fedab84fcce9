#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/http/http_message.hpp"

namespace howdah::conf {
struct settings;
}

namespace howdah::admin::orchestrator {

/// Who may do what through the API.
struct access_rules {
    std::vector<std::pair<std::string, std::string>> credentials;  ///< user, password
    std::vector<std::pair<std::string, std::string>> tokens;       ///< name, token
    bool trust_loopback = true;
    bool read_needs_login = false;
    std::chrono::milliseconds failed_login_delay{0};
    /// Names of this machine that a Host header may have, beside localhost and addresses.
    std::vector<std::string> own_names;
};
[[nodiscard]] access_rules access_rules_of(const conf::settings& from);

struct access_verdict {
    bool allowed = false;
    std::string by;  ///< allowed: the user, the token's name, or the peer's address
    unsigned status = 401;
    std::string message;
    std::chrono::milliseconds delay{0};
};

/// In this order: a changing request that a browser sends for another site is refused whoever sends
/// it. Reading is open where `read_needs_login` is off. Else credentials that are given have to be
/// right. Without any, programs on this machine may do everything if `trust_loopback` is on, nobody
/// forwarded the request, and its Host is this machine's: a web page whose name was rebound to
/// 127.0.0.1 sends its own.
[[nodiscard]] access_verdict check_access(const access_rules& rules, const http_request& request,
                                          bool changes);

}  // namespace howdah::admin::orchestrator
