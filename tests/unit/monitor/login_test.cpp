#include "monitor/login.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/settings.hpp"

namespace howdah::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string value_of(const pq_parameters& parameters, const std::string& keyword) {
    for (const auto& [name, value] : parameters)
        if (name == keyword) return value;
    return "(unset)";
}

TEST(Login, logs_in_as_the_monitor_with_a_session_that_no_setting_bends) {
    conf::variables vars;
    vars.monitor_password = "secret";
    const auto got = login_parameters(vars, false, "appdb");
    EXPECT_EQ(value_of(got, "user"), "monitor");
    EXPECT_EQ(value_of(got, "password"), "secret");
    EXPECT_EQ(value_of(got, "dbname"), "appdb");
    EXPECT_EQ(value_of(got, "application_name"), "howdah-monitor");
    EXPECT_EQ(value_of(got, "sslmode"), "prefer");
    EXPECT_THAT(value_of(got, "options"), HasSubstr("-c search_path= "));
    EXPECT_EQ(value_of(got, "sslrootcert"), "(unset)");
}

TEST(Login, logs_in_as_somebody_else_with_the_same_session) {
    conf::variables vars;
    vars.monitor_password = "secret";
    const auto got = login_parameters(vars, {"asker", "other", "howdah-auth"}, true, "appdb");
    EXPECT_EQ(value_of(got, "user"), "asker");
    EXPECT_EQ(value_of(got, "password"), "other");
    EXPECT_EQ(value_of(got, "application_name"), "howdah-auth");
    EXPECT_EQ(value_of(got, "sslmode"), "require");
    EXPECT_THAT(value_of(got, "options"), HasSubstr("-c search_path= "));
}

TEST(Login, use_ssl_raises_a_weaker_sslmode_and_never_lowers_a_stronger_one) {
    using enum conf::server_sslmode;
    conf::variables vars;
    for (const auto& [mode, plain, forced] :
         {std::tuple{disable, "disable", "require"}, std::tuple{allow, "allow", "require"},
          std::tuple{prefer, "prefer", "require"}, std::tuple{require, "require", "require"},
          std::tuple{verify_ca, "verify-ca", "verify-ca"},
          std::tuple{verify_full, "verify-full", "verify-full"}}) {
        vars.server_sslmode = mode;
        EXPECT_EQ(value_of(login_parameters(vars, false, "d"), "sslmode"), plain);
        EXPECT_EQ(value_of(login_parameters(vars, true, "d"), "sslmode"), forced);
    }
}

TEST(Login, passes_the_tls_files_on) {
    conf::variables vars;
    vars.ssl_p2s_ca = "/ca";
    vars.ssl_p2s_cert = "/cert";
    vars.ssl_p2s_key = "/key";
    vars.ssl_p2s_crl = "/crl";
    const auto got = login_parameters(vars, false, "d");
    EXPECT_EQ(value_of(got, "sslrootcert"), "/ca");
    EXPECT_EQ(value_of(got, "sslcert"), "/cert");
    EXPECT_EQ(value_of(got, "sslkey"), "/key");
    EXPECT_EQ(value_of(got, "sslcrl"), "/crl");
}

TEST(Login, advice_names_server_and_user_and_what_to_do_and_no_password) {
    conf::variables vars;
    vars.monitor_password = "hunter2";
    struct expected {
        const char* sqlstate;
        const char* advice;
    };
    for (const auto& one :
         {expected{"28P01", "check monitor_password"}, expected{"28000", "pg_hba.conf"},
          expected{"3D000", "monitor_dbname"}, expected{"53300", "max_connections"},
          expected{"XX000", "server's log"}}) {
        const pq_error error{.sqlstate = one.sqlstate, .message = "FATAL: no"};
        const auto line = login_advice(vars, {"pg1", 5432}, "postgres", error);
        EXPECT_THAT(line, HasSubstr("pg1:5432: the monitor cannot log in as \"monitor\""));
        EXPECT_THAT(line, HasSubstr(std::string("(SQLSTATE ") + one.sqlstate + ")"));
        EXPECT_THAT(line, HasSubstr(one.advice));
        EXPECT_THAT(line, Not(HasSubstr("hunter2")));
    }
}

TEST(Login, advice_for_a_missing_database_does_not_blame_privileges) {
    const pq_error error{.sqlstate = "3D000", .message = "FATAL: does not exist"};
    EXPECT_THAT(login_advice(conf::variables{}, {"pg1", 5432}, "appdb", error),
                HasSubstr("no such database"));
}

TEST(Login, advice_for_another_database_is_a_grant) {
    const pq_error error{.sqlstate = "42501", .message = "FATAL: permission denied"};
    EXPECT_THAT(login_advice(conf::variables{}, {"pg1", 5432}, "appdb", error),
                HasSubstr("GRANT CONNECT ON DATABASE \"appdb\" TO \"monitor\""));
}

}  // namespace
}  // namespace howdah::monitor
