#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::monitor {

/// Runtime status of a server in a hostgroup; the words and their meaning are ProxySQL's.
enum class status : std::uint8_t {
    online,        ///< takes queries
    shunned,       ///< no new work: dead, not ready, or kept out to avoid a second writer
    offline_soft,  ///< by the operator: no new work, transactions under way may finish
    offline_hard,  ///< by the operator: as if it were not configured
    shunned_replication_lag,  ///< a reader further behind than its max_replication_lag
};

/// "ONLINE", "SHUNNED", "OFFLINE_SOFT", "OFFLINE_HARD", "SHUNNED_REPLICATION_LAG".
[[nodiscard]] std::string_view to_string(status value) noexcept;

/// Where a PostgreSQL server listens. `host` is a name, an address, or (starting with '/') the
/// directory of its unix socket.
struct endpoint {
    std::string host;
    std::uint16_t port = 5432;

    auto operator<=>(const endpoint&) const = default;
};

/// "host:port"; IPv6 addresses in brackets.
[[nodiscard]] std::string to_string(const endpoint& at);

/// One server as it stands in one hostgroup. A server can be a member of several.
struct member {
    int hostgroup = 0;
    endpoint at;
    status state = status::online;
    std::uint32_t weight = 1;
    std::uint32_t max_connections = 0;
    std::uint32_t max_replication_lag = 0;  ///< seconds, 0 = no limit
    int use_ssl = 0;
    std::uint32_t max_latency_ms = 0;  ///< 0 = no limit
    bool slow = false;  ///< its recent pings took longer than max_latency_ms: prefer others
    std::string comment;
    /// Percent of its weight that it gets: less than 100 while it is let in slowly.
    std::uint32_t share = 100;
    /// It may be read from although it is behind its max_replication_lag: all are, and
    /// monitor_all_readers_lagging is stale.
    bool stale_allowed = false;
    /// Why it is not online; empty if it is.
    std::string reason{};
    /// The address that the monitor has found to be this server, where `at` has a name.
    std::string address{};
    /// It is shunned only because more than max_num_online_servers would be online.
    bool overfull = false;

    /// Whether it takes new work.
    [[nodiscard]] bool serves() const noexcept {
        return state == status::online ||
               (state == status::shunned_replication_lag && stale_allowed);
    }
    bool operator==(const member&) const = default;
};

/// A writer hostgroup and the reader hostgroup that belongs to it.
struct hostgroup_pair {
    int writer = 0;
    int reader = 0;

    bool operator==(const hostgroup_pair&) const = default;
};

/// A writer hostgroup in which a failover or switchover is under way, and what it is: a clause
/// ("a failover of main is under way").
struct held_hostgroup {
    int hostgroup = 0;
    std::string why;

    bool operator==(const held_hostgroup&) const = default;
};

/// Which server stands where, right now. Immutable: the monitor publishes a new one, as
/// `shared_ptr<const hostgroups>`, at each change; every worker keeps its own pointer to it.
struct hostgroups {
    std::uint64_t version = 0;    ///< grows with every published snapshot
    bool settled = false;         ///< every server's first check has ended; true without monitor
    std::vector<member> members;  ///< sorted by hostgroup, then endpoint
    std::vector<hostgroup_pair> pairs;  ///< as configured
    std::vector<int> known;             ///< configured hostgroups, also empty ones; sorted
    /// Reader hostgroups whose reads fail: every reader is behind its max_replication_lag, and
    /// monitor_all_readers_lagging is error. Sorted.
    std::vector<int> refusing;
    /// Writer hostgroups of pairs in which several servers say that they are primaries; sorted.
    std::vector<int> split;
    /// Writer hostgroups whose new statements wait, whether or not a member is online; sorted.
    std::vector<held_hostgroup> held{};

    /// All members of a hostgroup, whatever their status. Valid as long as the snapshot is.
    [[nodiscard]] std::span<const member> in(int hostgroup) const noexcept;

    /// The server's membership in that hostgroup, or nullptr.
    [[nodiscard]] const member* find(int hostgroup, const endpoint& at) const noexcept;

    /// True where at least one member of the hostgroup takes new work.
    [[nodiscard]] bool any_online(int hostgroup) const noexcept;

    [[nodiscard]] std::optional<int> reader_of(int writer_hostgroup) const noexcept;
    [[nodiscard]] std::optional<int> writer_of(int reader_hostgroup) const noexcept;
    /// True for the writer hostgroup of a pair.
    [[nodiscard]] bool is_writer(int hostgroup) const noexcept;
    /// True for every hostgroup that the configuration names, whether or not it has members now.
    [[nodiscard]] bool exists(int hostgroup) const noexcept;

    /// Reads of this reader hostgroup fail at once.
    [[nodiscard]] bool refuses(int hostgroup) const noexcept;

    /// What its new statements wait for; nullptr: it is not held. Valid as long as the snapshot is.
    [[nodiscard]] const std::string* held_because(int hostgroup) const noexcept;

    /// Same content, whatever the version.
    [[nodiscard]] bool same_as(const hostgroups& other) const noexcept;
};

}  // namespace howdah::monitor
