#include "monitor/role_check.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace howdah::monitor {
namespace {

// A subquery with a volatile function is not flattened: the role is asked once. On a primary the
// timeline is that of the WAL being written (the control file lags behind a promotion).
constexpr const char* full_sql =
    "SELECT r.standby,"
    " CASE WHEN r.standby THEN greatest("
    "(SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c),"
    "(SELECT c.min_recovery_end_timeline FROM pg_catalog.pg_control_recovery() c),"
    " w.received_tli)"
    " ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name("
    "pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4 END,"
    " (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s),"
    " CASE WHEN NOT r.standby THEN pg_catalog.pg_current_wal_lsn() - '0/0'::pg_catalog.pg_lsn END,"
    " CASE WHEN r.standby THEN l.received - '0/0'::pg_catalog.pg_lsn END,"
    " CASE WHEN r.standby THEN l.replayed - '0/0'::pg_catalog.pg_lsn END,"
    " r.standby AND w.pid IS NOT NULL,"
    " pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool,"
    " pg_catalog.current_setting('server_version_num')::pg_catalog.int4"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r"
    " CROSS JOIN (SELECT pg_catalog.pg_last_wal_receive_lsn() AS received,"
    " pg_catalog.pg_last_wal_replay_lsn() AS replayed) l"
    " LEFT JOIN pg_catalog.pg_stat_get_wal_receiver() w ON true";

constexpr const char* basic_sql = "SELECT pg_catalog.pg_is_in_recovery()";

enum column : int {
    standby,
    timeline,
    system_identifier,
    current_lsn,
    receive_lsn,
    replay_lsn,
    receiver_active,
    default_read_only,
    server_version_num,
    full_width
};

bool truth(const PGresult* answer, int field) {
    return std::strcmp(PQgetvalue(answer, 0, field), "t") == 0;
}

template <class Integer>
std::optional<Integer> number(const PGresult* answer, int field) {
    if (PQgetisnull(answer, 0, field)) return std::nullopt;
    const std::string_view text(PQgetvalue(answer, 0, field));
    Integer value{};
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

}  // namespace

const char* role_check_sql(role_check_level level) {
    return level == role_check_level::full ? full_sql : basic_sql;
}

bool read_role_check(const PGresult* answer, observation& seen) {
    const int width = answer ? PQnfields(answer) : 0;
    if ((width != 1 && width != full_width) || PQntuples(answer) != 1 ||
        PQgetisnull(answer, 0, standby))
        return false;
    seen.as = truth(answer, standby) ? role::standby : role::primary;
    if (width == 1) return true;
    seen.timeline = number<std::uint32_t>(answer, timeline).value_or(0);
    seen.system_identifier = number<std::uint64_t>(answer, system_identifier).value_or(0);
    seen.current_lsn = number<std::uint64_t>(answer, current_lsn);
    seen.receive_lsn = number<std::uint64_t>(answer, receive_lsn);
    seen.replay_lsn = number<std::uint64_t>(answer, replay_lsn);
    seen.receiver_active = truth(answer, receiver_active);
    seen.default_read_only = truth(answer, default_read_only);
    seen.server_version_num = number<int>(answer, server_version_num).value_or(0);
    return true;
}

}  // namespace howdah::monitor
