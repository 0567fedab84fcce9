#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/columns.hpp"
#include "conf/loader.hpp"
#include "conf/print_config.hpp"
#include "conf/rule_values.hpp"

namespace howdah::conf {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string head =
    "servers: [{hostgroup_id: 10, hostname: a}]\n"
    "users: [{username: u, password: x, default_hostgroup: 10}]\n";

std::vector<std::string> warnings_of(const std::string& text) {
    const auto result = load_text(head + text, "f.yaml");
    std::vector<std::string> lines;
    for (const auto& error : result.errors)
        lines.push_back("ERROR " + error.to_string());
    for (const auto& warning : result.warnings)
        lines.push_back(warning.to_string());
    return lines;
}

const std::string full_rule =
    "pgsql_query_rules:\n"
    "  - {rule_id: 3, active: 1, username: u, database: d, flagIN: 1, client_addr: 10.%,\n"
    "     proxy_addr: 127.0.0.1, proxy_port: 6133, digest: 0x00AB, match_digest: a,\n"
    "     match_pattern: (b), negate_match_pattern: 1, re_modifiers: 'CASELESS,GLOBAL',\n"
    "     flagOUT: 2, replace_pattern: '\\1', destination_hostgroup: 10, cache_ttl: 5s,\n"
    "     cache_empty_result: 1, cache_timeout: 6, reconnect: 1, timeout: 2s, retries: 3,\n"
    "     delay: 7, next_query_flagIN: 4, mirror_flagOUT: 5, mirror_hostgroup: 10,\n"
    "     error_msg: no, OK_msg: yes, sticky_conn: 1, multiplex: 2, log: 1, apply: 1,\n"
    "     attributes: '{}', comment: c}\n";

query_rule expected_rule() {
    query_rule r;
    r.rule_id = 3;
    r.username = "u";
    r.database = "d";
    r.flag_in = 1;
    r.client_addr = "10.%";
    r.proxy_addr = "127.0.0.1";
    r.proxy_port = 6133;
    r.digest = "0x00AB";
    r.match_digest = "a";
    r.match_pattern = "(b)";
    r.negate_match_pattern = true;
    r.re_modifiers = "CASELESS,GLOBAL";
    r.flag_out = 2;
    r.replace_pattern = "\\1";
    r.destination_hostgroup = 10;
    r.cache_ttl = 5s;
    r.cache_empty_result = true;
    r.cache_timeout = 6ms;
    r.reconnect = true;
    r.timeout = 2s;
    r.retries = 3;
    r.delay = 7ms;
    r.next_query_flag_in = 4;
    r.mirror_flag_out = 5;
    r.mirror_hostgroup = 10;
    r.error_msg = "no";
    r.ok_msg = "yes";
    r.sticky_conn = true;
    r.multiplex = 2;
    r.log = true;
    r.apply = true;
    r.attributes = "{}";
    r.comment = "c";
    return r;
}

TEST(query_rules, have_every_column_of_ProxySQL_in_its_order) {
    std::vector<std::string_view> names;
    for (const auto& column : columns<query_rule>())
        names.push_back(column.name);
    EXPECT_THAT(
        names,
        ElementsAre("rule_id", "active", "username", "database", "flagIN", "client_addr",
                    "proxy_addr", "proxy_port", "digest", "match_digest", "match_pattern",
                    "negate_match_pattern", "re_modifiers", "flagOUT", "replace_pattern",
                    "destination_hostgroup", "cache_ttl", "cache_empty_result", "cache_timeout",
                    "reconnect", "timeout", "retries", "delay", "next_query_flagIN",
                    "mirror_flagOUT", "mirror_hostgroup", "error_msg", "OK_msg", "sticky_conn",
                    "multiplex", "log", "apply", "attributes", "comment"));
}

TEST(query_rules, are_read_with_every_column) {
    const auto result = load_text(head + full_rule, "f.yaml");
    ASSERT_NE(result.value, nullptr);
    EXPECT_EQ(result.value->query_rules, std::vector{expected_rule()});
}

TEST(query_rules, survive_being_printed_and_read_again) {
    const auto first = load_text(head + full_rule, "f.yaml");
    ASSERT_NE(first.value, nullptr);
    const auto second = load_text(print_config(*first.value), "f.yaml");
    ASSERT_NE(second.value, nullptr);
    EXPECT_EQ(second.value->query_rules, first.value->query_rules);
}

TEST(query_rules, have_the_defaults_of_ProxySQL_but_are_active) {
    const auto result = load_text(head + "query_rules: [{rule_id: 1}]\n", "f.yaml");
    ASSERT_NE(result.value, nullptr);
    const query_rule& r = result.value->query_rules.front();
    EXPECT_TRUE(r.active);
    EXPECT_EQ(r.flag_in, 0);
    EXPECT_EQ(r.re_modifiers, "CASELESS");
    EXPECT_EQ(r.flag_out, std::nullopt);
    EXPECT_EQ(r.multiplex, std::nullopt);
    EXPECT_FALSE(r.apply);
}

TEST(query_rules, warn_of_columns_without_effect) {
    EXPECT_THAT(warnings_of("query_rules:\n  - rule_id: 1\n    cache_timeout: 5\n"
                            "    cache_ttl: 5\n    sticky_conn: 1\n"),
                ElementsAre("f.yaml:5: query rule 1: has no effect in Howdah: cache_timeout, "
                            "sticky_conn"));
}

TEST(query_rules, draw_among_flags_that_their_attributes_list) {
    using flags = std::vector<weighted_flag>;
    EXPECT_EQ(parse_weighted_flags(""), flags());
    EXPECT_EQ(parse_weighted_flags("{}"), flags());
    EXPECT_EQ(parse_weighted_flags(R"({"other": [1, "x"]})"), flags());
    EXPECT_EQ(parse_weighted_flags(R"({"flagOUTs": [{"id": 7, "weight": 3, "x": null}, )"
                                   R"({"weight": 0, "id": 2147483647}]})"),
              (flags{{7, 3}, {2147483647, 0}}));
    for (const char* wrong :
         {"x", "[]", "null", "{", R"({"flagOUTs": 1})", R"({"flagOUTs": []})",
          R"({"flagOUTs": [1]})", R"({"flagOUTs": [{"id": 1}]})",
          R"({"flagOUTs": [{"weight": 1}]})", R"({"flagOUTs": [{"id": 1, "weight": 0}]})",
          R"({"flagOUTs": [{"id": -1, "weight": 1}]})",
          R"({"flagOUTs": [{"id": 1, "weight": -1}]})",
          R"({"flagOUTs": [{"id": 1.5, "weight": 1}]})",
          R"({"flagOUTs": [{"id": "1", "weight": 1}]})",
          R"({"flagOUTs": [{"id": 2147483648, "weight": 1}]})",
          R"({"flagOUTs": [{"id": 1, "weight": 4294967295}, {"id": 2, "weight": 1}]})"})
        EXPECT_EQ(parse_weighted_flags(wrong), std::nullopt) << wrong;
    const auto result = load_text(
        head + "query_rules: [{rule_id: 1, attributes: '{\"flagOUTs\": 1}'}]\n", "f.yaml");
    EXPECT_EQ(result.value, nullptr);
    EXPECT_THAT(warnings_of("query_rules:\n  - {rule_id: 1, attributes: '{\"flagOUTs\": "
                            "[{\"id\": 7, \"weight\": 1}]}'}\n"),
                ElementsAre("f.yaml:4: query rule 1: attributes 7 leads nowhere: no active rule "
                            "has it as its flagIN"));
}

TEST(query_rules, warn_of_flags_that_lead_nowhere) {
    EXPECT_THAT(warnings_of("query_rules:\n  - {rule_id: 1, flagOUT: 7}\n"
                            "  - {rule_id: 2, next_query_flagIN: 8}\n"
                            "  - {rule_id: 3, flagIN: 8, active: 0}\n"),
                ElementsAre("f.yaml:4: query rule 1: flagOUT 7 leads nowhere: no active rule has "
                            "it as its flagIN",
                            "f.yaml:5: query rule 2: next_query_flagIN 8 leads nowhere: no active "
                            "rule has it as its flagIN"));
    EXPECT_THAT(warnings_of("query_rules:\n  - {rule_id: 1, flagOUT: 7}\n"
                            "  - {rule_id: 2, flagIN: 7, next_query_flagIN: 8}\n"
                            "query_rules_fast_routing: [{username: u, database: d, flagIN: 8, "
                            "destination_hostgroup: 10}]\n"),
                IsEmpty());
}

TEST(fast_routes_and_the_firewall, are_read_under_the_names_of_ProxySQL) {
    const auto result = load_text(
        head +
            "pgsql_query_rules_fast_routing:\n"
            "  - {username: '', database: d, flagIN: 2, destination_hostgroup: 10, comment: c}\n"
            "pgsql_firewall_whitelist_users:\n"
            "  - {active: 0, username: u, client_address: 10.0.0.1, mode: protecting}\n"
            "pgsql_firewall_whitelist_rules:\n"
            "  - {username: u, client_address: '', database: d, flagIN: 1, digest: 0xFF}\n",
        "f.yaml");
    for (const auto& error : result.errors)
        ADD_FAILURE() << error.to_string();
    ASSERT_NE(result.value, nullptr);
    EXPECT_EQ(result.value->fast_routes, (std::vector{fast_route{"", "d", 2, 10, "c"}}));
    EXPECT_EQ(result.value->firewall_users,
              (std::vector{firewall_user{false, "u", "10.0.0.1", firewall_mode::protecting, ""}}));
    EXPECT_EQ(result.value->firewall_rules,
              (std::vector{firewall_rule{true, "u", "", "d", 1, "0xFF", ""}}));
    const auto again = load_text(print_config(*result.value), "f.yaml");
    ASSERT_NE(again.value, nullptr);
    EXPECT_EQ(again.value->fast_routes, result.value->fast_routes);
    EXPECT_EQ(again.value->firewall_users, result.value->firewall_users);
    EXPECT_EQ(again.value->firewall_rules, result.value->firewall_rules);
}

TEST(digests, are_written_as_hex_numbers) {
    EXPECT_EQ(parse_digest("0x0"), 0u);
    EXPECT_EQ(parse_digest("0XfF"), 255u);
    EXPECT_EQ(parse_digest("0xFFFFFFFFFFFFFFFF"), ~std::uint64_t{0});
    for (const char* bad : {"", "0x", "ff", "0xg", "0x-1", "0x 1", "0x1 ", "0x00000000000000001"})
        EXPECT_EQ(parse_digest(bad), std::nullopt) << bad;
    EXPECT_EQ(format_digest(255), "0x00000000000000FF");
    EXPECT_EQ(parse_digest(format_digest(0x0123456789ABCDEF)), 0x0123456789ABCDEFu);
}

TEST(re_modifiers, may_be_written_in_any_case) {
    const auto both = parse_re_modifiers("global,Caseless");
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->caseless && both->global);
    const auto none = parse_re_modifiers("");
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->caseless || none->global);
    for (const char* bad : {"CASELES", "CASELESS;GLOBAL", ",", "CASELESS,,GLOBAL"})
        EXPECT_FALSE(parse_re_modifiers(bad)) << bad;
}

}  // namespace
}  // namespace howdah::conf
