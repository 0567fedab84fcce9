#pragma once

#include <cstdint>
#include <string_view>

namespace howdah::proxy::sql {

enum class token_kind : uint8_t {
    end,
    word,         // keyword or unquoted identifier
    quoted_word,  // "..." or U&"..."
    string,       // '...', E'', N'', U&'', $tag$...$tag$, with its continuation lines
    bit_string,   // B'' and X''
    number,
    based_number,  // 0x1f, 0o7, 0b1, 1_000: literals since PostgreSQL 16 only
    odd_number,    // a number with letters stuck to it
    parameter,     // $1
    op,            // any operator, also a single + - * / < > =
    punct,         // ( ) [ ] , ; . : and :: .. :=
    other,         // a byte PostgreSQL would refuse
};

struct token {
    token_kind kind = token_kind::end;
    bool spaced = false;    // white space or a comment stands before it
    std::string_view text;  // exactly as written, points into the input

    [[nodiscard]] bool is(char punctuation) const noexcept {
        return kind == token_kind::punct && text.size() == 1 && text[0] == punctuation;
    }
    /// A word equal to `lower`, whatever its case.
    [[nodiscard]] bool is_word(std::string_view lower) const noexcept;
    /// Any kind of literal.
    [[nodiscard]] bool is_literal() const noexcept {
        return kind >= token_kind::string && kind <= token_kind::based_number;
    }
};

/// PostgreSQL's lexical structure (documentation 4.1, scan.l) over bytes in memory. Never fails:
/// an unterminated literal or comment ends with the text. No allocation.
class lexer {
public:
    explicit lexer(std::string_view sql) noexcept
        : at_{sql.data()}, end_{sql.data() + sql.size()} {}

    /// The next token; token_kind::end once and for all at the end.
    [[nodiscard]] token next() noexcept;

    /// Skips white space and comments before the next token. True if there was any. `comment`, if
    /// given, receives the inside of the next block comment and the skipping stops behind it.
    bool skip_blank(std::string_view* comment = nullptr) noexcept;

private:
    const char* scan_quoted(const char* p, char quote, bool backslash) const noexcept;
    const char* scan_string(const char* p, bool backslash) const noexcept;
    const char* scan_block_comment(const char* p) const noexcept;
    const char* scan_dollar(const char* p) const noexcept;
    const char* scan_number(const char* p, token_kind& kind) const noexcept;
    const char* scan_operator(const char* p) const noexcept;
    const char* continuation(const char* p) const noexcept;

    const char* at_;
    const char* end_;
};

[[nodiscard]] constexpr char fold(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace howdah::proxy::sql
