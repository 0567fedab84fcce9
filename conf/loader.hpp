#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.hpp"
#include "conf/settings.hpp"

namespace howdah::conf {

struct load_result {
    std::shared_ptr<const settings> value;  ///< Null if there are errors.
    std::vector<diagnostic> errors;         ///< In the order of the lines.
    std::vector<diagnostic> warnings;       ///< In the order of the lines.
};

/// Reads and checks a configuration (YAML, at most 16 MiB). Follows `${NAME}` and {file: path}, and
/// reads `variables.passfile`; touches nothing else. Thread-safe as long as nobody changes the
/// environment. Does not throw for anything that a file can contain.
[[nodiscard]] load_result load_file(const std::string& path);

/// As load_file, for text that is already in memory; `name` stands for the file in messages.
[[nodiscard]] load_result load_text(std::string_view text, const std::string& name);

/// Checks settings that come from elsewhere than a file, and reads `variables.passfile` for them.
/// The diagnostics have no line.
[[nodiscard]] load_result accept(settings made);

}  // namespace howdah::conf
