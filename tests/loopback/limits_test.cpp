#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const std::string inserted = "C(INSERT 0 1) Z(I)";

class limiting : public loopback {
protected:
    /// Starts with one server connection.
    void start_small(const std::string& variables, const std::string& user = {}) {
        proxy_setup setup;
        setup.variables = variables;
        setup.user = user;
        setup.max_connections = 1;
        start(setup);
    }
    /// The statement runs until it is cancelled.
    void runs_until_cancelled(const std::string& sql) {
        writer.on(sql, [](backend& b) {
            b.wait_for_cancel();
            b.error("57014", "canceling statement due to user request");
        });
    }
    /// When another client has logged in, the end of one that went before it was noticed.
    void until_noticed() { (void)connect(); }
    /// Exact once the proxy has stopped.
    proxy::worker_counters counters() {
        stop();
        return app().shared().workers.front()->counters;
    }
};

// Waiting

TEST_F(limiting, a_client_that_waits_is_told_for_what_and_then_served) {
    start_small("query_wait_notify: 20");
    client holder = connect();
    client waiting = connect();
    (void)holder.ask("BEGIN");
    waiting.send(query("INSERT 1"));
    EXPECT_EQ(waiting.next(), "N(00000)");
    EXPECT_EQ(holder.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(waiting.until_ready(), inserted);
    EXPECT_EQ(counters().wait_notices, 1U);
}

TEST_F(limiting, the_notice_names_the_servers_and_comes_once_before_the_error) {
    start_small(
        "query_wait_notify: 20\nconnect_timeout_server: 50\n"
        "connect_timeout_server_max: 1000");
    client holder = connect();
    client waiting = connect();
    (void)holder.ask("BEGIN");
    waiting.send(query("INSERT 1"));
    const auto notice = waiting.link().next();
    ASSERT_TRUE(notice);
    EXPECT_EQ(notice->type, 'N');
    EXPECT_NE(notice->body.find("waiting for a server connection in hostgroup 10: all connections "
                                "are in use (127.0.0.1:" +
                                std::to_string(writer.port()) + " has 1)"),
              std::string::npos)
        << notice->body;
    EXPECT_EQ(waiting.until_ready(), "E(08001) Z(I)");
}

TEST_F(limiting, nobody_is_told_anything_where_the_notice_is_off_or_comes_after_the_end) {
    start_small(
        "query_wait_notify: 0\nconnect_timeout_server: 50\nconnect_timeout_server_max: 1000");
    client holder = connect();
    client waiting = connect();
    (void)holder.ask("BEGIN");
    EXPECT_EQ(waiting.ask("INSERT 1"), "E(08001) Z(I)");
}

TEST_F(limiting, a_client_that_waits_for_its_login_gets_no_notice) {
    start_small(
        "query_wait_notify: 20\nconnect_timeout_server: 50\n"
        "connect_timeout_server_max: 1000");
    client holder = connect();
    (void)holder.ask("BEGIN");
    // Its settings are new: a server has to judge them.
    client second(port());
    EXPECT_EQ(second.log_in("alice", {{"application_name", "new"}}), "E(08001) closed");
}

// Running

TEST_F(limiting, a_statement_that_runs_too_long_is_cancelled_and_its_client_goes_on) {
    runs_until_cancelled("INSERT slow");
    start_small("query_timeout: 40");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT slow"), "E(57014) Z(I)");
    EXPECT_EQ(c.error_text(), "canceling statement due to query_timeout");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.cancels(), 1);
    EXPECT_EQ(counters().query_timeouts, 1U);
}

TEST_F(limiting, every_statement_has_its_time_however_many_were_stopped_before) {
    constexpr int statements = 20;
    const auto sql = [](int i) { return "INSERT slow " + std::to_string(i); };
    for (int i = 1; i <= statements; ++i)
        writer.on(sql(i), [this, i](backend& b) {
            writer.wait_for_cancels(i);
            b.error("57014", "canceling statement due to user request");
        });
    start_small("query_timeout: 20");
    client c = connect();
    for (int i = 1; i <= statements; ++i)
        EXPECT_EQ(c.ask(sql(i)), "E(57014) Z(I)");
    EXPECT_EQ(counters().query_timeouts, 20U);
}

TEST_F(limiting, a_statement_of_a_pipeline_has_its_own_time) {
    runs_until_cancelled("INSERT slow");
    start_small("query_timeout: 40");
    client c = connect();
    c.send(run("INSERT 1") + sync() + run("INSERT slow") + sync() + run("INSERT 2") + sync());
    EXPECT_EQ(c.until_ready(3), "1 2 C(INSERT 0 1) Z(I) 1 2 E(57014) Z(I) 1 2 C(INSERT 0 1) Z(I)");
}

