#include "admin/ha/tree.hpp"

#include <fmt/format.h>

#include "ha/lsn.hpp"
#include "ha/tree_order.hpp"

namespace howdah::admin {
namespace {

std::string_view in_words(ha::reachability value) {
    switch (value) {
        case ha::reachability::up:
            return "not read in time";
        case ha::reachability::refusing:
            return "alive and refuses us";
        case ha::reachability::starting:
            return "starting";
        case ha::reachability::dead:
            return "dead";
        case ha::reachability::unknown:
            break;
    }
    return "not looked at yet";
}

std::string of_standby(const ha::server& one) {
    const ha::server_facts& facts = one.facts;
    std::string out = !facts.receiver              ? ", no receiver"
                      : !facts.receiver->streaming ? ", receiver waits"
                                                   : ", streams from " + one.upstream_text;
    if (facts.replay_lag_ms) out += fmt::format(", replay lag {} ms", *facts.replay_lag_ms);
    if (facts.replay_paused) out += ", replay paused";
    return out;
}

std::string describe(const ha::cluster_state& state, std::size_t index) {
    const ha::server& one = state.subject.servers[index];
    const ha::server_facts& facts = one.facts;
    const auto& standings = state.decided.writers.standings;
    std::string out;
    if (!one.current) {
        out = in_words(facts.reach);
        if (!facts.reach_detail.empty()) out += ": " + facts.reach_detail;
    } else {
        out = index < standings.size() ? to_string(standings[index]) : "unknown";
        out += fmt::format(", timeline {}", facts.timeline);
        if (facts.wal_end()) out += ", WAL up to " + ha::format_lsn(*facts.wal_end());
        if (one.standing_by()) out += of_standby(one);
    }
    if (one.downtimed) out += ", in downtime";
    return out;
}

}  // namespace

std::vector<tree_line> tree_of(const ha::cluster_state& state) {
    std::vector<tree_line> out;
    for (const auto& [index, depth] : ha::tree_order(state.subject)) {
        const std::string indent = depth == 0 ? "" : std::string(2 * (depth - 1), ' ') + "+ ";
        out.push_back({indent + state.subject.servers[index].name(), describe(state, index)});
    }
    for (const std::string& name : state.subject.unknown_senders)
        out.push_back({"? " + name, "streams, and is no known server"});
    return out;
}

}  // namespace howdah::admin
