#include "proxy/hostgroup_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "proxy/pool/identity.hpp"
#include "proxy/snapshot.hpp"

namespace howdah::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string refusal_of(const std::string& sql) {
    try {
        (void)read_init_connect(sql);
        return "accepted";
    } catch (const std::runtime_error& e) {
        return e.what();
    }
}

conf::settings with(const conf::hostgroup_attributes& a) {
    conf::settings s;
    s.hostgroup_attributes.push_back(a);
    return s;
}

TEST(InitConnect, parameters_go_out_with_the_login_and_nothing_is_run_after_it) {
    const auto init = read_init_connect(
        "SET statement_timeout = 5000; SET search_path TO \"$user\", public; SET DateStyle TO "
        "iso, mdy; SET howdah.x TO 'it''s \\ here'");
    ASSERT_TRUE(init);
    EXPECT_THAT(
        init->parameters,
        ElementsAre(Pair("statement_timeout", "5000"), Pair("search_path", R"("$user", public)"),
                    Pair("datestyle", "iso, mdy"), Pair("howdah.x", "it's \\ here")));
    EXPECT_EQ(init->statements, "");
}

TEST(InitConnect, the_last_of_two_values_is_the_one) {
    const auto init = read_init_connect("SET work_mem = '1MB'; SET work_mem = '2MB'");
    ASSERT_TRUE(init);
    EXPECT_THAT(init->parameters, ElementsAre(Pair("work_mem", "2MB")));
}

TEST(InitConnect, what_is_more_than_parameters_is_run_as_a_whole) {
    for (const std::string sql : {"LOAD 'auto_explain'; SET work_mem = '1MB'",
                                  "SELECT set_config('work_mem', '1MB', false)",
                                  "SET work_mem = '1MB'; SELECT app.begin_session()"}) {
        const auto init = read_init_connect(sql);
        ASSERT_TRUE(init) << sql;
        EXPECT_EQ(init->statements, sql);
        EXPECT_THAT(init->parameters, ElementsAre(Pair("work_mem", "1MB"))) << sql;
    }
}

TEST(InitConnect, a_role_is_set_again_because_discard_all_forgets_it) {
    const auto init = read_init_connect("SET ROLE app");
    ASSERT_TRUE(init);
    EXPECT_THAT(init->parameters, ElementsAre(Pair("role", "app")));
    EXPECT_EQ(init->statements, "SET ROLE app");
}

TEST(InitConnect, an_empty_one_does_nothing) {
    EXPECT_FALSE(read_init_connect(""));
    EXPECT_FALSE(read_init_connect(" -- nothing\n;"));
}

TEST(InitConnect, what_would_harm_the_connection_is_refused_and_named) {
    EXPECT_THAT(refusal_of("SET work_mem ="), HasSubstr("grammar does not understand"));
    EXPECT_THAT(refusal_of("BEGIN"), HasSubstr("must not control transactions"));
    EXPECT_THAT(refusal_of("SELECT 1; COMMIT"), HasSubstr("must not control transactions"));
    EXPECT_THAT(refusal_of("COPY t FROM STDIN"), HasSubstr("must not COPY"));
    EXPECT_THAT(refusal_of("DISCARD ALL"), HasSubstr("must not discard"));
    EXPECT_THAT(refusal_of("LISTEN x"), HasSubstr("listen"));
    EXPECT_THAT(refusal_of("SELECT 1; CREATE TEMP TABLE t (id int)"),
                HasSubstr("temporary object"));
    EXPECT_THAT(refusal_of("SELECT pg_advisory_lock(1)"), HasSubstr("advisory lock"));
    EXPECT_THAT(refusal_of("PREPARE p AS SELECT 1"), HasSubstr("sql prepare"));
    EXPECT_THAT(refusal_of("SET client_encoding TO 'SJIS'"), HasSubstr("client_encoding"));
    EXPECT_THAT(refusal_of("SET SESSION AUTHORIZATION other"), HasSubstr("session_authorization"));
}

TEST(HostgroupPolicies, what_is_wrong_names_the_hostgroup) {
    conf::hostgroup_attributes a;
    a.hostgroup_id = 20;
    a.init_connect = "SELEKT";
    try {
        const hostgroup_policies policies(with(a));
        FAIL();
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("hostgroup 20: init_connect: "));
    }
}

