#pragma once

#include <string>
#include <string_view>

#include "proxy/sql/traits.hpp"

struct PgQuery__VariableSetStmt;
struct PgQuery__SelectStmt;

namespace howdah::proxy::sql {

/// `'x'` with quotes doubled; with a backslash inside, an E'' string, which means the same whatever
/// standard_conforming_strings is.
[[nodiscard]] std::string quote_literal(std::string_view s);

/// Adds what a top-level SET or RESET does to settings, pins and sets_transaction_mode.
void add_set(const PgQuery__VariableSetStmt& s, traits& out);

/// SELECT set_config('name', 'value', local): if the SELECT is nothing but such calls with constant
/// arguments, adds them to settings and returns true.
[[nodiscard]] bool add_set_config(const PgQuery__SelectStmt& s, traits& out);

}  // namespace howdah::proxy::sql
