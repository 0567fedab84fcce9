#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "conf/rule_values.hpp"
#include "conf/settings.hpp"
#include "proxy/rules/firewall.hpp"
#include "proxy/rules/regex_set.hpp"
#include "proxy/rules/verdict.hpp"

namespace howdah::proxy {

/// ProxySQL's query processor: the active query rules, fast routing and the firewall of one
/// configuration. Rules of one flagIN are filed under the narrowest thing that they ask for (a
/// digest, a user, a database, a regular expression); of these, all regular expressions are
/// searched in one pass. So a statement is compared with the few rules that may match it, in the
/// order of their ids, and a thousand rules cost about what ten cost. Immutable; thread-safe.
class compiled_rules {
public:
    /// Throws std::runtime_error naming the rule and the fault in its expression or replacement.
    explicit compiled_rules(const conf::settings& settings);
    ~compiled_rules();
    compiled_rules(const compiled_rules&) = delete;
    compiled_rules& operator=(const compiled_rules&) = delete;

    /// Nothing is ever said of any statement.
    [[nodiscard]] bool empty() const;
    /// Active rules; their numbers in rule_verdict::matched are below this.
    [[nodiscard]] std::size_t size() const { return rules_.size(); }
    [[nodiscard]] int rule_id(std::uint32_t number) const { return rules_[number].row.rule_id; }

    [[nodiscard]] rule_verdict judge(const rule_subject& subject) const;

    /// Whether chains that begin with this flag look at the statement as sent, that is, at more
    /// than what its digest tells.
    [[nodiscard]] bool looks_at_text(int flag) const;
    /// ... at the normalised text.
    [[nodiscard]] bool looks_at_digest_text(int flag) const;
    /// ... at rule_subject::draw, so that what they say is not the same each time.
    [[nodiscard]] bool draws(int flag) const;
    /// At where the client comes from or has connected to.
    [[nodiscard]] bool looks_at_addresses() const { return looks_at_addresses_; }

private:
    /// What a rule is filed under, so that need not be compared again.
    enum class filed {
        under_digest,
        under_user,
        under_database,
        under_digest_text,
        under_text,
        all
    };
    struct rule {
        conf::query_rule row;
        std::uint64_t digest = 0;  // 0: any
        bool global = false;
        std::unique_ptr<re2::RE2> match_digest;
        std::unique_ptr<re2::RE2> match_pattern;
        std::vector<conf::weighted_flag> flags;  // instead of flagOUT, if any
        std::uint64_t weights = 0;               // their sum
        filed where = filed::all;

        [[nodiscard]] bool moves() const { return row.flag_out || !flags.empty(); }
    };
    using numbers = std::vector<std::uint32_t>;
    /// The rules of one flagIN.
    struct group {
        std::unordered_map<std::uint64_t, numbers> by_digest;
        std::map<std::string, numbers, std::less<>> by_user;
        std::map<std::string, numbers, std::less<>> by_database;
        regex_set digest_texts;
        regex_set texts;
        numbers others;
        numbers leads_to;  // flags of later rules
        bool looks_at_text = false;
        bool looks_at_digest_text = false;
        bool draws = false;
    };
    class chain;

    void add(const conf::query_rule& row);
    void file(std::uint32_t number);
    void find_what_chains_look_at();
    [[nodiscard]] std::optional<int> fast_route(const rule_subject& subject, int flag) const;

    std::vector<rule> rules_;  // by rule_id
    std::unordered_map<int, group> groups_;
    std::map<std::tuple<std::string, std::string, int>, int, std::less<>> fast_routes_;
    std::optional<firewall> firewall_;
    std::string firewall_message_;
    bool looks_at_addresses_ = false;
    std::uint32_t iterations_ = 0;  // from the first rule on, after a flagOUT
};

}  // namespace howdah::proxy
