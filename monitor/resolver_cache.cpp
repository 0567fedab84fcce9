#include "monitor/resolver_cache.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

namespace howdah::monitor {
namespace {

constexpr std::chrono::seconds time_to_live{30};
constexpr std::size_t max_addresses = 4;

}  // namespace

void resolver_cache::resolve(const std::string& host, handler done) {
    if (stopped_) return;
    boost::system::error_code not_numeric;
    boost::asio::ip::make_address(host, not_numeric);
    if (!not_numeric) return done({host}, {});

    auto& known = entries_[host];
    const bool stale = std::chrono::steady_clock::now() - known.refreshed > time_to_live;
    if (known.addresses.empty()) {
        known.waiting.push_back(std::move(done));
        if (!known.under_way) refresh(host);
        return;
    }
    if (stale && !known.under_way) refresh(host);
    done(known.addresses, {});
}

void resolver_cache::refresh(const std::string& host) {
    entries_[host].under_way = true;
    resolver_.async_resolve(
        host, "0", boost::asio::ip::resolver_base::numeric_service,
        [self = weak_from_this(), host](const boost::system::error_code& error,
                                        const boost::asio::ip::tcp::resolver::results_type& found) {
            const auto cache = self.lock();
            if (!cache || cache->stopped_) return;
            std::vector<std::string> addresses;
            for (const auto& one : found) {
                auto text = one.endpoint().address().to_string();
                if (std::ranges::find(addresses, text) == addresses.end() &&
                    addresses.size() < max_addresses)
                    addresses.push_back(std::move(text));
            }
            cache->finish(host, std::move(addresses), error ? error.message() : std::string{});
        });
}

void resolver_cache::finish(const std::string& host, std::vector<std::string> addresses,
                            std::string error) {
    auto& known = entries_[host];
    known.under_way = false;
    known.refreshed = std::chrono::steady_clock::now();
    if (!addresses.empty() &&
        !std::ranges::is_permutation(addresses, known.addresses))  // keeps what rotate() did
        known.addresses = std::move(addresses);
    const auto answer = known.addresses;
    for (auto& done : std::exchange(known.waiting, {}))
        done(answer, error);
}

void resolver_cache::rotate(const std::string& host) {
    const auto known = entries_.find(host);
    if (known == entries_.end() || known->second.addresses.size() < 2) return;
    auto& addresses = known->second.addresses;
    std::ranges::rotate(addresses, addresses.begin() + 1);
}

void resolver_cache::stop() {
    stopped_ = true;
    resolver_.cancel();
    entries_.clear();
}

}  // namespace howdah::monitor
