#pragma once

namespace howdah::proxy {

/// Parses the command line and does what it says: serve, check or print. Exit codes: 0 done or
/// stopped as asked, 1 the configuration or the system does not allow it (one line per problem on
/// standard error), other values: wrong usage.
[[nodiscard]] int run_command_line(int argc, char** argv);

}  // namespace howdah::proxy
