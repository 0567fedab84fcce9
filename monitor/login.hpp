#pragma once
#include <string>

#include "monitor/pq_connection.hpp"

namespace howdah::conf {
struct settings;
struct variables;
}  // namespace howdah::conf

namespace howdah::monitor {

/// As whom we log in to a server.
struct server_login {
    std::string user;
    std::string password;
    std::string application_name;
};

/// How `as` logs in to a server: TLS as configured, and a session that no setting of the server,
/// the database or the role can bend (search_path). `require_tls`: the server has use_ssl.
[[nodiscard]] pq_parameters login_parameters(const conf::variables& vars, const server_login& as,
                                             bool require_tls, const std::string& database);

/// How the monitor logs in to a server: user, password, TLS, and a session that no setting of the
/// server can bend (search_path). `require_tls`: the server is configured with use_ssl.
[[nodiscard]] pq_parameters login_parameters(const conf::variables& vars, bool require_tls,
                                             const std::string& database);

/// A login that failed is reported at most once a minute per server and database.
/// The sentence names server and user and says what to do.
[[nodiscard]] std::string login_advice(const conf::variables& vars, const endpoint& at,
                                       const std::string& database, const pq_error& error);

/// One of the server's rows demands TLS (use_ssl), whatever server_sslmode is.
[[nodiscard]] bool requires_tls(const conf::settings& settings, const endpoint& at);

}  // namespace howdah::monitor
