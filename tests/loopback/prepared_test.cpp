#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using strings = std::vector<std::string>;
const std::string bound = "2 D(writer) C(SELECT 1) Z(I)";

TEST_F(loopback, equal_statements_are_one_per_server_whatever_clients_call_them) {
    start();
    client a = connect();
    client b = connect();
    a.send(parse("mine", "SELECT 1") + sync());
    EXPECT_EQ(a.until_ready(), "1 Z(I)");
    b.send(parse("yours", "SELECT 1") + describe('S', "yours") + bind("", "yours") + execute("") +
           sync());
    EXPECT_EQ(b.until_ready(), "1 t T " + bound);
    a.send(bind("", "mine") + execute("") + sync());
    EXPECT_EQ(a.until_ready(), bound);
    // Each client's Parse is for the server to judge; what it replaces serves all.
    EXPECT_EQ(writer.count("P howdah_1|SELECT 1"), 2);
    EXPECT_EQ(writer.count("C S howdah_1"), 1);
    EXPECT_EQ(writer.logins(), 1);
}

TEST_F(loopback, names_are_the_same_if_their_first_63_bytes_are) {
    start();
    client c = connect();
    const std::string base(63, 'n');
    EXPECT_EQ(c.send(tests::parse(base + "1", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(tests::bind("", base + "2") + execute("") + sync()).until_ready(), bound);
    EXPECT_EQ(c.send(tests::parse(base, "SELECT 2") + sync()).until_ready(), "E(42P05) Z(I)");
    EXPECT_EQ(c.send(close('S', base + "3") + sync()).until_ready(), "3 Z(I)");
    EXPECT_EQ(c.send(tests::bind("", base) + sync()).until_ready(), "E(26000) Z(I)");
}

TEST_F(loopback, a_statement_in_each_encoding_is_a_statement_of_its_own) {
    start();
    client c = connect();
    (void)c.send(parse("a", "SELECT 1") + sync()).until_ready();
    (void)c.ask("SET client_encoding = 'LATIN1'");
    EXPECT_EQ(c.send(parse("b", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(writer.count("P howdah_2|SELECT 1"), 1);
    (void)c.ask("SET application_name = 'x'");
    EXPECT_EQ(c.send(parse("c", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(writer.count("P howdah_2|SELECT 1"), 2);
}

TEST_F(loopback, a_statement_under_settings_of_one_transaction_is_nobody_elses) {
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    (void)c.ask("SET LOCAL datestyle = 'German'");
    EXPECT_EQ(c.send(parse("a", "SELECT 1") + sync()).until_ready(), "1 Z(T)");
    (void)c.ask("COMMIT");
    client other = connect();
    (void)other.send(parse("b", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(writer.count("P howdah_1|SELECT 1"), 1);
    EXPECT_EQ(writer.count("P howdah_2|SELECT 1"), 1);
    // Bound after the transaction it is what it would be without those settings.
    EXPECT_EQ(c.send(bind("", "a") + execute("") + sync()).until_ready(), bound);
    EXPECT_EQ(writer.count("B |howdah_1"), 0);
    EXPECT_EQ(writer.count("B |howdah_2"), 1);
}

TEST_F(loopback,
       what_a_client_has_been_shown_of_a_statement_is_checked_where_it_is_prepared_again) {
    start();
    client c = connect();
    client other = connect();
    c.send(parse("s", "INSERT a") + describe('S', "s") + sync());
    EXPECT_EQ(c.until_ready(), "1 t T Z(I)");
    // The connection at hand knows the answer.
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.count("D S howdah_1"), 1);
    // Another one is asked first, and without a word to the client.
    (void)other.ask("BEGIN");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.count("D S howdah_1"), 2);
    EXPECT_EQ(writer.logins(), 2);
}

TEST_F(loopback, a_statement_is_prepared_unseen_where_it_is_missing) {
    add_reader("r1");
    start();
    client c = connect();
    c.send(parse("s", "SELECT 1") + sync());
    EXPECT_EQ(c.until_ready(), "1 Z(I)");
    (void)c.ask("BEGIN");
    c.send(bind("", "s") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "2 D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(writer.count("P howdah_1|SELECT 1"), 1);
    EXPECT_EQ(readers.front().count("P howdah_1|SELECT 1"), 1);
}

TEST_F(loopback, the_unnamed_statement_can_be_bound_in_a_later_batch_on_another_connection) {
    start();
    client c = connect();
    client other = connect();
    c.send(parse("", "INSERT a") + describe('S', "") + sync());
    EXPECT_EQ(c.until_ready(), "1 t T Z(I)");
    other.send(run("INSERT b") + sync());
    EXPECT_EQ(other.until_ready(), "1 2 C(INSERT 0 1) Z(I)");
    c.send(bind("", "") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.count("P |INSERT a"), 2);
    // A simple query drops it.
    (void)c.ask("INSERT c");
    EXPECT_EQ(c.send(bind("", "") + sync()).until_ready(), "E(26000) Z(I)");
}

TEST_F(loopback, a_name_that_is_taken_gives_42P05_and_keeps_its_statement) {
    start();
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.send(parse("s", "SELECT 2") + sync()).until_ready(), "E(42P05) Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), bound);
    client other = connect();
    EXPECT_EQ(other.send(parse("s", "SELECT 2") + sync()).until_ready(), "1 Z(I)");
}

TEST_F(loopback, a_name_that_was_taken_is_free_when_its_statement_is_closed) {
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.send(parse("s", "SELECT 2") + sync()).until_ready(), "E(42P05) Z(E)");
    EXPECT_EQ(c.send(close('S', "s") + describe('S', "s") + sync()).until_ready(),
              "3 E(26000) Z(E)");
}

TEST_F(loopback, a_text_whose_parse_an_error_skips_is_there_for_a_later_batch_of_the_pipeline) {
    start({.variables = "max_stmts_per_connection: 1",
           .user = "",
           .more_users = "",
           .threads = 1,
           .max_connections = 1});
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    // Under another name.
    (void)c.send(parse("t", "SELECT 2") + sync()).until_ready();  // closes s
    c.send(parse("", "SYNTAX") + parse("u", "SELECT 1") + sync() + bind("", "s") + execute("") +
           sync());
    EXPECT_EQ(c.until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.until_ready(), bound);
    // Behind a Bind.
    (void)c.send(bind("", "t") + execute("") + sync()).until_ready();  // closes s
    c.send(parse("", "SYNTAX") + bind("", "s") + execute("") + sync() + bind("", "s") +
           execute("") + sync());
    EXPECT_EQ(c.until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.until_ready(), bound);
}

TEST_F(loopback, an_unknown_name_gives_26000) {
    start();
    client c = connect();
    EXPECT_EQ(c.send(bind("", "nobody") + execute("") + sync()).until_ready(), "E(26000) Z(I)");
    EXPECT_EQ(c.send(describe('S', "nobody") + sync()).until_ready(), "E(26000) Z(I)");
    EXPECT_EQ(c.send(close('S', "nobody") + sync()).until_ready(), "3 Z(I)");
}

TEST_F(loopback, a_client_cannot_reach_a_statement_by_the_name_it_has_on_the_server) {
    start({.variables = "", .user = "", .more_users = "", .threads = 1, .max_connections = 1});
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    client other = connect();
    EXPECT_EQ(other.send(bind("", "howdah_1") + sync()).until_ready(), "E(26000) Z(I)");
}

TEST_F(loopback, a_parse_error_leaves_nothing_behind) {
    start();
    client c = connect();
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(c.send(parse("s", "SYNTAX") + sync()).until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + sync()).until_ready(), "E(26000) Z(I)");
    EXPECT_EQ(c.send(parse("s", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(parse("", "SYNTAX") + sync()).until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.send(bind("", "") + sync()).until_ready(), "E(26000) Z(I)");
}

TEST_F(loopback,
       a_parse_that_an_error_skipped_leaves_its_name_free_even_if_the_server_has_the_text) {
    start();
    client a = connect();
    (void)a.send(parse("s", "SELECT 1") + sync()).until_ready();
    client c = connect();
    c.send(parse("", "SYNTAX") + parse("s", "SELECT 1") + sync());
    EXPECT_EQ(c.until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.send(parse("s", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
}

TEST_F(loopback, a_parse_that_an_error_skipped_and_a_later_batch_repeated_leaves_it_known) {
    start();
    client a = connect();
    a.send(parse("", "SYNTAX") + parse("s", "SELECT 1") + sync() + parse("t", "SELECT 1") + sync());
    EXPECT_EQ(a.until_ready(2), "E(42601) Z(I) 1 Z(I)");
    client c = connect();
    EXPECT_EQ(c.send(parse("u", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(bind("", "u") + execute("") + sync()).until_ready(), bound);
    EXPECT_EQ(writer.logins(), 1);
}

TEST_F(loopback, a_close_that_an_error_skipped_leaves_the_statement) {
    start();
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    c.send(parse("", "SYNTAX") + close('S', "s") + sync());
    EXPECT_EQ(c.until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), bound);
}

TEST_F(loopback, an_eviction_that_an_error_skipped_is_not_forgotten) {
    start({.variables = "max_stmts_per_connection: 1", .user = "", .more_users = ""});
    client c = connect();
    (void)c.send(parse("a", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.send(parse("b", "SYNTAX") + sync()).until_ready(), "E(42601) Z(I)");
    EXPECT_EQ(c.send(bind("", "a") + execute("") + sync()).until_ready(), bound);
}

TEST_F(loopback, the_least_recently_used_statement_is_closed_unseen) {
    start({.variables = "max_stmts_per_connection: 2", .user = "", .more_users = ""});
    client c = connect();
    c.send(parse("a", "SELECT 1") + parse("b", "SELECT 2") + bind("", "a") +
           parse("c", "SELECT 3") + sync());
    EXPECT_EQ(c.until_ready(), "1 1 2 1 Z(I)");
    EXPECT_EQ(writer.count("C S howdah_2"), 1);
    EXPECT_EQ(c.send(bind("", "b") + execute("") + sync()).until_ready(), bound);
    EXPECT_EQ(writer.count("P howdah_2|SELECT 2"), 2);
}

TEST_F(loopback, describe_and_flush_without_sync_then_bind_in_a_second_step) {
    add_reader("r1");
    start();
    client c = connect();
    client other = connect();
    c.send(parse("s", "INSERT 1") + describe('S', "s") + flush());
    EXPECT_EQ(c.next(3), "1 t T");
    // The connection is free meanwhile.
    EXPECT_EQ(other.ask("INSERT 2"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.logins(), 1);
    c.send(bind("", "s") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "2 C(INSERT 0 1) Z(I)");
}

TEST_F(loopback, an_error_before_flush_is_followed_by_nothing_until_sync) {
    start();
    client c = connect();
    c.send(parse("s", "SYNTAX") + describe('S', "s") + flush());
    EXPECT_EQ(c.next(), "E(42601)");
    c.send(bind("", "s") + execute("") + flush());
    c.send(sync());
    EXPECT_EQ(c.until_ready(), "Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
}

TEST_F(loopback, execute_and_flush_without_sync_keeps_the_server) {
    start();
    client c = connect();
    client other = connect();
    c.send(run("INSERT 1") + flush());
    EXPECT_EQ(c.next(3), "1 2 C(INSERT 0 1)");
    EXPECT_EQ(other.ask("INSERT 2"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.send(run("INSERT 3") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.logins(), 2);
    EXPECT_EQ(writer.seen().back(), "1:S");
}

TEST_F(loopback, close_frees_a_name_for_another_statement) {
    start();
    client c = connect();
    c.send(parse("s", "INSERT 1") + sync() + close('S', "s") + parse("s", "SELECT 1") +
           bind("", "s") + execute("") + close('P', "") + sync());
    EXPECT_EQ(c.until_ready(2), "1 Z(I) 3 1 2 D(writer) C(SELECT 1) 3 Z(I)");
}

TEST_F(loopback, deallocate_by_sql_of_a_protocol_level_name_works) {
    start();
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.ask("DEALLOCATE s"), "C(DEALLOCATE) Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + sync()).until_ready(), "E(26000) Z(I)");
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    (void)c.ask("BEGIN");
    EXPECT_EQ(c.ask("DEALLOCATE s"), "C(DEALLOCATE) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
}

TEST_F(loopback, deallocate_in_the_extended_protocol_of_a_protocol_level_name_works) {
    writer.on("DEALLOCATE s", [](backend& b) { b.error("26000", "does not exist"); });
    start();
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.send(run("DEALLOCATE s") + sync()).until_ready(), "1 2 C(DEALLOCATE) Z(I)");
    EXPECT_EQ(c.send(parse("s", "SELECT 2") + sync()).until_ready(), "1 Z(I)");
}

TEST_F(loopback, deallocate_all_forgets_names_and_what_the_server_had) {
    start();
    client c = connect();
    (void)c.send(parse("s", "SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.ask("DEALLOCATE ALL"), "C(DEALLOCATE ALL) Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + sync()).until_ready(), "E(26000) Z(I)");
    c.send(parse("s", "SELECT 1") + bind("", "s") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "1 " + bound);
}

}  // namespace
}  // namespace howdah::tests
