#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ha/epoch.hpp"
#include "ha/topology.hpp"

namespace howdah::ha {

/// What is wrong with a cluster or a server. The order is that of the tables.
enum class problem : std::uint8_t {
    none,
    // of the cluster
    monitor_blind,
    split_brain,
    dead_primary_without_standbys,
    unreachable_primary,
    dead_primary_and_some_standbys,
    dead_primary,
    no_writable_primary,
    sync_set_unsatisfied,
    all_standbys_not_replicating,
    // of one server
    returned_old_primary,
    foreign_server,
    diverged_standby,
    standby_not_replicating,
    slot_missing,
    lagging_standby,
};

enum class severity : std::uint8_t { ok, info, warning, critical };

/// How a problem is called and what it means: the table of docs/high-availability.md.
struct problem_info {
    problem what = problem::none;
    std::string_view name;               ///< "DeadPrimary"
    std::string_view orchestrator_name;  ///< in its API; "" where it knows no such thing
    severity weight = severity::ok;
    bool calls_for_failover = false;  ///< in automatic mode, if every gate lets it pass
    std::string_view meaning;
};
[[nodiscard]] std::span<const problem_info> problem_table() noexcept;
[[nodiscard]] const problem_info& info_of(problem what) noexcept;
[[nodiscard]] std::string_view to_string(severity value) noexcept;

/// All that the rules about a cluster look at: facts, reduced.
struct cluster_view {
    enum class primary_state : std::uint8_t {
        none,      ///< no server is known to be in charge, or it became a standby
        writing,   ///< it accepts writes and may
        unusable,  ///< it is alive, and refuses us, starts up, or is not read in time
        dead
    };
    primary_state primary = primary_state::none;
    bool blind = false;   ///< nothing at all answers, and nothing proves that our network works
    bool rivals = false;  ///< a server accepts writes, and neither may nor is outdated
    std::size_t standbys = 0;       ///< known to the cluster
    std::size_t reachable = 0;      ///< of these, read just now
    std::size_t streaming = 0;      ///< of these, with proof that the primary lives
    std::size_t quiet = 0;          ///< of these, with proof of neither
    std::size_t cut = 0;            ///< of these, that followed it and do not any more
    std::size_t replicating = 0;    ///< of the reachable, with a receiver that streams from anybody
    bool sync_unsatisfied = false;  ///< fewer sync standbys stream than a commit waits for

    bool operator==(const cluster_view&) const = default;
};

/// The first rule that matches. Total: every combination has an answer.
[[nodiscard]] problem judge_cluster(const cluster_view& view) noexcept;

struct diagnosis_options {
    std::int64_t lagging_after_ms = 20'000;  ///< LaggingStandby
    /// A primary that starts up (57P03) for longer counts as dead: it may replay for a long time.
    time_us start_timeout_us = 60'000'000;
    /// Something outside this cluster answers: our own network works.
    bool network_works = false;
};

struct diagnosis {
    problem what = problem::none;
    std::optional<std::size_t> subject;  ///< index into the cluster's servers; none: the cluster
    std::string sentence;

    [[nodiscard]] const problem_info& info() const { return info_of(what); }
    bool operator==(const diagnosis&) const = default;
};

/// The answer of one cycle.
struct cluster_diagnosis {
    cluster_view view;
    std::optional<std::size_t> primary;  ///< the server in charge, dead or alive
    /// The problem of the cluster, or `none`; else the gravest one of a server.
    diagnosis headline;
    std::vector<diagnosis> all;  ///< headline first, then every server's, without repetition
    /// Standbys whose silence proves neither life nor death: asking them again decides.
    std::vector<std::size_t> to_confirm;
};

[[nodiscard]] cluster_view reduce(const cluster& subject, const judgement& judged,
                                  const diagnosis_options& options = {});
[[nodiscard]] cluster_diagnosis diagnose(const cluster& subject, const judgement& judged,
                                         const diagnosis_options& options = {});

}  // namespace howdah::ha
