#include "proxy/sql/digest.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace howdah::proxy::sql {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

TEST(digest, is_equal_for_statements_that_differ_in_literals_blanks_and_case_only) {
    const pairs same{
        {"select 1", "select 2"},
        {"select 1", "SELECT 1"},
        {"select 1", "  select\t\n1 "},
        {"select 1", "select 1;"},
        {"select 1", "select 1 ; ;"},
        {"select 1", "/* a */ select /* b */ 1 -- c"},
        {"select 1", "select 'x'"},
        {"select 1", "select 1.5e10"},
        {"select 1", "select .5"},
        {"select 1", "select E'a\\'b'"},
        {"select 1", "select B'01'"},
        {"select 1", "select X'ff'"},
        {"select 1", "select N'a'"},
        {"select 1", "select U&'d\\0061t'"},
        {"select 1", "select $$x$$"},
        {"select 1", "select $a$ x' $b$ $a$"},
        {"select 'a'", "select 'a'\n'b'"},
        {"select 'it''s'", "select ''"},
        {"select 0x1F", "select 0xabc"},
        {"select a from t where b=1", "select a from t where b = 99"},
        {"select A from T", "select a from t"},
        {"select a . b from t", "select a.b from t"},
        {"select a+b", "select a + b"},
        {"select x::int", "select x :: int"},
        {"select (1)", "select ( 1 )"},
        {"select * from t where a in (1)", "select * from t where a in (1,2,3)"},
        {"select * from t where a in (1,2)", "select * from t where a in ( 3 , 4 , 5 )"},
        {"select * from t where a in ('a')", "select * from t where a in ('x', 'y')"},
        {"select * from t where a in (-1,2)", "select * from t where a in (1,-2,+3)"},
        {"select * from t where a not in (1,2)", "select * from t where a not in (9)"},
        {"select array[1,2,3]", "select array[4]"},
        {"select array['a','b']", "select ARRAY [ 'c' ]"},
        {"insert into t values (1,2)", "insert into t values (3,4)"},
        {"insert into t values (1,2)", "insert into t values (1,2),(3,4)"},
        {"insert into t values (1,2)", "insert into t values (1,2),(3,4),(5,6),(7,8)"},
        {"insert into t values (now(), 1)", "insert into t values (now(), 1), (now(), 2)"},
        {"insert into t values (1) returning id", "insert into t values (1),(2) returning id"},
        {"insert into t values ((1+2))", "insert into t values ((1+2)), ((3+4))"},
        {"values (1,'a')", "values (2,'b'),(3,'c')"},
        {"select * from (values (1),(2)) v where a = 1",
         "select * from (values (3)) v where a = 4"},
        {"select 1; select 2", "select 3;select 4;"},
        {"select caf\xc3\xa9", "SELECT caf\xc3\xa9"},
        {"set x = 1", "set x = 'abc'"},
        {"select a from t limit 10 offset 20", "select a from t limit 1 offset 2"},
        {"select interval '1 day'", "select interval '2 days'"},
    };
    for (const auto& [a, b] : same) {
        EXPECT_EQ(compute_digest(a), compute_digest(b)) << a << "\n" << b;
        EXPECT_EQ(compute_digest(a, 77), compute_digest(b, 77)) << a << "\n" << b;
    }
}

