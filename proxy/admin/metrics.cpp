#include "proxy/admin/metrics.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "ha/fact_reader.hpp"
#include "monitor/monitor.hpp"
#include "proxy/admin/ha_metrics.hpp"
#include "proxy/admin/metric_families.hpp"
#include "proxy/admin/process_usage.hpp"
#include "proxy/gather.hpp"
#include "proxy/statistics/collect.hpp"

namespace howdah::proxy {
namespace {

using families = metric_families;
using labels = families::labels;

/// One counter of the workers: its family, its help where it is the family's first, its label.
struct counter_row {
    const char* name;
    const char* help;
    const char* label;
    const char* label_value;
    std::uint64_t worker_counters::*member;
};

using c = worker_counters;
constexpr counter_row counter_rows[] = {
    {"howdah_client_connections_accepted_total", "Connections of clients that were accepted.", "",
     "", &c::clients_accepted},
    {"howdah_client_connections_refused_total", "Connections of clients that were refused.", "", "",
     &c::clients_refused},
    {"howdah_client_connections_over_limit_total",
     "Connections refused because of a limit (53300).", "", "", &c::clients_over_limit},
    {"howdah_logins_failed_total", "Logins with a wrong user or password.", "", "",
     &c::logins_failed},
    {"howdah_replication_connections_total", "Replication connections.", "", "",
     &c::replication_clients},
    {"howdah_batches_total", "Statements and pipelines that were routed, by where they went.",
     "role", "writer", &c::queries_to_writer},
    {"howdah_batches_total", "", "role", "reader", &c::queries_to_reader},
    {"howdah_reads_in_transaction_total", "Reads that the writer ran because of their transaction.",
     "", "", &c::reads_in_transaction},
    {"howdah_reads_held_total", "Reads that the writer answered for the sake of consistency.",
     "reason", "uncovered", &c::reads_held_uncovered},
    {"howdah_reads_held_total", "", "reason", "lag", &c::reads_held_lag},
    {"howdah_reads_held_total", "", "reason", "forked", &c::reads_held_forked},
    {"howdah_sample_waits_total", "Reads that waited for a WAL sample.", "", "", &c::sample_waits},
    {"howdah_reads_rerun_total", "Reads run again because their server was lost.", "", "",
     &c::reads_rerun},
    {"howdah_unread_rerun_total",
     "Batches, writes too, sent again because their server died before it read them.", "", "",
     &c::unread_rerun},
    {"howdah_reads_rerouted_total", "Reads that turned out to write (25006) and ran again.", "", "",
     &c::reads_rerouted},
    {"howdah_statements_mended_total",
     "Statements prepared anew because the server would not run them.", "", "",
     &c::statements_mended},
    {"howdah_server_connections_opened_total", "Server connections that were opened.", "", "",
     &c::server_connections_created},
    {"howdah_server_connections_failed_total", "Server connections that could not be opened.", "",
     "", &c::server_connections_failed},
    {"howdah_server_connections_lost_total", "Server connections lost while a client used them.",
     "", "", &c::servers_lost},
    {"howdah_waits_total", "Times a client had to wait for a server connection.", "", "",
     &c::waits},
    {"howdah_ha_holds_total", "Times a client had to wait for the end of a failover or switchover.",
     "", "", &c::holds},
    {"howdah_ha_holds_failed_total",
     "Statements that failed because a failover or switchover took too long, or because "
     "ha_hold_max_clients waited already.",
     "reason", "timeout", &c::holds_timed_out},
    {"howdah_ha_holds_failed_total", "", "reason", "too_many", &c::holds_refused},
    {"howdah_timeouts_total", "Time limits that were reached.", "kind", "wait", &c::wait_timeouts},
    {"howdah_timeouts_total", "", "kind", "login", &c::login_timeouts},
    {"howdah_timeouts_total", "", "kind", "query", &c::query_timeouts},
    {"howdah_timeouts_total", "", "kind", "transaction", &c::transaction_timeouts},
    {"howdah_timeouts_total", "", "kind", "idle_transaction", &c::transaction_idle_timeouts},
    {"howdah_timeouts_total", "", "kind", "idle_client", &c::client_idle_timeouts},
    {"howdah_slow_statements_total", "Statements that took long_query_time.", "", "",
     &c::slow_queries},
    {"howdah_clients_vanished_total", "Clients that left while their statement ran.", "", "",
     &c::clients_vanished},
    {"howdah_cancels_total", "Cancel requests of clients that were carried out.", "", "",
     &c::cancels},
};

constexpr const char* route_names[route_reasons] = {"read", "write", "unparsed", "functions",
                                                    "rule", "hint",  "no_split", "read_only_mode"};

void add_counters(families& out, const std::vector<worker_counters>& workers) {
    const auto sum = [&](auto of) {
        double n = 0;
        for (const worker_counters& w : workers)
            n += static_cast<double>(of(w));
        return n;
    };
    for (const counter_row& r : counter_rows) {
        labels l;
        if (*r.label != '\0') l.push_back({r.label, r.label_value});
        out.counter(r.name, r.help, l, sum([&](const worker_counters& w) { return w.*r.member; }));
    }
    for (std::size_t i = 0; i < route_reasons; ++i)
        out.counter("howdah_routed_total", "Batches by why they went where they went.",
                    {{"reason", route_names[i]}},
                    sum([i](const worker_counters& w) { return w.routed[i]; }));
    for (std::size_t i = 0; i < sql::pin_reasons; ++i)
        out.counter("howdah_pinned_total", "Sessions that began to keep their server, by reason.",
                    {{"reason", std::string(to_string(static_cast<sql::pin_reason>(1U << i)))}},
                    sum([i](const worker_counters& w) { return w.pinned[i]; }));
    const auto cached = [&](std::uint64_t query_cache_counters::*of) {
        return sum([of](const worker_counters& w) { return w.cache.*of; });
    };
    const double hits = cached(&query_cache_counters::hits);
    out.counter("howdah_query_cache_lookups_total",
                "Statements of rules with cache_ttl that were looked up.", {{"result", "hit"}},
                hits);
    out.counter("howdah_query_cache_lookups_total", "", {{"result", "miss"}},
                cached(&query_cache_counters::gets) - hits);
    out.counter("howdah_query_cache_stored_total", "Results that were kept.", {},
                cached(&query_cache_counters::sets));
    out.gauge("howdah_query_cache_entries", "Results that are kept now.", {},
              cached(&query_cache_counters::entries));
    out.gauge("howdah_query_cache_bytes", "Memory that they take.", {},
              cached(&query_cache_counters::memory));
    const auto mirrored = [&](std::uint64_t mirror_counters::*of) {
        return sum([of](const worker_counters& w) { return w.mirror.*of; });
    };
    out.counter("howdah_mirrored_total", "Mirrored statements that were sent to a server.", {},
                mirrored(&mirror_counters::sent));
    out.counter("howdah_mirror_failures_total", "Mirrored statements that failed or were not sent.",
                {}, mirrored(&mirror_counters::failed));
    out.counter("howdah_mirror_dropped_total", "Mirrored statements that found no room.", {},
                mirrored(&mirror_counters::dropped));
    out.gauge("howdah_mirror_queue_length", "Mirrored statements that wait.", {},
              mirrored(&mirror_counters::queued));
    out.gauge("howdah_mirror_running", "Mirrored statements that run.", {},
              mirrored(&mirror_counters::running));
}

void add_clients(families& out, const process& shared) {
    std::map<std::string, int> states{
        {"idle", 0}, {"active", 0}, {"waiting", 0}, {"idle_in_transaction", 0}};
    for (const client_report& r : gather_clients(shared))
        ++states[r.waiting         ? "waiting"
                 : r.running       ? "active"
                 : r.status != 'I' ? "idle_in_transaction"
                                   : "idle"];
    for (const auto& [state, n] : states)
        out.gauge("howdah_client_connections", "Clients that have logged in, by what they do.",
                  {{"state", state}}, n);
}

constexpr monitor::status statuses[] = {
    monitor::status::online, monitor::status::shunned, monitor::status::shunned_replication_lag,
    monitor::status::offline_soft, monitor::status::offline_hard};

bool all_lag(std::span<const monitor::member> readers,
             const std::map<monitor::endpoint, monitor::observation>& seen) {
    const auto online = [](const monitor::member& m) { return m.state == monitor::status::online; };
    const auto late = [&](const monitor::member& m) {
        const auto known = seen.find(m.at);
        return m.state == monitor::status::shunned_replication_lag && known != seen.end() &&
               known->second.lag == monitor::lag_state::above;
    };
    return std::none_of(readers.begin(), readers.end(), online) &&
           std::any_of(readers.begin(), readers.end(), late);
}

void add_checks(families& out, const monitor::check_counts& counts) {
    constexpr const char* kinds[monitor::check_kinds] = {"connect", "ping", "read_only",
                                                         "replication_lag"};
    for (std::size_t i = 0; i < monitor::check_kinds; ++i)
        for (const bool ok : {true, false})
            out.counter("howdah_monitor_checks_total", "Checks of servers, by their result.",
                        {{"check", kinds[i]}, {"result", ok ? "ok" : "failed"}},
                        static_cast<double>((ok ? counts.succeeded : counts.failed)[i]));
}

void add_servers(families& out, process& shared, boost::asio::io_context& control,
                 monitor::monitor& watcher) {
    const auto now = run_on(control, [&watcher] { return watcher.current(); });
    const auto seen = run_on(control, [&watcher] { return watcher.observations(); });
    std::map<monitor::endpoint, double> idle;
    for (const idle_report& r : gather_idle(shared))
        ++idle[r.server->at];
    if (now) {
        for (const monitor::member& m : now->members) {
            const labels place{{"hostgroup", std::to_string(m.hostgroup)},
                               {"server", to_string(m.at)}};
            out.gauge("howdah_server_up", "1: the server takes queries in this hostgroup.", place,
                      m.serves() ? 1 : 0);
            for (const auto s : statuses) {
                labels one = place;
                one.push_back({"status", std::string(monitor::to_string(s))});
                out.gauge("howdah_server_status", "1: the server's status in this hostgroup.", one,
                          m.state == s ? 1 : 0);
            }
            out.gauge("howdah_server_weight_ratio",
                      "Part of its weight that the server gets; below 1 during its slow start.",
                      place, m.share / 100.0);
        }
        for (const monitor::hostgroup_pair& pair : now->pairs) {
            const labels writer{{"hostgroup", std::to_string(pair.writer)}};
            const labels reader{{"hostgroup", std::to_string(pair.reader)}};
            out.gauge(
                "howdah_split_brain",
                "1: several servers of this writer hostgroup and its readers say that they "
                "are primaries.",
                writer,
                std::binary_search(now->split.begin(), now->split.end(), pair.writer) ? 1 : 0);
            out.gauge("howdah_ha_writers_held",
                      "1: new statements for the writer wait for the end of a failover or "
                      "switchover.",
                      writer, now->held_because(pair.writer) != nullptr ? 1 : 0);
            out.gauge("howdah_all_readers_lagging",
                      "1: every reader of this hostgroup is behind its max_replication_lag.",
                      reader, all_lag(now->in(pair.reader), seen) ? 1 : 0);
        }
    }
    for (const auto& [at, o] : seen) {
        const labels server{{"server", to_string(at)}};
        const double free = idle[at];
        const double open = shared.book.used(shared.names.server(at));
        labels used = server, unused = server;
        used.push_back({"state", "used"});
        unused.push_back({"state", "idle"});
        out.gauge("howdah_server_connections", "Open server connections.", used,
                  std::max(0.0, open - free));
        out.gauge("howdah_server_connections", "", unused, free);
        out.gauge("howdah_server_ping_seconds", "Mean of the last pings.", server,
                  static_cast<double>(o.ping_us) / 1e6);
        out.gauge("howdah_server_in_recovery", "1: it is a standby, 0: a primary, -1: not known.",
                  server,
                  o.as == monitor::role::standby   ? 1
                  : o.as == monitor::role::primary ? 0
                                                   : -1);
        out.gauge("howdah_server_timeline", "Timeline; 0: not known.", server, o.timeline);
        if (o.replay_lag_ms)
            out.gauge("howdah_server_replication_lag_seconds",
                      "Age of what a standby has not replayed yet.", server,
                      static_cast<double>(*o.replay_lag_ms) / 1e3);
        if (o.replay_lag_bytes)
            out.gauge("howdah_server_replication_lag_bytes",
                      "WAL that the primary has on disk and a standby has not replayed.", server,
                      static_cast<double>(*o.replay_lag_bytes));
    }
    add_checks(out, run_on(control, [&watcher] { return watcher.counts(); }));
    out.gauge("howdah_clients_waiting", "Clients that wait for a server connection.", {},
              static_cast<double>(shared.book.waiting()));
    out.gauge("howdah_ha_held_clients",
              "Clients that wait for the end of a failover or switchover.", {},
              shared.held.count());
}

void add_statistics(families& out, const process& shared) {
    out.histogram("howdah_wait_seconds", "Waits of clients for a server connection.",
                  collect_waits(shared));
    const server_statistics servers = collect_servers(shared, false);
    for (const auto& [key, n] : servers.traffic) {
        const labels member{{"hostgroup", std::to_string(key.first)},
                            {"server", to_string(key.second->at)}};
        labels sent = member, received = member;
        sent.push_back({"direction", "to_server"});
        received.push_back({"direction", "from_server"});
        out.counter("howdah_server_statements_total", "Statements sent to servers.", member,
                    static_cast<double>(n.statements));
        out.counter("howdah_server_bytes_total", "Bytes exchanged with servers.", sent,
                    static_cast<double>(n.sent));
        out.counter("howdah_server_bytes_total", "", received, static_cast<double>(n.received));
    }
    const error_report errors = collect_errors(shared, false);
    std::map<std::pair<std::string, std::string>, double> by_class;
    for (const auto& [key, n] : errors.rows)
        by_class[{to_string(key.server->at), key.sqlstate.substr(0, 2)}] +=
            static_cast<double>(n.count);
    for (const auto& [key, n] : by_class)
        out.counter("howdah_server_errors_total", "Errors of servers by class of SQLSTATE.",
                    {{"server", key.first}, {"class", key.second}}, n);
    const command_statistics commands = collect_commands(shared);
    const auto names = sql::command_names();
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (commands[i].count == 0) continue;
        const labels command{{"command", names[i]}};
        out.counter("howdah_statements_total",
                    "Statements by command, of those that digests are kept of.", command,
                    static_cast<double>(commands[i].count));
        out.counter("howdah_statement_seconds_total", "Time that they took.", command,
                    static_cast<double>(commands[i].total_us) / 1e6);
    }
    double digests = 0, dropped = 0;
    for (const auto& [size, lost] : gather(
             shared, [](worker& w) { return std::pair(w.digests.size(), w.digests.dropped()); })) {
        digests += static_cast<double>(size);
        dropped += static_cast<double>(lost);
    }
    out.gauge("howdah_digests", "Rows of statement statistics, over all workers.", {}, digests);
    out.counter("howdah_digests_dropped_total",
                "Statements that were not counted by digest for want of room.", {}, dropped);
    out.counter("howdah_query_log_lines_total", "Lines of the query log.", {{"fate", "written"}},
                static_cast<double>(shared.log.written()));
    out.counter("howdah_query_log_lines_total", "", {{"fate", "dropped"}},
                static_cast<double>(shared.log.dropped()));
    out.gauge("howdah_prepared_statements", "Named prepared statements that differ.", {},
              static_cast<double>(shared.statements.size()));
}

/// The metrics that every process has, under the names that dashboards know.
void add_process(families& out, const process& shared) {
    const process_usage used = current_usage();
    const auto seconds = [](std::chrono::microseconds t) {
        return std::chrono::duration<double>(t).count();
    };
    out.counter("process_cpu_seconds_total", "CPU time of all threads.", {},
                seconds(used.cpu_user + used.cpu_system));
    out.gauge("process_resident_memory_bytes", "Memory in RAM.", {},
              static_cast<double>(used.resident_bytes));
    out.gauge("process_open_fds", "Open file descriptors.", {},
              static_cast<double>(used.open_files));
    out.gauge("process_start_time_seconds", "Start of the process, Unix time.", {},
              std::chrono::duration<double>(shared.started.time_since_epoch()).count());
}

}  // namespace

std::string metrics_text(process& shared, boost::asio::io_context& control,
                         monitor::monitor& watcher, const ha::ha_view& clusters) {
    families out;
    out.gauge("howdah_build_info", "1; the version is a label.", {{"version", HOWDAH_VERSION}}, 1);
    add_process(out, shared);
    out.gauge("howdah_workers", "Worker threads.", {}, static_cast<double>(shared.workers.size()));
    add_clients(out, shared);
    add_servers(out, shared, control, watcher);
    add_ha_metrics(out, clusters, ha::now_us());
    add_counters(out, gather_counters(shared));
    add_statistics(out, shared);
    return out.text();
}

}  // namespace howdah::proxy
