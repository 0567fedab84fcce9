#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "ha/history.hpp"

namespace howdah::ha {

/// What became of the recoveries of one kind in one cluster.
struct recovery_tally {
    std::uint64_t successful = 0;  ///< since Howdah began
    std::uint64_t failed = 0;      ///< the same
    recovery last;                 ///< that ended, also before Howdah began; id 0: none known

    bool operator==(const recovery_tally&) const = default;
};

/// By recovery::kind.
using recovery_tallies = std::map<std::string, recovery_tally>;

/// One more has ended.
inline void count_recovery(recovery_tallies& all, const recovery& ended) {
    auto& of = all[ended.kind];
    ++(ended.successful ? of.successful : of.failed);
    of.last = ended;
}

}  // namespace howdah::ha
