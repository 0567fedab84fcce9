#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "admin/pgbouncer/ini_file.hpp"

namespace howdah::admin::pgbouncer {

/// One line of auth_file.
struct userlist_line {
    place where;
    std::string name;
    std::string password;  ///< plain text, md5 hash, SCRAM verifier, or empty
};

struct userlist {
    std::vector<userlist_line> users;
    std::vector<problem> problems;
};

/// Lines of "name" "password", double quotes inside doubled, what follows ignored; ';' begins a
/// comment. PgBouncer stops reading at a broken line; here the others are read all the same.
[[nodiscard]] userlist parse_userlist(std::string_view text, const std::string& file);

}  // namespace howdah::admin::pgbouncer
