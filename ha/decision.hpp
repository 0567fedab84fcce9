#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ha/candidate.hpp"
#include "ha/diagnosis.hpp"
#include "ha/epoch.hpp"
#include "ha/policy.hpp"

namespace howdah::ha {

/// What to do about a cluster now.
enum class action : std::uint8_t {
    none,
    confirm,   ///< ask the quiet standbys again (`plan_confirmation`), then decide anew
    failover,  ///< `plan_freeze`, read again, `choose_candidate`, `plan_promotion`
};
[[nodiscard]] std::string_view to_string(action value) noexcept;

/// The answer of one cycle for one cluster: everything that SHOW HA, the API, the log and
/// "why was there no failover" show.
struct decision {
    judgement writers;  ///< who may write: store its record, publish its ruling
    cluster_diagnosis problems;
    candidate_choice forecast;  ///< whom a failover would promote by what is known now
    std::vector<gate> gates;
    action what = action::none;
    /// Servers to be fenced by SQL: they accept writes and are outdated for certain.
    std::vector<std::size_t> to_fence;
    std::string sentence;  ///< one, for people
};

/// One whole cycle over facts. Pure: the same input gives the same decision.
[[nodiscard]] decision decide(const cluster& subject, const std::optional<cluster_record>& record,
                              const policy& allowed, const circumstances& around = {},
                              const judge_options& judging = {});

}  // namespace howdah::ha
