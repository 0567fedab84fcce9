"""What ProxySQL 3 has for PostgreSQL, beside what Howdah has: tables with their columns, variables and commands. The page is
made from the registries of a running Howdah; what they do not have must have a reason here, and what they have none."""

CONFIGURATION = {
    "pgsql_servers": "hostgroup_id hostname port status weight compression max_connections max_replication_lag use_ssl"
                     " max_latency_ms comment",
    "pgsql_users": "username password active use_ssl default_hostgroup transaction_persistent fast_forward backend frontend"
                   " max_connections attributes comment",
    "pgsql_ldap_mapping": "priority frontend_entity backend_entity comment",
    "pgsql_query_rules": "rule_id active username database flagIN client_addr proxy_addr proxy_port digest match_digest"
                         " match_pattern negate_match_pattern re_modifiers flagOUT replace_pattern destination_hostgroup"
                         " cache_ttl cache_empty_result cache_timeout reconnect timeout retries delay next_query_flagIN"
                         " mirror_flagOUT mirror_hostgroup error_msg OK_msg sticky_conn multiplex log apply attributes comment",
    "pgsql_query_rules_fast_routing": "username database flagIN destination_hostgroup comment",
    "pgsql_replication_hostgroups": "writer_hostgroup reader_hostgroup check_type comment",
    "pgsql_hostgroup_attributes": "hostgroup_id max_num_online_servers autocommit free_connections_pct init_connect multiplex"
                                  " connection_warming throttle_connections_per_sec ignore_session_variables"
                                  " hostgroup_settings servers_defaults comment",
    "pgsql_firewall_whitelist_users": "active username client_address mode comment",
    "pgsql_firewall_whitelist_rules": "active username client_address database flagIN digest comment",
    "pgsql_firewall_whitelist_sqli_fingerprints": "active fingerprint",
    "global_variables": "variable_name variable_value",
    "global_settings": "variable_name variable_value",
    "proxysql_servers": "hostname port weight comment",
    "scheduler": "id active interval_ms filename arg1 arg2 arg3 arg4 arg5 comment",
    "restapi_routes": "id active timeout_ms method uri script comment",
    "coredump_filters": "filename line",
}
LIVE = {
    "stats_pgsql_global": "Variable_Name Variable_Value",
    "stats_pgsql_connection_pool": "hostgroup srv_host srv_port status ConnUsed ConnFree ConnOK ConnERR MaxConnUsed Queries"
                                   " Bytes_data_sent Bytes_data_recv Latency_us",
    "stats_pgsql_free_connections": "fd hostgroup srv_host srv_port user database init_connect time_zone sql_mode idle_ms"
                                    " statistics pgsql_info",
    "stats_pgsql_users": "username frontend_connections frontend_max_connections",
    "stats_pgsql_processlist": "ThreadID SessionID user database cli_host cli_port hostgroup l_srv_host l_srv_port srv_host"
                               " srv_port backend_pid backend_state command time_ms info status_flags extended_info",
    "stats_pgsql_stat_activity": "thread_id datname pid usename client_addr client_port hostgroup l_srv_host l_srv_port"
                                 " srv_host srv_port backend_pid state command duration_ms query status_flags extended_info",
    "stats_pgsql_errors": "hostgroup hostname port username client_address database sqlstate count_star first_seen last_seen"
                          " last_error",
    "stats_pgsql_client_host_cache": "client_address error_count last_updated",
    "stats_pgsql_query_rules": "rule_id hits",
    "stats_pgsql_commands_counters": "Command Total_Time_us Total_cnt cnt_100us cnt_500us cnt_1ms cnt_5ms cnt_10ms cnt_50ms"
                                     " cnt_100ms cnt_500ms cnt_1s cnt_5s cnt_10s cnt_INFs",
    "stats_pgsql_query_digest": "hostgroup database username client_address digest digest_text count_star first_seen last_seen"
                                " sum_time min_time max_time sum_rows_affected sum_rows_sent",
    "stats_pgsql_prepared_statements_info": "global_stmt_id database username digest ref_count_client ref_count_server"
                                            " num_param_types query",
    "stats_pgsql_query_events": "",
    "stats_memory_metrics": "Variable_Name Variable_Value",
    "stats_proxysql_servers_status": "", "stats_proxysql_message_metrics": "",
    "runtime_checksums_values": "name version epoch checksum",
    "pgsql_server_connect_log": "hostname port time_start_us connect_success_time_us connect_error",
    "pgsql_server_ping_log": "hostname port time_start_us ping_success_time_us ping_error",
    "pgsql_server_read_only_log": "hostname port time_start_us success_time_us read_only error",
    "pgsql_server_replication_lag_log": "hostname port time_start_us success_time_us repl_lag error",
    "history_pgsql_query_digest": "", "history_pgsql_status_variables": "",
}
for _twin in ("connection_pool", "errors", "client_host_cache", "query_digest"):
    LIVE[f"stats_pgsql_{_twin}_reset"] = LIVE[f"stats_pgsql_{_twin}"]

