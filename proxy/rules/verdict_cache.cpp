#include "proxy/rules/verdict_cache.hpp"

#include "proxy/sql/lexer.hpp"

namespace howdah::proxy {
namespace {

verdict_ptr ask(const compiled_rules& rules, const rule_subject& subject) {
    rule_verdict v = rules.judge(subject);
    if (!v.says_anything()) return nullptr;
    return std::make_shared<const rule_verdict>(std::move(v));
}

/// Where a text has white space or comments between its tokens.
std::uint64_t spaces_of(std::string_view sql) {
    std::uint64_t h = 0x9e3779b97f4a7c15U;
    sql::lexer lexer(sql);
    for (sql::token t = lexer.next(); t.kind != sql::token_kind::end; t = lexer.next())
        h = (h ^ (t.spaced ? 2U : 1U)) * 0x100000001b3U;
    return h;
}

std::string addresses_of(const rule_subject& s) {
    std::string all(s.client_addr);
    all += ' ';
    all += s.proxy_addr;
    all += ' ';
    all += std::to_string(s.proxy_port);
    return all;
}

}  // namespace

verdict_ptr verdict_cache::judge(const std::shared_ptr<const compiled_rules>& rules,
                                 const sql::digest& id, const pool_login* login,
                                 const rule_subject& subject) {
    if (rules->empty()) return nullptr;
    if (rules != rules_) {
        known_.clear();
        rules_ = rules;
    }
    if (id == sql::digest{} || rules->looks_at_text(subject.flag) || rules->draws(subject.flag))
        return ask(*rules, subject);
    key k{id, rules->looks_at_digest_text(subject.flag) ? spaces_of(subject.query) : 0, login,
          subject.flag, rules->looks_at_addresses() ? addresses_of(subject) : std::string()};
    const auto found = known_.find(k);
    if (found != known_.end()) return found->second;
    if (known_.size() >= capacity_) known_.clear();
    return known_.emplace(std::move(k), ask(*rules, subject)).first->second;
}

}  // namespace howdah::proxy
