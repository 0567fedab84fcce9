#include "proxy/sql/cacheable.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace howdah::proxy::sql {
namespace {

// Stable in pg_proc, but their results belong to a connection, a backend or a transaction.
constexpr auto of_one_session = std::to_array<std::string_view>({
    "currval",
    "current_setting",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "lastval",
    "pg_backend_pid",
    "pg_blocking_pids",
    "pg_current_snapshot",
    "pg_current_xact_id",
    "pg_current_xact_id_if_assigned",
    "pg_cursor",
    "pg_is_in_recovery",
    "pg_is_other_temp_schema",
    "pg_listening_channels",
    "pg_lock_status",
    "pg_my_temp_schema",
    "pg_notification_queue_usage",
    "pg_prepared_statement",
    "pg_safe_snapshot_blocking_pids",
    "pg_trigger_depth",
    "txid_current",
    "txid_current_if_assigned",
    "txid_current_snapshot",
});

bool tells_of_one_session(std::string_view name) {
    constexpr std::string_view catalog = "pg_catalog.";
    if (name.starts_with(catalog)) name.remove_prefix(catalog.size());
    return name.starts_with("pg_stat_") ||
           std::ranges::find(of_one_session, name) != of_one_session.end();
}

}  // namespace

bool same_result_again(const traits& t, const function_catalog& catalog) {
    return t.parsed && t.read_only && t.statements == 1 && t.first == verb::select && t.pins == 0 &&
           std::ranges::none_of(t.functions, [&](const std::string& name) {
               return means_something_else_on_standby(name) || tells_of_one_session(name) ||
                      catalog.lookup(name) == volatility::volatile_;
           });
}

}  // namespace howdah::proxy::sql
