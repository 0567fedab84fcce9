#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/candidate.hpp"
#include "ha/epoch.hpp"

namespace howdah::ha {

/// What stands in the way of a failover that is not needed yet.
struct obstacle {
    std::size_t server = 0;   ///< index into the cluster's servers
    std::string_view reason;  ///< a short word for a metric's label: "grant_promote"
    bool blocking = true;     ///< false: a failover works, and something is worse for it
    std::string sentence;     ///< what is wrong and what to do

    bool operator==(const obstacle&) const = default;
};

struct preflight_report {
    std::vector<obstacle> obstacles;
    /// A failover by what is known now would find a candidate.
    bool ready = false;
    std::string sentence;
};

/// Would a failover of the cluster work now, and what must be done that it would? Looks at every
/// server as the next primary and as a survivor. Servers that do not answer are an obstacle.
[[nodiscard]] preflight_report check_preflight(const cluster& subject, const judgement& judged,
                                               const candidate_options& options);

}  // namespace howdah::ha
