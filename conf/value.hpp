#pragma once
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/names.hpp"
#include "conf/settings.hpp"

// Text <-> value, for every type that a member of the settings can have.
namespace howdah::conf {

enum class value_kind {
    boolean,
    integer,
    size,
    milliseconds,
    seconds,
    enumeration,
    text,
    list,
    map
};

/// Inclusive bounds of a number, in the unit of its kind.
struct limits {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// What is wrong with a value, as the end of a sentence that begins with the value, e.g. "is not
/// a whole number"; nothing if the value is right. Never contains the value itself.
using value_error = std::optional<std::string>;

/// Whole number with an optional unit: ms, s, min, h, d for times, B, kB, MB, GB for sizes
/// (1 kB = 1024 B), as in postgresql.conf. Without a unit: the unit of the kind.
value_error parse_number(std::string_view text, value_kind kind, limits range, std::int64_t& out);

/// true/false, on/off, yes/no, 1/0.
value_error parse_bool(std::string_view text, bool& out);

/// Addresses separated by ';' or ',': "0.0.0.0:6133", "[::1]:6133", "/run/howdah:6133". Without a
/// port: 6133. Port 0 takes any free port (not for unix sockets). "none": none.
value_error parse_listen_addresses(std::string_view text, std::vector<listen_address>& out);

/// "is none of a, b, c".
std::string none_of(const std::vector<std::string_view>& choices);

/// " (100 to 5000 ms)".
std::string describe(limits range, value_kind kind);

/// The printed spellings of an enumeration, in their order.
template <class Enum>
std::vector<std::string_view> choices_of() {
    std::vector<std::string_view> result;
    for (const auto& [name, value] : names_of(Enum{}))
        if (to_string(value) == name) result.push_back(name);
    return result;
}

/// Kind of a member type; `kind_of<T>` exists for exactly the types below.
template <class T>
inline constexpr value_kind kind_of = [] {
    static_assert(std::is_enum_v<T>, "a member type without a kind");
    return value_kind::enumeration;
}();
template <>
inline constexpr value_kind kind_of<bool> = value_kind::boolean;
template <>
inline constexpr value_kind kind_of<int> = value_kind::integer;
template <>
inline constexpr value_kind kind_of<std::uint16_t> = value_kind::integer;
template <>
inline constexpr value_kind kind_of<std::uint32_t> = value_kind::integer;
template <>
inline constexpr value_kind kind_of<std::size_t> = value_kind::size;
template <>
inline constexpr value_kind kind_of<std::chrono::milliseconds> = value_kind::milliseconds;
template <>
inline constexpr value_kind kind_of<std::chrono::seconds> = value_kind::seconds;
template <>
inline constexpr value_kind kind_of<std::string> = value_kind::text;
template <>
inline constexpr value_kind kind_of<std::vector<listen_address>> = value_kind::list;

template <class T>
value_error parse_value(std::string_view text, limits range, T& out) {
    constexpr auto kind = kind_of<T>;
    if constexpr (kind == value_kind::boolean) {
        return parse_bool(text, out);
    } else if constexpr (kind == value_kind::text) {
        if (text.find('\0') != text.npos) return "contains a NUL byte";
        out = text;
        return std::nullopt;
    } else if constexpr (kind == value_kind::list) {
        return parse_listen_addresses(text, out);
    } else if constexpr (kind == value_kind::enumeration) {
        const auto value = from_string<T>(text);
        if (!value) return none_of(choices_of<T>());
        out = *value;
        return std::nullopt;
    } else {
        std::int64_t number = 0;
        auto error = parse_number(text, kind, range, number);
        if (!error) out = static_cast<T>(number);
        return error;
    }
}

/// Canonical text, without units; `parse_value` reads it back.
template <class T>
std::string format_value(const T& value) {
    constexpr auto kind = kind_of<T>;
    if constexpr (kind == value_kind::boolean) {
        return value ? "true" : "false";
    } else if constexpr (kind == value_kind::text) {
        return value;
    } else if constexpr (kind == value_kind::list) {
        std::string result;
        for (const auto& item : value)
            result += (result.empty() ? "" : ";") + item.to_string();
        return result.empty() ? "none" : result;
    } else if constexpr (kind == value_kind::enumeration) {
        return std::string(to_string(value));
    } else if constexpr (kind == value_kind::milliseconds || kind == value_kind::seconds) {
        return std::to_string(value.count());
    } else {
        return std::to_string(value);
    }
}

}  // namespace howdah::conf
