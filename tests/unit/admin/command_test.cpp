#include "admin/sql/command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace howdah::admin {
namespace {

using arguments = command_pattern::arguments;

std::optional<arguments> match(std::string_view syntax, std::string_view statement) {
    std::size_t furthest = 0;
    return command_pattern(syntax).match(tokens_of(statement), statement, furthest);
}

TEST(command_pattern, words_fit_in_any_case_and_spacing) {
    EXPECT_TRUE(match("SHOW TABLES", "show   /* x */ Tables"));
    EXPECT_FALSE(match("SHOW TABLES", "show tables like 'x'"));
    EXPECT_FALSE(match("SHOW TABLES", "show"));
}

TEST(command_pattern, alternatives_are_arguments_in_capitals) {
    constexpr auto syntax =
        "LOAD PGSQL module:{SERVERS|QUERY RULES} {TO {RUNTIME|RUN}|FROM {MEMORY|MEM}}";
    EXPECT_EQ(match(syntax, "load pgsql query rules to run"),
              (arguments{{"module", "QUERY RULES"}}));
    EXPECT_EQ(match(syntax, "LOAD PGSQL SERVERS FROM MEM"), (arguments{{"module", "SERVERS"}}));
    EXPECT_FALSE(match(syntax, "LOAD PGSQL SERVERS"));
    EXPECT_FALSE(match(syntax, "LOAD PGSQL QUERY TO RUN"));
}

TEST(command_pattern, what_may_be_left_out_may_be_there) {
    constexpr auto syntax = "SHOW [full:{FULL}] PROCESSLIST [LIKE <pattern>]";
    EXPECT_EQ(match(syntax, "SHOW PROCESSLIST"), arguments{});
    EXPECT_EQ(match(syntax, "SHOW FULL PROCESSLIST LIKE 'it''s'"),
              (arguments{{"full", "FULL"}, {"pattern", "it's"}}));
}

TEST(command_pattern, values_lose_their_quotes_and_the_rest_keeps_them) {
    EXPECT_EQ(match("KILL <id>", "KILL 17"), (arguments{{"id", "17"}}));
    EXPECT_EQ(match("SET <name> {=|TO} ...", "SET pgsql-threads=4"),
              (arguments{{"name", "pgsql-threads"}, {"rest", "4"}}));
    EXPECT_EQ(match("SET <name> TO ...", "SET \"Odd\" TO 'a', b"),
              (arguments{{"name", "Odd"}, {"rest", "'a', b"}}));
}

TEST(command_pattern, a_value_may_be_several_tokens_without_blanks_between_them) {
    for (const char* server : {"10.0.0.1:5432", "pg1:5432", "[2001:db8::1%eth0]:5432", "pg-1.lan"})
        EXPECT_EQ(match("FAILOVER <cluster> [TO <server>]", std::string("FAILOVER a TO ") + server),
                  (arguments{{"cluster", "a"}, {"server", server}}));
    EXPECT_EQ(match("TAG <server> <tag>", "TAG pg1:1 rack=r1"),
              (arguments{{"server", "pg1:1"}, {"tag", "rack=r1"}}));
    EXPECT_FALSE(match("ADOPT <server>", "ADOPT pg1 :5432"));
    EXPECT_FALSE(match("ADOPT <server>", "ADOPT (pg1)"));
    EXPECT_FALSE(match("ADOPT <server>", "ADOPT pg1,pg2"));
    EXPECT_FALSE(match("ADOPT <server>", "ADOPT"));
}

TEST(command_pattern, is_shown_without_the_names_of_arguments) {
    EXPECT_EQ(command_pattern::readable("LOAD PGSQL module:{A|B} [x:{TO C}] <id>"),
              "LOAD PGSQL {A|B} [{TO C}] <id>");
}

TEST(command_table, an_unfinished_command_is_an_error_with_a_position_and_the_syntax) {
    command_table table;
    table.add({.syntax = "LOAD PGSQL SERVERS TO RUNTIME", .doc = "", .run = nullptr});
    table.add({.syntax = "SHOW TABLES", .doc = "", .run = nullptr});
    const auto wrong = table.find("LOAD PGSQL SERVER TO RUNTIME");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().sqlstate, "42601");
    EXPECT_EQ(wrong.error().message, "syntax error at or near \"SERVER\"");
    EXPECT_EQ(wrong.error().position, 12U);
    EXPECT_EQ(wrong.error().hint, "Expected: LOAD PGSQL SERVERS TO RUNTIME");
    const auto other = table.find("SELECT 1");
    ASSERT_TRUE(other);
    EXPECT_EQ(other->what, nullptr);
}

TEST(statements, are_split_at_semicolons_outside_of_quotes_and_comments) {
    using testing::ElementsAre;
    EXPECT_THAT(split_statements("SELECT ';'; -- a;\n SELECT \";\" /* ; */;;"),
                ElementsAre("SELECT ';'", " -- a;\n SELECT \";\" /* ; */"));
    EXPECT_THAT(split_statements("select $$;$$ ; select E'\\';' "),
                ElementsAre("select $$;$$ ", " select E'\\';' "));
    EXPECT_THAT(split_statements(" ; /* nothing */ ;"), ElementsAre());
    EXPECT_THAT(split_statements("SELECT 'open"), ElementsAre("SELECT 'open"));
}

TEST(tokens, names_of_variables_hold_a_hyphen_and_differences_do_not) {
    const auto texts = [](std::string_view sql) {
        std::vector<std::string> out;
        for (const token& t : tokens_of(sql))
            out.emplace_back(t.text);
        return out;
    };
    EXPECT_THAT(texts("SET pgsql-threads=4"),
                testing::ElementsAre("SET", "pgsql-threads", "=", "4"));
    EXPECT_THAT(texts("SELECT a-b, 1e-5"),
                testing::ElementsAre("SELECT", "a", "-", "b", ",", "1e-5"));
}

}  // namespace
}  // namespace howdah::admin
