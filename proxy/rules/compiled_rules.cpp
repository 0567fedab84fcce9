#include "proxy/rules/compiled_rules.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "proxy/sql/digest.hpp"

namespace howdah::proxy {
namespace {

constexpr std::size_t max_digest_text = 65000;
/// Replacements that would make a statement longer by more than this are left out.
constexpr std::size_t max_growth = 256 << 10;

std::string name_of(const conf::query_rule& row) {
    return "query rule " + std::to_string(row.rule_id);
}

std::unique_ptr<re2::RE2> compile(const conf::query_rule& row, const char* column,
                                  const std::optional<std::string>& expression, bool caseless) {
    if (!expression) return nullptr;
    auto compiled = std::make_unique<re2::RE2>(*expression, rule_regex_options(caseless));
    if (!compiled->ok())
        throw std::runtime_error(name_of(row) + ": " + column + ": " + compiled->error());
    return compiled;
}

bool given(const std::optional<std::string>& criterion) {
    return criterion && !criterion->empty();
}

bool same(const std::optional<std::string>& criterion, std::string_view value) {
    return !given(criterion) || *criterion == value;
}

bool address_matches(const std::optional<std::string>& wanted, std::string_view address) {
    if (!given(wanted)) return true;
    if (wanted->ends_with('%'))
        return address.starts_with(std::string_view(*wanted).substr(0, wanted->size() - 1));
    return address == *wanted;
}

template <class T>
void take(std::optional<T>& outcome, const std::optional<T>& of_rule) {
    if (of_rule) outcome = of_rule;
}

void take_outcomes(rule_verdict& v, const conf::query_rule& row) {
    take(v.destination_hostgroup, row.destination_hostgroup);
    take(v.cache_ttl, row.cache_ttl);
    take(v.cache_empty_result, row.cache_empty_result);
    take(v.cache_timeout, row.cache_timeout);
    take(v.reconnect, row.reconnect);
    take(v.timeout, row.timeout);
    take(v.retries, row.retries);
    take(v.delay, row.delay);
    take(v.next_query_flag_in, row.next_query_flag_in);
    take(v.mirror_flag_out, row.mirror_flag_out);
    take(v.mirror_hostgroup, row.mirror_hostgroup);
    take(v.error_msg, row.error_msg);
    take(v.ok_msg, row.ok_msg);
    take(v.sticky_conn, row.sticky_conn);
    take(v.multiplex, row.multiplex);
    take(v.log, row.log);
}

}  // namespace

compiled_rules::compiled_rules(const conf::settings& settings)
    : iterations_(settings.vars.query_processor_iterations) {
    for (const conf::query_rule& row : settings.query_rules)
        if (row.active) add(row);
    std::sort(rules_.begin(), rules_.end(),
              [](const rule& a, const rule& b) { return a.row.rule_id < b.row.rule_id; });
    for (std::uint32_t i = 0; i < rules_.size(); ++i)
        file(i);
    for (auto& [flag, g] : groups_) {
        g.digest_texts.compile();
        g.texts.compile();
    }
    find_what_chains_look_at();
    for (const conf::fast_route& f : settings.fast_routes)
        fast_routes_.emplace(std::tuple(f.username, f.database, f.flag_in),
                             f.destination_hostgroup);
    if (settings.vars.firewall_whitelist_enabled) {
        firewall_.emplace(settings.firewall_users, settings.firewall_rules);
        firewall_message_ = settings.vars.firewall_whitelist_errormsg;
        looks_at_addresses_ = true;
    }
}

compiled_rules::~compiled_rules() = default;

bool compiled_rules::empty() const {
    return rules_.empty() && fast_routes_.empty() && !firewall_;
}

void compiled_rules::add(const conf::query_rule& row) {
    rule r;
    r.row = row;
    const conf::re_modifiers modifiers =
        conf::parse_re_modifiers(row.re_modifiers).value_or(conf::re_modifiers());
    r.global = modifiers.global;
    if (row.digest) r.digest = conf::parse_digest(*row.digest).value_or(0);
    r.match_digest = compile(row, "match_digest", row.match_digest, modifiers.caseless);
    r.match_pattern = compile(row, "match_pattern", row.match_pattern, modifiers.caseless);
    if (row.replace_pattern) {
        if (!r.match_pattern)
            throw std::runtime_error(name_of(row) + ": replace_pattern needs a match_pattern");
        std::string why;
        if (!r.match_pattern->CheckRewriteString(piece(*row.replace_pattern), &why))
            throw std::runtime_error(name_of(row) + ": replace_pattern: " + why);
    }
    r.flags =
        conf::parse_weighted_flags(row.attributes).value_or(std::vector<conf::weighted_flag>());
    for (const conf::weighted_flag& f : r.flags)
        r.weights += f.weight;
    looks_at_addresses_ = looks_at_addresses_ || given(row.client_addr) || given(row.proxy_addr) ||
                          row.proxy_port.has_value();
    rules_.push_back(std::move(r));
}

void compiled_rules::file(std::uint32_t number) {
    rule& r = rules_[number];
    group& g = groups_[r.row.flag_in];
    const bool positive = !r.row.negate_match_pattern;
    const bool caseless = r.match_digest    ? !r.match_digest->options().case_sensitive()
                          : r.match_pattern ? !r.match_pattern->options().case_sensitive()
                                            : false;
    if (r.digest != 0) {
        r.where = filed::under_digest;
        g.by_digest[r.digest].push_back(number);
    } else if (given(r.row.username)) {
        r.where = filed::under_user;
        g.by_user[*r.row.username].push_back(number);
    } else if (given(r.row.database)) {
        r.where = filed::under_database;
        g.by_database[*r.row.database].push_back(number);
    } else if (r.match_digest && positive) {
        r.where = filed::under_digest_text;
        g.digest_texts.add(*r.match_digest, caseless, number);
    } else if (r.match_pattern && positive) {
        r.where = filed::under_text;
        g.texts.add(*r.match_pattern, caseless, number);
    } else {
        g.others.push_back(number);
    }
    g.looks_at_text = g.looks_at_text || r.match_pattern;
    g.looks_at_digest_text = g.looks_at_digest_text || r.match_digest;
    g.draws = g.draws || !r.flags.empty();
    if (r.row.apply) return;
    for (const conf::weighted_flag& f : r.flags)
        g.leads_to.push_back(static_cast<std::uint32_t>(f.flag));
    if (r.flags.empty() && r.row.flag_out)
        g.leads_to.push_back(static_cast<std::uint32_t>(*r.row.flag_out));
}

void compiled_rules::find_what_chains_look_at() {
    // Until nothing changes: what a chain may come to counts for where it begins.
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& [flag, g] : groups_) {
            for (const std::uint32_t next : g.leads_to) {
                const auto to = groups_.find(static_cast<int>(next));
                if (to == groups_.end()) continue;
                const bool text = g.looks_at_text || to->second.looks_at_text;
                const bool digest_text = g.looks_at_digest_text || to->second.looks_at_digest_text;
                const bool draws = g.draws || to->second.draws;
                changed = changed || text != g.looks_at_text ||
                          digest_text != g.looks_at_digest_text || draws != g.draws;
                g.looks_at_text = text;
                g.looks_at_digest_text = digest_text;
                g.draws = draws;
            }
        }
    }
}

