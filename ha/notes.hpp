#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "ha/topology.hpp"

namespace howdah::ha {

/// Unix time in microseconds: of what outlives the process. `time_us` is for everything else.
using unix_us = std::int64_t;
/// Now, by the machine's wall clock.
[[nodiscard]] unix_us unix_now_us();

/// Nothing is done about the server until then, and it is not promoted.
struct downtime_note {
    std::string owner;
    std::string reason;
    unix_us since = 0;
    unix_us until = 0;

    bool operator==(const downtime_note&) const = default;
};

/// Somebody works on the server: for people, nothing follows from it.
struct maintenance_note {
    std::string owner;
    std::string reason;
    unix_us since = 0;
    unix_us until = 0;

    bool operator==(const maintenance_note&) const = default;
};

/// A promotion rule that an operator set while Howdah runs.
struct promotion_note {
    promotion_rule rule = promotion_rule::neutral;
    unix_us until = 0;  ///< 0: until it is replaced

    bool operator==(const promotion_note&) const = default;
};

/// What operators say about clusters and servers beyond the configuration. Outlives Howdah. What is
/// over (`until`) counts as not there.
struct operator_notes {
    bool global_recoveries = true;
    std::map<endpoint, downtime_note> downtimes;
    std::map<endpoint, maintenance_note> maintenance;
    std::map<endpoint, promotion_note> promotion_rules;
    std::map<endpoint, std::map<std::string, std::string>> tags;  ///< name -> value, "" = none
    std::map<std::string, std::string> aliases;                   ///< cluster name -> alias
    std::set<endpoint> forgotten;  ///< discovered servers that nobody wants to see

    bool operator==(const operator_notes&) const = default;
};

}  // namespace howdah::ha