TEST_F(limiting, a_transaction_whose_statement_was_stopped_can_be_rolled_back) {
    runs_until_cancelled("INSERT slow");
    start_small("query_timeout: 40");
    client c = connect();
    (void)c.ask("BEGIN");
    EXPECT_EQ(c.ask("INSERT slow"), "E(57014) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
}

TEST_F(limiting, a_cancel_by_the_client_keeps_the_servers_words) {
    runs_until_cancelled("INSERT slow");
    start_small("query_timeout: 60000");
    client c = connect();
    c.send(query("INSERT slow"));
    writer.wait_for("Q INSERT slow");
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
    EXPECT_EQ(c.error_text(), "canceling statement due to user request");
}

TEST_F(limiting, a_read_that_is_stopped_is_not_run_on_another_reader) {
    add_reader("r1");
    add_reader("r2");
    for (fake_server& r : readers)
        r.on("SELECT slow", [](backend& b) {
            b.wait_for_cancel();
            b.error("57014", "canceling statement due to user request");
        });
    start_small("query_timeout: 40");
    client c = connect();
    EXPECT_EQ(c.ask("SELECT slow"), "E(57014) Z(I)");
    EXPECT_EQ(readers.front().count("Q SELECT slow") + readers.back().count("Q SELECT slow"), 1);
}

TEST_F(limiting, a_user_and_a_database_may_have_other_times_than_everybody) {
    runs_until_cancelled("INSERT slow");
    event& go = make_event();
    writer.on("INSERT long", [&](backend& b) {
        go.wait();
        b.complete("INSERT 0 1");
    });
    proxy_setup setup;
    setup.variables = "query_timeout: 60000";
    setup.more_users =
        "  - {username: bob, password: x, default_hostgroup: 10, query_timeout: 0}\n"
        "databases:\n"
        "  - {name: db, query_timeout: 40}\n";
    start(setup);
    client alice = connect();
    client bob = connect({}, "bob");
    bob.send(query("INSERT long"));
    writer.wait_for("Q INSERT long");
    // The database's time holds for alice; bob's own is longer.
    EXPECT_EQ(alice.ask("INSERT slow"), "E(57014) Z(I)");
    go.set();
    EXPECT_EQ(bob.until_ready(), inserted);
}

// Transactions

TEST_F(limiting, a_transaction_that_takes_too_long_ends_its_client_and_is_rolled_back) {
    start_small("transaction_timeout: 60");
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.until_closed(), "E(25P04) closed");
    EXPECT_EQ(c.error_text(), "terminating connection due to transaction timeout");
    writer.wait_for_closed(1);
    EXPECT_EQ(counters().transaction_timeouts, 1U);
}

TEST_F(limiting, a_transaction_that_takes_too_long_is_ended_in_the_middle_of_a_statement) {
    runs_until_cancelled("INSERT slow");
    start_small("transaction_timeout: 60");
    client c = connect();
    c.send(query("BEGIN") + query("INSERT 1") + query("INSERT slow"));
    EXPECT_EQ(c.until_closed(), "C(BEGIN) Z(T) C(INSERT 0 1) Z(T) E(25P04) closed");
    writer.wait_for_cancels(1);
    writer.wait_for_closed(1);
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 2"), inserted);
}

TEST_F(limiting, the_time_of_a_transaction_ends_with_it) {
    start_small("transaction_timeout: 50\nwait_timeout: 200");
    client c = connect();
    (void)c.ask("BEGIN");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    // Longer than the transaction may take, it does nothing at all.
    EXPECT_EQ(c.until_closed(), "E(57P05) closed");
}

TEST_F(limiting, idle_times_are_counted_apart) {
    start_small("max_transaction_idle_time: 30\nwait_timeout: 60");
    client in_transaction = connect();
    (void)in_transaction.ask("BEGIN");
    EXPECT_EQ(in_transaction.until_closed(), "E(25P03) closed");
    client idle = connect();
    EXPECT_EQ(idle.until_closed(), "E(57P05) closed");
    const auto counted = counters();
    EXPECT_EQ(counted.transaction_idle_timeouts, 1U);
    EXPECT_EQ(counted.client_idle_timeouts, 1U);
}

// Clients that leave in the middle

