#include "admin/ha/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "admin/ha/values.hpp"
#include "ha/missing_wal.hpp"

namespace howdah::admin {
namespace {

constexpr column_type number = column_type::integer;
constexpr column_type text = column_type::text;
constexpr column_type boolean = column_type::boolean;

using ha::cluster_state;
using ha::ha_view;

struct cluster_item {
    const ha_view& all;
    const cluster_state& state;
};

/// A server of a cluster; or none of them, and the cluster is meant.
struct server_item {
    const ha_view& all;
    const cluster_state& state;
    std::optional<std::size_t> index;

    [[nodiscard]] const ha::server& it() const { return state.subject.servers[*index]; }
    [[nodiscard]] const ha::server_facts& facts() const { return it().facts; }
};

struct analysis_item {
    server_item server;
    const ha::diagnosis& found;
    bool headline;
};

struct gate_item {
    const cluster_state& state;
    const ha::gate& one;
};

struct candidate_item {
    server_item server;
    const ha::candidate_verdict& verdict;
    std::size_t place;
};

struct obstacle_item {
    server_item server;
    const ha::obstacle& one;
};

struct downtime_item {
    const ha::endpoint& at;
    const ha::downtime_note& note;
};

value cluster_name(const cluster_state& state) {
    return text_value(state.subject.name);
}

value server_at(const cluster_state& state, const std::optional<std::size_t>& index) {
    return index ? text_value(to_string(state.subject.servers[*index].at())) : value();
}

/// The columns that say which server it is.
template <class Item>
std::vector<field<Item>> server_columns(std::string_view none) {
    return {
        {"cluster", text, "Its name.", [](const Item& i) { return cluster_name(i.server.state); }},
        {"hostname", text, none,
         [](const Item& i) { return i.server.index ? host_value(i.server.it().at()) : value(); }},
        {"port", number, "Its port.",
         [](const Item& i) { return i.server.index ? port_value(i.server.it().at()) : value(); }},
        {"name", text, "What people call it.",
         [](const Item& i) { return i.server.index ? text_value(i.server.it().name()) : value(); }},
    };
}

template <class Item>
std::vector<field<Item>> with_server(std::vector<field<Item>> more,
                                     std::string_view none = "The server.") {
    std::vector<field<Item>> out = server_columns<Item>(none);
    std::ranges::move(more, std::back_inserter(out));
    return out;
}

value automatic(const cluster_item& i) {
    const auto& allowed = i.all.allowed;
    return flag(allowed.mode == ha::mode::automatic && allowed.global_recoveries &&
                std::ranges::any_of(allowed.cluster_filters, [&](const std::string& filter) {
                    return ha::matches_filter(filter, i.state.subject.name, i.state.subject.alias);
                }));
}

live_table clusters(const ha_view_source& view) {
    using item = cluster_item;
    return ha_table<item>(
        "clusters", "Every cluster as the last cycle saw it, and what was decided.",
        {
            {"cluster", text, "Its name.", [](const item& i) { return cluster_name(i.state); }},
            {"alias", text, "Its alias.",
             [](const item& i) { return text_or_null(i.state.subject.alias); }},
            {"writer_hostgroup", number, "Of pgsql_replication_hostgroups.",
             [](const item& i) { return value(std::int64_t{i.state.subject.writer_hostgroup}); }},
            {"system_identifier", text, "PostgreSQL's; NULL: not known.",
             [](const item& i) {
                 const auto id = i.state.subject.system_identifier;
                 return id == 0 ? value() : value(std::to_string(id));
             }},
            {"epoch", number, "Grows by one with every change of the writer; NULL: none yet.",
             [](const item& i) {
                 const auto epoch = i.state.decided.writers.record.epoch;
                 return epoch == 0 ? value() : number_value(epoch);
             }},
            {"primary_server", text, "In charge, dead or alive; NULL: not known.",
             [](const item& i) { return server_at(i.state, i.state.decided.writers.primary); }},
            {"writer", text, "Who may write now; NULL: nobody.",
             [](const item& i) { return server_at(i.state, i.state.decided.writers.writer); }},
            {"writer_sentence", text, "Why.",
             [](const item& i) { return text_value(i.state.decided.writers.sentence); }},
            {"timeline", number, "The writer's.",
             [](const item& i) {
                 const auto timeline = i.state.decided.writers.record.timeline;
                 return timeline == 0 ? value() : value(std::int64_t{timeline});
             }},
            {"servers", number, "How many it has.",
             [](const item& i) { return number_value(i.state.subject.servers.size()); }},
            {"problem", text, "The gravest one of ha.analysis; NULL: none.",
             [](const item& i) {
                 const auto& headline = i.state.decided.problems.headline;
                 return headline.what == ha::problem::none ? value()
                                                           : text_value(headline.info().name);
             }},
            {"severity", text, "ok, info, warning or critical.",
             [](const item& i) {
                 return text_value(to_string(i.state.decided.problems.headline.info().weight));
             }},
            {"diagnosis", text, "In words.",
             [](const item& i) { return text_value(i.state.decided.problems.headline.sentence); }},
            {"decision", text, "What follows, and why.",
             [](const item& i) { return text_value(i.state.decided.sentence); }},
            {"action", text, "none, confirm (asks the standbys again) or failover.",
             [](const item& i) { return text_value(to_string(i.state.decided.what)); }},
            {"mode", text, "ha_mode: observe, manual or automatic.",
             [](const item& i) { return text_value(to_string(i.all.allowed.mode)); }},
            {"automatic", boolean,
             "Mode, filter and DISABLE RECOVERIES allow a failover without an order.", automatic},
            {"candidate", text, "Who would be promoted now; NULL: nobody.",
             [](const item& i) { return server_at(i.state, i.state.decided.forecast.chosen); }},
            {"ready_for_failover", boolean, "A failover would work now.",
             [](const item& i) { return flag(i.state.preflight.ready); }},
            {"readiness", text, "Why, or why not.",
             [](const item& i) { return text_value(i.state.preflight.sentence); }},
            {"recovery_id", number, "Of what is under way; NULL: nothing is.",
             [](const item& i) {
                 return i.state.under_way ? value(i.state.under_way->id) : value();
             }},
            {"recovery", text, "What it does.",
             [](const item& i) {
                 return i.state.under_way ? text_value(i.state.under_way->sentence) : value();
             }},
            {"seen_at", text, "When this was decided (UTC).",
             [](const item& i) { return time_value(i.state.seen_at); }},
        },
        [view](const auto& each) {
            const auto now = view();
            for (const cluster_state& one : now->clusters)
                each({*now, one});
        });
}

value role(const server_item& i) {
    if (!i.facts().in_recovery) return {};
    return text_value(*i.facts().in_recovery ? "standby" : "primary");
}

/// How its upstream calls it in pg_stat_replication.
value sync_state(const server_item& i) {
    if (!i.it().upstream) return {};
    const ha::server& above = i.state.subject.servers[*i.it().upstream];
    if (!above.current) return {};
    const auto found = std::ranges::find(above.facts.senders, i.it().replication_name(),
                                         &ha::wal_sender::application_name);
    return found == above.facts.senders.end() ? value() : text_or_null(found->sync_state);
}

value behind(const server_item& i) {
    const auto bytes = ha::missing_wal(i.state.subject, i.it());
    return bytes ? number_value(*bytes) : value();
}

value version(const server_item& i) {
    const int v = i.facts().version_num;
    return v == 0 ? value() : value(fmt::format("{}.{}", v / 10000, v % 10000));
}

value slots(const server_item& i) {
    std::string out;
    for (const ha::replication_slot& slot : i.facts().slots) {
        out += (out.empty() ? "" : ", ") + slot.name;
        if (!slot.active) out += " (inactive)";
        if (slot.wal_status == "lost") out += " (lost)";
    }
    return out;
}

value tags(const server_item& i) {
    const nlohmann::json all = i.it().config.tags;
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

value is_fenced(const server_item& i) {
    return flag(std::ranges::any_of(i.it().names, [&](const ha::endpoint& name) {
        return i.state.decided.writers.fenced.contains(name);
    }));
}

std::string_view reach(const server_item& i) {
    switch (i.facts().reach) {
        case ha::reachability::up:
            return "up";
        case ha::reachability::refusing:
            return "refusing";
        case ha::reachability::starting:
            return "starting";
        case ha::reachability::dead:
            return "dead";
        case ha::reachability::unknown:
            break;
    }
    return "unknown";
}

live_table servers(const ha_view_source& view) {
    using item = server_item;
    return ha_table<item>(
        "servers", "Every server of every cluster: facts as last read, and its place.",
        {
            {"cluster", text, "Its name.", [](const item& i) { return cluster_name(i.state); }},
            {"hostname", text, "Where it is.",
             [](const item& i) { return host_value(i.it().at()); }},
            {"port", number, "Its port.", [](const item& i) { return port_value(i.it().at()); }},
            {"name", text, "What people call it.",
             [](const item& i) { return text_value(i.it().name()); }},
            {"standing", text,
             "writer, standby, diverged, outdated, rival, foreign or unknown "
             "(docs/high-availability.md, "
             "Who may write).",
             [](const item& i) {
                 const auto& all = i.state.decided.writers.standings;
                 return text_value(
                     to_string(*i.index < all.size() ? all[*i.index] : ha::standing::unknown));
             }},
            {"role", text, "primary or standby, by its own words; NULL: not known.", role},
            {"reachability", text,
             "up, refusing (alive, and does not let us in), starting, dead or unknown.",
             [](const item& i) { return text_value(reach(i)); }},
            {"detail", text, "What it, or the system, said.",
             [](const item& i) { return text_or_null(i.facts().reach_detail); }},
            {"is_current", boolean, "The facts are of now; else as last read.",
             [](const item& i) { return flag(i.it().current); }},
            {"read_ms_ago", number, "How old the facts are; NULL: never read.",
             [](const item& i) {
                 const auto at = i.facts().read_at_us;
                 return at == 0 ? value() : value((i.all.clock_us - at) / 1000);
             }},
            {"timeline", number, "NULL: not known.",
             [](const item& i) {
                 const auto timeline = i.facts().timeline;
                 return timeline == 0 ? value() : value(std::int64_t{timeline});
             }},
            {"flush_lsn", text, "Of a primary: how far its WAL is on its disk.",
             [](const item& i) { return lsn_value(i.facts().flush_lsn); }},
            {"receive_lsn", text, "Of a standby: how far it has received.",
             [](const item& i) { return lsn_value(i.facts().receive_lsn); }},
            {"replay_lsn", text, "Of a standby: how far it has replayed.",
             [](const item& i) { return lsn_value(i.facts().replay_lsn); }},
            {"behind_bytes", number, "WAL that another server of its timeline has and it has not.",
             behind},
            {"replay_lag_ms", number, "What it shows is so old.",
             [](const item& i) {
                 const auto& lag = i.facts().replay_lag_ms;
                 return lag ? value(*lag) : value();
             }},
            {"replay_paused", boolean, "Somebody has paused its replay.",
             [](const item& i) { return flag(i.facts().replay_paused); }},
            {"receiver", text, "streaming, waiting, or NULL: it has none.",
             [](const item& i) {
                 const auto& receiver = i.facts().receiver;
                 return receiver ? text_value(receiver->streaming ? "streaming" : "waiting")
                                 : value();
             }},
            {"upstream", text, "host:port that it follows, or would.",
             [](const item& i) { return text_or_null(i.it().upstream_text); }},
            {"depth", number, "0: at the top; 1: follows that one; ...",
             [](const item& i) { return value(std::int64_t{i.it().depth}); }},
            {"sync_state", text, "In its upstream's pg_stat_replication.", sync_state},
            {"primary_slot_name", text, "The slot that it uses upstream.",
             [](const item& i) { return text_or_null(i.facts().settings.primary_slot_name); }},
            {"slots", text, "Slots on it.", slots},
            {"synchronous_standby_names", text, "As set on it.",
             [](const item& i) {
                 return text_or_null(i.facts().settings.synchronous_standby_names);
             }},
            {"promotion_rule", text, "must, prefer, neutral, prefer_not or must_not.",
             [](const item& i) { return text_value(to_string(i.it().config.rule)); }},
            {"downtimed", boolean, "Nothing is done about it (ha.downtimes).",
             [](const item& i) { return flag(i.it().downtimed); }},
            {"fenced", boolean, "It gets no queries at all.", is_fenced},
            {"tags", text, "JSON object.", tags},
            {"data_center", text, "Where it stands.",
             [](const item& i) { return text_or_null(i.it().config.data_center); }},
            {"version", text, "PostgreSQL's.", version},
            {"system_identifier", text, "NULL: not known.",
             [](const item& i) {
                 const auto id = i.facts().system_identifier;
                 return id == 0 ? value() : value(std::to_string(id));
             }},
            {"other_manager", text, "Another manager that is in charge of it: Patroni, repmgr, ...",
             [](const item& i) {
                 return i.it().manager ? text_value(i.it().manager->name) : value();
             }},
        },
        [view](const auto& each) {
            const auto now = view();
            for (const cluster_state& one : now->clusters)
                for (std::size_t n = 0; n < one.subject.servers.size(); ++n)
                    each({*now, one, n});
        });
}

live_table analysis(const ha_view_source& view) {
    using item = analysis_item;
    return ha_table<item>(
        "analysis", "Everything that is wrong now; no row: nothing is.",
        with_server<item>(
            {
                {"problem", text, "Its name.",
                 [](const item& i) { return text_value(i.found.info().name); }},
                {"orchestrator_name", text, "What Orchestrator calls it; NULL: it does not.",
                 [](const item& i) { return text_or_null(i.found.info().orchestrator_name); }},
                {"severity", text, "info, warning or critical.",
                 [](const item& i) { return text_value(to_string(i.found.info().weight)); }},
                {"headline", boolean, "The gravest one of its cluster.",
                 [](const item& i) { return flag(i.headline); }},
                {"calls_for_failover", boolean, "In automatic mode, if every gate is open.",
                 [](const item& i) { return flag(i.found.info().calls_for_failover); }},
                {"sentence", text, "In words.",
                 [](const item& i) { return text_value(i.found.sentence); }},
                {"meaning", text, "What such a problem is.",
                 [](const item& i) { return text_value(i.found.info().meaning); }},
            },
            "The server; NULL: the cluster."),
        [view](const auto& each) {
            const auto now = view();
            for (const cluster_state& one : now->clusters) {
                bool first = true;
                for (const ha::diagnosis& found : one.decided.problems.all) {
                    if (found.what != ha::problem::none)
                        each({{*now, one, found.subject}, found, first});
                    first = false;
                }
            }
        });
}

live_table gates(const ha_view_source& view) {
    using item = gate_item;
    return ha_table<item>(
        "gates", "What a failover without an order has to pass.",
        {
            {"cluster", text, "Its name.", [](const item& i) { return cluster_name(i.state); }},
            {"gate", text, "Its name.", [](const item& i) { return text_value(i.one.name); }},
            {"open", boolean, "It lets a failover pass.",
             [](const item& i) { return flag(i.one.open); }},
            {"reason", text, "Why, or why not.",
             [](const item& i) { return text_value(i.one.reason); }},
        },
        [view](const auto& each) {
            const auto now = view();
            for (const cluster_state& one : now->clusters)
                for (const ha::gate& gate : one.decided.gates)
                    each({one, gate});
        });
}

live_table candidates(const ha_view_source& view) {
    using item = candidate_item;
    return ha_table<item>(
        "candidates", "Who could take the primary's place, by what is known now.",
        with_server<item>({
            {"place", number, "1 is the best.",
             [](const item& i) { return number_value(i.place); }},
            {"chosen", boolean, "A failover would promote this one.",
             [](const item& i) {
                 return flag(i.server.state.decided.forecast.chosen == i.verdict.server);
             }},
            {"eligible", boolean, "It could be promoted.",
             [](const item& i) { return flag(i.verdict.eligible); }},
            {"reason", text, "Why, or why not.",
             [](const item& i) { return text_value(i.verdict.reason); }},
            {"timeline", number, "NULL: not known.",
             [](const item& i) {
                 const auto timeline = i.verdict.at.timeline;
                 return timeline == 0 ? value() : value(std::int64_t{timeline});
             }},
            {"wal_end", text, "How far its WAL reaches.",
             [](const item& i) {
                 return i.verdict.at.timeline == 0 ? value() : lsn_value(i.verdict.at.lsn);
             }},
            {"missing_bytes", number, "Behind the best.",
             [](const item& i) { return number_value(i.verdict.missing_bytes); }},
        }),
        [view](const auto& each) {
            const auto now = view();
            for (const cluster_state& one : now->clusters) {
                std::size_t place = 0;
                for (const ha::candidate_verdict& v : one.decided.forecast.servers)
                    each({{*now, one, v.server}, v, ++place});
            }
        });
}

live_table preflight(const ha_view_source& view) {
    using item = obstacle_item;
    return ha_table<item>(
        "preflight", "What stands in the way of a failover that is not needed yet.",
        with_server<item>({
            {"reason", text, "A short word, as in the metrics.",
             [](const item& i) { return text_value(i.one.reason); }},
            {"blocking", boolean, "False: a failover works, and something is worse for it.",
             [](const item& i) { return flag(i.one.blocking); }},
            {"sentence", text, "What is wrong and what to do.",
             [](const item& i) { return text_value(i.one.sentence); }},
        }),
        [view](const auto& each) {
            const auto now = view();
            for (const cluster_state& one : now->clusters)
                for (const ha::obstacle& o : one.preflight.obstacles)
                    each({{*now, one, o.server}, o});
        });
}

live_table discovered(const ha_view_source& view) {
    using item = ha::discovered_server;
    return ha_table<item>(
        "discovered", "Servers that a configured one names and that are not configured.",
        {
            {"cluster", text, "Of which cluster.",
             [](const item& i) { return text_or_null(i.cluster); }},
            {"hostname", text, "Where it is.", [](const item& i) { return host_value(i.at); }},
            {"port", number, "Its port.", [](const item& i) { return port_value(i.at); }},
            {"how", text, "Who names it.", [](const item& i) { return text_value(i.how); }},
        },
        [view](const auto& each) {
            const auto now = view();
            for (const item& one : now->discovered)
                if (!now->notes.forgotten.contains(one.at)) each(one);
        });
}

live_table downtimes(const ha_view_source& view) {
    using item = downtime_item;
    return ha_table<item>(
        "downtimes", "Servers about which nothing is done for a while.",
        {
            {"hostname", text, "Where it is.", [](const item& i) { return host_value(i.at); }},
            {"port", number, "Its port.", [](const item& i) { return port_value(i.at); }},
            {"owner", text, "Who said so.", [](const item& i) { return text_value(i.note.owner); }},
            {"reason", text, "Why.", [](const item& i) { return text_value(i.note.reason); }},
            {"since", text, "From when (UTC).",
             [](const item& i) { return time_value(i.note.since); }},
            {"until", text, "Till when (UTC).",
             [](const item& i) { return time_value(i.note.until); }},
        },
        [view](const auto& each) {
            const auto now = view();
            for (const auto& [at, note] : now->notes.downtimes)
                if (note.until > ha::unix_now_us()) each({at, note});
        });
}

}  // namespace

std::vector<live_table> ha_state_tables(const ha_view_source& view) {
    return {clusters(view),   servers(view),   analysis(view),   gates(view),
            candidates(view), preflight(view), discovered(view), downtimes(view)};
}

std::vector<live_table> ha_tables(const ha_view_source& view, ha::store& kept) {
    std::vector<live_table> out = ha_state_tables(view);
    for (live_table& one : ha_history_tables(kept))
        out.push_back(std::move(one));
    return out;
}

}  // namespace howdah::admin
