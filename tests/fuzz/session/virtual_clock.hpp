#pragma once
#include <chrono>

namespace howdah::fuzz {

/// Moves std::chrono::steady_clock, which stands still otherwise, in the programs that link
/// virtual_clock.cpp: what waits for a time happens when the input says so, and at once.
void advance_clock(std::chrono::nanoseconds by);

}  // namespace howdah::fuzz
