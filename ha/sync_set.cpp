#include "ha/sync_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "ha/facts.hpp"

namespace howdah::ha {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool starts_name(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 128;
}
bool continues_name(char c) {
    return starts_name(c) || is_digit(c) || c == '$';
}

/// One token of syncrep_scanner.l.
struct token {
    enum class kind : std::uint8_t { end, name, number, comma, open, close, junk } is = kind::end;
    std::string text;
    bool quoted = false;

    bool keyword(std::string_view word) const {
        return is == kind::name && !quoted && same_name(text, word);
    }
};

std::vector<token> scan(std::string_view text) {
    using kind = token::kind;
    std::vector<token> out;
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            ++at;
            continue;
        }
        token one;
        if (starts_name(c)) {
            one.is = kind::name;
            while (at < text.size() && continues_name(text[at]))
                one.text += text[at++];
        } else if (is_digit(c)) {
            one.is = kind::number;
            while (at < text.size() && is_digit(text[at]))
                one.text += text[at++];
        } else if (c == '"') {
            one = {kind::junk, "an unterminated quoted name", true};
            std::string name;
            for (++at; at < text.size(); ++at) {
                if (text[at] != '"') {
                    name += text[at];
                } else if (at + 1 < text.size() && text[at + 1] == '"') {
                    name += text[++at];
                } else {
                    one = {kind::name, std::move(name), true};
                    ++at;
                    break;
                }
            }
        } else {
            one.text = c;
            one.is = c == ','   ? kind::comma
                     : c == '(' ? kind::open
                     : c == ')' ? kind::close
                     : c == '*' ? kind::name
                                : kind::junk;
            ++at;
        }
        out.push_back(std::move(one));
    }
    out.emplace_back();
    return out;
}

/// Recursive descent over the tokens; the grammar has no recursion but the list.
class parser {
public:
    explicit parser(std::string_view text) : tokens_(scan(text)) {}

    std::optional<sync_spec> run() {
        using kind = token::kind;
        sync_spec out;
        if (now().is == kind::end) return out;
        out.how = sync_spec::method::priority;
        out.count = 1;
        const bool any = now().keyword("any");
        const bool counted = any || now().keyword("first")
                                 ? tokens_[at_ + 1].is == kind::number
                                 : now().is == kind::number && tokens_[at_ + 1].is == kind::open;
        if (!counted) return list(out) && ends() ? std::optional(out) : std::nullopt;
        if (now().is == kind::name) ++at_;
        if (any) out.how = sync_spec::method::quorum;
        const auto& digits = now().text;
        const auto [stop, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), out.count);
        if (error != std::errc{} || out.count == 0 || out.count > 0x7fffffff) {
            error_ = fmt::format("number of synchronous standbys ({}) must be greater than zero",
                                 digits);
            return std::nullopt;
        }
        ++at_;
        if (!expect(kind::open) || !list(out) || !expect(kind::close) || !ends())
            return std::nullopt;
        return out;
    }

    const std::string& error() const { return error_; }

private:
    const token& now() const { return tokens_[at_]; }

    bool list(sync_spec& out) {
        using kind = token::kind;
        for (;; ++at_) {
            if (now().is != kind::name && now().is != kind::number) return complain();
            // Only FIRST, ANY and their numbers are keywords, and only in front.
            if (!now().quoted && (now().keyword("any") || now().keyword("first")))
                return complain();
            out.names.push_back(now().text);
            ++at_;
            if (now().is != kind::comma) return true;
        }
    }
    bool expect(token::kind wanted) {
        if (now().is != wanted) return complain();
        ++at_;
        return true;
    }
    bool ends() { return now().is == token::kind::end || complain(); }
    bool complain() {
        error_ = now().is == token::kind::end ? "it ends too early"
                                              : fmt::format("syntax error at \"{}\"", now().text);
        return false;
    }

    std::vector<token> tokens_;
    std::size_t at_ = 0;
    std::string error_;
};

