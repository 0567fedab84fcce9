#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.hpp"

namespace re2 {
class RE2;
}

namespace howdah::proxy {

/// What a rule may look at.
struct rule_subject {
    std::string_view username;
    std::string_view database;
    std::string_view client_addr;
    std::string_view query;
};

/// The active query rules with their regular expressions compiled, in rule_id order. Matching is
/// case-insensitive and unanchored, as in ProxySQL. Immutable; thread-safe.
class compiled_rules {
public:
    /// Throws std::runtime_error naming the rule and the fault in its expression.
    explicit compiled_rules(const std::vector<conf::query_rule>& rules);
    ~compiled_rules();
    compiled_rules(const compiled_rules&) = delete;
    compiled_rules& operator=(const compiled_rules&) = delete;

    [[nodiscard]] bool empty() const { return rules_.empty(); }
    /// The destination of the first matching rule with `apply`, else of the last matching rule
    /// that names one; nothing: the default routing decides.
    [[nodiscard]] std::optional<int> destination(const rule_subject& subject) const;

private:
    struct compiled {
        conf::query_rule rule;
        std::unique_ptr<re2::RE2> digest;
        std::unique_ptr<re2::RE2> pattern;
    };
    [[nodiscard]] static bool matches(const compiled& c, const rule_subject& subject,
                                      std::string& digest_text);
    std::vector<compiled> rules_;
};

}  // namespace howdah::proxy
