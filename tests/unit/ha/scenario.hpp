#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ha/decision.hpp"
#include "ha/plan.hpp"

namespace howdah::ha::test {

inline constexpr std::uint64_t our_cluster = 777;
inline constexpr time_us second = 1'000'000;

/// A cluster and all that is decided from, as written in tests/unit/ha/scenarios (README there).
struct scenario {
    topology_input input;
    policy allowed;
    circumstances around;
    judge_options judging;
    plan_options planning;
    std::vector<std::vector<std::string>> wanted_plans;  ///< {"failover"}, {"rejoin", "pg1"}, ...

    scenario();
    /// One line of a scenario; throws std::runtime_error on what it does not understand.
    void read(const std::string& line);

    [[nodiscard]] std::optional<cluster_record> record() const;
    [[nodiscard]] cluster the_cluster() const;
    [[nodiscard]] decision decide() const;
    server_facts& facts(const std::string& name);
    server_config& config(const std::string& name);
};

[[nodiscard]] scenario parse_scenario(const std::string& text);

/// What Howdah says to it, whole.
[[nodiscard]] std::string describe(const scenario& one);

/// The line without its comment, split at blanks outside of double quotes.
[[nodiscard]] std::vector<std::string> words_of(const std::string& line);

}  // namespace howdah::ha::test
