#pragma once
#include "conf/document.hpp"

namespace howdah::conf {

/// Checks hba_rules and user_maps beyond what one value says: columns that need each other, TLS
/// that is not configured, maps that are not there.
void validate_hba(const document& config, problem_list& problems);

}  // namespace howdah::conf
