#include "conf/rule_values.hpp"

#include <fmt/format.h>

#include <charconv>

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

}  // namespace howdah::conf
