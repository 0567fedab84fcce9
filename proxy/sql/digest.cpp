#include "proxy/sql/digest.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "proxy/sql/lexer.hpp"

static_assert(std::endian::native == std::endian::little, "digests are little-endian");

namespace howdah::proxy::sql {
namespace {

constexpr uint64_t multiplier_a = 0xa0761d6478bd642fULL;
constexpr uint64_t multiplier_b = 0xe7037ed1a0b428dbULL;
constexpr uint64_t start_a = 0x8ebc6af09c88c6e3ULL;
constexpr uint64_t start_b = 0x589965cc75374cc3ULL;

__extension__ using uint128 = unsigned __int128;

uint64_t mix(uint64_t a, uint64_t b) {
    const uint128 product = static_cast<uint128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Lower-cases the ASCII letters among eight bytes.
uint64_t fold8(uint64_t w) {
    constexpr uint64_t ones = 0x0101010101010101ULL;
    const uint64_t low = w & (0x7f * ones);
    const uint64_t from_a = low + (0x80 - 'A') * ones;
    const uint64_t above_z = low + (0x7f - 'Z') * ones;
    const uint64_t upper = (from_a ^ above_z) & ~w & (0x80 * ones);
    return w | (upper >> 2);
}

constexpr uint64_t pack(std::string_view s) {
    uint64_t w = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        w |= static_cast<uint64_t>(static_cast<uint8_t>(s[i])) << (8 * i);
    }
    return w;
}

constexpr uint64_t word_in = pack("in");
constexpr uint64_t word_array = pack("array");
constexpr uint64_t word_values = pack("values");
constexpr uint64_t word_uescape = pack("uescape");

struct lanes {
    uint64_t a;
    uint64_t b;
    bool operator==(const lanes&) const = default;
};

// The tag of a token stands in the top byte of its last word. Words and operators hold no bytes
// below 16, so a full word of theirs is never taken for a last one.
constexpr uint64_t tag(token_kind kind) {
    return static_cast<uint64_t>(kind) << 56;
}
constexpr uint64_t literal_word = tag(token_kind::string);
constexpr uint64_t based_literal_word = tag(token_kind::based_number);

// Walks the tokens of a text and leaves out what does not count. Collapsing is done by going back
// to a mark, so hash and text always agree.
class normaliser {
public:
    normaliser(std::string_view sql, uint64_t key, std::string* text, std::size_t max)
        : lexer_{sql},
          end_{sql.data() + sql.size()},
          key_{multiplier_b ^ (key << 1)},
          seed_{start_a, start_b ^ key},
          state_{seed_},
          text_{text},
          max_{max} {}

    digest run() {
        for (token t = lexer_.next(); t.kind != token_kind::end; t = lexer_.next())
            step(t);
        if (rows_ == rows::row) close_row();
        return {mix(state_.a, multiplier_b), mix(state_.b, multiplier_a)};
    }

private:
    struct mark {
        lanes state;
        std::size_t size;
    };
    enum class list {
        none,
        opener_round,
        opener_square,
        first,
        first_sign,
        literal,
        comma,
        sign,
        again
    };
    enum class rows { none, keyword, row, between, comma };

    void step(const token& t) {
        if (list_ == list::none && rows_ == rows::none && semicolons_ == 0 && !t.is(';')) {
            return emit(t);
        }
        if (t.is(';')) {
            // Counts only if something follows.
            list_ = list::none;
            if (rows_ == rows::row) close_row();
            rows_ = rows::none;
            if (semicolons_++ == 0) semicolon_spaced_ = t.spaced;
            return;
        }
        for (; semicolons_ > 0; --semicolons_) {
            emit({token_kind::punct, std::exchange(semicolon_spaced_, false), ";"});
        }
        step_list(t);
        step_rows(t);
    }

