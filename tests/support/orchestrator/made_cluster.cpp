#include "tests/support/orchestrator/made_cluster.hpp"

#include <algorithm>

namespace howdah::admin::orchestrator::test {
namespace {

constexpr std::uint64_t wal_end = 0x3000060;

template <class Row>
std::vector<Row> newest_first(std::vector<Row> rows, const ha::history_filter& which) {
    std::ranges::reverse(rows);
    if (which.offset)
        rows.erase(rows.begin(),
                   rows.begin() + static_cast<std::ptrdiff_t>(std::min(which.offset, rows.size())));
    if (which.limit && rows.size() > which.limit) rows.resize(which.limit);
    return rows;
}

ha::order_answer done(std::string sentence) {
    ha::order_answer out;
    out.done = true;
    out.sentence = std::move(sentence);
    return out;
}

}  // namespace

made_cluster::made_cluster() {
    input.now_us = clock_now;
    ha::cluster_config& cluster = input.clusters.emplace_back();
    cluster.name = "main";
    cluster.writer_hostgroup = 10;
    for (const std::string name : {"pg1", "pg2", "pg3"}) {
        cluster.servers.emplace_back().at = {name, 5432};
        ha::server_facts& f = facts(name);
        f.reach = ha::reachability::up;
        f.read_at_us = clock_now - second / 2;
        f.system_identifier = 7'000'000'000'000'000'001;
        f.version_num = 150004;
        f.timeline = 1;
        f.may = ha::privileges::all();
        f.postmaster_start_us = noon - 3600 * second;
        f.data_directory = "/data/" + name;
        if (name == "pg1") {
            f.in_recovery = false;
            f.flush_lsn = wal_end;
            continue;
        }
        f.in_recovery = true;
        f.receive_lsn = f.replay_lsn = wal_end;
        f.settings.primary_conninfo =
            "host='pg1' port=5432 user=replicator application_name=" + name;
        f.settings.primary_slot_name = name;
        f.receiver.emplace();
        f.receiver->streaming = true;
        f.receiver->sender_host = "pg1";
        f.receiver->timeline = 1;
        f.receiver->last_message_us = clock_now - second;
        // A standby that had nothing to replay since its start has no time of a replay.
        f.replay_lag_ms.reset();
        facts("pg1").slots.push_back({name, true, true, "reserved"});
    }
    ha::cluster_record record;
    record.cluster = "main";
    record.system_identifier = 7'000'000'000'000'000'001;
    record.epoch = 1;
    record.primary = {"pg1", 5432};
    record.timeline = record.known_timeline = 1;
    record.flush_lsn = wal_end;
    input.records["main"] = record;
    allowed.diagnoses.network_works = true;
    outcome = [this](const std::string& kind, const ha::recovery_order& order) {
        return promote(kind, order);
    };
}

ha::server_config& made_cluster::config(const std::string& name) {
    auto& all = input.clusters.front().servers;
    return *std::ranges::find(all, endpoint{name, 5432}, &ha::server_config::at);
}

void made_cluster::kill_primary() {
    auto& dead = facts("pg1");
    dead.reach = ha::reachability::dead;
    dead.refused = true;
    dead.reach_detail = "Connection refused";
    dead.reach_since_us = clock_now - 2 * second;
    dead.read_at_us = clock_now - 3 * second;
    for (const char* name : {"pg2", "pg3"}) {
        facts(name).receiver.reset();
        facts(name).read_at_us = clock_now - second / 10;
    }
}

std::shared_ptr<const ha::ha_view> made_cluster::view() const {
    auto out = std::make_shared<ha::ha_view>();
    const ha::topology seen = ha::build_topology(input);
    ha::policy now_allowed = allowed;
    now_allowed.global_recoveries = notes.global_recoveries;
    for (const auto& one : seen.clusters) {
        ha::cluster_state state;
        state.subject = one;
        const auto record = input.records.find(one.name);
        ha::judge_options judging;
        judging.watched = true;
        state.decided = ha::decide(
            one, record == input.records.end() ? std::nullopt : std::optional(record->second),
            now_allowed, {}, judging);
        state.preflight = ha::check_preflight(one, state.decided.writers, now_allowed.candidates);
        state.seen_at = now;
        out->clusters.push_back(std::move(state));
    }
    for (const auto& one : seen.discovered)
        if (!notes.forgotten.contains(one.at)) out->discovered.push_back(one);
    out->allowed = now_allowed;
    out->notes = notes;
    out->looked_at_all = looked_at_all;
    out->seen_at = now;
    out->clock_us = clock_now;
    return out;
}

ha::order_answer made_cluster::promote(const std::string& kind, const ha::recovery_order& order) {
    ha::recovery row;
    row.id = static_cast<std::int64_t>(recoveries.size()) + 1;
    row.uid = "uid-" + std::to_string(row.id);
    row.kind = kind;
    row.cluster = "main";
    row.problem = kind == "failover" ? "DeadPrimary" : "";
    row.failed = input.records["main"].primary;
    row.successor = order.to.value_or(endpoint{"pg2", 5432});
    row.epoch = 2;
    row.ordered_by = order.by;
    row.started_at = now;
    row.writable_at = now + second / 5;
    row.ended_at = now + second;
    row.successful = true;
    row.sentence = "failover complete. Failed: pg1:5432; Promoted: " + to_string(*row.successor);
    row.participants = {{"pg1", 5432}, {"pg2", 5432}, {"pg3", 5432}};
    recoveries.push_back(row);
    ha::order_answer out = done(row.sentence);
    out.successor = row.successor;
    out.recovery_id = row.id;
    return out;
}

void made_cluster::change_writer(const std::string& kind, const ha::recovery_order& order,
                                 const api_functions::answer& answer) {
    const auto given = outcome(kind, order);
    if (hold_answers)
        held.push_back([answer, given] { answer(given); });
    else
        answer(given);
}

api_functions made_cluster::functions() {
    api_functions out;
    out.view = [this] { return view(); };
    out.now = [this] { return now; };
    out.mode = [this] { return mode; };
    out.set_mode = [this](conf::ha_mode wanted) {
        mode = wanted;
        return std::string();
    };
    const auto described = [](const std::string& cluster, const ha::recovery_order& order) {
        return cluster + (order.to ? " to " + to_string(*order.to) : "") +
               (order.allow_data_loss ? " with data loss" : "") + " by " + order.by;
    };
    out.fail_over = [this, described](const std::string& cluster, ha::recovery_order order,
                                      api_functions::answer answer) {
        orders.push_back("fail_over " + described(cluster, order));
        change_writer("failover", order, answer);
    };
    out.switch_over = [this, described](const std::string& cluster, ha::recovery_order order,
                                        api_functions::answer answer) {
        orders.push_back("switch_over " + described(cluster, order));
        change_writer("switchover", order, answer);
    };
    out.rewire = [this](const endpoint& standby, const endpoint& upstream, std::string by,
                        api_functions::answer answer) {
        orders.push_back("rewire " + to_string(standby) + " below " + to_string(upstream) + " by " +
                         by);
        auto& f = facts(standby.host);
        f.settings.primary_conninfo = "host=" + upstream.host + " port=5432 user=replicator";
        if (f.receiver) f.receiver->sender_host = upstream.host;
        answer(done("rewired"));
    };
    out.adopt = [this](const endpoint& writer, std::string by, api_functions::answer answer) {
        orders.push_back("adopt " + to_string(writer) + " by " + by);
        answer(done(to_string(writer) + " writes"));
    };
    out.acknowledge = [this](ha::history_filter which, std::string by, std::string comment,
                             api_functions::answer answer) {
        orders.push_back("acknowledge cluster=" + which.cluster +
                         " id=" + std::to_string(which.id.value_or(0)) + " uid=" + which.uid +
                         " server=" + (which.server ? to_string(*which.server) : "") + " by " + by +
                         ": " + comment);
        answer(done("acknowledged"));
    };
    out.note = [this](std::function<void(ha::operator_notes&)> change, ha::audit_entry entry,
                      api_functions::answer answer) {
        change(notes);
        audit.push_back(entry);
        answer(done("noted"));
    };
    out.look = [this](api_functions::work after) {
        orders.push_back("look");
        after();
    };
    out.dry_run = [](const std::string& cluster, bool planned, const ha::recovery_order&) {
        return (planned ? "switchover of " : "failover of ") + cluster;
    };
    out.recoveries = [this](const ha::history_filter& which) {
        std::vector<ha::recovery> rows;
        for (const auto& row : recoveries)
            if ((!which.id || row.id == *which.id) && (which.uid.empty() || row.uid == which.uid) &&
                (which.cluster.empty() || row.cluster == which.cluster) &&
                (!which.server || row.failed == *which.server || row.successor == which.server) &&
                (!which.only_active || row.ended_at == 0) && row.started_at >= which.since &&
                !(which.only_unacknowledged && row.acknowledged))
                rows.push_back(row);
        return newest_first(rows, which);
    };
    out.steps = [this](std::int64_t id) {
        std::vector<ha::recovery_step> rows;
        for (const auto& row : steps)
            if (row.recovery_id == id) rows.push_back(row);
        return rows;
    };
    out.detections = [this](const ha::history_filter& which) {
        return newest_first(detections, which);
    };
    out.audit = [this](const ha::history_filter& which) { return newest_first(audit, which); };
    out.offload = [](const api_functions::work& work) { work(); };
    out.control = [](const api_functions::work& work) { work(); };
    out.hostname = "howdah1";
    out.advertised = "howdah1:3098";
    out.version = "0.1.0";
    out.started_at = noon - 60 * second;
    return out;
}

}  // namespace howdah::admin::orchestrator::test
