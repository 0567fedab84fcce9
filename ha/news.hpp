#pragma once
#include <string>
#include <string_view>

namespace howdah::ha {

/// The sentence with a sign in the place of what grows by itself: seconds, bytes and WAL positions.
/// Two sentences that are equal then say the same, and the second one is no news for a log. Names,
/// addresses, timelines, epochs and counts stay. Pure.
[[nodiscard]] std::string without_quantities(std::string_view sentence);

}  // namespace howdah::ha