bool compiled_rules::looks_at_text(int flag) const {
    const auto g = groups_.find(flag);
    return g != groups_.end() && g->second.looks_at_text;
}

bool compiled_rules::looks_at_digest_text(int flag) const {
    const auto g = groups_.find(flag);
    return g != groups_.end() && g->second.looks_at_digest_text;
}

bool compiled_rules::draws(int flag) const {
    const auto g = groups_.find(flag);
    return g != groups_.end() && g->second.draws;
}

/// One walk through the rules. It goes on to later rules, and begins again from the first one a
/// bounded number of times, so it ends whatever the flags.
class compiled_rules::chain {
public:
    chain(const compiled_rules& all, const rule_subject& subject) : all_(all), subject_(subject) {
        verdict_.flag = subject.flag;
        verdict_.judge = &all;
    }

    rule_verdict run() {
        find_candidates(0);
        for (std::size_t i = 0; i < candidates_.size();) {
            const std::uint32_t number = candidates_[i++];
            const rule& r = all_.rules_[number];
            if (!matches(r)) continue;
            verdict_.matched.push_back(number);
            take_outcomes(verdict_, r.row);
            const bool rewrote = r.row.replace_pattern && rewrite(r);
            const int before = std::exchange(verdict_.flag, flag_behind(r));
            if (r.row.apply) {
                verdict_.applied = true;
                break;
            }
            if (r.moves() && iterations_ > 0) {
                --iterations_;
                find_candidates(0);
                i = 0;
            } else if (verdict_.flag != before || rewrote) {
                find_candidates(number + 1);
                i = 0;
            }
        }
        return std::move(verdict_);
    }

private:
    [[nodiscard]] std::string_view text() const {
        return verdict_.rewritten ? std::string_view(*verdict_.rewritten) : subject_.query;
    }
    [[nodiscard]] std::string_view digest_text() {
        if (!digest_text_) digest_text_ = sql::digest_text(subject_.query, max_digest_text);
        return *digest_text_;
    }

