#include "proxy/admin/statistics_tables.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <map>

#include "monitor/monitor.hpp"
#include "proxy/admin/process_usage.hpp"
#include "proxy/gather.hpp"
#include "proxy/sql/command_kind.hpp"
#include "proxy/sql/digest.hpp"
#include "proxy/statistics/collect.hpp"

namespace howdah::proxy {
namespace {

using admin::column_type;
using admin::live_column;
using admin::live_table;
using admin::row;
using admin::value;

constexpr column_type number = column_type::integer;
constexpr column_type text = column_type::text;

std::int64_t integer(std::uint64_t n) {
    return static_cast<std::int64_t>(n);
}

/// The table as it is, or its twin that a SELECT empties.
live_table twin(std::string_view name, std::string_view doc, bool reset) {
    static const std::map<std::string_view, std::pair<std::string, std::string>, std::less<>>
        resets = [] {
            std::map<std::string_view, std::pair<std::string, std::string>, std::less<>> out;
            for (const std::string_view plain :
                 {"stats_pgsql_connection_pool", "stats_pgsql_errors",
                  "stats_pgsql_client_host_cache", "stats_pgsql_query_digest"})
                out[plain] = {std::string(plain) + "_reset",
                              "As " + std::string(plain) + ", which a SELECT of it empties."};
            return out;
        }();
    live_table t;
    t.schema = "stats";
    t.name = reset ? std::string_view(resets.at(name).first) : name;
    t.doc = reset ? std::string_view(resets.at(name).second) : doc;
    return t;
}

live_table connection_pool(process& shared, boost::asio::io_context& control,
                           monitor::monitor& watcher, bool reset) {
    live_table t = twin("stats_pgsql_connection_pool",
                        "Server connections and traffic per hostgroup and server.", reset);
    t.columns = {
        {"hostgroup", number, "Hostgroup."},
        {"srv_host", text, "Server."},
        {"srv_port", number, "Its port."},
        {"status", text, "ONLINE, SHUNNED, OFFLINE_SOFT, OFFLINE_HARD, SHUNNED_REPLICATION_LAG."},
        {"ConnUsed", number, "Connections in use, over all hostgroups of the server."},
        {"ConnFree", number, "Idle connections, likewise."},
        {"ConnOK", number, "Connections opened, likewise."},
        {"ConnERR", number, "Connections that could not be opened, likewise."},
        {"MaxConnUsed", number, "The most that were open at a time, likewise."},
        {"Queries", number, "Statements sent to it as a member of this hostgroup."},
        {"Bytes_data_sent", number, "Bytes sent to it, likewise."},
        {"Bytes_data_recv", number, "Bytes received from it, likewise."},
        {"Latency_us", number, "Mean of the last pings."}};
    t.rows = [&shared, &control, &watcher, reset] {
        const auto seen = run_on(control, [&watcher] { return watcher.observations(); });
        const auto now = run_on(control, [&watcher] { return watcher.current(); });
        std::map<monitor::endpoint, std::int64_t> idle;
        for (const idle_report& r : gather_idle(shared))
            ++idle[r.server->at];
        server_statistics counted = collect_servers(shared, reset);
        std::vector<row> out;
        if (!now) return out;
        for (const monitor::member& m : now->members) {
            const server_entry* server = shared.names.server(m.at);
            const std::int64_t free = idle[m.at];
            const std::int64_t open = shared.book.used(server);
            const auto known = seen.find(m.at);
            const connection_counters& made = counted.connections[server];
            const server_counters& n = counted.traffic[{m.hostgroup, server}];
            out.push_back({std::int64_t{m.hostgroup}, m.at.host, std::int64_t{m.at.port},
                           std::string(to_string(m.state)), std::max<std::int64_t>(0, open - free),
                           free, integer(made.opened), integer(made.failed),
                           std::int64_t{shared.book.most_used(server, reset)},
                           integer(n.statements), integer(n.sent), integer(n.received),
                           known == seen.end() ? value() : value(known->second.ping_us)});
        }
        return out;
    };
    return t;
}

live_table errors(const process& shared, bool reset) {
    live_table t = twin("stats_pgsql_errors", "Errors of servers, by what they were about.", reset);
    t.columns = {{"hostgroup", number, "Hostgroup."},
                 {"hostname", text, "Server."},
                 {"port", number, "Its port."},
                 {"username", text, "User."},
                 {"client_address", text, "Of the last."},
                 {"database", text, "Database."},
                 {"sqlstate", text, "Five characters."},
                 {"count_star", number, "How many."},
                 {"first_seen", number, "Unix time."},
                 {"last_seen", number, "Unix time."},
                 {"last_error", text, "Message of the last."}};
    t.rows = [&shared, reset] {
        std::vector<row> out;
        for (const auto& [key, n] : collect_errors(shared, reset).rows)
            out.push_back({std::int64_t{key.hostgroup}, key.server->at.host,
                           std::int64_t{key.server->at.port}, key.login->user, n.client_address,
                           key.login->database, key.sqlstate, integer(n.count), n.first_seen,
                           n.last_seen, n.message});
        return out;
    };
    return t;
}

live_table client_host_cache(process& shared, bool reset) {
    live_table t = twin("stats_pgsql_client_host_cache",
                        "Addresses whose logins failed, within the last minutes.", reset);
    t.columns = {{"client_address", text, "Address; of IPv6 the network."},
                 {"error_count", number, "Failed logins, each within a minute of the one before."},
                 {"last_updated", number, "Unix time of the last."}};
    t.rows = [&shared, reset] {
        std::vector<row> out;
        const auto now = std::chrono::system_clock::now();
        for (const login_failures::row& r : shared.failures.read(reset)) {
            const auto at = now - std::chrono::duration_cast<std::chrono::seconds>(r.ago);
            out.push_back({conf::to_string(r.address), std::int64_t{r.count},
                           std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(
                                            at.time_since_epoch())
                                            .count()}});
        }
        return out;
    };
    return t;
}

live_table commands_counters(const process& shared) {
    live_table t;
    t.schema = "stats";
    t.name = "stats_pgsql_commands_counters";
    t.doc =
        "Statements by their command, and how many took how long; of those that digests are "
        "kept of.";
    t.columns = {
        {"Command", text, "Command."},
        {"Total_Time_us", number, "Microseconds in all."},
        {"Total_cnt", number, "How many."},
        {"cnt_100us", number, "Took no longer than 100 microseconds."},
        {"cnt_500us", number, "Took longer than the bound before, but no longer than this."},
        {"cnt_1ms", number, "Likewise."},
        {"cnt_5ms", number, "Likewise."},
        {"cnt_10ms", number, "Likewise."},
        {"cnt_50ms", number, "Likewise."},
        {"cnt_100ms", number, "Likewise."},
        {"cnt_500ms", number, "Likewise."},
        {"cnt_1s", number, "Likewise."},
        {"cnt_5s", number, "Likewise."},
        {"cnt_10s", number, "Likewise."},
        {"cnt_INFs", number, "Took longer."}};
    t.rows = [&shared] {
        command_statistics counted = collect_commands(shared);
        const auto names = sql::command_names();
        counted.resize(names.size());
        std::vector<row> out;
        for (std::size_t i = 0; i < names.size(); ++i) {
            row r{names[i], integer(counted[i].total_us), integer(counted[i].count)};
            for (const std::uint64_t n : counted[i].buckets)
                r.emplace_back(integer(n));
            out.push_back(std::move(r));
        }
        return out;
    };
    return t;
}

live_table query_rules(const process& shared) {
    return {"stats",
            "stats_pgsql_query_rules",
            "How often each rule has matched since it is in force.",
            {{"rule_id", number, "Rule."}, {"hits", number, "Statements that it matched."}},
            [&shared] {
                std::vector<row> out;
                for (const rule_hits::row& r : collect_rule_hits(shared))
                    out.push_back({std::int64_t{r.rule_id}, static_cast<std::int64_t>(r.hits)});
                return out;
            }};
}

std::string hexadecimal(std::uint64_t digest) {
    std::array<char, 20> out{};
    std::snprintf(out.data(), out.size(), "0x%016llX", static_cast<unsigned long long>(digest));
    return out.data();
}

live_table query_digest(const process& shared, bool reset) {
    live_table t = twin("stats_pgsql_query_digest", "Statements by their normalised text.", reset);
    t.columns = {{"hostgroup", number, "Where they ran."},
                 {"database", text, "Database."},
                 {"username", text, "User."},
                 {"client_address", text, "Client, where addresses are told apart."},
                 {"digest", text, "Hash of the text."},
                 {"digest_text", text, "Normalised text."},
                 {"count_star", number, "How many."},
                 {"first_seen", number, "Unix time."},
                 {"last_seen", number, "Unix time."},
                 {"sum_time", number, "Microseconds in all."},
                 {"min_time", number, "The fastest, in microseconds."},
                 {"max_time", number, "The slowest, in microseconds."},
                 {"sum_rows_affected", number, "Rows changed."},
                 {"sum_rows_sent", number, "Rows sent."},
                 {"errors", number, "How many failed."},
                 {"p50_time", number, "Half took no longer, in microseconds."},
                 {"p95_time", number, "95 % took no longer."},
                 {"p99_time", number, "99 % took no longer."}};
    t.rows = [&shared, reset] {
        std::vector<row> out;
        for (const digest_row& r : collect_digests(shared, reset).rows) {
            const digest_counts& n = r.counts;
            out.push_back({std::int64_t{r.key.hostgroup}, r.key.login->database, r.key.login->user,
                           r.key.client_address, hexadecimal(r.key.digest), r.digest->text,
                           integer(n.count), n.first_seen, n.last_seen, integer(n.sum_time),
                           integer(n.min_time), integer(n.max_time), integer(n.rows_affected),
                           integer(n.rows_sent), integer(n.errors),
                           integer(n.times.percentile(0.5)), integer(n.times.percentile(0.95)),
                           integer(n.times.percentile(0.99))});
        }
        return out;
    };
    return t;
}

live_table own_process() {
    return {"stats",
            "howdah_process",
            "What this process uses of the machine.",
            {{"cpu_user_us", number, "CPU time of all threads, in microseconds."},
             {"cpu_system_us", number, "CPU time in the kernel, in microseconds."},
             {"resident_bytes", number, "Memory in RAM."},
             {"open_files", number, "File descriptors."}},
            [] {
                const process_usage used = current_usage();
                return std::vector<row>{{used.cpu_user.count(), used.cpu_system.count(),
                                         used.resident_bytes, used.open_files}};
            }};
}

live_table prepared_statements(const process& shared) {
    return {"stats",
            "stats_pgsql_prepared_statements_info",
            "Named prepared statements; equal ones are one, whoever prepared them.",
            {{"global_stmt_id", number, "Number; servers know it as howdah_<number>."},
             {"database", text, "Empty: it may be of several."},
             {"username", text, "Empty: it may be of several."},
             {"digest", text, "Hash of the normalised text."},
             {"ref_count_client", number, "Names that clients have for it."},
             {"ref_count_server", number, "Server connections on which it is prepared."},
             {"num_param_types", number, "Parameters whose type the client gave."},
             {"query", text, "Its text."}},
            [&shared] {
                std::vector<row> out;
                for (const statement_ptr& s : shared.statements.all())
                    out.push_back({integer(s->id), "", "",
                                   hexadecimal(sql::compute_digest(s->query).hash),
                                   std::int64_t{s->clients.load()}, std::int64_t{s->servers.load()},
                                   std::int64_t{s->parameter_types()}, s->query});
                return out;
            }};
}

}  // namespace

