#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "conf/rule_values.hpp"
#include "proxy/rules/compiled_rules.hpp"
#include "proxy/sql/digest.hpp"
#include "tests/unit/proxy/rule_text.hpp"

// The rules that compiled_rules finds by lookups and sets of expressions are those that a plain
// walk through all of them finds.
namespace howdah::proxy {
namespace {

class generator {
public:
    explicit generator(std::uint32_t seed) : random_(seed) {}

    template <class T>
    T pick(std::initializer_list<T> from) {
        return *(from.begin() + static_cast<std::ptrdiff_t>(random_() % from.size()));
    }
    bool one_in(unsigned n) { return random_() % n == 0; }

    std::string statement() {
        std::string sql =
            pick<std::string>({"SELECT", "select", "INSERT INTO", "UPDATE", "DELETE FROM"});
        for (int words = 1 + static_cast<int>(random_() % 5); words > 0; --words)
            sql += " " + pick<std::string>(
                             {"a", "b", "foo", "FOO", "bar", "'x'", "42", "/* c */", "\"Q\"", ","});
        return sql;
    }

    conf::query_rule rule(int id, const std::vector<std::string>& statements) {
        conf::query_rule r;
        r.rule_id = id;
        r.active = !one_in(20);
        r.flag_in = static_cast<int>(random_() % 3);
        if (one_in(4)) r.username = pick<std::string>({"alice", "bob", ""});
        if (one_in(5)) r.database = pick<std::string>({"shop", "stock", ""});
        if (one_in(6)) r.client_addr = pick<std::string>({"10.%", "10.1.2.3", "::1", "%", ""});
        if (one_in(8)) r.proxy_addr = pick<std::string>({"127.0.0.1", "::1"});
        if (one_in(8)) r.proxy_port = pick<std::uint16_t>({6133, 6134});
        if (one_in(8))
            r.digest = conf::format_digest(
                sql::compute_digest(statements[random_() % statements.size()]).hash);
        const auto expression = [&] {
            return pick<std::string>({"^select", "foo", "FOO", "^insert|^delete", "a.*b",
                                      "\\bbar\\b", "\\?", "42", "'x'", "b$", "(a)(.)", "\"Q\"",
                                      "\\Qfoo", "c"});
        };
        if (one_in(2)) r.match_digest = expression();
        if (one_in(3)) r.match_pattern = expression();
        r.negate_match_pattern = one_in(5);
        r.re_modifiers = pick<std::string>({"CASELESS", "", "GLOBAL", "CASELESS,GLOBAL"});
        if (one_in(3)) r.flag_out = static_cast<int>(random_() % 3);
        if (r.match_pattern && one_in(3)) r.replace_pattern = pick<std::string>({"z", "\\0b", ""});
        if (one_in(2)) r.destination_hostgroup = static_cast<int>(random_() % 10);
        if (one_in(5)) r.timeout = std::chrono::milliseconds(random_() % 100);
        if (one_in(9)) r.error_msg = "e" + std::to_string(id);
        r.apply = one_in(12);
        return r;
    }

    rule_subject subject(const std::string& statement) {
        rule_subject s;
        s.username = pick<std::string_view>({"alice", "bob", "carol"});
        s.database = pick<std::string_view>({"shop", "stock"});
        s.client_addr = pick<std::string_view>({"10.1.2.3", "10.9.9.9", "::1", ""});
        s.proxy_addr = pick<std::string_view>({"127.0.0.1", "::1"});
        s.proxy_port = pick<std::uint16_t>({6133, 6134});
        s.query = statement;
        s.digest = sql::compute_digest(statement).hash;
        s.flag = one_in(4) ? 1 : 0;
        return s;
    }

private:
    std::mt19937 random_;
};

/// As the documentation of the columns has it, rule by rule.
class naive {
public:
    explicit naive(std::vector<conf::query_rule> rules) : rules_(std::move(rules)) {
        std::erase_if(rules_, [](const conf::query_rule& r) { return !r.active; });
        std::sort(rules_.begin(), rules_.end(),
                  [](const auto& a, const auto& b) { return a.rule_id < b.rule_id; });
    }

