#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The lexical structure that PostgreSQL and SQLite share, as far as commands need it.
namespace howdah::admin {

enum class token_kind : std::uint8_t {
    word,         ///< keyword, name, or a name with '-' as in pgsql-threads
    quoted_word,  ///< "..."
    string,       ///< '...', E'...' or $tag$...$tag$
    number,
    parameter,  ///< $1
    symbol      ///< anything else, one operator or character
};

struct token {
    token_kind kind;
    std::string_view text;  ///< as written; points into the input
    std::size_t offset;     ///< in bytes

    [[nodiscard]] bool is(std::string_view symbol) const { return text == symbol; }
    /// A word equal to `upper`, whatever its case.
    [[nodiscard]] bool is_word(std::string_view upper) const;
};

/// Without white space and comments. An unterminated literal reaches to the end.
[[nodiscard]] std::vector<token> tokens_of(std::string_view sql);

/// What a word, quoted word or literal stands for: quotes taken off.
[[nodiscard]] std::string content_of(const token& t);

/// The statements of a string, without their semicolons; those of nothing but white space and
/// comments are left out. Views into `sql`.
[[nodiscard]] std::vector<std::string_view> split_statements(std::string_view sql);

[[nodiscard]] std::string upper(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace howdah::admin
