#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ha/topology.hpp"

namespace howdah::ha {

enum class intent_phase : std::uint8_t {
    freezing,  ///< standbys may have been frozen; nothing else happened
    promoting  ///< pg_promote may have been sent to `candidate`
};

/// What has to be on disk before the next thing is done to any server, so that a crash at any
/// moment leaves one way on. Written with `freezing` before the first freeze, with `stopped` before
/// the agent stops the old primary, with `promoting` and the candidate before pg_promote, removed
/// with the record of the new epoch or after undoing.
struct failover_intent {
    std::string cluster;
    std::uint64_t epoch = 0;  ///< the one that is to begin
    endpoint from;            ///< the primary to be replaced
    std::optional<endpoint> candidate;
    intent_phase phase = intent_phase::freezing;
    std::uint32_t base_timeline = 0;  ///< a server writing on a higher one was promoted since
    /// primary_conninfo of the frozen standbys, for `server_facts::conninfo_before_freeze`.
    std::map<endpoint, std::string> conninfo_before_freeze;
    /// With `promoting`: all that the candidate had of `base_timeline`; 0 = not known.
    std::uint64_t fork_lsn = 0;
    /// Switchover: the agent was told to stop `from`, and not yet to start it again.
    bool stopped = false;

    bool operator==(const failover_intent&) const = default;
};

/// How to go on after a crash.
enum class resumption : std::uint8_t {
    undo,     ///< nobody can have been promoted: `plan_unfreeze`, remove the intent, decide anew
    promote,  ///< pg_promote at the same candidate, again: harmless if it was sent before
    finish,   ///< the candidate writes: record the epoch, publish, rewire
    wait      ///< the candidate may have been promoted and cannot be asked: never another one
};
[[nodiscard]] std::string_view to_string(resumption value) noexcept;

struct resume_answer {
    resumption what = resumption::wait;
    std::string sentence;
};

/// Until it answers `finish` or `undo` the cluster has no writer (`judge_options::under_way`).
[[nodiscard]] resume_answer resume(const cluster& subject, const failover_intent& intent);

}  // namespace howdah::ha