VARIABLES = """
pgsql: authentication_method server_version server_encoding default_schema ldap_user_variable add_ldap_user_comment
 handle_unknown_charset default_client_encoding default_datestyle default_intervalstyle default_standard_conforming_strings
 default_timezone shun_on_failures shun_recovery_time_sec unshun_algorithm query_retries_on_failure connect_retries_on_failure
 connect_retries_delay connect_timeout_client connect_timeout_server connect_timeout_server_max poll_timeout
 poll_timeout_on_failure ping_interval_server_msec ping_timeout_server client_host_cache_size client_host_error_counts
 preserve_client_on_broken_backend_in_tx log_unhealthy_connections verbose_query_error
 kill_backend_connection_when_disconnect default_reconnect multiplexing max_connections free_connections_pct
 connection_warming connection_max_age_ms connection_delay_multiplex_ms auto_increment_delay_multiplex
 auto_increment_delay_multiplex_timeout_ms keep_multiplexing_variables throttle_connections_per_sec_to_hostgroup
 default_max_latency_ms min_num_servers_lantency_awareness aurora_max_lag_ms_only_read_from_replicas init_connect
 set_query_lock_on_hostgroup set_parser_algorithm session_idle_ms session_idle_show_processlist sessions_sort servers_stats
 hostgroup_manager_verbose threads stacksize max_stmts_per_connection max_stmts_cache interfaces have_ssl have_compress
 ssl_p2s_ca ssl_p2s_capath ssl_p2s_cert ssl_p2s_key ssl_p2s_cipher ssl_p2s_crl ssl_p2s_crlpath use_tcp_keepalive
 tcp_keepalive_time max_allowed_packet wait_timeout max_transaction_idle_time max_transaction_time
 throttle_max_bytes_per_second_to_client throttle_ratio_server_to_client threshold_query_length threshold_resultset_size
 data_packets_history_size ffto_enabled ffto_max_buffer_size query_digests query_digests_lowercase
 query_digests_replace_null query_digests_no_digits query_digests_normalize_digest_text query_digests_track_hostname
 query_digests_keep_comment query_digests_grouping_limit query_digests_groups_grouping_limit
 query_digests_max_digest_length query_digests_max_query_length parse_failure_logs_digest commands_stats
 query_processor_iterations query_processor_first_comment_parsing query_processor_regex query_processor_parser
 query_rules_fast_routing_algorithm default_query_delay default_query_timeout long_query_time automatic_detect_sqli
 firewall_whitelist_enabled firewall_whitelist_errormsg mirror_max_concurrency mirror_max_queue_length query_cache_size_MB
 query_cache_soft_ttl_pct query_cache_handle_warnings query_cache_stores_empty_result stats_time_backend_query
 stats_time_query_processor show_processlist_extended processlist_max_query_length eventslog_filename eventslog_filesize
 eventslog_format eventslog_default_log eventslog_buffer_history_size eventslog_table_memory_size
 eventslog_buffer_max_query_length eventslog_flush_timeout eventslog_flush_size eventslog_rate_limit auditlog_filename
 auditlog_filesize auditlog_flush_timeout auditlog_flush_size monitor_enabled monitor_username monitor_password
 monitor_dbname monitor_history monitor_connect_interval monitor_connect_interval_window monitor_connect_timeout
 monitor_ping_interval monitor_ping_interval_window monitor_ping_timeout monitor_ping_max_failures
 monitor_read_only_interval monitor_read_only_interval_window monitor_read_only_timeout
 monitor_read_only_max_timeout_count monitor_replication_lag_interval monitor_replication_lag_interval_window
 monitor_replication_lag_timeout monitor_replication_lag_count monitor_writer_is_also_reader monitor_threads
 monitor_local_dns_cache_ttl monitor_local_dns_cache_refresh_interval monitor_local_dns_resolver_queue_maxsize
 enforce_autocommit_on_reads autocommit_false_not_reusable autocommit_false_is_transaction binlog_reader_connect_retry_msec
admin: admin_credentials stats_credentials mysql_ifaces pgsql_ifaces telnet_admin_ifaces telnet_stats_ifaces
 refresh_interval read_only vacuum_stats version cluster_username cluster_password cluster_check_interval_ms
 cluster_check_status_frequency restapi_enabled restapi_port web_enabled web_port web_verbosity
 prometheus_memory_metrics_interval stats_system_cpu stats_system_memory stats_mysql_query_digest_to_disk
 coredump_generation_interval_ms coredump_generation_threshold ssl_keylog_file
"""

