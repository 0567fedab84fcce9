#pragma once
#include <yaml-cpp/yaml.h>

#include "conf/document.hpp"

namespace howdah::conf {

/// Turns the top-level node of a configuration into values. Checks names, types and bounds of
/// every single value; what depends on several values is `validate`'s.
document read_document(const YAML::Node& root, problem_list& problems);

}  // namespace howdah::conf
