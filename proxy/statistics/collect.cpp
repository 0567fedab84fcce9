#include "proxy/statistics/collect.hpp"

#include <map>

#include "proxy/gather.hpp"

namespace howdah::proxy {

digest_report collect_digests(const process& shared, bool reset) {
    return merge(
        gather(shared, [reset](worker& w) { return reset ? w.digests.take() : w.digests.read(); }));
}

error_report collect_errors(const process& shared, bool reset) {
    return merge(
        gather(shared, [reset](worker& w) { return reset ? w.errors.take() : w.errors.read(); }));
}

command_statistics collect_commands(const process& shared) {
    command_statistics sum;
    for (const command_statistics& one : gather(shared, [](worker& w) { return w.commands; }))
        add(sum, one);
    return sum;
}

server_statistics collect_servers(const process& shared, bool reset) {
    server_statistics sum;
    for (const server_statistics& one : gather(shared, [reset](worker& w) {
             return reset ? w.server_traffic.take() : w.server_traffic;
         }))
        sum.add(one);
    return sum;
}

duration_counts collect_waits(const process& shared) {
    duration_counts sum;
    for (const duration_counts& one : gather(shared, [](worker& w) { return w.waits; }))
        sum.add(one);
    return sum;
}

std::vector<rule_hits::row> collect_rule_hits(const process& shared) {
    std::map<int, std::uint64_t> hits;
    for (const rule_hits::row& row :
         joined(gather(shared, [](worker& w) { return w.hits.read(w.now->rules); })))
        hits[row.rule_id] += row.hits;
    std::vector<rule_hits::row> sums;
    for (const auto& [id, count] : hits)
        sums.push_back({id, count});
    return sums;
}

}  // namespace howdah::proxy
