#include "protocol/wire/messages.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using strings = std::vector<std::string>;
const std::string from_reader = "T D(r1) C(SELECT 1) Z(I)";
const std::string from_writer = "T D(writer) C(SELECT 1) Z(I)";
const std::string pin_check = "1:Q SELECT 0 + CASE";

TEST_F(loopback, a_read_goes_to_the_reader_and_a_write_to_the_writer) {
    add_reader("r1");
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.send(run("SELECT 2") + sync()).until_ready(), "1 2 D(r1) C(SELECT 1) Z(I)");
    EXPECT_EQ(c.ask("SELECT * FROM t FOR UPDATE"), from_writer);
    EXPECT_EQ(c.ask("not sql at all"), from_writer);
    EXPECT_EQ(readers.front().seen_messages(),
              (strings{"Q SELECT 1", "P |SELECT 2", "B |", "E ", "S"}));
}

TEST_F(loopback,
       a_client_that_has_written_reads_from_the_writer_while_readers_are_not_known_to_follow) {
    add_reader("r1");
    start({.variables = "read_consistency: session\n", .user = "", .more_users = ""});
    client c = connect();
    client other = connect();
    EXPECT_EQ(c.ask("SELECT 1"), from_reader) << "it has seen nothing yet that a reader could lack";
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.ask("SELECT 2"), from_writer);
    EXPECT_EQ(c.send(run("SELECT 3") + sync()).until_ready(), "1 2 D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(other.ask("SELECT 4"), from_reader);
    EXPECT_EQ(other.ask("SET x.y = 1"), "C(SET) Z(I)");
    EXPECT_EQ(other.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(other.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(other.ask("SELECT 5"), from_reader) << "nothing has read or written data";
    EXPECT_EQ(other.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(other.ask("SELECT 6"), "T D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(other.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(other.ask("BEGIN READ ONLY"), "C(BEGIN) Z(T)");
    EXPECT_EQ(other.ask("SELECT 7"), "T D(writer) C(SELECT 1) Z(T)");
}

TEST_F(loopback, a_client_may_choose_how_old_its_reads_may_be) {
    add_reader("r1");
    start({.variables = "read_consistency: session\n", .user = "", .more_users = ""});
    client c = connect();
    EXPECT_EQ(c.ask("SET howdah.read_consistency = 'eventual'"), "C(SET) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
    EXPECT_EQ(c.ask("SET howdah.read_consistency TO strong"), "C(SET) Z(I)");
    EXPECT_EQ(c.ask("SELECT 2"), from_writer);
    EXPECT_EQ(c.ask("RESET howdah.read_consistency"), "C(RESET) Z(I)");
    EXPECT_EQ(connect({{"options", "-c howdah.read_consistency=strong"}}).ask("SELECT 3"),
              from_writer);
}

TEST_F(loopback, a_floor_is_handed_from_one_session_to_another) {
    add_reader("r1");
    start({.variables = "read_consistency: session\n", .user = "", .more_users = ""});
    client c = connect();
    const std::string nothing_seen = "T D(0:0/0) C(SHOW) Z(I)";
    EXPECT_EQ(c.ask("SHOW howdah.lsn"), nothing_seen);
    EXPECT_EQ(c.send(parse("", "SHOW howdah.lsn") + describe('S', "") + bind("", "") +
                     describe('P', "") + execute("") + sync())
                  .until_ready(),
              "1 t T 2 T D(0:0/0) C(SHOW) Z(I)");
    EXPECT_EQ(c.send(parse("s", "SHOW howdah.lsn") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(),
              "2 D(0:0/0) C(SHOW) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
    EXPECT_EQ(c.ask("SET howdah.min_lsn = '1:0/16B3748'"), "C(SET) Z(I)");
    EXPECT_EQ(c.ask("SHOW howdah.lsn"), "T D(1:0/16B3748) C(SHOW) Z(I)");
    EXPECT_EQ(c.ask("SELECT 2"), from_writer) << "no reader is known to have as much";
}

TEST_F(loopback, a_floor_that_is_none_is_refused) {
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SET howdah.min_lsn = 'soon'"), "E(22023) Z(I)");
    EXPECT_EQ(c.send(run("SET howdah.min_lsn = '1'") + run("SELECT 1") + sync()).until_ready(),
              "1 2 E(22023) Z(I)");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("FAIL"), "E(22012) Z(E)");
    EXPECT_EQ(c.ask("SHOW howdah.lsn"), "E(25P02) Z(E)");
}

TEST_F(loopback, a_user_may_have_a_read_consistency_of_its_own) {
    add_reader("r1");
    start({.variables = "read_consistency: session\n",
           .user = "read_consistency: strong",
           .more_users = "  - {username: bob, password: x, default_hostgroup: 10,"
                         " read_consistency: eventual}\n"});
    EXPECT_EQ(connect().ask("SELECT 1"), from_writer);
    client bob = connect({}, "bob");
    EXPECT_EQ(bob.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(bob.ask("SELECT 1"), from_reader);
}

TEST_F(loopback, a_pipeline_that_reads_and_writes_before_one_sync_goes_to_the_writer) {
    add_reader("r1");
    start();
    client c = connect();
    c.send(run("SELECT 1") + run("INSERT INTO t VALUES (1)") + sync());
    EXPECT_EQ(c.until_ready(), "1 2 D(writer) C(SELECT 1) 1 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(readers.front().count("P |SELECT 1"), 0);
}

TEST_F(loopback, pipelined_reads_behind_a_write_follow_it_on_the_writer_and_all_stay_in_order) {
    add_reader("r1");
    start();
    client c = connect();
    c.send(query("SELECT 1") + query("INSERT INTO t VALUES (1)") + query("SELECT 2") +
           run("INSERT INTO t VALUES (2)") + sync() + run("SELECT 3") + sync());
    const std::string said = c.until_ready(5);
    EXPECT_EQ(said, from_reader + " C(INSERT 0 1) Z(I) " + from_writer +
                        " 1 2 C(INSERT 0 1) Z(I) 1 2 D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(writer.count("Q INSERT INTO t VALUES (1)"), 1);
}

TEST_F(loopback, a_transaction_stays_on_one_server) {
    add_reader("r1");
    start();
    client c = connect();
    client other = connect();
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(other.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.send(run("SELECT 2") + sync()).until_ready(), "1 2 D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(c.ask("FAIL"), "E(22012) Z(E)");
    EXPECT_EQ(c.ask("SELECT 3"), "E(25P02) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(c.ask("SELECT 4"), from_reader);
}

TEST_F(loopback, begin_read_only_takes_the_whole_transaction_to_the_reader) {
    add_reader("r1");
    start();
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN READ ONLY"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("SELECT unknown_function()"), "T D(r1) C(SELECT 1) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(writer.count("Q BEGIN READ ONLY"), 0);
}

TEST_F(loopback, a_set_is_replayed_once_on_another_server_and_not_seen_by_the_client) {
    add_reader("r1");
    start();
    client c = connect();
    client other = connect();
    EXPECT_EQ(c.ask("SET work_mem TO '5MB'"), "C(SET) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
    EXPECT_EQ(c.ask("SELECT 2"), from_reader);
    EXPECT_EQ(readers.front().seen_messages(),
              (strings{"Q SET \"work_mem\" TO '5MB'", "Q SELECT 1", "Q SELECT 2"}));
    EXPECT_EQ(other.ask("SELECT 3"), from_reader);
    EXPECT_EQ(readers.front().count("Q RESET \"work_mem\""), 1);
}

TEST_F(loopback, a_set_that_was_rolled_back_is_not_replayed) {
    add_reader("r1");
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    (void)c.ask("SET work_mem TO '5MB'");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
    EXPECT_EQ(readers.front().seen_messages(), (strings{"Q SELECT 1"}));
}

TEST_F(loopback, a_set_that_a_later_error_in_the_same_string_cannot_undo_does_not_leak) {
    start();
    const std::string sql = "BEGIN; SET work_mem TO '5MB'; COMMIT; SELECT 1/0";
    writer.on(sql, [](backend& b) {
        b.complete("BEGIN");
        b.complete("SET");
        b.complete("COMMIT");
        b.error("22012", "division by zero");
    });
    client c = connect();
    EXPECT_EQ(c.ask(sql), "C(BEGIN) C(SET) C(COMMIT) E(22012) Z(I)");
    c.send(terminate());
    client other = connect();
    EXPECT_EQ(other.ask("SHOW work_mem"), from_writer);
    const bool reset = writer.count("Q RESET \"work_mem\"") == 1;
    EXPECT_TRUE(reset || writer.logins() > 1) << "the next client has the setting of the last";
}

TEST_F(loopback, a_session_lock_taken_before_an_error_still_pins_the_session) {
    start();
    const std::string sql = "SELECT pg_advisory_lock(1); SELECT 1/0";
    writer.on(sql, [](backend& b) {
        b.row("");
        b.complete("SELECT 1");
        b.error("22012", "division by zero");
    });
    client c = connect();
    EXPECT_EQ(c.ask(sql), "T D() C(SELECT 1) E(22012) Z(I)");
    client other = connect();
    EXPECT_EQ(other.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.count("Q INSERT 1"), 1);
    EXPECT_EQ(writer.seen().back(), "2:Q INSERT 1") << "another client shares the locked session";
}

TEST_F(loopback, startup_parameters_are_set_before_the_first_query) {
    start();
    client c = connect({{"application_name", "app"}, {"options", "-c work_mem=7MB"}});
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.seen_messages(),
              (strings{"Q SELECT pg_catalog.set_config('application_name','app',false);"
                       "SELECT pg_catalog.set_config('work_mem','7MB',false)",
                       "Q INSERT 1"}));
    EXPECT_FALSE(writer.startup().contains("options"));
}

TEST_F(loopback, a_startup_parameter_that_the_server_refuses_ends_the_login) {
    writer.on("SELECT pg_catalog.set_config('bad','1',false)",
              [](backend& b) { b.error("42704", "unrecognized configuration parameter"); });
    start();
    client c(port());
    EXPECT_EQ(c.log_in("alice", {{"bad", "1"}}), "R E(42704) closed");
}

TEST_F(loopback, settings_that_cannot_be_replayed_fail_the_query_and_not_the_client) {
    readers.emplace_back("r1").on("SET \"work_mem\" TO '5MB'",
                                  [](backend& b) { b.error("22023", "invalid value"); });
    start();
    client c = connect();
    (void)c.ask("SET work_mem TO '5MB'");
    EXPECT_EQ(c.ask("SELECT 1"), "E(22023) Z(I)");
    EXPECT_EQ(c.send(run("SELECT 1") + sync()).until_ready(), "E(22023) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    (void)c.ask("RESET work_mem");
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
}

TEST_F(loopback, a_read_that_turns_out_to_write_is_run_on_the_writer_and_remembered) {
    readers.emplace_back("r1").on("SELECT * FROM view", [](backend& b) {
        b.error("25006", "cannot execute INSERT in a read-only transaction");
    });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT * FROM view"), from_writer);
    EXPECT_EQ(c.ask("SELECT * FROM view"), from_writer);
    EXPECT_EQ(readers.front().count("Q SELECT * FROM view"), 1);
}

TEST_F(loopback, a_prepared_read_that_turns_out_to_write_is_run_on_the_writer_and_remembered) {
    readers.emplace_back("r1").on("SELECT * FROM view", [](backend& b) {
        b.error("25006", "cannot execute INSERT in a read-only transaction");
    });
    start();
    client c = connect();
    c.send(parse("s", "SELECT * FROM view") + bind("", "s") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "1 2 D(writer) C(SELECT 1) Z(I)");
    c.send(bind("", "s") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "2 D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(readers.front().count("E "), 1);
}

TEST_F(loopback, statement_mode_refuses_transactions_and_keeps_the_client) {
    start({.variables = "pool_mode: statement", .user = "", .more_users = ""});
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN"), "E(0A000) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.send(run("BEGIN") + sync()).until_ready(), "E(0A000) Z(I)");
    EXPECT_EQ(writer.count("Q BEGIN"), 0);
}

TEST_F(loopback, session_mode_keeps_the_server_and_discards_all_at_the_end) {
    start({.variables = "", .user = "pool_mode: session", .more_users = ""});
    {
        client c = connect();
        client other = connect();
        (void)c.ask("INSERT 1");
        (void)other.ask("INSERT 2");
        (void)c.ask("INSERT 3");
    }
    writer.wait_for("Q DISCARD ALL", 2);
    int first = 0;
    for (const std::string& line : writer.seen())
        if (line == "1:Q INSERT 1" || line == "1:Q INSERT 3") ++first;
    EXPECT_EQ(first, 2);
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 4"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.logins(), 2);
}

TEST_F(loopback, a_temporary_table_pins_the_session_and_is_discarded_at_its_end) {
    start();
    {
        client c = connect();
        client other = connect();
        EXPECT_EQ(c.ask("CREATE TEMP TABLE t (a int)"), "C(CREATE TABLE) Z(I)");
        (void)other.ask("INSERT 1");
        (void)c.ask("INSERT 2");
        strings seen = writer.seen();
        std::erase_if(seen, [](const std::string& line) { return line.starts_with(pin_check); });
        EXPECT_EQ(seen,
                  (strings{"1:Q CREATE TEMP TABLE t (a int)", "2:Q INSERT 1", "1:Q INSERT 2"}));
    }
    writer.wait_for("Q DISCARD ALL");
}

TEST_F(loopback, a_pin_ends_when_the_server_says_that_its_cause_is_gone) {
    add_reader("r1");
    std::atomic<bool> listening{true};
    start();
    writer.on(
        "SELECT 0 + CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_listening_channels()) THEN 4 "
        "ELSE 0 END",
        [&](backend& b) {
            b.row(listening ? "4" : "0");
            b.complete("SELECT 1");
        });
    client c = connect();
    EXPECT_EQ(c.ask("LISTEN news"), "C(LISTEN) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), from_writer) << "pinned there";
    listening = false;
    EXPECT_EQ(c.ask("UNLISTEN news"), "C(UNLISTEN) Z(I)");
    EXPECT_EQ(c.ask("SELECT 2"), from_reader);
}

}  // namespace
}  // namespace howdah::tests
