#include "proxy/session/pins.hpp"

#include <charconv>

#include "protocol/wire/reader.hpp"
#include "proxy/session/effects.hpp"

namespace howdah::proxy {
namespace {

using sql::pin_reason;

struct proof {
    pin_reason reason;
    std::string_view condition;
};

// What the catalog of a server says about its own session. Without a temporary schema of its own
// the session has nothing temporary.
constexpr proof proofs[] = {
    {pin_reason::temp_object,
     "pg_catalog.pg_my_temp_schema() <> 0 AND ("
     "EXISTS (SELECT FROM pg_catalog.pg_class c"
     " WHERE c.relnamespace = pg_catalog.pg_my_temp_schema())"
     " OR EXISTS (SELECT FROM pg_catalog.pg_proc p"
     " WHERE p.pronamespace = pg_catalog.pg_my_temp_schema())"
     " OR EXISTS (SELECT FROM pg_catalog.pg_type t"
     " WHERE t.typnamespace = pg_catalog.pg_my_temp_schema()))"},
    {pin_reason::advisory_lock,
     "EXISTS (SELECT FROM pg_catalog.pg_locks l"
     " WHERE l.locktype = 'advisory' AND l.pid = pg_catalog.pg_backend_pid())"},
    {pin_reason::listen, "EXISTS (SELECT FROM pg_catalog.pg_listening_channels())"},
    {pin_reason::hold_cursor, "EXISTS (SELECT FROM pg_catalog.pg_cursors c WHERE c.is_holdable)"},
    {pin_reason::sql_prepare,
     "EXISTS (SELECT FROM pg_catalog.pg_prepared_statements p WHERE p.from_sql)"},
};

}  // namespace

bool may_end_pins(const sql::traits& t) {
    if (t.pins != 0 || t.statements > 1 || releases_advisory_locks(t)) return true;
    switch (t.first) {
        case sql::verb::deallocate:
        case sql::verb::unlisten:
        case sql::verb::close_cursor:
        case sql::verb::discard:
        case sql::verb::ddl:
            return true;
        default:
            return false;
    }
}

std::uint16_t verifiable(std::uint16_t pins) {
    std::uint16_t all = 0;
    for (const proof& p : proofs)
        all |= static_cast<std::uint16_t>(p.reason);
    return pins & all;
}

std::string pin_check(std::uint16_t pins) {
    std::string sql = "SELECT 0";
    for (const proof& p : proofs) {
        if (!sql::has_pin(pins, p.reason)) continue;
        sql += " + CASE WHEN ";
        sql += p.condition;
        sql += " THEN " + std::to_string(static_cast<std::uint16_t>(p.reason)) + " ELSE 0 END";
    }
    return sql;
}

std::optional<std::uint16_t> pins_in(std::string_view data_row) {
    protocol::reader in(data_row);
    if (in.u16() != 1) return std::nullopt;
    const std::int32_t size = in.i32();
    if (size < 0) return std::nullopt;
    const std::string_view text = in.bytes(static_cast<std::size_t>(size));
    std::uint16_t pins = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), pins);
    if (!in.ok() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        return std::nullopt;
    return pins;
}

}  // namespace howdah::proxy
