#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/columns.hpp"
#include "conf/hostgroup_values.hpp"
#include "conf/loader.hpp"
#include "conf/print_config.hpp"
#include "conf/reload.hpp"

namespace howdah::conf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string head =
    "servers: [{hostgroup_id: 10, hostname: a}]\n"
    "users: [{username: u, password: x, default_hostgroup: 10}]\n";

load_result load(const std::string& entries) {
    return load_text(head + "pgsql_hostgroup_attributes: [" + entries + "]\n", "f.yaml");
}

/// The one error that these entries have, without the place.
std::string error_of(const std::string& entries) {
    const auto result = load(entries);
    if (result.errors.size() != 1) return std::to_string(result.errors.size()) + " errors";
    return result.errors.front().message;
}

const std::string full =
    "{hostgroup_id: 10, max_num_online_servers: 1, autocommit: -1, free_connections_pct: 20,\n"
    " init_connect: \"SET a.b TO 'x'\", multiplex: 0, connection_warming: 1,\n"
    " throttle_connections_per_sec: 30, ignore_session_variables: '[\"application_name\"]',\n"
    " hostgroup_settings: '{}', servers_defaults: '{\"weight\": 4}', comment: c}";

hostgroup_attributes expected() {
    return {.hostgroup_id = 10,
            .max_num_online_servers = 1,
            .autocommit = -1,
            .free_connections_pct = 20,
            .init_connect = "SET a.b TO 'x'",
            .multiplex = false,
            .connection_warming = true,
            .throttle_connections_per_sec = 30,
            .ignore_session_variables = R"(["application_name"])",
            .hostgroup_settings = "{}",
            .servers_defaults = R"({"weight": 4})",
            .comment = "c"};
}

TEST(HostgroupAttributes, every_column_is_read) {
    const auto result = load(full);
    ASSERT_TRUE(result.value);
    EXPECT_THAT(result.value->hostgroup_attributes, ElementsAre(expected()));
    EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(HostgroupAttributes, an_entry_that_says_nothing_has_proxysqls_defaults) {
    const auto result = load("{hostgroup_id: 10}");
    ASSERT_TRUE(result.value);
    const auto& a = result.value->hostgroup_attributes.front();
    EXPECT_EQ(a.max_num_online_servers, 1'000'000U);
    EXPECT_EQ(a.autocommit, -1);
    EXPECT_EQ(a.free_connections_pct, 10U);
    EXPECT_EQ(a.init_connect, "");
    EXPECT_TRUE(a.multiplex);
    EXPECT_FALSE(a.connection_warming);
    EXPECT_EQ(a.throttle_connections_per_sec, 1'000'000U);
}

TEST(HostgroupAttributes, what_is_printed_is_read_back) {
    const auto first = load(full);
    ASSERT_TRUE(first.value);
    const auto again = load_text(print_config(*first.value, secrets::shown), "printed");
    ASSERT_TRUE(again.value);
    EXPECT_EQ(again.value->hostgroup_attributes, first.value->hostgroup_attributes);
}

TEST(HostgroupAttributes, a_change_is_reported_by_a_reload) {
    const auto before = load("{hostgroup_id: 10}");
    const auto after = load("{hostgroup_id: 10, multiplex: 0}");
    ASSERT_TRUE(before.value && after.value);
    EXPECT_THAT(compare(*before.value, *after.value).changed,
                ElementsAre("hostgroup_attributes: 1 changed"));
}

TEST(HostgroupAttributes, a_hostgroup_without_servers_or_named_twice_is_refused) {
    EXPECT_EQ(
        error_of("{hostgroup_id: 30}"),
        "hostgroup attributes: hostgroup 30 has no server and is in no replication hostgroup");
    EXPECT_THAT(error_of("{hostgroup_id: 10}, {hostgroup_id: 10}"),
                HasSubstr("attributes of hostgroup 10"));
}

TEST(HostgroupAttributes, values_out_of_bounds_are_refused_with_the_bounds) {
    for (const auto& [entry, bounds] : std::vector<std::pair<std::string, std::string>>{
             {"max_num_online_servers: 1000001", "0 to 1000000"},
             {"free_connections_pct: 101", "0 to 100"},
             {"throttle_connections_per_sec: 0", "1 to 1000000"}})
        EXPECT_THAT(error_of("{hostgroup_id: 10, " + entry + "}"), HasSubstr(bounds)) << entry;
}

TEST(HostgroupAttributes, what_means_nothing_in_postgresql_is_refused_and_says_why) {
    EXPECT_THAT(error_of("{hostgroup_id: 10, autocommit: 1}"),
                HasSubstr("has no meaning in PostgreSQL"));
    EXPECT_THAT(error_of("{hostgroup_id: 10, hostgroup_settings: '{\"handle_warnings\": 1}'}"),
                HasSubstr("notices always reach the client"));
    EXPECT_THAT(
        error_of("{hostgroup_id: 10, hostgroup_settings: '{\"monitor_slave_lag_when_null\": 5}'}"),
        HasSubstr("lag cannot be measured"));
    EXPECT_THAT(error_of("{hostgroup_id: 10, hostgroup_settings: '{\"x\": 1}'}"),
                HasSubstr("has the key 'x'"));
}

TEST(HostgroupAttributes, servers_defaults_are_read_within_the_bounds_of_their_columns) {
    EXPECT_EQ(parse_servers_defaults(""), server_defaults());
    EXPECT_EQ(parse_servers_defaults("{}"), server_defaults());
    EXPECT_EQ(parse_servers_defaults(R"({"weight": 0, "max_connections": 7, "use_ssl": 1})"),
              (server_defaults{0, 7, 1}));
    for (const char* wrong :
         {"[]", "1", "{", R"({"weight": -1})", R"({"weight": "1"})", R"({"weight": 1.5})",
          R"({"weight": 10000001})", R"({"max_connections": 1000001})", R"({"use_ssl": 2})",
          R"({"weight": 99999999999999999999})", R"({"port": 1})"}) {
        EXPECT_TRUE(check_servers_defaults(wrong)) << wrong;
        EXPECT_EQ(parse_servers_defaults(wrong), server_defaults()) << wrong;
    }
    EXPECT_THAT(*check_servers_defaults(R"({"wieght": 1})"), HasSubstr("'wieght'"));
}

TEST(HostgroupAttributes, ignored_variables_are_names_in_any_case) {
    EXPECT_THAT(parse_ignored_variables(R"(["Application_Name", "lock_timeout", "lock_timeout"])"),
                ElementsAre("application_name", "lock_timeout"));
    EXPECT_THAT(parse_ignored_variables(""), IsEmpty());
    for (const char* wrong : {"application_name", "{}", "[1]", R"([""])", "[", R"([["a"]])"}) {
        EXPECT_TRUE(check_ignored_variables(wrong)) << wrong;
        EXPECT_THAT(parse_ignored_variables(wrong), IsEmpty()) << wrong;
    }
}

}  // namespace
}  // namespace howdah::conf
