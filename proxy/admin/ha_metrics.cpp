#include "proxy/admin/ha_metrics.hpp"

#include <array>
#include <set>
#include <string>
#include <utility>

#include "ha/missing_wal.hpp"

namespace howdah::proxy {
namespace {

using labels = metric_families::labels;
using prometheus::MetricType;

/// Places in the table below.
enum place : std::size_t {
    mode,
    recoveries_enabled,
    cycle_age,
    cluster_ready,
    failover_ready,
    failover_warning,
    problem,
    gate_open,
    writer,
    epoch,
    timeline,
    under_way,
    recoveries,
    last_success,
    last_end,
    last_duration,
    last_writable,
    last_loss,
    last_lost,
    facts_age,
    replay_lag,
    replay_backlog,
    missing,
    places
};

constexpr std::array<ha_metric, places> table{{
    {"howdah_ha_mode", "mode", "1: ha_mode is this one."},
    {"howdah_ha_recoveries_enabled", "", "0: somebody said DISABLE RECOVERIES."},
    {"howdah_ha_cycle_age_seconds", "", "Time since all clusters were last judged."},
    {"howdah_ha_cluster_ready", "cluster",
     "1: a failover by what is known now would find a standby to promote, and nothing stands in "
     "its way there."},
    {"howdah_ha_failover_ready", "cluster, server, reason",
     "1 with an empty reason: nothing on this server stands in the way of a failover; 0, once per "
     "reason: this does (SQL: ha.preflight)."},
    {"howdah_ha_failover_warning", "cluster, server, reason",
     "1: a failover works, and this makes something about it worse."},
    {"howdah_ha_problem", "cluster, server, problem, severity",
     "1: this is wrong now; without a server: with the cluster."},
    {"howdah_ha_gate_open", "cluster, gate",
     "0: this keeps Howdah from a failover by itself now (SQL: ha.gates)."},
    {"howdah_ha_writer", "cluster, server", "1: this server may write."},
    {"howdah_ha_epoch", "cluster", "Grows by one with every change of the writer."},
    {"howdah_ha_timeline", "cluster", "PostgreSQL's timeline of the recorded writer."},
    {"howdah_ha_recovery_under_way", "cluster", "1: a failover, switchover, ... is carried out."},
    {"howdah_ha_recoveries_total", "cluster, kind, outcome",
     "What was carried out since Howdah began; outcome: successful or failed.",
     MetricType::Counter},
    {"howdah_ha_last_recovery_success", "cluster, kind",
     "1: the last one of this kind did what it was to do."},
    {"howdah_ha_last_recovery_timestamp_seconds", "cluster, kind", "When it ended, Unix time."},
    {"howdah_ha_last_recovery_duration_seconds", "cluster, kind", "How long it took in all."},
    {"howdah_ha_last_recovery_until_writable_seconds", "cluster, kind",
     "How long it took until writers could go on."},
    {"howdah_ha_last_recovery_loss_bytes", "cluster, kind",
     "At most so much WAL was lost; no value: not known."},
    {"howdah_ha_last_recovery_lost_standbys", "cluster, kind",
     "Standbys that could not be taken along."},
    {"howdah_ha_facts_age_seconds", "cluster, server",
     "Time since this server was last read; no value: never."},
    {"howdah_ha_replay_lag_seconds", "cluster, server",
     "Age of what a standby shows; of standbys that answer."},
    {"howdah_ha_replay_backlog_bytes", "cluster, server",
     "WAL that a standby has and has not replayed, which it would have to before it could write."},
    {"howdah_ha_missing_wal_bytes", "cluster, server",
     "WAL that the furthest server of its timeline is known to have, and this standby has not."},
}};

/// Whose counters are there from the beginning: a rate needs a zero to begin with.
constexpr std::array<const char*, 5> kinds{"failover", "switchover", "rewire", "rejoin", "fence"};

double seconds(std::int64_t us) {
    return static_cast<double>(us) / 1e6;
}

class cluster_metrics {
public:
    cluster_metrics(metric_families& out, const ha::cluster_state& state)
        : out_(out), state_(state) {}

