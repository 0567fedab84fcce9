#include "proxy/sql/lexer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <string>
#include <vector>

namespace howdah::proxy::sql {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(std::string_view sql) {
    std::vector<std::string> result;
    lexer in{sql};
    for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
        result.emplace_back(t.text);
    }
    return result;
}

token_kind first_kind(std::string_view sql) {
    return lexer{sql}.next().kind;
}

// Start and end of every token but comments, by PostgreSQL's own scanner.
std::vector<std::string> reference(const std::string& sql) {
    std::vector<std::string> result;
    const PgQueryScanResult scan = pg_query_scan(sql.c_str());
    if (scan.error != nullptr) {
        ADD_FAILURE() << sql << ": " << scan.error->message;
    } else {
        PgQuery__ScanResult* tokens = pg_query__scan_result__unpack(
            nullptr, scan.pbuf.len, reinterpret_cast<const uint8_t*>(scan.pbuf.data));
        for (std::size_t i = 0; i < tokens->n_tokens; ++i) {
            const PgQuery__ScanToken& t = *tokens->tokens[i];
            if (t.token == PG_QUERY__TOKEN__SQL_COMMENT || t.token == PG_QUERY__TOKEN__C_COMMENT) {
                continue;
            }
            result.push_back(sql.substr(static_cast<std::size_t>(t.start),
                                        static_cast<std::size_t>(t.end - t.start)));
        }
        pg_query__scan_result__free_unpacked(tokens, nullptr);
    }
    pg_query_free_scan_result(scan);
    return result;
}

TEST(lexer, splits_a_text_where_postgresql_splits_it) {
    const std::vector<std::string> statements{
        "select 1",
        "SELECT a.b, \"C d\".\"e\"\"f\" FROM t AS x WHERE x.y=$1 AND z<>$22",
        "select 'it''s', E'a\\'b', e'\\\\', B'0101', X'1fF'",
        "select $$a'b$$, $tag$ $$ $tagx$ $tag$, $a1_$x$a1_$",
        "select /* one /* nested */ still */ 1 -- to the end\n, 2",
        "select 1--2\n+3",
        "select 1+-2, 1 - -2, a@-1, a@@-b, a->>'x', a#>'{}', a<->b, a?b, a?|b, a?&b",
        "select a*-b, a<=b, a>=b, a<>b, a!=b, a||b, a&&b, a=-1, a<-1, a!-b, a~*b, !~~ a",
        "select a*/* comment */b, a+--comment\nb",
        "select 1.5, .5, 1., 1e10, 1.e-5, .5E+3, 007, 123456789012345678901234567890",
        "select array[1,2][1:2], a[1:], x::int::text, f(a := 1), f(a => 2), t.*",
        "for i in 1..10 loop",
        "select 'a'\n'b'\n  'c', 'x' \t\n \r\n 'y', 'a' || 'b'",
        "select E'a'\n'\\'b'",
        "select caf\xc3\xa9, \xce\xb1\xce\xb2 from \xe8\xa1\xa8 where x$y = 1",
        "insert into t values (1,'a'),(2,'b') on conflict (id) do nothing;",
        "select 1;;select 2;",
        "select a^b%c, @ -5, |/ 25, ||/ 27, ~ 3, a # b",
        "\t\n\r\f select\t1\f",
        "select 'a\nb', \"a\nb\", $$a\nb$$",
        "select x'1'\n'2'",
        "select 1;--",
        "select 1 /**/ + /***/ 2 /* * / */",
        "select a-b, a -b, a- b, a -- b\n",
        "select a<b>c, a=>b, a<=>b, a=<b",
        "select $1::int4,$2||$3",
        "select e, b, x, u, n, E, u & 1, n",
        "select a.b.c.d, (x).y, (x).*",
        "explain (analyze, buffers off) select 1",
        "do $do$ begin perform 1; end $do$ language plpgsql",
        "",
        "   ",
        "--",
        "/* only */",
    };
    for (const std::string& sql : statements)
        EXPECT_EQ(texts(sql), reference(sql)) << sql;
}

TEST(lexer, takes_a_national_string_as_one_literal) {
    EXPECT_THAT(texts("select N'a''b'"), ElementsAre("select", "N'a''b'"));
}

TEST(lexer, joins_a_literal_with_its_next_line_and_the_comments_between) {
    // As the server does; PostgreSQL's scanner as a library stops at the comment.
    EXPECT_THAT(texts("'a'\n-- x\n'b'"), ElementsAre("'a'\n-- x\n'b'"));
    EXPECT_THAT(texts("'a' -- x\n 'b'"), ElementsAre("'a' -- x\n 'b'"));
    EXPECT_THAT(texts("'a' 'b'"), ElementsAre("'a'", "'b'"));
    EXPECT_THAT(texts("'a'\n/* x */'b'"), ElementsAre("'a'", "'b'"));
    EXPECT_THAT(texts("'a' -- x"), ElementsAre("'a'"));
}

