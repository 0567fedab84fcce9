#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "ha/conninfo.hpp"

namespace howdah::ha {

/// One SQL statement, to be sent alone (ALTER SYSTEM takes no company), and what people and logs
/// may see of it.
struct statement {
    std::string sql;
    std::string shown;  ///< the same without passwords

    bool operator==(const statement&) const = default;
};

/// A string constant that means the same whatever standard_conforming_strings is.
[[nodiscard]] std::string quote_literal(std::string_view text);

[[nodiscard]] statement plain(std::string sql);
/// `name` is one of our own; it is not quoted.
[[nodiscard]] statement alter_system(std::string_view name, std::string_view value);
[[nodiscard]] statement reset_system(std::string_view name);
/// primary_conninfo; passwords do not show.
[[nodiscard]] statement alter_conninfo(const conninfo& value);
/// The same for a text as it was read, which need not be understood.
[[nodiscard]] statement alter_conninfo_raw(const std::string& value);
[[nodiscard]] statement reload_conf();

/// Creates a physical slot that keeps WAL from now on, unless there is one of the name.
[[nodiscard]] statement create_slot(std::string_view name);

/// SQL for the timeline on which a primary writes; an error during recovery.
inline constexpr std::string_view written_timeline_sql =
    "('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))"
    "::pg_catalog.bit(32)::pg_catalog.int4";

/// A name for a slot: lower case, digits and underscores, at most 63 bytes, with `howdah_` before.
[[nodiscard]] std::string slot_name_for(std::string_view server);

}  // namespace howdah::ha
