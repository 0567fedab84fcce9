#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using strings = std::vector<std::string>;
const std::string inserted = "C(INSERT 0 1) Z(I)";

TEST_F(loopback, waiting_clients_are_served_first_come_first_served_over_all_workers) {
    event& go = make_event();
    writer.on("INSERT hold", [&](backend& b) {
        go.wait();
        b.complete("INSERT 0 1");
    });
    start({.variables = "", .user = "", .more_users = "", .threads = 4, .max_connections = 1});
    client first = connect();
    std::vector<client> others;
    for (int i = 0; i < 8; ++i)
        others.push_back(connect());
    first.send(query("INSERT hold"));
    writer.wait_for("Q INSERT hold");
    for (std::size_t i = 0; i < others.size(); ++i) {
        others[i].send(query("INSERT " + std::to_string(i)));
        wait_for_waiters(i + 1);
    }
    go.set();
    EXPECT_EQ(first.until_ready(), inserted);
    for (client& c : others)
        EXPECT_EQ(c.until_ready(), inserted);
    strings expected{"Q INSERT hold"};
    for (std::size_t i = 0; i < others.size(); ++i)
        expected.push_back("Q INSERT " + std::to_string(i));
    EXPECT_EQ(writer.seen_messages(), expected);
    EXPECT_EQ(writer.peak(), 1);
}

TEST_F(loopback, five_hundred_waiting_clients_share_twenty_connections) {
    event& go = make_event();
    writer.on("INSERT hold", [&](backend& b) {
        go.wait();
        b.complete("INSERT 0 1");
    });
    start({.variables = "", .user = "", .more_users = "", .threads = 4, .max_connections = 20});
    std::vector<client> all;
    for (int i = 0; i < 500; ++i)
        all.push_back(connect());
    for (client& c : all)
        c.send(query("INSERT hold"));
    wait_for_waiters(480);
    go.set();
    for (client& c : all)
        ASSERT_EQ(c.until_ready(), inserted);
    EXPECT_EQ(writer.count("Q INSERT hold"), 500);
    EXPECT_EQ(writer.peak(), 20);
}

TEST_F(loopback, an_idle_connection_of_one_user_makes_way_for_another_users_client) {
    start({.variables = "",
           .user = "",
           .more_users = "  - {username: bob, password: x, default_hostgroup: 10}\n",
           .threads = 2,
           .max_connections = 1});
    client a = connect();
    client b = connect({}, "bob");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(a.ask("INSERT a"), inserted);
        EXPECT_EQ(b.ask("INSERT b"), inserted);
    }
    // The server may see the new connection before the end of the old one, so the account is asked.
    proxy::process& shared = app().shared();
    EXPECT_EQ(shared.book.used(shared.names.server({"127.0.0.1", writer.port()})), 1U);
}

TEST_F(loopback, a_client_that_gives_up_waiting_is_passed_over) {
    start({.variables = "", .user = "", .more_users = "", .threads = 2, .max_connections = 1});
    client holder = connect();
    client next = connect();
    (void)holder.ask("BEGIN");
    {
        client gone = connect();
        gone.send(query("INSERT gone"));
        wait_for_waiters(1);
        next.send(query("INSERT next"));
        wait_for_waiters(2);
    }
    wait_for_waiters(1);
    EXPECT_EQ(holder.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(next.until_ready(), inserted);
    EXPECT_EQ(writer.count("Q INSERT gone"), 0);
}

TEST_F(loopback, a_cancel_stops_the_query_of_its_client_and_no_other) {
    event& go = make_event();
    writer.on("INSERT mine", [](backend& b) {
        b.wait_for_cancel();
        b.error("57014", "canceling statement due to user request");
    });
    writer.on("INSERT other", [&](backend& b) {
        go.wait();
        b.complete("INSERT 0 1");
    });
    start({.variables = "", .user = "", .more_users = "", .threads = 2});
    client mine = connect();
    client other = connect();
    mine.send(query("INSERT mine"));
    other.send(query("INSERT other"));
    writer.wait_for("Q INSERT mine");
    writer.wait_for("Q INSERT other");
    send_cancel(port(), mine.pid(), "0000");
    send_cancel(port(), other.pid() + 1000, other.key());
    send_cancel(port(), mine.pid(), mine.key());
    EXPECT_EQ(mine.until_ready(), "E(57014) Z(I)");
    go.set();
    EXPECT_EQ(other.until_ready(), inserted);
    EXPECT_EQ(mine.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.cancels(), 1);
}

TEST_F(loopback, a_cancel_of_an_idle_client_does_nothing) {
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(writer.cancels(), 0);
}

TEST_F(loopback, a_cancel_of_a_waiting_client_gives_57014) {
    start({.variables = "", .user = "", .more_users = "", .threads = 2, .max_connections = 1});
    client holder = connect();
    client waiting = connect();
    (void)holder.ask("BEGIN");
    waiting.send(query("INSERT 1"));
    wait_for_waiters(1);
    send_cancel(port(), waiting.pid(), waiting.key());
    EXPECT_EQ(waiting.until_ready(), "E(57014) Z(I)");
    EXPECT_EQ(holder.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(waiting.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.count("Q INSERT 1"), 0);
}

TEST_F(loopback, a_wait_that_takes_too_long_gives_08001_and_keeps_the_client) {
    start({.variables = "connect_timeout_server_max: 300",
           .user = "",
           .more_users = "",
           .threads = 1,
           .max_connections = 1});
    client holder = connect();
    client waiting = connect();
    (void)holder.ask("BEGIN");
    EXPECT_EQ(waiting.ask("INSERT 1"), "E(08001) Z(I)");
    EXPECT_EQ(waiting.send(run("INSERT 1") + sync()).until_ready(), "E(08001) Z(I)");
    EXPECT_EQ(holder.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(waiting.ask("INSERT 2"), inserted);
}

TEST_F(loopback, a_full_server_makes_clients_wait) {
    start();
    client c = connect();
    writer.refuse_logins("53300", "sorry, too many clients already");
    (void)c.ask("BEGIN");
    client other = connect();
    other.send(query("INSERT 1"));
    wait_for_waiters(1);
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(other.until_ready(), inserted);
}

}  // namespace
}  // namespace howdah::tests
