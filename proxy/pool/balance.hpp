#pragma once
#include <cstdint>
#include <deque>
#include <span>

#include "proxy/pool/book.hpp"

// Which of several servers a statement gets. Pure.
namespace howdah::proxy {

/// How many of a worker's connections are in use, by server_entry::id; missing ones have none.
using busy_counts = std::deque<std::uint32_t>;

/// One of several servers by their weights; `avoid` only if there is no other. Null: none.
/// `draw` decides: multiples of golden_step spread evenly, also over few draws.
[[nodiscard]] const server_entry* choose_by_weight(std::span<const pool_book::candidate> candidates,
                                                   const server_entry* avoid, std::uint64_t draw);
inline constexpr std::uint64_t golden_step = 0x9e3779b97f4a7c15ULL;

/// The one with the fewest connections in use for its weight; among equals `draw` decides by their
/// weights. A server without weight is used only if there is no other, `avoid` likewise.
[[nodiscard]] const server_entry* choose_least_busy(
    std::span<const pool_book::candidate> candidates, const server_entry* avoid,
    const busy_counts& busy, std::uint64_t draw);

}  // namespace howdah::proxy
