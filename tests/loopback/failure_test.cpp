#include <chrono>
#include <list>
#include <optional>

#include "protocol/wire/error_message.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

TEST_F(loopback, what_only_prepares_is_asked_of_another_connection_when_its_own_breaks) {
    start();
    client c = connect();
    writer.close_at_parse(1);
    c.send(parse("s", "INSERT 1") + describe('S', "s") + flush());
    EXPECT_EQ(c.next(3), "1 t T");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "2 C(INSERT 0 1) Z(I)");
    writer.close_at_parse(1);
    EXPECT_EQ(c.send(parse("t", "INSERT 2") + describe('S', "t") + flush()).next(3), "1 t T");
}

TEST_F(loopback, what_only_prepares_gets_an_error_when_no_connection_lasts) {
    start({.variables = "query_retries_on_failure: 0\n", .user = "", .more_users = ""});
    client c = connect();
    writer.close_at_parse(1);
    c.send(parse("s", "INSERT 1") + describe('S', "s") + flush());
    EXPECT_EQ(c.next(), "E(08006)");
    c.send(bind("", "s") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "Z(I)");
    c.send(parse("s", "INSERT 1") + describe('S', "s") + flush());
    EXPECT_EQ(c.next(3), "1 t T");
}

const std::string inserted = "C(INSERT 0 1) Z(I)";

void vanish(backend& b) {
    b.close();
}

TEST_F(loopback, a_read_whose_server_dies_before_the_answer_is_run_on_another_reader) {
    for (const char* name : {"r1", "r2"})
        readers.emplace_back(name);
    event& once = make_event();
    for (fake_server& r : readers)
        r.on("SELECT 1", [&](backend& b) {
            if (!once.is_set()) {
                once.set();
                return b.close();
            }
            b.row("survivor");
            b.complete("SELECT 1");
        });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), "T D(survivor) C(SELECT 1) Z(I)");
    EXPECT_EQ(readers.front().count("Q SELECT 1"), 1);
    EXPECT_EQ(readers.back().count("Q SELECT 1"), 1);
}

TEST_F(loopback, a_read_is_run_again_on_no_older_connection_of_the_server_that_failed) {
    event& go = make_event();
    fake_server& reader = add_reader("r1");
    // A postmaster that was killed: its backends notice one after the other.
    reader.on("SELECT 1", [&](backend& b) {
        if (b.number() > 2) return b.complete("SELECT 0");
        if (b.number() == 1) go.wait();
        b.error("57P01", "terminating connection due to unexpected postmaster exit", "FATAL");
        b.flush();
        b.close();
    });
    start();
    client c = connect();
    client other = connect();
    c.send(query("SELECT 1"));
    reader.wait_for("Q SELECT 1");
    EXPECT_EQ(other.ask("SELECT 2"), "T D(r1) C(SELECT 1) Z(I)");
    go.set();
    EXPECT_EQ(c.until_ready(), "C(SELECT 0) Z(I)");
    EXPECT_EQ(reader.count("Q SELECT 1"), 2);
}

TEST_F(loopback, a_read_that_has_been_answered_in_part_is_not_run_again) {
    readers.emplace_back("r1").on("SELECT 1", [](backend& b) {
        b.row("a");
        b.flush();
        b.close();
    });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), "T D(a) E(08006) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(loopback, a_write_whose_server_dies_gives_08006_and_keeps_the_client) {
    writer.on("INSERT bad", vanish);
    start();
    client c = connect();
    EXPECT_EQ(c.ask("INSERT bad"), "E(08006) Z(I)");
    EXPECT_EQ(c.send(run("INSERT bad") + sync()).until_ready(), "E(08006) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.count("Q INSERT bad"), 1);
}

