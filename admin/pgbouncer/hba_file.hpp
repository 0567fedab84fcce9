#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/pgbouncer/ini_file.hpp"
#include "conf/settings.hpp"

// The files in PostgreSQL's form that PgBouncer reads: auth_hba_file and auth_ident_file.
namespace howdah::admin::pgbouncer {

/// One line, and what it is in Howdah.
template <class Record>
struct line_of {
    place where;
    std::string shown;  ///< the line without its options, which may hold secrets
    std::optional<Record> record;
    std::string error;  ///< why there is no record, and what to do
};

[[nodiscard]] std::vector<line_of<conf::hba_rule>> parse_hba(std::string_view text,
                                                             const std::string& file);
[[nodiscard]] std::vector<line_of<conf::user_map>> parse_ident(std::string_view text,
                                                               const std::string& file);

/// A name as an entry of a rule's list, in quotes where it could be taken for something else;
/// nothing where the list cannot hold it.
[[nodiscard]] std::optional<std::string> as_hba_name(std::string_view name);

}  // namespace howdah::admin::pgbouncer
