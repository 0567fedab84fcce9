#pragma once
#include <optional>
#include <vector>

#include "admin/config/config_table.hpp"
#include "admin/sql/value.hpp"
#include "conf/settings.hpp"

namespace howdah::admin {

/// One layer's say about a module; null: it has none (the module was never saved to DISK).
struct layers_compared {
    const conf::settings* config = nullptr;
    const conf::settings* disk = nullptr;
    const conf::settings* runtime = nullptr;
};

/// Where layers that have a say about a table differ: module, table, key of the row, column, and
/// the values in CONFIG, DISK and RUNTIME. A row that a layer has not, or has alone, has no column
/// and "there" for the layers that have it. Secrets are not shown. Pure.
[[nodiscard]] std::vector<row> drift_of(const config_table& table, const layers_compared& layers);

/// The columns that tell the rows of a table apart.
[[nodiscard]] std::vector<std::size_t> key_columns(const config_table& table);

}  // namespace howdah::admin
