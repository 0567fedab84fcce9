#include "admin/catalog/catalog.hpp"

#include "admin/catalog/arrays.hpp"
#include "tests/unit/admin/catalog_fixture.hpp"
#include "tests/unit/admin/client_queries.hpp"

namespace howdah::admin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class catalog_test : public catalog_fixture {
protected:
    /// With the oids of this administration.
    std::string filled_in(std::string text) {
        const std::pair<const char*, const char*> objects[] = {{"{oid}", "pgsql_servers"},
                                                               {"{index}", "pgsql_servers_pkey"},
                                                               {"{view}", "stats.counters"}};
        for (const auto& [mark, name] : objects)
            for (std::size_t at; (at = text.find(mark)) != text.npos;)
                text.replace(at, std::string_view(mark).size(),
                             std::to_string(catalog_->relation_named(name).value()));
        return text;
    }
};

TEST_F(catalog_test, clients_get_what_their_users_expect) {
    sql_session s(environment_, role::admin, "admin");
    for (const client_query& q : client_queries) {
        SCOPED_TRACE(std::string(q.client) + ' ' + q.command + '\n' + q.sql);
        const std::string answer = ask(s, filled_in(q.sql));
        EXPECT_THAT(answer, testing::Not(StartsWith("ERROR")));
        for (const std::string& part : q.expected)
            EXPECT_THAT(answer, HasSubstr(filled_in(part)));
    }
}

TEST_F(catalog_test, clients_of_those_who_may_only_read_statistics_work_too) {
    sql_session s(environment_, role::stats, "stats");
    for (const client_query& q : client_queries)
        EXPECT_THAT(ask(s, filled_in(q.sql)), testing::Not(StartsWith("ERROR")))
            << q.client << ' ' << q.command << '\n'
            << q.sql;
}

TEST_F(catalog_test, what_is_asked_for_by_a_pattern_is_all_that_is_shown) {
    EXPECT_EQ(ask("SELECT relname FROM pg_catalog.pg_class WHERE relname OPERATOR(pg_catalog.~) "
                  "'^(pgsql_.*)$' COLLATE pg_catalog.default AND relkind = 'r'"),
              "pgsql_servers\n");
    EXPECT_EQ(ask("SELECT relname FROM pg_class WHERE relname ~* '^NOTES$'"), "notes\n");
    EXPECT_EQ(ask("SELECT relname FROM pg_class WHERE relname LIKE 'n_tes\\_%'"),
              "notes_pkey\nnotes_author_key\n");
    EXPECT_THAT(ask("SELECT 'a' ~ '('"), StartsWith("ERROR: invalid regular expression"));
}

TEST_F(catalog_test, oids_are_the_same_in_every_process) {
    catalog other(environment_, [] { return std::vector<std::pair<std::string, role>>(); });
    for (const catalog_relation& r : catalog_->relations())
        EXPECT_EQ(other.relation_named(r.schema + '.' + r.name), r.oid) << r.name;
    EXPECT_EQ(catalog_->relation_named("main.notes"), 586082123);
}

TEST_F(catalog_test, names_of_relations_stand_for_oids_and_back) {
    EXPECT_EQ(ask("SELECT 'notes'::regclass = 'main.notes'::regclass"), "1\n");
    EXPECT_EQ(ask("SELECT oid::regclass FROM pg_class WHERE relname IN ('notes', 'tables')"),
              "notes\ninformation_schema.tables\n");
    EXPECT_EQ(ask("SELECT 'nothing'::regclass"), "ERROR: relation \"nothing\" does not exist");
    EXPECT_EQ(ask("SELECT to_regclass('nothing') IS NULL"), "1\n");
    EXPECT_EQ(ask("SELECT 20::regtype, 'int4'::regtype::oid, format_type(1009, NULL)"),
              "bigint,23,text[]\n");
}

TEST_F(catalog_test, booleans_are_shown_as_postgresql_shows_them_and_count_as_conditions) {
    EXPECT_EQ(ask("SELECT rolname, rolsuper FROM pg_roles WHERE rolsuper"), "admin,t\n");
    EXPECT_EQ(ask("SELECT rolname, rolsuper FROM pg_roles WHERE NOT rolsuper"), "stats,f\n");
    EXPECT_EQ(ask("SELECT rolname FROM pg_roles WHERE rolsuper = true AND rolcanlogin"), "admin\n");
}

