#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/text_file.hpp"

// PgBouncer's configuration file: text in, settings with their places out. Pure but for `reader`.
namespace howdah::admin::pgbouncer {

/// Where something stands; line 0: nowhere in particular.
struct place {
    std::string file;
    int line = 0;

    /// "file:line", or the file alone.
    [[nodiscard]] std::string to_string() const;
};

/// Something that cannot be read. Never contains what stands there: it may be a password.
struct problem {
    place where;
    std::string message;
};

/// "key = value" of a section. Both without the blanks around them, the key without its quotes.
struct ini_entry {
    place where;
    std::string section;
    std::string key;
    std::string value;
};

struct ini_file {
    std::vector<ini_entry> entries;  ///< in the order of reading; a later one replaces an earlier
    std::vector<problem> problems;
};

/// Reads a file that is named in another one.
using file_reader = std::function<conf::text_file(const std::string& path)>;

/// A path as it is meant in `file`: relative to its folder. (PgBouncer takes the folder that it was
/// started in, which nobody knows here.)
[[nodiscard]] std::string beside(const std::string& file, std::string_view path);

/// Reads the file and what it includes (%include): at most 8 deep, 64 files, 100,000 settings.
[[nodiscard]] ini_file read_ini(const std::string& path, const file_reader& read);

}  // namespace howdah::admin::pgbouncer
