#pragma once
#include <vector>

#include "admin/sql/live_table.hpp"

namespace howdah::admin {

struct sql_environment;

/// howdah_commands and howdah_columns: what there is, for HELP, for the reference pages and for
/// those who look. `all` must outlive them and is read when somebody asks.
[[nodiscard]] std::vector<live_table> registry_tables(const sql_environment& all);

}  // namespace howdah::admin
