#include "conf/tag_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace howdah::conf {
namespace {

using nlohmann::json;

/// Nothing for what is no JSON. Sets `repeated` to a name that comes twice, of which JSON keeps
/// one.
json parse(std::string_view text, std::string& repeated) {
    std::set<std::string> seen;
    const json::parser_callback_t note = [&](int depth, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::key && depth == 1 &&
            !seen.insert(value.get<std::string>()).second)
            repeated = value.get<std::string>();
        return true;
    };
    return json::parse(text, note, false);
}

}  // namespace

value_error check_tags(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::string repeated;
    const auto value = parse(text, repeated);
    if (!value.is_object()) return R"(must be empty or JSON such as {"zone": "a"})";
    if (!repeated.empty()) return fmt::format("has the tag '{}' twice", repeated);
    for (const auto& [name, member] : value.items()) {
        if (name.empty() || name.find_first_of(",= ~") != name.npos)
            return fmt::format(
                "has the tag '{}': a name is not empty, without ',', '=', '~' and "
                "blanks",
                name);
        if (!member.is_string())
            return fmt::format("has a value of the tag '{}' that is no text", name);
    }
    return std::nullopt;
}

tag_map parse_tags(std::string_view text) {
    tag_map out;
    if (text.empty() || check_tags(text)) return out;
    const auto value = json::parse(text);
    for (const auto& [name, member] : value.items())
        out.emplace(name, member.get<std::string>());
    return out;
}

std::string format_tags(const tag_map& tags) {
    return tags.empty() ? "" : json(tags).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace howdah::conf
