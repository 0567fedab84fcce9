#pragma once
#include <functional>
#include <vector>

#include "proxy/rules/rule_hits.hpp"
#include "proxy/statistics/digest_statistics.hpp"

namespace howdah::proxy {

class worker;

// What all workers have counted, added up. Each worker copies its own when it gets round to it;
// `done` is called once, on the thread of the worker that was last. Workers that run; any thread.

/// `reset`: each begins anew with its copy, so that nothing is counted twice or lost.
void collect_digests(const std::vector<worker*>& workers, bool reset,
                     std::function<void(digest_report)> done);
/// In the order of the rules' ids. Workers that have different rules at the moment (a reload is
/// under way) are added up by id.
void collect_rule_hits(const std::vector<worker*>& workers,
                       std::function<void(std::vector<rule_hits::row>)> done);

}  // namespace howdah::proxy
