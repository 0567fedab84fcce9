#include "admin/sql/value.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace howdah::admin {

std::string to_text(const value& v) {
    if (const auto* integer = std::get_if<std::int64_t>(&v)) return std::to_string(*integer);
    if (const auto* text = std::get_if<std::string>(&v)) return *text;
    if (const auto* real = std::get_if<double>(&v)) {
        if (std::isnan(*real)) return "NaN";
        if (std::isinf(*real)) return *real > 0 ? "Infinity" : "-Infinity";
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *real);
        return {digits.data(), end.ptr};
    }
    return {};
}

column_type type_of(const value& v) {
    if (std::holds_alternative<std::int64_t>(v)) return column_type::integer;
    if (std::holds_alternative<double>(v)) return column_type::real;
    return column_type::text;
}

}  // namespace howdah::admin
