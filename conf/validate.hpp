#pragma once
#include "conf/document.hpp"

namespace howdah::conf {

/// Fills in passwords that are not in the configuration from `variables.passfile`: the monitor's,
/// and those of users without one.
void apply_passfile(document& config, problem_list& problems);

/// Checks what depends on more than one value, and that the files named by variables are readable.
void validate(const document& config, problem_list& problems);

}  // namespace howdah::conf