# A statement of ProxySQL, and how the commands of Howdah are written that answer it.
COMMANDS = [
    ("LOAD PGSQL SERVERS TO RUNTIME (and USERS, QUERY RULES, VARIABLES, FIREWALL, ADMIN VARIABLES; TO RUN, FROM MEMORY, FROM MEM)",
     "LOAD {PGSQL SERVERS|"),
    ("SAVE PGSQL SERVERS TO MEMORY (and so on; TO MEM, FROM RUNTIME, FROM RUN)", "SAVE {PGSQL SERVERS|"),
    ("LOAD PGSQL SERVERS FROM DISK / TO MEMORY", "{FROM DISK|TO"),
    ("SAVE PGSQL SERVERS TO DISK / FROM MEMORY", "{TO DISK|FROM"),
    ("LOAD PGSQL SERVERS FROM CONFIG", "FROM CONFIG"),
    ("LOAD / SAVE SCHEDULER, RESTAPI, COREDUMP, LDAP VARIABLES, PROXYSQL SERVERS", None),
    ("PROXYSQL PAUSE, RESUME", "PROXYSQL PAUSE"),
    ("PROXYSQL SHUTDOWN, SHUTDOWN SLOW, KILL, STOP", "PROXYSQL {SHUTDOWN"),
    ("PROXYSQL START, RESTART", None),
    ("PROXYSQL FLUSH LOGS", "PROXYSQL FLUSH LOGS"),
    ("PROXYSQL FLUSH QUERY CACHE", "QUERY CACHE"),
    ("PROXYSQL FLUSH PGSQL CLIENT HOSTS", "CLIENT HOSTS"),
    ("PROXYSQL FLUSH CONFIGDB", None),
    ("PROXYSQL READONLY, READWRITE", None),
    ("PROXYSQL RELOAD TLS", "PROXYSQL RELOAD TLS"),
    ("PROXYSQL COREDUMP, MEMPROFILE, GCOV", None),
    ("PROXYSQL INTERNAL SESSION", None),
    ("KILL CONNECTION id, KILL QUERY id", "KILL CONNECTION"),
    ("SAVE PGSQL DIGEST TO DISK", "SAVE PGSQL DIGEST TO DISK"),
    ("SAVE CONFIG TO FILE", "SAVE CONFIG TO FILE"),
    ("SELECT CONFIG FILE, SELECT CONFIG INTO OUTFILE", None),
    ("CHECKSUM", None),
    ("DUMP EVENTSLOG", None),
    ("IMPORT PGBOUNCER CONFIG FROM", "IMPORT PGBOUNCER CONFIG"),
    ("SHOW TABLES", "SHOW TABLES"),
    ("SHOW CREATE TABLE", "SHOW CREATE TABLE"),
    ("SHOW DATABASES, SCHEMAS", "SHOW {SCHEMAS"),
    ("SHOW VARIABLES, PGSQL VARIABLES, ADMIN VARIABLES, LIKE", "VARIABLES [LIKE"),
    ("SHOW PGSQL STATUS", "SHOW PGSQL STATUS"),
    ("SHOW [FULL] PGSQL PROCESSLIST", "PROCESSLIST"),
    ("SHOW [FULL] PGSQL ACTIVITY", "PGSQL ACTIVITY"),
    ("SHOW PROMETHEUS METRICS", "SHOW PROMETHEUS METRICS"),
    ("SHOW POOLS, STATS, SERVERS, CLIENTS, DATABASES, USERS, CONFIG, VERSION, STATE, LISTS", "POOLS"),
    ("SHOW CHARSET, COLLATION, FIELDS, COLUMNS, TABLE STATUS", None),
    ("SET pgsql-x = v, SET admin-x = v", "SET <name>"),
]

