#include "ha/missing_wal.hpp"

#include <algorithm>

namespace howdah::ha {

std::optional<std::uint64_t> missing_wal(const cluster& subject, const server& of) {
    const auto end = of.facts.wal_end();
    if (!end) return std::nullopt;
    std::uint64_t best = *end;
    for (const server& one : subject.servers)
        if (!one.foreign && one.facts.timeline == of.facts.timeline)
            best = std::max(best, one.facts.wal_end().value_or(0));
    return best - *end;
}

}  // namespace howdah::ha
