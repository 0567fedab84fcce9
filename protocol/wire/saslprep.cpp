#include "protocol/wire/saslprep.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

namespace howdah::protocol {
namespace {

struct range {
    char32_t first;
    char32_t last;
};

// RFC 3454, C.1.2.
constexpr range non_ascii_spaces[] = {{0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200B},
                                      {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

// RFC 3454, B.1.
constexpr range mapped_to_nothing[] = {{0xAD, 0xAD},     {0x34F, 0x34F},   {0x1806, 0x1806},
                                       {0x180B, 0x180D}, {0x200C, 0x200D}, {0x2060, 0x2060},
                                       {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

// RFC 4013, 2.3: tables C.2 to C.9 of RFC 3454. The last two code points of every plane (C.4) are
// tested by arithmetic; what the mapping has already replaced is not repeated.
constexpr range prohibited[] = {
    {0x00, 0x1F},       {0x7F, 0x9F},                           // C.2.1, C.2.2 control
    {0x6DD, 0x6DD},     {0x70F, 0x70F},      {0x180E, 0x180E},  // C.2.2
    {0x2028, 0x2029},   {0x2061, 0x2063},    {0x206A, 0x206F},  // C.2.2, C.8
    {0xFFF9, 0xFFFC},   {0x1D173, 0x1D17A},                     // C.2.2, C.6
    {0xE000, 0xF8FF},   {0xF0000, 0x10FFFF},                    // C.3 private use
    {0xFDD0, 0xFDEF},                                           // C.4 non-characters
    {0xFFFD, 0xFFFD},                                           // C.6 replacement character
    {0x2FF0, 0x2FFB},                                           // C.7 ideographic description
    {0x340, 0x341},     {0x200E, 0x200F},    {0x202A, 0x202E},  // C.8 display properties
    {0xE0001, 0xE0001}, {0xE0020, 0xE007F},                     // C.9 tags
};

bool is_in(std::span<const range> table, char32_t code) noexcept {
    return std::any_of(table.begin(), table.end(),
                       [&](range r) { return r.first <= code && code <= r.last; });
}

/// Takes one code point off the front; nothing if `text` does not start with valid UTF-8.
std::optional<char32_t> next_code_point(std::string_view& text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
    if (size == 0 || text.size() < size) return std::nullopt;
    char32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
    for (const char c : text.substr(1, size - 1)) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0) != 0x80) return std::nullopt;
        code = code << 6 | (byte & 0x3F);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return std::nullopt;
    text.remove_prefix(size);
    return code;
}

}  // namespace

std::string saslprep(std::string_view password) {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    std::string prepared;
    if (!std::all_of(password.begin(), password.end(), is_ascii)) {
        for (std::string_view left = password; !left.empty();) {
            const auto before = left;
            const auto code = next_code_point(left);
            if (!code) return std::string(password);
            if (is_in(non_ascii_spaces, *code))
                prepared.push_back(' ');
            else if (is_in(prohibited, *code) || (*code & 0xFFFE) == 0xFFFE)
                return std::string(password);
            else if (!is_in(mapped_to_nothing, *code))
                prepared.append(before.substr(0, before.size() - left.size()));
        }
    }
    return prepared.empty() ? std::string(password) : prepared;
}

}  // namespace howdah::protocol