    // Before the token is emitted: list and sign rules that need what follows.
    void step_list(const token& t) {
        switch (list_) {
            case list::none:
                break;
            case list::opener_round:
                list_ = t.is('(') ? list::first : list::none;
                break;
            case list::opener_square:
                list_ = t.is('[') ? list::first : list::none;
                break;
            case list::first:
                if (t.is_literal()) {
                    list_ = list::literal;
                } else if (is_sign(t)) {
                    list_mark_ = here();
                    list_ = list::first_sign;
                } else {
                    list_ = list::none;
                }
                break;
            case list::first_sign:
                if (is_numeric(t)) {
                    back(list_mark_);
                    list_ = list::literal;
                } else {
                    list_ = list::none;
                }
                break;
            case list::literal:
                list_mark_ = here();
                list_ = t.is(',') ? list::comma : list::none;
                break;
            case list::comma:
                list_ = t.is_literal() ? list::again : is_sign(t) ? list::sign : list::none;
                break;
            case list::sign:
                list_ = is_numeric(t) ? list::again : list::none;
                break;
            case list::again:
                // A whole element was one more literal.
                if (t.is(',')) {
                    back(list_mark_);
                    list_ = list::comma;
                } else {
                    if (t.is(')') || t.is(']')) back(list_mark_);
                    list_ = list::none;
                }
                break;
        }
    }

    void step_rows(const token& t) {
        switch (rows_) {
            case rows::none:
                break;
            case rows::keyword:
                rows_ = rows::none;
                if (t.is('(')) return begin_row(t, false);
                break;
            case rows::row:
                if (t.kind == token_kind::punct && t.text.size() == 1) {
                    const char c = t.text[0];
                    if (c == '(' || c == '[') {
                        ++row_depth_;
                    } else if ((c == ')' || c == ']') && --row_depth_ == 0) {
                        return end_row(t);
                    }
                }
                break;
            case rows::between:
                rows_ = rows::none;
                if (t.is(',')) {
                    row_mark_ = here();
                    rows_ = rows::comma;
                }
                break;
            case rows::comma:
                rows_ = rows::none;
                if (t.is('(')) return begin_row(t, true);
                break;
        }
        emit(t);
    }

    void begin_row(const token& t, bool more) {
        rows_ = rows::row;
        row_depth_ = 1;
        more_rows_ = more;
        outer_ = state_;
        state_ = seed_;
        emit(t);
    }

    void end_row(const token& t) {
        emit(t);
        rows_ = rows::between;
        if (more_rows_ && state_ == last_row_) return back(row_mark_);
        last_row_ = state_;
        close_row();
    }

    // The row's hash becomes one word of the whole.
    void close_row() {
        state_ = {mix(outer_.a ^ state_.a, multiplier_a), mix(outer_.b ^ state_.b, key_)};
    }

    static bool is_sign(const token& t) {
        return t.kind == token_kind::op && (t.text == "-" || t.text == "+");
    }
    static bool is_numeric(const token& t) {
        return t.kind == token_kind::number || t.kind == token_kind::based_number;
    }

    [[nodiscard]] mark here() const { return {state_, text_ != nullptr ? text_->size() : 0}; }
    void back(const mark& m) {
        state_ = m.state;
        if (text_ != nullptr) text_->resize(m.size);
    }

    void feed(uint64_t w) {
        state_.a = mix(state_.a ^ w, multiplier_a);
        state_.b = mix(state_.b ^ w, key_);
    }

    [[nodiscard]] uint64_t load(const char* p, std::size_t n) const {
        uint64_t w = 0;
        if (end_ - p >= 8) {
            std::memcpy(&w, p, 8);
            return n == 8 ? w : w & ((uint64_t{1} << (8 * n)) - 1);
        }
        for (std::size_t i = 0; i < n; ++i) {
            w |= static_cast<uint64_t>(static_cast<uint8_t>(p[i])) << (8 * i);
        }
        return w;
    }

    void feed_verbatim(const token& t) {
        feed(tag(t.kind) | t.text.size());
        std::size_t i = 0;
        for (; i + 8 <= t.text.size(); i += 8)
            feed(load(t.text.data() + i, 8));
        if (i < t.text.size()) feed(load(t.text.data() + i, t.text.size() - i));
    }

