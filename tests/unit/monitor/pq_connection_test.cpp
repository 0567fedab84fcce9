#include "monitor/pq_connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/monitor/fake_server.hpp"

namespace howdah::monitor {
namespace {

using namespace test;
using manner = fake_server::manner;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds long_enough{60000};
constexpr milliseconds short_bound{20};

class PqConnection : public testing::Test {
protected:
    /// Runs the loop until `done` holds.
    template <class Condition>
    void run_until(Condition done) {
        while (!done())
            ASSERT_NE(io.run_one(), 0U) << "nothing left to wait for";
    }

    std::optional<pq_error> connect(milliseconds bound = long_enough) {
        std::optional<std::optional<pq_error>> got;
        connection->connect(
            server.at(),
            {{"user", "u"}, {"dbname", "d"}, {"sslmode", "disable"}, {"gssencmode", "disable"}},
            bound, [&](std::optional<pq_error> error) { got = std::move(error); });
        EXPECT_FALSE(got) << "handlers are not called from inside connect()";
        run_until([&] { return got.has_value(); });
        return *got;
    }

    std::optional<pq_error> query(const std::string& sql, milliseconds bound = long_enough) {
        std::optional<std::optional<pq_error>> got;
        connection->query(sql, bound, [&](std::optional<pq_error> error, pq_result answer) {
            got = std::move(error);
            result = std::move(answer);
        });
        EXPECT_FALSE(got) << "handlers are not called from inside query()";
        run_until([&] { return got.has_value(); });
        return *got;
    }

    boost::asio::io_context io;
    fake_server server{io};
    std::shared_ptr<resolver_cache> names = std::make_shared<resolver_cache>(io);
    std::shared_ptr<pq_connection> connection = std::make_shared<pq_connection>(io, names);
    pq_result result;
};

TEST_F(PqConnection, connects_and_asks) {
    ASSERT_FALSE(connect());
    EXPECT_TRUE(connection->idle());
    ASSERT_FALSE(query(""));
    EXPECT_EQ(PQresultStatus(result.get()), PGRES_EMPTY_QUERY);
    ASSERT_FALSE(query("SELECT pg_catalog.pg_is_in_recovery()"));
    EXPECT_STREQ(PQgetvalue(result.get(), 0, 0), "f");
    EXPECT_THAT(server.queries, testing::ElementsAre("", "SELECT pg_catalog.pg_is_in_recovery()"));
}

TEST_F(PqConnection, a_closed_port_is_a_failure) {
    server.kill();
    const auto error = connect();
    ASSERT_TRUE(error);
    EXPECT_EQ(classify(*error), probe_result::failed);
    EXPECT_THAT(error->message, HasSubstr("Connection refused"));
    EXPECT_FALSE(connection->open());
}

TEST_F(PqConnection, a_refused_login_carries_its_sqlstate) {
    server.behaviour = manner::refuse_login;
    for (const auto& [sqlstate, result_class] :
         {std::pair{"57P03", probe_result::not_ready}, std::pair{"53300", probe_result::alive},
          std::pair{"28P01", probe_result::alive}}) {
        server.refusal_sqlstate = sqlstate;
        const auto error = connect();
        ASSERT_TRUE(error);
        EXPECT_EQ(error->sqlstate, sqlstate);
        EXPECT_THAT(error->message, HasSubstr("scripted refusal"));
        EXPECT_EQ(classify(*error), result_class);
    }
}

TEST_F(PqConnection, a_server_that_says_nothing_at_login_runs_into_the_deadline) {
    server.behaviour = manner::hang_at_login;
    const auto error = connect(short_bound);
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->timed_out);
    EXPECT_EQ(error->message, "connect timed out after 20 ms");
    EXPECT_FALSE(connection->open());
}

TEST_F(PqConnection, a_query_without_answer_runs_into_the_deadline) {
    ASSERT_FALSE(connect());
    server.behaviour = manner::hang_at_query;
    const auto error = query("", short_bound);
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->timed_out);
    EXPECT_FALSE(connection->open());
}

TEST_F(PqConnection, a_server_error_leaves_the_connection_usable) {
    server.full_check_allowed = false;
    ASSERT_FALSE(connect());
    const auto error = query("SELECT 1");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->sqlstate, "42501");
    EXPECT_EQ(error->message, "scripted refusal");
    EXPECT_TRUE(connection->idle());
    EXPECT_FALSE(query(""));
}

TEST_F(PqConnection, a_connection_that_breaks_under_a_query_fails_it_once) {
    ASSERT_FALSE(connect());
    server.behaviour = manner::drop_at_query;
    bool told_lost = false;
    connection->on_lost([&](const std::string&) { told_lost = true; });
    const auto error = query("");
    ASSERT_TRUE(error);
    EXPECT_EQ(classify(*error), probe_result::failed);
    EXPECT_FALSE(error->timed_out);
    EXPECT_FALSE(connection->open());
    EXPECT_FALSE(told_lost);
}

TEST_F(PqConnection, an_idle_connection_that_breaks_is_noticed) {
    std::string reason;
    connection->on_lost([&](const std::string& why) { reason = why; });
    ASSERT_FALSE(connect());
    server.end_sessions();
    run_until([&] { return !reason.empty(); });
    EXPECT_THAT(reason, HasSubstr("closed the connection"));
    EXPECT_FALSE(connection->open());
    EXPECT_FALSE(connect());
}

TEST_F(PqConnection, can_be_closed_at_every_step_and_calls_nobody_then) {
    for (int steps = 0; steps < 12; ++steps) {
        bool called = false;
        connection->connect(server.at(), {{"user", "u"}, {"sslmode", "disable"}}, long_enough,
                            [&](const std::optional<pq_error>&) {
                                connection->query("", long_enough,
                                                  [&](const auto&, const auto&) { called = true; });
                            });
        for (int step = 0; step < steps && !called; ++step)
            io.run_one();
        const bool before = std::exchange(called, false);
        connection->close();
        EXPECT_FALSE(connection->open());
        io.poll();
        EXPECT_FALSE(called) << steps << before;
        ASSERT_FALSE(connect());
        connection->close();
    }
}

TEST_F(PqConnection, dies_with_its_last_owner_while_waiting) {
    server.behaviour = manner::hang_at_login;
    bool called = false;
    connection->connect(server.at(), {{"user", "u"}, {"sslmode", "disable"}}, long_enough,
                        [&](const std::optional<pq_error>&) { called = true; });
    run_until([&] { return server.logins == 1; });
    connection->close();
    connection.reset();
    io.poll();
    EXPECT_FALSE(called);
}

}  // namespace
}  // namespace howdah::monitor
