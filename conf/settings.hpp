#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// What Howdah was told to do: plain values, already checked by the loader. A `settings` is built
// once, never changed, and shared between threads as `std::shared_ptr<const settings>`; a reload
// publishes a new one. Names are ProxySQL's where it has them (without the `pgsql-` prefix).
// The default of every member of `variables` is the default of the option (see options.hpp).
namespace howdah::conf {

/// When a server connection goes back to the pool.
enum class pool_mode { transaction, session, statement };

/// What clients must prove. Under md5, too, a user whose password is a SCRAM verifier is asked for
/// SCRAM; an md5 hash is not enough for scram_sha_256.
enum class authentication_method { scram_sha_256, md5, password, trust };

/// TLS towards clients: never, when the client asks, always, always with a certificate of ssl_ca,
/// or that certificate in the user's name (unix sockets are exempt).
enum class client_sslmode { disable, allow, require, verify_ca, verify_full };

/// Oldest version of TLS that is spoken.
enum class tls_version { tls_1_2, tls_1_3 };

/// TLS towards servers, with libpq's meaning of each mode.
enum class server_sslmode { disable, allow, prefer, require, verify_ca, verify_full };

/// How old what a client reads may be: its own writes and all it has seen before are always there;
/// whatever the reader has; or the primary's own state, so that the primary answers all reads.
enum class read_consistency { session, eventual, strong };

/// What becomes of reads while every reader is behind its max_replication_lag: the writer answers,
/// they fail, or the readers answer all the same.
enum class lagging_reads { writer, error, stale };
/// How much HA does by itself, and what it promises about confirmed commits; see ha/mode.hpp and
/// ha/candidate.hpp.
enum class ha_mode { observe, manual, automatic };
enum class ha_durability { async, sync, strict };
/// Whether HA should promote a server; see ha/topology.hpp, whose order it has.
enum class promotion_rule { must, prefer, neutral, prefer_not, must_not };

/// How one of several servers of a hostgroup is chosen.
enum class load_balance { weight, least_connections };

enum class log_level { debug, info, warning, error };
enum class log_format { text, json };

/// Status given by the operator. The health that the monitor finds is not part of the settings.
enum class server_status { online, shunned, offline_soft, offline_hard };

/// One address to listen on. `host` is an IP address without brackets, or the directory
/// (starting with '/') of a unix socket named `.s.PGSQL.<port>`.
struct listen_address {
    std::string host;
    std::uint16_t port = 6133;

