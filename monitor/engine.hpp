#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "monitor/hostgroups.hpp"
#include "monitor/observation.hpp"

namespace howdah::conf {
struct settings;
}

namespace howdah::monitor {

/// What HA has decided; stands above what is observed. Default: nothing decided. A pair
/// whose writer is ruled has no other, whatever the servers say that they are.
struct ruling {
    /// Writer hostgroup -> who writes there, and nobody else; an empty host: nobody may.
    std::map<int, endpoint> writers;
    std::set<endpoint> fenced;  ///< shunned wherever they stand
    /// Writer hostgroup of a pair -> what is under way there, as a clause for people ("a failover
    /// of main is under way"): until it is taken out, statements for it wait (hostgroups::held).
    std::map<int, std::string> held{};

    bool operator==(const ruling&) const = default;
};

/// Who last wrote in a pair, and in which history. A primary of an older timeline, or of another
/// cluster, is never let in after it.
struct incumbent {
    endpoint at;
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;

    bool operator==(const incumbent&) const = default;
};

/// A server that is reachable and still kept out, and why: one sentence for the log.
struct kept_out {
    endpoint at;
    std::string reason;

    bool operator==(const kept_out&) const = default;
};

struct composition {
    hostgroups groups;                    ///< version is left 0
    std::map<int, incumbent> incumbents;  ///< by writer hostgroup; pass to the next call
    std::vector<kept_out> conflicts;      ///< sorted by endpoint
};

/// The hostgroups that follow from configuration, observations and ruling. Pure.
///
/// A server configured in a pair stands where its observed role puts it: primary -> writer
/// hostgroup (and reader hostgroup with monitor_writer_is_also_reader), standby -> reader
/// hostgroup; never observed -> as configured. A server that is not up is shunned, in the reader
/// hostgroup. Of several primaries one writes: the ruling's, else the one on the newest timeline,
/// and of several on that one the one that wrote before, else the one configured as writer; the
/// others are shunned, and with them the standbys that follow an old timeline which one of them
/// still writes. Servers of another cluster than the last writer's are shunned; where nobody has
/// written yet, the cluster is that of most servers of the pair, else of the configured writer. A
/// standby that is late (`observation::lag`) is not read from, within
/// monitor_all_readers_lagging. A status that the operator configured stays. Outside pairs: as
/// configured. A hostgroup in which more servers would take work than its max_num_online_servers
/// has none that does. A server without a row for the hostgroup in which it stands has that
/// hostgroup's servers_defaults.
[[nodiscard]] composition compose(const conf::settings& settings,
                                  const std::map<endpoint, observation>& observed,
                                  const ruling& decision,
                                  const std::map<int, incumbent>& incumbents);

}  // namespace howdah::monitor
