#include "ha/fact_query.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "ha/other_manager.hpp"

namespace howdah::ha {
namespace {

using json = nlohmann::json;

/// Whether it is executed or not, the server refuses it to roles that may not list WAL.
constexpr const char* newest_wal_timeline = R"(
   CASE WHEN w.pid IS NULL THEN (SELECT pg_catalog.max(('x' || pg_catalog.substr(
    f.name, 1, 8))::pg_catalog.bit(32)::pg_catalog.int4) FROM pg_catalog.pg_ls_waldir() f
    WHERE f.name ~ '^[0-9A-F]{24}$') END)";

// A subquery with a volatile function is not flattened: the role is asked once. On a primary the
// timeline is that of the WAL being written (the control file lags behind a promotion). So it does
// on a standby that followed one; where its receiver has ended, its newest WAL files tell.
constexpr const char* sql = R"(SELECT pg_catalog.json_build_object(
 'system_identifier', (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s),
 'version_num', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
 'in_recovery', r.standby,
 'timeline', CASE WHEN r.standby THEN greatest(
   (SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c),
   (SELECT c.min_recovery_end_timeline FROM pg_catalog.pg_control_recovery() c), w.received_tli,
   {wal_files})
  ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(
   pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4 END,
 'flush_lsn', CASE WHEN NOT r.standby THEN
  pg_catalog.pg_current_wal_flush_lsn() - '0/0'::pg_catalog.pg_lsn END,
 'receive_lsn', CASE WHEN r.standby THEN l.received - '0/0'::pg_catalog.pg_lsn END,
 'replay_lsn', CASE WHEN r.standby THEN l.replayed - '0/0'::pg_catalog.pg_lsn END,
 'replay_lag_ms', CASE WHEN r.standby THEN CASE WHEN l.received = l.replayed THEN 0 ELSE
  (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
   - pg_catalog.pg_last_xact_replay_timestamp()) * 1000)::pg_catalog.int8 END END,
 'replay_paused', CASE WHEN r.standby THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END,
 'receiver', CASE WHEN r.standby AND w.pid IS NOT NULL THEN pg_catalog.json_build_object(
  'streaming', w.status = 'streaming', 'host', w.sender_host, 'port', w.sender_port,
  'slot', w.slot_name, 'timeline', w.received_tli,
  'message_age_us', (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
   - w.last_msg_receipt_time) * 1000000)::pg_catalog.int8) END,
 'senders', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
   'application_name', s.application_name, 'address', pg_catalog.host(s.client_addr),
   'streaming', s.state = 'streaming' AND s.application_name <> 'pg_basebackup'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots o
     WHERE o.active_pid = s.pid AND o.slot_type = 'logical'),
   'flush_lsn', s.flush_lsn - '0/0'::pg_catalog.pg_lsn, 'sync_state', s.sync_state))
  FROM pg_catalog.pg_stat_replication s),
 'slots', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', s.slot_name,
   'physical', s.slot_type = 'physical', 'active', s.active, 'wal_status', s.wal_status))
  FROM pg_catalog.pg_replication_slots s),
 'settings', (SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings s
  WHERE s.name IN ('primary_conninfo', 'primary_slot_name', 'synchronous_standby_names',
   'cluster_name', 'recovery_target_timeline', 'recovery_min_apply_delay', 'wal_receiver_timeout',
   'default_transaction_read_only', 'restore_command', 'hot_standby', 'allow_alter_system',
   'wal_log_hints', 'data_checksums', 'full_page_writes', 'max_wal_senders',
   'max_replication_slots', 'max_connections', 'data_directory', 'shared_preload_libraries')),
 'manager_sessions', (SELECT pg_catalog.json_agg(DISTINCT v.application_name)
  FROM pg_catalog.pg_stat_get_activity(NULL) v WHERE v.application_name ~ '{managers}'),
 'pgpool', coalesce(pg_catalog.current_setting('pgpool.pg_ctl', true), '') <> '',
 'command_line', (SELECT pg_catalog.json_agg(s.name ORDER BY s.name)
  FROM pg_catalog.pg_settings s WHERE s.source = 'command line'),
 'may', (SELECT pg_catalog.json_build_object(
   'promote', pg_catalog.has_function_privilege('pg_catalog.pg_promote(boolean,integer)', 'EXECUTE'),
   'reload', pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE'),
   'alter_conninfo', {conninfo}, 'alter_sync', {sync}, 'alter_fence', {fence},
   'alter_timeout', {timeout}, 'replication', a.rolsuper OR a.rolreplication,
   'signal_backend', pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'),
   'checkpoint', {checkpoint})
  FROM pg_catalog.pg_roles a WHERE a.rolname = CURRENT_USER),
 'started_us', (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) * 1000000)
  ::pg_catalog.int8,
 'address', pg_catalog.host(pg_catalog.inet_server_addr()),
 'port', pg_catalog.inet_server_port())::pg_catalog.text
FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r
CROSS JOIN (SELECT pg_catalog.pg_last_wal_receive_lsn() AS received,
 pg_catalog.pg_last_wal_replay_lsn() AS replayed) l
LEFT JOIN pg_catalog.pg_stat_get_wal_receiver() w ON true)";

std::string may_alter(int version_num, std::string_view setting) {
    if (version_num < 150000) return "a.rolsuper";
    return fmt::format("pg_catalog.has_parameter_privilege('{}', 'ALTER SYSTEM')", setting);
}

/// The member, or null where it is missing. Throws where `object` is none.
const json& member(const json& object, const char* key) {
    static const json nothing;
    const auto& members = object.get_ref<const json::object_t&>();
    const auto found = members.find(key);
    return found == members.end() ? nothing : found->second;
}

/// `target` keeps its value where the server has nothing to say. Throws json::exception.
template <class Value>
void take(const json& object, const char* key, Value& target) {
    const json& value = member(object, key);
    if (!value.is_null()) target = value.get<Value>();
}
template <class Value>
void take(const json& object, const char* key, std::optional<Value>& target) {
    const json& value = member(object, key);
    if (!value.is_null()) target = value.get<Value>();
}

/// Settings come as text, in the unit that pg_settings states.
template <class Integer>
void take_number(const json& object, const char* key, Integer& target) {
    const json& value = member(object, key);
    if (value.is_null()) return;
    const auto& text = value.get_ref<const std::string&>();
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, target);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        throw std::invalid_argument(fmt::format("{} is {}", key, text));
}
void take_switch(const json& object, const char* key, bool& target) {
    const json& value = member(object, key);
    if (!value.is_null()) target = value.get<std::string>() == "on";
}

wal_receiver to_receiver(const json& from, time_us sent_at_us) {
    wal_receiver out;
    take(from, "streaming", out.streaming);
    take(from, "host", out.sender_host);
    take(from, "port", out.sender_port);
    take(from, "slot", out.slot);
    take(from, "timeline", out.timeline);
    std::optional<std::int64_t> age;
    take(from, "message_age_us", age);
    if (age) out.last_message_us = sent_at_us - *age;
    return out;
}

wal_sender to_sender(const json& from) {
    wal_sender out;
    take(from, "application_name", out.application_name);
    take(from, "address", out.client_address);
    take(from, "streaming", out.streaming);
    take(from, "flush_lsn", out.flush_lsn);
    take(from, "sync_state", out.sync_state);
    return out;
}

replication_slot to_slot(const json& from) {
    replication_slot out;
    take(from, "name", out.name);
    take(from, "physical", out.physical);
    take(from, "active", out.active);
    take(from, "wal_status", out.wal_status);
    return out;
}

server_settings to_settings(const json& from) {
    server_settings out;
    take(from, "primary_conninfo", out.primary_conninfo);
    take(from, "primary_slot_name", out.primary_slot_name);
    take(from, "synchronous_standby_names", out.synchronous_standby_names);
    take(from, "cluster_name", out.cluster_name);
    take(from, "recovery_target_timeline", out.recovery_target_timeline);
    take_number(from, "recovery_min_apply_delay", out.recovery_min_apply_delay_ms);
    take_number(from, "wal_receiver_timeout", out.wal_receiver_timeout_ms);
    take_switch(from, "default_transaction_read_only", out.default_transaction_read_only);
    std::string restore;
    take(from, "restore_command", restore);
    out.restore_command = !restore.empty();
    take_switch(from, "hot_standby", out.hot_standby);
    take_switch(from, "allow_alter_system", out.allow_alter_system);
    take_switch(from, "wal_log_hints", out.wal_log_hints);
    take_switch(from, "data_checksums", out.data_checksums);
    take_switch(from, "full_page_writes", out.full_page_writes);
    take_number(from, "max_wal_senders", out.max_wal_senders);
    take_number(from, "max_replication_slots", out.max_replication_slots);
    take_number(from, "max_connections", out.max_connections);
    return out;
}