TEST(digest, is_different_for_different_statements) {
    const pairs different{
        {"select a", "select b"},
        {"select ab", "select a b"},
        {"select a", "select \"a\""},
        {"select \"a\"", "select \"A\""},
        {"select \"ab\"", "select \"a\" \"b\""},
        {"select a", "select 1"},
        {"select $1", "select $2"},
        {"select $1", "select 1"},
        {"select a", "select 'a'"},
        {"select 1", "select 1, 2"},
        {"select 1", "select -1"},
        {"select a-b", "select a+b"},
        {"select a - - b", "select a -- b"},
        {"select a||b", "select a|b"},
        {"select a from t", "select a from t where true"},
        {"select f(1)", "select f(1,2)"},
        {"select f(1)", "select f()"},
        {"select f(a)", "select f(b)"},
        {"select f(1)", "select g(1)"},
        {"select a.b", "select a,b"},
        {"select * from t where a in (1)", "select * from t where a in (b)"},
        {"select * from t where a in (1,2)", "select * from t where a in (1,b)"},
        {"select * from t where a in (1,2-1)", "select * from t where a in (1-1)"},
        {"select * from t where a in (1,2-1)", "select * from t where a in (1)"},
        {"select * from t where a in (1,2::int)", "select * from t where a in (1)"},
        {"select * from t where a in (1,$1)", "select * from t where a in (1)"},
        {"select * from t where a in (-b,1)", "select * from t where a in (b,1)"},
        {"select * from t where a in (select 1)", "select * from t where a in (1)"},
        {"select * from t where a in ($1,$2)", "select * from t where a in ($1)"},
        {"select array[1,a]", "select array[1]"},
        {"select array[1]", "select array(1)"},
        {"insert into t values (1)", "insert into t values (1,2)"},
        {"insert into t values (1,2)", "insert into u values (1,2)"},
        {"insert into t values (1,2),(3,a)", "insert into t values (1,2)"},
        {"insert into t values (1),(a)", "insert into t values (a),(1)"},
        {"insert into t values (1),(a),(2)", "insert into t values (1),(a)"},
        {"insert into t values (1),(2) returning a", "insert into t values (1),(2) returning b"},
        {"insert into a values (1", "insert into b values (1"},
        {"insert into a values (1; select 2", "insert into b values (1; select 2"},
        {"select 1; select 2", "select 1"},
        {"select 1; select 2", "select 1 select 2"},
        {"; select 1", "select 1"},
        {"select a for update", "select a for share"},
        {"select a as b", "select a b"},
        {"select 1e", "select 1f"},
        {"select 1a", "select 1"},
        {"select 0x1f", "select 1"},
        {"select U&\"d!0061\" uescape '!'", "select U&\"d!0061\" uescape '#'"},
        {"select a@-1", "select a@ -1"},
        {"select a=-1", "select a=1"},
        {"select (a)", "select a"},
        {"select x::int", "select x:int"},
        {"begin", "begin read only"},
        {"begin", "commit"},
        {"copy t to stdout", "copy t from stdin"},
        {"select e'a' 'b'", "select 'a'\n'b'"},
        {"abcdefgh", "abcdefghi"},
        {"abcdefg", "abcdefgh"},
        {"abcdefgh ijklmnop", "abcdefghijklmnop"},
        {"abcdefgh a", "abcdefgha"},
        {"", "a"},
        {"select {", "select }"},
    };
    for (const auto& [a, b] : different) {
        EXPECT_NE(compute_digest(a).hash, compute_digest(b).hash) << a << "\n" << b;
        EXPECT_NE(compute_digest(a, 5).check, compute_digest(b, 5).check) << a << "\n" << b;
    }
}

TEST(digest, keeps_its_hash_under_any_key_and_changes_its_check) {
    const std::string sql = "select a from t where b = 1 and c in (1, 2)";
    EXPECT_EQ(compute_digest(sql, 1).hash, compute_digest(sql, 2).hash);
    EXPECT_NE(compute_digest(sql, 1).check, compute_digest(sql, 2).check);
    EXPECT_NE(compute_digest(sql, 1), compute_digest(sql, 2));
}

TEST(digest, does_not_change_from_release_to_release) {
    EXPECT_EQ(compute_digest("select 1").hash, compute_digest("SELECT 2").hash);
    EXPECT_EQ(compute_digest("SELECT abalance FROM pgbench_accounts WHERE aid = $1").hash,
              0xd7c2d00b6a80331ULL);
}

TEST(digest, of_words_of_every_length_differs) {
    std::set<uint64_t> seen;
    std::string word;
    for (int i = 0; i < 300; ++i) {
        word += static_cast<char>('a' + i % 26);
        EXPECT_TRUE(seen.insert(compute_digest(word).hash).second) << word;
    }
}

TEST(digest, folds_every_letter_and_nothing_else) {
    std::string upper;
    std::string lower;
    for (char c = 'A'; c <= 'Z'; ++c) {
        upper += c;
        lower += static_cast<char>(c + 32);
    }
    EXPECT_EQ(compute_digest(upper), compute_digest(lower));
    EXPECT_EQ(compute_digest("x_" + upper + "$9"), compute_digest("x_" + lower + "$9"));
    EXPECT_NE(compute_digest("\xc3\x80"
                             "bcdefgh"),
              compute_digest("\xc3\xa0"
                             "bcdefgh"));
}

