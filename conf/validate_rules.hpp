#pragma once
#include <set>

#include "conf/document.hpp"

namespace howdah::conf {

/// Checks query rules, fast routing and the firewall's lists beyond what one value says: keys,
/// columns that need each other, hostgroups that are not `known`, flags that lead nowhere, columns
/// that have no effect. Regular expressions are the router's to compile.
void validate_rules(const document& config, const std::set<int>& known, problem_list& problems);

}  // namespace howdah::conf
