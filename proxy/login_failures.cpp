#include "proxy/login_failures.hpp"

#include <algorithm>

namespace howdah::proxy {

std::uint32_t login_failures::add(const conf::ip_address& address, clock::time_point now) {
    conf::ip_address network = address;
    if (network.v6) std::fill(network.bytes.begin() + 8, network.bytes.end(), std::uint8_t{0});
    const std::scoped_lock lock(mutex_);
    const auto known = index_.find(network);
    if (known != index_.end()) {
        entries_.splice(entries_.begin(), entries_, known->second);
    } else {
        if (entries_.size() >= max_addresses) {
            index_.erase(entries_.back().network);
            entries_.pop_back();
        }
        entries_.push_front({network, 0, now});
        index_[network] = entries_.begin();
    }
    entry& e = entries_.front();
    if (now - e.last >= forgotten_after) e.count = 0;
    e.last = now;
    return ++e.count;
}

std::size_t login_failures::size() const {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

std::vector<login_failures::row> login_failures::read(bool forget, clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    std::vector<row> out;
    for (const entry& e : entries_)
        out.push_back({e.network, e.count, now - e.last});
    if (forget) {
        index_.clear();
        entries_.clear();
    }
    return out;
}

std::chrono::milliseconds login_delay(const conf::variables& vars, std::uint32_t failures) {
    constexpr std::uint32_t most_doublings = 4;
    if (failures == 0) return std::chrono::milliseconds(0);
    const auto delay = vars.failed_login_delay * (1 << std::min(failures - 1, most_doublings));
    return std::min<std::chrono::milliseconds>(delay, vars.connect_timeout_client / 2);
}

}  // namespace howdah::proxy
