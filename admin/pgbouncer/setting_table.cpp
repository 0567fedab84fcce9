#include "admin/pgbouncer/setting_table.hpp"

#include <algorithm>
#include <vector>

#include "admin/pgbouncer/translator.hpp"

namespace howdah::admin::pgbouncer {
namespace {

using enum treatment;
using t = translator;

constexpr std::string_view restart = "A change of interfaces needs a restart.";
constexpr std::string_view one_process =
    "One Howdah uses all cores (threads), and cancel requests find their way inside it.";
constexpr std::string_view server_limit =
    "Adds to pgsql_servers.max_connections, which holds for all users and databases of a server "
    "together.";
constexpr std::string_view alter_database = "On the server: ALTER DATABASE ... SET does the same.";
constexpr std::string_view ciphers =
    "Howdah leaves the choice to OpenSSL: restrict it in openssl.cnf (CipherString, Ciphersuites, "
    "Groups).";
constexpr std::string_view one_auth =
    "auth_user and auth_query are for all databases: set them in [pgbouncer].";
constexpr std::string_view no_pools_of_users =
    "Limits of server connections are per server: pgsql_servers.max_connections. The user's "
    "clients can be limited by pgsql_users.max_connections.";
constexpr std::string_view keepalives =
    "In Howdah only the time before the first probe can be set; the rest is "
    "net.ipv4.tcp_keepalive_* "
    "of the system.";

std::vector<known_setting> general() {
    constexpr scope g = scope::general;
    return {
        // Generic
        {g, "logfile", ignored, "",
         "Howdah logs to standard error or to a file of its own, log_file."},
        {g, "pidfile", ignored, "", "The service manager knows the process."},
        {g, "listen_addr", by_hand, "pgsql-interfaces", restart, "", &t::listen_addr},
        {g, "listen_port", amount, "pgsql-interfaces", restart},
        {g, "unix_socket_dir", by_hand, "pgsql-interfaces", restart, "", &t::unix_socket_dir},
        {g, "unix_socket_mode", neutral, "",
         "Sockets of Howdah are open to all; restrict the folder.", "0777|777"},
        {g, "unix_socket_group", neutral, "", "Give the folder of the socket to the group instead.",
         "|"},
        {g, "user", ignored, "", "The service manager decides as whom Howdah runs."},
        {g, "pool_mode", text, "pool_mode", "", "session"},
        {g, "max_client_conn", number, "max_connections", "", "100"},
        {g, "default_pool_size", amount, "pgsql_servers.max_connections", server_limit},
        {g, "min_pool_size", ignored, "",
         "Howdah opens connections when they are needed and keeps them for "
         "server_idle_timeout_ms."},
        {g, "reserve_pool_size", amount, "pgsql_servers.max_connections", server_limit},
        {g, "reserve_pool_timeout", ignored, "", "All connections of a server can be had at once."},
        {g, "max_db_connections", amount, "pgsql_servers.max_connections", server_limit},
        {g, "max_db_client_connections", amount, "pgsql_databases.max_connections",
         "For the databases that are listed."},
        {g, "max_user_connections", neutral, "", no_pools_of_users, "0"},
        {g, "max_user_client_connections", amount, "pgsql_users.max_connections",
         "For the users of auth_file."},
        {g, "server_round_robin", ignored, "",
         "Servers are drawn by weight; of one server's connections the last used one is taken."},
        {g, "track_extra_parameters", ignored, "",
         "Howdah tracks all parameters that a client sets."},
        {g, "ignore_startup_parameters", ignored, "",
         "Howdah takes all parameters and sets them on the server."},
        {g, "peer_id", ignored, "", one_process},
        {g, "disable_pqexec", neutral, "",
         "Howdah cannot refuse the simple protocol; the firewall (pgsql_firewall_whitelist_rules) "
         "refuses statements.",
         "0"},
        {g, "application_name_add_host", neutral, "",
         "stats_pgsql_processlist shows clients with their addresses and servers.", "0"},
        {g, "conffile", ignored, "", "A name of this file."},
        {g, "service_name", ignored, "", "Of Windows services."},
        {g, "job_name", ignored, "", "Of Windows services."},
        {g, "stats_period", ignored, "",
         "Statistics are counters; Prometheus makes averages of them."},
        {g, "max_prepared_statements", by_hand, "pgsql-max_stmts_per_connection",
         "0 is ignored: prepared statements always work.", "", &t::max_prepared_statements},
        {g, "scram_iterations", ignored, "", "Verifiers bring their own number."},
        // Authentication
        {g, "auth_type", by_hand, "pgsql-authentication_method, pgsql_hba_rules",
         "any, ldap and pam are not possible.", "md5", &t::auth_type},
        {g, "auth_hba_file", by_hand, "pgsql_hba_rules", "Used with auth_type hba only.", "",
         &t::auth_hba_file},
        {g, "auth_ident_file", by_hand, "pgsql_user_maps", "Used with auth_type hba only.", "",
         &t::auth_ident_file},
        {g, "auth_file", by_hand, "pgsql_users", "", "", &t::auth_file},
        {g, "auth_user", by_hand, "pgsql-auth_user, pgsql-auth_password",
         "Its password is taken from auth_file.", "", &t::auth_user},
        {g, "auth_query", by_hand, "pgsql-auth_query",
         "Every name in it must have its schema: Howdah runs it with an empty search_path. "
         "PgBouncer's own query becomes Howdah's built-in one.",
         "", &t::auth_query},
        {g, "auth_dbname", by_hand, "pgsql-auth_database, pgsql-auth_hostgroup", "", "",
         &t::auth_dbname},
        {g, "auth_ldap_options", neutral, "",
         "Howdah does not ask LDAP: use auth_query or list the users.", "|", nullptr, true},
        // Log
        {g, "syslog", ignored, "", "What Howdah writes to standard error goes to the journal."},
        {g, "syslog_ident", ignored, "", "As syslog."},
        {g, "syslog_facility", ignored, "", "As syslog."},
        {g, "log_connections", ignored, "", "log_level says what is logged."},
        {g, "log_disconnections", ignored, "", "log_level says what is logged."},
        {g, "log_pooler_errors", ignored, "", "log_level says what is logged."},
        {g, "log_stats", ignored, "", "Statistics are in SHOW STATS, stats_... and /metrics."},
        {g, "verbose", by_hand, "pgsql-log_level", "1 and more: debug.", "", &t::verbose},
        // Console
        {g, "admin_users", by_hand, "admin-admin_credentials",
         "Added to those that are there, with the passwords of auth_file.", "", &t::admin_users},
        {g, "stats_users", by_hand, "admin-stats_credentials",
         "Added to those that are there, with the passwords of auth_file.", "", &t::stats_users},
        // Sanity checks, timeouts
        {g, "server_reset_query", ignored, "",
         "Howdah knows what a client has changed on a connection, and sets it back."},
        {g, "server_reset_query_always", ignored, "", "As server_reset_query."},
        {g, "server_check_delay", ignored, "", "As server_check_query."},
        {g, "server_check_query", ignored, "",
         "Idle connections are watched; a read on one that breaks is run again."},
        {g, "server_fast_close", neutral, "", "Sessions keep their server connection to their end.",
         "0"},
        {g, "server_lifetime", by_hand, "pgsql-connection_max_age_ms", "At most a day.", "3600",
         &t::server_lifetime},
        {g, "server_idle_timeout", seconds, "server_idle_timeout_ms", "", "600"},
        {g, "server_connect_timeout", seconds, "connect_timeout_server", "", "15", nullptr, false,
         false},
        {g, "server_login_retry", ignored, "",
         "The monitor finds out which servers answer; failed attempts are repeated at once "
         "(connect_retries_on_failure)."},
        {g, "client_login_timeout", seconds, "connect_timeout_client", "", "60", nullptr, false,
         false},
        {g, "autodb_idle_timeout", ignored, "", "Databases need no entry."},
        {g, "pool_idle_timeout", ignored, "",
         "Nothing is kept for users without connections but their statistics."},
        {g, "dns_max_ttl", ignored, "", "Names are looked up for each connection."},
        {g, "dns_nxdomain_ttl", ignored, "", "As dns_max_ttl."},
        {g, "dns_zone_check_period", ignored, "", "As dns_max_ttl."},
        {g, "resolv_conf", neutral, "", "Howdah uses the system's resolver.", "|"},
        {g, "query_wait_notify", seconds, "query_wait_notify", ""},
        {g, "login_notify_message", neutral, "", "Howdah has no message of welcome.", "|"},
        // TLS
        {g, "client_tls_sslmode", by_hand, "pgsql-client_sslmode",
         "prefer is allow; verify-full is verify-ca, as in PgBouncer.", "", &t::client_tls_sslmode},
        {g, "client_tls_key_file", text, "ssl_key", "Howdah must be able to read it."},
        {g, "client_tls_cert_file", text, "ssl_cert", "Howdah must be able to read it."},
        {g, "client_tls_ca_file", text, "ssl_ca", "Howdah must be able to read it."},
        {g, "client_tls_protocols", by_hand, "pgsql-ssl_min_protocol_version",
         "TLS 1.0 and 1.1 are not spoken.", "", &t::client_tls_protocols},
        {g, "client_tls_ciphers", neutral, "", ciphers, "default|secure|fast|normal|"},
        {g, "client_tls13_ciphers", neutral, "", ciphers, "<empty>|"},
        {g, "client_tls_ecdhcurve", neutral, "", ciphers, "auto|"},
        {g, "client_tls_dheparams", neutral, "", ciphers, "auto|"},
        {g, "server_tls_sslmode", text, "server_sslmode", ""},
        {g, "server_tls_ca_file", text, "ssl_p2s_ca", "Howdah must be able to read it."},
        {g, "server_tls_key_file", text, "ssl_p2s_key", "Howdah must be able to read it."},
        {g, "server_tls_cert_file", text, "ssl_p2s_cert", "Howdah must be able to read it."},
        {g, "server_tls_protocols", neutral, "", "Set ssl_min_protocol_version on the servers.",
         "secure|all|legacy|tlsv1.2,tlsv1.3|tlsv1.3,tlsv1.2"},
        {g, "server_tls_ciphers", neutral, "", ciphers, "default|secure|fast|normal|"},
        {g, "server_tls13_ciphers", neutral, "", ciphers, "<empty>|"},
        // Dangerous timeouts
        {g, "query_timeout", seconds, "query_timeout", "", "0"},
        {g, "query_wait_timeout", seconds, "connect_timeout_server_max", "", "120", nullptr, false,
         false},
        {g, "cancel_wait_timeout", ignored, "",
         "Cancel requests do not wait for a place in a pool."},
        {g, "client_idle_timeout", seconds, "wait_timeout", "", "0"},
        {g, "idle_transaction_timeout", seconds, "max_transaction_idle_time", "", "0"},
        {g, "transaction_timeout", seconds, "transaction_timeout", "", "0"},
        {g, "suspend_timeout", ignored, "", "An online restart (SIGUSR2) suspends nobody."},
        // Network
        {g, "pkt_buf", ignored, "", "Howdah sizes its buffers itself."},
        {g, "max_packet_size", by_hand, "pgsql-max_allowed_packet",
         "For messages of clients; rows may have any size.", "2147483647", &t::max_packet_size},
        {g, "listen_backlog", ignored, "", "Howdah takes the system's most (net.core.somaxconn)."},
        {g, "sbuf_loopcnt", ignored, "", "Howdah takes turns among clients by itself."},
        {g, "so_reuseport", ignored, "", one_process},
        {g, "tcp_defer_accept", ignored, "",
         "Clients that say nothing cost little and are bounded by connect_timeout_client."},
        {g, "tcp_socket_buffer", ignored, "", "The system sizes socket buffers by itself."},
        {g, "tcp_keepalive", number, "use_tcp_keepalive", ""},
        {g, "tcp_keepcnt", neutral, "", keepalives, "0|"},
        {g, "tcp_keepidle", number, "tcp_keepalive_time", ""},
        {g, "tcp_keepintvl", neutral, "", keepalives, "0|"},
        {g, "tcp_user_timeout", neutral, "",
         "The monitor notices servers that have gone silent, and their connections are closed; for "
         "clients there is tcp_keepalive_time.",
         "0|"},
    };
}

std::vector<known_setting> others() {
    constexpr scope d = scope::database, u = scope::user, p = scope::peer;
    return {
        {d, "dbname", by_hand, "pgsql_databases.server_database",
         "Not behind *: name the databases that lead to it.", "", &t::dbname},
        {d, "host", by_hand, "pgsql_servers.hostname",
         "Hosts of a list get equal shares. Without a host: the socket in unix_socket_dir.", "",
         &t::host},
        {d, "port", by_hand, "pgsql_servers.port", "", "", &t::port},
        {d, "user", by_hand, "",
         "Howdah logs in to servers as the client's own user. Possible only if nobody else may log "
         "in.",
         "", &t::forced_user},
        {d, "password", by_hand, "pgsql_users.server_password", "Of the user in user=.", "",
         &t::forced_password, true},
        {d, "auth_user", by_hand, "", one_auth, "", &t::database_auth},
        {d, "auth_query", by_hand, "", one_auth, "", &t::database_auth},
        {d, "auth_dbname", by_hand, "", one_auth, "", &t::database_auth},
        {d, "pool_size", amount, "pgsql_servers.max_connections", server_limit},
        {d, "min_pool_size", ignored, "", "As in [pgbouncer]."},
        {d, "reserve_pool", amount, "pgsql_servers.max_connections", server_limit},
        {d, "reserve_pool_size", amount, "pgsql_servers.max_connections", server_limit},
        {d, "connect_query", neutral, "",
         "Settings can be made by ALTER DATABASE ... SET on the server.", "", nullptr, true},
        {d, "pool_mode", text, "pool_mode", ""},
        {d, "query_wait_timeout", seconds, "connect_timeout_server_max", "", "", nullptr, false,
         false},
        {d, "load_balance_hosts", by_hand, "pgsql_servers.weight",
         "round-robin: equal weights; disable: the first host has all of it, the others are used "
         "while it does not answer.",
         "", &t::load_balance_hosts},
        {d, "target_session_attrs", by_hand, "pgsql_replication_hostgroups",
         "read-write and primary: the monitor finds the writer. Readers are a hostgroup of their "
         "own in Howdah.",
         "", &t::target_session_attrs},
        {d, "max_db_connections", amount, "pgsql_servers.max_connections", server_limit},
        {d, "max_db_client_connections", by_hand, "pgsql_databases.max_connections", "0: no limit.",
         "", &t::database_clients},
        {d, "server_lifetime", by_hand, "", "Is the same for all databases: connection_max_age_ms.",
         "", &t::database_server_lifetime},
        {d, "client_encoding", neutral, "", alter_database},
        {d, "datestyle", neutral, "", alter_database},
        {d, "timezone", neutral, "", alter_database},
        {d, "application_name", neutral, "", alter_database},
        {u, "pool_size", neutral, "", no_pools_of_users},
        {u, "reserve_pool_size", neutral, "", no_pools_of_users, "0"},
        {u, "pool_mode", text, "pool_mode", ""},
        {u, "max_user_connections", neutral, "", no_pools_of_users, "0"},
        {u, "max_user_client_connections", by_hand, "pgsql_users.max_connections", "0: no limit.",
         "", &t::user_clients},
        {u, "query_timeout", seconds, "query_timeout", ""},
        {u, "query_wait_timeout", seconds, "connect_timeout_server_max", "", "", nullptr, false,
         false},
        {u, "idle_transaction_timeout", seconds, "max_transaction_idle_time", ""},
        {u, "transaction_timeout", seconds, "transaction_timeout", ""},
        {u, "client_idle_timeout", seconds, "wait_timeout", ""},
        {p, "host", ignored, "", one_process},
        {p, "port", ignored, "", one_process},
        {p, "pool_size", ignored, "", one_process},
    };
}

}  // namespace

std::span<const known_setting> known_settings() {
    static const std::vector<known_setting> all = [] {
        std::vector<known_setting> out = general();
        for (const known_setting& s : others())
            out.push_back(s);
        return out;
    }();
    return all;
}

const known_setting* find_setting(scope where, std::string_view name) {
    const auto all = known_settings();
    const auto found = std::ranges::find_if(
        all, [&](const known_setting& s) { return s.where == where && s.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::string_view section_of(scope where) {
    switch (where) {
        case scope::general:
            return "[pgbouncer]";
        case scope::database:
            return "[databases]";
        case scope::user:
            return "[users]";
        case scope::peer:
            return "[peers]";
    }
    return "";
}

}  // namespace howdah::admin::pgbouncer
