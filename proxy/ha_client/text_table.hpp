#pragma once
#include <optional>
#include <string>
#include <vector>

namespace howdah::proxy::ha_client {

/// An answer as text; nullopt is NULL.
struct answer {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
};

/// One line per row below the names, columns under each other; NULL is blank. Columns that are NULL
/// in every row are left out.
[[nodiscard]] std::string as_table(const answer& what);
/// One line per value, "name  value"; NULL is left out.
[[nodiscard]] std::string as_facts(const answer& what);
/// The first column, a line per row, as it is.
[[nodiscard]] std::string as_lines(const answer& what);

/// On one line, and without what would move the cursor of a terminal.
[[nodiscard]] std::string printable(const std::string& text);

}  // namespace howdah::proxy::ha_client
