#pragma once
#include "conf/settings.hpp"
#include "proxy/ha_client/request.hpp"

namespace howdah::proxy::ha_client {

/// Exit codes of `howdah ha`.
enum exit_code : int { done = 0, was_refused = 1, wrong_usage = 2, nobody_there = 3 };

/// Sends an order, or a question about the past, to the running Howdah and prints the answer.
/// `settings` is the configuration that was named, or nullptr. `failover` with `dry_run` looks at
/// the servers itself where no Howdah answers and there is a configuration.
[[nodiscard]] int run(const request& asked, const conf::settings* settings);

}  // namespace howdah::proxy::ha_client
