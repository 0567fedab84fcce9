#include "admin/pgbouncer/userlist.hpp"

#include <optional>

namespace howdah::admin::pgbouncer {
namespace {

/// The text in double quotes at the beginning, which is taken off.
std::optional<std::string> take_quoted(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    if (!line.starts_with('"')) return std::nullopt;
    std::string out;
    for (line.remove_prefix(1);; line.remove_prefix(1)) {
        if (line.empty()) return std::nullopt;
        if (line.front() == '"') {
            line.remove_prefix(1);
            if (!line.starts_with('"')) return out;
        }
        out += line.front();
    }
}

}  // namespace

userlist parse_userlist(std::string_view text, const std::string& file) {
    userlist out;
    for (place at{file, 1}; !text.empty(); ++at.line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin == line.npos || line[begin] == ';') continue;
        auto name = take_quoted(line);
        auto password = name ? take_quoted(line) : std::nullopt;
        if (!name || !password || name->empty() || line.find('\0') != line.npos) {
            out.problems.push_back({at, "expected \"user\" \"password\""});
        } else {
            out.users.push_back({at, std::move(*name), std::move(*password)});
        }
    }
    return out;
}

}  // namespace howdah::admin::pgbouncer
