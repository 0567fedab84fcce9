#include "proxy/sql/code_block.hpp"

#include <algorithm>
#include <array>

#include "proxy/sql/lexer.hpp"

namespace howdah::proxy::sql {
namespace {

// Anywhere.
constexpr std::array<std::string_view, 10> telling_words{"temp",
                                                         "temporary",
                                                         "pg_temp",
                                                         "set_config",
                                                         "pg_advisory_lock",
                                                         "setseed",
                                                         "dblink_connect",
                                                         "pg_try_advisory_lock",
                                                         "pg_advisory_lock_shared",
                                                         "pg_try_advisory_lock_shared"};

// Only where a statement starts.
constexpr std::array<std::string_view, 6> telling_verbs{"set",     "reset", "listen",
                                                        "prepare", "load",  "discard"};

constexpr std::array<std::string_view, 5> openers{"begin", "then", "else", "loop", "declare"};

template <std::size_t n>
bool is_any(const token& t, const std::array<std::string_view, n>& words) {
    return std::ranges::any_of(words, [&](std::string_view w) { return t.is_word(w); });
}

// Literals in literals are rare; a few levels of EXECUTE are enough.
bool scan(std::string_view body, int levels) {
    lexer in{body};
    bool at_start = true;
    for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
        if (is_any(t, telling_words)) return true;
        if (at_start && is_any(t, telling_verbs)) return true;
        if (t.kind == token_kind::string && t.text.size() > 2 && levels > 0) {
            std::string_view inner = t.text;
            const std::size_t tag =
                inner.front() == '$' ? inner.find('$', 1) + 1 : inner.find('\'') + 1;
            inner.remove_prefix(tag);
            if (scan(inner, levels - 1)) return true;
        }
        // Doubled quotes inside a literal look like an empty one.
        at_start = t.is(';') || t.kind == token_kind::string || is_any(t, openers);
    }
    return false;
}

}  // namespace

bool seems_to_create_session_state(std::string_view body) {
    return scan(body, 3);
}

}  // namespace howdah::proxy::sql