TEST_F(catalog_test, privileges_are_those_that_hold) {
    const char* sql =
        "SELECT has_table_privilege('pgsql_servers', 'SELECT'), "
        "has_table_privilege('pgsql_servers', 'UPDATE'), "
        "has_table_privilege('stats.counters', 'SELECT'), "
        "has_table_privilege('stats.counters', 'UPDATE'), "
        "has_database_privilege('admin', 'CREATE')";
    EXPECT_EQ(ask(sql), "1,1,1,0,0\n");
    EXPECT_EQ(ask(sql, role::stats), "0,0,1,0,0\n");
    EXPECT_EQ(ask("SELECT has_table_privilege('stats', 'pgsql_servers', 'SELECT'), "
                  "has_table_privilege('nobody', 'pgsql_servers', 'SELECT')"),
              "ERROR: role \"nobody\" does not exist");
    EXPECT_EQ(ask("SELECT current_user, session_user, current_user = 'stats'", role::stats),
              "stats,stats,1\n");
}

TEST_F(catalog_test, arrays_and_sets_can_be_asked) {
    EXPECT_EQ(ask("SELECT array_to_string(ARRAY['a', NULL, 'b c'], '+'), ARRAY[1, 2]"),
              "a+b c,{1,2}\n");
    EXPECT_EQ(ask("SELECT ARRAY(SELECT nspname FROM pg_namespace WHERE nspname < 'o' ORDER BY 1)"),
              "{information_schema,main,monitor}\n");
    EXPECT_EQ(ask("SELECT 2 = ANY (ARRAY[1, 2]), 3 = ANY ('{1,2}'), 'x' <> ALL ('{y}'::text[])"),
              "1,0,1\n");
    EXPECT_EQ(ask("SELECT n FROM generate_series(1, 3) AS g(n) WHERE n > 1"), "2\n3\n");
    EXPECT_EQ(ask("SELECT conname, unnest(conkey) FROM pg_constraint WHERE contype = 'p' "
                  "ORDER BY 1, 2"),
              "notes_pkey,1\npgsql_servers_pkey,1\npgsql_servers_pkey,2\npgsql_servers_pkey,3\n");
    EXPECT_EQ(ask("SELECT unnest(ARRAY[3, 4]) AS n"), "3\n4\n");
    EXPECT_THAT(ask("SELECT count(*) FROM generate_series(1, 100000000) g"),
                HasSubstr("too many rows"));
}

TEST_F(catalog_test, functions_answer_for_this_administration) {
    EXPECT_EQ(ask("SELECT version()"),
              std::string("PostgreSQL 15.0 (Howdah 1.0 administration, SQLite ") +
                  sqlite3_libversion() + ")\n");
    EXPECT_EQ(ask("SELECT current_database(), current_schema, current_schemas(false)"),
              "admin,main,{main,stats,monitor,pgbouncer}\n");
    EXPECT_EQ(ask("SELECT current_setting('server_version_num')"), "150000\n");
    EXPECT_THAT(ask("SELECT current_setting('nothing')"), StartsWith("ERROR: unrecognized"));
    EXPECT_EQ(ask("SELECT pg_size_pretty(10239), pg_size_pretty(10240), pg_size_pretty(1 << 30)"),
              "10239 bytes,10 kB,1024 MB\n");
    EXPECT_EQ(ask("SELECT pg_table_size('notes'::regclass) IS NULL"), "1\n");
    EXPECT_EQ(ask("SELECT quote_ident('a b'), quote_ident('ab'), quote_literal('it''s')"),
              "\"a b\",ab,'it''s'\n");
    EXPECT_EQ(ask("SELECT trim(trailing ';' from 'a;;'), trim(both 'x' from 'xax')"), "a,a\n");
    EXPECT_EQ(ask("SELECT obj_description('stats.counters'::regclass, 'pg_class'), "
                  "col_description('stats.counters'::regclass, 1)"),
              "Numbers that grow.,Which one.\n");
}

TEST_F(catalog_test, statements_of_sqlites_go_on_working) {
    EXPECT_EQ(ask("SELECT '{\"a\":[1,2]}' ->> '$.a[1]', ~5, 'x' GLOB '[a-z]'"), "2,-6,1\n");
    EXPECT_EQ(ask("SELECT 'a_b' LIKE 'a\\_b', 'it::s'"), "0,it::s\n");
    EXPECT_THAT(ask("SELECT nonsense::text FROM notes"), StartsWith("ERROR: no such column"));
}

TEST(arrays, elements_are_those_that_were_written) {
    const array_elements all{"a", "b c", std::nullopt, "", "x\"\\y,{}", "null"};
    EXPECT_EQ(elements_of(array_text(all)), all);
    EXPECT_EQ(elements_of("{}"), array_elements());
    EXPECT_EQ(elements_of("1  2"), (array_elements{"1", "2"}));
    EXPECT_EQ(elements_of("{a"), (array_elements{"a"}));
    EXPECT_EQ(elements_of("{\"a,\\"), (array_elements{"a,\\"}));
    EXPECT_EQ(array_json({"1", "01", "a\"\n", std::nullopt}), "[1,\"01\",\"a\\\"\\u000a\",null]");
}

}  // namespace
}  // namespace howdah::admin
