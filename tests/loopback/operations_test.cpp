#include <boost/asio/post.hpp>
#include <future>

#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using proxy::traffic_scope;
using kind = traffic_scope::kind;
constexpr std::chrono::seconds long_time{60};

const std::string from_writer = "T D(writer) C(SELECT 1) Z(I)";
const traffic_scope everything{};

class operations : public loopback {
protected:
    /// Runs on the control thread, as the admin interface will.
    template <class What>
    auto order(What what) {
        using result = decltype(what(app().traffic_control()));
        std::promise<result> done;
        auto answer = done.get_future();
        boost::asio::post(app().control(), [&] {
            if constexpr (std::is_void_v<result>) {
                what(app().traffic_control());
                done.set_value();
            } else {
                done.set_value(what(app().traffic_control()));
            }
        });
        return answer.get();
    }
    std::future<std::string> begin_pause(const traffic_scope& scope,
                                         std::chrono::milliseconds timeout = long_time) {
        auto done = std::make_shared<std::promise<std::string>>();
        order([&](proxy::operations& o) {
            o.pause(scope, timeout, [done](const std::string& error) { done->set_value(error); });
        });
        return done->get_future();
    }
    std::string pause(const traffic_scope& scope) { return begin_pause(scope).get(); }
    std::string resume(const traffic_scope& scope) {
        return order([&](proxy::operations& o) { return o.resume(scope); });
    }
};

TEST_F(operations, a_pause_closes_connections_and_holds_clients_until_it_is_resumed) {
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
    EXPECT_EQ(pause(everything), "");
    writer.wait_for_closed(1);
    c.send(query("SELECT 1"));
    wait_for_waiters(1);
    EXPECT_EQ(writer.logins(), 1);
    EXPECT_EQ(resume(everything), "");
    EXPECT_EQ(c.until_ready(), from_writer);
    EXPECT_EQ(writer.logins(), 2);
}

TEST_F(operations, a_pause_waits_for_open_transactions) {
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    auto paused = begin_pause(everything);
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(paused.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(paused.get(), "");
    EXPECT_EQ(resume(everything), "");
}

TEST_F(operations, a_pause_that_takes_too_long_is_taken_back_and_says_why) {
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    const std::string error =
        begin_pause({kind::user, "alice"}, std::chrono::milliseconds(1)).get();
    EXPECT_EQ(error,
              "user \"alice\" could not be paused in time: 1 server connections are in "
              "transactions or kept by their sessions; it goes on");
    client other = connect();
    EXPECT_EQ(other.ask("SELECT 1"), from_writer);
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(resume({kind::user, "alice"}), "user \"alice\" is not paused");
}

TEST_F(operations, a_pause_of_a_database_is_nothing_to_others) {
    start();
    client c = connect();
    client other = connect({{"database", "elsewhere"}});
    EXPECT_EQ(pause({kind::database, "elsewhere"}), "");
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
    other.send(query("SELECT 1"));
    wait_for_waiters(1);
    EXPECT_EQ(pause({kind::database, "elsewhere"}), "database \"elsewhere\" is paused already");
    EXPECT_EQ(resume({kind::database, "elsewhere"}), "");
    EXPECT_EQ(other.until_ready(), from_writer);
}

TEST_F(operations, a_client_that_waits_in_a_pause_can_cancel) {
    start();
    client c = connect();
    EXPECT_EQ(pause(everything), "");
    c.send(query("SELECT 1"));
    wait_for_waiters(1);
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
    EXPECT_EQ(resume(everything), "");
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
}

TEST_F(operations, a_wait_in_a_pause_ends_like_any_other_wait) {
    start({.variables = "connect_timeout_server_max: 50\n", .user = "", .more_users = ""});
    client c = connect();
    EXPECT_EQ(pause(everything), "");
    EXPECT_EQ(c.ask("SELECT 1"), "E(08001) Z(I)");
    EXPECT_EQ(resume(everything), "");
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
}

TEST_F(operations, who_waited_for_a_server_before_the_pause_waits_for_its_end) {
    start({.variables = "", .user = "", .more_users = "", .threads = 2, .max_connections = 1});
    client c = connect();
    client other = connect();
    (void)c.ask("BEGIN");
    other.send(query("SELECT 1"));
    wait_for_waiters(1);
    auto paused = begin_pause(everything);
    (void)c.ask("COMMIT");
    EXPECT_EQ(paused.get(), "");
    wait_for_waiters(1);
    EXPECT_EQ(resume(everything), "");
    EXPECT_EQ(other.until_ready(), from_writer);
}

TEST_F(operations, a_paused_server_gets_no_reads_and_the_others_get_them) {
    add_reader("r1");
    add_reader("r2");
    start({.variables = "", .user = "read_consistency: eventual", .more_users = ""});
    const std::string name = "127.0.0.1:" + std::to_string(readers.front().port());
    EXPECT_EQ(pause({kind::server, name}), "");
    client c = connect();
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(c.ask("SELECT 1"), "T D(r2) C(SELECT 1) Z(I)");
    EXPECT_EQ(resume({kind::server, name}), "");
}

TEST_F(operations, reconnect_gives_everybody_new_connections_and_interrupts_nobody) {
    start();
    client c = connect();
    client other = connect();
    (void)c.ask("BEGIN");
    EXPECT_EQ(other.ask("SELECT 1"), from_writer);
    EXPECT_EQ(writer.logins(), 2);
    order([](proxy::operations& o) { o.reconnect(everything); });
    writer.wait_for_closed(1);
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    writer.wait_for_closed(2);
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
    EXPECT_EQ(writer.logins(), 3);
}

TEST_F(operations, disable_refuses_logins_only) {
    start();
    client c = connect();
    const traffic_scope alice{kind::user, "alice"};
    EXPECT_EQ(order([&](proxy::operations& o) { return o.disable(alice); }), "");
    client refused(port());
    EXPECT_EQ(refused.log_in("alice"), "E(57P03) closed");
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
    EXPECT_EQ(order([&](proxy::operations& o) { return o.enable(alice); }), "");
    EXPECT_EQ(order([&](proxy::operations& o) { return o.enable(alice); }),
              "user \"alice\" is not disabled");
    client again = connect();
    EXPECT_EQ(again.ask("SELECT 1"), from_writer);
}

TEST_F(operations, kill_ends_the_clients_of_its_scope_and_no_others) {
    start();
    client c = connect();
    client other = connect({{"database", "elsewhere"}});
    (void)c.ask("BEGIN");
    order([](proxy::operations& o) { o.kill({kind::database, "elsewhere"}); });
    EXPECT_EQ(other.until_closed(), "E(57P01) closed");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    order([](proxy::operations& o) { o.kill(everything); });
    EXPECT_EQ(c.until_closed(), "E(57P01) closed");
    client again = connect();
    EXPECT_EQ(again.ask("SELECT 1"), from_writer);
}

TEST_F(operations, a_stop_during_a_pause_answers_it) {
    start();
    client c = connect();
    (void)c.ask("BEGIN");
    auto paused = begin_pause(everything);
    request_stop();
    (void)c.ask("COMMIT");
    expect_exit();
    const std::string error = paused.get();
    EXPECT_TRUE(error.empty() || error == "Howdah is being stopped") << error;
}

}  // namespace
}  // namespace howdah::tests
