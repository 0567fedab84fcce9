#include "conf/rule_values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "conf/names.hpp"

namespace howdah::conf {

std::optional<std::uint64_t> parse_digest(std::string_view text) {
    if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
    text.remove_prefix(2);
    std::uint64_t digest = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), digest, 16);
    if (error != std::errc{} || end != text.data() + text.size() || text.size() > 16)
        return std::nullopt;
    return digest;
}

std::string format_digest(std::uint64_t digest) {
    return fmt::format("0x{:016X}", digest);
}

std::optional<re_modifiers> parse_re_modifiers(std::string_view text) {
    re_modifiers found;
    while (!text.empty()) {
        const auto end = text.find(',');
        const std::string_view name = text.substr(0, end);
        if (equal_ignoring_case(name, "CASELESS"))
            found.caseless = true;
        else if (equal_ignoring_case(name, "GLOBAL"))
            found.global = true;
        else
            return std::nullopt;
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return found;
}

std::optional<std::vector<weighted_flag>> parse_weighted_flags(std::string_view text) {
    std::vector<weighted_flag> flags;
    if (text.empty()) return flags;
    const auto attributes = nlohmann::json::parse(text, nullptr, false);
    if (!attributes.is_object()) return std::nullopt;
    const auto list = attributes.find("flagOUTs");
    if (list == attributes.end()) return flags;
    if (!list->is_array() || list->empty()) return std::nullopt;
    std::uint64_t sum = 0;
    for (const auto& entry : *list) {
        const auto number = [&entry](const char* name, std::uint64_t most) -> std::int64_t {
            if (!entry.is_object()) return -1;
            const auto found = entry.find(name);
            if (found == entry.end() || !found->is_number_unsigned()) return -1;
            const auto value = found->get<std::uint64_t>();
            return value <= most ? static_cast<std::int64_t>(value) : -1;
        };
        const std::int64_t flag = number("id", std::numeric_limits<int>::max());
        const std::int64_t weight = number("weight", std::numeric_limits<std::uint32_t>::max());
        if (flag < 0 || weight < 0) return std::nullopt;
        sum += static_cast<std::uint64_t>(weight);
        flags.push_back({static_cast<int>(flag), static_cast<std::uint32_t>(weight)});
    }
    if (sum == 0 || sum > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return flags;
}

}  // namespace howdah::conf
