#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "conf/rule_values.hpp"
#include "proxy/rules/compiled_rules.hpp"
#include "proxy/sql/digest.hpp"
#include "tests/unit/proxy/rule_text.hpp"

namespace howdah::proxy {
namespace {

/// Rules (YAML), a statement, and what the rules say of it.
struct row {
    const char* rules;
    const char* query;
    const char* says;
};

rule_subject subject_of(std::string_view query) {
    rule_subject s;
    s.username = "alice";
    s.database = "shop";
    s.client_addr = "10.1.2.3";
    s.proxy_addr = "127.0.0.1";
    s.proxy_port = 6133;
    s.query = query;
    s.digest = sql::compute_digest(query).hash;
    return s;
}

std::string say(const std::string& rules, const rule_subject& s, const std::string& more = {}) {
    const compiled_rules compiled(test::settings_of(rules, more));
    return test::in_words(compiled.judge(s), compiled);
}

template <std::size_t N>
void expect_all(const row (&rows)[N]) {
    for (const row& r : rows)
        EXPECT_EQ(say(r.rules, subject_of(r.query)), r.says) << r.rules << "\n" << r.query;
}

TEST(rules, without_any_nothing_is_said) {
    const compiled_rules none{conf::settings{}};
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.size(), 0u);
    EXPECT_FALSE(none.judge(subject_of("SELECT 1")).says_anything());
    EXPECT_FALSE(none.looks_at_text(0) || none.looks_at_digest_text(0) ||
                 none.looks_at_addresses());
}

TEST(rules, match_on_who_asks_from_where) {
    struct criterion {
        const char* rule;
        bool matches;
    };
    const criterion criteria[] = {
        {"username: alice", true},
        {"username: bob", false},
        {"username: Alice", false},
        {"username: alic", false},
        {"username: alice2", false},
        {"username: '%'", false},
        {"username: ''", true},
        {"database: shop", true},
        {"database: Shop", false},
        {"database: sho", false},
        {"database: ''", true},
        {"client_addr: 10.1.2.3", true},
        {"client_addr: 10.1.2", false},
        {"client_addr: 10.1.2.30", false},
        {"client_addr: 10.1.%", true},
        {"client_addr: 10.1.2.3%", true},
        {"client_addr: 10.2.%", false},
        {"client_addr: '%'", true},
        {"client_addr: '%.2.3'", false},
        {"client_addr: ''", true},
        {"proxy_addr: 127.0.0.1", true},
        {"proxy_addr: 127.0.0.2", false},
        {"proxy_addr: 127.%", false},
        {"proxy_addr: ''", true},
        {"proxy_port: 6133", true},
        {"proxy_port: 6134", false},
        {"proxy_port: 0", false},
        {"username: alice, database: shop, client_addr: 10.%, proxy_port: 6133", true},
        {"username: alice, database: shop, client_addr: 11.%, proxy_port: 6133", false},
        {"username: bob, database: shop", false},
        {"username: alice, database: other", false},
        {"active: 0", false},
    };
    for (const criterion& c : criteria)
        EXPECT_EQ(say("{rule_id: 1, " + std::string(c.rule) + "}", subject_of("SELECT 1")),
                  c.matches ? "by=1" : "nothing")
            << c.rule;
}

TEST(rules, match_on_a_digest) {
    const std::uint64_t digest = sql::compute_digest("SELECT a FROM t WHERE b = 1").hash;
    const auto rule = [](const std::string& text) {
        return "{rule_id: 1, digest: '" + text + "', destination_hostgroup: 3}";
    };
    const std::string same = rule(conf::format_digest(digest));
    EXPECT_EQ(say(same, subject_of("select a from t where b = 'x'")), "to=3 by=1");
    EXPECT_EQ(say(same, subject_of("SELECT a FROM t WHERE c = 1")), "nothing");
    std::string lower = conf::format_digest(digest);
    for (char& c : lower)
        c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(say(rule(lower), subject_of("SELECT a FROM t WHERE b = 1")), "to=3 by=1");
    EXPECT_EQ(say(rule("0x0"), subject_of("SELECT 1")), "to=3 by=1") << "0 is any digest";
    rule_subject unknown = subject_of("SELECT a FROM t WHERE b = 1");
    unknown.digest = 0;
    EXPECT_EQ(say(same, unknown), "nothing") << "too long a statement has none";
}

TEST(rules, match_on_regular_expressions) {
    expect_all({
        {"{rule_id: 1, match_pattern: 'FROM orders'}", "SELECT * FROM Orders", "by=1"},
        {"{rule_id: 1, match_pattern: '^FROM'}", "SELECT * FROM orders", "nothing"},
        {"{rule_id: 1, match_pattern: '^SELECT'}", "SELECT * FROM orders", "by=1"},
        {"{rule_id: 1, match_pattern: '^select'}", " SELECT 1", "nothing"},
        {"{rule_id: 1, match_pattern: 'id = 42$'}", "SELECT * FROM t WHERE id = 42", "by=1"},
        {"{rule_id: 1, match_pattern: 'id = 42$'}", "SELECT * FROM t WHERE id = 421", "nothing"},
        {"{rule_id: 1, match_pattern: ''}", "SELECT 1", "by=1"},
        {"{rule_id: 1, match_pattern: '^$'}", "", "by=1"},
        {"{rule_id: 1, match_pattern: '.'}", "", "nothing"},
        {"{rule_id: 1, match_pattern: 'a.b'}", "a\nb", "nothing"},
        {"{rule_id: 1, match_pattern: '(?s)a.b'}", "a\nb", "by=1"},
        {"{rule_id: 1, match_pattern: 'a\\s+b'}", "a\n\t b", "by=1"},
        {"{rule_id: 1, match_pattern: '\\bsecret\\b'}", "SELECT secret FROM t", "by=1"},
        {"{rule_id: 1, match_pattern: '\\bsecret\\b'}", "SELECT secrets FROM t", "nothing"},
        {"{rule_id: 1, match_pattern: '\\d{3}'}", "SELECT 12, 3", "nothing"},
        {"{rule_id: 1, match_pattern: '\\d{3}'}", "SELECT 123", "by=1"},
        {"{rule_id: 1, match_pattern: 'insert|update'}", "UPDATE t SET a = 1", "by=1"},
        {"{rule_id: 1, match_pattern: 'insert|update'}", "DELETE FROM t", "nothing"},
        {"{rule_id: 1, match_pattern: '[^a-z ]'}", "select a", "nothing"},
        {"{rule_id: 1, match_pattern: \"'[^']*'\"}", "SELECT 'x'", "by=1"},
        {"{rule_id: 1, match_pattern: 'a.*z'}", "a \xff\xfe z", "by=1"},
        {"{rule_id: 1, match_pattern: 'a..z'}", "a\xc3\xa4z", "by=1"},
        {"{rule_id: 1, match_pattern: '\xc3\xa4'}", "SELECT '\xc3\xa4'", "by=1"},
        {"{rule_id: 1, match_digest: '^select \\* from t where a = \\?$'}",
         "SELECT *  FROM t WHERE a = 'x'", "by=1"},
        {"{rule_id: 1, match_digest: '42'}", "SELECT 42", "nothing"},
        {"{rule_id: 1, match_digest: 'comment'}", "SELECT /* comment */ 1", "nothing"},
        {"{rule_id: 1, match_pattern: 'comment'}", "SELECT /* comment */ 1", "by=1"},
        {"{rule_id: 1, match_digest: '\"Name\"'}", "SELECT \"Name\" FROM t", "by=1"},
        {"{rule_id: 1, match_digest: '^SELECT'}", "select 1", "by=1"},
        {"{rule_id: 1, match_digest: 'in \\(\\?\\)'}", "SELECT 1 WHERE a IN (1, 2, 3)", "by=1"},
        {"{rule_id: 1, match_digest: '^select', match_pattern: '42'}", "SELECT 42", "by=1"},
        {"{rule_id: 1, match_digest: '^select', match_pattern: '42'}", "SELECT 43", "nothing"},
        {"{rule_id: 1, match_digest: '^insert', match_pattern: '42'}", "SELECT 42", "nothing"},
        {"{rule_id: 1, username: alice, match_digest: '^select'}", "SELECT 1", "by=1"},
        {"{rule_id: 1, username: alice, match_digest: '^insert'}", "SELECT 1", "nothing"},
        {"{rule_id: 1, username: alice, match_pattern: '1'}", "SELECT 1", "by=1"},
        {"{rule_id: 1, username: bob, match_pattern: '1'}", "SELECT 1", "nothing"},
        {"{rule_id: 1, database: shop, match_pattern: '2'}", "SELECT 1", "nothing"},
        {"{rule_id: 1, client_addr: 11.%, match_pattern: '1'}", "SELECT 1", "nothing"},
        {"{rule_id: 1, proxy_port: 1, match_digest: 'select'}", "SELECT 1", "nothing"},
    });
}

TEST(rules, may_ask_for_what_does_not_match) {
    expect_all({
        {"{rule_id: 1, match_pattern: 'a', negate_match_pattern: 1}", "SELECT a", "nothing"},
        {"{rule_id: 1, match_pattern: 'a', negate_match_pattern: 1}", "SELECT b", "by=1"},
        {"{rule_id: 1, match_digest: '^select', negate_match_pattern: 1}", "SELECT 1", "nothing"},
        {"{rule_id: 1, match_digest: '^select', negate_match_pattern: 1}", "DELETE FROM t", "by=1"},
        {"{rule_id: 1, match_digest: x, match_pattern: y, negate_match_pattern: 1}", "a", "by=1"},
        {"{rule_id: 1, match_digest: x, match_pattern: y, negate_match_pattern: 1}", "x",
         "nothing"},
        {"{rule_id: 1, match_digest: x, match_pattern: y, negate_match_pattern: 1}", "y",
         "nothing"},
        {"{rule_id: 1, negate_match_pattern: 1}", "SELECT 1", "by=1"},
        {"{rule_id: 1, username: bob, negate_match_pattern: 1}", "SELECT 1", "nothing"},
        {"{rule_id: 1, username: bob, match_pattern: x, negate_match_pattern: 1}", "SELECT 1",
         "nothing"},
        {"{rule_id: 1, username: alice, match_pattern: x, negate_match_pattern: 1}", "SELECT 1",
         "by=1"},
    });
}

TEST(rules, ignore_case_unless_told_otherwise) {
    expect_all({
        {"{rule_id: 1, match_pattern: SELECT}", "select 1", "by=1"},
        {"{rule_id: 1, match_pattern: SELECT, re_modifiers: CASELESS}", "select 1", "by=1"},
        {"{rule_id: 1, match_pattern: SELECT, re_modifiers: ''}", "select 1", "nothing"},
        {"{rule_id: 1, match_pattern: SELECT, re_modifiers: ''}", "SELECT 1", "by=1"},
        {"{rule_id: 1, match_pattern: SELECT, re_modifiers: GLOBAL}", "select 1", "nothing"},
        {"{rule_id: 1, match_pattern: SELECT, re_modifiers: 'GLOBAL,CASELESS'}", "select 1",
         "by=1"},
        {"{rule_id: 1, match_pattern: SELECT, re_modifiers: 'caseless'}", "select 1", "by=1"},
        {"{rule_id: 1, match_digest: SELECT, re_modifiers: ''}", "SELECT 1", "nothing"},
        {"{rule_id: 1, match_digest: select, re_modifiers: ''}", "SELECT 1", "by=1"},
        {"{rule_id: 1, match_pattern: '(?i)SELECT', re_modifiers: ''}", "select 1", "by=1"},
        {"{rule_id: 1, match_pattern: '(?-i)SELECT'}", "select 1", "nothing"},
    });
}

TEST(rules, are_tried_in_the_order_of_their_ids_and_the_last_word_counts) {
    expect_all({
        {"{rule_id: 20, destination_hostgroup: 2}, {rule_id: 10, destination_hostgroup: 1}",
         "SELECT 1", "to=2 by=10,20"},
        {"{rule_id: 20, destination_hostgroup: 2, apply: 1},"
         "{rule_id: 10, destination_hostgroup: 1, apply: 1}",
         "SELECT 1", "to=1 by=10 apply"},
        {"{rule_id: 1, destination_hostgroup: 1}, {rule_id: 2, timeout: 5}", "SELECT 1",
         "to=1 timeout=5 by=1,2"},
        {"{rule_id: 1, destination_hostgroup: 1},"
         "{rule_id: 2, username: bob, destination_hostgroup: 2}",
         "SELECT 1", "to=1 by=1"},
        {"{rule_id: 1, apply: 1}, {rule_id: 2, destination_hostgroup: 2}", "SELECT 1",
         "by=1 apply"},
        {"{rule_id: 1, username: bob, apply: 1}, {rule_id: 2, destination_hostgroup: 2}",
         "SELECT 1", "to=2 by=2"},
        {"{rule_id: 1, match_pattern: x, apply: 1}, {rule_id: 2, match_digest: select},"
         "{rule_id: 3, database: shop}, {rule_id: 4, username: alice}, {rule_id: 5}",
         "SELECT 1", "by=2,3,4,5"},
        {"{rule_id: 5, match_pattern: select}, {rule_id: 4, match_digest: select},"
         "{rule_id: 3, database: shop}, {rule_id: 2, username: alice}, {rule_id: 1}",
         "SELECT 1", "by=1,2,3,4,5"},
        {"{rule_id: 1, error_msg: a}, {rule_id: 2, error_msg: b}", "x", "error='b' by=1,2"},
        {"{rule_id: 1, delay: 5}, {rule_id: 2, delay: 0}", "x", "delay=0 by=1,2"},
        {"{rule_id: 1, active: 0, destination_hostgroup: 1}, {rule_id: 2}", "x", "by=2"},
        {"{rule_id: 0, destination_hostgroup: 1}", "x", "to=1 by=0"},
    });
}

TEST(rules, go_on_with_another_flag_further_down) {
    expect_all({
        {"{rule_id: 1, flagOUT: 5}, {rule_id: 2, flagIN: 5, destination_hostgroup: 2}", "x",
         "to=2 flag=5 by=1,2"},
        {"{rule_id: 1, flagOUT: 5}, {rule_id: 2, destination_hostgroup: 2}", "x", "flag=5 by=1"},
        {"{rule_id: 1, flagIN: 5, destination_hostgroup: 1}, {rule_id: 2, flagOUT: 5}", "x",
         "flag=5 by=2"},
        {"{rule_id: 1, flagIN: 5, destination_hostgroup: 1}", "x", "nothing"},
        {"{rule_id: 1, flagOUT: 5, apply: 1}, {rule_id: 2, flagIN: 5, destination_hostgroup: 2}",
         "x", "flag=5 by=1 apply"},
        {"{rule_id: 1, flagOUT: 5}, {rule_id: 2, flagIN: 5, flagOUT: 6},"
         "{rule_id: 3, flagIN: 6, destination_hostgroup: 3, apply: 1}",
         "x", "to=3 flag=6 by=1,2,3 apply"},
        {"{rule_id: 1, flagOUT: 5}, {rule_id: 2, flagIN: 5, flagOUT: 0},"
         "{rule_id: 3, destination_hostgroup: 3}",
         "x", "to=3 by=1,2,3"},
        {"{rule_id: 1, flagOUT: 5}, {rule_id: 2, flagIN: 5, flagOUT: 5}, {rule_id: 3, flagIN: 5}",
         "x", "flag=5 by=1,2,3"},
        {"{rule_id: 1, flagOUT: 0}, {rule_id: 2}", "x", "by=1,2"},
        {"{rule_id: 1, match_digest: select, flagOUT: 5},"
         "{rule_id: 2, match_digest: insert, flagOUT: 6},"
         "{rule_id: 3, flagIN: 5, destination_hostgroup: 5},"
         "{rule_id: 4, flagIN: 6, destination_hostgroup: 6}",
         "INSERT INTO t VALUES (1)", "to=6 flag=6 by=2,4"},
        {"{rule_id: 1, flagOUT: 5}, {rule_id: 2, username: alice, destination_hostgroup: 2},"
         "{rule_id: 3, flagIN: 5, username: alice, destination_hostgroup: 3},"
         "{rule_id: 4, flagIN: 5, username: bob, destination_hostgroup: 4}",
         "x", "to=3 flag=5 by=1,3"},
        {"{rule_id: 1, flagOUT: 1}, {rule_id: 2, flagIN: 1, flagOUT: 2},"
         "{rule_id: 3, flagIN: 2, flagOUT: 1}, {rule_id: 4, flagIN: 1, flagOUT: 2},"
         "{rule_id: 5, flagIN: 1}, {rule_id: 6, flagIN: 2, flagOUT: 2}",
         "x", "flag=2 by=1,2,3,4,6"},
        {"{rule_id: 1, flagOUT: 2147483647},"
         "{rule_id: 2, flagIN: 2147483647, destination_hostgroup: 1}",
         "x", "to=1 flag=2147483647 by=1,2"},
    });
}

TEST(rules, that_send_each_other_in_circles_come_to_an_end) {
    std::string rules;
    for (int i = 1; i <= 200; ++i)
        rules += "{rule_id: " + std::to_string(i) + ", flagIN: " + std::to_string(i % 2) +
                 ", flagOUT: " + std::to_string((i + 1) % 2) + "},";
    const compiled_rules compiled(test::settings_of(rules));
    EXPECT_EQ(compiled.judge(subject_of("x")).matched.size(), 199u);
}

TEST(rules, begin_with_the_flag_of_the_session) {
    const std::string rules =
        "{rule_id: 1, destination_hostgroup: 1}, {rule_id: 2, flagIN: 7, destination_hostgroup: 2}";
    rule_subject s = subject_of("x");
    s.flag = 7;
    EXPECT_EQ(say(rules, s), "to=2 flag=7 by=2");
    s.flag = 8;
    EXPECT_EQ(say(rules, s), "flag=8");
}

TEST(rules, say_what_their_columns_say) {
    expect_all({
        {"{rule_id: 1, destination_hostgroup: 0}", "x", "to=0 by=1"},
        {"{rule_id: 1, cache_ttl: 5s}", "x", "cache_ttl=5000 by=1"},
        {"{rule_id: 1, cache_empty_result: 0}", "x", "cache_empty_result=0 by=1"},
        {"{rule_id: 1, cache_timeout: 7}", "x", "cache_timeout=7 by=1"},
        {"{rule_id: 1, reconnect: 1}", "x", "reconnect=1 by=1"},
        {"{rule_id: 1, timeout: 0}", "x", "timeout=0 by=1"},
        {"{rule_id: 1, timeout: 1500}", "x", "timeout=1500 by=1"},
        {"{rule_id: 1, retries: 3}", "x", "retries=3 by=1"},
        {"{rule_id: 1, delay: 2s}", "x", "delay=2000 by=1"},
        {"{rule_id: 1, next_query_flagIN: 4}", "x", "next=4 by=1"},
        {"{rule_id: 1, next_query_flagIN: 0}", "x", "next=0 by=1"},
        {"{rule_id: 1, mirror_flagOUT: 4, mirror_hostgroup: 3}", "x",
         "mirror_flag=4 mirror=3 by=1"},
        {"{rule_id: 1, error_msg: 'not here'}", "x", "error='not here' by=1"},
        {"{rule_id: 1, error_msg: ''}", "x", "error='' by=1"},
        {"{rule_id: 1, OK_msg: done}", "x", "ok='done' by=1"},
        {"{rule_id: 1, sticky_conn: 1}", "x", "sticky=1 by=1"},
        {"{rule_id: 1, multiplex: 0}", "x", "multiplex=0 by=1"},
        {"{rule_id: 1, multiplex: 2}", "x", "multiplex=2 by=1"},
        {"{rule_id: 1, log: 1}", "x", "log=1 by=1"},
        {"{rule_id: 1, comment: c, attributes: '{}'}", "x", "by=1"},
    });
}

TEST(rules, rewrite_what_match_pattern_matches) {
    expect_all({
        {"{rule_id: 1, match_pattern: 'old', replace_pattern: 'new'}", "SELECT old, old",
         "text='SELECT new, old' by=1"},
        {"{rule_id: 1, match_pattern: 'old', replace_pattern: 'new', re_modifiers: GLOBAL}",
         "SELECT old, old", "text='SELECT new, new' by=1"},
        {"{rule_id: 1, match_pattern: 'old', replace_pattern: 'new', re_modifiers: ''}",
         "SELECT OLD, old", "text='SELECT OLD, new' by=1"},
        {"{rule_id: 1, match_pattern: 'old', replace_pattern: 'new'}", "SELECT OLD, old",
         "text='SELECT new, old' by=1"},
        {"{rule_id: 1, match_pattern: 'old', replace_pattern: 'new',"
         " re_modifiers: 'CASELESS,GLOBAL'}",
         "SELECT OLD, old", "text='SELECT new, new' by=1"},
        {"{rule_id: 1, match_pattern: 'x', replace_pattern: 'y'}", "SELECT 1", "nothing"},
        {"{rule_id: 1, match_pattern: '^SELECT (.*) FROM (.*)$', replace_pattern: 'SELECT \\1 "
         "FROM archive.\\2'}",
         "SELECT a FROM t", "text='SELECT a FROM archive.t' by=1"},
        {"{rule_id: 1, match_pattern: '(a)(b)', replace_pattern: '\\2\\1'}", "ab",
         "text='ba' by=1"},
        {"{rule_id: 1, match_pattern: 'a+', replace_pattern: '<\\0>'}", "baab",
         "text='b<aa>b' by=1"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: '\\\\'}", "a", "text='\\' by=1"},
        {"{rule_id: 1, match_pattern: ' LIMIT \\d+', replace_pattern: ''}", "SELECT 1 LIMIT 5",
         "text='SELECT 1' by=1"},
        {"{rule_id: 1, match_pattern: '$', replace_pattern: ' LIMIT 10'}", "SELECT 1",
         "text='SELECT 1 LIMIT 10' by=1"},
        {"{rule_id: 1, match_pattern: '^', replace_pattern: '/* a */ '}", "SELECT 1",
         "text='/* a */ SELECT 1' by=1"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'a'}", "a", "by=1"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'b'},"
         "{rule_id: 2, match_pattern: 'b', replace_pattern: 'c'}",
         "a", "text='c' by=1,2"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'b'},"
         "{rule_id: 2, match_pattern: 'a', destination_hostgroup: 2}",
         "a", "text='b' by=1"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'b'},"
         "{rule_id: 2, match_pattern: '^b', destination_hostgroup: 2}",
         "a", "to=2 text='b' by=1,2"},
        {"{rule_id: 1, match_pattern: 'insert', replace_pattern: 'select'},"
         "{rule_id: 2, match_digest: '^insert', destination_hostgroup: 2},"
         "{rule_id: 3, match_digest: '^select', destination_hostgroup: 3}",
         "INSERT 1", "to=2 text='select 1' by=1,2"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'b', apply: 1},"
         "{rule_id: 2, match_pattern: 'b', replace_pattern: 'c'}",
         "a", "text='b' by=1 apply"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'b', flagOUT: 1},"
         "{rule_id: 2, flagIN: 1, match_pattern: 'b', replace_pattern: 'c'}",
         "a", "text='c' flag=1 by=1,2"},
        {"{rule_id: 1, match_pattern: 'x', negate_match_pattern: 1, replace_pattern: 'y'}", "a",
         "by=1"},
        {"{rule_id: 1, match_pattern: 'a', replace_pattern: 'b'},"
         "{rule_id: 2, match_pattern: 'a', negate_match_pattern: 1, destination_hostgroup: 2}",
         "a", "to=2 text='b' by=1,2"},
        {"{rule_id: 1, username: alice, match_pattern: 'a', replace_pattern: 'b'},"
         "{rule_id: 2, username: alice, match_pattern: 'a'},"
         "{rule_id: 3, username: alice, match_pattern: 'b'}",
         "a", "text='b' by=1,3"},
    });
}

