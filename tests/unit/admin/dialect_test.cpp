#include "admin/catalog/dialect.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace howdah::admin {
namespace {

TEST(dialect, a_statement_of_sqlites_stays_as_it_is) {
    for (const char* sql :
         {"SELECT 'a::text' || \"b::int\", '~' FROM t -- x::y\n WHERE a = '::'",
          "UPDATE global_variables SET variable_value = 5 WHERE variable_name = 'pgsql-threads'",
          "SELECT pgsql-threads FROM t",
          "SELECT a -> '$.x', a ->> 'y', a->'$[0]' FROM t",
          "SELECT ~a, - ~ 5, NOT ~b FROM t WHERE ~c = 1 AND ~d",
          "SELECT [a::b], [select] FROM [t].[u]",
          "SELECT x [y] FROM t",
          "INSERT INTO pgsql_query_rules (match_pattern) VALUES ('^SELECT .* ~ \\d+')",
          "SELECT * FROM t WHERE a LIKE 'x\\_%' AND b LIKE 'y\\%' ESCAPE '!'",
          "SELECT CAST(a AS INT), CAST(b AS VARCHAR(10)), CAST(c AS \"char\") FROM t",
          "SELECT user, any, some, array FROM t WHERE a IN (1, 2) AND b COLLATE NOCASE = 'x'",
          "SELECT trim(a), trim(a, 'x'), substr(a, 1), substring(a, 2, 3) FROM t",
          "SELECT a AS current_user, t.session_user FROM t",
          "SELECT sum(a) OVER (PARTITION BY b ORDER BY c) FROM t ORDER BY 1 LIMIT 1 OFFSET 2",
          "SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END FROM t",
          "SELECT ?1, ?, :name, @x, $1",
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
          "SELECT a REGEXP b, a MATCH b, a GLOB '*[a-z]*' FROM (t JOIN u)",
          "",
          " ; ",
          "/* x */"})
        EXPECT_EQ(translated(sql), sql);
}

TEST(dialect, casts_take_the_operand_before_them) {
    const std::pair<const char*, const char*> cases[] = {
        {"SELECT a.b::text", "SELECT CAST(a.b AS TEXT)"},
        {"SELECT '1'::int4 + 2", "SELECT CAST('1' AS INTEGER) + 2"},
        {"SELECT $1::bigint", "SELECT CAST($1 AS INTEGER)"},
        {"SELECT f(a, (b))::pg_catalog.varchar(10)", "SELECT CAST(f(a, (b)) AS TEXT)"},
        {"SELECT a AND (b OR c)::text", "SELECT a AND CAST((b OR c) AS TEXT)"},
        {"SELECT CASE WHEN a THEN b END::text", "SELECT CAST(CASE WHEN a THEN b END AS TEXT)"},
        {"SELECT a::int::text", "SELECT CAST(CAST(a AS INTEGER) AS TEXT)"},
        {"SELECT a::double precision, b::character varying",
         "SELECT CAST(a AS REAL), CAST(b AS TEXT)"},
        {"SELECT \"A b\".\"C\"::text", "SELECT CAST(\"A b\".\"C\" AS TEXT)"},
        {"SELECT a::text[], b::timestamp with time zone AS c", "SELECT a, b AS c"},
        {"SELECT 'pg_class'::pg_catalog.regclass", "SELECT pg_regclass('pg_class')"},
        {"SELECT 't'::bool", "SELECT pg_to_bool('t')"},
        {"SELECT x::regtype::pg_catalog.text", "SELECT CAST(pg_regtype(x) AS TEXT)"},
        {"SELECT CAST(x AS pg_catalog.int4)", "SELECT CAST(x AS INTEGER)"},
        {"SELECT CAST(x AS regclass), CAST((a) AS name)",
         "SELECT pg_regclass(x), CAST((a) AS TEXT)"},
        {"SELECT ::text", "SELECT ::text"}};
    for (const auto& [sql, wanted] : cases)
        EXPECT_EQ(translated(sql), wanted) << sql;
}

TEST(dialect, operators_and_names_of_pg_catalog_lose_their_schema) {
    const std::pair<const char*, const char*> cases[] = {
        {"SELECT pg_catalog.f(x)", "SELECT f(x)"},
        {"SELECT * FROM pg_catalog.pg_class c", "SELECT * FROM pg_catalog.pg_class c"},
        {"WHERE a OPERATOR(pg_catalog.~) '^(x)$' COLLATE pg_catalog.default",
         "WHERE a REGEXP '^(x)$'"},
        {"WHERE a !~ 'x' AND b~'y'", "WHERE a NOT REGEXP 'x' AND b REGEXP 'y'"},
        {"WHERE a ~* 'x' OR f(b) !~* 'y'", "WHERE a MATCH 'x' OR f(b) NOT MATCH 'y'"},
        {"WHERE a OPERATOR(pg_catalog.=) b", "WHERE a = b"},
        {"WHERE a ILIKE 'x'", "WHERE a LIKE 'x'"},
        {"SELECT current_user, session_user = x", "SELECT current_user(), session_user() = x"},
        {"SELECT trim(trailing ';' from x)", "SELECT pg_trim_trailing( ';' , x)"},
        {"SELECT substring(a from 2 for 3)", "SELECT substring(a , 2 , 3)"},
        {"SELECT 1 LIMIT ALL", "SELECT 1 LIMIT -1"}};
    for (const auto& [sql, wanted] : cases)
        EXPECT_EQ(translated(sql), wanted) << sql;
}

TEST(dialect, string_constants_in_other_forms_become_plain_ones) {
    EXPECT_EQ(translated("SELECT E'a\\n\\'b'"), "SELECT 'a\n''b'");
    EXPECT_EQ(translated("SELECT $$it's$$, $x$ $$ $x$"), "SELECT 'it''s', ' $$ '");
}

TEST(dialect, a_backslash_in_a_pattern_escapes_where_the_catalogue_is_asked) {
    EXPECT_EQ(translated("SELECT 1 FROM pg_class WHERE relname LIKE 'a\\_%' OR x LIKE 'b%'"),
              "SELECT 1 FROM pg_class WHERE relname LIKE 'a\\_%' ESCAPE '\\' OR x LIKE 'b%'");
    EXPECT_EQ(translated("SELECT 1 FROM pg_class WHERE relname NOT LIKE E'a\\\\_%'"),
              "SELECT 1 FROM pg_class WHERE relname NOT LIKE 'a\\_%' ESCAPE '\\'");
}

TEST(dialect, arrays_become_calls) {
    const std::pair<const char*, const char*> cases[] = {
        {"SELECT ARRAY[1, 'a']", "SELECT pg_array(1, 'a')"},
        {"SELECT ARRAY(SELECT a FROM t)",
         "SELECT (WITH pg_rows(v) AS (SELECT a FROM t) SELECT pg_array_of(v) FROM pg_rows)"},
        {"WHERE 'd' = any(k)", "WHERE 'd' IN (SELECT value FROM json_each(pg_array_json(k)))"},
        {"WHERE a <> ALL ('{b}'::text[])",
         "WHERE a NOT IN (SELECT value FROM json_each(pg_array_json('{b}')))"},
        {"WHERE a = ANY (SELECT 1)", "WHERE a IN (SELECT 1)"},
        {"SELECT conkey[1] FROM pg_constraint",
         "SELECT pg_subscript(conkey, 1) FROM pg_constraint"},
        {"SELECT * FROM generate_series(1, 3) s",
         "SELECT * FROM (SELECT value AS s FROM json_each(pg_series(1, 3))) AS s"},
        {"SELECT x FROM pg_catalog.unnest(a::text[]) AS u(x)",
         "SELECT x FROM (SELECT value AS x FROM json_each(pg_array_json(a))) AS u"},
        {"SELECT (f(x)).n", "SELECT pg_field((f(x)), 'n')"},
        {"SELECT * FROM (VALUES (1, 2)) v(a, b)",
         "SELECT * FROM (WITH v(a,b) AS (VALUES (1, 2)) SELECT * FROM v) AS v"},
        {"SELECT string_agg(a, ',' ORDER BY b) FROM t", "SELECT string_agg(a, ',') FROM t"}};
    for (const auto& [sql, wanted] : cases)
        EXPECT_EQ(translated(sql), wanted) << sql;
}

TEST(dialect, any_bytes_are_survived) {
    std::mt19937 random(1);
    const char* parts[] = {"::",
                           "(",
                           ")",
                           "[",
                           "]",
                           "CASE",
                           "END",
                           "CAST(",
                           "AS",
                           "text",
                           "ANY(",
                           "=",
                           "ARRAY[",
                           "ARRAY(",
                           "'",
                           "$$",
                           "E'",
                           "FROM",
                           "SELECT",
                           "unnest(",
                           ".",
                           "~",
                           "LIKE",
                           "'\\'",
                           "pg_a",
                           "COLLATE",
                           "OPERATOR(",
                           "a",
                           "pg_catalog",
                           "trim(leading",
                           "generate_series(1",
                           ",",
                           "\"",
                           "ORDER",
                           "string_agg(",
                           "LIMIT ALL",
                           "timestamp with",
                           "\xff",
                           "_pg_expandarray("};
    for (int i = 0; i < 20000; ++i) {
        std::string sql;
        for (unsigned n = random() % 30; n > 0; --n)
            sql += std::string(parts[random() % std::size(parts)]) + (random() % 3 ? " " : "");
        (void)translated(sql);
    }
    std::string deep = "SELECT 1 FROM pg_x, ";
    for (int i = 0; i < 20000; ++i)
        deep += "unnest(";
    (void)translated(deep);
    (void)translated(deep + std::string(20000, ')'));
    std::string casts = "SELECT a";
    for (int i = 0; i < 100000; ++i)
        casts += "::text";
    EXPECT_GT(translated(casts).size(), casts.size());
    EXPECT_EQ(translated(std::string(50000, '(')), std::string(50000, '('));
}

}  // namespace
}  // namespace howdah::admin
