#include "protocol/io/deadline.hpp"

#include <algorithm>

namespace howdah::protocol {

deadline_wheel::deadline_wheel(boost::asio::io_context& io) : timer_(io) {
    schedule();
}

std::uint64_t deadline_wheel::tick_of(deadline::clock::time_point t) const {
    return static_cast<std::uint64_t>((t - origin_) / tick);
}

void deadline_wheel::arm(deadline& what, deadline::clock::duration from_now) {
    what.unlink();
    what.when_ = deadline::clock::now() + std::max(from_now, deadline::clock::duration::zero());
    // One tick later than computed, so that it is due when its slot is visited.
    slots_[(tick_of(what.when_) + 1) % slots_.size()].push_back(what);
}

void deadline_wheel::schedule() {
    timer_.expires_at(origin_ + tick * (current_ + 1));
    timer_.async_wait([this](const boost::system::error_code& ec) {
        if (ec || stopped_) return;
        advance();
        schedule();
    });
}

void deadline_wheel::advance() {
    const auto time = deadline::clock::now();
    const std::uint64_t target = tick_of(time);
    // After a long stall one round visits every slot; more would visit them twice.
    if (target - current_ > slots_.size()) current_ = target - slots_.size();
    while (current_ < target) {
        slot& visited = slots_[++current_ % slots_.size()];
        slot due;
        for (auto it = visited.begin(); it != visited.end();) {
            deadline& d = *it++;
            if (d.when_ > time) continue;
            d.unlink();
            due.push_back(d);
        }
        // on_deadline may destroy any deadline, so always take the first that is left.
        while (!due.empty()) {
            deadline& d = due.front();
            d.unlink();
            d.on_deadline();
        }
    }
}

void deadline_wheel::stop() {
    stopped_ = true;
    timer_.cancel();
}

}  // namespace howdah::protocol