TEST(rules, that_would_let_a_statement_grow_without_end_leave_it_alone) {
    std::string rules;
    for (int i = 1; i <= 60; ++i)
        rules += "{rule_id: " + std::to_string(i) +
                 ", match_pattern: '(?s)^(.*)$', replace_pattern: '\\1\\1'},";
    const compiled_rules compiled(test::settings_of(rules));
    const rule_verdict v = compiled.judge(subject_of("ab"));
    ASSERT_TRUE(v.rewritten);
    EXPECT_EQ(v.rewritten->size(), std::size_t{256} << 10);
    EXPECT_EQ(v.matched.size(), 60u);
}

TEST(fast_routing, decides_where_no_rule_with_apply_has_matched) {
    const std::string routes =
        "query_rules_fast_routing:\n"
        "  - {username: alice, database: shop, destination_hostgroup: 1}\n"
        "  - {username: '', database: shop, destination_hostgroup: 2}\n"
        "  - {username: '', database: shop, flagIN: 5, destination_hostgroup: 5}\n"
        "  - {username: carol, database: stock, flagIN: 5, destination_hostgroup: 6}\n";
    const auto ask = [&](const std::string& rules, std::string_view user = "alice",
                         std::string_view database = "shop") {
        rule_subject s = subject_of("SELECT 1");
        s.username = user;
        s.database = database;
        return say(rules, s, routes);
    };
    EXPECT_EQ(ask(""), "to=1");
    EXPECT_EQ(ask("", "bob"), "to=2") << "without a user: for all others";
    EXPECT_EQ(ask("", "alice", "stock"), "nothing");
    EXPECT_EQ(ask("", "carol", "stock"), "nothing") << "another flag";
    EXPECT_EQ(ask("{rule_id: 1, destination_hostgroup: 3}"), "to=1 by=1")
        << "as in ProxySQL: it has the last word over rules without apply";
    EXPECT_EQ(ask("{rule_id: 1, destination_hostgroup: 3, apply: 1}"), "to=3 by=1 apply");
    EXPECT_EQ(ask("{rule_id: 1, apply: 1}"), "by=1 apply");
    EXPECT_EQ(ask("{rule_id: 1, username: bob, apply: 1}"), "to=1")
        << "a last rule that does not match changes nothing";
    EXPECT_EQ(ask("{rule_id: 1, flagOUT: 5}"), "to=5 flag=5 by=1");
    EXPECT_EQ(ask("{rule_id: 1, flagOUT: 5}", "carol", "stock"), "to=6 flag=5 by=1");
    EXPECT_EQ(ask("{rule_id: 1, flagOUT: 9}"), "flag=9 by=1");
    EXPECT_FALSE(compiled_rules(test::settings_of("", routes)).empty());
}

