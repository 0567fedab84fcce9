#include <gmock/gmock.h>

#include <boost/asio/post.hpp>
#include <future>

#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using testing::HasSubstr;

const std::string inserted = "C(INSERT 0 1) Z(I)";
const std::string failover = "a failover of main is under way";
const std::string switchover = "a switchover of main is under way";

/// Clients during a failover or switchover, as HA announces it to the monitor.
class holding : public loopback {
protected:
    void start_with(const std::string& variables, const std::string& user = {}, int threads = 1,
                    int max_connections = 80) {
        new_writer = &add_reader("r1");
        proxy_setup setup;
        setup.variables = variables;
        setup.user = user;
        setup.threads = threads;
        setup.max_connections = max_connections;
        start(setup);
    }
    /// In force with every worker when it returns.
    void rule(const monitor::ruling& decision) {
        std::promise<void> ruled;
        boost::asio::post(app().control(), [&] {
            app().watcher().rule(decision);
            ruled.set_value();
        });
        ruled.get_future().get();
        for (proxy::worker* w : app().shared().workers) {
            std::promise<void> taken;
            w->on_thread([&](proxy::worker&) { taken.set_value(); });
            taken.get_future().get();
        }
    }
    static monitor::endpoint at(const fake_server& server) { return {"127.0.0.1", server.port()}; }
    /// Nobody may write, for the time being.
    void begin_failover() {
        rule({.writers = {{10, {"", 0}}}, .fenced = {}, .held = {{10, failover}}});
    }
    /// The old writer is still there.
    void begin_switchover() {
        rule({.writers = {{10, at(writer)}}, .fenced = {}, .held = {{10, switchover}}});
    }
    void end_with(const fake_server& server) {
        rule({.writers = {{10, at(server)}}, .fenced = {}, .held = {}});
    }
    void end_without_writer() { rule({.writers = {{10, {"", 0}}}, .fenced = {}, .held = {}}); }

    /// Somebody who waits for something else, to tell when connect_timeout_server_max is over.
    client connect_clock() { return connect({{"database", "elsewhere"}}); }
    /// What waited when this began has waited longer than usual when it returns.
    void wait_for_the_usual_time(client& clock) {
        const proxy::traffic_scope scope{proxy::traffic_scope::kind::database, "elsewhere"};
        std::promise<std::string> paused;
        boost::asio::post(app().control(), [&] {
            app().traffic_control().pause(scope, std::chrono::minutes(1),
                                          [&](const std::string& e) { paused.set_value(e); });
        });
        ASSERT_EQ(paused.get_future().get(), "");
        ASSERT_EQ(clock.ask("SELECT 1"), "E(08001) Z(I)");
    }
    void wait_for_held(std::uint32_t n) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (app().shared().held.count() != n) {
            if (std::chrono::steady_clock::now() > end)
                throw std::runtime_error("not so many clients are held: " +
                                         std::to_string(app().shared().held.count()));
            std::this_thread::yield();
        }
    }
    /// Exact once the proxy has stopped.
    proxy::worker_counters counters() {
        stop();
        return app().shared().workers.front()->counters;
    }

    fake_server* new_writer = nullptr;
};

TEST_F(holding, a_statement_waits_longer_than_usual_and_is_run_by_the_new_writer) {
    start_with("connect_timeout_server_max: 1000");
    client c = connect();
    client clock = connect_clock();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    begin_failover();
    c.send(query("INSERT 2"));
    wait_for_waiters(1);
    EXPECT_EQ(app().shared().held.count(), 1U);
    wait_for_the_usual_time(clock);
    wait_for_waiters(1);
    end_with(*new_writer);
    EXPECT_EQ(c.until_ready(), inserted);
    EXPECT_EQ(new_writer->count("Q INSERT 2"), 1);
    EXPECT_EQ(writer.count("Q INSERT 2"), 0);
    EXPECT_EQ(app().shared().held.count(), 0U);
    const auto n = counters();
    EXPECT_EQ(n.holds, 1U);
    EXPECT_EQ(n.holds_timed_out, 0U);
    EXPECT_EQ(n.holds_refused, 0U);
}

TEST_F(holding, who_waits_already_when_a_failover_begins_waits_for_its_end) {
    start_with("connect_timeout_server_max: 1000", {}, 1, 1);
    client clock = connect_clock();
    client holder = connect();
    client c = connect();
    (void)holder.ask("BEGIN");
    c.send(query("INSERT 1"));
    wait_for_waiters(1);
    begin_failover();
    wait_for_held(1);
    wait_for_the_usual_time(clock);
    wait_for_waiters(1);
    end_with(*new_writer);
    EXPECT_EQ(c.until_ready(), inserted);
    EXPECT_EQ(new_writer->count("Q INSERT 1"), 1);
}

