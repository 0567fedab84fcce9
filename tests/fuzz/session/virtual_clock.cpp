#include "tests/fuzz/session/virtual_clock.hpp"

namespace {

std::chrono::steady_clock::time_point time_now{std::chrono::hours(1000)};

}  // namespace

// Instead of the standard library's.
std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
    return time_now;
}

namespace howdah::fuzz {

void advance_clock(std::chrono::nanoseconds by) {
    time_now += by;
}

}  // namespace howdah::fuzz
