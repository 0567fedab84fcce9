#include "monitor/resolver_cache.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

namespace howdah::monitor {
namespace {

using clock = std::chrono::steady_clock;

/// A name is not asked for more often than this, however many connections fail.
constexpr std::chrono::seconds doubt_spacing{1};
constexpr std::size_t max_addresses = 16;

}  // namespace

resolver_cache::resolver_cache(boost::asio::io_context& io, lookup ask)
    : resolver_(io), ask_(std::move(ask)) {}

void resolver_cache::resolve(const std::string& host, handler done) {
    if (stopped_) return;
    boost::system::error_code not_numeric;
    boost::asio::ip::make_address(host, not_numeric);
    if (!not_numeric) return done({host}, {});

    auto& known = entries_[host];
    if (known.addresses.empty()) {
        known.waiting.push_back(std::move(done));
        if (!known.under_way) refresh(host);
        return;
    }
    const auto answer = known.addresses;
    const bool stale = clock::now() - known.refreshed > time_to_live_;
    if (stale && !known.under_way) refresh(host);
    done(answer, {});
}

void resolver_cache::doubt(const std::string& host) {
    const auto known = entries_.find(host);
    if (stopped_ || known == entries_.end() || known->second.under_way) return;
    if (clock::now() - known->second.refreshed > doubt_spacing) refresh(host);
}

void resolver_cache::refresh(const std::string& host) {
    entries_[host].under_way = true;
    const auto done = [self = weak_from_this(), host](addresses found, const std::string& error) {
        if (const auto cache = self.lock(); cache && !cache->stopped_)
            cache->finish(host, std::move(found), error);
    };
    ask_ ? ask_(host, done) : ask_system(host, done);
}

void resolver_cache::ask_system(const std::string& host, handler done) {
    using results = boost::asio::ip::tcp::resolver::results_type;
    resolver_.async_resolve(
        host, "0", boost::asio::ip::resolver_base::numeric_service,
        [done = std::move(done)](const boost::system::error_code& error, const results& found) {
            addresses out;
            for (const auto& one : found)
                out.push_back(one.endpoint().address().to_string());
            done(std::move(out), error ? error.message() : std::string{});
        });
}

void resolver_cache::finish(const std::string& host, addresses found, const std::string& error) {
    addresses fresh;
    for (auto& one : found)
        if (std::ranges::find(fresh, one) == fresh.end() && fresh.size() < max_addresses)
            fresh.push_back(std::move(one));
    auto& known = entries_[host];
    known.under_way = false;
    known.refreshed = clock::now();
    // The same ones in another order keep what rotate() did.
    const bool news = !fresh.empty() && !std::ranges::is_permutation(fresh, known.addresses);
    const bool changed = news && !known.addresses.empty();
    if (news) known.addresses = std::move(fresh);
    const auto answer = known.addresses;
    for (auto& done : std::exchange(known.waiting, {}))
        done(answer, error);
    if (changed && observer_ && !stopped_) observer_(host, answer);
}

void resolver_cache::rotate(const std::string& host) {
    const auto known = entries_.find(host);
    if (known == entries_.end() || known->second.addresses.size() < 2) return;
    auto& list = known->second.addresses;
    std::ranges::rotate(list, list.begin() + 1);
}

void resolver_cache::stop() {
    stopped_ = true;
    resolver_.cancel();
    entries_.clear();
    observer_ = {};
}

}  // namespace howdah::monitor
