#pragma once
#include <re2/re2.h>
#include <re2/set.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::proxy {

/// Case-sensitivity apart, the options of all regular expressions in rules: Perl's syntax, bytes
/// and not characters (as ProxySQL's, and so that text in another encoding than UTF-8 is no way
/// around a rule), unanchored.
[[nodiscard]] re2::RE2::Options rule_regex_options(bool caseless);

[[nodiscard]] inline re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

/// Many regular expressions that are looked for in one text in one pass, whatever their number.
/// Built once, then immutable and thread-safe.
class regex_set {
public:
    /// `single` outlives the set; `rule` is what match() reports.
    void add(const re2::RE2& single, bool caseless, std::uint32_t rule);
    /// After the last add.
    void compile();
    [[nodiscard]] bool empty() const { return members_.empty(); }
    /// Appends the rules whose expression is found somewhere in the text, in no order.
    void match(std::string_view text, std::vector<std::uint32_t>& rules) const;

private:
    struct member {
        const re2::RE2* single;
        bool caseless;
        std::uint32_t rule;
    };
    std::vector<member> members_;
    std::unique_ptr<re2::RE2::Set> set_;  // null: each by itself
};

}  // namespace howdah::proxy