    bool is_unix() const { return !host.empty() && host.front() == '/'; }
    /// As written in the configuration: "0.0.0.0:6133", "[::1]:6133", "/run/howdah:6133".
    std::string to_string() const;
    bool operator==(const listen_address&) const = default;
};

/// Connections that a rule of hba_rules is for, as in pg_hba.conf.
enum class hba_type { local, host, hostssl, hostnossl };
/// How a client that a rule matches has to prove who it is.
enum class hba_method { trust, reject, scram_sha_256, md5, password, cert, peer };
/// A certificate in addition to the method: any of ssl_ca's, or one in the user's name.
enum class hba_clientcert { verify_ca, verify_full };

/// One PostgreSQL server in one hostgroup; (hostgroup_id, hostname, port) is unique.
struct server {
    int hostgroup_id = 0;
    std::string hostname;  ///< Name, IP address, or the directory ('/...') of its unix socket.
    std::uint16_t port = 5432;
    server_status status = server_status::online;
    std::uint32_t weight = 1;  ///< Share of the hostgroup's traffic; 0 = only if no other.
    std::uint32_t max_connections = 80;  ///< Over all workers; below PostgreSQL's default of 100.
    std::uint32_t max_replication_lag = 0;  ///< Seconds; 0 = no limit.
    int use_ssl = 0;  ///< 1: TLS is required even where server_sslmode is weaker than `require`.
    std::uint32_t max_latency_ms = 0;  ///< 0 = no limit.
    std::string comment;
    bool operator==(const server&) const = default;
};

/// Servers of the pair are moved between the two hostgroups by their observed role.
struct replication_hostgroup {
    int writer_hostgroup = 0;
    int reader_hostgroup = 0;
    std::string comment;
    bool operator==(const replication_hostgroup&) const = default;
};

/// What HA has to know of a server beside its hostgroups; (hostname, port) is unique, and that of a
/// `server`. What an operator says at run time counts first.
struct ha_server {
    std::string hostname;
    std::uint16_t port = 5432;
    conf::promotion_rule promotion_rule = conf::promotion_rule::neutral;
    std::string data_center;  ///< Empty: not told.
    std::string tags;         ///< JSON; see parse_tags (tag_values.hpp).
    std::string comment;
    bool operator==(const ha_server&) const = default;
};

/// What holds for the servers of one hostgroup and the connections to them; ProxySQL's
/// pgsql_hostgroup_attributes, in the order of its columns. The texts of JSON are read by
/// hostgroup_values.hpp; the loader has not looked into init_connect.
struct hostgroup_attributes {
    int hostgroup_id = 0;
    std::uint32_t max_num_online_servers = 1'000'000;  ///< With more, none takes work.
    int autocommit = -1;                               ///< Nothing else has a meaning.
    std::uint32_t free_connections_pct = 10;           ///< Of max_connections, idle for a while.
    std::string init_connect;                          ///< SQL for every new connection.
    bool multiplex = true;
    bool connection_warming = false;
    std::uint32_t throttle_connections_per_sec = 1'000'000;
    std::string ignore_session_variables;
    std::string hostgroup_settings;
    std::string servers_defaults;
    std::string comment;
    bool operator==(const hostgroup_attributes&) const = default;
};

/// What a user or a database may have otherwise than everybody. Unset: not otherwise. Looked up by
/// in_force (overrides.hpp). The meaning of each is that of the variable of its name.
struct overrides {
    std::optional<conf::pool_mode> pool_mode;
    std::optional<bool> read_write_split;
    std::optional<conf::read_consistency> read_consistency;
    std::optional<std::chrono::milliseconds> connect_timeout_server_max;
    std::optional<std::chrono::milliseconds> query_wait_notify;
    std::optional<std::chrono::milliseconds> query_timeout;
    std::optional<std::chrono::milliseconds> transaction_timeout;
    std::optional<std::chrono::milliseconds> max_transaction_idle_time;
    std::optional<std::chrono::milliseconds> wait_timeout;
    std::optional<bool> cancel_on_client_disconnect;
    bool operator==(const overrides&) const = default;
};

/// Somebody who may log in.
struct user : overrides {
    std::string username;
    /// Plain text, a verifier "SCRAM-SHA-256$...", "md5<32 hex digits>", or empty (no password:
    /// only `trust` lets the user in).
    std::string password;
    /// What to log in to the servers with where `password` is a verifier or a hash. Unset: use
    /// `password`.
    std::optional<std::string> server_password;
    bool active = true;    ///< false: treated as unknown.
    bool use_ssl = false;  ///< true: refused without TLS (unix sockets are exempt).
    int default_hostgroup = 0;
    std::uint32_t max_connections = 10000;  ///< Client connections of this user.
    bool use_reserved_connections = false;  ///< May have one of the last of all.
    std::string comment;
    bool operator==(const user&) const = default;
};

/// What holds for the clients of one database. Databases that are not listed are served, too.
struct database : overrides {
    std::string name;
    std::string server_database;  ///< Its name on the servers; empty: the same.
    [[nodiscard]] const std::string& on_servers() const {
        return server_database.empty() ? name : server_database;
    }
    std::optional<std::uint32_t> max_connections;  ///< Client connections; unset: no limit.
    std::string comment;
    bool operator==(const database&) const = default;
};

/// What becomes of the statements that it matches; ProxySQL's pgsql_query_rules, in the order of
/// its columns. Rules are sorted by rule_id. Unset criteria match everything, unset outcomes leave
/// what an earlier rule has said. The loader has neither compiled nor applied the regular
/// expressions.
struct query_rule {
    int rule_id = 0;
    bool active = true;
    std::optional<std::string> username;
    std::optional<std::string> database;
    int flag_in = 0;                           ///< Looked at while the chain has this flag.
    std::optional<std::string> client_addr;    ///< '%' at the end matches any rest.
    std::optional<std::string> proxy_addr;     ///< Of the interface that the client has reached.
    std::optional<std::uint16_t> proxy_port;   ///< As proxy_addr.
    std::optional<std::string> digest;         ///< "0x" and up to 16 hex digits.
    std::optional<std::string> match_digest;   ///< Regular expression on the normalised statement.
    std::optional<std::string> match_pattern;  ///< Regular expression on the statement as sent.
    bool negate_match_pattern = false;         ///< Inverts match_digest and match_pattern.
    std::string re_modifiers = "CASELESS";     ///< CASELESS and GLOBAL, with ',' between them.
    std::optional<int> flag_out;               ///< The chain's flag from the next rule on.
    std::optional<std::string> replace_pattern;  ///< Instead of what match_pattern matches.
    std::optional<int> destination_hostgroup;    ///< Unset: the rule does not decide the hostgroup.
    std::optional<std::chrono::milliseconds> cache_ttl;
    std::optional<bool> cache_empty_result;
    std::optional<std::chrono::milliseconds> cache_timeout;
    std::optional<bool> reconnect;
    std::optional<std::chrono::milliseconds> timeout;  ///< 0: query_timeout holds.
    std::optional<std::uint32_t> retries;
    std::optional<std::chrono::milliseconds> delay;
    std::optional<int> next_query_flag_in;
    std::optional<int> mirror_flag_out;
    std::optional<int> mirror_hostgroup;
    std::optional<std::string> error_msg;
    std::optional<std::string> ok_msg;
    std::optional<bool> sticky_conn;
    std::optional<int>
        multiplex;  ///< 0: the session keeps its server; 1: no more; 2: not for this.
    std::optional<bool> log;
    bool apply = false;      ///< true: no later rule is looked at.
    std::string attributes;  ///< JSON; see parse_weighted_flags (rule_values.hpp).
    std::string comment;
    bool operator==(const query_rule&) const = default;
};

/// Where a user's statements in a database go if no rule with `apply` has matched;
/// (username, database, flag_in) is unique. ProxySQL's pgsql_query_rules_fast_routing.
struct fast_route {
    std::string username;  ///< Empty: any.
    std::string database;
    int flag_in = 0;  ///< The flag with which the chain of rules has ended.
    int destination_hostgroup = 0;
    std::string comment;
    bool operator==(const fast_route&) const = default;
};

/// What becomes of statements that are not on the list: nothing, a line in the log, an error.
enum class firewall_mode { off, detecting, protecting };

/// Whose statements the firewall looks at; (username, client_address) is unique.
struct firewall_user {
    bool active = true;
    std::string username;
    std::string client_address;  ///< Empty: any.
    firewall_mode mode = firewall_mode::off;
    std::string comment;
    bool operator==(const firewall_user&) const = default;
};

/// A statement that the firewall lets pass; all but `active` and `comment` together are unique.
struct firewall_rule {
    bool active = true;
    std::string username;
    std::string client_address;  ///< As that of the firewall_user.
    std::string database;
    int flag_in = 0;
    std::string digest = "0x0";  ///< As query_rule::digest.
    std::string comment;
    bool operator==(const firewall_rule&) const = default;
};

/// One line of what would be pg_hba.conf: who may come from where, and how they prove it. The first
/// rule that matches decides; without any rule, `authentication_method` is for everybody.
struct hba_rule {
    hba_type type = hba_type::host;
    std::string database = "all";        ///< Entries separated by ';' (hba_names.hpp).
    std::string user = "all";            ///< As `database`.
    std::optional<std::string> address;  ///< For all types but local (address.hpp).
    hba_method method = hba_method::scram_sha_256;
    std::optional<std::string> map;  ///< Name of a user_map; cert and peer only.
    std::optional<hba_clientcert> clientcert;
    std::string comment;
    bool operator==(const hba_rule&) const = default;
};

/// Lets the holder of an outside name (a certificate's CN, an OS user) in as a database user, as a
/// line of pg_ident.conf.
struct user_map {
    std::string map;
    std::string system_user;    ///< A name, or '/' and a regular expression.
    std::string database_user;  ///< May contain '\1', the expression's first group.
    std::string comment;
    bool operator==(const user_map&) const = default;
};

/// The value of every option. Units: milliseconds unless the type says otherwise; bytes for
/// sizes. 0 means "no limit" or "never" where the documentation of the option says so.
struct variables {
    // Clients
    std::vector<listen_address> interfaces{{"0.0.0.0", 6133}};
    std::uint32_t threads = 0;  ///< 0 = number of cores.
    std::uint32_t max_connections = 10000;
    std::uint32_t reserved_connections = 0;
    std::uint32_t max_connections_per_address = 0;  ///< 0 = no limit.
    conf::authentication_method authentication_method = conf::authentication_method::scram_sha_256;
    std::chrono::milliseconds connect_timeout_client{10000};
    std::chrono::milliseconds failed_login_delay{250};
    std::chrono::milliseconds wait_timeout{28800000};
    std::chrono::milliseconds max_transaction_idle_time{14400000};
    std::chrono::milliseconds query_timeout{0};
    std::chrono::milliseconds transaction_timeout{0};
    bool cancel_on_client_disconnect = false;
    std::size_t max_allowed_packet = 64 << 20;
    std::size_t threshold_query_length = 512 << 10;