TEST_F(limiting, what_a_vanished_client_has_sent_runs_to_its_end_and_the_connection_goes_back) {
    event& go = make_event();
    writer.on("INSERT slow", [&](backend& b) {
        go.wait();
        b.complete("INSERT 0 1");
    });
    start_small("");
    {
        client c = connect();
        c.send(query("INSERT slow"));
        writer.wait_for("Q INSERT slow");
        c.link().reset();
    }
    client next = connect();
    next.send(query("INSERT 1"));
    wait_for_waiters(1);
    EXPECT_EQ(writer.cancels(), 0);
    go.set();
    EXPECT_EQ(next.until_ready(), inserted);
    const std::vector<std::string> expected{"1:Q INSERT slow", "1:Q DISCARD ALL", "1:Q INSERT 1"};
    EXPECT_EQ(writer.seen(), expected);
}

TEST_F(limiting, a_client_that_leaves_while_its_pins_are_looked_at_leaves_a_clean_connection) {
    event& asked = make_event();
    event& go = make_event();
    writer.on(
        "SELECT 0 + CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_listening_channels()) THEN 4 "
        "ELSE 0 END",
        [&](backend& b) {
            asked.set();
            go.wait();
            b.row("4");
            b.complete("SELECT 1");
        });
    start_small("");
    {
        client c = connect();
        EXPECT_EQ(c.ask("LISTEN news"), "C(LISTEN) Z(I)");
        asked.wait();
    }
    until_noticed();
    go.set();
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 1"), inserted);
    auto seen = writer.seen();
    ASSERT_EQ(seen.size(), 4U);
    seen.erase(seen.begin() + 1);
    const std::vector<std::string> expected{"1:Q LISTEN news", "1:Q DISCARD ALL", "1:Q INSERT 1"};
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(writer.cancels(), 0);
}

TEST_F(limiting, what_the_cleaned_connection_reports_is_what_the_next_login_is_told) {
    const auto time_zone = [](backend& b, const std::string& value) {
        b.raw(framed('S', cstr("TimeZone") + cstr(value)));
    };
    event& go = make_event();
    writer.parameter("TimeZone", "UTC");
    writer.on("SET timezone = 'Asia/Tokyo'", [&](backend& b) {
        go.wait();
        time_zone(b, "Asia/Tokyo");
        b.complete("SET");
    });
    writer.on("DISCARD ALL", [&](backend& b) {
        time_zone(b, "Etc/UTC");
        b.complete("DISCARD ALL");
    });
    start_small("");
    {
        client c = connect();
        c.send(query("SET timezone = 'Asia/Tokyo'"));
        writer.wait_for("Q SET timezone = 'Asia/Tokyo'");
        c.link().reset();
    }
    until_noticed();
    go.set();
    client next = connect({{"application_name", "new"}});
    EXPECT_NE(next.parameter_list().find("S(TimeZone=Etc/UTC)"), std::string::npos)
        << next.parameter_list();
}

TEST_F(limiting, a_vanished_client_has_its_statement_cancelled_where_that_is_wanted) {
    runs_until_cancelled("INSERT slow");
    start_small("cancel_on_client_disconnect: true");
    {
        client c = connect();
        c.send(query("INSERT slow"));
        writer.wait_for("Q INSERT slow");
    }
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 1"), inserted);
    const std::vector<std::string> expected{"1:Q INSERT slow", "1:Q DISCARD ALL", "1:Q INSERT 1"};
    EXPECT_EQ(writer.seen(), expected);
    EXPECT_EQ(writer.cancels(), 1);
    EXPECT_EQ(counters().cancelled_for_vanished, 1U);
}

TEST_F(limiting, a_vanished_clients_transaction_is_rolled_back_after_its_statement) {
    event& go = make_event();
    writer.on("INSERT slow", [&](backend& b) {
        go.wait();
        b.complete("INSERT 0 1");
    });
    start_small("");
    {
        client c = connect();
        (void)c.ask("BEGIN");
        c.send(query("INSERT slow"));
        writer.wait_for("Q INSERT slow");
    }
    until_noticed();
    go.set();
    writer.wait_for_closed(1);
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.seen().back(), "2:Q INSERT 1");
}

TEST_F(limiting, a_pipeline_without_its_end_is_not_waited_for) {
    runs_until_cancelled("INSERT slow");
    start_small("");
    {
        client c = connect();
        c.send(run("INSERT slow") + flush());
        writer.wait_for("E ");
        c.link().reset();
    }
    writer.wait_for_closed(1);
}

