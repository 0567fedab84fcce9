#pragma once
#include <string>

#include "conf/settings.hpp"

namespace howdah::conf {

/// What is printed in place of a secret.
inline constexpr const char* masked_secret = "********";

enum class secrets { masked, shown };

/// The settings as YAML that the loader reads back to the same settings, once masked secrets are
/// replaced by the real ones. Every variable is printed; of the records, what is not default.
std::string print_config(const settings& config, secrets how = secrets::masked);

}  // namespace howdah::conf
