#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ha/topology.hpp"
#include "monitor/engine.hpp"

namespace howdah::ha {

/// What a server is to its cluster, by the record and by what all servers say.
enum class standing : std::uint8_t {
    unknown,   ///< nothing about it is of now
    standby,   ///< in recovery, on the history of the writer as far as that is known
    diverged,  ///< in recovery, with WAL that the writer's history does not have
    writer,    ///< accepts writes, and is the one that may
    outdated,  ///< accepts writes on a history that was left, or was replaced before
    rival,     ///< accepts writes, and neither right nor outdated for certain
    foreign    ///< of another cluster
};
[[nodiscard]] std::string_view to_string(standing value) noexcept;

struct judge_options {
    /// Every configured server was looked at once. Before, nobody is believed without a record.
    bool all_looked_at = true;
    /// The record's primary was the writer in the very cycle before, in this process: nobody can
    /// have replaced it unseen. False after a restart, and after it was out of sight.
    bool watched = false;
    /// A failover or switchover is between its decision and its publication: nobody writes, and
    /// nobody is adopted but by the executor.
    bool under_way = false;
};

/// Who may write, and who never.
struct judgement {
    std::vector<standing> standings;     ///< one per server of the cluster
    std::optional<std::size_t> writer;   ///< the only one that may write now
    std::optional<std::size_t> primary;  ///< the one in charge, dead or alive
    /// Not judged yet (`all_looked_at`, `under_way`): that nobody writes is no finding.
    bool undecided = false;
    /// Every name of every server that must get no queries at all.
    std::set<endpoint> fenced;
    /// To be stored before the ruling is published, if `changed`.
    cluster_record record;
    bool changed = false;
    std::string sentence;
};

/// The rule, from the top:
/// 1. Of another system identifier: never.
/// 2. On a timeline below the record's, or the record's primary behind the record's position:
///    outdated. Remembered as replaced or as a rival: never, whatever its timeline.
/// 3. The record's primary on the record's timeline writes. Whoever else accepts writes is a rival
///    and remembered. But where Howdah did not watch it all the time, a rival, or any server on a
///    timeline that began unseen, means that nobody writes.
/// 4. Where the record's primary does not accept writes: the only one on the highest timeline above
///    the record's, if that descends from the record's, was promoted by somebody and is adopted
///    with a new epoch.
/// 5. Without a record: the only one on the highest timeline, if no standby is on a higher one.
/// Two that are equal: nobody. Pure.
[[nodiscard]] judgement judge_writers(const cluster& subject,
                                      const std::optional<cluster_record>& record,
                                      const judge_options& options = {});

/// The record after `promoted` became the primary of a new epoch by our own failover. `fork_lsn`:
/// all that it had of the timeline before, or 0.
[[nodiscard]] cluster_record next_epoch(const cluster_record& before, const endpoint& promoted,
                                        std::uint32_t timeline, std::uint64_t flush_lsn,
                                        std::string_view reason, std::uint64_t fork_lsn = 0);

/// An operator says who is right: the way out where nobody writes. Everybody else who accepts
/// writes is remembered as replaced.
[[nodiscard]] cluster_record adopt(const cluster& subject, std::size_t chosen,
                                   const std::optional<cluster_record>& before,
                                   std::string_view by);

/// Adds what was judged of one cluster to the ruling for `monitor::rule`. Without a writer the
/// hostgroup is given to an endpoint that nobody has: else the monitor would choose by itself, and
/// a server that it sees before we do would write.
void add_to_ruling(monitor::ruling& out, const cluster& subject, const judgement& judged);

}  // namespace howdah::ha
