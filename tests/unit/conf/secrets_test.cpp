#include "conf/secrets.hpp"

#include <gtest/gtest.h>

#include "conf/passfile.hpp"
#include "tests/unit/conf/temporary_file.hpp"

namespace howdah::conf {
namespace {

TEST(a_reference_to_the_environment, is_replaced_as_a_whole_only) {
    const test::environment_variable variable("HOWDAH_TEST_X", "value");
    EXPECT_EQ(resolve_environment("${HOWDAH_TEST_X}").text, "value");
    EXPECT_TRUE(resolve_environment("${HOWDAH_TEST_X}").from_elsewhere);
    for (const char* text :
         {"", "$", "${", "${}", "$HOWDAH_TEST_X", "a${HOWDAH_TEST_X}", "${HOWDAH_TEST_X}b", "${1X}",
          "${HOWDAH-TEST}", "{HOWDAH_TEST_X}", "$$", "$$x", "plain"}) {
        EXPECT_EQ(resolve_environment(text).text, text);
        EXPECT_FALSE(resolve_environment(text).from_elsewhere) << text;
    }
}

TEST(a_reference_to_the_environment, can_be_empty_but_not_missing) {
    const test::environment_variable variable("HOWDAH_TEST_X", "");
    EXPECT_EQ(resolve_environment("${HOWDAH_TEST_X}").error, "");
    EXPECT_EQ(resolve_environment("${HOWDAH_TEST_UNSET}").error,
              "environment variable 'HOWDAH_TEST_UNSET' is not set");
}

TEST(a_text_that_looks_like_a_reference, can_be_escaped) {
    for (const char* text : {"${A}", "$${A}", "$$${A}", "${A", "$A", "", "x", "a$${A}"})
        EXPECT_EQ(resolve_environment(escape_environment(text)).text, text);
    EXPECT_EQ(escape_environment("${A}"), "$${A}");
    EXPECT_EQ(escape_environment("plain$"), "plain$");
}

TEST(a_secret_file, loses_one_line_end_and_nothing_else) {
    const test::temporary_folder folder;
    EXPECT_EQ(read_secret_file(folder.file("a", "x y ")).text, "x y ");
    EXPECT_EQ(read_secret_file(folder.file("b", "x\n")).text, "x");
    EXPECT_EQ(read_secret_file(folder.file("c", "x\r\n")).text, "x");
    EXPECT_EQ(read_secret_file(folder.file("d", "x\n\n")).text, "x\n");
    EXPECT_EQ(read_secret_file(folder.file("e", "")).text, "");
}

TEST(a_secret_file, that_is_too_large_or_missing_is_an_error) {
    const test::temporary_folder folder;
    const auto large = folder.file("large", std::string(64 * 1024 + 1, 'x'));
    EXPECT_EQ(read_secret_file(large).error,
              "cannot read '" + large.substr(0, 60) + "': larger than 65536 bytes");
    EXPECT_EQ(read_secret_file("/nowhere").error,
              "cannot read '/nowhere': No such file or directory");
}

TEST(a_secret_file, is_warned_of_if_everybody_may_read_it) {
    const test::temporary_folder folder;
    EXPECT_EQ(read_secret_file(folder.file("a", "x", 0640)).warning, "");
    EXPECT_NE(read_secret_file(folder.file("b", "x", 0604)).warning, "");
}

TEST(the_form_of_a_password, is_told_as_postgresql_does) {
    const std::string key = std::string(43, 'A') + "=";
    const std::string verifier = "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$" + key + ":" + key;
    EXPECT_EQ(form_of(""), password_form::plain);
    EXPECT_EQ(form_of("secret"), password_form::plain);
    EXPECT_EQ(form_of("md5"), password_form::plain);
    EXPECT_EQ(form_of("md50123456789abcdef0123456789abcdef"), password_form::md5_hash);
    EXPECT_EQ(form_of("md50123456789ABCDEF0123456789abcdef"), password_form::plain);
    EXPECT_EQ(form_of("md50123456789abcdef0123456789abcde"), password_form::plain);
    EXPECT_EQ(form_of("SCRAM-SHA-1$x"), password_form::plain);
    EXPECT_EQ(form_of(verifier), password_form::scram_verifier);
    for (std::size_t n = sizeof("SCRAM-SHA-256$") - 1; n < verifier.size(); ++n)
        EXPECT_EQ(form_of(verifier.substr(0, n)), password_form::malformed_verifier) << n;
    for (const auto& bad :
         {verifier + "A", "SCRAM-SHA-256$0:c2FsdA==$" + key + ":" + key,
          "SCRAM-SHA-256$4096:$" + key + ":" + key, "SCRAM-SHA-256$x:c2FsdA==$" + key + ":" + key,
          "SCRAM-SHA-256$4096:c2Fs!A==$" + key + ":" + key,
          "SCRAM-SHA-256$9999999999:c2FsdA==$" + key + ":" + key})
        EXPECT_EQ(form_of(bad), password_form::malformed_verifier) << bad;
}

TEST(the_passfile, finds_the_first_line_that_matches) {
    const auto file = passfile::parse(
        "# comment\n"
        "pg1:5432:db:app:one\n"
        "pg1:*:*:app:two\n"
        "*:*:*:*:rest\n");
    EXPECT_EQ(file.find("pg1", 5432, "db", "app"), "one");
    EXPECT_EQ(file.find("pg1", 5432, "other", "app"), "two");
    EXPECT_EQ(file.find("pg1", 5433, "db", "app"), "two");
    EXPECT_EQ(file.find("pg1", 5432, std::nullopt, "app"), "one");
    EXPECT_EQ(file.find("pg2", 5432, "db", "x"), "rest");
}

TEST(the_passfile, has_no_password_for_whom_it_does_not_name) {
    const auto file = passfile::parse("pg1:5432:db:app:one\n");
    EXPECT_EQ(file.find("pg2", 5432, "db", "app"), std::nullopt);
    EXPECT_EQ(file.find("pg1", 5433, "db", "app"), std::nullopt);
    EXPECT_EQ(file.find("pg1", 5432, "dbx", "app"), std::nullopt);
    EXPECT_EQ(file.find("pg1", 5432, "db", "ap"), std::nullopt);
    EXPECT_EQ(passfile::parse("").find("pg1", 5432, "db", "app"), std::nullopt);
}

TEST(the_passfile, knows_escapes_and_colons_in_the_password) {
    const auto file = passfile::parse(
        "\\:\\:1:5432:d\\\\b:a\\:b:p\\:w\\\\:x\\y\n"
        "h:1:d:\\*:star\r\n"
        "last:1:d:u:no line end");
    EXPECT_EQ(file.find("::1", 5432, "d\\b", "a:b"), "p:w\\:xy");
    EXPECT_EQ(file.find("h", 1, "d", "*"), "star");
    EXPECT_EQ(file.find("h", 1, "d", "x"), std::nullopt);
    EXPECT_EQ(file.find("last", 1, "d", "u"), "no line end");
}

TEST(the_passfile, calls_a_unix_socket_localhost) {
    const auto file = passfile::parse("localhost:5432:*:app:local\n/tmp:5433:*:app:tmp\n");
    EXPECT_EQ(file.find("/run/postgresql", 5432, "db", "app"), "local");
    EXPECT_EQ(file.find("/tmp", 5433, "db", "app"), "tmp");
}

TEST(the_passfile, skips_lines_that_are_cut_short) {
    const std::string line = "h:1:d:u:p";
    for (std::size_t n = 0; n < line.size() - 2; ++n)
        EXPECT_EQ(passfile::parse(line.substr(0, n)).find("h", 1, "d", "u"), std::nullopt) << n;
    EXPECT_EQ(passfile::parse("h:1:d:u:").find("h", 1, "d", "u"), "");
    EXPECT_EQ(passfile::parse(line).find("h", 1, "d", "u"), "p");
}

}  // namespace
}  // namespace howdah::conf
