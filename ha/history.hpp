#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ha/notes.hpp"

namespace howdah::ha {

/// A problem began.
struct detection {
    std::int64_t id = 0;  ///< given by the store
    std::string cluster;
    std::string alias;
    std::string problem;  ///< its name in problem_table(): "DeadPrimary"
    endpoint server;      ///< the server in trouble; empty host: the cluster
    unix_us at = 0;
    std::string sentence;
    std::int64_t recovery_id = 0;  ///< 0: none followed

    bool operator==(const detection&) const = default;
};

/// Something that was carried out, or tried.
struct recovery {
    std::int64_t id = 0;  ///< given by the store
    std::string uid;      ///< never given twice, also by another Howdah
    std::string kind;     ///< "failover", "switchover", "rewire", "rejoin", "fence", "unfence"
    std::string cluster;
    std::string alias;
    std::string problem;  ///< name of the diagnosis that it answers; "" = planned
    endpoint failed;      ///< the server that was to be replaced, or that it is about
    std::optional<endpoint> successor;
    std::uint64_t epoch = 0;  ///< the one that began with it; 0 = none
    bool automatic = false;
    std::string ordered_by;  ///< "" = Howdah itself
    unix_us started_at = 0;
    unix_us writable_at = 0;  ///< when writers could go on; 0 = not
    unix_us ended_at = 0;     ///< 0: it is under way
    bool successful = false;
    std::string sentence;                     ///< how it ended, or what it does
    std::optional<std::uint64_t> loss_bytes;  ///< upper bound of lost WAL; none: unknown
    std::vector<endpoint> lost;               ///< standbys that could not be taken along
    std::vector<endpoint> participants;       ///< the cluster's servers when it began
    bool acknowledged = false;
    std::string acknowledged_by;
    std::string acknowledge_comment;
    unix_us acknowledged_at = 0;

    bool operator==(const recovery&) const = default;
};

/// One step of a recovery, as it ended.
struct recovery_step {
    std::int64_t id = 0;  ///< given by the store
    std::int64_t recovery_id = 0;
    std::string recovery_uid;
    unix_us at = 0;
    std::int64_t took_us = 0;
    std::string server;   ///< its name; "" = Howdah
    std::string what;     ///< the step's sentence
    std::string outcome;  ///< "done", "already", "failed", "undone", "unknown"
    std::string detail;   ///< the error, or the SQL without passwords

    bool operator==(const recovery_step&) const = default;
};

/// Something that somebody ordered, or that Howdah did.
struct audit_entry {
    std::int64_t id = 0;  ///< given by the store
    unix_us at = 0;
    std::string type;  ///< "recover", "begin-downtime", "ack", "mode", ...
    endpoint server;   ///< empty host: none
    std::string cluster;
    std::string by;
    std::string message;

    bool operator==(const audit_entry&) const = default;
};

/// Which rows of the history are wanted: all that is set has to match. Newest first.
struct history_filter {
    std::optional<std::int64_t> id;
    std::string uid;
    std::string cluster;
    std::string alias;
    std::optional<endpoint> server;  ///< recovery::failed or successor, detection::server
    bool only_unacknowledged = false;
    bool only_active = false;  ///< recoveries under way
    unix_us since = 0;
    std::size_t offset = 0;
    std::size_t limit = 0;  ///< 0: all
};

}  // namespace howdah::ha