    [[nodiscard]] int flag_behind(const rule& r) {
        if (r.flags.empty()) return r.row.flag_out.value_or(verdict_.flag);
        // splitmix64: one number of the statement serves all the rules that draw.
        std::uint64_t z = draw_ += 0x9e3779b97f4a7c15U;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
        z = (z ^ z >> 27) * 0x94d049bb133111ebU;
        std::uint64_t at = ((z ^ z >> 31) >> 32) * r.weights >> 32;
        for (const conf::weighted_flag& f : r.flags) {
            if (at < f.weight) return f.flag;
            at -= f.weight;
        }
        return verdict_.flag;
    }

    /// The rules from `first` on that have the chain's flag and may match.
    void find_candidates(std::uint32_t first) {
        candidates_.clear();
        const auto found = all_.groups_.find(verdict_.flag);
        if (found == all_.groups_.end()) return;
        const group& g = found->second;
        const auto add = [&](const numbers& list) {
            candidates_.insert(candidates_.end(), std::lower_bound(list.begin(), list.end(), first),
                               list.end());
        };
        const auto look_up = [&](const auto& map, const auto& key) {
            if (map.empty()) return;
            const auto it = map.find(key);
            if (it != map.end()) add(it->second);
        };
        add(g.others);
        if (subject_.digest != 0) look_up(g.by_digest, subject_.digest);
        look_up(g.by_user, subject_.username);
        look_up(g.by_database, subject_.database);
        const std::size_t sorted = candidates_.size();
        if (!g.digest_texts.empty()) g.digest_texts.match(digest_text(), candidates_);
        if (!g.texts.empty()) g.texts.match(text(), candidates_);
        candidates_.erase(
            std::remove_if(candidates_.begin() + static_cast<std::ptrdiff_t>(sorted),
                           candidates_.end(), [first](std::uint32_t n) { return n < first; }),
            candidates_.end());
        std::sort(candidates_.begin(), candidates_.end());
    }

    /// A candidate: what it is filed under holds.
    [[nodiscard]] bool matches(const rule& r) {
        const conf::query_rule& row = r.row;
        if (!same(row.username, subject_.username) || !same(row.database, subject_.database) ||
            !address_matches(row.client_addr, subject_.client_addr) ||
            !same(row.proxy_addr, subject_.proxy_addr))
            return false;
        if (row.proxy_port && *row.proxy_port != subject_.proxy_port) return false;
        const bool wanted = !row.negate_match_pattern;
        if (r.match_digest && r.where != filed::under_digest_text &&
            re2::RE2::PartialMatch(piece(digest_text()), *r.match_digest) != wanted)
            return false;
        return !r.match_pattern || r.where == filed::under_text ||
               re2::RE2::PartialMatch(piece(text()), *r.match_pattern) == wanted;
    }

    bool rewrite(const rule& r) {
        std::string changed(text());
        const re2::StringPiece replacement = piece(*r.row.replace_pattern);
        const bool any = r.global
                             ? re2::RE2::GlobalReplace(&changed, *r.match_pattern, replacement) > 0
                             : re2::RE2::Replace(&changed, *r.match_pattern, replacement);
        if (!any || changed.size() > subject_.query.size() + max_growth || changed == text())
            return false;
        verdict_.rewritten = std::move(changed);
        return true;
    }

    const compiled_rules& all_;
    const rule_subject& subject_;
    rule_verdict verdict_;
    std::optional<std::string> digest_text_;
    numbers candidates_;
    std::uint64_t draw_ = subject_.draw;
    std::uint32_t iterations_ = all_.iterations_;
};

rule_verdict compiled_rules::judge(const rule_subject& subject) const {
    rule_verdict v = chain(*this, subject).run();
    if (!v.applied)
        if (const auto to = fast_route(subject, v.flag)) v.destination_hostgroup = to;
    if (firewall_) {
        v.firewall = firewall_->judge(subject, v.flag);
        if (v.firewall == firewall_finding::blocked) {
            if (!v.error_msg) v.error_msg = firewall_message_;
            v.ok_msg.reset();
        }
    }
    return v;
}

std::optional<int> compiled_rules::fast_route(const rule_subject& subject, int flag) const {
    if (fast_routes_.empty()) return std::nullopt;
    for (const std::string_view user : {subject.username, std::string_view()}) {
        const auto it = fast_routes_.find(std::tuple(user, subject.database, flag));
        if (it != fast_routes_.end()) return it->second;
    }
    return std::nullopt;
}

}  // namespace howdah::proxy
