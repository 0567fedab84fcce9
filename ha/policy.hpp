#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/candidate.hpp"
#include "ha/diagnosis.hpp"
#include "ha/mode.hpp"

namespace howdah::ha {

/// What the operator allows.
struct policy {
    enum mode mode = mode::manual;
    bool global_recoveries = true;  ///< `disable-global-recoveries` sets it to false
    /// Orchestrator's RecoverMasterClusterFilters: "*", a cluster's name or alias, "alias=x",
    /// "alias~=regex", or a regular expression (RE2) on the name. None matches: no automatic one.
    std::vector<std::string> cluster_filters;
    /// After a recovery of the cluster, successful or not, none by itself for so long, unless it
    /// was acknowledged.
    time_us block_after_recovery_us = 3'600'000'000;
    candidate_options candidates;
    diagnosis_options diagnoses;
};

/// A recovery of the past, of the same cluster.
struct past_recovery {
    time_us ended_at_us = 0;
    bool acknowledged = false;
    std::string failed;  ///< the server that was replaced, for the sentence
};

/// What an operator ordered.
struct recovery_order {
    std::optional<endpoint> to;
    bool allow_data_loss = false;
    std::string by;
};

/// What else the gates look at.
struct circumstances {
    std::vector<past_recovery> past;
    bool recovery_under_way = false;      ///< of this cluster
    std::string may_not_act_because;      ///< another Howdah has the right to act; empty: this one
    std::optional<recovery_order> order;  ///< none: the cycle's own decision

    [[nodiscard]] bool may_act() const { return may_not_act_because.empty(); }
};

/// One condition that a failover has to pass, and its answer in words.
struct gate {
    std::string_view name;
    bool open = true;
    std::string reason;

    bool operator==(const gate&) const = default;
};

/// Whether a filter of `policy::cluster_filters` matches; a bad regular expression never does.
[[nodiscard]] bool matches_filter(std::string_view filter, std::string_view name,
                                  std::string_view alias);
/// "" if the filter can be used, else what is wrong with it.
[[nodiscard]] std::string check_filter(std::string_view filter);

/// Every gate, all of them always, so that "why was there no failover" has a whole answer. An order
/// passes mode (but observe), filter, global switch, downtime and the block after a recovery; it
/// does not pass a diagnosis that forbids promotion, another manager, or a missing candidate.
[[nodiscard]] std::vector<gate> check_gates(const cluster& subject, const cluster_diagnosis& found,
                                            const candidate_choice& choice, const policy& allowed,
                                            const circumstances& around);

/// The same for a planned switchover, which somebody has to order.
[[nodiscard]] std::vector<gate> check_switchover(const cluster& subject,
                                                 const cluster_diagnosis& found,
                                                 const candidate_choice& choice,
                                                 const policy& allowed,
                                                 const circumstances& around);

}  // namespace howdah::ha
