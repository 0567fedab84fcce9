#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ha/facts.hpp"
#include "ha/record.hpp"
#include "ha/timeline.hpp"

namespace howdah::ha {

/// Orchestrator's promotion rules.
enum class promotion_rule : std::uint8_t { must, prefer, neutral, prefer_not, must_not };
[[nodiscard]] std::string_view to_string(promotion_rule rule) noexcept;
[[nodiscard]] std::optional<promotion_rule> parse_promotion_rule(std::string_view text) noexcept;

/// Somebody works on the server: nothing is done about it, and it is not promoted.
struct downtime {
    std::string owner;
    std::string reason;
    time_us until_us = 0;

    bool operator==(const downtime&) const = default;
};

/// What the operator says about a server.
struct server_config {
    endpoint at;
    std::string name;                    ///< for people and slots; "" = host:port
    std::vector<endpoint> also_known_as; /**< further names of the same server */
    /// How standbys reach it, if not by `at`: goes into their primary_conninfo.
    std::optional<endpoint> replication_address;
    promotion_rule rule = promotion_rule::neutral;
    std::string data_center;
    std::map<std::string, std::string> tags;
    std::optional<downtime> down;

    bool operator==(const server_config&) const = default;
};

/// A cluster as configured: one pair of hostgroups.
struct cluster_config {
    std::string name;  ///< stable; "" = host:port of the first server
    std::string alias;
    int writer_hostgroup = 0;
    std::vector<server_config> servers;
};

/// One server in its place.
struct server {
    server_config config;
    server_facts facts;
    std::vector<endpoint> names;  ///< all it is known by, `config.at` first
    /// The facts are of now: it is up and was read a moment ago. All else is memory.
    bool current = false;
    bool foreign = false;  ///< its system identifier is known and not the cluster's
    bool downtimed = false;
    /// Manages it beside Howdah; none: nobody, or only who is ignored.
    std::optional<found_manager> manager;

    std::optional<std::size_t> upstream;  ///< index of the server that it streams or would from
    std::string upstream_text;            ///< host:port of it, also where that is no known server
    std::vector<std::size_t> downstream;
    unsigned depth = 0;  ///< 0: no upstream

    [[nodiscard]] const endpoint& at() const { return config.at; }
    [[nodiscard]] bool is(const endpoint& name) const;
    /// `config.name`, or host:port.
    [[nodiscard]] std::string name() const;
    /// The application_name by which its upstream knows it: from primary_conninfo, else
    /// cluster_name, else "walreceiver".
    [[nodiscard]] std::string replication_name() const;
    /// Where its standbys find it.
    [[nodiscard]] const endpoint& replicate_from() const {
        return config.replication_address ? *config.replication_address : config.at;
    }
    /// The ancestors of its timeline, where known.
    [[nodiscard]] std::optional<timeline_history> history() const;
    /// It accepts writes, seen just now.
    [[nodiscard]] bool writable() const { return current && !facts.in_recovery.value_or(true); }
    /// It is a standby, seen just now.
    [[nodiscard]] bool standing_by() const { return current && facts.in_recovery.value_or(false); }
};

/// The servers of one system identifier at one moment. A value that nothing else is needed for.
struct cluster {
    std::string name;
    std::string alias;
    int writer_hostgroup = 0;  ///< 0: not configured
    std::uint64_t system_identifier = 0;
    std::vector<server> servers;               ///< as configured, then as discovered
    std::vector<std::string> unknown_senders;  ///< application_names of standbys not listed here
    time_us now_us = 0;

    [[nodiscard]] std::optional<std::size_t> find(const endpoint& at) const;
    /// Why Howdah only observes, where another program manages one of the servers; else "".
    [[nodiscard]] std::string managed_by_another() const;
};

/// A server that is not configured and that a configured one names.
struct discovered_server {
    endpoint at;
    std::string cluster;
    std::string how;  ///< "primary_conninfo of pg2", "pg_stat_replication of pg1, port unknown"

    bool operator==(const discovered_server&) const = default;
};

struct topology {
    std::vector<cluster> clusters;
    std::vector<discovered_server> discovered;

    /// By cluster name, alias, host:port of any member, or bare host of one; nullptr if there is
    /// none, or the bare host is of two clusters.
    [[nodiscard]] const cluster* find(std::string_view hint) const;
};

/// Addresses of host names, as resolved by whoever reads the servers. Names that are not here are
/// compared as they are.
using address_book = std::map<std::string, std::set<std::string>>;

struct topology_input {
    std::vector<cluster_config> clusters;
    std::map<endpoint, server_facts> facts;
    std::map<std::string, cluster_record> records;  ///< by cluster name
    address_book addresses;
    time_us now_us = 0;
    time_us stale_after_us = 5'000'000;           ///< facts older than this are memory
    std::vector<std::string> ignored_managers{};  ///< see manager_in_charge()
};

/// Two entries that are one server: same cluster, same start of the postmaster to the microsecond,
/// same port and data directory as far as they are known.
[[nodiscard]] bool same_instance(const server_facts& a, const server_facts& b);

/// Puts every server into its cluster and below its upstream. A server whose facts are under an
/// endpoint that no cluster configures joins the one of its system identifier, or forms one.
[[nodiscard]] topology build_topology(const topology_input& input);

}  // namespace howdah::ha
