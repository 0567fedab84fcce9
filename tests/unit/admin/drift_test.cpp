#include "admin/config/drift.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace howdah::admin {
namespace {

const config_table& table(std::string_view name) {
    return *std::ranges::find_if(config_tables(),
                                 [&](const config_table& t) { return t.name == name; });
}

conf::settings with_server(const std::string& host, std::uint32_t weight) {
    conf::settings s;
    conf::server one;
    one.hostgroup_id = 10;
    one.hostname = host;
    one.weight = weight;
    s.servers.push_back(one);
    return s;
}

std::vector<std::string> texts(const row& r) {
    std::vector<std::string> out;
    for (const value& v : r)
        out.push_back(std::holds_alternative<std::monostate>(v) ? "NULL" : to_text(v));
    return out;
}

using ::testing::ElementsAre;

TEST(config_drift, is_nothing_where_all_layers_agree) {
    const conf::settings s = with_server("a", 1);
    for (const config_table& t : config_tables())
        EXPECT_TRUE(drift_of(t, {&s, &s, &s}).empty()) << t.name;
}

TEST(config_drift, names_row_and_column_and_what_each_layer_has) {
    const conf::settings a = with_server("a", 1), b = with_server("a", 5);
    const auto rows = drift_of(table("pgsql_servers"), {&a, &b, &a});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_THAT(texts(rows[0]), ElementsAre("PGSQL SERVERS", "pgsql_servers", "10, a, 5432",
                                            "weight", "1", "5", "1"));
}

TEST(config_drift, tells_of_rows_that_a_layer_has_alone) {
    const conf::settings a = with_server("a", 1), none;
    const auto rows = drift_of(table("pgsql_servers"), {&none, &a, &none});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_THAT(texts(rows[0]), ElementsAre("PGSQL SERVERS", "pgsql_servers", "10, a, 5432", "NULL",
                                            "NULL", "there", "NULL"));
}

TEST(config_drift, does_not_count_a_layer_that_has_no_say) {
    const conf::settings a = with_server("a", 1);
    EXPECT_TRUE(drift_of(table("pgsql_servers"), {&a, nullptr, &a}).empty());
}

TEST(config_drift, does_not_show_secrets) {
    conf::settings a, b;
    conf::user u;
    u.username = "bob";
    u.password = "one";
    a.users.push_back(u);
    u.password = "two";
    b.users.push_back(u);
    a.vars.monitor_password = "three";
    b.vars.monitor_password = "four";
    for (const auto* name : {"pgsql_users", "global_variables"}) {
        const auto rows = drift_of(table(name), {&a, &b, &b});
        ASSERT_EQ(rows.size(), 1U);
        EXPECT_THAT(texts(rows[0]), ::testing::Contains("(secret)").Times(3)) << name;
    }
}

}  // namespace
}  // namespace howdah::admin
