#pragma once
#include <vector>

#include "proxy/rules/rule_hits.hpp"
#include "proxy/statistics/command_statistics.hpp"
#include "proxy/statistics/digest_statistics.hpp"
#include "proxy/statistics/error_statistics.hpp"
#include "proxy/statistics/server_statistics.hpp"

namespace howdah::proxy {

struct process;

// What all workers have counted, added up. Each worker copies its own when it gets round to it; the
// caller, who is none of them, waits. Throw std::runtime_error where one does not answer.

/// `reset`: each begins anew with its copy, so that nothing is counted twice or lost.
[[nodiscard]] digest_report collect_digests(const process& shared, bool reset);
[[nodiscard]] error_report collect_errors(const process& shared, bool reset);
[[nodiscard]] server_statistics collect_servers(const process& shared, bool reset);
[[nodiscard]] command_statistics collect_commands(const process& shared);
/// Of clients for server connections.
[[nodiscard]] duration_counts collect_waits(const process& shared);
/// In the order of the rules' ids. Workers that have different rules at the moment (a reload is
/// under way) are added up by id.
[[nodiscard]] std::vector<rule_hits::row> collect_rule_hits(const process& shared);

}  // namespace howdah::proxy
