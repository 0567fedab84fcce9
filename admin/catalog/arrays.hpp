#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/value.hpp"

// Arrays, which SQLite does not have, as the text that PostgreSQL shows: {a,"b c",NULL}, and its
// vectors of numbers: 1 2.
namespace howdah::admin {

using array_elements = std::vector<std::optional<std::string>>;

/// Of text in either form.
[[nodiscard]] array_elements elements_of(std::string_view text);
/// Vectors count from 0, arrays from 1.
[[nodiscard]] bool counts_from_zero(std::string_view text);
[[nodiscard]] std::string array_text(const array_elements& elements);
/// [1, "b c", null]: elements that are numbers are numbers.
[[nodiscard]] std::string array_json(const array_elements& elements);
/// An element as a value of SQL: a number where it is one.
[[nodiscard]] value element_value(const std::optional<std::string>& element);

}  // namespace howdah::admin