TEST(the_firewall, lets_listed_statements_pass) {
    const std::string listed = conf::format_digest(sql::compute_digest("SELECT 1").hash);
    const std::string lists =
        "variables: {firewall_whitelist_enabled: 1, firewall_whitelist_errormsg: 'no way'}\n"
        "firewall_whitelist_users:\n"
        "  - {username: alice, client_address: '', mode: PROTECTING}\n"
        "  - {username: alice, client_address: 10.9.9.9, mode: 'OFF'}\n"
        "  - {username: bob, client_address: '', mode: DETECTING}\n"
        "  - {username: carol, client_address: '', mode: 'OFF'}\n"
        "  - {username: dave, client_address: '', mode: 'OFF', active: 0}\n"
        "firewall_whitelist_rules:\n"
        "  - {username: alice, client_address: '', database: shop, digest: " +
        listed +
        "}\n"
        "  - {username: alice, client_address: '', database: stock, flagIN: 3, digest: " +
        listed +
        "}\n"
        "  - {active: 0, username: alice, client_address: '', database: other, digest: " +
        listed + "}\n";
    const auto ask = [&](std::string_view query, std::string_view user = "alice",
                         std::string_view database = "shop", const std::string& rules = "",
                         std::string_view address = "10.1.2.3") {
        rule_subject s = subject_of(query);
        s.username = user;
        s.database = database;
        s.client_addr = address;
        return say(rules, s, lists);
    };
    const std::string blocked = "error='no way' firewall=blocked";
    EXPECT_EQ(ask("SELECT 1"), "nothing");
    EXPECT_EQ(ask("SELECT 'other literal'"), "nothing");
    EXPECT_EQ(ask("SELECT a"), blocked);
    EXPECT_EQ(ask("SELECT 1", "alice", "stock"), blocked) << "another flag";
    EXPECT_EQ(ask("SELECT 1", "alice", "stock", "{rule_id: 1, flagOUT: 3}"), "flag=3 by=1");
    EXPECT_EQ(ask("SELECT 1", "alice", "other"), blocked) << "not active";
    EXPECT_EQ(ask("SELECT a", "alice", "shop", "", "10.9.9.9"), "nothing");
    EXPECT_EQ(ask("SELECT a", "bob"), "firewall=detected");
    EXPECT_EQ(ask("SELECT a", "carol"), "nothing");
    EXPECT_EQ(ask("SELECT a", "dave"), blocked) << "not active is not listed";
    EXPECT_EQ(ask("SELECT a", "erin"), blocked) << "who is not listed may do nothing";
    EXPECT_EQ(ask("SELECT a", "alice", "shop", "{rule_id: 1, error_msg: mine}"),
              "error='mine' firewall=blocked by=1");
    EXPECT_EQ(ask("SELECT a", "alice", "shop", "{rule_id: 1, OK_msg: fine}"), blocked + " by=1");
}

