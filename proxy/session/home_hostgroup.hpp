#pragma once
#include "proxy/session/session.hpp"
#include "proxy/snapshot.hpp"

namespace howdah::proxy {

/// Where fast routing (with flag 0) sends the statements of a user in a database to other servers
/// than those of the user's default hostgroup, these are the client's home: it logs in there and
/// what nothing else sends anywhere goes there. The database may not exist anywhere else. A route
/// to the readers of a pair means the pair, and the home is its writer.
void settle(client_identity& who, const snapshot& now);

}  // namespace howdah::proxy