TEST(lexer, takes_unicode_escapes_with_their_prefix) {
    EXPECT_THAT(texts("U&'d\\0061t' u&\"d\\0061\"\"t\" U & 'a'"),
                ElementsAre("U&'d\\0061t'", "u&\"d\\0061\"\"t\"", "U", "&", "'a'"));
}

TEST(lexer, ends_an_operator_where_a_comment_starts) {
    EXPECT_THAT(texts("a*/*x*/b"), ElementsAre("a", "*", "b"));
    EXPECT_THAT(texts("a+--x\nb"), ElementsAre("a", "+", "b"));
    EXPECT_THAT(texts("a--b"), ElementsAre("a"));
}

TEST(lexer, lets_only_some_operators_end_in_a_sign) {
    EXPECT_THAT(texts("a=-1"), ElementsAre("a", "=", "-", "1"));
    EXPECT_THAT(texts("a@-1"), ElementsAre("a", "@-", "1"));
    EXPECT_THAT(texts("a*+-+b"), ElementsAre("a", "*", "+", "-", "+", "b"));
}

TEST(lexer, tells_kinds_apart) {
    EXPECT_EQ(first_kind("abc"), token_kind::word);
    EXPECT_EQ(first_kind("\"abc\""), token_kind::quoted_word);
    EXPECT_EQ(first_kind("U&\"abc\""), token_kind::quoted_word);
    EXPECT_EQ(first_kind("'abc'"), token_kind::string);
    EXPECT_EQ(first_kind("$x$abc$x$"), token_kind::string);
    EXPECT_EQ(first_kind("b'1'"), token_kind::bit_string);
    EXPECT_EQ(first_kind("1.5e3"), token_kind::number);
    EXPECT_EQ(first_kind("0x1F"), token_kind::based_number);
    EXPECT_EQ(first_kind("0b101"), token_kind::based_number);
    EXPECT_EQ(first_kind("0o17"), token_kind::based_number);
    EXPECT_EQ(first_kind("1_000"), token_kind::based_number);
    EXPECT_EQ(first_kind("1abc"), token_kind::odd_number);
    EXPECT_EQ(first_kind("0xyz"), token_kind::odd_number);
    EXPECT_EQ(first_kind("1__0"), token_kind::odd_number);
    EXPECT_EQ(first_kind("$1"), token_kind::parameter);
    EXPECT_EQ(first_kind("->>"), token_kind::op);
    EXPECT_EQ(first_kind("::"), token_kind::punct);
    EXPECT_EQ(first_kind("$"), token_kind::other);
    EXPECT_EQ(first_kind("{"), token_kind::other);
    EXPECT_EQ(first_kind(std::string_view{"\0", 1}), token_kind::other);
    EXPECT_EQ(first_kind(""), token_kind::end);
}

TEST(lexer, ends_what_is_not_closed_with_the_text) {
    EXPECT_THAT(texts("a 'b c"), ElementsAre("a", "'b c"));
    EXPECT_THAT(texts("a \"b c"), ElementsAre("a", "\"b c"));
    EXPECT_THAT(texts("a $x$b $y$"), ElementsAre("a", "$x$b $y$"));
    EXPECT_THAT(texts("a /* b /* c */"), ElementsAre("a"));
    EXPECT_THAT(texts("a E'b\\"), ElementsAre("a", "E'b\\"));
    EXPECT_THAT(texts("'a'\n"), ElementsAre("'a'"));
}

TEST(lexer, reads_every_prefix_of_a_text_to_its_end_without_losing_bytes) {
    const std::string sql =
        "select/*a/*b*/*/E'x\\'y'\n'z',U&\"q\"\"\" $t$ $ $t$ -- c\n $12 1.5e+3 .5 1..2 a@-b::c||'";
    for (std::size_t n = 0; n <= sql.size(); ++n) {
        const std::string prefix = sql.substr(0, n);
        const char* last = prefix.data();
        lexer in{prefix};
        for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
            ASSERT_FALSE(t.text.empty());
            ASSERT_GE(t.text.data(), last);
            last = t.text.data() + t.text.size();
        }
        ASSERT_LE(last, prefix.data() + prefix.size());
        EXPECT_EQ(in.next().kind, token_kind::end);
    }
}

TEST(lexer, says_whether_white_space_or_a_comment_stood_before_a_token) {
    lexer in{"a b/**/c+d"};
    EXPECT_FALSE(in.next().spaced);
    EXPECT_TRUE(in.next().spaced);
    EXPECT_TRUE(in.next().spaced);
    EXPECT_FALSE(in.next().spaced);
}

}  // namespace
}  // namespace howdah::proxy::sql