    // Routing and pooling
    conf::pool_mode pool_mode = conf::pool_mode::transaction;
    bool read_write_split = true;
    conf::read_consistency read_consistency = conf::read_consistency::session;
    conf::load_balance load_balance = conf::load_balance::weight;
    std::chrono::milliseconds connect_timeout_server{1000};
    std::chrono::milliseconds connect_timeout_server_max{10000};
    std::chrono::milliseconds query_wait_notify{5000};
    std::uint32_t connect_retries_on_failure = 10;
    std::uint32_t query_retries_on_failure = 1;
    std::chrono::milliseconds connection_max_age_ms{0};
    std::chrono::milliseconds server_idle_timeout_ms{600000};
    std::uint32_t max_stmts_per_connection = 200;
    std::size_t max_stmts_bytes_per_connection = 8 << 20;
    std::chrono::milliseconds stmts_max_idle_time{3600000};
    std::uint32_t max_stmts_cache = 10000;
    std::chrono::milliseconds catalog_refresh_interval{30000};
    bool query_digests = true;
    bool query_digests_track_hostname = false;
    std::uint32_t query_digests_max_entries = 5000;
    bool firewall_whitelist_enabled = false;
    std::string firewall_whitelist_errormsg = "Firewall blocked this query";
    std::uint32_t query_processor_iterations = 0;

