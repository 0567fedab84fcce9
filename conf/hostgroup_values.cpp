#include "conf/hostgroup_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace howdah::conf {
namespace {

using nlohmann::json;

/// The keys of servers_defaults with the bounds of their columns in servers.
struct default_key {
    std::string_view name;
    std::uint32_t most;
};
constexpr default_key default_keys[] = {
    {"weight", 10'000'000}, {"max_connections", 1'000'000}, {"use_ssl", 1}};

/// Nothing for text that is no JSON.
std::optional<json> parse(std::string_view text) {
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
}

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

value_error check_servers_defaults(std::string_view text) {
    constexpr auto example =
        R"(must be empty or JSON such as {"weight": 2, "max_connections": 50, "use_ssl": 1})";
    if (text.empty()) return std::nullopt;
    const auto value = parse(text);
    if (!value || !value->is_object()) return example;
    for (const auto& [name, member] : value->items()) {
        const auto* known = std::ranges::find(default_keys, name, &default_key::name);
        if (known == std::end(default_keys))
            return fmt::format(
                "has the key '{}'; only weight, max_connections and use_ssl are known", name);
        if (!member.is_number_unsigned() || member.get<std::uint64_t>() > known->most)
            return fmt::format("has a {} that is no whole number from 0 to {}", name, known->most);
    }
    return std::nullopt;
}

server_defaults parse_servers_defaults(std::string_view text) {
    server_defaults found;
    if (text.empty() || check_servers_defaults(text)) return found;
    const auto value = parse(text);
    const auto number = [&](const char* name) -> std::optional<std::uint32_t> {
        const auto it = value->find(name);
        if (it == value->end()) return std::nullopt;
        return it->get<std::uint32_t>();
    };
    found.weight = number("weight");
    found.max_connections = number("max_connections");
    if (const auto ssl = number("use_ssl")) found.use_ssl = static_cast<int>(*ssl);
    return found;
}

value_error check_ignored_variables(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const auto value = parse(text);
    const bool right = value && value->is_array() && std::ranges::all_of(*value, [](const json& v) {
                           return v.is_string() && !v.get_ref<const std::string&>().empty();
                       });
    if (right) return std::nullopt;
    return R"(must be empty or a JSON list of parameters such as ["application_name"])";
}

std::vector<std::string> parse_ignored_variables(std::string_view text) {
    std::vector<std::string> names;
    if (text.empty() || check_ignored_variables(text)) return names;
    const auto value = parse(text);
    for (const json& name : *value)
        names.push_back(lower_case(name.get<std::string>()));
    std::ranges::sort(names);
    const auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
    return names;
}

value_error check_hostgroup_settings(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const auto value = parse(text);
    if (!value || !value->is_object()) return "must be empty or {}";
    if (value->empty()) return std::nullopt;
    const std::string name = value->begin().key();
    constexpr auto unsupported = "has the key '{}', which Howdah does not have: {}";
    if (name == "handle_warnings")
        return fmt::format(unsupported, name, "PostgreSQL's notices always reach the client");
    if (name == "monitor_slave_lag_when_null")
        return fmt::format(unsupported, name,
                           "a standby whose lag cannot be measured is not read from");
    return fmt::format(unsupported, name, "leave hostgroup_settings empty");
}

value_error check_autocommit(std::string_view text) {
    if (text == "-1") return std::nullopt;
    return "has no meaning in PostgreSQL, where the client alone begins transactions; only -1 is "
           "accepted";
}

}  // namespace howdah::conf
