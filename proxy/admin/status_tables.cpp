#include "proxy/admin/status_tables.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "monitor/monitor.hpp"
#include "proxy/client_report.hpp"
#include "proxy/gather.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy {
namespace {

using admin::column_type;
using admin::live_column;
using admin::live_table;
using admin::row;
using admin::value;
using settings_source = std::function<std::shared_ptr<const conf::settings>()>;

constexpr column_type number = column_type::integer;
constexpr column_type text = column_type::text;

std::int64_t milliseconds(std::chrono::steady_clock::duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

/// "10.0.0.1:40112" -> address and port; a unix socket has no port.
std::pair<std::string, value> split_peer(const std::string& peer) {
    const std::size_t colon = peer.rfind(':');
    if (colon == peer.npos) return {peer, value()};
    return {std::string(address_of(peer)), std::int64_t{std::atoll(peer.c_str() + colon + 1)}};
}

std::string_view state_of(const client_report& r) {
    if (r.server == nullptr) return "disconnected";
    if (r.status == 'E') return "idle in transaction (aborted)";
    if (r.running) return "active";
    return r.status == 'T' ? "idle in transaction" : "idle";
}

std::string_view command_of(const client_report& r) {
    if (r.replication) return "Replication";
    if (r.waiting) return "Wait";
    return r.running ? "Query" : "Sleep";
}

/// {"pins": ["listen"], "tls": true}
std::string extended_info(const client_report& r) {
    std::string pins;
    for (std::size_t i = 0; i < sql::pin_reasons; ++i) {
        const auto reason = static_cast<sql::pin_reason>(1U << i);
        if (!sql::has_pin(r.pins, reason)) continue;
        pins.append(pins.empty() ? "\"" : ", \"").append(sql::to_string(reason)) += '"';
    }
    return "{\"pins\": [" + pins + "], \"tls\": " + (r.tls ? "true" : "false") + "}";
}

row process_row(const client_report& r) {
    auto [host, port] = split_peer(r.peer);
    row out{std::int64_t{r.worker}, std::int64_t{r.pid}, r.login->user,
            r.login->database,      std::move(host),     std::move(port)};
    out.push_back(r.hostgroup < 0 ? value() : value(std::int64_t{r.hostgroup}));
    out.emplace_back();  // l_srv_host: the kernel's choice
    out.emplace_back();
    if (r.server != nullptr) {
        out.emplace_back(r.server->at.host);
        out.emplace_back(std::int64_t{r.server->at.port});
        out.emplace_back(std::int64_t{r.server_pid});
    } else {
        out.insert(out.end(), 3, value());
    }
    out.emplace_back(std::string(state_of(r)));
    out.emplace_back(std::string(command_of(r)));
    out.emplace_back(milliseconds(r.since));
    out.push_back(r.digest ? value(r.digest->text) : value());
    out.emplace_back(std::int64_t{r.pins});
    out.emplace_back(extended_info(r));
    return out;
}

std::vector<row> process_rows(const process& shared) {
    std::vector<row> out;
    for (const client_report& r : gather_clients(shared))
        out.push_back(process_row(r));
    return out;
}

live_table processlist(const process& shared) {
    return {
        "stats",
        "stats_pgsql_processlist",
        "What every client is doing.",
        {{"ThreadID", number, "Worker."},
         {"SessionID", number, "The client's pid, as cancel requests and BackendKeyData have it."},
         {"user", text, "Who has logged in."},
         {"database", text, "To which database."},
         {"cli_host", text, "Address of the client."},
         {"cli_port", number, "Its port; NULL for unix sockets."},
         {"hostgroup", number, "Of the server that it holds or waits for."},
         {"l_srv_host", text, "Not known."},
         {"l_srv_port", number, "Not known."},
         {"srv_host", text, "The server that it holds."},
         {"srv_port", number, "Its port."},
         {"backend_pid", number, "pid of the server process."},
         {"backend_state", text, "As pg_stat_activity.state; disconnected: holds no server."},
         {"command", text, "Query, Wait (for a server), Sleep or Replication."},
         {"time_ms", number, "For so long."},
         {"info", text, "What runs, normalised as in stats_pgsql_query_digest."},
         {"status_flags", number, "Why it keeps its server, as a mask."},
         {"extended_info", text, "JSON: why it keeps its server, TLS."}},
        [&shared] { return process_rows(shared); }};
}

live_table activity(const process& shared) {
    live_table t = processlist(shared);
    t.name = "stats_pgsql_stat_activity";
    t.doc = "As stats_pgsql_processlist, under the names of pg_stat_activity.";
    constexpr std::string_view names[] = {
        "thread_id", "pid",        "usename",     "datname",  "client_addr",  "client_port",
        "hostgroup", "l_srv_host", "l_srv_port",  "srv_host", "srv_port",     "backend_pid",
        "state",     "command",    "duration_ms", "query",    "status_flags", "extended_info"};
    for (std::size_t i = 0; i < t.columns.size(); ++i)
        t.columns[i].name = names[i];
    return t;
}

live_table users(const process& shared, boost::asio::io_context& control,
                 const settings_source& settings) {
    return {"stats",
            "stats_pgsql_users",
            "Client connections per user.",
            {{"username", text, "Name."},
             {"frontend_connections", number, "Clients now."},
             {"frontend_max_connections", number, "The limit."}},
            [&shared, &control, settings] {
                const auto now = run_on(control, settings);
                std::map<std::string, std::int64_t> clients;
                for (const conf::user& u : now->users)
                    clients[u.username];
                for (const client_report& r : gather_clients(shared))
                    ++clients[r.login->user];
                std::vector<row> out;
                for (const auto& [name, n] : clients) {
                    const auto known = std::find_if(
                        now->users.begin(), now->users.end(),
                        [&name = name](const conf::user& u) { return u.username == name; });
                    out.push_back({name, n,
                                   known == now->users.end()
                                       ? value()
                                       : value(std::int64_t{known->max_connections})});
                }
                return out;
            }};
}

/// The status that an operator sees: with the monitor's findings.
std::vector<monitor::member> members(boost::asio::io_context& control, monitor::monitor& watcher) {
    const auto now = run_on(control, [&watcher] { return watcher.current(); });
    return now ? now->members : std::vector<monitor::member>();
}

live_table free_connections(const process& shared) {
    return {
        "stats",
        "stats_pgsql_free_connections",
        "Idle server connections.",
        {{"srv_host", text, "Server."},
         {"srv_port", number, "Its port."},
         {"user", text, "Who it is logged in as."},
         {"database", text, "To which database."},
         {"init_connect", text, "What it began with (pgsql_hostgroup_attributes)."},
         {"backend_pid", number, "pid of the server process."},
         {"idle_ms", number, "For so long."}},
        [&shared] {
            std::vector<row> out;
            for (const idle_report& r : gather_idle(shared))
                out.push_back({r.server->at.host, std::int64_t{r.server->at.port}, r.login->user,
                               r.login->database, r.init != nullptr ? r.init->text : std::string(),
                               std::int64_t{r.pid}, milliseconds(r.since)});
            return out;
        }};
}

live_table check_log(boost::asio::io_context& control, monitor::monitor& watcher,
                     std::string_view name, monitor::check kind) {
    live_table t;
    t.schema = "monitor";
    t.name = name;
    t.doc = "The latest checks of every server.";
    t.columns = {{"hostname", text, "Server."},
                 {"port", number, "Its port."},
                 {"time_start_us", number, "When it was made: Unix time in microseconds."}};
    const bool valued =
        kind == monitor::check::read_only || kind == monitor::check::replication_lag;
    switch (kind) {
        case monitor::check::connect:
            t.columns.push_back(
                {"connect_success_time_us", number, "How long it took; 0: failed."});
            t.columns.push_back({"connect_error", text, "Why it failed."});
            break;
        case monitor::check::ping:
            t.columns.push_back({"ping_success_time_us", number, "How long it took; 0: failed."});
            t.columns.push_back({"ping_error", text, "Why it failed."});
            break;
        case monitor::check::read_only:
            t.columns.push_back({"success_time_us", number, "How long it took; 0: failed."});
            t.columns.push_back({"read_only", number, "1: it is in recovery."});
            t.columns.push_back({"error", text, "Why it failed."});
            break;
        case monitor::check::replication_lag:
            t.columns.push_back({"success_time_us", number, "How long it took; 0: failed."});
            t.columns.push_back({"repl_lag", number, "Seconds behind; NULL: not known."});
            t.columns.push_back({"error", text, "Why it failed."});
            break;
    }
    t.rows = [&control, &watcher, kind, valued] {
        const auto log = run_on(control, [&watcher, kind] { return watcher.log(kind); });
        std::vector<row> out;
        out.reserve(log.size());
        for (const monitor::check_row& c : log) {
            row r{c.at.host, std::int64_t{c.at.port}, c.time_start_us, c.success_time_us};
            if (valued) r.push_back(c.value ? value(*c.value) : value());
            r.push_back(c.error.empty() ? value() : value(c.error));
            out.push_back(std::move(r));
        }
        return out;
    };
    return t;
}

std::string_view role_of(const monitor::observation& seen) {
    switch (seen.as) {
        case monitor::role::primary:
            return "primary";
        case monitor::role::standby:
            return "standby";
        case monitor::role::unknown:
            break;
    }
    return "unknown";
}

live_table server_status(boost::asio::io_context& control, monitor::monitor& watcher) {
    return {
        "monitor",
        "pgsql_server_status",
        "What the monitor makes of every server, and why.",
        {{"hostgroup_id", number, "Hostgroup."},
         {"hostname", text, "Server."},
         {"port", number, "Its port."},
         {"status", text, "ONLINE, SHUNNED, OFFLINE_SOFT, OFFLINE_HARD, SHUNNED_REPLICATION_LAG."},
         {"reason", text, "Why it is not ONLINE."},
         {"weight_percent", number, "How much of its weight it gets (monitor_slow_start)."},
         {"role", text, "primary, standby or unknown, as last seen."},
         {"timeline", number, "As last seen."},
         {"system_identifier", text, "Of its cluster, as last seen."},
         {"lag_ms", number, "Age of the oldest WAL that it has not replayed; NULL: not known."},
         {"lag_bytes", number, "How much WAL that is."},
         {"latency_us", number, "Mean of the last pings."},
         {"address", text, "Where its name leads, if it is configured by name."}},
        [&control, &watcher] {
            const auto seen = run_on(control, [&watcher] { return watcher.observations(); });
            std::vector<row> out;
            for (const monitor::member& m : members(control, watcher)) {
                const auto known = seen.find(m.at);
                const auto o = known == seen.end() ? monitor::observation{} : known->second;
                row r{std::int64_t{m.hostgroup}, m.at.host, std::int64_t{m.at.port},
                      std::string(to_string(m.state))};
                r.push_back(m.reason.empty() ? value() : value(m.reason));
                r.emplace_back(std::int64_t{m.share});
                r.emplace_back(std::string(role_of(o)));
                r.push_back(o.timeline == 0 ? value() : value(std::int64_t{o.timeline}));
                r.push_back(o.system_identifier == 0 ? value()
                                                     : value(std::to_string(o.system_identifier)));
                r.push_back(o.replay_lag_ms ? value(*o.replay_lag_ms) : value());
                r.push_back(o.replay_lag_bytes
                                ? value(static_cast<std::int64_t>(*o.replay_lag_bytes))
                                : value());
                r.emplace_back(o.ping_us);
                r.push_back(m.address.empty() ? value() : value(m.address));
                out.push_back(std::move(r));
            }
            return out;
        }};
}

/// runtime_pgsql_servers shows where servers are now, not where they were configured.
void show_members(live_table& t, boost::asio::io_context& control, monitor::monitor& watcher) {
    std::vector<std::string> names;
    for (const live_column& c : t.columns)
        names.emplace_back(c.name);
    t.rows = [&control, &watcher, names] {
        std::vector<row> out;
        for (const monitor::member& m : members(control, watcher)) {
            const std::map<std::string_view, value> known{
                {"hostgroup_id", std::int64_t{m.hostgroup}},
                {"hostname", m.at.host},
                {"port", std::int64_t{m.at.port}},
                {"status", std::string(to_string(m.state))},
                {"weight", std::int64_t{m.weight}},
                {"compression", std::int64_t{0}},
                {"max_connections", std::int64_t{m.max_connections}},
                {"max_replication_lag", std::int64_t{m.max_replication_lag}},
                {"use_ssl", std::int64_t{m.use_ssl}},
                {"max_latency_ms", std::int64_t{m.max_latency_ms}},
                {"comment", m.comment}};
            row r;
            for (const std::string& name : names) {
                const auto found = known.find(name);
                r.push_back(found == known.end() ? value() : found->second);
            }
            out.push_back(std::move(r));
        }
        return out;
    };
}

live_table global(const process& shared) {
    return {"stats",
            "stats_pgsql_global",
            "Counters since the start.",
            {{"Variable_Name", text, "Name."}, {"Variable_Value", text, "Value."}},
            [&shared] {
                std::uint64_t to_writer = 0, to_reader = 0;
                const auto all = gather_counters(shared);
                // Those that may have nothing to count are there all the same.
                std::map<std::string, std::uint64_t> out{{"Client_Connections_non_idle", 0},
                                                         {"Active_Transactions", 0}};
                for (const worker_counters& c : all) {
                    out["Client_Connections_created"] += c.clients_accepted;
                    out["Client_Connections_aborted"] += c.clients_refused;
                    out["Access_Denied_Wrong_Password"] += c.logins_failed;
                    out["Access_Denied_Max_Connections"] += c.clients_over_limit;
                    out["Server_Connections_created"] += c.server_connections_created;
                    out["Server_Connections_aborted"] += c.server_connections_failed;
                    out["Server_Connections_lost"] += c.servers_lost;
                    out["Server_Connections_waited"] += c.waits;
                    out["Server_Connections_wait_timeouts"] += c.wait_timeouts;
                    out["Reads_rerun"] += c.reads_rerun;
                    out["Unread_rerun"] += c.unread_rerun;
                    out["Reads_rerouted"] += c.reads_rerouted;
                    out["Stmt_mended"] += c.statements_mended;
                    out["Query_timeouts"] += c.query_timeouts;
                    out["Transaction_timeouts"] += c.transaction_timeouts;
                    out["Cancels"] += c.cancels;
                    out["Slow_queries"] += c.slow_queries;
                    out["Query_Cache_count_GET"] += c.cache.gets;
                    out["Query_Cache_count_GET_OK"] += c.cache.hits;
                    out["Query_Cache_count_SET"] += c.cache.sets;
                    out["Query_Cache_bytes_IN"] += c.cache.bytes_in;
                    out["Query_Cache_bytes_OUT"] += c.cache.bytes_out;
                    out["Query_Cache_Purged"] += c.cache.purged;
                    out["Query_Cache_Entries"] += c.cache.entries;
                    out["Query_Cache_Memory_bytes"] += c.cache.memory;
                    out["Mirror_concurrency"] += c.mirror.running;
                    out["Mirror_queue_length"] += c.mirror.queued;
                    out["Mirror_sent"] += c.mirror.sent;
                    out["Mirror_failed"] += c.mirror.failed;
                    out["Mirror_dropped"] += c.mirror.dropped;
                    to_writer += c.queries_to_writer;
                    to_reader += c.queries_to_reader;
                }
                out["Questions"] = to_writer + to_reader;
                out["Questions_to_writers"] = to_writer;
                out["Questions_to_readers"] = to_reader;
                for (const client_report& r : gather_clients(shared)) {
                    if (r.running || r.waiting) ++out["Client_Connections_non_idle"];
                    if (r.status != 'I') ++out["Active_Transactions"];
                }
                out["Client_Connections_connected"] = shared.limits.count();
                out["PgSQL_Thread_Workers"] = shared.workers.size();
                out["ProxySQL_Uptime"] = static_cast<std::uint64_t>(
                    std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now() - shared.started)
                        .count());
                out["Stmt_Cached"] = shared.statements.size();
                for (const auto& [login, n] : gather_logins(shared)) {
                    out["Queries_frontends_bytes_recv"] += n.received;
                    out["Queries_frontends_bytes_sent"] += n.sent;
                }
                out["Eventslog_written"] = shared.log.written();
                out["Eventslog_dropped"] = shared.log.dropped();
                std::vector<row> rows;
                for (const auto& [name, n] : out)
                    rows.push_back({name, std::to_string(n)});
                return rows;
            }};
}

}  // namespace

void add_status_tables(std::vector<live_table>& tables, boost::asio::io_context& control,
                       process& shared, monitor::monitor& watcher,
                       const settings_source& settings) {
    for (live_table& t : tables)
        if (t.name == "runtime_pgsql_servers") show_members(t, control, watcher);
    tables.push_back(free_connections(shared));
    tables.push_back(global(shared));
    tables.push_back(processlist(shared));
    tables.push_back(activity(shared));
    tables.push_back(users(shared, control, settings));
    using monitor::check;
    tables.push_back(check_log(control, watcher, "pgsql_server_connect_log", check::connect));
    tables.push_back(check_log(control, watcher, "pgsql_server_ping_log", check::ping));
    tables.push_back(check_log(control, watcher, "pgsql_server_read_only_log", check::read_only));
    tables.push_back(
        check_log(control, watcher, "pgsql_server_replication_lag_log", check::replication_lag));
    tables.push_back(server_status(control, watcher));
}

}  // namespace howdah::proxy
