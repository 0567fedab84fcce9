#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace howdah::admin::pgbouncer {

/// "key=value key='va''lue'" as in the sections databases, users and peers: blanks around '=' are
/// allowed, a quote inside quotes is doubled (libpq would have a backslash). In order; nothing if
/// it is malformed, which includes empty values.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_connect_string(
    std::string_view text);

}  // namespace howdah::admin::pgbouncer
