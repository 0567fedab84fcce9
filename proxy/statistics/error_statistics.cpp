#include "proxy/statistics/error_statistics.hpp"

#include <algorithm>
#include <utility>

namespace howdah::proxy {

void error_statistics::record(const error_key& key, std::string_view client_address,
                              std::string_view message, std::int64_t now) {
    auto row = kept_.rows.find(key);
    if (row == kept_.rows.end()) {
        if (kept_.rows.size() >= capacity) {
            ++kept_.dropped;
            return;
        }
        row = kept_.rows.emplace(key, error_counts{}).first;
        row->second.first_seen = now;
    }
    error_counts& n = row->second;
    ++n.count;
    n.last_seen = now;
    n.client_address = client_address;
    n.message = message.substr(0, longest_message);
}

error_report error_statistics::take() {
    return std::exchange(kept_, {});
}

error_report merge(const std::vector<error_report>& reports) {
    error_report all;
    for (const error_report& report : reports) {
        all.dropped += report.dropped;
        for (const auto& [key, n] : report.rows) {
            const auto [row, fresh] = all.rows.try_emplace(key, n);
            if (fresh) continue;
            error_counts& sum = row->second;
            sum.count += n.count;
            sum.first_seen = std::min(sum.first_seen, n.first_seen);
            if (n.last_seen < sum.last_seen) continue;
            sum.last_seen = n.last_seen;
            sum.client_address = n.client_address;
            sum.message = n.message;
        }
    }
    return all;
}

}  // namespace howdah::proxy
