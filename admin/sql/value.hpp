#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace howdah::admin {

/// One value of a table: NULL, a number or text.
using value = std::variant<std::monostate, std::int64_t, double, std::string>;
using row = std::vector<value>;

/// What a column holds; to clients int8, float8, text and bool, whose values are 0 and 1.
enum class column_type : std::uint8_t { integer, real, text, boolean };

/// A column of a table or of a result.
struct column {
    std::string name;
    column_type type = column_type::text;
};

/// As PostgreSQL writes it in text format; NULL: empty.
[[nodiscard]] std::string to_text(const value& v);

/// The type of a column that holds such values; text for NULL.
[[nodiscard]] column_type type_of(const value& v);

}  // namespace howdah::admin