std::string quote_name(const std::string& name) {
    const bool plain =
        name == "*" || (!name.empty() && std::ranges::all_of(name, is_digit)) ||
        (!name.empty() && starts_name(name.front()) && std::ranges::all_of(name, continues_name) &&
         !same_name(name, "any") && !same_name(name, "first"));
    if (plain) return name;
    std::string out = "\"";
    for (const char c : name)
        out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

}  // namespace

bool sync_spec::names_standby(std::string_view application_name) const {
    return std::ranges::any_of(names, [&](const std::string& one) {
        return one == "*" || same_name(one, application_name);
    });
}

bool sync_spec::has_wildcard() const {
    return std::ranges::find(names, "*") != names.end();
}

std::optional<sync_spec> parse_sync_spec(std::string_view text, std::string* error) {
    parser one(text);
    auto out = one.run();
    if (!out && error) *error = one.error();
    return out;
}

std::string to_string(const sync_spec& spec) {
    if (spec.how == sync_spec::method::none || spec.names.empty()) return "";
    std::vector<std::string> names;
    for (const auto& one : spec.names)
        names.push_back(quote_name(one));
    return fmt::format("{} {} ({})", spec.how == sync_spec::method::quorum ? "ANY" : "FIRST",
                       spec.count, fmt::join(names, ", "));
}

sync_spec succeed(sync_spec spec, std::string_view promoted, std::string_view old_primary) {
    if (spec.has_wildcard()) return spec;
    const auto found = std::ranges::find_if(
        spec.names, [&](const std::string& one) { return same_name(one, promoted); });
    if (found == spec.names.end()) return spec;
    if (old_primary.empty() || spec.names_standby(old_primary))
        spec.names.erase(found);
    else
        *found = old_primary;
    return spec;
}

sync_spec relax(sync_spec spec, const std::vector<std::string>& left) {
    std::vector<std::string> kept;
    for (const auto& one : left)
        if (spec.names_standby(one)) kept.push_back(one);
    if (kept.empty() || spec.how == sync_spec::method::none) return {};
    spec.count = std::min(spec.count, kept.size());
    spec.names = std::move(kept);
    return spec;
}

sync_answer check_sync_set(const sync_spec& spec, const std::vector<sync_member>& standbys,
                           std::string_view primary_name) {
    sync_answer out;
    if (spec.how == sync_spec::method::none) {
        out.sentence = "synchronous_standby_names is empty: no commit waited for a standby";
        return out;
    }
    std::vector<wal_position> asked;
    for (const auto& one : standbys) {
        if (!spec.names_standby(one.application_name)) continue;
        ++out.members;
        if (one.reached)
            asked.push_back(one.at);
        else
            out.missing.push_back(one.application_name);
    }
    for (const auto& name : spec.names) {
        if (name == "*" || same_name(name, primary_name)) continue;
        const bool borne = std::ranges::any_of(standbys, [&](const sync_member& one) {
            return same_name(one.application_name, name);
        });
        if (borne) continue;
        ++out.members;
        out.missing.push_back(name);
    }
    out.reached = asked.size();
    out.needed = out.members >= spec.count ? out.members - spec.count + 1 : 0;
    out.certain = out.missing.size() < spec.count;
    if (out.members < spec.count) {
        out.certain = !spec.has_wildcard();  // else there may be standbys that nobody named
        out.sentence = fmt::format(
            "{} needs {} confirmations and only {} standbys are known that could give one{}",
            to_string(spec), spec.count, out.members,
            out.certain ? ": no commit was confirmed" : ", others may exist");
        return out;
    }
    if (!out.certain) {
        out.sentence = fmt::format(
            "{} of {} members of {} were asked, {} are needed: a commit may have been confirmed by "
            "{} "
            "alone",
            out.reached, out.members, to_string(spec), out.needed, fmt::join(out.missing, ", "));
        return out;
    }
    std::ranges::sort(asked, [](const auto& a, const auto& b) { return is_before(b, a); });
    out.floor = asked[spec.count - out.missing.size() - 1];
    out.sentence = fmt::format(
        "{} of {} members of {} were asked, {} are needed: every confirmed commit is "
        "at or before {}",
        out.reached, out.members, to_string(spec), out.needed, to_string(*out.floor));
    return out;
}

}  // namespace howdah::ha