    // Query cache and mirroring
    std::uint32_t query_cache_size_mb = 256;  ///< Of the process; 0 = there is no cache.
    bool query_cache_stores_empty_result = true;
    std::uint32_t query_cache_soft_ttl_pct = 0;  ///< 0 = off.
    std::size_t threshold_resultset_size = 4 << 20;
    std::uint32_t mirror_max_concurrency = 16;
    std::uint32_t mirror_max_queue_length = 32000;

    // Query log
    std::string eventslog_filename;  ///< Empty = there is no query log.
    std::size_t eventslog_filesize = 100 << 20;
    std::uint32_t eventslog_max_files = 10;
    bool eventslog_default_log = false;
    std::uint32_t eventslog_rate_limit = 1;
    std::chrono::milliseconds long_query_time{1000};
    std::size_t eventslog_buffer_max_query_length = 32 << 10;
    std::size_t eventslog_buffer_size = 16 << 20;
    bool eventslog_parameters = false;

    // Users by auth_query
    std::string auth_user;  ///< Empty = only `users` may log in.
    std::string auth_password;
    std::string auth_database = "postgres";
    std::string auth_query;  ///< Empty = the built-in query of pg_authid.
    std::chrono::milliseconds auth_query_cache_ttl{30000};
    int auth_hostgroup = -1;

    // TLS towards clients (PEM files; empty = none)
    conf::client_sslmode client_sslmode = conf::client_sslmode::allow;
    std::string ssl_cert;
    std::string ssl_key;
    std::string ssl_ca;
    std::string ssl_crl;
    tls_version ssl_min_protocol_version = tls_version::tls_1_2;

    // TLS towards servers (PEM files; empty = none)
    conf::server_sslmode server_sslmode = conf::server_sslmode::prefer;
    std::string ssl_p2s_ca;
    std::string ssl_p2s_cert;
    std::string ssl_p2s_key;
    std::string ssl_p2s_crl;

    // Network
    bool use_tcp_keepalive = true;
    std::chrono::seconds tcp_keepalive_time{120};

    // Monitor
    bool monitor_enabled = true;
    std::string monitor_username = "monitor";
    std::string monitor_password;
    std::string monitor_dbname = "postgres";
    std::chrono::milliseconds monitor_connect_timeout{1000};
    std::chrono::milliseconds monitor_ping_interval{500};
    std::chrono::milliseconds monitor_ping_timeout{1000};
    std::uint32_t monitor_ping_max_failures = 3;
    std::chrono::milliseconds monitor_read_only_interval{500};
    std::chrono::milliseconds monitor_read_only_timeout{800};
    std::uint32_t monitor_read_only_max_timeout_count = 3;
    bool monitor_writer_is_also_reader = false;
    std::uint32_t monitor_shun_recovery_checks = 2;
    std::chrono::milliseconds monitor_slow_start{10000};
    std::chrono::milliseconds monitor_replication_lag_interval{1000};
    std::chrono::milliseconds monitor_replication_lag_timeout{1000};
    std::uint32_t monitor_replication_lag_count = 1;
    lagging_reads monitor_all_readers_lagging = lagging_reads::writer;
    std::chrono::milliseconds monitor_local_dns_cache_ttl{30000};