TEST(digest_text, shows_literals_as_question_marks_and_one_space_per_gap) {
    const pairs expected{
        {"SELECT  A ,b\n FROM T", "select a ,b from t"},
        {"select 1", "select ?"},
        {"select -1", "select -?"},
        {"select 'a'||\"B\"||$1", "select ?||\"B\"||$1"},
        {"/* x */ select /* y */ 1 -- z", "select ?"},
        {"select a from t where b in (1, 2, -3) ;", "select a from t where b in (?)"},
        {"select a from t where b in (-1, 2)", "select a from t where b in (?)"},
        {"select a from t where b in (1, 2, c, 3)", "select a from t where b in (?, c, ?)"},
        {"select ARRAY[1,2]", "select array[?]"},
        {"insert into t(a) values (1, 'x'), (2, 'y')", "insert into t(a) values (?, ?)"},
        {"insert into t values (1,a), (2,b)", "insert into t values (?,a), (?,b)"},
        {"select 1; select 2;", "select ?; select ?"},
        {"select f(1, 2)", "select f(?, ?)"},
        {"select 'a'\n'b'", "select ?"},
        {"", ""},
        {";", ""},
    };
    for (const auto& [sql, text] : expected)
        EXPECT_EQ(digest_text(sql, 1000), text);
}

TEST(digest_text, is_cut_at_the_limit_wherever_that_is) {
    const std::string sql =
        "select a, 'b' from t where c in (1, 2) and d in (values (1), (2), (3))";
    const std::string full = digest_text(sql, 1000);
    EXPECT_EQ(full, "select a, ? from t where c in (?) and d in (values (?))");
    for (std::size_t n = 0; n <= full.size() + 2; ++n) {
        EXPECT_EQ(digest_text(sql, n), full.substr(0, n)) << n;
    }
}

TEST(digest_text, of_a_digest_text_has_the_same_words) {
    const std::string sql = "SELECT a FROM t WHERE b = $1 AND \"C\" <> d ORDER BY e";
    EXPECT_EQ(digest_text(digest_text(sql, 1000), 1000), digest_text(sql, 1000));
    EXPECT_EQ(compute_digest(digest_text(sql, 1000)), compute_digest(sql));
}

TEST(hostgroup_hint, is_read_from_comments_before_the_first_token) {
    EXPECT_EQ(hostgroup_hint("/* hostgroup=20 */ select 1"), 20);
    EXPECT_EQ(hostgroup_hint("/*hostgroup=0*/select 1"), 0);
    EXPECT_EQ(hostgroup_hint("/* hostgroup = 7 */ select 1"), 7);
    EXPECT_EQ(hostgroup_hint("  -- note\n /* x */ /* app=web; hostgroup=3, y */ select 1"), 3);
    EXPECT_EQ(hostgroup_hint("/* a=b hostgroup=4 */"), 4);
    EXPECT_EQ(hostgroup_hint("/* hostgroup=2147483647 */"), 2147483647);
    EXPECT_EQ(hostgroup_hint("/* hostgroup=x hostgroup=5 */ select 1"), 5);
}

TEST(hostgroup_hint, is_absent_elsewhere_and_when_malformed) {
    for (const char* sql :
         {"select 1", "", "select /* hostgroup=20 */ 1", "select 1 /* hostgroup=20 */",
          "-- hostgroup=20\nselect 1", "/* hostgroup */ select 1", "/* hostgroup= */ select 1",
          "/* hostgroup=-1 */ select 1", "/* hostgroup=2147483648 */ select 1",
          "/* hostgroup=2x */ select 1", "/* myhostgroup=2 */ select 1", "/* hostgroup==2 */ x",
          "/*", "/**/", "'/* hostgroup=20 */'", "/* = = = */ select 1"}) {
        EXPECT_EQ(hostgroup_hint(sql), std::nullopt) << sql;
    }
}

}  // namespace
}  // namespace howdah::proxy::sql