TEST_F(loopback, a_write_that_no_server_has_read_is_sent_again) {
    start();
    client c = connect();
    writer.orphan(1);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    writer.orphan(2);
    EXPECT_EQ(c.send(run("INSERT 2") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(I)");
    writer.orphan(1);
    EXPECT_EQ(c.send(parse("s", "INSERT 3") + bind("", "s") + execute("") + sync()).until_ready(),
              "1 2 C(INSERT 0 1) Z(I)");
    writer.orphan(1);
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "2 C(INSERT 0 1) Z(I)");
    writer.orphan(1);
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("INSERT 4"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(writer.count("Q INSERT 1"), 2);
    EXPECT_EQ(writer.count("P |INSERT 2"), 3);
    EXPECT_EQ(writer.count("Q BEGIN"), 2);
}

TEST_F(loopback, a_batch_that_is_sent_again_finds_the_statements_that_it_began_with) {
    for (const char* number : {"1", "2", "3", "4"})
        writer.on(std::string("INSERT ") + number,
                  [number](backend& b) { b.complete(std::string("INSERT 0 ") + number); });
    start();
    client c = connect();
    EXPECT_EQ(c.send(parse("", "INSERT 1") + parse("s", "INSERT 2") + sync()).until_ready(),
              "1 1 Z(I)");
    writer.orphan(1);
    EXPECT_EQ(c.send(bind("", "") + execute("") + close('S', "s") + parse("s", "INSERT 3") +
                     parse("", "INSERT 4") + sync())
                  .until_ready(),
              "2 C(INSERT 0 1) 3 1 1 Z(I)");
    EXPECT_EQ(
        c.send(bind("", "") + execute("") + bind("", "s") + execute("") + sync()).until_ready(),
        "2 C(INSERT 0 4) 2 C(INSERT 0 3) Z(I)");
}

TEST_F(loopback, a_write_is_not_sent_again_where_a_server_may_have_read_it) {
    writer.on("INSERT busy", [](backend& b) {
        b.error("57P01", "terminating connection due to administrator command", "FATAL",
                "ProcessInterrupts");
        b.flush();
        b.close();
    });
    writer.on("INSERT told", [](backend& b) {
        b.complete("INSERT 0 1");
        b.error("57P01", "terminating connection due to unexpected postmaster exit", "FATAL",
                "secure_read");
        b.flush();
        b.close();
    });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("INSERT busy"), "E(57P01) Z(I)");
    EXPECT_EQ(c.ask("INSERT told"), "C(INSERT 0 1) E(57P01) Z(I)");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    writer.orphan(1);
    EXPECT_EQ(c.ask("INSERT 1"), "E(57P01) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    writer.orphan(4);
    EXPECT_EQ(c.ask("INSERT 1"), "E(57P01) Z(I)");
    EXPECT_EQ(writer.count("Q INSERT busy"), 1);
    EXPECT_EQ(writer.count("Q INSERT told"), 1);
}

TEST_F(loopback,
       writes_that_were_sent_together_are_answered_in_order_when_no_server_has_read_them) {
    start();
    client c = connect();
    writer.orphan(1);
    c.send(query("INSERT 1") + query("INSERT 2") + query("INSERT 3"));
    for (int i = 0; i < 3; ++i) {
        const std::string said = c.until_ready();
        EXPECT_TRUE(said == inserted || said == "E(57P01) Z(I)") << said;
    }
    EXPECT_EQ(c.ask("INSERT 4"), inserted);
}

TEST_F(loopback, clients_of_a_server_that_refuses_for_a_moment_do_not_use_up_each_others_attempts) {
    start({.variables = "", .user = "", .more_users = "", .max_connections = 1});
    std::list<client> clients;
    for (int i = 0; i < 6; ++i)
        clients.push_back(connect());
    const auto now = [] { return std::chrono::steady_clock::now(); };
    std::optional<std::chrono::steady_clock::time_point> since;  // one connection at a time
    writer.on_login([&](backend& b) {
        // A monitor that finds out takes no longer.
        if (since && now() - *since > std::chrono::milliseconds(300)) return true;
        if (!since) since = now();
        b.error("57P03", "the database system is starting up", "FATAL");
        b.flush();
        return false;
    });
    writer.drop_all();
    wait_for_permits(0);
    for (client& c : clients)
        c.send(query("INSERT 1"));
    for (client& c : clients)
        EXPECT_EQ(c.until_ready(), inserted);
}

TEST_F(loopback, half_a_row_ends_the_client) {
    writer.on("INSERT half RETURNING 1", [](backend& b) {
        b.row("whole");
        b.raw(std::string("D\0\0\1\0half", 9));
        b.flush();
        b.close();
    });
    start();
    client c = connect();
    c.send(query("INSERT half RETURNING 1"));
    EXPECT_EQ(c.until_closed(), "T D(whole) closed");
}

TEST_F(loopback, a_lost_transaction_gives_one_error_and_then_25P02_until_rollback) {
    writer.on("INSERT bad", vanish);
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    EXPECT_EQ(c.ask("INSERT bad"), "E(08006) Z(E)");
    EXPECT_EQ(c.ask("INSERT 1"), "E(25P02) Z(E)");
    EXPECT_EQ(c.send(run("INSERT 2") + sync()).until_ready(), "E(25P02) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(c.ask("INSERT 3"), inserted);
    EXPECT_EQ(writer.count("Q INSERT 1"), 0);
}

TEST_F(loopback, a_transaction_lost_while_idle_is_ended_by_the_extended_protocol) {
    start();
    client c = connect();
    EXPECT_EQ(c.send(run("BEGIN") + sync()).until_ready(), "1 2 C(BEGIN) Z(T)");
    writer.drop_all();
    writer.wait_for_closed(1);
    EXPECT_EQ(c.send(run("INSERT 1") + sync()).until_ready().substr(0, 9), "E(08006) ");
    EXPECT_EQ(c.send(run("INSERT 2") + sync()).until_ready(), "E(25P02) Z(E)");
    c.send(parse("", "ROLLBACK") + bind("", "") + describe('P', "") + execute("") + sync());
    EXPECT_EQ(c.until_ready(), "1 2 n C(ROLLBACK) Z(I)");
    EXPECT_EQ(c.ask("INSERT 3"), inserted);
}

TEST_F(loopback, a_commit_of_a_lost_transaction_says_rollback) {
    writer.on("INSERT bad", vanish);
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    (void)c.ask("INSERT bad");
    EXPECT_EQ(c.ask("COMMIT"), "C(ROLLBACK) Z(I)");
}

TEST_F(loopback, a_server_lost_during_commit_gives_08007) {
    writer.on("COMMIT", vanish);
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    EXPECT_EQ(c.ask("COMMIT").substr(0, 8), "E(08007)");
    (void)c.ask("ROLLBACK");
    (void)c.ask("BEGIN");
    EXPECT_EQ(c.send(run("COMMIT") + sync()).until_ready().substr(0, 8), "E(08007)");
    (void)c.ask("ROLLBACK");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(loopback, a_server_that_is_shut_down_in_mid_query_gives_its_sqlstate) {
    writer.on("INSERT bad", [](backend& b) {
        b.error("57P01", "terminating connection due to administrator command", "FATAL");
        b.flush();
        b.close();
    });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("INSERT bad"), "E(57P01) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(loopback, a_notice_of_a_write_reaches_the_client_at_once) {
    event& seen = make_event();
    writer.on("INSERT 8", [&](backend& b) {
        std::string notice;
        protocol::append_notice(notice, protocol::severity::notice, "00000", "half way");
        b.raw(notice);
        b.flush();
        seen.wait();
        b.complete("INSERT 0 1");
    });
    start();
    client c = connect();
    c.send(query("INSERT 8"));
    EXPECT_EQ(c.next().substr(0, 1), "N");
    seen.set();
    EXPECT_EQ(c.until_ready(), inserted);
}

TEST_F(loopback, a_read_on_a_server_that_is_shut_down_is_run_again) {
    add_reader("r1").on("SELECT 1", [](backend& b) {
        if (b.number() > 1) return b.complete("SELECT 0");
        b.error("57P01", "terminating connection due to administrator command", "FATAL");
        b.flush();
        b.close();
    });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), "C(SELECT 0) Z(I)");
}

TEST_F(loopback, a_read_that_conflicts_with_recovery_is_run_on_the_writer_but_not_remembered) {
    add_reader("r1").on("SELECT 1", [](backend& b) {
        b.error("40001", "canceling statement due to conflict with recovery");
    });
    start();
    client c = connect();
    for (int i = 1; i < 3; ++i) {
        EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)");
        EXPECT_EQ(readers.front().count("Q SELECT 1"), i);
    }
}

TEST_F(loopback, a_read_that_conflicts_with_recovery_is_run_on_another_reader_first) {
    for (const char* name : {"r1", "r2"})
        readers.emplace_back(name);
    event& once = make_event();
    for (fake_server& r : readers)
        r.on("SELECT 1", [&](backend& b) {
            if (once.is_set()) return b.complete("SELECT 0");
            once.set();
            b.error("40001", "canceling statement due to conflict with recovery");
        });
    start();
    EXPECT_EQ(connect().ask("SELECT 1"), "C(SELECT 0) Z(I)");
    EXPECT_EQ(readers.front().count("Q SELECT 1"), 1);
    EXPECT_EQ(readers.back().count("Q SELECT 1"), 1);
    EXPECT_EQ(writer.count("Q SELECT 1"), 0);
}

TEST_F(loopback, an_idle_connection_that_the_server_closes_is_replaced_unseen) {
    start();
    client c = connect();
    for (int i = 1; i < 4; ++i) {
        EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)");
        writer.drop_all();
        writer.wait_for_closed(i);
    }
}

TEST_F(loopback, a_server_that_breaks_the_protocol_is_left_and_named) {
    writer.on("INSERT bad", [](backend& b) { b.raw(framed('R', i32(0))); });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("INSERT bad"), "E(08P01) Z(I)");
    EXPECT_NE(c.error_text().find("127.0.0.1:" + std::to_string(writer.port())), std::string::npos);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(loopback, no_server_gives_08001_and_keeps_the_client) {
    start({.variables = "connect_timeout_server_max: 300", .user = "", .more_users = ""});
    client c = connect();
    writer.die();
    // A write that meets the end of a kept connection would be 08006, and rightly.
    wait_for_permits(0);
    EXPECT_EQ(c.ask("INSERT 1").substr(0, 8), "E(08001)");
    EXPECT_EQ(c.send(run("INSERT 1") + sync()).until_ready(), "E(08001) Z(I)");
}

}  // namespace
}  // namespace howdah::tests
