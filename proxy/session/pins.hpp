#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// After such a statement a cause of a pin may be there no longer, or may never have been: ask.
[[nodiscard]] bool may_end_pins(const sql::traits& t);

/// The reasons among `pins` of which the server can say whether they still hold.
[[nodiscard]] std::uint16_t verifiable(std::uint16_t pins);

/// A query for one row with one number: those of `pins` that still hold. `pins` is verifiable and
/// not 0.
[[nodiscard]] std::string pin_check(std::uint16_t pins);

/// The number in the answer's DataRow; nothing where there is none.
[[nodiscard]] std::optional<std::uint16_t> pins_in(std::string_view data_row);

}  // namespace howdah::proxy
