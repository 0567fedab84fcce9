#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/text.hpp"

// PostgreSQL's types where a statement casts to them, and what SQLite does instead.
namespace howdah::admin {

/// A type as it is written behind "::" or AS.
struct type_name {
    std::string name;  ///< without its schema and its size, in lower case
    bool qualified = false;
    bool array = false;
    std::size_t end = 0;  ///< the token behind it
};

/// What a cast becomes: a function, or CAST to a type of SQLite's; neither: the operand itself.
struct cast_form {
    std::string_view function = {};
    std::string_view to = {};
};

[[nodiscard]] cast_form form_of(const type_name& type);

/// The type that is written from the i-th token on; nothing: there is none.
[[nodiscard]] std::optional<type_name> type_at(const std::vector<token>& tokens, std::size_t i);

[[nodiscard]] bool is_name(const token& t);

using word_set = std::set<std::string, std::less<>>;

/// A word behind which an operand begins.
[[nodiscard]] bool is_keyword(const token& t);

}  // namespace howdah::admin