    void emit(const token& t) {
        const bool keep_literal = after_uescape_;
        after_uescape_ = false;
        bool mask = false;
        switch (t.kind) {
            case token_kind::word:
                feed_word(t.text);
                break;
            case token_kind::op:
            case token_kind::punct:
                // ';' that is put off is not part of the input, so no load() here.
                if (t.text.size() <= 7) {
                    feed(pack(t.text) | tag(t.kind));
                } else {
                    feed_verbatim(t);
                }
                break;
            case token_kind::string:
            case token_kind::bit_string:
            case token_kind::number:
            case token_kind::based_number:
                if (keep_literal) {
                    // U&"..." UESCAPE 'x' is part of a name.
                    feed_verbatim(t);
                } else {
                    mask = true;
                    feed(t.kind == token_kind::based_number ? based_literal_word : literal_word);
                }
                break;
            default:
                feed_verbatim(t);
                break;
        }
        if (text_ != nullptr) append(t, mask);
    }

    void feed_word(std::string_view s) {
        const char* p = s.data();
        std::size_t n = s.size();
        if (n > 7) {
            for (; n > 7; n -= 8, p += 8)
                feed(fold8(load(p, 8)));
            feed((n > 0 ? fold8(load(p, n)) : 0) | tag(token_kind::word));
            return;
        }
        const uint64_t w = fold8(load(p, n));
        feed(w | tag(token_kind::word));
        if (w == word_in) {
            list_ = list::opener_round;
        } else if (w == word_array) {
            list_ = list::opener_square;
        } else if (w == word_values) {
            if (rows_ != rows::row) rows_ = rows::keyword;
        } else if (w == word_uescape) {
            after_uescape_ = true;
        }
    }

    void append(const token& t, bool mask) {
        if (t.spaced && !text_->empty() && text_->size() < max_) *text_ += ' ';
        if (text_->size() >= max_) return;
        if (mask) {
            *text_ += '?';
            return;
        }
        const std::string_view part = t.text.substr(0, max_ - text_->size());
        if (t.kind == token_kind::word) {
            for (const char c : part)
                *text_ += fold(c);
        } else {
            *text_ += part;
        }
    }

    lexer lexer_;
    const char* end_;
    uint64_t key_;
    lanes seed_;
    lanes state_;
    std::string* text_;
    std::size_t max_;

    uint32_t semicolons_ = 0;
    bool semicolon_spaced_ = false;
    bool after_uescape_ = false;
    list list_ = list::none;
    rows rows_ = rows::none;
    bool more_rows_ = false;
    uint32_t row_depth_ = 0;
    mark list_mark_{};
    mark row_mark_{};
    lanes outer_{};
    lanes last_row_{};
};

// A word of a hint ends at a blank, ',' or ';'.
std::string_view take_word(std::string_view& s) {
    constexpr std::string_view gaps = " \t\r\n\f\v,;";
    const std::size_t from = std::min(s.find_first_not_of(gaps), s.size());
    s.remove_prefix(from);
    const std::string_view word = s.substr(0, s.find_first_of(" \t\r\n\f\v,;="));
    s.remove_prefix(word.size());
    return word;
}

std::optional<int> hint_in(std::string_view comment) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    while (!comment.empty()) {
        const std::string_view word = take_word(comment);
        const std::size_t sign = std::min(comment.find_first_not_of(blanks), comment.size());
        if (sign == comment.size() || comment[sign] != '=') {
            if (word.empty() && !comment.empty()) comment.remove_prefix(1);
            continue;
        }
        comment.remove_prefix(sign + 1);
        const std::string_view value = take_word(comment);
        if (word != "hostgroup") continue;
        int number = 0;
        const auto [stop, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error == std::errc{} && stop == value.data() + value.size() && number >= 0) {
            return number;
        }
    }
    return std::nullopt;
}

}  // namespace

digest compute_digest(std::string_view sql, uint64_t key) noexcept {
    return normaliser{sql, key, nullptr, 0}.run();
}

std::string digest_text(std::string_view sql, std::size_t max) {
    std::string text;
    text.reserve(std::min(sql.size(), max));
    normaliser{sql, 0, &text, max}.run();
    return text;
}

std::optional<int> hostgroup_hint(std::string_view sql) noexcept {
    lexer blanks{sql};
    for (;;) {
        std::string_view comment;
        const bool any = blanks.skip_blank(&comment);
        if (!any || comment.data() == nullptr) return std::nullopt;
        if (const auto found = hint_in(comment)) return found;
    }
}

}  // namespace howdah::proxy::sql
