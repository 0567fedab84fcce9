#include "admin/sql/text.hpp"

#include <algorithm>

namespace howdah::admin {
namespace {

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool begins_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
char to_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}
char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Scans one text; every function returns the offset behind what begins at `at`.
class scanner {
public:
    explicit scanner(std::string_view sql) : sql_(sql) {}

    [[nodiscard]] std::size_t skip_blank(std::size_t at) const {
        for (;;) {
            if (at < sql_.size() && is_space(sql_[at])) {
                ++at;
            } else if (sql_.substr(at, 2) == "--") {
                at = std::min(sql_.find('\n', at), sql_.size());
            } else if (sql_.substr(at, 2) == "/*") {
                at = block_comment(at);
            } else {
                return at;
            }
        }
    }

    [[nodiscard]] token next(std::size_t at) const {
        const char c = sql_[at];
        const char behind = at + 1 < sql_.size() ? sql_[at + 1] : '\0';
        if (c == '\'') return make(token_kind::string, at, quoted(at, false));
        if ((c == 'E' || c == 'e') && behind == '\'')
            return make(token_kind::string, at, quoted(at + 1, true));
        if (c == '"') return make(token_kind::quoted_word, at, quoted(at, false));
        if (c == '$' && is_digit(behind)) {
            std::size_t end = at + 1;
            while (end < sql_.size() && is_digit(sql_[end]))
                ++end;
            return make(token_kind::parameter, at, end);
        }
        if (c == '$') {
            if (const std::size_t end = dollar_quoted(at)) return make(token_kind::string, at, end);
        }
        if (is_digit(c) || (c == '.' && is_digit(behind)))
            return make(token_kind::number, at, number(at));
        if (begins_word(c)) return make(token_kind::word, at, word(at));
        return make(token_kind::symbol, at, at + symbol_size(at));
    }

private:
    [[nodiscard]] token make(token_kind kind, std::size_t begin, std::size_t end) const {
        return {kind, sql_.substr(begin, end - begin), begin};
    }
    [[nodiscard]] std::size_t block_comment(std::size_t at) const {
        int depth = 0;
        while (at < sql_.size()) {
            const std::string_view two = sql_.substr(at, 2);
            if (two == "/*") {
                ++depth;
                at += 2;
            } else if (two == "*/") {
                at += 2;
                if (--depth == 0) return at;
            } else {
                ++at;
            }
        }
        return at;
    }
    [[nodiscard]] std::size_t quoted(std::size_t at, bool backslash) const {
        const char quote = sql_[at++];
        while (at < sql_.size()) {
            if (backslash && sql_[at] == '\\') {
                at += 2;
            } else if (sql_[at] != quote) {
                ++at;
            } else if (at + 1 < sql_.size() && sql_[at + 1] == quote) {
                at += 2;
            } else {
                return at + 1;
            }
        }
        return sql_.size();
    }
    /// 0: it is none.
    [[nodiscard]] std::size_t dollar_quoted(std::size_t at) const {
        std::size_t end = at + 1;
        while (end < sql_.size() && (begins_word(sql_[end]) || is_digit(sql_[end])))
            ++end;
        if (end >= sql_.size() || sql_[end] != '$') return 0;
        const std::string_view tag = sql_.substr(at, end + 1 - at);
        const std::size_t close = sql_.find(tag, end + 1);
        return close == sql_.npos ? sql_.size() : close + tag.size();
    }
    [[nodiscard]] std::size_t number(std::size_t at) const {
        while (at < sql_.size() &&
               (is_digit(sql_[at]) || sql_[at] == '.' || begins_word(sql_[at]) ||
                ((sql_[at] == '+' || sql_[at] == '-') &&
                 (sql_[at - 1] == 'e' || sql_[at - 1] == 'E'))))
            ++at;
        return at;
    }
    /// A '-' inside belongs to it where a letter follows: pgsql-threads is one name.
    [[nodiscard]] std::size_t word(std::size_t at) const {
        const std::size_t begin = at;
        while (at < sql_.size()) {
            const char c = sql_[at];
            const bool joins = c == '-' && at + 1 < sql_.size() && begins_word(sql_[at + 1]) &&
                               has_prefix(sql_.substr(begin, at - begin));
            if (!begins_word(c) && !is_digit(c) && c != '$' && !joins) break;
            ++at;
        }
        return at;
    }
    /// Names of variables begin so; elsewhere a '-' is a minus.
    [[nodiscard]] static bool has_prefix(std::string_view begin) {
        const std::string lowered = lower(begin);
        return lowered == "pgsql" || lowered == "admin" || lowered == "mysql" || lowered == "ha" ||
               lowered == "howdah";
    }
    [[nodiscard]] std::size_t symbol_size(std::size_t at) const {
        for (const std::string_view two : {"::", "||", "<=", ">=", "<>", "!=", "!~", "~*", "->"})
            if (sql_.substr(at, 2) == two) {
                if (two == "!~" && sql_.substr(at, 3) == "!~*") return 3;
                if (two == "->" && sql_.substr(at, 3) == "->>") return 3;
                return 2;
            }
        return 1;
    }

    std::string_view sql_;
};

}  // namespace

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), to_upper);
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), to_lower);
    return out;
}

bool token::is_word(std::string_view wanted) const {
    return kind == token_kind::word && text.size() == wanted.size() &&
           std::equal(text.begin(), text.end(), wanted.begin(),
                      [](char a, char b) { return to_upper(a) == b; });
}

std::vector<token> tokens_of(std::string_view sql) {
    const scanner s(sql);
    std::vector<token> out;
    for (std::size_t at = s.skip_blank(0); at < sql.size();) {
        out.push_back(s.next(at));
        at = s.skip_blank(at + out.back().text.size());
    }
    return out;
}

std::string content_of(const token& t) {
    std::string_view inside = t.text;
    if (t.kind == token_kind::string && inside.front() == '$') {
        const std::size_t tag = inside.find('$', 1) + 1;
        return inside.size() >= 2 * tag ? std::string(inside.substr(tag, inside.size() - 2 * tag))
                                        : std::string(inside.substr(tag));
    }
    if (t.kind != token_kind::string && t.kind != token_kind::quoted_word)
        return std::string(inside);
    const bool escapes = inside.front() == 'E' || inside.front() == 'e';
    inside.remove_prefix(escapes ? 1 : 0);
    const char quote = inside.front();
    inside.remove_prefix(1);
    if (!inside.empty() && inside.back() == quote) inside.remove_suffix(1);
    std::string out;
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] == quote && i + 1 < inside.size()) ++i;
        if (escapes && inside[i] == '\\' && i + 1 < inside.size()) {
            const char c = inside[++i];
            out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            continue;
        }
        out += inside[i];
    }
    return out;
}

std::vector<std::string_view> split_statements(std::string_view sql) {
    std::vector<std::string_view> out;
    std::size_t begin = 0;
    bool something = false;
    const auto end_at = [&](std::size_t end) {
        if (something) out.push_back(sql.substr(begin, end - begin));
        something = false;
        begin = end + 1;
    };
    for (const token& t : tokens_of(sql)) {
        if (t.kind == token_kind::symbol && t.is(";")) {
            end_at(t.offset);
        } else {
            something = true;
        }
    }
    end_at(sql.size());
    return out;
}

}  // namespace howdah::admin
