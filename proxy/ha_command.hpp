#pragma once
#include "conf/settings.hpp"
#include "proxy/ha_client/request.hpp"

namespace howdah::proxy {

/// `howdah ha ...`: looks at every server of the replication hostgroups once,
/// changes nothing, and prints what `ha/` makes of it on standard output.
/// `asked.what`: "topology", "check" (would a failover work now), "why" (what
/// is wrong, and what follows) or "failover" (what would be done, as a plan,
/// with the candidate and the losses that were asked for); of `asked.subject`,
/// or all. Logs in as the monitor does. Exit codes: 0 done, for `check`: every
/// cluster is ready; 1 not ready, or there is nothing to look at. Runs an event
/// loop of its own until all is read.
[[nodiscard]] int run_ha_command(const conf::settings& settings, const ha_client::request& asked);

}  // namespace howdah::proxy
