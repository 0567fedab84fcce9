#include "admin/catalog/arrays.hpp"

#include <charconv>

#include "admin/sql/text.hpp"

namespace howdah::admin {
namespace {

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc() || end != text.data() + text.size() || std::to_string(n) != text)
        return {};
    return n;
}

std::string json_string(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace

bool counts_from_zero(std::string_view text) {
    return text.empty() || text.front() != '{';
}

array_elements elements_of(std::string_view text) {
    array_elements out;
    const bool vector = counts_from_zero(text);
    if (!vector) {
        text.remove_prefix(1);
        if (!text.empty() && text.back() == '}') text.remove_suffix(1);
    }
    const char separator = vector ? ' ' : ',';
    std::string one;
    bool quoted = false;
    bool was_quoted = false;
    bool any = false;
    const auto end_one = [&] {
        if (!was_quoted && lower(one) == "null") {
            out.emplace_back();
        } else {
            out.emplace_back(one);
        }
        one.clear();
        was_quoted = false;
        any = false;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && i + 1 < text.size()) {
            one += text[++i];
        } else if (c == '"') {
            quoted = !quoted;
            was_quoted = true;
        } else if (c == separator && !quoted) {
            if (!vector || any) end_one();
            continue;
        } else {
            one += c;
        }
        any = true;
    }
    if (any || (!vector && !out.empty())) end_one();
    return out;
}

std::string array_text(const array_elements& elements) {
    std::string out = "{";
    for (const auto& e : elements) {
        if (out.size() > 1) out += ',';
        if (!e) {
            out += "NULL";
            continue;
        }
        const bool plain = !e->empty() && lower(*e) != "null" &&
                           e->find_first_of("{}\",\\ \t\n\r\v\f") == std::string::npos;
        if (plain) {
            out += *e;
            continue;
        }
        out += '"';
        for (const char c : *e) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return out + '}';
}

std::string array_json(const array_elements& elements) {
    std::string out = "[";
    for (const auto& e : elements) {
        if (out.size() > 1) out += ',';
        out += !e ? "null" : number(*e) ? *e : json_string(*e);
    }
    return out + ']';
}

value element_value(const std::optional<std::string>& element) {
    if (!element) return std::monostate{};
    if (const auto n = number(*element)) return *n;
    return *element;
}

}  // namespace howdah::admin
