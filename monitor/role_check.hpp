#pragma once
#include <libpq-fe.h>

#include <cstdint>

#include "monitor/observation.hpp"

namespace howdah::monitor {

/// How much the read_only check asks. `basic` needs no privilege beyond a login.
enum class role_check_level : std::uint8_t { full, basic };

/// One statement, one row. Works on primaries and standbys of PostgreSQL 13 and later.
[[nodiscard]] const char* role_check_sql(role_check_level level);

/// Puts the answer into `seen`: everything on `full`, only the role on `basic`. False: not the
/// row that was asked for; `seen` is unchanged.
[[nodiscard]] bool read_role_check(const PGresult* answer, observation& seen);

}  // namespace howdah::monitor
