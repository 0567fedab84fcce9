#pragma once
#include <vector>

#include "admin/sql/command.hpp"

namespace howdah::admin {

/// IMPORT PGBOUNCER CONFIG, which puts what a pgbouncer.ini means into MEMORY as a whole, and SHOW
/// PGBOUNCER SETTINGS, which tells what becomes of each setting. The files are read by this
/// process, with its rights.
[[nodiscard]] std::vector<command> import_commands();

}  // namespace howdah::admin
