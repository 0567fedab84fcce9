#pragma once
#include <string>
#include <string_view>

namespace howdah::conf {

/// One problem in a configuration file, in one line. Never contains a secret.
struct diagnostic {
    std::string file;
    int line = 0;  ///< From 1; 0 = the file as a whole.
    std::string message;

    /// "file:line: message", or "file: message".
    std::string to_string() const;
    bool operator==(const diagnostic&) const = default;
};

/// Text from a file in single quotes, fit for one line: control characters replaced, long text cut.
std::string quoted(std::string_view text);

}  // namespace howdah::conf
