#pragma once
#include <memory>
#include <vector>

#include "admin/catalog/catalog.hpp"
#include "admin/sql/live_table.hpp"

namespace howdah::admin {

/// The schemas pg_catalog and information_schema as far as clients ask for them. What the
/// administration does not have (triggers, publications, ...) is a table without rows.
/// `others` are the other live tables: pg_stat_activity is made from stats_pgsql_stat_activity.
[[nodiscard]] std::vector<live_table> catalog_tables(const std::shared_ptr<const catalog>& all,
                                                     const std::vector<live_table>& others);

}  // namespace howdah::admin
