#include "monitor/auth_query_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "conf/settings.hpp"
#include "monitor/monitor.hpp"
#include "tests/unit/monitor/fake_server.hpp"

namespace howdah::monitor {
namespace {

using namespace test;
using manner = fake_server::manner;
using std::chrono::milliseconds;
using testing::ElementsAre;

std::string in_short(const password_answer& answer) {
    switch (answer.what) {
        case password_answer::kind::found:
            return "found " + answer.password;
        case password_answer::kind::unknown:
            return "unknown";
        case password_answer::kind::unavailable:
            return "unavailable";
    }
    return "?";
}

/// A monitor over a primary and a standby, and the source that asks them.
class AuthQuery : public testing::Test {
protected:
    AuthQuery() {
        spdlog::set_level(spdlog::level::off);
        standby.standby = true;
        settings->replication_hostgroups = {{10, 20, ""}};
        for (const auto* one : {&standby, &primary}) {
            auto& row = settings->servers.emplace_back();
            row.hostgroup_id = one == &primary ? 10 : 20;
            row.hostname = one->at().host;
            row.port = one->at().port;
        }
        settings->vars.server_sslmode = conf::server_sslmode::disable;
        settings->vars.auth_user = "asker";
        settings->vars.connect_timeout_server = milliseconds(200);
        for (auto* one : {&primary, &standby}) {
            one->passwords["anna"] = {{"anna", "md5x"}};
            one->passwords["expired"] = {{"expired", std::nullopt}};
        }
        watch.start();
        run_until([&] { return watch.current() && watch.current()->settled; });
    }
    ~AuthQuery() override { spdlog::set_level(spdlog::level::info); }

    template <class Condition>
    void run_until(Condition done) {
        while (!done())
            ASSERT_NE(io.run_one(), 0U) << "nothing left to wait for";
    }
    void ask(const std::string& user) {
        ++asked;
        source.look_up(user, [this](const password_answer& a) { got.push_back(in_short(a)); });
    }
    std::string answer_to(const std::string& user) {
        ask(user);
        run_until([&] { return got.size() == asked; });
        return got.back();
    }
    /// How often users were looked up there.
    static std::ptrdiff_t queries(const fake_server& server) {
        return std::ranges::count_if(server.queries,
                                     [](const std::string& q) { return q.starts_with("$1="); });
    }

