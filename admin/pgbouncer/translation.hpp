#pragma once
#include <string>
#include <vector>

#include "admin/pgbouncer/ini_file.hpp"
#include "conf/settings.hpp"

namespace howdah::admin::pgbouncer {

enum class outcome {
    translated,
    ignored,    ///< nothing is lost
    impossible  ///< something is: the note says what to do instead
};

/// What became of one setting. Contains no secrets.
struct report_row {
    std::string where;    ///< "file:line"; empty: PgBouncer's default, which the file leaves alone
    std::string setting;  ///< "max_client_conn", "[databases] app: host", "user \"web\""
    std::string value;
    outcome what = outcome::translated;
    std::string becomes;  ///< "pgsql-max_connections = 200"
    std::string note;
};

struct translation {
    /// The base with what the files mean: servers, users, databases, rules of access and routes are
    /// theirs alone, of the variables those that a setting decides.
    conf::settings result;
    std::vector<report_row> rows;           ///< in the order of the files
    std::vector<std::string> notices = {};  ///< what conf::accept has to say of the result
};

/// Translates what read_ini has read; `read` reads auth_file and its like. What PgBouncer's
/// documentation says of settings and defaults: https://www.pgbouncer.org/config.html.
[[nodiscard]] translation translate(const ini_file& ini, const file_reader& read,
                                    conf::settings base);

}  // namespace howdah::admin::pgbouncer
