#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace howdah::conf {

/// Number of single-character insertions, deletions, replacements and swaps of neighbours that
/// turn one name into the other. Quadratic: for short names.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `name` most likely is a misspelling of, or nothing if none is close (at
/// most a third of its letters wrong). The first one wins among equals.
std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> candidates);

}  // namespace howdah::conf
