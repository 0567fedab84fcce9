#include "proxy/sql/nesting.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "proxy/sql/lexer.hpp"

namespace howdah::proxy::sql {
namespace {

// One bracket level: `fixed` is what no comma ends (a chain of SELECTs, JOINs or CASEs), `chain`
// the tokens that may nest since the last comma, `inner` the deepest bracket closed since then.
struct level {
    std::size_t fixed = 1;
    std::size_t chain = 0;
    std::size_t inner = 0;
    std::size_t deepest = 0;

    [[nodiscard]] std::size_t now() const { return fixed + chain + inner; }
    void settle() {
        deepest = std::max(deepest, chain + inner);
        chain = 0;
        inner = 0;
    }
    [[nodiscard]] std::size_t depth() const { return fixed + std::max(deepest, chain + inner); }
};

enum class effect { none, nests, nests_for_good, ends_clause, ends_expression };

template <std::size_t n>
bool is_any(const token& t, const std::array<std::string_view, n>& words) {
    return std::ranges::any_of(words, [&](std::string_view w) { return t.is_word(w); });
}

// `last` is the token before: IS DISTINCT FROM and WITHIN GROUP stand inside an expression.
effect effect_of(const token& t, const token& last) {
    constexpr std::array<std::string_view, 5> chained{"union", "intersect", "except", "join",
                                                      "select"};
    constexpr std::array<std::string_view, 13> clauses{
        "and",   "or",     "from",  "where",     "on",  "group", "having",
        "order", "offset", "limit", "returning", "set", "values"};
    switch (t.kind) {
        case token_kind::op:
        case token_kind::other:
            return effect::nests;
        case token_kind::punct:
            if (t.is(',') || t.is(';')) return effect::ends_expression;
            return t.text == "::" ? effect::nests : effect::none;
        case token_kind::word:
            if (t.is_word("case")) return effect::nests_for_good;
            if (is_any(t, chained)) return effect::ends_clause;
            if (last.is_word("distinct") || last.is_word("within")) return effect::nests;
            return is_any(t, clauses) ? effect::ends_expression : effect::nests;
        default:
            return effect::none;
    }
}

}  // namespace

std::size_t nesting_bound(std::string_view sql, std::size_t enough) {
    std::vector<level> open(1);
    std::size_t outer = 0;  // sum of now() of all levels but the last
    std::size_t result = 0;
    lexer in{sql};
    token last;
    for (token t = in.next(); t.kind != token_kind::end && result <= enough; t = in.next()) {
        level& top = open.back();
        if (t.is('(') || t.is('[')) {
            outer += top.now();
            open.emplace_back();
        } else if ((t.is(')') || t.is(']')) && open.size() > 1) {
            const std::size_t depth = top.depth();
            open.pop_back();
            outer -= open.back().now();
            open.back().inner = std::max(open.back().inner, depth);
        } else {
            switch (effect_of(t, last)) {
                case effect::none:
                    break;
                case effect::nests:
                    ++top.chain;
                    break;
                case effect::nests_for_good:
                    ++top.fixed;
                    break;
                case effect::ends_clause:
                    top.settle();
                    ++top.fixed;
                    break;
                case effect::ends_expression:
                    top.settle();
                    break;
            }
        }
        last = t;
        result = std::max(result, outer + open.back().depth());
    }
    return result;
}

}  // namespace howdah::proxy::sql
