#include "monitor/lag_verdict.hpp"

namespace howdah::monitor {

bool lag_verdict::on_lag(milliseconds lag, const limits& bounds) {
    const bool limited = bounds.longest.count() > 0;
    const bool above = limited && lag > bounds.longest;
    if (!limited || unproven_) {
        late_ = above;
        in_a_row_ = 0;
        unproven_ = false;
    } else if (above == late_) {
        in_a_row_ = 0;
    } else if (++in_a_row_ >= (late_ ? bounds.better : bounds.worse)) {
        late_ = above;
        in_a_row_ = 0;
    }
    return late_;
}

void lag_verdict::on_return(const limits& bounds) {
    unproven_ = bounds.longest.count() > 0;
}

}  // namespace howdah::monitor
