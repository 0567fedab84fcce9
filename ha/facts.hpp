#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "monitor/hostgroups.hpp"
#include "monitor/wal_sampler.hpp"

namespace howdah::ha {

using monitor::endpoint;
using monitor::wal_position;

/// All times here are microseconds of one clock of ours that never jumps; 0 = never. Times that a
/// server measured are brought to it when they are read (now minus the age that the server states),
/// so that no server's clock is ever compared with another's.
using time_us = std::int64_t;

/// How a server looks from here.
enum class reachability : std::uint8_t {
    unknown,   ///< not looked at yet
    up,        ///< it answers our statements
    refusing,  ///< it is alive and does not let us in: password, TLS, 53300
    starting,  ///< it is alive and takes no sessions: 57P03
    dead       ///< refused, reset, or silent for longer than the limit
};

/// The row of pg_stat_wal_receiver.
struct wal_receiver {
    bool streaming = false;
    std::string sender_host;
    std::uint16_t sender_port = 5432;
    std::string slot;
    std::uint32_t timeline = 0;   ///< received_tli
    time_us last_message_us = 0;  ///< last_msg_receipt_time

    bool operator==(const wal_receiver&) const = default;
};

/// A row of pg_stat_replication.
struct wal_sender {
    std::string application_name;
    std::string client_address;
    bool streaming = false;  ///< state = 'streaming', and not a base backup or logical
    std::uint64_t flush_lsn = 0;
    std::string sync_state;  ///< "async", "potential", "sync", "quorum"

    bool operator==(const wal_sender&) const = default;
};

/// A row of pg_replication_slots.
struct replication_slot {
    std::string name;
    bool physical = true;
    bool active = false;
    std::string wal_status;  ///< "reserved", "extended", "unreserved", "lost", ""

    bool operator==(const replication_slot&) const = default;
};

/// What our role may do there, and what only a superuser may.
struct privileges {
    bool promote = false;         ///< EXECUTE on pg_promote
    bool reload = false;          ///< EXECUTE on pg_reload_conf
    bool alter_conninfo = false;  ///< ALTER SYSTEM primary_conninfo and primary_slot_name
    bool alter_sync = false;      ///< ALTER SYSTEM synchronous_standby_names
    bool alter_fence = false;     ///< ALTER SYSTEM default_transaction_read_only
    bool alter_timeout = false;   ///< ALTER SYSTEM wal_receiver_timeout
    bool replication = false;     ///< the REPLICATION attribute: slots, IDENTIFY_SYSTEM
    bool signal_backend = false;  ///< pg_signal_backend
    bool checkpoint = false;      ///< pg_checkpoint

    [[nodiscard]] static privileges all() {
        return {true, true, true, true, true, true, true, true, true};
    }
    bool operator==(const privileges&) const = default;
};

/// Settings of a server that matter for a failover; defaults are PostgreSQL's.
struct server_settings {
    std::string primary_conninfo;
    std::string primary_slot_name;
    std::string synchronous_standby_names;
    std::string cluster_name;
    std::string recovery_target_timeline = "latest";
    std::int64_t recovery_min_apply_delay_ms = 0;
    std::int64_t wal_receiver_timeout_ms = 60'000;
    bool default_transaction_read_only = false;
    bool restore_command = false;  ///< one is set
    bool hot_standby = true;
    bool allow_alter_system = true;
    bool wal_log_hints = false;
    bool data_checksums = false;
    bool full_page_writes = true;
    int max_wal_senders = 10;
    int max_replication_slots = 10;
    int max_connections = 100;
    /// Settings named here come from the command line: ALTER SYSTEM has no effect on them.
    std::vector<std::string> fixed_by_command_line;

    bool operator==(const server_settings&) const = default;
};

/// Another program that promotes servers (other_manager.hpp).
struct found_manager {
    std::string name;     ///< "Patroni"
    std::string sign;     ///< by what it was noticed: "a session is called Patroni heartbeat"
    time_us seen_us = 0;  ///< for the last time

    bool operator==(const found_manager&) const = default;
};

/// What was read from one server, and when. A value; whoever reads servers fills it, and keeps it
/// while a server is not reachable: facts stay as last read.
struct server_facts {
    enum reachability reach = reachability::unknown;
    time_us reach_since_us = 0;  ///< when the check that first showed `reach` was sent
    bool refused = false;        ///< dead: the host itself answered that nobody listens
    time_us read_at_us = 0;      ///< when the statement that brought the rest was sent
    std::string reach_detail;    ///< what the server or the system said: "Connection refused"

    std::uint64_t system_identifier = 0;       ///< 0 = unknown
    int version_num = 0;                       ///< server_version_num
    std::optional<bool> in_recovery;           ///< unknown until read
    std::uint32_t timeline = 0;                ///< 0 = unknown
    std::optional<std::uint64_t> flush_lsn;    ///< primary: pg_current_wal_flush_lsn()
    std::optional<std::uint64_t> receive_lsn;  ///< standby: pg_last_wal_receive_lsn()
    std::optional<std::uint64_t> replay_lsn;   ///< standby: pg_last_wal_replay_lsn()
    std::optional<std::int64_t> replay_lag_ms;
    /// The earlier of the last two reads between which `receive_lsn` grew: it grew after this.
    time_us receive_grew_after_us = 0;
    bool replay_paused = false;

    std::optional<wal_receiver> receiver;  ///< none: no row, no receiver
    /// When settings.wal_receiver_timeout_ms was first read as it is: its receiver knows it since
    /// then at the latest, and may not have acted on it yet.
    time_us receiver_timeout_since_us = 0;
    std::vector<wal_sender> senders;
    std::vector<replication_slot> slots;
    server_settings settings;
    /// primary_conninfo as it was before we emptied it to freeze the standby; from the journal.
    std::string conninfo_before_freeze;
    privileges may;
    std::vector<found_manager> managers;  ///< seen there of late; see remembered()
    /// The content of the history file of its timeline (TIMELINE_HISTORY); "" = not read.
    std::string timeline_history;

    // Two names are one server where all of these are known and equal.
    std::int64_t postmaster_start_us = 0;  ///< pg_postmaster_start_time(), the server's clock
    std::string data_directory;
    /// Its own address and port (inet_server_addr, port): how its standbys may call it.
    std::optional<endpoint> own_address;

    /// How far its WAL reaches: a standby's max(receive, replay), since promotion replays all that
    /// was received, and receive is set back to the segment's start when a timeline begins.
    [[nodiscard]] std::optional<std::uint64_t> wal_end() const {
        if (in_recovery && !*in_recovery) return flush_lsn;
        if (!receive_lsn) return replay_lsn;
        return std::max(*receive_lsn, replay_lsn.value_or(0));
    }
    /// WAL that it has and has not replayed yet.
    [[nodiscard]] std::uint64_t replay_backlog() const {
        const auto end = wal_end();
        return end && replay_lsn ? *end - *replay_lsn : 0;
    }
    [[nodiscard]] wal_position position() const { return {timeline, wal_end().value_or(0)}; }
    /// The connection to its upstream, as it is or was before the freeze.
    [[nodiscard]] const std::string& upstream_conninfo() const {
        return settings.primary_conninfo.empty() ? conninfo_before_freeze
                                                 : settings.primary_conninfo;
    }

    bool operator==(const server_facts&) const = default;
};

/// Order along one history: a later timeline stands above any place of an earlier one.
[[nodiscard]] inline bool is_before(const wal_position& a, const wal_position& b) {
    return a.timeline != b.timeline ? a.timeline < b.timeline : a.lsn < b.lsn;
}

}  // namespace howdah::ha