void add_statistics_tables(std::vector<live_table>& tables, boost::asio::io_context& control,
                           process& shared, monitor::monitor& watcher) {
    for (const bool reset : {false, true}) {
        tables.push_back(connection_pool(shared, control, watcher, reset));
        tables.push_back(errors(shared, reset));
        tables.push_back(client_host_cache(shared, reset));
        tables.push_back(query_digest(shared, reset));
    }
    tables.push_back(commands_counters(shared));
    tables.push_back(prepared_statements(shared));
    tables.push_back(query_rules(shared));
    tables.push_back(own_process());
}

std::vector<admin::command> statistics_commands(process& shared) {
    return {
        {.syntax = "TRUNCATE [TABLE] "
                   "table:{STATS_PGSQL_QUERY_DIGEST_RESET|STATS_PGSQL_QUERY_DIGEST|"
                   "STATS_PGSQL_ERRORS_RESET|STATS_PGSQL_ERRORS}",
         .doc = "Empties it; counting begins anew.",
         .needs = admin::role::admin,
         .run =
             [&shared](const admin::command_call& call) {
                 if (call["table"].starts_with("STATS_PGSQL_ERRORS")) {
                     (void)collect_errors(shared, true);
                 } else {
                     (void)collect_digests(shared, true);
                 }
                 return admin::sql_result<admin::command_result>(admin::tagged("TRUNCATE TABLE"));
             },
         .group = "Looking around"},
        {.syntax = "PROXYSQL FLUSH [PGSQL] CLIENT HOSTS",
         .doc = "Forgets whose logins failed: their next ones are answered at once.",
         .needs = admin::role::admin,
         .run =
             [&shared](const admin::command_call&) {
                 (void)shared.failures.read(true);
                 return admin::sql_result<admin::command_result>(admin::tagged("PROXYSQL FLUSH"));
             },
         .group = "The process"},
        {.syntax = "PROXYSQL FLUSH [PGSQL] QUERY CACHE",
         .doc = "Forgets the results that rules with cache_ttl have kept.",
         .needs = admin::role::admin,
         .run =
             [&shared](const admin::command_call&) {
                 (void)gather(shared, [](worker& w) {
                     w.cache.clear();
                     return true;
                 });
                 return admin::sql_result<admin::command_result>(admin::tagged("PROXYSQL FLUSH"));
             },
         .group = "The process"}};
}

}  // namespace howdah::proxy
