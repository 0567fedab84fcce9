#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {

/// The command of a statement for statistics: "SELECT", "CREATE_TABLE", "UNKNOWN". An index into
/// command_names().
using command_kind = std::uint16_t;

/// All of them, each once; the names are those of stats_pgsql_commands_counters.
[[nodiscard]] std::span<const std::string> command_names();

/// From the normalised text (digest_text) of a statement string; of several statements the first
/// counts. `first` tells what stands behind WITH. By words alone, so that a statement that
/// PostgreSQL would refuse has a name, too. Thread-safe.
[[nodiscard]] command_kind command_of(std::string_view text, verb first);

}  // namespace howdah::proxy::sql
