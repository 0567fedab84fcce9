#include "monitor/check_log.hpp"

#include <utility>

namespace howdah::monitor {

void check_log::add(check kind, check_row row) {
    auto& counted = row.error.empty() ? counts_.succeeded : counts_.failed;
    ++counted[static_cast<std::size_t>(kind)];
    auto& ring = rows_[kind][row.at];
    ring.push_back(std::move(row));
    if (ring.size() > rows_per_server) ring.pop_front();
}

std::vector<check_row> check_log::rows(check kind) const {
    std::vector<check_row> all;
    const auto found = rows_.find(kind);
    if (found == rows_.end()) return all;
    for (const auto& [at, ring] : found->second)
        all.insert(all.end(), ring.begin(), ring.end());
    return all;
}

void check_log::forget(const endpoint& at) {
    for (auto& [kind, servers] : rows_)
        servers.erase(at);
}

}  // namespace howdah::monitor
