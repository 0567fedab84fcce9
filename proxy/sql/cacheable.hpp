#pragma once
#include "proxy/sql/functions.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {

/// A statement whose result may be kept and given to whoever asks for the same a moment later: one
/// SELECT (or VALUES, TABLE) that is provably read-only and calls nothing but functions that the
/// catalogue knows as immutable or stable, and none that tells about one connection, backend or
/// transaction. By grammar alone, as traits: views and function bodies are not looked into.
[[nodiscard]] bool same_result_again(const traits& t, const function_catalog& catalog);

}  // namespace howdah::proxy::sql
