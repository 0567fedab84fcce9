#pragma once
#include "conf/settings.hpp"

namespace howdah::proxy {

/// Sends spdlog's default logger where the configuration says: standard error or a file, text or
/// one JSON object per line. Throws spdlog::spdlog_ex if the file cannot be opened. Also the place
/// that reopens the file on SIGHUP, after logrotate moved it.
void set_up_logging(const conf::variables& vars);

}  // namespace howdah::proxy
