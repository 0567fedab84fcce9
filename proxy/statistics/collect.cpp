#include "proxy/statistics/collect.hpp"

#include <map>

#include "proxy/gather.hpp"

namespace howdah::proxy {

digest_report collect_digests(const process& shared, bool reset) {
    return merge(gather_by<digest_report>(
        shared, [reset](worker& w, auto done) { w.read_digests(reset, std::move(done)); }));
}

std::vector<rule_hits::row> collect_rule_hits(const process& shared) {
    std::map<int, std::uint64_t> hits;
    for (const rule_hits::row& row : gather_all(shared, &worker::read_rule_hits))
        hits[row.rule_id] += row.hits;
    std::vector<rule_hits::row> sums;
    for (const auto& [id, count] : hits)
        sums.push_back({id, count});
    return sums;
}

}  // namespace howdah::proxy
