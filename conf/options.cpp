#include "conf/options.hpp"

#include <algorithm>

namespace howdah::conf {
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t kib = 1024, gib = 1024 * 1024 * kib;

/// Collects rows group by group.
class table_builder {
public:
    void group(std::string_view name) { group_ = name; }

    template <class Member>
    option& add(std::string_view name, Member variables::*member, std::string_view doc,
                limits range = {}) {
        return rows_.emplace_back(option{make_field(name, member, doc, range), group_, true});
    }

    std::vector<option> take() { return std::move(rows_); }

private:
    std::string_view group_;
    std::vector<option> rows_;
};

std::vector<option> build() {
    using v = variables;
    table_builder t;

    t.group("Clients");
    t.add("interfaces", &v::interfaces,
          "Addresses to listen on: 'ip:port', '[v6]:port', or '/directory:port' for a unix socket. "
          "Port 0 takes any free port.")
        .reloadable = false;
    t.add("threads", &v::threads, "Worker threads; 0 means one per core.", {0, 1024}).reloadable =
        false;
    t.add("max_connections", &v::max_connections,
          "Client connections over all users; more are refused with SQLSTATE 53300.",
          {1, 1'000'000});
    t.add("reserved_connections", &v::reserved_connections,
          "How many of max_connections are kept for users with use_reserved_connections.",
          {0, 1'000'000});
    t.add("max_connections_per_address", &v::max_connections_per_address,
          "Client connections from one address; more are refused with SQLSTATE 53300. Unix sockets "
          "are exempt; 0 means no limit.",
          {0, 1'000'000});
    t.add("authentication_method", &v::authentication_method,
          "How clients prove who they are. ProxySQL's numbers 3, 2, 1 mean scram-sha-256, md5, "
          "password.");
    t.add("connect_timeout_client", &v::connect_timeout_client,
          "Time a client has to finish the TLS handshake and log in.", {500, hour});
    t.add(
        "failed_login_delay", &v::failed_login_delay,
        "How long the answer to a failed login is held back; doubled with each further failure of "
        "the same address (IPv6: /64 network) within a minute, up to 16 times and half of "
        "connect_timeout_client. 0 means not at all.",
        {0, 10 * second});
    t.add("wait_timeout", &v::wait_timeout,
          "A client that is idle outside a transaction for this long is disconnected; 0 means "
          "never.",
          {0, 20 * day});
    t.add("max_transaction_idle_time", &v::max_transaction_idle_time,
          "A client that is idle inside a transaction for this long is disconnected and its "
          "transaction rolled back; 0 means never.",
          {0, 20 * day});
    t.add("query_timeout", &v::query_timeout,
          "A statement, or a pipeline up to its Sync, that runs on a server for this long is "
          "cancelled (SQLSTATE 57014); 0 means never. A user or a database may differ.",
          {0, 20 * day});
    t.add("transaction_timeout", &v::transaction_timeout,
          "A client whose transaction takes this long is disconnected and its transaction rolled "
          "back (SQLSTATE 25P04); 0 means never. A user or a database may differ.",
          {0, 20 * day});
    t.add(
        "cancel_on_client_disconnect", &v::cancel_on_client_disconnect,
        "Cancel what runs for a client that has disconnected; otherwise it runs to its end, as in "
        "PostgreSQL. A user or a database may differ.");
    t.add("max_allowed_packet", &v::max_allowed_packet,
          "Largest message a client may send; a larger one is answered with SQLSTATE 54000.",
          {8 * kib, gib});
    t.add("threshold_query_length", &v::threshold_query_length,
          "A message longer than this is passed on as it arrives instead of being kept whole in "
          "memory.",
          {kib, gib});

    t.group("Pooling and routing");
    t.add("pool_mode", &v::pool_mode,
          "When a server connection is free for the next client: after each transaction, at the "
          "end of the client's session, or after each statement. A user may differ.");
    t.add("read_write_split", &v::read_write_split,
          "Send what is provably read-only to the reader hostgroup of the user's writer hostgroup. "
          "A user may differ.");
    t.add("read_consistency", &v::read_consistency,
          "How old the state may be that a read sees: session (a client always sees its own writes "
          "and never goes back in time), eventual (whatever the reader has) or strong (the primary "
          "answers all reads). A user may differ, and a session by SET howdah.read_consistency.");
    t.add("load_balance", &v::load_balance,
          "How one of several servers of a hostgroup is chosen: weight (their shares of the "
          "statements are as their weights) or least_connections (the one with the fewest "
          "connections in use for its weight).");
    t.add("connect_timeout_server", &v::connect_timeout_server,
          "Time for one attempt to connect and log in to a server.", {10, 2 * minute});
    t.add("connect_timeout_server_max", &v::connect_timeout_server_max,
          "Time a query waits for a server connection, all attempts and the waiting for a free one "
          "included, before it fails.",
          {10, hour});
    t.add("query_wait_notify", &v::query_wait_notify,
          "A client that waits this long for a server connection gets a NOTICE that says for what; "
          "0 means never.",
          {0, hour});
    t.add("connect_retries_on_failure", &v::connect_retries_on_failure,
          "Further attempts after a connection to a server failed.", {0, 1000});
    t.add("query_retries_on_failure", &v::query_retries_on_failure,
          "How often a read outside a transaction is run again when its server is lost before a "
          "byte of the answer was sent.",
          {0, 1000});
    t.add("connection_max_age_ms", &v::connection_max_age_ms,
          "A server connection older than this is closed when it becomes free; 0 means no limit.",
          {0, day});
    t.add("server_idle_timeout_ms", &v::server_idle_timeout_ms,
          "A server connection that nobody used for this long is closed; 0 means never.", {0, day});
    t.add("max_stmts_per_connection", &v::max_stmts_per_connection,
          "Prepared statements kept on one server connection; the least recently used goes first.",
          {1, 65536});
    t.add("max_stmts_bytes_per_connection", &v::max_stmts_bytes_per_connection,
          "Bytes of the texts of prepared statements kept on one server connection.",
          {64 * kib, gib});
    t.add("stmts_max_idle_time", &v::stmts_max_idle_time,
          "A prepared statement that nobody used for this long is closed on a server connection "
          "when another one is prepared there; 0 means never.",
          {0, 7 * day});
    t.add("max_stmts_cache", &v::max_stmts_cache,
          "Statements, by digest, whose class each worker remembers, so that they are parsed once.",
          {128, 1'048'576})
        .reloadable = false;
    t.add("catalog_refresh_interval", &v::catalog_refresh_interval,
          "How often the volatility of functions (pg_proc) is read again from each database in "
          "use.",
          {second, day});
    t.add("query_digests", &v::query_digests,
          "Statements are counted by digest, with their times, rows and errors.");
    t.add("query_digests_track_hostname", &v::query_digests_track_hostname,
          "They are counted by the client's address, too.");
    t.add("query_digests_max_entries", &v::query_digests_max_entries,
          "How many different ones each worker counts; the others are only counted as dropped.",
          {1, 1'000'000});
    t.add("firewall_whitelist_enabled", &v::firewall_whitelist_enabled,
          "Users may run only what firewall_whitelist_rules lists for them, and who is not in "
          "firewall_whitelist_users may run nothing.");
    t.add("firewall_whitelist_errormsg", &v::firewall_whitelist_errormsg,
          "What clients are told of a statement that the firewall blocks (SQLSTATE 42501).");
    t.add("query_processor_iterations", &v::query_processor_iterations,
          "How often the rules are looked at again from the first one on after a flagOUT; 0 only "
          "goes on to later rules.",
          {0, 1'000'000});

    t.group("Query cache and mirroring");
    t.add("query_cache_size_MB", &v::query_cache_size_mb,
          "Memory (MiB) for the results that rules with cache_ttl keep, divided evenly among the "
          "workers; 0 keeps none.",
          {0, 1'048'576});
    t.add("query_cache_stores_empty_result", &v::query_cache_stores_empty_result,
          "Results without rows are kept, too; a rule may differ (cache_empty_result).");
    t.add("query_cache_soft_ttl_pct", &v::query_cache_soft_ttl_pct,
          "Once this share (%) of cache_ttl is over, one client's statement is run to renew the "
          "result, while the others are still given the old one; 0 means that nobody renews it "
          "before its end.",
          {0, 100});
    t.add("threshold_resultset_size", &v::threshold_resultset_size,
          "A larger result is not kept by the query cache.", {kib, gib});
    t.add("mirror_max_concurrency", &v::mirror_max_concurrency,
          "Mirrored statements that run at a time, over all workers (at least one each).",
          {1, 8192});
    t.add("mirror_max_queue_length", &v::mirror_max_queue_length,
          "Mirrored statements that may wait, over all workers; further ones are dropped.",
          {0, 1'048'576});

    t.group("Query log");
    t.add("eventslog_filename", &v::eventslog_filename,
          "File for the query log, one JSON object per line; empty means that there is none. It "
          "has the statements of rules with log, all with eventslog_default_log, and the slow "
          "ones.");
    t.add("eventslog_filesize", &v::eventslog_filesize,
          "Above this size a new file is begun; the old ones are numbered: queries.log, "
          "queries.1.log.",
          {4 * kib, gib});
    t.add("eventslog_max_files", &v::eventslog_max_files, "How many old ones are kept.", {1, 1000});
    t.add("eventslog_default_log", &v::eventslog_default_log,
          "Statements are logged, unless a rule says log=0.");
    t.add("eventslog_rate_limit", &v::eventslog_rate_limit,
          "Each worker logs one of so many statements; slow ones are always logged.",
          {1, 1'000'000});
    t.add("long_query_time", &v::long_query_time,
          "A statement that takes this long is slow: it is counted (Slow_queries) and logged; 0 "
          "means that none is.",
          {0, 20 * day});
    t.add("eventslog_buffer_max_query_length", &v::eventslog_buffer_max_query_length,
          "Longer statements are cut in the query log.", {kib, gib});
    t.add("eventslog_buffer_size", &v::eventslog_buffer_size,
          "Bytes of log lines that may wait to be written; further ones are dropped and counted.",
          {64 * kib, gib});
    t.add("eventslog_parameters", &v::eventslog_parameters,
          "The parameters of prepared statements are logged, too.");

    t.group("Users by auth_query");
    t.add(
        "auth_user", &v::auth_user,
        "Role that looks up users who are not in users; empty means that nobody else may log in.");
    t.add("auth_password", &v::auth_password, "Password of auth_user.").secret = true;
    t.add("auth_database", &v::auth_database,
          "Database in which auth_query runs, whichever a client asks for.");
    t.add("auth_query", &v::auth_query,
          "Gives name and password of the user $1 as one row, or none. Every name in it must have "
          "its schema: the search_path is empty. Empty means the built-in query, which reads "
          "pg_catalog.pg_authid and honours VALID UNTIL.");
    t.add("auth_query_cache_ttl", &v::auth_query_cache_ttl,
          "How long an answer of auth_query is used; that there is no such user, at most 5 s. 0 "
          "asks at every login.",
          {0, day});
    t.add("auth_hostgroup", &v::auth_hostgroup,
          "default_hostgroup of users found by auth_query; -1 means the writer hostgroup of the "
          "first pair, or where there is none the hostgroup of the first server.",
          {-1, std::numeric_limits<int>::max()});

    t.group("TLS towards clients");
    t.add("client_sslmode", &v::client_sslmode,
          "disable refuses TLS, allow offers it when ssl_cert is set, require refuses clients "
          "without it, verify-ca also those without a certificate of ssl_ca, and verify-full those "
          "whose certificate is not in the name of the user (unix sockets are exempt).");
    t.add("ssl_cert", &v::ssl_cert, "Certificate shown to clients, with its chain (PEM).").is_file =
        true;
    t.add("ssl_key", &v::ssl_key, "Private key of ssl_cert (PEM).").is_file = true;
    t.add("ssl_ca", &v::ssl_ca,
          "Authorities of clients' certificates (PEM); needed by verify-ca, verify-full and the "
          "method cert. A certificate that they did not sign ends the connection.")
        .is_file = true;
    t.add("ssl_crl", &v::ssl_crl,
          "Revoked certificates of clients (PEM), with a list of every authority in ssl_ca.")
        .is_file = true;
    t.add("ssl_min_protocol_version", &v::ssl_min_protocol_version,
          "Oldest version of TLS that clients may use.");

    t.group("TLS towards servers");
    t.add("server_sslmode", &v::server_sslmode,
          "As libpq's sslmode, for the data connections and for the monitor's.");
    t.add("ssl_p2s_ca", &v::ssl_p2s_ca,
          "Authorities of the servers' certificates (PEM); needed by verify-ca and verify-full.")
        .is_file = true;
    t.add("ssl_p2s_cert", &v::ssl_p2s_cert, "Client certificate shown to servers (PEM).").is_file =
        true;
    t.add("ssl_p2s_key", &v::ssl_p2s_key, "Private key of ssl_p2s_cert (PEM).").is_file = true;
    t.add("ssl_p2s_crl", &v::ssl_p2s_crl, "Revoked server certificates (PEM).").is_file = true;

    t.group("Network");
    t.add("use_tcp_keepalive", &v::use_tcp_keepalive,
          "Let the system probe silent connections, of clients and of servers.");
    t.add("tcp_keepalive_time", &v::tcp_keepalive_time,
          "Silence before the first keepalive probe; 0 means the system's own default.", {0, 7200});

    t.group("Monitor");
    t.add("monitor_enabled", &v::monitor_enabled,
          "Check the servers and move them between hostgroups; false uses them as configured.");
    t.add("monitor_username", &v::monitor_username,
          "Role of the monitor on every server; should be a member of pg_monitor.");
    t.add("monitor_password", &v::monitor_password, "Password of monitor_username.").secret = true;
    t.add("monitor_dbname", &v::monitor_dbname, "Database the monitor connects to.");
    t.add("monitor_connect_timeout", &v::monitor_connect_timeout,
          "Time for the monitor to connect and log in to a server.", {10, 10 * minute});
    t.add("monitor_ping_interval", &v::monitor_ping_interval, "Time between two pings of a server.",
          {10, 7 * day});
    t.add("monitor_ping_timeout", &v::monitor_ping_timeout,
          "A ping without an answer for this long has failed.", {10, 10 * minute});
    t.add("monitor_ping_max_failures", &v::monitor_ping_max_failures,
          "Failed pings in a row after which a server is shunned.", {1, 1000});
    t.add("monitor_read_only_interval", &v::monitor_read_only_interval,
          "Time between two checks whether a server is a primary or a standby.", {10, 7 * day});
    t.add("monitor_read_only_timeout", &v::monitor_read_only_timeout,
          "A read_only check without an answer for this long has failed.", {10, 10 * minute});
    t.add("monitor_read_only_max_timeout_count", &v::monitor_read_only_max_timeout_count,
          "Failed read_only checks in a row after which a writer is no longer believed to be one.",
          {1, 1000});
    t.add("monitor_writer_is_also_reader", &v::monitor_writer_is_also_reader,
          "Put the writer into the reader hostgroup, too. Unlike ProxySQL's, the default is false: "
          "reads should not slow down the one server that can write.");
    t.add("monitor_shun_recovery_checks", &v::monitor_shun_recovery_checks,
          "Successful checks in a row after which a shunned server is used again.", {1, 1000});
    t.add("monitor_slow_start", &v::monitor_slow_start,
          "A server that is used again gets a tenth of its weight, and all of it after this long; "
          "0 gives it all at once.",
          {0, hour});
    t.add("monitor_replication_lag_interval", &v::monitor_replication_lag_interval,
          "Time between two measurements of how far the standbys are behind.", {10, 7 * day});
    t.add("monitor_replication_lag_timeout", &v::monitor_replication_lag_timeout,
          "A measurement without an answer for this long has failed.", {10, 10 * minute});
    t.add("monitor_replication_lag_count", &v::monitor_replication_lag_count,
          "Measurements above max_replication_lag in a row after which a reader is not read from; "
          "it is again after monitor_shun_recovery_checks measurements within the limit.",
          {1, 1000});
    t.add("monitor_all_readers_lagging", &v::monitor_all_readers_lagging,
          "What becomes of reads while every reader is above its max_replication_lag: writer (the "
          "writer answers them), error (they fail at once with SQLSTATE 08001) or stale (the "
          "readers answer all the same, and a warning says so).");
    t.add("monitor_local_dns_cache_ttl", &v::monitor_local_dns_cache_ttl,
          "How long the addresses of a server's name are believed; when they change, the "
          "connections to an address that has gone are replaced.",
          {10, day});

    t.group("High availability");
    t.add("ha_mode", &v::ha_mode,
          "observe (only watches), manual (acts on orders) or automatic (also fails over by itself "
          "where ha_recover_cluster_filters matches).");
    t.add("ha_recover_cluster_filters", &v::ha_recover_cluster_filters,
          "Clusters that ha_mode automatic is for, separated by ';': *, a name or alias (alias=x), "
          "or a regular expression on the name; empty: none.");
    t.add("ha_durability", &v::ha_durability,
          "What a failover may cost: async (up to ha_max_lag_bytes of WAL), sync (nothing that was "
          "confirmed with synchronous_standby_names set) or strict (the same, and commits rather "
          "wait than go without a synchronous standby).");
    t.add("ha_max_lag_bytes", &v::ha_max_lag_bytes,
          "A standby that is further behind the primary's last known position is not promoted "
          "without an order that accepts the loss.",
          {0, std::int64_t{1} << 50});
    t.add("ha_same_data_center", &v::ha_same_data_center,
          "Promote only standbys of the old primary's data center.");
    t.add(
        "ha_ignore_managers", &v::ha_ignore_managers,
        "Other managers whose signs on the servers mean nothing, separated by ';': Patroni, "
        "repmgr, "
        "pg_auto_failover, Stolon, CloudNativePG, EFM, Pgpool-II, or *; where one is found that is "
        "not named here, Howdah only observes.");
    t.add("ha_recovery_block", &v::ha_recovery_block,
          "After a recovery of a cluster, none by itself for so long, unless it is acknowledged.",
          {0, 365 * 86400});
    t.add("ha_username", &v::ha_username,
          "Role of HA on every server, with the grants of docs/high-availability.md; empty: "
          "monitor_username.");
    t.add("ha_password", &v::ha_password, "Password of ha_username.").secret = true;
    t.add("ha_check_interval", &v::ha_check_interval,
          "Time between two readings of a server's facts.", {50, hour});
    t.add(
        "ha_check_timeout", &v::ha_check_timeout,
        "A server that answers no reading for this long is suspected: its standbys are asked, and "
        "only what they say makes it dead.",
        {50, 10 * minute});
    t.add("ha_start_timeout", &v::ha_start_timeout,
          "A primary that starts up for longer counts as dead.", {0, day});
    t.add("ha_hold_timeout", &v::ha_hold_timeout,
          "During a failover or switchover statements for the writer wait for the new one, each "
          "for this long at most, or connect_timeout_server_max where that is longer.",
          {0, hour});
    t.add("ha_hold_max_clients", &v::ha_hold_max_clients,
          "During a failover or switchover at most so many clients wait for the new writer; the "
          "statements of more fail at once (53300).",
          {0, 10'000'000});
    t.add("ha_promote_timeout", &v::ha_promote_timeout,
          "Time for a standby to become the primary; then it is unknown whether it did, and nobody "
          "else is promoted until it can be asked.",
          {1000, day});
    t.add("ha_rewire_timeout", &v::ha_rewire_timeout,
          "Time for a standby to stream from its new upstream.", {100, day});
    t.add("ha_drain_timeout", &v::ha_drain_timeout,
          "Switchover: time for transactions under way and for the candidate to catch up.",
          {0, hour});
    t.add("ha_slots_for_all", &v::ha_slots_for_all,
          "After a failover standbys that had no replication slot get one.");
    t.add("ha_history_retention", &v::ha_history_retention,
          "How long recoveries, their steps, detections and the audit are kept.",
          {60, std::int64_t{100} * 365 * 86400});
    t.add("ha_on_failure_detection", &v::ha_on_failure_detection,
          "Command when a problem of a cluster begins; see docs/high-availability.md for hooks.");
    t.add("ha_pre_failover", &v::ha_pre_failover,
          "Command before a failover; an exit code other than 0 prevents it.");
    t.add("ha_post_failover", &v::ha_post_failover, "Command after a failover.");
    t.add("ha_post_unsuccessful_failover", &v::ha_post_unsuccessful_failover,
          "Command after a failover that promoted nobody.");
    t.add("ha_pre_switchover", &v::ha_pre_switchover,
          "Command before a switchover; an exit code other than 0 prevents it.");
    t.add("ha_post_switchover", &v::ha_post_switchover, "Command after a switchover.");
    t.add("ha_agent", &v::ha_agent,
          "Command that stops, rewinds, copies, configures and starts servers (HOWDAH_ACTION); "
          "empty: only SQL is used.");
    t.add("ha_hook_timeout", &v::ha_hook_timeout,
          "A command that takes this long is ended and has failed.", {100, day});
    t.add("ha_agent_timeout", &v::ha_agent_timeout, "The same for ha_agent.", {1000, 7 * day});
    t.add("ha_hook_shell", &v::ha_hook_shell,
          "Hooks and ha_agent are given to /bin/sh, which gets values in variables only; else they "
          "are run as they are, words separated by blanks. No value can become a command.");
    t.add("ha_etcd_endpoints", &v::ha_etcd_endpoints,
          "Where several Howdahs agree on who may act: 'http://host:2379' or https, separated by "
          "';', of one etcd cluster. Empty: this Howdah is the only one for its servers.");
    t.add("ha_etcd_prefix", &v::ha_etcd_prefix, "What Howdah's keys in etcd begin with.");
    t.add("ha_etcd_username", &v::ha_etcd_username, "User of etcd; empty: none.");
    t.add("ha_etcd_password", &v::ha_etcd_password, "Its password.").secret = true;
    t.add("ha_etcd_ca_file", &v::ha_etcd_ca_file,
          "Certificates of the authorities that etcd's certificate is checked against; empty: the "
          "system's.");
    t.add("ha_etcd_cert_file", &v::ha_etcd_cert_file, "Client certificate for etcd; empty: none.");
    t.add("ha_etcd_key_file", &v::ha_etcd_key_file, "Its key.");
    t.add("ha_etcd_timeout", &v::ha_etcd_timeout,
          "A request to etcd that takes this long has failed.", {100, 60000});
    t.add("ha_lease", &v::ha_lease,
          "A Howdah that has not been able to renew its lease in etcd for this long may not act, "
          "and another may.",
          {3, 300});
    t.add("ha_name", &v::ha_name,
          "Name of this Howdah among several; empty: the host's name and the API's port.");
    t.add("ha_api_ifaces", &v::ha_api_ifaces,
          "Addresses of the HTTP API and the web page, with port 3098 by convention; none means "
          "there is no such interface.")
        .reloadable = false;
    t.add("ha_api_credentials", &v::ha_api_credentials,
          "Who may change something through the API: 'user:password' separated by ';'.")
        .secret = true;
    t.add("ha_api_tokens", &v::ha_api_tokens,
          "The same with 'Authorization: Bearer TOKEN': 'name:token' separated by ';'.")
        .secret = true;
    t.add("ha_api_trust_loopback", &v::ha_api_trust_loopback,
          "Requests from this machine may change something without a login.");
    t.add("ha_api_read_needs_login", &v::ha_api_read_needs_login,
          "Reading through the API needs a login, too.");
    t.add("ha_api_tls", &v::ha_api_tls, "The API speaks HTTPS only, with ssl_cert and ssl_key.")
        .reloadable = false;

    t.group("Administration");
    t.add(
         "admin_pgsql_ifaces", &v::admin_pgsql_ifaces,
         "Addresses of the admin interface (PostgreSQL protocol), as interfaces but with port 6132 "
         "by convention; none means there is no such interface.")
        .reloadable = false;
    t.add("admin_admin_credentials", &v::admin_admin_credentials,
          "Administrators: 'user:password' separated by ';'; a password may be a SCRAM verifier. "
          "admin:admin is let in from this machine only.")
        .secret = true;
    t.add("admin_stats_credentials", &v::admin_stats_credentials,
          "Users of the admin interface who may only read statistics, in the same form; "
          "stats:stats is let in from this machine only.")
        .secret = true;
    t.add("admin_statement_timeout", &v::admin_statement_timeout,
          "A statement of the admin interface that takes this long is cancelled.", {100, hour})
        .reloadable = false;
    t.add("admin_metrics_ifaces", &v::admin_metrics_ifaces,
          "Addresses at which Prometheus finds /metrics over HTTP, with port 6070 by convention; "
          "none means nowhere.")
        .reloadable = false;
    t.add("datadir", &v::datadir,
          "Folder of howdah.db, the DISK layer of the configuration, and of howdah_stats.db, the "
          "history of statistics; without it nothing is kept over a restart but this file.")
        .reloadable = false;
    t.add("admin_stats_history_interval", &v::admin_stats_history_interval,
          "How often statistics are kept in stats_history; 0: never.", {0, 86400});
    t.add("admin_stats_history_retention", &v::admin_stats_history_retention, "For how long.",
          {60, 10 * 365 * 86400});

    t.group("Operation");
    t.add("passfile", &v::passfile,
          "File in the format of .pgpass with the passwords that are not given here: of the "
          "monitor, of auth_user and of users.")
        .is_file = true;
    t.add("log_level", &v::log_level, "Least severe message that is logged.");
    t.add("log_format", &v::log_format, "Lines for people, or one JSON object per line.")
        .reloadable = false;
    t.add("log_file", &v::log_file, "File to log to; empty means standard error.").reloadable =
        false;
    t.add("shutdown_timeout", &v::shutdown_timeout,
          "Time that running transactions have to finish after SIGTERM.", {0, day});
    t.add("restart_drain_timeout", &v::restart_drain_timeout,
          "After an online restart (SIGUSR2) the old process serves the clients that it has until "
          "they leave, for this long at most; then it stops as after SIGTERM.",
          {0, 7 * day});
    return t.take();
}

}  // namespace

std::span<const option> options() {
    static const std::vector<option> table = build();
    return table;
}

const option* find_option(std::string_view name) {
    const auto rows = options();
    const auto found = std::ranges::find(rows, name, &option::name);
    return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string_view> option_names() {
    std::vector<std::string_view> names;
    for (const auto& row : options())
        names.push_back(row.name);
    return names;
}

std::string default_of(const option& row) {
    return row.get(variables{}).value_or("");
}

}  // namespace howdah::conf
