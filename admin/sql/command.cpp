#include "admin/sql/command.hpp"

#include <algorithm>
#include <cassert>

namespace howdah::admin {

/// A part of a syntax.
struct command_pattern::element {
    enum class kind : std::uint8_t { word, argument, choice, rest };
    kind what = kind::word;
    std::string text{};     ///< the word, or the argument's name
    bool optional = false;  ///< of a choice
    std::vector<std::vector<element>> alternatives{};
};

namespace {

using element = command_pattern::element;
using sequence = std::vector<element>;

/// Syntax -> elements, by recursive descent. Syntaxes are our own: wrong ones are bugs.
class syntax_reader {
public:
    explicit syntax_reader(std::string_view text) : text_(text) {}

    sequence read() {
        sequence out;
        for (;;) {
            while (at_ < text_.size() && text_[at_] == ' ')
                ++at_;
            if (at_ >= text_.size() || text_[at_] == '|' || text_[at_] == '}' || text_[at_] == ']')
                return out;
            out.push_back(one());
        }
    }

private:
    element one() {
        if (text_.substr(at_).starts_with("...")) {
            at_ += 3;
            return {element::kind::rest, "rest"};
        }
        if (text_[at_] == '<') {
            const std::size_t end = text_.find('>', at_);
            element e{element::kind::argument, std::string(text_.substr(at_ + 1, end - at_ - 1))};
            at_ = end + 1;
            return e;
        }
        if (text_[at_] == '[' || text_[at_] == '{') return choice({});
        const std::size_t end = std::min(text_.find_first_of(" |]}:", at_), text_.size());
        std::string word(text_.substr(at_, end - at_));
        at_ = end;
        if (at_ < text_.size() && text_[at_] == ':') {
            ++at_;
            return choice(std::move(word));
        }
        return {element::kind::word, std::move(word)};
    }

