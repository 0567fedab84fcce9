#pragma once
#include <string>
#include <string_view>

namespace howdah::admin {

/// A statement of PostgreSQL's dialect in SQLite's, as far as PostgreSQL's clients need it for
/// their own queries: casts, operators by name and of regular expressions, arrays as functions over
/// their text form, string constants, values such as current_user. Token by token, without
/// knowledge of tables; what it does not know stays as it is, and a statement of SQLite's stays
/// what it means. What SQLite would read otherwise (a backslash in LIKE, an array's subscript) is
/// translated only in statements that name something of PostgreSQL's catalogue (pg_...,
/// information_schema). The functions that it puts in are those of functions.hpp. Pure.
[[nodiscard]] std::string translated(std::string_view sql);

}  // namespace howdah::admin
