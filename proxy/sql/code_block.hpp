#pragma once

#include <string_view>

namespace howdah::proxy::sql {

/// Whether the body of a DO block seems to leave session state behind: CREATE TEMP, session
/// advisory locks, set_config, SET at the start of a statement, LISTEN, LOAD, PREPARE and so on, by
/// its words alone, also inside string literals (for EXECUTE). Errs on the side of yes.
[[nodiscard]] bool seems_to_create_session_state(std::string_view body);

}  // namespace howdah::proxy::sql
