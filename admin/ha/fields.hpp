#pragma once
#include "ha/fact_memory.hpp"
#include "ha/history.hpp"
#include "ha/intent.hpp"
#include "ha/notes.hpp"
#include "ha/record.hpp"

// What is kept of each type and under which names: read by what writes rows and by what reads
// them, so that neither can forget a member.
namespace howdah::admin {

template <class Visitor>
void fields(Visitor& visit, ha::endpoint& v) {
    visit("host", v.host);
    visit("port", v.port);
}

template <class Visitor>
void fields(Visitor& visit, ha::fenced_server& v) {
    visit("at", v.at);
    visit("epoch", v.epoch);
    visit("timeline", v.timeline);
    visit("reason", v.reason);
}

template <class Visitor>
void fields(Visitor& visit, ha::cluster_record& v) {
    visit("cluster", v.cluster);
    visit("system_identifier", v.system_identifier);
    visit("epoch", v.epoch);
    visit("primary", v.primary);
    visit("timeline", v.timeline);
    visit("known_timeline", v.known_timeline);
    visit("flush_lsn", v.flush_lsn);
    visit("sync_sets", v.sync_sets);
    visit("sync_changed_at", v.sync_changed_at);
    visit("fenced", v.fenced);
    visit("left_timeline", v.left_timeline);
    visit("fork_lsn", v.fork_lsn);
}

template <class Visitor>
void fields(Visitor& visit, ha::server_memory& v) {
    visit("at", v.at);
    visit("data_directory", v.data_directory);
    visit("wal_log_hints", v.wal_log_hints);
    visit("data_checksums", v.data_checksums);
    visit("full_page_writes", v.full_page_writes);
}

template <class Visitor>
void fields(Visitor& visit, ha::failover_intent& v) {
    visit("cluster", v.cluster);
    visit("epoch", v.epoch);
    visit("replaced", v.from);
    visit("candidate", v.candidate);
    visit("phase", v.phase);
    visit("base_timeline", v.base_timeline);
    visit("conninfo_before_freeze", v.conninfo_before_freeze);
    visit("fork_lsn", v.fork_lsn);
    visit("stopped", v.stopped);
}

template <class Visitor>
void fields(Visitor& visit, ha::downtime_note& v) {
    visit("owner", v.owner);
    visit("reason", v.reason);
    visit("since", v.since);
    visit("until", v.until);
}

template <class Visitor>
void fields(Visitor& visit, ha::maintenance_note& v) {
    visit("owner", v.owner);
    visit("reason", v.reason);
    visit("since", v.since);
    visit("until", v.until);
}

template <class Visitor>
void fields(Visitor& visit, ha::promotion_note& v) {
    visit("rule", v.rule);
    visit("until", v.until);
}

template <class Visitor>
void fields(Visitor& visit, ha::operator_notes& v) {
    visit("global_recoveries", v.global_recoveries);
    visit("downtimes", v.downtimes);
    visit("maintenance", v.maintenance);
    visit("promotion_rules", v.promotion_rules);
    visit("tags", v.tags);
    visit("aliases", v.aliases);
    visit("forgotten", v.forgotten);
}

template <class Visitor>
void fields(Visitor& visit, ha::recovery& v) {
    visit("id", v.id);
    visit("uid", v.uid);
    visit("kind", v.kind);
    visit("cluster", v.cluster);
    visit("alias", v.alias);
    visit("problem", v.problem);
    visit("failed", v.failed);
    visit("successor", v.successor);
    visit("epoch", v.epoch);
    visit("automatic", v.automatic);
    visit("ordered_by", v.ordered_by);
    visit("started_at", v.started_at);
    visit("writable_at", v.writable_at);
    visit("ended_at", v.ended_at);
    visit("successful", v.successful);
    visit("sentence", v.sentence);
    visit("loss_bytes", v.loss_bytes);
    visit("lost", v.lost);
    visit("participants", v.participants);
    visit("acknowledged", v.acknowledged);
    visit("acknowledged_by", v.acknowledged_by);
    visit("acknowledge_comment", v.acknowledge_comment);
    visit("acknowledged_at", v.acknowledged_at);
}

template <class Visitor>
void fields(Visitor& visit, ha::recovery_step& v) {
    visit("id", v.id);
    visit("recovery_id", v.recovery_id);
    visit("recovery_uid", v.recovery_uid);
    visit("at", v.at);
    visit("took_us", v.took_us);
    visit("server", v.server);
    visit("what", v.what);
    visit("outcome", v.outcome);
    visit("detail", v.detail);
}

template <class Visitor>
void fields(Visitor& visit, ha::detection& v) {
    visit("id", v.id);
    visit("cluster", v.cluster);
    visit("alias", v.alias);
    visit("problem", v.problem);
    visit("server", v.server);
    visit("at", v.at);
    visit("sentence", v.sentence);
    visit("recovery_id", v.recovery_id);
}

template <class Visitor>
void fields(Visitor& visit, ha::audit_entry& v) {
    visit("id", v.id);
    visit("at", v.at);
    visit("type", v.type);
    visit("server", v.server);
    visit("cluster", v.cluster);
    visit("ordered_by", v.by);
    visit("message", v.message);
}

}  // namespace howdah::admin
