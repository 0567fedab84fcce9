#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "conf/settings.hpp"
#include "proxy/ha_client/request.hpp"

namespace howdah::proxy::ha_client {

/// Where the running Howdah is administered, and as whom.
struct login {
    std::string host;
    std::uint16_t port = 6132;
    std::string user;
    std::optional<std::string> password;  ///< none: as libpq finds it (PGPASSWORD, ~/.pgpass)
    std::chrono::seconds patience{10};    ///< for the login (PGCONNECT_TIMEOUT)

    /// "127.0.0.1:6132", "[::1]:6132", "/run/howdah:6132"
    [[nodiscard]] std::string place() const;
};

/// A variable of the environment, or nullptr.
using environment = std::function<const char*(const char*)>;

/// From options, else the configuration (nullptr: none was given), else the environment, else
/// 127.0.0.1:6132 and admin. A Howdah that listens everywhere is asked on this machine. A password
/// that is a SCRAM verifier is none.
[[nodiscard]] login login_of(const request& asked, const conf::settings* settings,
                             const environment& get);

}  // namespace howdah::proxy::ha_client
