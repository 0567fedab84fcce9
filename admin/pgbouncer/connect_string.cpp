#include "admin/pgbouncer/connect_string.hpp"

namespace howdah::admin::pgbouncer {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

std::optional<std::string> take_quoted(std::string_view& text) {
    std::string out;
    for (text.remove_prefix(1);; text.remove_prefix(1)) {
        if (text.empty()) return std::nullopt;
        if (text.front() == '\'') {
            text.remove_prefix(1);
            if (!text.starts_with('\'')) return out;
        }
        out += text.front();
    }
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> parse_connect_string(
    std::string_view text) {
    std::vector<std::pair<std::string, std::string>> out;
    for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
        const std::size_t end = std::min(text.find_first_of("= \t"), text.size());
        std::string key(text.substr(0, end));
        text.remove_prefix(end);
        skip_blanks(text);
        if (key.empty() || !text.starts_with('=')) return std::nullopt;
        text.remove_prefix(1);
        skip_blanks(text);
        std::optional<std::string> value;
        if (text.starts_with('\'')) {
            value = take_quoted(text);
        } else {
            value = text.substr(0, text.find_first_of(blanks));
            text.remove_prefix(value->size());
        }
        if (!value || value->empty()) return std::nullopt;
        out.emplace_back(std::move(key), std::move(*value));
    }
    return out;
}

}  // namespace howdah::admin::pgbouncer
