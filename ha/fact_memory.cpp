#include "ha/fact_memory.hpp"

#include <algorithm>
#include <utility>

namespace howdah::ha {

server_facts remembered(const server_facts& before, server_facts fresh) {
    if (fresh.reach == before.reach) fresh.reach_since_us = before.reach_since_us;
    if (fresh.reach != reachability::up) {
        auto out = before;
        out.reach = fresh.reach;
        out.reach_since_us = fresh.reach_since_us;
        out.refused = fresh.refused;
        out.reach_detail = std::move(fresh.reach_detail);
        return out;
    }
    fresh.conninfo_before_freeze = before.conninfo_before_freeze;
    if (fresh.timeline == before.timeline) fresh.timeline_history = before.timeline_history;
    const bool same_timeout = before.read_at_us && before.settings.wal_receiver_timeout_ms ==
                                                       fresh.settings.wal_receiver_timeout_ms;
    fresh.receiver_timeout_since_us =
        same_timeout ? before.receiver_timeout_since_us : fresh.read_at_us;
    fresh.receive_grew_after_us = before.receive_grew_after_us;
    if (before.receive_lsn && fresh.receive_lsn && *before.receive_lsn < *fresh.receive_lsn)
        fresh.receive_grew_after_us = before.read_at_us;
    for (const auto& one : before.managers)
        if (fresh.read_at_us - one.seen_us < manager_memory_us &&
            std::ranges::find(fresh.managers, one.name, &found_manager::name) ==
                fresh.managers.end())
            fresh.managers.push_back(one);
    return fresh;
}

std::optional<server_memory> memory_of(const endpoint& at, const server_facts& facts) {
    if (!facts.read_at_us) return std::nullopt;
    const auto& settings = facts.settings;
    return server_memory{at, facts.data_directory, settings.wal_log_hints, settings.data_checksums,
                         settings.full_page_writes};
}

void recall(const server_memory& one, server_facts& facts) {
    if (facts.read_at_us) return;
    facts.data_directory = one.data_directory;
    facts.settings.wal_log_hints = one.wal_log_hints;
    facts.settings.data_checksums = one.data_checksums;
    facts.settings.full_page_writes = one.full_page_writes;
}

}  // namespace howdah::ha
