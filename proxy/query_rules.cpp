#include "proxy/query_rules.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>

#include "proxy/sql/digest.hpp"

namespace howdah::proxy {
namespace {

constexpr std::size_t max_digest_text = 65000;

std::unique_ptr<re2::RE2> compile(const conf::query_rule& rule, const char* column,
                                  const std::optional<std::string>& expression) {
    if (!expression) return nullptr;
    re2::RE2::Options options;
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    auto compiled = std::make_unique<re2::RE2>(*expression, options);
    if (!compiled->ok())
        throw std::runtime_error("query rule " + std::to_string(rule.rule_id) + ": " + column +
                                 ": " + compiled->error());
    return compiled;
}

bool address_matches(const std::string& wanted, std::string_view address) {
    if (wanted.ends_with('%'))
        return address.starts_with(std::string_view(wanted).substr(0, wanted.size() - 1));
    return address == wanted;
}

}  // namespace

compiled_rules::compiled_rules(const std::vector<conf::query_rule>& rules) {
    for (const conf::query_rule& rule : rules) {
        if (!rule.active) continue;
        rules_.push_back({rule, compile(rule, "match_digest", rule.match_digest),
                          compile(rule, "match_pattern", rule.match_pattern)});
    }
    std::sort(rules_.begin(), rules_.end(),
              [](const compiled& a, const compiled& b) { return a.rule.rule_id < b.rule.rule_id; });
}

compiled_rules::~compiled_rules() = default;

bool compiled_rules::matches(const compiled& c, const rule_subject& subject,
                             std::string& digest_text) {
    const conf::query_rule& rule = c.rule;
    if (rule.username && *rule.username != subject.username) return false;
    if (rule.database && *rule.database != subject.database) return false;
    if (rule.client_addr && !address_matches(*rule.client_addr, subject.client_addr)) return false;
    if (c.digest) {
        if (digest_text.empty()) digest_text = sql::digest_text(subject.query, max_digest_text);
        if (re2::RE2::PartialMatch(digest_text, *c.digest) == rule.negate_match_pattern)
            return false;
    }
    if (c.pattern) {
        const re2::StringPiece text(subject.query.data(), subject.query.size());
        if (re2::RE2::PartialMatch(text, *c.pattern) == rule.negate_match_pattern) return false;
    }
    return true;
}

std::optional<int> compiled_rules::destination(const rule_subject& subject) const {
    std::optional<int> chosen;
    std::string digest_text;
    for (const compiled& c : rules_) {
        if (!matches(c, subject, digest_text)) continue;
        if (c.rule.destination_hostgroup) chosen = c.rule.destination_hostgroup;
        if (c.rule.apply) break;
    }
    return chosen;
}

}  // namespace howdah::proxy
