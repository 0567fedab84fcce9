#include "monitor/wal_position.hpp"

#include <fmt/format.h>

#include <charconv>

namespace howdah::monitor {
namespace {

template <class Integer>
std::optional<Integer> number(std::string_view text, int base = 10) {
    Integer value{};
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, base);
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string to_string(const wal_position& at) {
    return fmt::format("{}:{:X}/{:X}", at.timeline, at.lsn >> 32, at.lsn & 0xffffffff);
}

std::optional<wal_position> parse_wal_position(std::string_view text) {
    const std::size_t colon = text.find(':'), slash = text.find('/');
    if (colon == text.npos || slash == text.npos || slash < colon) return std::nullopt;
    const auto timeline = number<std::uint32_t>(text.substr(0, colon));
    const auto high = number<std::uint32_t>(text.substr(colon + 1, slash - colon - 1), 16);
    const auto low = number<std::uint32_t>(text.substr(slash + 1), 16);
    if (!timeline || !high || !low) return std::nullopt;
    return wal_position{*timeline, std::uint64_t{*high} << 32 | *low};
}

std::uint64_t end_of_wal(std::uint64_t insert_lsn) {
    constexpr std::uint64_t page = 8192, short_header = 24, long_header = 40;
    // No record fits between the two.
    const std::uint64_t offset = insert_lsn % page;
    return offset == short_header || offset == long_header ? insert_lsn - offset : insert_lsn;
}

}  // namespace howdah::monitor
