#include "proxy/pool/connection_throttle.hpp"

#include <algorithm>

namespace howdah::proxy {

bool even_pace::take(std::uint32_t per_second, clock::time_point now) {
    // Those who ask come by every 100 ms: what may be in that time may be at once, and what comes
    // later by no more than that is in time.
    constexpr clock::duration round = std::chrono::milliseconds(100);
    const clock::duration step =
        clock::duration(std::chrono::seconds(1)) / std::max(per_second, 1U);
    const clock::duration early = std::max(round - step, clock::duration::zero());
    if (next_ > now + early) return false;
    next_ = (now - next_ > round ? now : next_) + step;
    return true;
}

}  // namespace howdah::proxy
