#include <fmt/format.h>

#include "admin/ha/commands.hpp"
#include "admin/ha/names.hpp"
#include "admin/ha/tree.hpp"
#include "admin/ha/values.hpp"

namespace howdah::admin {
namespace {

using ha::cluster_state;
using ha::ha_view;

command_result shown(std::initializer_list<const char*> columns) {
    command_result r;
    r.tag = "SHOW";
    for (const char* name : columns)
        r.columns.push_back({name, column_type::text});
    return r;
}

void say_what_is_missing(const ha_view& view, command_result& r) {
    if (view.clusters.empty())
        r.notices.emplace_back(
            "there is no cluster: replication_hostgroups names no hostgroup that has servers");
    else if (!view.looked_at_all)
        r.notices.emplace_back("not every server has been looked at yet");
}

/// The cluster that is meant, or all.
sql_result<std::vector<const cluster_state*>> chosen(const ha_view& view,
                                                     const command_call& call) {
    std::vector<const cluster_state*> out;
    if (call.has("cluster")) {
        const auto found = find_cluster(view, call["cluster"]);
        if (!found) return found.error();
        out.push_back(*found);
        return out;
    }
    for (const cluster_state& one : view.clusters)
        out.push_back(&one);
    return out;
}

command_result show_ha(const ha_view& view) {
    command_result r = shown({"cluster", "writer", "problem", "mode", "ready", "decision"});
    for (const cluster_state& one : view.clusters) {
        const auto& writer = one.decided.writers.writer;
        const auto& headline = one.decided.problems.headline;
        r.rows.push_back(
            {one.subject.name, writer ? text_value(one.subject.servers[*writer].name()) : value(),
             headline.what == ha::problem::none ? value() : text_value(headline.info().name),
             text_value(to_string(view.allowed.mode)),
             text_value(one.preflight.ready ? "yes" : "no"),
             one.under_way ? one.under_way->sentence : one.decided.sentence});
    }
    say_what_is_missing(view, r);
    return r;
}

command_result show_topology(const ha_view& view,
                             const std::vector<const cluster_state*>& clusters) {
    command_result r = shown({"cluster", "topology", "state"});
    for (const cluster_state* one : clusters)
        for (tree_line& line : tree_of(*one))
            r.rows.push_back({one->subject.name, std::move(line.name), std::move(line.state)});
    say_what_is_missing(view, r);
    return r;
}

/// "why was there no failover", whole.
void explain(const cluster_state& one, ha::store& kept, std::vector<row>& out) {
    const auto add = [&](std::string_view about, std::string sentence) {
        out.push_back({one.subject.name, std::string(about), std::move(sentence)});
    };
    const auto name = [&](std::size_t index) { return one.subject.servers[index].name(); };
    if (one.under_way) add("under way", one.under_way->sentence);
    add("decision", one.decided.sentence);
    add("writer", one.decided.writers.sentence);
    for (const ha::diagnosis& found : one.decided.problems.all)
        if (found.what != ha::problem::none)
            add("diagnosis", fmt::format("{} ({}): {}", found.info().name,
                                         to_string(found.info().weight), found.sentence));
    for (const std::size_t i : one.decided.problems.to_confirm)
        add("diagnosis", name(i) +
                             " has heard nothing from the primary since, which proves "
                             "neither life nor death");
    for (const ha::gate& gate : one.decided.gates)
        add("gate",
            fmt::format("{} {}: {}", gate.name, gate.open ? "is open" : "is closed", gate.reason));
    add("candidate", one.decided.forecast.sentence);
    for (const ha::candidate_verdict& v : one.decided.forecast.servers)
        add("candidate",
            fmt::format("{} {}: {}", name(v.server),
                        v.eligible ? "could be promoted" : "could not be promoted", v.reason));
    add("readiness", one.preflight.sentence);
    ha::history_filter last;
    last.cluster = one.subject.name;
    last.limit = 1;
    for (const ha::recovery& r : kept.recoveries(last))
        add("history", fmt::format("the last {} began {}: {}", r.kind,
                                   to_text(time_value(r.started_at)), r.sentence));
}

}  // namespace

std::vector<command> ha_show_commands(const ha_view_source& view, ha::store& kept) {
    return {
        {"SHOW HA", "What was decided about every cluster, in one sentence each.", role::stats,
         [view](const command_call&) -> sql_result<command_result> { return show_ha(*view()); },
         ha_group},
        {"SHOW TOPOLOGY [<cluster>]", "Who follows whom.", role::stats,
         [view](const command_call& call) -> sql_result<command_result> {
             const auto now = view();
             const auto clusters = chosen(*now, call);
             if (!clusters) return clusters.error();
             return show_topology(*now, *clusters);
         },
         ha_group},
        {"SHOW HA WHY [<cluster>]",
         "Why there was a failover or none: diagnoses, gates, candidates, in sentences.",
         role::stats,
         [view, &kept](const command_call& call) -> sql_result<command_result> {
             const auto now = view();
             const auto clusters = chosen(*now, call);
             if (!clusters) return clusters.error();
             command_result r = shown({"cluster", "about", "sentence"});
             for (const cluster_state* one : *clusters)
                 explain(*one, kept, r.rows);
             say_what_is_missing(*now, r);
             return r;
         },
         ha_group},
    };
}

}  // namespace howdah::admin