    [[nodiscard]] rule_verdict judge(const rule_subject& s) const {
        rule_verdict v;
        v.flag = s.flag;
        std::string text(s.query);
        const std::string digest_text = sql::digest_text(s.query, 65000);
        for (std::uint32_t i = 0; i < rules_.size(); ++i) {
            const conf::query_rule& r = rules_[i];
            if (r.flag_in != v.flag || !matches(r, s, text, digest_text)) continue;
            v.matched.push_back(i);
            if (r.flag_out) v.flag = *r.flag_out;
            if (r.destination_hostgroup) v.destination_hostgroup = r.destination_hostgroup;
            if (r.timeout) v.timeout = r.timeout;
            if (r.error_msg) v.error_msg = r.error_msg;
            if (r.replace_pattern) replace(r, text);
            if (r.apply) {
                v.applied = true;
                break;
            }
        }
        if (text != s.query) v.rewritten = text;
        return v;
    }

private:
    static bool caseless(const conf::query_rule& r) {
        return r.re_modifiers.find("CASELESS") != std::string::npos;
    }
    static bool found(const conf::query_rule& r, const std::string& expression,
                      const std::string& text) {
        const re2::RE2 compiled(expression, rule_regex_options(caseless(r)));
        return re2::RE2::PartialMatch(text, compiled);
    }
    static bool equal(const std::optional<std::string>& wanted, std::string_view value) {
        return !wanted || wanted->empty() || *wanted == value;
    }
    static bool matches(const conf::query_rule& r, const rule_subject& s, const std::string& text,
                        const std::string& digest_text) {
        if (!equal(r.username, s.username) || !equal(r.database, s.database) ||
            !equal(r.proxy_addr, s.proxy_addr))
            return false;
        if (r.client_addr && !r.client_addr->empty()) {
            const std::string& wanted = *r.client_addr;
            const bool any_rest = wanted.back() == '%';
            const std::string_view begin =
                std::string_view(wanted).substr(0, wanted.size() - (any_rest ? 1 : 0));
            if (any_rest ? !s.client_addr.starts_with(begin) : s.client_addr != begin) return false;
        }
        if (r.proxy_port && *r.proxy_port != s.proxy_port) return false;
        if (r.digest && *conf::parse_digest(*r.digest) != s.digest) return false;
        if (r.match_digest && found(r, *r.match_digest, digest_text) == r.negate_match_pattern)
            return false;
        return !r.match_pattern || found(r, *r.match_pattern, text) != r.negate_match_pattern;
    }
    static void replace(const conf::query_rule& r, std::string& text) {
        const re2::RE2 compiled(*r.match_pattern, rule_regex_options(caseless(r)));
        if (r.re_modifiers.find("GLOBAL") != std::string::npos)
            re2::RE2::GlobalReplace(&text, compiled, *r.replace_pattern);
        else
            re2::RE2::Replace(&text, compiled, *r.replace_pattern);
    }

    std::vector<conf::query_rule> rules_;
};

TEST(rules, found_by_lookup_are_those_that_a_walk_through_all_finds) {
    std::size_t matched = 0;
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
        generator g(seed);
        std::vector<std::string> statements(20);
        for (std::string& s : statements)
            s = g.statement();
        conf::settings settings;
        const int count = g.one_in(2) ? 12 : 60;
        for (int id = 1; id <= count; ++id)
            settings.query_rules.push_back(g.rule(id * 7 % 101, statements));
        const compiled_rules compiled(settings);
        const naive plain(settings.query_rules);
        for (const std::string& statement : statements) {
            const rule_subject s = g.subject(statement);
            const rule_verdict expected = plain.judge(s);
            matched += expected.matched.size();
            ASSERT_EQ(test::in_words(compiled.judge(s), compiled),
                      test::in_words(expected, compiled))
                << "seed " << seed << ": " << statement;
        }
    }
    EXPECT_GT(matched, 2000u) << "the generated rules match too little to show anything";
}

TEST(rules, in_thousands_find_the_one_that_matches) {
    conf::settings settings;
    for (int id = 0; id < 2000; ++id) {
        conf::query_rule r;
        r.rule_id = id;
        r.match_pattern = "from table_" + std::to_string(id) + "\\b";
        r.destination_hostgroup = id;
        r.apply = true;
        settings.query_rules.push_back(r);
    }
    const compiled_rules compiled(settings);
    for (const int id : {0, 7, 77, 777, 1999}) {
        rule_subject s;
        const std::string query = "SELECT * FROM table_" + std::to_string(id) + " WHERE a = 1";
        s.query = query;
        const rule_verdict v = compiled.judge(s);
        EXPECT_EQ(v.destination_hostgroup, id);
        EXPECT_EQ(v.matched.size(), 1u);
    }
}

}  // namespace
}  // namespace howdah::proxy
