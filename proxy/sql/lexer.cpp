#include "proxy/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace howdah::proxy::sql {
namespace {

constexpr uint8_t word_start = 1;
constexpr uint8_t word_part = 2;
constexpr uint8_t digit = 4;
constexpr uint8_t blank = 8;
constexpr uint8_t operator_part = 16;
constexpr uint8_t punctuation = 32;
constexpr uint8_t lifts_sign = 64;  // lets an operator end in + or -
constexpr uint8_t tag_part = 128;   // of a dollar quote

constexpr std::array<uint8_t, 256> make_classes() {
    std::array<uint8_t, 256> c{};
    for (std::size_t i = 0; i < 256; ++i) {
        const bool letter =
            (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_' || i >= 128;
        if (letter) c[i] = word_start | word_part | tag_part;
        if (i >= '0' && i <= '9') c[i] = word_part | digit | tag_part;
    }
    c['$'] = word_part;
    for (const char b : std::string_view{" \t\n\r\f\v"})
        c[static_cast<uint8_t>(b)] = blank;
    for (const char o : std::string_view{"+-*/<>=~!@#%^&|`?"}) {
        c[static_cast<uint8_t>(o)] = operator_part;
    }
    for (const char o : std::string_view{"~!@#%^&|`?"})
        c[static_cast<uint8_t>(o)] |= lifts_sign;
    for (const char p : std::string_view{"()[],;.:"})
        c[static_cast<uint8_t>(p)] = punctuation;
    return c;
}
constexpr auto classes = make_classes();

uint8_t cls(char c) {
    return classes[static_cast<uint8_t>(c)];
}

bool is_hex(char c) {
    const char f = fold(c);
    return (c >= '0' && c <= '9') || (f >= 'a' && f <= 'f');
}

// PostgreSQL 16's integers: 0x, 0o, 0b and underscores between digits.
bool is_based(std::string_view s) {
    std::size_t i = 0;
    char base = 'd';
    if (s.size() > 2 && s[0] == '0' && s[1] > '9') {
        base = fold(s[1]);
        i = 2;
    }
    for (; i < s.size(); ++i) {
        if (s[i] == '_' && i + 1 < s.size() && s[i + 1] != '_') continue;
        const bool ok = base == 'x'   ? is_hex(s[i])
                        : base == 'o' ? s[i] >= '0' && s[i] <= '7'
                        : base == 'b' ? s[i] == '0' || s[i] == '1'
                        : base == 'd' ? (cls(s[i]) & digit) != 0
                                      : false;
        if (!ok) return false;
    }
    return true;
}

}  // namespace

bool token::is_word(std::string_view lower) const noexcept {
    return kind == token_kind::word && text.size() == lower.size() &&
           std::equal(text.begin(), text.end(), lower.begin(),
                      [](char a, char b) { return fold(a) == b; });
}

const char* lexer::scan_block_comment(const char* p) const noexcept {
    int depth = 0;
    while (p < end_) {
        if (end_ - p >= 2 && p[0] == '/' && p[1] == '*') {
            ++depth;
            p += 2;
        } else if (end_ - p >= 2 && p[0] == '*' && p[1] == '/') {
            p += 2;
            if (--depth == 0) return p;
        } else {
            ++p;
        }
    }
    return end_;
}

bool lexer::skip_blank(std::string_view* comment) noexcept {
    const char* p = at_;
    while (p < end_) {
        if ((cls(*p) & blank) != 0) {
            ++p;
        } else if (*p == '-' && end_ - p >= 2 && p[1] == '-') {
            p += 2;
            while (p < end_ && *p != '\n' && *p != '\r')
                ++p;
        } else if (*p == '/' && end_ - p >= 2 && p[1] == '*') {
            const char* start = p + 2;
            p = scan_block_comment(p);
            if (comment != nullptr) {
                const auto size = static_cast<std::size_t>(p - start);
                *comment = std::string_view{start, size};
                if (size >= 2 && comment->ends_with("*/")) comment->remove_suffix(2);
                at_ = p;
                return true;
            }
        } else {
            break;
        }
    }
    const bool any = p != at_;
    at_ = p;
    return any;
}

// From behind the opening quote to behind the closing one.
const char* lexer::scan_quoted(const char* p, char quote, bool backslash) const noexcept {
    if (!backslash) {
        while (p < end_) {
            p = static_cast<const char*>(std::memchr(p, quote, static_cast<std::size_t>(end_ - p)));
            if (p == nullptr) return end_;
            ++p;
            if (p == end_ || *p != quote) return p;
            ++p;
        }
        return end_;
    }
    while (p < end_) {
        if (*p == '\\') {
            p += end_ - p >= 2 ? 2 : 1;
        } else if (*p == quote) {
            ++p;
            if (p == end_ || *p != quote) return p;
            ++p;
        } else {
            ++p;
        }
    }
    return end_;
}

// The literal goes on at a quote after white space or -- comments that hold a line break.
const char* lexer::continuation(const char* p) const noexcept {
    bool line_break = false;
    while (p < end_) {
        if ((cls(*p) & blank) != 0) {
            line_break = line_break || *p == '\n' || *p == '\r';
            ++p;
        } else if (*p == '-' && end_ - p >= 2 && p[1] == '-') {
            while (p < end_ && *p != '\n' && *p != '\r')
                ++p;
        } else {
            return line_break && *p == '\'' ? p + 1 : nullptr;
        }
    }
    return nullptr;
}

const char* lexer::scan_string(const char* p, bool backslash) const noexcept {
    for (;;) {
        p = scan_quoted(p, '\'', backslash);
        if (p == end_) return p;
        const char* more = continuation(p);
        if (more == nullptr) return p;
        p = more;
    }
}

// At '$': behind the dollar-quoted string, or nullptr if none starts here.
const char* lexer::scan_dollar(const char* p) const noexcept {
    const char* q = p + 1;
    while (q < end_ && (cls(*q) & tag_part) != 0)
        ++q;
    if (q == end_ || *q != '$') return nullptr;
    ++q;
    const std::string_view tag{p, static_cast<std::size_t>(q - p)};
    const std::string_view rest{q, static_cast<std::size_t>(end_ - q)};
    const std::size_t close = rest.find(tag);
    return close == std::string_view::npos ? end_ : q + close + tag.size();
}

const char* lexer::scan_number(const char* p, token_kind& kind) const noexcept {
    const char* start = p;
    bool grouped = false;  // by underscores, since PostgreSQL 16
    const auto digits = [&](const char* q) {
        const char* first = q;
        for (; q < end_; ++q) {
            if ((cls(*q) & digit) != 0) continue;
            if (*q != '_' || q == first || end_ - q < 2 || (cls(q[1]) & digit) == 0) break;
            grouped = true;
        }
        return q;
    };
    kind = token_kind::number;
    p = digits(p);
    if (p < end_ && *p == '.' && !(p > start && end_ - p >= 2 && p[1] == '.')) p = digits(p + 1);
    if (p < end_ && fold(*p) == 'e') {
        const char* q = p + 1;
        if (q < end_ && (*q == '+' || *q == '-')) ++q;
        const char* stop = digits(q);
        if (stop != q) p = stop;
    }
    if (p < end_ && (cls(*p) & word_start) != 0) {
        while (p < end_ && (cls(*p) & word_part) != 0)
            ++p;
        kind = is_based({start, static_cast<std::size_t>(p - start)}) ? token_kind::based_number
                                                                      : token_kind::odd_number;
    } else if (grouped) {
        kind = token_kind::based_number;
    }
    return p;
}

const char* lexer::scan_operator(const char* p) const noexcept {
    const char* start = p;
    bool lifted = false;
    while (p < end_ && (cls(*p) & operator_part) != 0) {
        if (p > start && end_ - p >= 2 &&
            ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'))) {
            break;
        }
        lifted = lifted || (cls(*p) & lifts_sign) != 0;
        ++p;
    }
    // "a=-1" is "a = -1", but "@-" is one operator.
    if (!lifted) {
        while (p - start > 1 && (p[-1] == '+' || p[-1] == '-'))
            --p;
    }
    return p;
}

token lexer::next() noexcept {
    token t;
    // One blank before something that cannot be a comment is the common case.
    if (at_ < end_ && *at_ == ' ') {
        ++at_;
        t.spaced = true;
    }
    if (at_ < end_ && ((cls(*at_) & blank) != 0 || *at_ == '-' || *at_ == '/')) {
        t.spaced = skip_blank() || t.spaced;
    }
    if (at_ == end_) return t;
    const char* start = at_;
    const char* p = start;
    const char c = *p;
    const uint8_t k = cls(c);
    const auto peek = [&](std::ptrdiff_t n) { return end_ - start > n ? start[n] : '\0'; };

    if ((k & word_start) != 0) {
        ++p;
        while (p < end_ && (cls(*p) & word_part) != 0)
            ++p;
        t.kind = token_kind::word;
        if (p == start + 1 && p < end_) {
            const char f = fold(c);
            if (*p == '\'' && (f == 'e' || f == 'n')) {
                t.kind = token_kind::string;
                p = scan_string(p + 1, f == 'e');
            } else if (*p == '\'' && (f == 'b' || f == 'x')) {
                t.kind = token_kind::bit_string;
                p = scan_string(p + 1, false);
            } else if (f == 'u' && *p == '&' && peek(2) == '\'') {
                t.kind = token_kind::string;
                p = scan_string(p + 2, false);
            } else if (f == 'u' && *p == '&' && peek(2) == '"') {
                t.kind = token_kind::quoted_word;
                p = scan_quoted(p + 2, '"', false);
            }
        }
    } else if ((k & digit) != 0 || (c == '.' && (cls(peek(1)) & digit) != 0)) {
        p = scan_number(p, t.kind);
    } else if ((k & operator_part) != 0) {
        t.kind = token_kind::op;
        p = scan_operator(p);
    } else if ((k & punctuation) != 0) {
        t.kind = token_kind::punct;
        const char n = peek(1);
        const bool two = (c == ':' && (n == ':' || n == '=')) || (c == '.' && n == '.');
        p += two ? 2 : 1;
    } else if (c == '\'') {
        t.kind = token_kind::string;
        p = scan_string(p + 1, false);
    } else if (c == '"') {
        t.kind = token_kind::quoted_word;
        p = scan_quoted(p + 1, '"', false);
    } else if (c == '$' && (cls(peek(1)) & digit) != 0) {
        t.kind = token_kind::parameter;
        ++p;
        while (p < end_ && (cls(*p) & digit) != 0)
            ++p;
    } else if (const char* stop = c == '$' ? scan_dollar(p) : nullptr; stop != nullptr) {
        t.kind = token_kind::string;
        p = stop;
    } else {
        t.kind = token_kind::other;
        ++p;
    }
    at_ = p;
    t.text = {start, static_cast<std::size_t>(p - start)};
    return t;
}

}  // namespace howdah::proxy::sql