TEST_F(holding, when_a_failover_ends_without_a_writer_the_usual_limit_holds_again) {
    start_with("connect_timeout_server_max: 1000");
    client clock = connect_clock();
    client c = connect();
    begin_failover();
    c.send(query("INSERT 1"));
    wait_for_waiters(1);
    wait_for_the_usual_time(clock);
    end_without_writer();
    EXPECT_EQ(c.until_ready(), "E(08001) Z(I)");
    EXPECT_THAT(c.error_text(), HasSubstr("after 1000ms: no server of the hostgroup is online"));
    EXPECT_EQ(app().shared().held.count(), 0U);
}

TEST_F(holding, a_failover_that_takes_too_long_is_named_as_the_cause_and_the_client_stays) {
    start_with("connect_timeout_server_max: 50\nha_hold_timeout: 300");
    client c = connect();
    begin_failover();
    c.send(query("INSERT 1"));
    const auto error = c.link().next();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->type, 'E');
    EXPECT_THAT(error->body, HasSubstr("C08001"));
    EXPECT_THAT(error->body,
                HasSubstr("MMax connect timeout reached while reaching hostgroup 10 after 300ms: "
                          "a failover of main is under way"));
    EXPECT_THAT(error->body, HasSubstr("HNothing was done: try again later. How long clients wait "
                                       "is ha_hold_timeout; SHOW HA on the admin interface"));
    EXPECT_EQ(c.until_ready(), "Z(I)");
    EXPECT_EQ(app().shared().held.count(), 0U);
    EXPECT_EQ(counters().holds_timed_out, 1U);
}

TEST_F(holding, a_short_hold_timeout_shortens_no_wait) {
    start_with("connect_timeout_server_max: 200\nha_hold_timeout: 0");
    client c = connect();
    begin_failover();
    EXPECT_EQ(c.ask("INSERT 1"), "E(08001) Z(I)");
    EXPECT_THAT(c.error_text(), HasSubstr("after 200ms: a failover of main is under way"));
}

