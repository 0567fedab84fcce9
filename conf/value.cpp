#include "conf/value.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace howdah::conf {
namespace {

struct unit {
    std::string_view name;
    std::int64_t factor;
};

std::span<const unit> units_of(value_kind kind) {
    static constexpr unit milliseconds[] = {
        {"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    static constexpr unit seconds[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86'400}};
    static constexpr unit bytes[] = {{"B", 1}, {"kB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}};
    switch (kind) {
        case value_kind::milliseconds:
            return milliseconds;
        case value_kind::seconds:
            return seconds;
        case value_kind::size:
            return bytes;
        default:
            return {};
    }
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string not_a_number(value_kind kind) {
    const auto units = units_of(kind);
    if (units.empty()) return "is not a whole number";
    std::vector<std::string_view> names;
    for (const auto& u : units)
        names.push_back(u.name);
    return fmt::format("is not a whole number with an optional unit ({})", fmt::join(names, ", "));
}

value_error parse_listen_address(std::string_view text, listen_address& out) {
    std::string_view host = text, port;
    std::array<unsigned char, sizeof(in6_addr)> ignored;
    const bool bare_v6 = inet_pton(AF_INET6, std::string(text).c_str(), ignored.data()) == 1;
    if (const auto colon = text.rfind(':'); !bare_v6 && colon != text.npos && text.back() != ']') {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty()) return "has no port number after the ':'";
    }
    out.port = listen_address{}.port;
    const bool is_unix = host.starts_with('/');
    if (!port.empty()) {
        std::int64_t number = 0;
        if (parse_number(port, value_kind::integer, {is_unix ? 1 : 0, 65535}, number))
            return "has a port number that is not from 1 to 65535";
        out.port = static_cast<std::uint16_t>(number);
    }
    if (is_unix) {
        constexpr std::size_t file_name = sizeof("/.s.PGSQL.65535");
        if (host.size() + file_name > sizeof(sockaddr_un::sun_path))
            return "is too long for the directory of a unix socket";
        out.host = host;
        return std::nullopt;
    }
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    out.host = brackets ? host.substr(1, host.size() - 2) : host;
    const int family = brackets || bare_v6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, out.host.c_str(), ignored.data()) != 1)
        return "is not an address such as 0.0.0.0:6133, [::]:6133 or /run/howdah:6133";
    return std::nullopt;
}

}  // namespace

std::string none_of(const std::vector<std::string_view>& choices) {
    return fmt::format("is none of {}", fmt::join(choices, ", "));
}

std::string describe(limits range, value_kind kind) {
    const auto units = units_of(kind);
    const std::string suffix = units.empty() ? "" : fmt::format(" {}", units.front().name);
    if (range.max == limits{}.max) return fmt::format("at least {}{}", range.min, suffix);
    return fmt::format("{} to {}{}", range.min, range.max, suffix);
}

value_error parse_number(std::string_view text, value_kind kind, limits range, std::int64_t& out) {
    text = trim(text);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string out_of_range = fmt::format("is out of range ({})", describe(range, kind));
    if (error == std::errc::result_out_of_range) return out_of_range;
    if (error != std::errc{}) return not_a_number(kind);
    const auto rest = trim(text.substr(static_cast<std::size_t>(end - text.data())));
    if (!rest.empty()) {
        const auto units = units_of(kind);
        const auto found = std::ranges::find_if(
            units, [&](const unit& u) { return equal_ignoring_case(u.name, rest); });
        if (found == units.end()) return not_a_number(kind);
        if (number > range.max / found->factor || number < 0) return out_of_range;
        number *= found->factor;
    }
    if (number < range.min || number > range.max) return out_of_range;
    out = number;
    return std::nullopt;
}

value_error parse_bool(std::string_view text, bool& out) {
    for (const auto* yes : {"true", "on", "yes", "1"})
        if (equal_ignoring_case(text, yes)) return out = true, std::nullopt;
    for (const auto* no : {"false", "off", "no", "0"})
        if (equal_ignoring_case(text, no)) return out = false, std::nullopt;
    return "is neither true nor false";
}

value_error parse_listen_addresses(std::string_view text, std::vector<listen_address>& out) {
    std::vector<listen_address> result;
    if (trim(text) == "none") {
        out.clear();
        return std::nullopt;
    }
    for (;;) {
        const auto end = text.find_first_of(";,");
        listen_address item;
        if (const auto part = trim(text.substr(0, end)); !part.empty()) {
            if (auto error = parse_listen_address(part, item)) return error;
            if (item.port != 0 && std::ranges::find(result, item) != result.end())
                return fmt::format("names {} twice", item.to_string());
            result.push_back(std::move(item));
        }
        if (end == text.npos) break;
        text.remove_prefix(end + 1);
    }
    if (result.empty()) return "names no address";
    out = std::move(result);
    return std::nullopt;
}

}  // namespace howdah::conf
