#include "proxy/pool/balance.hpp"

#include <algorithm>

namespace howdah::proxy {
namespace {

/// By weight among the candidates that `in` lets through.
template <class Predicate>
const server_entry* draw_from(std::span<const pool_book::candidate> candidates, Predicate in,
                              std::uint64_t draw) {
    std::uint64_t total = 0;
    for (const auto& c : candidates)
        if (in(c)) total += c.weight;
    // The draw as a fraction of 1; weights are far below 2^53 in sum.
    const double fraction = static_cast<double>(draw >> 11) * 0x1p-53;
    auto point = static_cast<std::uint64_t>(fraction * static_cast<double>(total));
    const server_entry* any = nullptr;
    for (const auto& c : candidates) {
        if (!in(c)) continue;
        any = c.server;
        if (c.weight == 0) continue;
        if (point < c.weight) return c.server;
        point -= c.weight;
    }
    return any;
}

}  // namespace

const server_entry* choose_by_weight(std::span<const pool_book::candidate> candidates,
                                     const server_entry* avoid, std::uint64_t draw) {
    const auto* chosen = draw_from(
        candidates, [avoid](const auto& c) { return c.server != avoid; }, draw);
    if (chosen != nullptr) return chosen;
    return candidates.empty() ? nullptr : candidates.front().server;
}

const server_entry* choose_least_busy(std::span<const pool_book::candidate> candidates,
                                      const server_entry* avoid, const busy_counts& busy,
                                      std::uint64_t draw) {
    const auto in_use = [&](const pool_book::candidate& c) -> std::uint64_t {
        return c.server->id < busy.size() ? busy[c.server->id] : 0;
    };
    const auto eligible = [avoid](const pool_book::candidate& c) {
        return c.server != avoid && c.weight != 0;
    };
    const pool_book::candidate* best = nullptr;
    for (const auto& c : candidates)
        if (eligible(c) && (best == nullptr || in_use(c) * best->weight < in_use(*best) * c.weight))
            best = &c;
    if (best == nullptr) return choose_by_weight(candidates, avoid, draw);
    const auto equal = [&](const pool_book::candidate& c) {
        return eligible(c) && in_use(c) * best->weight == in_use(*best) * c.weight;
    };
    return draw_from(candidates, equal, draw);
}

}  // namespace howdah::proxy
