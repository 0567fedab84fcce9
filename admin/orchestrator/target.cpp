#include "admin/orchestrator/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace howdah::admin::orchestrator {
namespace {

constexpr std::int64_t longest_duration = 10LL * 366 * 86400;

std::vector<std::string> split(std::string_view text, char by) {
    std::vector<std::string> out;
    for (;;) {
        const std::size_t end = std::min(text.find(by), text.size());
        out.emplace_back(text.substr(0, end));
        if (end == text.size()) return out;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<std::string> decode(std::string_view encoded, bool plus_is_blank) {
    std::string out;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] == '+' && plus_is_blank) {
            out += ' ';
        } else if (encoded[i] != '%') {
            out += encoded[i];
        } else {
            unsigned char byte = 0;
            const char* from = encoded.data() + i + 1;
            if (encoded.size() - i < 3) return std::nullopt;
            const auto [end, error] = std::from_chars(from, from + 2, byte, 16);
            if (error != std::errc{} || end != from + 2 || byte == 0) return std::nullopt;
            out += static_cast<char>(byte);
            i += 2;
        }
    }
    out.erase(std::min(out.find_last_not_of(" \t\r\n") + 1, out.size()));
    return out;
}

std::optional<std::vector<std::string>> split_path(std::string_view path) {
    std::vector<std::string> out;
    while (path.starts_with('/'))
        path.remove_prefix(1);
    while (path.ends_with('/'))
        path.remove_suffix(1);
    if (path.empty()) return out;
    for (const auto& part : split(path, '/')) {
        auto decoded = decode(part, false);
        if (!decoded) return std::nullopt;
        out.push_back(std::move(*decoded));
    }
    return out;
}

std::optional<text_map> split_query(std::string_view query) {
    text_map out;
    if (query.empty()) return out;
    for (const auto& one : split(query, '&')) {
        const std::size_t equals = std::min(one.find('='), one.size());
        const auto name = decode(std::string_view(one).substr(0, equals), true);
        const auto value =
            decode(std::string_view(one).substr(std::min(equals + 1, one.size())), true);
        if (!name || !value) return std::nullopt;
        if (!name->empty()) out[*name] = *value;
    }
    return out;
}

path_pattern::path_pattern(std::string_view text) : rest_(split(text, '/')) {
    words_ = split(rest_.front(), '|');
    rest_.erase(rest_.begin());
}

std::optional<text_map> path_pattern::match(const std::vector<std::string>& parts) const {
    if (parts.size() != rest_.size() + 1) return std::nullopt;
    if (std::ranges::find(words_, parts.front()) == words_.end()) return std::nullopt;
    text_map out;
    out[""] = parts.front();
    for (std::size_t i = 0; i < rest_.size(); ++i) {
        if (rest_[i].starts_with(':'))
            out[rest_[i].substr(1)] = parts[i + 1];
        else if (rest_[i] != parts[i + 1])
            return std::nullopt;
    }
    return out;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    constexpr std::array<std::pair<char, std::int64_t>, 5> units{
        {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}}};
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > longest_duration) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    std::int64_t factor = 1;
    if (!unit.empty()) {
        const auto found = std::ranges::find(units, unit[0], &std::pair<char, std::int64_t>::first);
        if (unit.size() != 1 || found == units.end()) return std::nullopt;
        factor = found->second;
    }
    if (number > longest_duration / factor) return std::nullopt;
    return number * factor;
}

}  // namespace howdah::admin::orchestrator