    element choice(std::string name) {
        element e{element::kind::choice, std::move(name)};
        e.optional = text_[at_] == '[';
        do {
            ++at_;
            e.alternatives.push_back(read());
        } while (at_ < text_.size() && text_[at_] == '|');
        ++at_;
        return e;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Tries all ways in which the elements fit the tokens; the first one counts.
class matcher {
public:
    matcher(const std::vector<token>& tokens, std::string_view text, std::size_t& furthest)
        : tokens_(tokens), text_(text), furthest_(furthest) {}

    command_pattern::arguments found;

    using rest = std::function<bool(std::size_t)>;

    bool fits(const sequence& s, std::size_t element_index, std::size_t at, const rest& then) {
        furthest_ = std::max(furthest_, at);
        if (element_index == s.size()) return then(at);
        const element& e = s[element_index];
        const auto go_on = [&](std::size_t next) { return fits(s, element_index + 1, next, then); };
        switch (e.what) {
            case element::kind::word:
                return at < tokens_.size() &&
                       (tokens_[at].is_word(e.text) || tokens_[at].is(e.text)) && go_on(at + 1);
            case element::kind::argument:
                return argument(e.text, at, go_on);
            case element::kind::rest:
                if (at < tokens_.size()) found["rest"] = text_.substr(tokens_[at].offset);
                return go_on(tokens_.size());
            case element::kind::choice:
                break;
        }
        for (const sequence& alternative : e.alternatives) {
            const auto before = found;
            const auto took = [&](std::size_t next) {
                if (!e.text.empty()) found[e.text] = words(at, next);
                return go_on(next);
            };
            if (fits(alternative, 0, at, took)) return true;
            found = before;
        }
        return e.optional && go_on(at);
    }

private:
    /// One word or literal; where that does not fit, also several without blanks between them, as
    /// in 10.0.0.1:5432, [::1]:5432 and rack=r1.
    bool argument(const std::string& name, std::size_t at, const rest& go_on) {
        if (at >= tokens_.size()) return false;
        const auto before = found;
        if (tokens_[at].kind != token_kind::symbol) {
            found[name] = content_of(tokens_[at]);
            if (go_on(at + 1)) return true;
            found = before;
        } else if (!tokens_[at].is("[")) {
            return false;
        }
        std::size_t end = at;
        while (end < tokens_.size() && joins(tokens_[end]) &&
               (end == at || end_of(end - 1) == tokens_[end].offset))
            ++end;
        if (end < at + 2) return false;
        found[name] = text_.substr(tokens_[at].offset, end_of(end - 1) - tokens_[at].offset);
        if (go_on(end)) return true;
        found = before;
        return false;
    }
    [[nodiscard]] static bool joins(const token& t) {
        if (t.kind == token_kind::word || t.kind == token_kind::number) return true;
        constexpr std::string_view symbols[] = {":", "::", ".", "-", "[", "]", "%", "="};
        return t.kind == token_kind::symbol &&
               std::ranges::find(symbols, t.text) != std::end(symbols);
    }
    [[nodiscard]] std::size_t end_of(std::size_t index) const {
        return tokens_[index].offset + tokens_[index].text.size();
    }

    [[nodiscard]] std::string words(std::size_t from, std::size_t to) const {
        std::string out;
        for (; from < to; ++from)
            out.append(out.empty() ? "" : " ").append(upper(tokens_[from].text));
        return out;
    }

    const std::vector<token>& tokens_;
    std::string_view text_;
    std::size_t& furthest_;
};

std::size_t characters(std::string_view bytes) {
    return static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

}  // namespace

command_pattern::command_pattern(std::string_view syntax)
    : sequence_(syntax_reader(syntax).read()) {}
command_pattern::~command_pattern() = default;
command_pattern::command_pattern(command_pattern&&) noexcept = default;
command_pattern& command_pattern::operator=(command_pattern&&) noexcept = default;

std::optional<command_pattern::arguments> command_pattern::match(
    const std::vector<token>& statement, std::string_view text, std::size_t& furthest) const {
    matcher m(statement, text, furthest);
    if (!m.fits(sequence_, 0, 0, [&](std::size_t at) { return at == statement.size(); }))
        return std::nullopt;
    return std::move(m.found);
}

std::string command_pattern::readable(std::string_view syntax) {
    std::string out;
    for (std::size_t i = 0; i < syntax.size(); ++i) {
        const std::size_t colon = syntax.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", i);
        const bool name = (i == 0 || syntax[i - 1] == ' ' || syntax[i - 1] == '{' ||
                           syntax[i - 1] == '[' || syntax[i - 1] == '|') &&
                          colon != syntax.npos && colon > i && syntax[colon] == ':';
        if (name) {
            i = colon;
        } else {
            out += syntax[i];
        }
    }
    return out;
}

void command_table::add(command c) {
    patterns_.emplace_back(c.syntax);
    commands_.push_back(std::move(c));
}

void command_table::add(std::vector<command> several) {
    for (command& c : several)
        add(std::move(c));
}

sql_result<command_table::found> command_table::find(std::string_view statement) const {
    const std::vector<token> tokens = tokens_of(statement);
    if (tokens.empty()) return found{};
    std::vector<std::size_t> reach(commands_.size(), 0);
    for (std::size_t i = 0; i < commands_.size(); ++i) {
        if (auto arguments = patterns_[i].match(tokens, statement, reach[i]))
            return found{&commands_[i], std::move(*arguments)};
    }
    const std::size_t furthest = reach.empty() ? 0 : *std::max_element(reach.begin(), reach.end());
    if (furthest == 0) return found{};
    sql_error e;
    e.sqlstate = "42601";
    if (furthest < tokens.size()) {
        e.message = "syntax error at or near \"" + std::string(tokens[furthest].text) + "\"";
        e.position = 1 + characters(statement.substr(0, tokens[furthest].offset));
    } else {
        e.message = "syntax error at end of input";
        e.position = 1 + characters(statement);
    }
    constexpr std::size_t most = 8;
    std::size_t listed = 0;
    for (std::size_t i = 0; i < commands_.size(); ++i) {
        if (reach[i] != furthest) continue;
        if (++listed > most) {
            e.hint += "\n...";
            break;
        }
        e.hint.append(e.hint.empty() ? "Expected: " : "\nor: ")
            .append(command_pattern::readable(commands_[i].syntax));
    }
    return e;
}

}  // namespace howdah::admin
