#include "monitor/login.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conf/settings.hpp"

namespace howdah::monitor {
namespace {

const char* libpq_name(conf::server_sslmode mode) {
    switch (mode) {
        case conf::server_sslmode::disable:
            return "disable";
        case conf::server_sslmode::allow:
            return "allow";
        case conf::server_sslmode::prefer:
            return "prefer";
        case conf::server_sslmode::require:
            return "require";
        case conf::server_sslmode::verify_ca:
            return "verify-ca";
        case conf::server_sslmode::verify_full:
            return "verify-full";
    }
    return "verify-full";
}

std::string advice(const conf::variables& vars, const std::string& database,
                   const pq_error& error) {
    const auto& code = error.sqlstate;
    if (code == "28P01")
        return fmt::format("check monitor_password, or ALTER ROLE {} PASSWORD on the server",
                           vars.monitor_username);
    if (code.starts_with("28"))
        return "let this user in from this host in the server's pg_hba.conf, or check "
               "monitor_username and server_sslmode";
    if (code == "3D000" && database != vars.monitor_dbname)
        return "the server has no such database";
    if (code == "3D000" || code == "42501")
        return database == vars.monitor_dbname
                   ? std::string(
                         "let this user connect to that database, or name another one in "
                         "monitor_dbname")
                   : fmt::format("GRANT CONNECT ON DATABASE \"{}\" TO \"{}\"", database,
                                 vars.monitor_username);
    if (code == "53300") return "raise max_connections on the server, or lower the pools";
    if (error.message.find("password") != std::string::npos) return "set monitor_password";
    if (error.local) return "check server_sslmode and the ssl_p2s_* files";
    return "see the server's log";
}

}  // namespace

pq_parameters login_parameters(const conf::variables& vars, bool require_tls,
                               const std::string& database) {
    return login_parameters(vars, {vars.monitor_username, vars.monitor_password, "howdah-monitor"},
                            require_tls, database);
}

pq_parameters login_parameters(const conf::variables& vars, const server_login& as,
                               bool require_tls, const std::string& database) {
    auto mode = vars.server_sslmode;
    if (require_tls && mode < conf::server_sslmode::require) mode = conf::server_sslmode::require;
    pq_parameters out{
        {"user", as.user},
        {"dbname", database},
        {"application_name", as.application_name},
        {"client_encoding", "UTF8"},
        {"gssencmode", "disable"},
        {"sslmode", libpq_name(mode)},
        // The server ends what we gave up on long ago.
        {"options", "-c search_path= -c statement_timeout=30000"},
    };
    const auto add_if_set = [&out](const char* keyword, const std::string& value) {
        if (!value.empty()) out.emplace_back(keyword, value);
    };
    add_if_set("password", as.password);
    add_if_set("sslrootcert", vars.ssl_p2s_ca);
    add_if_set("sslcert", vars.ssl_p2s_cert);
    add_if_set("sslkey", vars.ssl_p2s_key);
    add_if_set("sslcrl", vars.ssl_p2s_crl);
    return out;
}

std::string login_advice(const conf::variables& vars, const endpoint& at,
                         const std::string& database, const pq_error& error) {
    return fmt::format("{}: the monitor cannot log in as \"{}\" to \"{}\": {}; {}", to_string(at),
                       vars.monitor_username, database, error.describe(),
                       advice(vars, database, error));
}

bool requires_tls(const conf::settings& settings, const endpoint& at) {
    return std::ranges::any_of(settings.servers, [&at](const conf::server& row) {
        return row.use_ssl != 0 && row.hostname == at.host && row.port == at.port;
    });
}

}  // namespace howdah::monitor