TEST(the_firewall, is_off_unless_it_is_enabled) {
    EXPECT_EQ(say("", subject_of("SELECT 1"),
                  "firewall_whitelist_users:\n"
                  "  - {username: alice, client_address: '', mode: PROTECTING}\n"),
              "nothing");
}

std::string fault_of(const std::string& rules) {
    try {
        const compiled_rules compiled(test::settings_of(rules));
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "none";
}

TEST(rules, that_cannot_be_compiled_are_named) {
    EXPECT_EQ(fault_of("{rule_id: 7, match_pattern: '('}"),
              "query rule 7: match_pattern: missing ): (");
    EXPECT_EQ(fault_of("{rule_id: 8, match_digest: '[a'}"),
              "query rule 8: match_digest: missing ]: [a");
    EXPECT_EQ(fault_of("{rule_id: 9, match_pattern: '(?!a)'}"),
              "query rule 9: match_pattern: invalid perl operator: (?!");
    EXPECT_EQ(fault_of("{rule_id: 10, match_pattern: '(a)\\1'}"),
              "query rule 10: match_pattern: invalid escape sequence: \\1");
    EXPECT_TRUE(fault_of("{rule_id: 11, match_pattern: '(a)', replace_pattern: '\\2'}")
                    .starts_with("query rule 11: replace_pattern: "));
    EXPECT_TRUE(fault_of("{rule_id: 12, match_pattern: a, replace_pattern: 'b\\'}")
                    .starts_with("query rule 12: replace_pattern: "));
    EXPECT_EQ(fault_of("{rule_id: 13, active: 0, match_pattern: '('}"), "none");
    conf::settings unchecked;
    unchecked.query_rules.resize(1);
    unchecked.query_rules[0].rule_id = 14;
    unchecked.query_rules[0].replace_pattern = "x";
    EXPECT_THROW((void)compiled_rules(unchecked), std::runtime_error);
}

TEST(rules, tell_what_their_chains_look_at) {
    const compiled_rules compiled(
        test::settings_of("{rule_id: 1, flagOUT: 1}, {rule_id: 2, flagIN: 1, match_pattern: a},"
                          "{rule_id: 3, flagIN: 2, match_digest: a, flagOUT: 3},"
                          "{rule_id: 4, flagIN: 3, username: alice}"));
    EXPECT_TRUE(compiled.looks_at_text(0)) << "by way of rule 1";
    EXPECT_FALSE(compiled.looks_at_digest_text(0));
    EXPECT_TRUE(compiled.looks_at_text(1));
    EXPECT_FALSE(compiled.looks_at_text(2));
    EXPECT_TRUE(compiled.looks_at_digest_text(2));
    EXPECT_FALSE(compiled.looks_at_digest_text(3));
    EXPECT_FALSE(compiled.looks_at_text(99));
    EXPECT_FALSE(compiled.looks_at_addresses());
    for (const char* column : {"client_addr: 10.%", "proxy_addr: ::1", "proxy_port: 1"})
        EXPECT_TRUE(compiled_rules(test::settings_of("{rule_id: 1, " + std::string(column) + "}"))
                        .looks_at_addresses())
            << column;
}

}  // namespace
}  // namespace howdah::proxy
