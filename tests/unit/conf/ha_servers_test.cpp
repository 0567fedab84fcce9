#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/loader.hpp"
#include "conf/print_config.hpp"
#include "conf/reload.hpp"
#include "conf/tag_values.hpp"

namespace howdah::conf {
namespace {

using testing::ElementsAre;

load_result load(const std::string& entries) {
    return load_text(
        "servers: [{hostgroup_id: 10, hostname: pg1}, {hostgroup_id: 20, hostname: pg2}]\n"
        "users: [{username: u, password: x, default_hostgroup: 10}]\n"
        "pgsql_ha_servers: [" +
            entries + "]\n",
        "f.yaml");
}

const std::string full =
    "{hostname: pg2, port: 5432, promotion_rule: prefer_not, data_center: west,\n"
    " tags: {role: reports, spare: , 'price': '$${five}'}, comment: c}";

TEST(HaServers, every_column_is_read) {
    const auto result = load(full);
    ASSERT_TRUE(result.value);
    ha_server expected;
    expected.hostname = "pg2";
    expected.promotion_rule = promotion_rule::prefer_not;
    expected.data_center = "west";
    expected.tags = R"({"price":"${five}","role":"reports","spare":""})";
    expected.comment = "c";
    EXPECT_THAT(result.value->ha_servers, ElementsAre(expected));
}

TEST(HaServers, an_entry_that_says_nothing_is_neutral) {
    const auto result = load("{hostname: pg1}");
    ASSERT_TRUE(result.value);
    EXPECT_EQ(result.value->ha_servers.front().promotion_rule, promotion_rule::neutral);
    EXPECT_EQ(result.value->ha_servers.front().tags, "");
}

TEST(HaServers, what_is_printed_is_read_back) {
    const auto first = load(full);
    ASSERT_TRUE(first.value);
    const auto again = load_text(print_config(*first.value, secrets::shown), "printed");
    ASSERT_TRUE(again.value);
    EXPECT_EQ(again.value->ha_servers, first.value->ha_servers);
}

TEST(HaServers, a_change_is_reported_by_a_reload_and_needs_no_restart) {
    const auto before = load("{hostname: pg1}");
    const auto after = load("{hostname: pg1, promotion_rule: must_not}, {hostname: pg2}");
    ASSERT_TRUE(before.value && after.value);
    const auto report = compare(*before.value, *after.value);
    EXPECT_THAT(report.changed, ElementsAre("ha_servers: 1 added, 1 changed"));
    EXPECT_TRUE(report.needs_restart.empty());
}

TEST(Tags, are_names_with_texts) {
    EXPECT_EQ(parse_tags(""), tag_map());
    EXPECT_EQ(parse_tags(R"({"zone": "a", "spare": ""})"), (tag_map{{"spare", ""}, {"zone", "a"}}));
    EXPECT_EQ(format_tags({}), "");
    EXPECT_EQ(parse_tags(format_tags({{"a", "\"}"}})), (tag_map{{"a", "\"}"}}));
    for (const char* wrong : {"{", "[]", "1", "zone=a", R"({"zone": 1})", R"({"": "a"})",
                              R"({"a b": "c"})", R"({"a": "1", "a": "2"})", "{\"a\": \"\xff\"}"}) {
        EXPECT_TRUE(check_tags(wrong)) << wrong;
        EXPECT_EQ(parse_tags(wrong), tag_map()) << wrong;
    }
}

}  // namespace
}  // namespace howdah::conf
