#include "admin/catalog/dialect.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "admin/catalog/casts.hpp"
#include "admin/sql/text.hpp"

namespace howdah::admin {
namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);
/// Statements inside arguments of set-returning functions are translated by themselves.
constexpr int deepest = 4;
constexpr std::size_t longest = 1 << 20;

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += c;
        out += c;
    }
    return out + "'";
}

class translator {
public:
    translator(std::string_view sql, int depth)
        : sql_(sql), depth_(depth), tokens_(tokens_of(sql)) {
        const auto of_catalog = [](const token& t) {
            const std::string name = t.kind == token_kind::word ? lower(t.text) : std::string();
            return name.starts_with("pg_") || name == "information_schema";
        };
        about_catalog_ = std::any_of(tokens_.begin(), tokens_.end(), of_catalog);
        find_brackets();
    }

    std::string run() {
        frames_.emplace_back();
        while (at_ < tokens_.size())
            at_ = step();
        leave_from();
        if (!changed_) return std::string(sql_);
        std::string out;
        for (const piece& p : out_) {
            out += p.gap;
            for (std::size_t i = p.prefixes.size(); i-- > 0;)
                out += p.prefixes[i];
            out += p.text;
        }
        return out;
    }

private:
    struct piece {
        std::string_view gap;               ///< white space and comments before it
        std::vector<std::string> prefixes;  ///< the last one comes first
        std::string text;
    };

    /// An open bracket, or CASE.
    struct frame {
        enum class kind : std::uint8_t {
            plain,
            call,
            cast,
            keyword_call,
            aggregate,
            case_,
            verbatim
        };
        kind what = kind::plain;
        std::size_t operand = none;            ///< where the operand that it ends begins
        std::optional<std::string> closing{};  ///< in place of the closing bracket
        std::size_t callee = none;
        bool in_from = false;
        bool in_list = false;         ///< between SELECT and FROM
        bool expands = false;         ///< it has a set-returning function
        std::string_view argument{};  ///< of that function
        std::string expanded{};       ///< the same in SQLite's dialect
    };