privileges to_privileges(const json& from) {
    privileges out;
    take(from, "promote", out.promote);
    take(from, "reload", out.reload);
    take(from, "alter_conninfo", out.alter_conninfo);
    take(from, "alter_sync", out.alter_sync);
    take(from, "alter_fence", out.alter_fence);
    take(from, "alter_timeout", out.alter_timeout);
    take(from, "replication", out.replication);
    take(from, "signal_backend", out.signal_backend);
    take(from, "checkpoint", out.checkpoint);
    return out;
}

/// shared_preload_libraries: paths may stand before the names, and "$libdir/" does.
std::vector<std::string> libraries_of(const std::string& list) {
    std::vector<std::string> out(1);
    for (const char c : list) {
        if (c == ',')
            out.emplace_back();
        else if (c == '/')
            out.back().clear();
        else if (c != ' ' && c != '"')
            out.back() += c;
    }
    return out;
}

manager_traces to_traces(const json& from, const server_facts& read) {
    manager_traces out;
    take(from, "manager_sessions", out.sessions);
    for (const auto& slot : read.slots)
        out.slots.push_back(slot.name);
    std::string loaded;
    take(from.at("settings"), "shared_preload_libraries", loaded);
    out.libraries = libraries_of(loaded);
    bool pgpool = false;
    take(from, "pgpool", pgpool);
    if (pgpool) out.settings.emplace_back("pgpool.pg_ctl");
    out.command_line = read.settings.fixed_by_command_line;
    return out;
}

void fill(const json& from, time_us sent_at_us, server_facts& out) {
    out.read_at_us = sent_at_us;
    out.in_recovery = from.at("in_recovery").get<bool>();
    out.version_num = from.at("version_num").get<int>();
    take(from, "system_identifier", out.system_identifier);
    take(from, "timeline", out.timeline);
    out.flush_lsn.reset();
    out.receive_lsn.reset();
    out.replay_lsn.reset();
    out.replay_lag_ms.reset();
    take(from, "flush_lsn", out.flush_lsn);
    take(from, "receive_lsn", out.receive_lsn);
    take(from, "replay_lsn", out.replay_lsn);
    take(from, "replay_lag_ms", out.replay_lag_ms);
    take(from, "replay_paused", out.replay_paused);
    out.receiver.reset();
    if (const json& receiver = member(from, "receiver"); !receiver.is_null())
        out.receiver = to_receiver(receiver, sent_at_us);
    out.senders.clear();
    for (const json& one : member(from, "senders"))
        out.senders.push_back(to_sender(one));
    out.slots.clear();
    for (const json& one : member(from, "slots"))
        out.slots.push_back(to_slot(one));
    const json& settings = from.at("settings");
    out.settings = to_settings(settings);
    take(from, "command_line", out.settings.fixed_by_command_line);
    out.managers = managers_in(to_traces(from, out), sent_at_us);
    take(settings, "data_directory", out.data_directory);
    out.may = to_privileges(from.at("may"));
    take(from, "started_us", out.postmaster_start_us);
    out.own_address.reset();
    if (!member(from, "address").is_null())
        out.own_address = {from.at("address").get<std::string>(),
                           from.at("port").get<std::uint16_t>()};
}

}  // namespace

std::string fact_query(int version_num, bool lists_wal) {
    return fmt::format(
        fmt::runtime(sql), fmt::arg("wal_files", lists_wal ? newest_wal_timeline : "NULL"),
        fmt::arg("managers", session_pattern()),
        fmt::arg("conninfo", may_alter(version_num, "primary_conninfo") + " AND " +
                                 may_alter(version_num, "primary_slot_name")),
        fmt::arg("sync", may_alter(version_num, "synchronous_standby_names")),
        fmt::arg("fence", may_alter(version_num, "default_transaction_read_only")),
        fmt::arg("timeout", may_alter(version_num, "wal_receiver_timeout")),
        fmt::arg("checkpoint", version_num < 150000
                                   ? "a.rolsuper"
                                   : "pg_catalog.pg_has_role('pg_checkpoint', 'USAGE')"));
}

std::string read_facts(std::string_view text, time_us sent_at_us, server_facts& facts) {
    auto read = facts;
    try {
        fill(json::parse(text), sent_at_us, read);
    } catch (const std::exception& e) {
        return fmt::format("the server's answer is not what was asked for: {}", e.what());
    }
    facts = std::move(read);
    return {};
}

}  // namespace howdah::ha