TEST_F(limiting, results_that_nobody_reads_are_broken_off) {
    writer.on("INSERT many RETURNING 1", [](backend& b) {
        for (int i = 0; i < 100; ++i)
            b.row(std::string(1000, 'x'));
        b.flush();
        b.wait_for_cancel();
        b.error("57014", "canceling statement due to user request");
    });
    event& vanish = make_event();
    writer.on("INSERT first", [&](backend& b) {
        vanish.wait();
        b.complete("INSERT 0 1");
    });
    start_small("");
    {
        client c = connect();
        c.send(query("INSERT first") + query("INSERT many RETURNING 1"));
        writer.wait_for("Q INSERT first");
        c.link().reset();
    }
    until_noticed();
    vanish.set();
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.cancels(), 1);
}

TEST_F(limiting, a_server_that_dies_under_an_orphan_gives_its_place_back) {
    event& go = make_event();
    writer.on("INSERT slow", [&](backend& b) {
        go.wait();
        b.close();
    });
    start_small("");
    {
        client c = connect();
        c.send(query("INSERT slow"));
        writer.wait_for("Q INSERT slow");
        c.link().reset();
    }
    client next = connect();
    next.send(query("INSERT 1"));
    wait_for_waiters(1);
    go.set();
    EXPECT_EQ(next.until_ready(), inserted);
}

TEST_F(limiting, howdah_stops_while_an_orphan_still_runs) {
    runs_until_cancelled("INSERT slow");
    start_small("");
    {
        client c = connect();
        c.send(query("INSERT slow"));
        writer.wait_for("Q INSERT slow");
        c.link().reset();
    }
    request_stop();
    expect_exit();
}

// Logins

TEST_F(limiting, a_login_that_takes_too_long_is_ended_in_postgresqls_words) {
    start_small("connect_timeout_client: 500\nauthentication_method: password");
    client c(port());
    EXPECT_EQ(c.log_in(), "R E(57014) closed");
    EXPECT_EQ(c.error_text(), "canceling authentication due to timeout");
    EXPECT_EQ(counters().login_timeouts, 1U);
}

TEST_F(limiting, one_that_says_nothing_is_just_closed) {
    start_small("connect_timeout_client: 500");
    client c(port());
    EXPECT_EQ(c.link().rest(), "");
}

TEST_F(limiting, too_many_clients_of_a_database_are_told_so) {
    proxy_setup setup;
    setup.more_users = "databases:\n  - {name: db, max_connections: 1}\n";
    start(setup);
    client other = connect({{"database", "elsewhere"}});
    {
        client first = connect();
        client second(port());
        EXPECT_EQ(second.log_in(), "E(53300) closed");
        EXPECT_EQ(second.error_text(), "too many connections for database \"db\"");
        first.send(terminate());
        EXPECT_EQ(first.until_closed(), "closed");
    }
    client third = connect();
    EXPECT_EQ(third.ask("INSERT 1"), inserted);
    EXPECT_EQ(counters().clients_over_limit, 1U);
}

TEST_F(limiting, too_many_clients_of_an_address_are_told_so) {
    start_small("max_connections_per_address: 2");
    client first = connect();
    client second = connect();
    client third(port());
    EXPECT_EQ(third.log_in(), "E(53300) closed");
    EXPECT_EQ(third.error_text(), "too many connections from address \"127.0.0.1\"");
    first.send(terminate());
    EXPECT_EQ(first.until_closed(), "closed");
    client fourth = connect();
    EXPECT_EQ(fourth.ask("INSERT 1"), inserted);
}

TEST_F(limiting, the_last_connections_are_kept_for_those_who_may_use_them) {
    proxy_setup setup;
    setup.variables = "max_connections: 2\nreserved_connections: 1";
    setup.more_users =
        "  - {username: dba, password: x, default_hostgroup: 10, "
        "use_reserved_connections: true}\n";
    start(setup);
    client first = connect();
    client second(port());
    EXPECT_EQ(second.log_in(), "E(53300) closed");
    EXPECT_EQ(second.error_text(),
              "remaining connection slots are reserved for users with use_reserved_connections");
    client dba = connect({}, "dba");
    EXPECT_EQ(dba.ask("INSERT 1"), inserted);
    client another(port());
    EXPECT_EQ(another.log_in("dba"), "E(53300) closed");
    EXPECT_EQ(another.error_text(), "sorry, too many clients already");
}

TEST_F(limiting, a_pool_mode_may_be_that_of_the_database) {
    proxy_setup setup;
    setup.more_users = "databases:\n  - {name: db, pool_mode: statement}\n";
    start(setup);
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN"), "E(0A000) Z(I)");
    client elsewhere = connect({{"database", "elsewhere"}});
    EXPECT_EQ(elsewhere.ask("BEGIN"), "C(BEGIN) Z(T)");
}

}  // namespace
}  // namespace howdah::tests