    boost::asio::io_context io;
    fake_server primary{io};
    fake_server standby{io};
    std::shared_ptr<conf::settings> settings = std::make_shared<conf::settings>();
    monitor watch{io, settings, {}};
    std::size_t asked = 0;
    std::vector<std::string> got;
    auth_query_source source{io, settings, watch};
};

TEST_F(AuthQuery, gives_the_password_of_a_user_from_the_writer) {
    EXPECT_EQ(answer_to("anna"), "found md5x");
    EXPECT_EQ(queries(primary), 1);
    EXPECT_EQ(queries(standby), 0);
}

TEST_F(AuthQuery, a_user_without_a_valid_password_is_found_without_one) {
    EXPECT_EQ(answer_to("expired"), "found ");
}

TEST_F(AuthQuery, the_name_is_a_parameter_and_no_part_of_the_statement) {
    const std::string evil = "x' OR true --";
    EXPECT_EQ(answer_to(evil), "unknown");
    EXPECT_TRUE(primary.queries.back().starts_with("$1=" + evil + " SELECT rolname"));
}

TEST_F(AuthQuery, the_built_in_query_names_the_schema_of_everything) {
    EXPECT_EQ(answer_to("anna"), "found md5x");
    const std::string& sql = primary.queries.back();
    for (const char* part : {"pg_catalog.pg_authid", "pg_catalog.now()", "OPERATOR(pg_catalog.<)",
                             "OPERATOR(pg_catalog.=)", "rolvaliduntil", "rolcanlogin"})
        EXPECT_NE(sql.find(part), sql.npos) << part;
    EXPECT_EQ(sql.find(" = "), sql.npos);
}

TEST_F(AuthQuery, a_query_of_ones_own_replaces_it) {
    settings->vars.auth_query = "SELECT * FROM auth.look_up($1)";
    EXPECT_EQ(answer_to("anna"), "found md5x");
    EXPECT_EQ(primary.queries.back(), "$1=anna SELECT * FROM auth.look_up($1)");
}

TEST_F(AuthQuery, users_who_come_at_the_same_time_are_asked_for_once) {
    std::thread other([this] { source.look_up("anna", [](const password_answer&) {}); });
    other.join();
    for (int i = 0; i < 5; ++i)
        ask("anna");
    ask("expired");
    run_until([&] { return got.size() == asked; });
    EXPECT_THAT(got, ElementsAre("found md5x", "found md5x", "found md5x", "found md5x",
                                 "found md5x", "found "));
    EXPECT_EQ(queries(primary), 2);
    const int logins = primary.logins;
    EXPECT_EQ(answer_to("anna"), "found md5x");
    EXPECT_EQ(queries(primary), 2) << "kept for a while";
    EXPECT_EQ(answer_to("other"), "unknown");
    EXPECT_EQ(primary.logins, logins) << "over the same connection";
}

TEST_F(AuthQuery, a_lifetime_of_zero_asks_every_time) {
    settings->vars.auth_query_cache_ttl = milliseconds(0);
    EXPECT_EQ(answer_to("anna"), "found md5x");
    EXPECT_EQ(answer_to("anna"), "found md5x");
    EXPECT_EQ(queries(primary), 2);
}

TEST_F(AuthQuery, another_name_than_the_one_asked_for_is_nobody) {
    primary.passwords["ANNA"] = {{"anna", "md5x"}};
    EXPECT_EQ(answer_to("ANNA"), "unknown");
    EXPECT_EQ(answer_to(std::string(64, 'a')), "unknown");
    EXPECT_EQ(queries(primary), 1) << "PostgreSQL would cut a name of 64 bytes";
}

TEST_F(AuthQuery, an_answer_that_is_none_is_no_answer) {
    primary.passwords["twice"] = {{"twice", "a"}, {"twice", "b"}};
    primary.passwords["narrow"] = {{"narrow"}};
    EXPECT_EQ(answer_to("twice"), "unavailable");
    EXPECT_EQ(answer_to("narrow"), "unavailable");
    EXPECT_EQ(answer_to("anna"), "found md5x");
}

TEST_F(AuthQuery, a_query_that_fails_is_no_answer_and_asks_no_other_server) {
    primary.query_sqlstate = "42501";
    EXPECT_EQ(answer_to("anna"), "unavailable");
    EXPECT_EQ(queries(standby), 0);
    primary.query_sqlstate = "22021";
    EXPECT_EQ(answer_to("\xff"), "unknown") << "nobody can have that name";
    primary.query_sqlstate.clear();
    EXPECT_EQ(answer_to("anna"), "found md5x");
}

TEST_F(AuthQuery, a_reader_is_asked_where_the_writer_does_not_answer) {
    primary.behaviour = manner::refuse_login;
    EXPECT_EQ(answer_to("anna"), "found md5x");
    EXPECT_EQ(queries(standby), 1);
}

TEST_F(AuthQuery, a_connection_that_broke_is_replaced) {
    EXPECT_EQ(answer_to("anna"), "found md5x");
    primary.behaviour = manner::drop_at_query;
    EXPECT_EQ(answer_to("expired"), "found ");
    EXPECT_EQ(queries(standby), 1);
}

TEST_F(AuthQuery, servers_that_hang_end_in_no_answer_for_all_who_wait) {
    primary.behaviour = manner::hang_at_query;
    standby.behaviour = manner::hang_at_login;
    for (const char* user : {"anna", "expired", "anna", "other"})
        ask(user);
    run_until([&] { return got.size() == asked; });
    EXPECT_THAT(got, ElementsAre("unavailable", "unavailable", "unavailable", "unavailable"));
    EXPECT_EQ(queries(primary), 1);
}

TEST_F(AuthQuery, without_any_server_there_is_no_answer) {
    primary.kill();
    standby.kill();
    EXPECT_EQ(answer_to("anna"), "unavailable");
    run_until([&] { return !watch.current()->any_online(10) && !watch.current()->any_online(20); });
    EXPECT_EQ(answer_to("anna"), "unavailable");
    primary.revive();
    run_until([&] { return watch.current()->any_online(10); });
    EXPECT_EQ(answer_to("anna"), "found md5x");
}

TEST_F(AuthQuery, a_reload_forgets_what_was_known_and_asks_anew_for_those_who_wait) {
    EXPECT_EQ(answer_to("anna"), "found md5x");
    for (auto* one : {&primary, &standby})
        one->passwords["anna"] = {{"anna", "other"}};
    source.reload(settings);
    EXPECT_EQ(answer_to("anna"), "found other");
    primary.behaviour = manner::hang_at_query;
    ask("expired");
    const auto before = queries(primary);
    run_until([&] { return queries(primary) > before; });
    primary.behaviour = manner::serve;
    source.reload(settings);
    run_until([&] { return got.size() == asked; });
    EXPECT_EQ(got.back(), "found ");
}

TEST_F(AuthQuery, more_waiting_users_than_the_bound_are_told_so_at_once) {
    primary.behaviour = manner::hang_at_query;
    for (int i = 0; i < 1001; ++i)
        ask("user " + std::to_string(i));
    run_until([&] { return !got.empty(); });
    EXPECT_THAT(got, ElementsAre("unavailable"));
}

TEST_F(AuthQuery, stopped_it_answers_nobody) {
    primary.behaviour = manner::hang_at_query;
    ask("anna");
    run_until([&] { return queries(primary) == 1; });
    source.stop();
    ask("expired");
    watch.stop();
    primary.kill();
    standby.kill();
    io.run();
    EXPECT_TRUE(got.empty());
}

}  // namespace
}  // namespace howdah::monitor