TEST_F(holding, a_transaction_that_could_not_begin_runs_none_of_its_statements) {
    start_with("connect_timeout_server_max: 50\nha_hold_timeout: 100");
    client c = connect();
    begin_failover();
    EXPECT_EQ(c.ask("BEGIN"), "E(08001) Z(E)");
    end_with(*new_writer);
    EXPECT_EQ(c.ask("INSERT 1"), "E(25P02) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(new_writer->count("Q INSERT 1"), 0);
}

TEST_F(holding, more_than_ha_hold_max_clients_fail_at_once_and_a_free_place_is_used_again) {
    start_with("ha_hold_max_clients: 1");
    client first = connect();
    client second = connect();
    begin_failover();
    first.send(query("INSERT 1"));
    wait_for_waiters(1);
    EXPECT_EQ(second.ask("INSERT 2"), "E(53300) Z(I)");
    EXPECT_EQ(second.error_text(),
              "too many clients wait for hostgroup 10: a failover of main is under way");
    EXPECT_EQ(app().shared().held.count(), 1U);
    send_cancel(port(), first.pid(), first.key());
    EXPECT_EQ(first.until_ready(), "E(57014) Z(I)");
    second.send(query("INSERT 3"));
    wait_for_waiters(1);
    end_with(*new_writer);
    EXPECT_EQ(second.until_ready(), inserted);
    EXPECT_EQ(new_writer->count("Q INSERT 2"), 0);
    const auto n = counters();
    EXPECT_EQ(n.holds, 2U);
    EXPECT_EQ(n.holds_refused, 1U);
}

TEST_F(holding, of_those_who_wait_when_a_failover_begins_too_many_fail) {
    start_with("ha_hold_max_clients: 0", {}, 1, 1);
    client holder = connect();
    client c = connect();
    (void)holder.ask("BEGIN");
    c.send(query("INSERT 1"));
    wait_for_waiters(1);
    begin_failover();
    EXPECT_EQ(c.until_ready(), "E(53300) Z(I)");
}

TEST_F(holding, a_client_that_leaves_gives_its_place_back) {
    start_with("");
    {
        client c = connect();
        begin_failover();
        c.send(query("INSERT 1"));
        wait_for_waiters(1);
        EXPECT_EQ(app().shared().held.count(), 1U);
    }
    wait_for_held(0);
}

TEST_F(holding, a_client_that_waits_is_told_for_what) {
    start_with("query_wait_notify: 20");
    client c = connect();
    begin_failover();
    c.send(query("INSERT 1"));
    const auto notice = c.link().next();
    ASSERT_TRUE(notice);
    EXPECT_EQ(notice->type, 'N');
    EXPECT_THAT(notice->body,
                HasSubstr("waiting for a server connection in hostgroup 10: " + failover));
    EXPECT_THAT(notice->body, HasSubstr("It will fail after ha_hold_timeout (30000ms)."));
    end_with(*new_writer);
    EXPECT_EQ(c.until_ready(), inserted);
}

TEST_F(holding, a_switchover_lets_transactions_finish_and_new_ones_wait_for_the_new_writer) {
    start_with("");
    client under_way = connect();
    client idle = connect();
    (void)idle.ask("INSERT 0");
    (void)under_way.ask("BEGIN");
    begin_switchover();
    idle.send(query("INSERT 1"));
    wait_for_waiters(1);
    EXPECT_EQ(under_way.ask("INSERT 2"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(under_way.ask("COMMIT"), "C(COMMIT) Z(I)");
    under_way.send(query("INSERT 3"));
    wait_for_waiters(2);
    end_with(*new_writer);
    EXPECT_EQ(idle.until_ready(), inserted);
    EXPECT_EQ(under_way.until_ready(), inserted);
    EXPECT_EQ(writer.count("Q INSERT 2"), 1);
    EXPECT_EQ(writer.count("Q INSERT 1") + writer.count("Q INSERT 3"), 0);
    EXPECT_EQ(new_writer->count("Q INSERT 1"), 1);
    EXPECT_EQ(new_writer->count("Q INSERT 3"), 1);
}

TEST_F(holding, after_a_switchover_that_was_given_up_the_old_writer_goes_on) {
    start_with("");
    client c = connect();
    begin_switchover();
    c.send(query("INSERT 1"));
    wait_for_waiters(1);
    end_with(writer);
    EXPECT_EQ(c.until_ready(), inserted);
    EXPECT_EQ(writer.count("Q INSERT 1"), 1);
}

TEST_F(holding, a_session_that_keeps_its_server_goes_on_as_in_a_pause) {
    start_with("", "pool_mode: session");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    begin_switchover();
    EXPECT_EQ(c.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.count("Q INSERT 2"), 1);
}

TEST_F(holding, reads_for_the_readers_do_not_wait) {
    start_with("");
    client c = connect();
    begin_failover();
    EXPECT_EQ(c.ask("SELECT 1"), "T D(r1) C(SELECT 1) Z(I)");
    begin_switchover();
    EXPECT_EQ(c.ask("SELECT 1"), "T D(r1) C(SELECT 1) Z(I)");
}

TEST_F(holding, reads_that_need_the_writer_wait_like_writes) {
    start_with("", "read_consistency: strong");
    client c = connect();
    begin_switchover();
    c.send(query("SELECT 1"));
    wait_for_waiters(1);
    end_with(*new_writer);
    EXPECT_EQ(c.until_ready(), "T D(r1) C(SELECT 1) Z(I)");
}

TEST_F(holding, a_login_does_not_wait_where_a_reader_can_judge_it) {
    start_with("");
    begin_switchover();
    client c = connect({{"application_name", "new"}});
    EXPECT_EQ(new_writer->logins(), 1);
    EXPECT_EQ(writer.logins(), 0);
}

TEST_F(holding, those_who_waited_go_on_in_the_order_in_which_they_came) {
    start_with("", {}, 2, 1);
    std::list<client> clients;
    begin_failover();
    for (int i = 1; i <= 6; ++i) {
        clients.push_back(connect());
        clients.back().send(query("INSERT " + std::to_string(i)));
        wait_for_waiters(static_cast<std::size_t>(i));
    }
    end_with(*new_writer);
    for (client& c : clients)
        EXPECT_EQ(c.until_ready(), inserted);
    std::vector<std::string> ran;
    for (const std::string& message : new_writer->seen_messages())
        if (message.starts_with("Q INSERT")) ran.push_back(message);
    EXPECT_THAT(ran, testing::ElementsAre("Q INSERT 1", "Q INSERT 2", "Q INSERT 3", "Q INSERT 4",
                                          "Q INSERT 5", "Q INSERT 6"));
}

TEST_F(holding, a_pause_during_a_failover_ends_first_and_the_client_waits_on) {
    start_with("connect_timeout_server_max: 1000");
    client clock = connect_clock();
    client c = connect();
    const proxy::traffic_scope alice{proxy::traffic_scope::kind::user, "alice"};
    begin_failover();
    c.send(query("INSERT 1"));
    wait_for_held(1);
    std::promise<void> paused;
    boost::asio::post(app().control(), [&] {
        app().traffic_control().pause(alice, std::chrono::minutes(1),
                                      [&](const std::string&) { paused.set_value(); });
    });
    paused.get_future().get();
    wait_for_held(0);
    boost::asio::post(app().control(), [&] { (void)app().traffic_control().resume(alice); });
    wait_for_held(1);
    wait_for_the_usual_time(clock);
    wait_for_waiters(1);
    end_with(*new_writer);
    EXPECT_EQ(c.until_ready(), inserted);
}

TEST_F(holding, a_replication_client_waits_for_the_new_writer_too) {
    start_with("connect_timeout_server_max: 1000");
    client clock = connect_clock();
    begin_failover();
    auto walsender = std::async(std::launch::async, [this] {
        client c(port());
        return c.log_in("alice", {{"replication", "true"}});
    });
    wait_for_waiters(1);
    wait_for_the_usual_time(clock);
    wait_for_waiters(1);
    end_with(*new_writer);
    EXPECT_EQ(walsender.get(), "R K Z(I)");
    EXPECT_EQ(new_writer->logins(), 1);
}

}  // namespace
}  // namespace howdah::tests
