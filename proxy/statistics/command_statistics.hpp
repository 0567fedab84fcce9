#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/sql/command_kind.hpp"
#include "proxy/statistics/duration_counts.hpp"

namespace howdah::proxy {

/// By command_kind; shorter than command_names() where the last ones never ran.
using command_statistics = std::vector<duration_counts>;

inline void count_command(command_statistics& all, sql::command_kind kind,
                          std::uint64_t microseconds) {
    if (all.size() <= kind) all.resize(kind + std::size_t{1});
    all[kind].add(microseconds);
}

/// Adds another worker's.
inline void add(command_statistics& to, const command_statistics& other) {
    if (to.size() < other.size()) to.resize(other.size());
    for (std::size_t i = 0; i < other.size(); ++i)
        to[i].add(other[i]);
}

}  // namespace howdah::proxy