_LDAP = "no LDAP here: PostgreSQL's own `ldap` is between the server and its users"
_CLUSTER = "ProxySQL's own cluster; Howdah's comes with high availability"
_MYSQL = "of MySQL, without effect in ProxySQL's PostgreSQL module"
_THREADS = "of ProxySQL's threads; Howdah's need no such setting"
_DIGEST = "digests are always made by PostgreSQL's lexical rules, in one way"
LEFT_OUT = {
    "pgsql_ldap_mapping": _LDAP, "global_settings": "`global_variables` has them", "proxysql_servers": _CLUSTER,
    "scheduler": "cron and systemd timers do that", "restapi_routes": "no scripts are run for HTTP requests",
    "coredump_filters": "a debugging aid of ProxySQL", "stats_proxysql_servers_status": _CLUSTER,
    "stats_proxysql_message_metrics": "a debugging aid of ProxySQL", "runtime_checksums_values": _CLUSTER,
    "stats_memory_metrics": "`stats.howdah_process` has memory and CPU",
    "stats_pgsql_query_events": "the query log is a file",
    "pgsql_firewall_whitelist_sqli_fingerprints": "no guessing of SQL injection: the firewall knows statements by digest",
    "stats_pgsql_free_connections.fd": "a number of ProxySQL's insides",
    "stats_pgsql_free_connections.hostgroup": "connections belong to a server, whatever its hostgroups",
    "stats_pgsql_free_connections.time_zone": _MYSQL,
    "stats_pgsql_free_connections.sql_mode": _MYSQL,
    "stats_pgsql_free_connections.statistics": "`backend_pid` leads to pg_stat_activity",
    "stats_pgsql_free_connections.pgsql_info": "`backend_pid` leads to pg_stat_activity",
    "pgsql-server_version": "the servers' own", "pgsql-server_encoding": "the servers' own",
    "pgsql-default_schema": _MYSQL, "pgsql-ldap_user_variable": _LDAP, "pgsql-add_ldap_user_comment": _LDAP,
    "pgsql-handle_unknown_charset": "PostgreSQL decides", "pgsql-default_client_encoding": "the servers' own",
    "pgsql-default_datestyle": "the servers' own", "pgsql-default_intervalstyle": "the servers' own",
    "pgsql-default_standard_conforming_strings": "the servers' own", "pgsql-default_timezone": "the servers' own",
    "pgsql-shun_on_failures": "a failure makes the monitor probe at once, and the probes decide",
    "pgsql-shun_recovery_time_sec": "the monitor's own probes readmit a server (`monitor_shun_recovery_checks`)",
    "pgsql-unshun_algorithm": "a server that is back is back in all its hostgroups",
    "pgsql-connect_retries_delay": "attempts are repeated every 100 ms",
    "pgsql-poll_timeout": _THREADS, "pgsql-poll_timeout_on_failure": _THREADS,
    "pgsql-ping_interval_server_msec": "a broken idle connection is noticed when it breaks, without pings",
    "pgsql-ping_timeout_server": "a broken idle connection is noticed when it breaks, without pings",
    "pgsql-client_host_cache_size": "always on, and bounded", "pgsql-client_host_error_counts": "failed logins are answered ever later (`failed_login_delay`)",
    "pgsql-preserve_client_on_broken_backend_in_tx": "always so", "pgsql-log_unhealthy_connections": "`log_level`",
    "pgsql-verbose_query_error": "`stats_pgsql_errors` has user, database and server",
    "pgsql-kill_backend_connection_when_disconnect": "`cancel_on_client_disconnect`, also per user and database",
    "pgsql-default_reconnect": "always so", "pgsql-multiplexing": "`pool_mode`, also per user and database; per hostgroup `pgsql_hostgroup_attributes`",
    "pgsql-free_connections_pct": "`server_idle_timeout_ms` closes what nobody uses; per hostgroup `pgsql_hostgroup_attributes`",
    "pgsql-connection_warming": "per hostgroup, in `pgsql_hostgroup_attributes`",
    "pgsql-connection_delay_multiplex_ms": "session state is tracked exactly: no need to wait",
    "pgsql-auto_increment_delay_multiplex": _MYSQL, "pgsql-auto_increment_delay_multiplex_timeout_ms": _MYSQL,
    "pgsql-keep_multiplexing_variables": _MYSQL,
    "pgsql-throttle_connections_per_sec_to_hostgroup": "per hostgroup, in `pgsql_hostgroup_attributes`",
    "pgsql-default_max_latency_ms": "`max_latency_ms` per server",
    "pgsql-min_num_servers_lantency_awareness": "`max_latency_ms` per server",
    "pgsql-aurora_max_lag_ms_only_read_from_replicas": _MYSQL,
    "pgsql-init_connect": "per hostgroup, in `pgsql_hostgroup_attributes`",
    "pgsql-set_query_lock_on_hostgroup": "every SET is parsed by PostgreSQL's grammar; what cannot be replayed pins the session",
    "pgsql-set_parser_algorithm": "PostgreSQL's grammar", "pgsql-session_idle_ms": _THREADS,
    "pgsql-session_idle_show_processlist": _THREADS, "pgsql-sessions_sort": "first come, first served, always",
    "pgsql-servers_stats": "always on", "pgsql-hostgroup_manager_verbose": "`log_level`", "pgsql-stacksize": _THREADS,
    "pgsql-have_ssl": "`client_sslmode`", "pgsql-have_compress": _MYSQL,
    "pgsql-ssl_p2s_capath": "not applied by ProxySQL either", "pgsql-ssl_p2s_cipher": "not applied by ProxySQL either",
    "pgsql-ssl_p2s_crlpath": "`ssl_p2s_crl`", "pgsql-max_transaction_time": "`transaction_timeout`, also per user and database",
    "pgsql-throttle_max_bytes_per_second_to_client": "results stream; memory per client is bounded",
    "pgsql-throttle_ratio_server_to_client": "results stream; memory per client is bounded",
    "pgsql-data_packets_history_size": "a debugging aid of ProxySQL",
    "pgsql-ffto_enabled": "there is no fast_forward: nothing has to be given up for speed",
    "pgsql-ffto_max_buffer_size": "there is no fast_forward: nothing has to be given up for speed",
    "pgsql-query_digests_lowercase": _DIGEST, "pgsql-query_digests_replace_null": _DIGEST,
    "pgsql-query_digests_no_digits": _DIGEST, "pgsql-query_digests_normalize_digest_text": "always so",
    "pgsql-query_digests_keep_comment": _DIGEST, "pgsql-query_digests_grouping_limit": _DIGEST,
    "pgsql-query_digests_groups_grouping_limit": _DIGEST, "pgsql-query_digests_max_digest_length": "2048 bytes",
    "pgsql-query_digests_max_query_length": "whole statements up to 1 MiB",
    "pgsql-parse_failure_logs_digest": "statements are not logged", "pgsql-commands_stats": "with `query_digests`",
    "pgsql-query_processor_first_comment_parsing": "hints are read before the rules",
    "pgsql-query_processor_regex": "RE2, in linear time", "pgsql-query_processor_parser": "PostgreSQL's grammar",
    "pgsql-query_rules_fast_routing_algorithm": _THREADS, "pgsql-default_query_delay": "`delay` of a rule",
    "pgsql-default_query_timeout": "`query_timeout`, also per user and database",
    "pgsql-automatic_detect_sqli": "no guessing of SQL injection: the firewall knows statements by digest",
    "pgsql-query_cache_handle_warnings": _MYSQL,
    "pgsql-stats_time_backend_query": "times are always kept", "pgsql-stats_time_query_processor": "times are always kept",
    "pgsql-show_processlist_extended": "`extended_info` is always there",
    "pgsql-processlist_max_query_length": "2048 bytes",
    "pgsql-eventslog_format": "JSON lines", "pgsql-eventslog_buffer_history_size": "the query log is a file",
    "pgsql-eventslog_table_memory_size": "the query log is a file",
    "pgsql-eventslog_flush_timeout": "written at once, by a thread of its own",
    "pgsql-eventslog_flush_size": "written at once, by a thread of its own",
    **{f"pgsql-auditlog_{n}": "logins and their refusals are in the log" for n in
       ("filename", "filesize", "flush_timeout", "flush_size")},
    "pgsql-monitor_history": "the latest checks of every server are kept, in bounded memory",
    "pgsql-monitor_connect_interval": "every ping is over a kept connection; a new one is opened when it breaks",
    **{f"pgsql-monitor_{n}_interval_window": "checks are spread by themselves" for n in
       ("connect", "ping", "read_only", "replication_lag")},
    "pgsql-monitor_threads": "asynchronous: one thread for all servers",
    "pgsql-monitor_local_dns_cache_refresh_interval": "names are looked up anew by a thread of their own",
    "pgsql-monitor_local_dns_resolver_queue_maxsize": "names are looked up anew by a thread of their own",
    **{f"pgsql-{n}": _MYSQL for n in ("enforce_autocommit_on_reads", "autocommit_false_not_reusable",
                                      "autocommit_false_is_transaction", "binlog_reader_connect_retry_msec")},
    "admin-mysql_ifaces": "no MySQL", "admin-telnet_admin_ifaces": "unused in ProxySQL",
    "admin-telnet_stats_ifaces": "unused in ProxySQL", "admin-refresh_interval": "statistics are live",
    "admin-read_only": "`admin_stats_credentials` are for those who only look", "admin-vacuum_stats": "needs no setting",
    "admin-version": "`SHOW VERSION`, `howdah_build_info`", "admin-cluster_username": _CLUSTER,
    "admin-cluster_password": _CLUSTER, "admin-cluster_check_interval_ms": _CLUSTER,
    "admin-cluster_check_status_frequency": _CLUSTER, "admin-restapi_enabled": "`admin_metrics_ifaces`",
    "admin-restapi_port": "`admin_metrics_ifaces`", "admin-web_enabled": "comes with high availability",
    "admin-web_port": "comes with high availability", "admin-web_verbosity": "`log_level`",
    "admin-prometheus_memory_metrics_interval": "measured at every scrape",
    "admin-stats_system_cpu": "`admin_stats_history_interval`", "admin-stats_system_memory": "`admin_stats_history_interval`",
    "admin-stats_mysql_query_digest_to_disk": "`SAVE PGSQL DIGEST TO DISK`",
    "admin-coredump_generation_interval_ms": "the system's own core dumps",
    "admin-coredump_generation_threshold": "the system's own core dumps", "admin-ssl_keylog_file": "a debugging aid",
    "LOAD / SAVE SCHEDULER, RESTAPI, COREDUMP, LDAP VARIABLES, PROXYSQL SERVERS": "there are no such tables",
    "PROXYSQL START, RESTART": "systemd does that; SIGUSR2 hands clients over to a new process",
    "PROXYSQL FLUSH CONFIGDB": "howdah.db needs no reopening", "PROXYSQL READONLY, READWRITE": "log in as a stats user",
    "PROXYSQL COREDUMP, MEMPROFILE, GCOV": "debugging aids of ProxySQL",
    "PROXYSQL INTERNAL SESSION": "`stats_pgsql_processlist` tells the same of every client",
    "SELECT CONFIG FILE, SELECT CONFIG INTO OUTFILE": "`SAVE CONFIG TO FILE`", "CHECKSUM": _CLUSTER,
    "DUMP EVENTSLOG": "the query log is a file",
    "SHOW CHARSET, COLLATION, FIELDS, COLUMNS, TABLE STATUS": "of MySQL's clients",
}
BETTER = {
    "stats_pgsql_query_digest": "also errors and p50, p95, p99; emptied by TRUNCATE, too",
    "pgsql_query_rules": "matched by RE2, all rules at once; checked as a whole by LOAD",
    "pgsql_servers": "LOAD checks across tables",
    "stats_pgsql_processlist": "always with `extended_info`; `info` is the normalised statement, without literals",
    "stats_pgsql_prepared_statements_info": "equal statements are one, whoever prepared them: no database and user",
    "global_variables": "a wrong value is refused with the bounds, an unknown name with the nearest",
    "history_pgsql_status_variables": "names, not numbers of names",
    "LOAD PGSQL SERVERS TO RUNTIME (and USERS, QUERY RULES, VARIABLES, FIREWALL, ADMIN VARIABLES; TO RUN, FROM MEMORY, FROM MEM)":
        "all or nothing, with what is wrong and why",
    "PROXYSQL PAUSE, RESUME": "clients wait instead of being refused; per database, user and server, too",
    "SHOW DATABASES, SCHEMAS": "SHOW DATABASES is PgBouncer's, SHOW SCHEMAS lists schemas",
}