TEST(HostgroupPolicies, only_parameters_that_change_no_meaning_can_be_ignored) {
    conf::hostgroup_attributes a;
    a.hostgroup_id = 20;
    a.ignore_session_variables = R"(["application_name", "my.tag", "lock_timeout"])";
    EXPECT_THAT(hostgroup_policies(with(a)).find(20)->ignored,
                ElementsAre("application_name", "lock_timeout", "my.tag"));
    for (const char* name : {"search_path", "client_encoding", "role", "timezone",
                             "standard_conforming_strings", "default_transaction_read_only"}) {
        a.ignore_session_variables = "[\"" + std::string(name) + "\"]";
        EXPECT_THROW(hostgroup_policies{with(a)}, std::runtime_error) << name;
    }
}

TEST(HostgroupPolicies, a_hostgroup_without_a_row_has_none) {
    conf::hostgroup_attributes a;
    a.hostgroup_id = 20;
    a.free_connections_pct = 25;
    const hostgroup_policies policies(with(a));
    EXPECT_EQ(policies.find(10), nullptr);
    ASSERT_NE(policies.find(20), nullptr);
    EXPECT_EQ(policies.find(20)->idle_share(80), 20U);
    EXPECT_FALSE(policies.any_init());
}

TEST(IgnoredVariables, are_not_carried_along_and_stay_as_they_are) {
    const session_settings wanted({{"application_name", "A"}, {"work_mem", "W"}});
    const session_settings there({{"application_name", "other"}, {"lock_timeout", "L"}});
    const session_settings nothing({});
    const std::vector<std::string> ignored{"application_name"};
    EXPECT_THAT(without_ignored(wanted, nothing, ignored), ElementsAre(Pair("work_mem", "W")));
    EXPECT_THAT(without_ignored(wanted, there, ignored),
                ElementsAre(Pair("application_name", "other"), Pair("work_mem", "W")));
}

TEST(Identities, connections_that_begin_differently_have_logins_of_their_own) {
    identities names;
    const pool_login* plain = names.login("d", "u");
    const auto one = read_init_connect("SET work_mem = '1MB'");
    const auto same = read_init_connect("SET work_mem = '1MB'");
    const auto other = read_init_connect("SET work_mem = '2MB'");
    const pool_login* first = names.login(plain, one);
    EXPECT_NE(first, plain);
    EXPECT_EQ(first->plain, plain);
    EXPECT_EQ(plain->plain, plain);
    EXPECT_EQ(names.login(plain, same), first) << "the same text is the same beginning";
    EXPECT_NE(names.login(plain, other), first);
    EXPECT_EQ(names.login("d", "u"), plain);
}

class Snapshot : public testing::Test {
protected:
    void configure(const std::string& init_of_20) {
        conf::hostgroup_attributes a;
        a.hostgroup_id = 20;
        a.init_connect = init_of_20;
        a.free_connections_pct = 50;
        now_.policies = std::make_shared<const hostgroup_policies>(with(a));
    }
    identities names_;
    const server_entry* server_ = names_.server({"a", 5432});
    const pool_login* plain_ = names_.login("d", "u");
    snapshot now_;
};

TEST_F(Snapshot, wants_connections_that_began_as_a_hostgroup_of_their_server_says) {
    configure("SET work_mem = '1MB'");
    const pool_login* begun = names_.login(plain_, now_.policy(20)->init);
    const pool_login* outdated = names_.login(plain_, read_init_connect("SET work_mem = '9MB'"));
    now_.placement = {{20, {{server_, 1, 80}}}};
    EXPECT_TRUE(now_.wants(*begun, *server_));
    EXPECT_FALSE(now_.wants(*outdated, *server_));
    EXPECT_FALSE(now_.wants(*plain_, *server_));
    now_.placement[10] = {{server_, 1, 80}};
    EXPECT_TRUE(now_.wants(*plain_, *server_)) << "hostgroup 10 has no init_connect";
    now_.placement.clear();
    EXPECT_TRUE(now_.wants(*outdated, *server_)) << "nobody uses the server now";
    configure("");
    now_.placement = {{20, {{server_, 1, 80}}}};
    EXPECT_FALSE(now_.wants(*begun, *server_));
    EXPECT_TRUE(now_.wants(*plain_, *server_));
}

TEST_F(Snapshot, limits_idle_connections_only_where_all_hostgroups_of_a_server_do) {
    configure("");
    EXPECT_THAT(idle_limits({{20, {{server_, 1, 80}}}}, *now_.policies),
                ElementsAre(Pair(server_, 40U)));
    EXPECT_THAT(idle_limits({{10, {{server_, 1, 80}}}, {20, {{server_, 1, 80}}}}, *now_.policies),
                IsEmpty());
}

}  // namespace
}  // namespace howdah::proxy
