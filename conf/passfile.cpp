#include "conf/passfile.hpp"

#include <array>

namespace howdah::conf {
namespace {

/// Takes a field and the ':' behind it from the front; nothing if there is no ':'.
std::optional<std::string> take_field(std::string_view& rest, bool& wildcard) {
    wildcard = rest.starts_with("*:");
    std::string field;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == ':') {
            rest.remove_prefix(i + 1);
            return field;
        }
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        field += rest[i];
    }
    return std::nullopt;
}

std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        result += text[i];
    }
    return result;
}

}  // namespace

passfile passfile::parse(std::string_view text) {
    passfile result;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto rest = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (rest.ends_with('\r')) rest.remove_suffix(1);
        if (rest.starts_with('#')) continue;

        std::array<pattern, 4> fields;
        bool complete = true;
        for (auto& field : fields) {
            bool wildcard = false;
            auto value = take_field(rest, wildcard);
            complete = complete && value.has_value();
            if (!complete) break;
            if (!wildcard) field = std::move(value);
        }
        if (!complete) continue;
        result.entries_.push_back({fields[0], fields[1], fields[2], fields[3], unescape(rest)});
    }
    return result;
}

std::optional<std::string> passfile::find(std::string_view host, std::uint16_t port,
                                          std::optional<std::string_view> database,
                                          std::string_view username) const {
    const auto matches = [](const pattern& p, std::string_view value) { return !p || *p == value; };
    for (const auto& e : entries_) {
        const bool host_matches =
            matches(e.host, host) || (host.starts_with('/') && matches(e.host, "localhost"));
        if (host_matches && matches(e.port, std::to_string(port)) &&
            (!database || matches(e.database, *database)) && matches(e.username, username))
            return e.password;
    }
    return std::nullopt;
}

}  // namespace howdah::conf