def variables():
    prefix = ""
    for word in VARIABLES.split():
        if word.endswith(":"):
            prefix = word[:-1]
        else:
            yield f"{prefix}-{word}"


def render(rows):
    """`rows(sql)` answers a query of an administrator. Raises ValueError where a reason is missing or stale."""
    problems, used = [], set()

    def verdict(name, there):
        if name in LEFT_OUT:
            used.add(name)
            if there:
                problems.append(f"{name} is there, but has a reason to be left out")
            return f"left out: {LEFT_OUT[name]}"
        if not there:
            problems.append(f"{name} is not there, without a reason")
        if name in BETTER:
            used.add(name)
            return f"better: {BETTER[name]}"
        return "same"

    columns = {}
    for table, column in rows("SELECT table_name, column_name FROM stats.howdah_columns"):
        columns.setdefault(table, set()).add(column)
    for table, column in rows("SELECT m.name, c.name FROM main.sqlite_schema m, pragma_table_info(m.name) c"):
        columns.setdefault(table, set()).add(column)
    for table, column in rows("SELECT m.name, c.name FROM stats_history.sqlite_schema m, pragma_table_info(m.name, 'stats_history') c"):
        columns.setdefault(table, set()).add(column)
    out = ["| table | Howdah |\n|---|---|\n"]
    for table, names in {**CONFIGURATION, **LIVE}.items():
        told = verdict(table, table in columns)
        if table in columns:
            missing = [c for c in names.split() if c not in columns[table]]
            without = [f"`{c}` ({LEFT_OUT[f'{table}.{c}']})" for c in missing if f"{table}.{c}" in LEFT_OUT]
            used.update(f"{table}.{c}" for c in missing)
            problems += [f"{table}.{c} is not there, without a reason" for c in missing if f"{table}.{c}" not in LEFT_OUT]
            if table in CONFIGURATION and f"runtime_{table}" not in columns:
                problems.append(f"runtime_{table} is not there")
            more = [c for c in columns[table] if c not in names.split()] if names else []
            if without:
                told += "; without " + ", ".join(without)
            if more:
                told += "; also " + ", ".join(f"`{c}`" for c in sorted(more))
        out.append(f"| `{table}` | {told} |\n")
    known = {name for name, in rows("SELECT variable_name FROM runtime_global_variables")}
    out.append("\n| variable | Howdah |\n|---|---|\n")
    out += [f"| `{name}` | {verdict(name, name in known)} |\n" for name in variables()]
    syntaxes = [syntax for syntax, in rows("SELECT syntax FROM stats.howdah_commands")]
    out.append("\n| command | Howdah |\n|---|---|\n")
    for command, syntax in COMMANDS:
        there = syntax is not None and any(syntax in s for s in syntaxes)
        out.append(f"| `{command}` | {verdict(command, there)} |\n".replace("{", "(").replace("}", ")"))
    problems += [f"a reason for {name}, which is not asked for" for name in {*LEFT_OUT, *BETTER} - used]
    if problems:
        raise ValueError("\n".join(problems))
    return "".join(out)