    // High availability
    conf::ha_mode ha_mode = conf::ha_mode::manual;
    std::string ha_recover_cluster_filters;  ///< Separated by ';'.
    conf::ha_durability ha_durability = conf::ha_durability::async;
    std::size_t ha_max_lag_bytes = 1 << 20;
    bool ha_same_data_center = false;
    std::string ha_ignore_managers;  ///< Separated by ';'.
    std::chrono::seconds ha_recovery_block{3600};
    std::string ha_username;  ///< Empty = the monitor's, with its password.
    std::string ha_password;
    std::chrono::milliseconds ha_check_interval{500};
    std::chrono::milliseconds ha_check_timeout{800};
    std::chrono::milliseconds ha_start_timeout{60000};
    std::chrono::milliseconds ha_hold_timeout{30000};
    std::uint32_t ha_hold_max_clients = 10000;
    std::chrono::milliseconds ha_promote_timeout{60000};
    std::chrono::milliseconds ha_rewire_timeout{10000};
    std::chrono::milliseconds ha_drain_timeout{10000};
    bool ha_slots_for_all = false;
    std::chrono::seconds ha_history_retention{90 * 86400};
    std::string ha_on_failure_detection;
    std::string ha_pre_failover;
    std::string ha_post_failover;
    std::string ha_post_unsuccessful_failover;
    std::string ha_pre_switchover;
    std::string ha_post_switchover;
    std::string ha_agent;
    std::chrono::milliseconds ha_hook_timeout{30000};
    std::chrono::milliseconds ha_agent_timeout{3600000};
    bool ha_hook_shell = false;
    std::string ha_etcd_endpoints;  ///< Separated by ';'; empty: this Howdah is the only one.
    std::string ha_etcd_prefix = "/howdah";
    std::string ha_etcd_username;
    std::string ha_etcd_password;
    std::string ha_etcd_ca_file;
    std::string ha_etcd_cert_file;
    std::string ha_etcd_key_file;
    std::chrono::milliseconds ha_etcd_timeout{1000};
    std::chrono::seconds ha_lease{10};
    std::string ha_name;  ///< Empty = name of the host and port of the API.
    std::vector<listen_address> ha_api_ifaces{{"0.0.0.0", 3098}};
    std::string ha_api_credentials;
    std::string ha_api_tokens;
    bool ha_api_trust_loopback = true;
    bool ha_api_read_needs_login = false;
    bool ha_api_tls = false;

    // Administration
    std::vector<listen_address> admin_pgsql_ifaces{{"0.0.0.0", 6132}};
    std::string admin_admin_credentials = "admin:admin";
    std::string admin_stats_credentials = "stats:stats";
    std::chrono::milliseconds admin_statement_timeout{60000};
    std::vector<listen_address> admin_metrics_ifaces{{"0.0.0.0", 6070}};
    std::string datadir;  ///< Empty = there is no DISK layer.
    std::chrono::seconds admin_stats_history_interval{60};
    std::chrono::seconds admin_stats_history_retention{7 * 86400};

    // Operation
    std::string passfile;  ///< Already applied by the loader: passwords are filled in.
    conf::log_level log_level = conf::log_level::info;
    conf::log_format log_format = conf::log_format::text;
    std::string log_file;  ///< Empty = standard error.
    std::chrono::milliseconds shutdown_timeout{30000};
    std::chrono::milliseconds restart_drain_timeout{600000};

    bool operator==(const variables&) const = default;
};

struct settings {
    variables vars;
    std::vector<server> servers;
    std::vector<replication_hostgroup> replication_hostgroups;
    std::vector<conf::hostgroup_attributes> hostgroup_attributes;
    std::vector<ha_server> ha_servers;
    std::vector<user> users;
    std::vector<database> databases;
    std::vector<query_rule> query_rules;
    std::vector<fast_route> fast_routes;
    std::vector<firewall_user> firewall_users;
    std::vector<firewall_rule> firewall_rules;
    std::vector<hba_rule> hba_rules;  ///< In the order of the file.
    std::vector<user_map> user_maps;
    std::string source;  ///< The file it was read from, for messages and reloads.
    bool operator==(const settings&) const = default;
};

}  // namespace howdah::conf
