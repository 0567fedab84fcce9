#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::conf {

/// A password file in libpq's format (PostgreSQL documentation, "The Password File"): lines of
/// hostname:port:database:username:password, '*' matches anything, '\' escapes ':' and '\', the
/// first line that matches wins.
class passfile {
public:
    /// Lines that do not have five fields are skipped, as libpq does.
    static passfile parse(std::string_view text);

    /// A unix socket directory as host also matches "localhost". Without a database any line's
    /// database matches.
    std::optional<std::string> find(std::string_view host, std::uint16_t port,
                                    std::optional<std::string_view> database,
                                    std::string_view username) const;

private:
    /// Unset: '*'.
    using pattern = std::optional<std::string>;
    struct entry {
        pattern host, port, database, username;
        std::string password;
    };
    std::vector<entry> entries_;
};

}  // namespace howdah::conf
