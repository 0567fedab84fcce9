#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <map>

#include "admin/sql/text.hpp"
#include "proxy/ha_client/command_line.hpp"
#include "proxy/ha_client/login.hpp"
#include "proxy/ha_client/statements.hpp"
#include "proxy/ha_client/text_table.hpp"

namespace howdah::proxy::ha_client {
namespace {

using ::testing::HasSubstr;

/// What a command line asks for; the error's name where it cannot be read.
request parsed(const std::string& line, std::string* error = nullptr) {
    CLI::App cli("", "howdah");
    std::string config;
    cli.add_option("-c,--config", config);
    request out;
    add_commands(cli, out);
    try {
        cli.parse(line);
        if (error) *error = check(out);
    } catch (const CLI::ParseError& e) {
        if (!error) ADD_FAILURE() << line << ": " << e.what();
        if (error) *error = e.what();
    }
    return out;
}

std::string error_of(const std::string& line) {
    std::string error;
    (void)parsed(line, &error);
    return error;
}

std::string sent_for(const std::string& line) {
    const auto asked = parsed(line);
    return order_of(asked, asked.subject);
}

TEST(HaCommandLine, becomes_the_command_of_the_admin_interface) {
    EXPECT_EQ(sent_for("ha recover pg1:5432"), "RECOVER 'pg1:5432'");
    EXPECT_EQ(sent_for("ha recover pg1 --to pg2 --allow-data-loss --dry-run --config f"),
              "RECOVER 'pg1' TO 'pg2' ALLOW DATA LOSS DRY RUN");
    EXPECT_EQ(sent_for("ha failover main --to [::1]:5432"), "FAILOVER 'main' TO '[::1]:5432'");
    EXPECT_EQ(sent_for("ha switchover main --dry-run"), "SWITCHOVER 'main' DRY RUN");
    EXPECT_EQ(sent_for("ha rewire pg3 --to pg2"), "REWIRE 'pg3' TO 'pg2'");
    EXPECT_EQ(sent_for("ha rejoin pg1 --dry-run"), "REJOIN 'pg1' DRY RUN");
    EXPECT_EQ(sent_for("ha ack --comment 'disk replaced'"),
              "ACK RECOVERIES COMMENT 'disk replaced'");
    EXPECT_EQ(sent_for("ha ack --cluster main --comment seen"),
              "ACK RECOVERIES FOR 'main' COMMENT 'seen'");
}

TEST(HaCommandLine, takes_options_before_and_after_the_command) {
    for (const char* line : {"--config f ha --host h --port 7 --user u history --limit 3",
                             "ha history --limit 3 --host h -p 7 -U u -c f"}) {
        const auto asked = parsed(line);
        EXPECT_EQ(asked.what, "history") << line;
        EXPECT_EQ(asked.host + asked.user, "hu") << line;
        EXPECT_EQ(asked.port, 7) << line;
        EXPECT_EQ(asked.limit, 3U) << line;
    }
    EXPECT_EQ(parsed("ha history 12").recovery, 12);
}

TEST(HaCommandLine, says_what_is_wrong_with_it) {
    EXPECT_NE(error_of("ha"), "");
    EXPECT_NE(error_of("ha frobnicate"), "");
    EXPECT_THAT(error_of("ha recover"), HasSubstr("server"));
    EXPECT_THAT(error_of("ha rewire pg3"), HasSubstr("--to"));
    EXPECT_THAT(error_of("ha ack"), HasSubstr("--comment"));
    EXPECT_NE(error_of("ha switchover main --allow-data-loss"), "");
    EXPECT_NE(error_of("ha check --dry-run"), "");
    EXPECT_NE(error_of("ha history --limit 0"), "");
    EXPECT_NE(error_of("ha history --port 70000"), "");
    EXPECT_THAT(error_of("ha failover"), HasSubstr("--dry-run"));
    EXPECT_EQ(error_of("ha failover --dry-run"), "");
}

TEST(HaCommandLine, helps_with_every_command_and_every_exit_code) {
    CLI::App cli("", "howdah");
    request asked;
    auto& ha = add_commands(cli, asked);
    const auto help = ha.help();
    for (const auto* one : ha.get_subcommands({})) {
        EXPECT_THAT(help, HasSubstr("\n  " + one->get_name()));
        EXPECT_FALSE(one->get_description().empty());
    }
    for (const char* text : {"--host", "--port", "--user", "PGPASSWORD", "3 no Howdah answers"})
        EXPECT_THAT(help, HasSubstr(text));
}

TEST(HaStatements, keep_a_name_one_literal_whatever_is_in_it) {
    for (const std::string name :
         {"a'b", "''", "x' TO 'y", "a\"b;c -- d /* e", "a\\", "$$x$$", ""}) {
        request asked;
        asked.what = "recover";
        asked.subject = name;
        const auto sql = order_of(asked, "");
        const auto tokens = admin::tokens_of(sql);
        ASSERT_EQ(tokens.size(), 2U) << sql;
        EXPECT_EQ(tokens[1].kind, admin::token_kind::string);
        EXPECT_EQ(admin::content_of(tokens[1]), name);
        EXPECT_EQ(admin::split_statements(sql).size(), 1U) << sql;
    }
}

TEST(HaStatements, ask_for_the_history_of_one_cluster_or_one_recovery) {
    EXPECT_THAT(history_of(parsed("ha history --cluster o'x")),
                HasSubstr("WHERE cluster = 'o''x' OR alias = 'o''x' ORDER BY id DESC LIMIT 20"));
    EXPECT_THAT(history_of(parsed("ha history 7")), HasSubstr("WHERE id = 7 "));
    EXPECT_THAT(steps_of(parsed("ha history 7")), HasSubstr("WHERE recovery_id = 7 "));
}

class ha_login : public testing::Test {
protected:
    login of(const std::string& line, bool with_file = true) {
        const environment get = [this](const char* name) -> const char* {
            const auto found = environment_.find(name);
            return found == environment_.end() ? nullptr : found->second.c_str();
        };
        return login_of(parsed(line), with_file ? &settings_ : nullptr, get);
    }
    static std::string text(const login& it) {
        return it.user + "/" + it.password.value_or("?") + "@" + it.place();
    }
    conf::settings settings_;
    std::map<std::string, std::string> environment_;
};

TEST_F(ha_login, is_where_the_configuration_says) {
    settings_.vars.admin_pgsql_ifaces = {{"10.1.2.3", 7132}, {"10.1.2.4", 7133}};
    settings_.vars.admin_admin_credentials = "ann:secret:x;bob:other";
    EXPECT_EQ(text(of("ha history")), "ann/secret:x@10.1.2.3:7132");
    EXPECT_EQ(text(of("ha history --user bob")), "bob/other@10.1.2.3:7132");
    EXPECT_EQ(text(of("ha history --user stats")), "stats/stats@10.1.2.3:7132");
    EXPECT_EQ(text(of("ha history --user eve --host ::1")), "eve/?@[::1]:7132");
    settings_.vars.admin_pgsql_ifaces = {{"/run/howdah", 7132}};
    EXPECT_EQ(text(of("ha history --port 9")), "ann/secret:x@/run/howdah:9");
}

TEST_F(ha_login, is_on_this_machine_where_howdah_listens_everywhere) {
    settings_.vars.admin_pgsql_ifaces = {{"0.0.0.0", 6132}};
    EXPECT_EQ(of("ha history").place(), "127.0.0.1:6132");
    settings_.vars.admin_pgsql_ifaces = {{"::", 6132}};
    EXPECT_EQ(of("ha history").place(), "[::1]:6132");
}

TEST_F(ha_login, takes_the_environment_only_for_what_nothing_else_says) {
    environment_ = {{"PGHOST", "pg1"}, {"PGPORT", "5432"}, {"PGUSER", "postgres"}};
    settings_.vars.admin_pgsql_ifaces = {{"0.0.0.0", 6132}};
    settings_.vars.admin_admin_credentials = "ann:secret";
    EXPECT_EQ(text(of("ha history")), "ann/secret@127.0.0.1:6132");
    EXPECT_EQ(text(of("ha history", false)), "postgres/?@pg1:5432");
    EXPECT_EQ(text(of("ha history --host h --user u --port 1", false)), "u/?@h:1");
    EXPECT_EQ(of("ha history").patience.count(), 10);
    environment_ = {{"PGPORT", "no port"}, {"PGCONNECT_TIMEOUT", "3"}};
    EXPECT_EQ(of("ha history").patience.count(), 3);
    EXPECT_EQ(text(of("ha history", false)), "admin/?@127.0.0.1:6132");
}

TEST_F(ha_login, has_no_password_where_the_configuration_has_only_its_verifier) {
    settings_.vars.admin_admin_credentials = "ann:SCRAM-SHA-256$4096:c2FsdA==$a:b";
    EXPECT_EQ(of("ha history").user, "ann");
    EXPECT_FALSE(of("ha history").password);
}

TEST(HaTextTable, puts_columns_under_each_other_and_leaves_out_those_without_a_value) {
    const answer what{
        {"id", "name", "none", "last"},
        {{"1", "\xc3\xa9", std::nullopt, "x"}, {"22", std::nullopt, std::nullopt, "y"}}};
    EXPECT_EQ(as_table(what),
              "id  name  last\n"
              "1   \xc3\xa9     x\n"
              "22        y\n");
}

TEST(HaTextTable, shows_one_row_as_facts_and_a_plan_as_lines) {
    EXPECT_EQ(as_facts({{"answer", "successor", "id"}, {{"done", std::nullopt, "7"}}}),
              "answer     done\n"
              "id         7\n");
    EXPECT_EQ(as_lines({{"plan"}, {{"1. a"}, {std::nullopt}, {"   b"}}}), "1. a\n\n   b\n");
}

TEST(HaTextTable, lets_no_value_move_the_cursor) {
    EXPECT_EQ(as_table({{"a"}, {{"x\x1b[2J\ny\x7f"}}}), "a\nx [2J y\n");
}

}  // namespace
}  // namespace howdah::proxy::ha_client