    /// What is missing before every server was looked at is no finding.
    void add_findings() {
        const auto& preflight = state_.preflight;
        put(cluster_ready, {}, preflight.ready ? 1 : 0);
        std::set<std::size_t> blocked;
        for (const auto& one : preflight.obstacles) {
            labels where{{"server", name(one.server)}, {"reason", std::string(one.reason)}};
            if (!one.blocking) {
                put(failover_warning, std::move(where), 1);
                continue;
            }
            blocked.insert(one.server);
            put(failover_ready, std::move(where), 0);
        }
        for (std::size_t i = 0; i < state_.subject.servers.size(); ++i)
            if (!blocked.contains(i)) put(failover_ready, {{"server", name(i)}, {"reason", ""}}, 1);
        for (const auto& one : state_.decided.problems.all)
            if (one.what != ha::problem::none)
                put(problem,
                    {{"server", one.subject ? name(*one.subject) : std::string()},
                     {"problem", std::string(one.info().name)},
                     {"severity", std::string(to_string(one.info().weight))}},
                    1);
        for (const auto& one : state_.decided.gates)
            put(gate_open, {{"gate", std::string(one.name)}}, one.open ? 1 : 0);
    }

    void add_servers(ha::time_us now) {
        const auto& subject = state_.subject;
        for (std::size_t i = 0; i < subject.servers.size(); ++i) {
            const auto& one = subject.servers[i];
            const labels where{{"server", name(i)}};
            put(writer, where, state_.decided.writers.writer == i ? 1 : 0);
            if (one.facts.read_at_us) put(facts_age, where, seconds(now - one.facts.read_at_us));
            if (!one.standing_by()) continue;
            if (one.facts.replay_lag_ms)
                put(replay_lag, where, seconds(*one.facts.replay_lag_ms * 1000));
            if (one.facts.replay_lsn)
                put(replay_backlog, where, static_cast<double>(one.facts.replay_backlog()));
            if (const auto bytes = ha::missing_wal(subject, one))
                put(missing, where, static_cast<double>(*bytes));
        }
        const auto& record = state_.decided.writers.record;
        put(epoch, {}, static_cast<double>(record.epoch));
        put(timeline, {}, record.timeline);
    }

    void add_recoveries() {
        put(under_way, {}, state_.under_way ? 1 : 0);
        auto all = state_.ended;
        for (const auto* kind : kinds)
            all.try_emplace(kind);
        for (const auto& [kind, tally] : all) {
            for (const bool good : {true, false})
                put(recoveries, {{"kind", kind}, {"outcome", good ? "successful" : "failed"}},
                    static_cast<double>(good ? tally.successful : tally.failed));
            const auto& last = tally.last;
            if (!last.ended_at) continue;
            const labels of{{"kind", kind}};
            put(last_success, of, last.successful ? 1 : 0);
            put(last_end, of, seconds(last.ended_at));
            put(last_duration, of, seconds(last.ended_at - last.started_at));
            if (last.writable_at)
                put(last_writable, of, seconds(last.writable_at - last.started_at));
            if (last.loss_bytes) put(last_loss, of, static_cast<double>(*last.loss_bytes));
            put(last_lost, of, static_cast<double>(last.lost.size()));
        }
    }

private:
    void put(place at, labels more, double value) {
        more.insert(more.begin(), {"cluster", state_.subject.name});
        out_.add(table[at].name, table[at].help, table[at].type, std::move(more), value);
    }
    [[nodiscard]] std::string name(std::size_t server) const {
        return to_string(state_.subject.servers[server].at());
    }

    metric_families& out_;
    const ha::cluster_state& state_;
};

}  // namespace

std::span<const ha_metric> ha_metric_table() {
    return table;
}

void add_ha_metrics(metric_families& out, const ha::ha_view& view, ha::time_us now) {
    for (const auto& row : table)
        out.declare(row.name, row.help, row.type);
    const auto put = [&](place at, labels of, double value) {
        out.add(table[at].name, table[at].help, table[at].type, std::move(of), value);
    };
    for (const auto one : ha::mode_names)
        put(mode, {{"mode", std::string(one)}}, one == to_string(view.allowed.mode) ? 1 : 0);
    put(recoveries_enabled, {}, view.notes.global_recoveries ? 1 : 0);
    if (view.clock_us) put(cycle_age, {}, seconds(now - view.clock_us));
    for (const auto& state : view.clusters) {
        cluster_metrics one(out, state);
        if (view.looked_at_all) one.add_findings();
        one.add_servers(now);
        one.add_recoveries();
    }
}

}  // namespace howdah::proxy
