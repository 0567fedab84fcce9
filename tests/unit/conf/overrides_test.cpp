#include "conf/overrides.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "conf/columns.hpp"
#include "conf/loader.hpp"
#include "conf/options.hpp"

namespace howdah::conf {
namespace {

using std::chrono::milliseconds;

const std::string servers = "servers: [{hostgroup_id: 0, hostname: pg1}]\n";
const std::string one_user = "users: [{username: u, password: p}]\n";

TEST(a_setting_in_force, is_that_of_the_user_then_of_the_database_then_of_all) {
    variables general;
    general.query_timeout = milliseconds(3);
    database place;
    user who;
    const auto value = [&] { return in_force(in_force_of::query_timeout, who, &place, general); };
    EXPECT_EQ(value(), milliseconds(3));
    place.query_timeout = milliseconds(2);
    EXPECT_EQ(value(), milliseconds(2));
    EXPECT_EQ(in_force(in_force_of::query_timeout, who, nullptr, general), milliseconds(3));
    // A value that means "never" is a value.
    who.query_timeout = milliseconds(0);
    EXPECT_EQ(value(), milliseconds(0));
}

TEST(a_setting_in_force, can_be_given_for_a_user_and_for_a_database_wherever_it_can_be_for_one) {
    for (const auto& column : columns<database>()) {
        if (column.name == "name" || column.name == "server_database" || column.name == "comment" ||
            column.name == "max_connections")
            continue;
        const auto users = columns<user>();
        const auto same = std::ranges::find(users, column.name, &field<user>::name);
        ASSERT_NE(same, users.end()) << column.name;
        const option* general = find_option(column.name);
        ASSERT_NE(general, nullptr) << column.name;
        EXPECT_EQ(column.kind, general->kind) << column.name;
        EXPECT_EQ(column.range.max, general->range.max) << column.name;
        EXPECT_TRUE(column.optional && same->optional) << column.name;
    }
}

TEST(the_list_of_databases, is_read_with_units_and_limits) {
    const auto loaded = load_text(
        servers + one_user +
            "databases:\n"
            "  - {name: shop, max_connections: 5, pool_mode: session, wait_timeout: 2min}\n"
            "  - {name: reports, server_database: reports_2026, read_consistency: eventual, "
            "query_timeout: 10min}\n",
        "f");
    ASSERT_TRUE(loaded.value) << (loaded.errors.empty() ? "" : loaded.errors[0].to_string());
    const auto& shop = loaded.value->databases.at(0);
    EXPECT_EQ(shop.max_connections, 5U);
    EXPECT_EQ(shop.pool_mode, pool_mode::session);
    EXPECT_EQ(shop.wait_timeout, milliseconds(120000));
    EXPECT_EQ(shop.query_timeout, std::nullopt);
    EXPECT_EQ(shop.on_servers(), "shop");
    EXPECT_EQ(loaded.value->databases.at(1).on_servers(), "reports_2026");
    EXPECT_EQ(loaded.value->databases.at(1).read_consistency, read_consistency::eventual);
}

void expect_error(const std::string& yaml, const std::string& error) {
    const auto loaded = load_text(servers + one_user + yaml, "f");
    ASSERT_EQ(loaded.errors.size(), 1U) << yaml;
    EXPECT_EQ(loaded.errors[0].to_string(), error);
}

TEST(the_list_of_databases, is_refused_where_it_makes_no_sense) {
    expect_error("databases: [{name: a}, {name: a}]\n",
                 "f:3: database 'a' is listed twice (first on line 3)");
    expect_error("databases: [{name: ''}]\n", "f:3: database: 'name' is empty");
    expect_error("databases: [{max_connections: 1}]\n", "f:3: database: 'name' is missing");
    expect_error(
        "databases: [{name: a, query_timeout: soon}]\n",
        "f:3: database query_timeout: 'soon' is not a whole number with an optional unit (ms, s, "
        "min, h, d)");
}

TEST(reserved_connections, must_leave_some_for_others) {
    expect_error("variables: {max_connections: 5, reserved_connections: 5}\n",
                 "f:3: reserved_connections is 5, which leaves none of the 5 max_connections for "
                 "others");
}

}  // namespace
}  // namespace howdah::conf
