#pragma once
#include <string_view>
#include <vector>

#include "conf/value.hpp"

// The lists of databases and users in a rule of hba_rules: names, "all", '/' with a regular
// expression, and for databases "sameuser" and "replication". Double quotes around an entry make a
// keyword a name, as in pg_hba.conf.
namespace howdah::conf {

/// Entries separated by ';' or ','. A regular expression may contain ',' and reaches to the next
/// ';'. The views are into `text`, without the blanks around them; quotes stay.
[[nodiscard]] std::vector<std::string_view> split_hba_names(std::string_view text);

/// What is wrong with one entry, as value_error.
[[nodiscard]] value_error check_hba_database(std::string_view entry);
[[nodiscard]] value_error check_hba_user(std::string_view entry);

}  // namespace howdah::conf