    /// For every round bracket that opens the one that closes it.
    void find_brackets() {
        closing_.assign(tokens_.size(), none);
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (tokens_[i].is("(")) open.push_back(i);
            if (!tokens_[i].is(")") || open.empty()) continue;
            closing_[open.back()] = i;
            open.pop_back();
        }
    }

    [[nodiscard]] const token* look(std::size_t ahead) const {
        return at_ + ahead < tokens_.size() ? &tokens_[at_ + ahead] : nullptr;
    }
    [[nodiscard]] bool next_is(std::size_t ahead, std::string_view symbol) const {
        const token* t = look(ahead);
        return t != nullptr && t->is(symbol);
    }
    [[nodiscard]] bool next_is_word(std::size_t ahead, std::string_view word) const {
        const token* t = look(ahead);
        return t != nullptr && t->is_word(word);
    }
    [[nodiscard]] std::string_view gap_before(std::size_t i) const {
        const std::size_t end = i == 0 ? 0 : tokens_[i - 1].offset + tokens_[i - 1].text.size();
        return sql_.substr(end, tokens_[i].offset - end);
    }
    [[nodiscard]] bool after(std::string_view symbol) const {
        return at_ > 0 && at_ != unqualified_ && tokens_[at_ - 1].is(symbol);
    }
    [[nodiscard]] bool after_word(std::string_view word) const {
        return at_ > 0 && tokens_[at_ - 1].is_word(word);
    }

    void put(std::string text, std::size_t source) {
        out_.push_back({gap_before(source), {}, std::move(text)});
    }
    void put_operand(std::string text) {
        put(std::move(text), at_);
        operand_ = out_.size() - 1;
        callable_ = false;
    }
    void put_operator(std::string text, std::size_t source) {
        put(std::move(text), source);
        operand_ = none;
        callable_ = false;
    }
    void prefix_operand(std::size_t at, std::string with) {
        out_[at].prefixes.push_back(std::move(with));
        changed_ = true;
    }

    /// The token that comes next; the answer is the one behind what has been dealt with.
    std::size_t step() {
        const token& t = tokens_[at_];
        if (frames_.back().what == frame::kind::verbatim && !t.is("]")) {
            put(std::string(t.text), at_);
            return at_ + 1;
        }
        switch (t.kind) {
            case token_kind::string:
                if (t.text.front() != '\'') {
                    changed_ = true;
                    put_operand(quoted(content_of(t)));
                } else {
                    put_operand(std::string(t.text));
                }
                return at_ + 1;
            case token_kind::number:
            case token_kind::parameter:
                put_operand(std::string(t.text));
                return at_ + 1;
            case token_kind::quoted_word:
                return name();
            case token_kind::word:
                return word();
            case token_kind::symbol:
                break;
        }
        return symbol();
    }

    std::size_t name() {
        const bool goes_on = after(".") && operand_ != none;
        put(std::string(tokens_[at_].text), at_);
        if (!goes_on) operand_ = out_.size() - 1;
        callable_ = true;
        return at_ + 1;
    }

    std::size_t word() {
        const token& t = tokens_[at_];
        if (after(".")) return name();
        const std::string upper_case = upper(t.text);
        if ((t.is_word("PG_CATALOG") || t.is_word("INFORMATION_SCHEMA")) && next_is(1, ".") &&
            look(2) != nullptr && is_name(*look(2)) && next_is(3, "(")) {
            changed_ = true;
            put("", at_);
            unqualified_ = at_ + 2;
            return unqualified_;
        }
        if (upper_case == "OPERATOR" && next_is(1, "(")) return named_operator();
        if (upper_case == "COLLATE") {
            if (const std::size_t end = postgres_collation()) return end;
        }
        if (upper_case == "LIKE" || upper_case == "ILIKE") return like();
        if (upper_case == "LIMIT" && next_is_word(1, "ALL")) {
            changed_ = true;
            put_operator("LIMIT -1", at_);
            return at_ + 2;
        }
        if (upper_case == "ARRAY" && (next_is(1, "[") || next_is(1, "("))) return array();
        if ((upper_case == "ANY" || upper_case == "ALL" || upper_case == "SOME") &&
            next_is(1, "(")) {
            if (const std::size_t end = any()) return end;
        }
        static const word_set values{"CURRENT_USER", "SESSION_USER", "CURRENT_ROLE",
                                     "CURRENT_SCHEMA", "CURRENT_CATALOG"};
        if (values.contains(upper_case) && !next_is(1, "(") && !next_is(1, ".") &&
            !after_word("AS") && !after_word("TABLE") && !after_word("INTO")) {
            changed_ = true;
            put_operand(lower(t.text) + "()");
            return at_ + 1;
        }
        if (upper_case == "CASE") {
            put(std::string(t.text), at_);
            frames_.push_back({frame::kind::case_, out_.size() - 1});
            operand_ = none;
            return at_ + 1;
        }
        if (upper_case == "END" && frames_.back().what == frame::kind::case_) {
            put(std::string(t.text), at_);
            operand_ = frames_.back().operand;
            callable_ = false;
            frames_.pop_back();
            return at_ + 1;
        }
        if ((upper_case == "OVER" || upper_case == "FILTER") && next_is(1, "(") &&
            operand_ != none) {
            put(std::string(t.text), at_);
            callable_ = true;
            return at_ + 1;
        }
        if (next_is(1, "(")) {
            if (const std::size_t end = call(upper_case)) return end;
        }
        return keyword_or_name(upper_case);
    }

    std::size_t keyword_or_name(const std::string& upper_case) {
        const token& t = tokens_[at_];
        frame& f = frames_.back();
        if (f.what == frame::kind::cast && upper_case == "AS") {
            if (const std::size_t end = cast_type()) return end;
        }
        if (f.what == frame::kind::keyword_call && (upper_case == "FROM" || upper_case == "FOR")) {
            changed_ = true;
            put_operator(",", at_);
            return at_ + 1;
        }
        if (f.what == frame::kind::aggregate && upper_case == "ORDER") return skip_order();
        static const word_set behind_from{"WHERE",  "GROUP", "ORDER",  "HAVING", "LIMIT",
                                          "OFFSET", "UNION", "EXCEPT", "WINDOW", "INTERSECT"};
        if (behind_from.contains(upper_case)) leave_from();
        if (upper_case == "SELECT") f.in_list = true;
        if (upper_case == "FROM" && f.in_list) {
            f.in_list = false;
            f.in_from = true;
        }
        if (!is_keyword(t)) return name();
        put_operator(std::string(t.text), at_);
        return at_ + 1;
    }

    /// A set-returning function of the list is one more table behind the others.
    void leave_from() {
        frame& f = frames_.back();
        if (f.expands && (f.in_from || f.in_list)) {
            out_.push_back({"",
                            {},
                            std::string(f.in_from ? ", " : " FROM ") + "json_each(pg_array_json(" +
                                f.expanded + ")) AS pg_expanded "});
            f.expands = false;
        }
        f.in_from = false;
        f.in_list = false;
    }

    std::size_t symbol() {
        const token& t = tokens_[at_];
        if (t.is("::")) return cast();
        if (t.is("(")) {
            const bool called = callable_ && operand_ != none;
            put("(", at_);
            frames_.push_back({called ? frame::kind::call : frame::kind::plain,
                               called ? operand_ : out_.size() - 1});
            operand_ = none;
            callable_ = false;
            return at_ + 1;
        }
        if (t.is("[")) return open_subscript();
        if (t.is(")") || t.is("]")) return close();
        if (t.is(".")) {
            put(".", at_);
            return at_ + 1;
        }
        if (operand_ != none && (t.is("~") || t.is("!~") || t.is("~*") || t.is("!~*"))) {
            return match_operator(t.text, at_ + 1);
        }
        put_operator(std::string(t.text), at_);
        return at_ + 1;
    }

    /// REGEXP and MATCH are SQLite's operators for functions of the same names. `next` is the token
    /// behind it.
    std::size_t match_operator(std::string_view symbol, std::size_t next) {
        changed_ = true;
        std::string text = symbol.back() == '*' ? "MATCH" : "REGEXP";
        if (symbol.front() == '!') text = "NOT " + text;
        if (gap_before(at_).empty()) text = " " + text;
        if (next < tokens_.size() && gap_before(next).empty()) text += " ";
        put_operator(std::move(text), at_);
        return next;
    }

    /// OPERATOR(pg_catalog.~)
    std::size_t named_operator() {
        std::size_t ahead = 2;
        if (look(2) != nullptr && is_name(*look(2)) && next_is(3, ".")) ahead = 4;
        std::string symbol;
        while (look(ahead) != nullptr && look(ahead)->kind == token_kind::symbol &&
               !next_is(ahead, ")"))
            symbol += look(ahead++)->text;
        if (symbol.empty() || !next_is(ahead, ")")) return name();
        changed_ = true;
        if (symbol == "~" || symbol == "!~" || symbol == "~*" || symbol == "!~*") {
            return match_operator(symbol, at_ + ahead + 1);
        } else if (symbol == "~~" || symbol == "~~*") {
            put_operator("LIKE", at_);
        } else if (symbol == "!~~" || symbol == "!~~*") {
            put_operator("NOT LIKE", at_);
        } else {
            put_operator(symbol, at_);
        }
        return at_ + ahead + 1;
    }

    /// 0: it is one of SQLite's.
    std::size_t postgres_collation() {
        std::size_t ahead = 1;
        const bool qualified = next_is_word(1, "PG_CATALOG") && next_is(2, ".");
        if (qualified) ahead = 3;
        const token* which = look(ahead);
        if (which == nullptr || !is_name(*which)) return 0;
        if (!qualified && which->text != "\"default\"" && which->text != "\"C\"") return 0;
        changed_ = true;
        return at_ + ahead + 1;
    }

    std::size_t like() {
        const token& t = tokens_[at_];
        const bool insensitive = t.is_word("ILIKE");
        changed_ = changed_ || insensitive;
        put_operator(insensitive ? "LIKE" : std::string(t.text), at_);
        const token* pattern = look(1);
        if (!about_catalog_ || pattern == nullptr || pattern->kind != token_kind::string ||
            next_is_word(2, "ESCAPE"))
            return at_ + 1;
        const std::string text = content_of(*pattern);
        if (text.find('\\') == text.npos) return at_ + 1;
        changed_ = true;
        put(quoted(text) + " ESCAPE '\\'", at_ + 1);
        operand_ = none;
        return at_ + 2;
    }

    std::size_t array() {
        changed_ = true;
        const bool constructor = next_is(1, "[");
        put(constructor ? "pg_array(" : "(WITH pg_rows(v) AS (", at_);
        frames_.push_back({frame::kind::plain, out_.size() - 1,
                           constructor ? ")" : ") SELECT pg_array_of(v) FROM pg_rows)"});
        operand_ = none;
        return at_ + 2;
    }

    /// x = ANY (array) and x <> ALL (array). 0: another comparison, which stays.
    std::size_t any() {
        const bool all = tokens_[at_].is_word("ALL");
        const bool equal = after("=");
        const bool unequal = after("<>") || after("!=");
        if ((all ? !unequal : !equal) || out_.empty()) return 0;
        changed_ = true;
        out_.back().text =
            std::string(out_.back().gap.empty() ? " " : "") + (all ? "NOT IN" : "IN");
        const bool subquery = next_is_word(2, "SELECT") || next_is_word(2, "WITH");
        if (gap_before(at_).empty()) out_.back().text += ' ';
        put(subquery ? "(" : "(SELECT value FROM json_each(pg_array_json(", at_);
        frames_.push_back({frame::kind::plain, none, subquery ? ")" : ")))"});
        operand_ = none;
        return at_ + 2;
    }

    /// A word before a bracket that means more than a function. 0: it does not.
    std::size_t call(const std::string& upper_case) {
        const auto open_as = [&](std::string text, frame::kind what, std::size_t tokens) {
            put(std::move(text), at_);
            const std::size_t begin = out_.size() - 1;
            frames_.push_back({what, begin, std::nullopt, begin});
            operand_ = none;
            callable_ = false;
            return at_ + tokens;
        };
        const std::string text(tokens_[at_].text);
        if (upper_case == "CAST") return open_as(text + "(", frame::kind::cast, 2);
        if (upper_case == "SUBSTRING") return open_as(text + "(", frame::kind::keyword_call, 2);
        if (upper_case == "TRIM") {
            const bool leading = next_is_word(2, "LEADING");
            const bool trailing = next_is_word(2, "TRAILING");
            if (leading || trailing || next_is_word(2, "BOTH")) {
                changed_ = true;
                return open_as(leading    ? "pg_trim_leading("
                               : trailing ? "pg_trim_trailing("
                                          : "pg_trim_both(",
                               frame::kind::keyword_call, 3);
            }
        }
        if (upper_case == "STRING_AGG" || upper_case == "ARRAY_AGG")
            return open_as(text + "(", frame::kind::aggregate, 2);
        if (upper_case == "PG_SHOW_ALL_SETTINGS" || upper_case == "PG_GET_KEYWORDS" ||
            upper_case == "PG_AVAILABLE_EXTENSIONS")
            return table_without_arguments(upper_case);
        if (upper_case == "UNNEST" || upper_case == "GENERATE_SERIES" ||
            upper_case == "_PG_EXPANDARRAY")
            return set_returning(upper_case);
        return 0;
    }

    std::size_t table_without_arguments(const std::string& function) {
        if (!frames_.back().in_from || !next_is(2, ")")) return 0;
        changed_ = true;
        put(function == "PG_SHOW_ALL_SETTINGS" ? "pg_catalog.pg_settings"
                                               : "pg_catalog." + lower(function),
            at_);
        std::size_t ahead = 3;
        if (next_is_word(ahead, "AS")) ++ahead;
        // The names that an alias gives to the columns are those that they have.
        if (look(ahead) != nullptr && is_name(*look(ahead)) && !is_keyword(*look(ahead)) &&
            next_is(ahead + 1, "(")) {
            out_.back().text += " AS " + std::string(look(ahead)->text);
            while (look(ahead) != nullptr && !next_is(ahead, ")"))
                ++ahead;
            ++ahead;
        }
        operand_ = none;
        return at_ + std::min(ahead, tokens_.size() - at_);
    }

    std::size_t set_returning(const std::string& function) {
        const std::size_t end = closing_[at_ + 1];
        if (end == none || end < at_ + 3 || depth_ >= deepest) return 0;
        const std::size_t begin = tokens_[at_ + 2].offset;
        const std::string_view argument = sql_.substr(begin, tokens_[end].offset - begin);
        if (frames_.back().in_from) return set_as_table(function, argument, end - at_ + 1);
        frame* list = list_around();
        const bool other = list != nullptr && list->expands && list->argument != argument;
        if (list == nullptr || other || function == "GENERATE_SERIES") return 0;
        changed_ = true;
        if (!list->expands) list->expanded = translator(argument, depth_ + 1).run();
        list->expands = true;
        list->argument = argument;
        put_operand(function == "UNNEST" ? "pg_expanded.value"
                                         : "('(' || pg_expanded.value || ',' || "
                                           "(pg_expanded.key + 1) || ')')");
        return end + 1;
    }

    /// FROM f(x) [AS] alias[(column)]; `ahead` is what stands behind the call.
    std::size_t set_as_table(const std::string& function, std::string_view argument,
                             std::size_t ahead) {
        std::string alias = lower(function);
        std::string column;
        if (next_is_word(ahead, "AS")) ++ahead;
        if (look(ahead) != nullptr && is_name(*look(ahead)) && !is_keyword(*look(ahead))) {
            alias = look(ahead++)->text;
            if (next_is(ahead, "(") && look(ahead + 1) != nullptr && next_is(ahead + 2, ")")) {
                column = look(ahead + 1)->text;
                ahead += 3;
            }
        }
        if (column.empty()) column = alias;
        changed_ = true;
        put_operator("(SELECT value AS " + column + " FROM json_each(" +
                         (function == "GENERATE_SERIES" ? "pg_series(" : "pg_array_json(") +
                         translator(argument, depth_ + 1).run() + "))) AS " + alias,
                     at_);
        return at_ + ahead;
    }

    /// The select list that this is an item of, perhaps in brackets: (f(x)).field
    frame* list_around() {
        std::size_t i = frames_.size();
        for (int brackets = 0; i-- > 0 && brackets < 4; ++brackets) {
            if (frames_[i].in_list) return &frames_[i];
            if (frames_[i].what != frame::kind::plain) return nullptr;
        }
        return nullptr;
    }

    /// ORDER BY inside an aggregate, which SQLite does not have.
    std::size_t skip_order() {
        int open = 0;
        std::size_t i = at_;
        for (; i < tokens_.size(); ++i) {
            if (tokens_[i].is("(")) ++open;
            if (tokens_[i].is(")") && --open < 0) break;
        }
        changed_ = true;
        return i;
    }

    std::size_t open_subscript() {
        const bool subscript =
            about_catalog_ && operand_ != none && !after(".") && gap_before(at_).empty();
        if (subscript) {
            prefix_operand(operand_, "pg_subscript(");
            put(", ", at_);
            frames_.push_back({frame::kind::plain, operand_, ")"});
        } else {
            // A name in SQLite's other quotes.
            put("[", at_);
            frames_.push_back({frame::kind::verbatim, out_.size() - 1});
        }
        operand_ = none;
        callable_ = false;
        return at_ + 1;
    }

    std::size_t close() {
        if (frames_.size() == 1 || frames_.back().what == frame::kind::case_) {
            put_operator(std::string(tokens_[at_].text), at_);
            return at_ + 1;
        }
        leave_from();
        const frame f = frames_.back();
        frames_.pop_back();
        put(f.closing.value_or(std::string(tokens_[at_].text)), at_);
        operand_ = f.operand;
        callable_ = false;
        // (composite).field
        if (f.what == frame::kind::plain && f.operand != none && tokens_[at_].is(")") &&
            !f.closing && next_is(1, ".") && look(2) != nullptr && is_name(*look(2))) {
            prefix_operand(f.operand, "pg_field(");
            out_.back().text += ", " + quoted(lower(content_of(*look(2)))) + ")";
            return at_ + 3;
        }
        if (f.what == frame::kind::plain && f.operand != none && tokens_[at_].is(")") &&
            !f.closing && frames_.back().in_from)
            return alias_with_columns();
        return at_ + 1;
    }

    /// FROM (...) alias(a, b): only WITH names the columns of a query in SQLite.
    std::size_t alias_with_columns() {
        std::size_t ahead = next_is_word(1, "AS") ? 2 : 1;
        if (look(ahead) == nullptr || !is_name(*look(ahead)) || is_keyword(*look(ahead)) ||
            !next_is(ahead + 1, "("))
            return at_ + 1;
        const std::string alias(look(ahead)->text);
        std::string columns;
        for (ahead += 2; look(ahead) != nullptr && !next_is(ahead, ")"); ++ahead) {
            if (!is_name(*look(ahead)) && !next_is(ahead, ",")) return at_ + 1;
            columns += look(ahead)->text;
        }
        if (look(ahead) == nullptr || columns.empty()) return at_ + 1;
        prefix_operand(operand_, "(WITH " + alias + "(" + columns + ") AS ");
        out_.back().text += " SELECT * FROM " + alias + ") AS " + alias;
        operand_ = none;
        return at_ + ahead + 1;
    }

    std::size_t cast() {
        const std::optional<type_name> type = type_at(tokens_, at_ + 1);
        if (!type || operand_ == none) {
            put_operator("::", at_);
            return at_ + 1;
        }
        changed_ = true;
        const cast_form form = form_of(*type);
        callable_ = false;
        if (!form.function.empty()) {
            prefix_operand(operand_, std::string(form.function) + "(");
            out_.push_back({"", {}, ")"});
        } else if (!form.to.empty()) {
            prefix_operand(operand_, "CAST(");
            out_.push_back({"", {}, " AS " + std::string(form.to) + ")"});
        }
        return type->end;
    }

    /// The end of CAST(x AS type). 0: SQLite understands it as it is.
    std::size_t cast_type() {
        const std::optional<type_name> type = type_at(tokens_, at_ + 1);
        if (!type || type->end >= tokens_.size() || !tokens_[type->end].is(")")) return 0;
        const cast_form form = form_of(*type);
        if (!form.function.empty()) {
            if (form.function == "date") return 0;
            changed_ = true;
            out_[frames_.back().callee].text = std::string(form.function) + "(";
            return type->end;
        }
        if (!type->qualified && type->name != "name") return 0;
        changed_ = true;
        put("AS " + std::string(form.to.empty() ? "TEXT" : form.to), at_);
        return type->end;
    }

    std::string_view sql_;
    int depth_;
    std::vector<token> tokens_;
    std::vector<std::size_t> closing_;
    bool about_catalog_ = false;
    bool changed_ = false;
    std::size_t at_ = 0;
    std::size_t unqualified_ = none;  ///< the name whose schema has been left out
    std::vector<piece> out_;
    std::vector<frame> frames_;
    /// Where the operand that the output ends with begins.
    std::size_t operand_ = none;
    /// That operand is a name, so that a bracket makes it a call.
    bool callable_ = false;
};

}  // namespace

std::string translated(std::string_view sql) {
    // SQLite refuses what is longer.
    if (sql.size() > longest) return std::string(sql);
    return translator(sql, 0).run();
}

}  // namespace howdah::admin
