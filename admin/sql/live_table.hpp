#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/value.hpp"

struct sqlite3;

namespace howdah::admin {

/// A column of a live table, with its line in the documentation.
struct live_column {
    std::string_view name;
    column_type type;
    std::string_view doc;
};

/// A table whose rows are made when somebody asks for them. Any SELECT, join and aggregate works
/// on it; it cannot be written to.
struct live_table {
    std::string_view schema;  ///< "main", "stats", "monitor", "pg_catalog", ...
    std::string_view name;
    std::string_view doc;
    std::vector<live_column> columns;
    /// A copy of what there is now, one value per column. Called on an admin thread, at most once
    /// per statement and table; may block for a moment. Throws std::runtime_error with the reason
    /// where there is no answer.
    std::function<std::vector<row>()> rows;
};

/// Numbers the statements of one connection: within one, a live table always shows the same rows.
struct statement_clock {
    std::uint64_t now = 0;
};

/// Makes the tables known to a connection; tables outside "main" need their schema attached.
/// `tables` and `clock` must outlive the connection. Throws std::runtime_error.
void attach_live_tables(sqlite3* db, const std::vector<live_table>& tables,
                        const statement_clock& clock);

}  // namespace howdah::admin
