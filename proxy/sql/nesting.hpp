#pragma once

#include <cstddef>
#include <string_view>

namespace howdah::proxy::sql {

/// An upper bound on the depth of the statement's syntax tree, from its tokens alone: brackets
/// nest, and so do chains of operators and keywords; commas, AND, OR and the words that begin a
/// clause only make lists longer. Stops counting soon after `enough`. Allocates at most one small
/// vector.
[[nodiscard]] std::size_t nesting_bound(std::string_view sql, std::size_t enough);

}  // namespace howdah::proxy::sql
