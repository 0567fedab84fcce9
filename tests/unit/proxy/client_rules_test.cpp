#include "proxy/session/client_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace howdah::proxy {
namespace {

using conf::hba_method;
using conf::hba_type;

conf::hba_rule rule(hba_type type, const char* address, hba_method method,
                    const char* database = "all", const char* user = "all") {
    conf::hba_rule r;
    r.type = type;
    r.database = database;
    r.user = user;
    if (address != nullptr) r.address = address;
    r.method = method;
    return r;
}

own_networks no_networks() {
    return {};
}

login_facts over_tcp(const char* address, std::string_view user = "u",
                     std::string_view database = "d", bool tls = false) {
    login_facts f;
    f.address = conf::parse_ip(address).value();
    f.user = user;
    f.database = database;
    f.tls = tls;
    return f;
}

login_facts over_unix_socket(std::string_view user = "u", std::string_view database = "d") {
    login_facts f;
    f.local = true;
    f.user = user;
    f.database = database;
    return f;
}

/// The method of the rule that matches; nothing where none does.
std::optional<hba_method> method_for(const std::vector<conf::hba_rule>& rules,
                                     const login_facts& facts) {
    const client_rules compiled(rules, {}, no_networks);
    const conf::hba_rule* found = compiled.find(facts);
    return found != nullptr ? std::optional(found->method) : std::nullopt;
}

bool matches(const conf::hba_rule& r, const login_facts& facts) {
    return method_for({r}, facts).has_value();
}

TEST(client_rules, the_first_rule_that_matches_decides) {
    const std::vector rules{rule(hba_type::host, "10.0.0.1", hba_method::reject),
                            rule(hba_type::host, "10.0.0.0/8", hba_method::md5),
                            rule(hba_type::host, "10.0.0.2", hba_method::trust)};
    EXPECT_EQ(method_for(rules, over_tcp("10.0.0.1")), hba_method::reject);
    EXPECT_EQ(method_for(rules, over_tcp("10.0.0.2")), hba_method::md5);
    EXPECT_EQ(method_for(rules, over_tcp("11.0.0.2")), std::nullopt);
    EXPECT_EQ(method_for(rules, over_unix_socket()), std::nullopt);
}

TEST(client_rules, each_type_is_for_its_own_connections) {
    struct row {
        hba_type type;
        bool local, plain, tls;
    };
    for (const row& r :
         {row{hba_type::local, true, false, false}, row{hba_type::host, false, true, true},
          row{hba_type::hostssl, false, false, true},
          row{hba_type::hostnossl, false, true, false}}) {
        const char* address = r.type == hba_type::local ? nullptr : "all";
        const auto one = rule(r.type, address, hba_method::md5);
        EXPECT_EQ(matches(one, over_unix_socket()), r.local);
        EXPECT_EQ(matches(one, over_tcp("10.0.0.1")), r.plain);
        EXPECT_EQ(matches(one, over_tcp("::1", "u", "d", true)), r.tls);
    }
}

TEST(client_rules, databases_and_users_are_lists_of_names) {
    const auto one = rule(hba_type::local, nullptr, hba_method::md5, "app;shop", "anna,bert");
    EXPECT_TRUE(matches(one, over_unix_socket("bert", "shop")));
    EXPECT_FALSE(matches(one, over_unix_socket("bert", "shops")));
    EXPECT_FALSE(matches(one, over_unix_socket("Bert", "shop")));
}

TEST(client_rules, a_slash_begins_a_regular_expression) {
    const auto one = rule(hba_type::local, nullptr, hba_method::md5, "/^app_\\d{1,2}$", "/_ro$");
    EXPECT_TRUE(matches(one, over_unix_socket("anna_ro", "app_12")));
    EXPECT_FALSE(matches(one, over_unix_socket("anna_rw", "app_12")));
    EXPECT_FALSE(matches(one, over_unix_socket("anna_ro", "app_123")));
}

TEST(client_rules, sameuser_is_the_database_named_like_the_user) {
    const auto one = rule(hba_type::local, nullptr, hba_method::md5, "sameuser");
    EXPECT_TRUE(matches(one, over_unix_socket("anna", "anna")));
    EXPECT_FALSE(matches(one, over_unix_socket("anna", "sameuser")));
}

TEST(client_rules, a_quoted_keyword_is_a_name) {
    const auto one = rule(hba_type::local, nullptr, hba_method::md5, "\"sameuser\"", "\"all\"");
    EXPECT_TRUE(matches(one, over_unix_socket("all", "sameuser")));
    EXPECT_FALSE(matches(one, over_unix_socket("anna", "anna")));
    EXPECT_FALSE(matches(one, over_unix_socket("anna", "sameuser")));
}

TEST(client_rules, only_the_keyword_replication_is_for_physical_replication) {
    login_facts replica = over_unix_socket("rep", "rep");
    replica.physical_replication = true;
    for (const char* database : {"all", "sameuser", "rep", "/.", "\"replication\""})
        EXPECT_FALSE(matches(rule(hba_type::local, nullptr, hba_method::md5, database), replica));
    const auto one = rule(hba_type::local, nullptr, hba_method::md5, "replication");
    EXPECT_TRUE(matches(one, replica));
    EXPECT_FALSE(matches(one, over_unix_socket("rep", "replication")));
}

TEST(client_rules, samehost_and_samenet_are_the_hosts_own_addresses_and_networks) {
    const auto networks = [] {
        return own_networks{conf::parse_ip_range("192.168.1.5/24").value(),
                            conf::parse_ip_range("fd00::5/64").value()};
    };
    const client_rules host({rule(hba_type::host, "samehost", hba_method::md5)}, {}, networks);
    const client_rules net({rule(hba_type::host, "samenet", hba_method::md5)}, {}, networks);
    EXPECT_NE(host.find(over_tcp("192.168.1.5")), nullptr);
    EXPECT_EQ(host.find(over_tcp("192.168.1.6")), nullptr);
    EXPECT_NE(net.find(over_tcp("192.168.1.6")), nullptr);
    EXPECT_NE(net.find(over_tcp("fd00::77")), nullptr);
    EXPECT_EQ(net.find(over_tcp("192.168.2.6")), nullptr);
}

TEST(client_rules, the_networks_are_not_asked_for_where_no_rule_needs_them) {
    const auto never = []() -> own_networks { throw std::logic_error("asked"); };
    EXPECT_NO_THROW(client_rules({rule(hba_type::host, "all", hba_method::md5)}, {}, never));
}

std::string fault_of(const std::vector<conf::hba_rule>& rules,
                     const std::vector<conf::user_map>& maps) {
    try {
        const client_rules compiled(rules, maps, no_networks);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "";
}

TEST(client_rules, a_malformed_expression_names_its_rule) {
    EXPECT_THAT(fault_of({rule(hba_type::local, nullptr, hba_method::md5),
                          rule(hba_type::local, nullptr, hba_method::md5, "/(")},
                         {}),
                testing::StartsWith("hba rule 2: database: missing )"));
    EXPECT_THAT(fault_of({}, {{"m", "/[", "a", ""}}),
                testing::StartsWith("user map \"m\": system_user: "));
    EXPECT_THAT(fault_of({}, {{"m", "/^x$", "\\1", ""}}), testing::HasSubstr("\\1"));
    EXPECT_THAT(fault_of({}, {{"m", "x", "\\1", ""}}), testing::HasSubstr("\\1"));
}

TEST(user_maps, without_a_map_the_names_must_be_equal) {
    const client_rules none({}, {}, no_networks);
    EXPECT_TRUE(none.may_be(std::nullopt, "anna", "anna"));
    EXPECT_FALSE(none.may_be(std::nullopt, "anna", "Anna"));
    EXPECT_FALSE(none.may_be("unknown", "anna", "anna"));
}

TEST(user_maps, any_row_of_the_named_map_may_let_somebody_in) {
    const client_rules maps({},
                            {{"m", "anna", "app", ""},
                             {"m", "anna", "report", ""},
                             {"other", "bert", "app", ""},
                             {"m", "root", "all", ""}},
                            no_networks);
    EXPECT_TRUE(maps.may_be("m", "anna", "app"));
    EXPECT_TRUE(maps.may_be("m", "anna", "report"));
    EXPECT_FALSE(maps.may_be("m", "anna", "anna")) << "a map replaces equality";
    EXPECT_FALSE(maps.may_be("m", "bert", "app"));
    EXPECT_TRUE(maps.may_be("m", "root", "whoever"));
}

TEST(user_maps, an_expression_may_give_the_user_a_part_of_the_name) {
    const client_rules maps({},
                            {{"m", "/^(.*)@corp\\.example$", "\\1", ""},
                             {"m", "/^svc-(\\w+)$", "svc_\\1_x", ""},
                             {"m", "/admin", "dba", ""}},
                            no_networks);
    EXPECT_TRUE(maps.may_be("m", "anna@corp.example", "anna"));
    EXPECT_FALSE(maps.may_be("m", "anna@corp.example", "bert"));
    EXPECT_FALSE(maps.may_be("m", "anna@corpXexample", "anna"));
    EXPECT_TRUE(maps.may_be("m", "svc-mail", "svc_mail_x"));
    EXPECT_TRUE(maps.may_be("m", "the admin", "dba")) << "unanchored, as in PostgreSQL";
}

}  // namespace
}  // namespace howdah::proxy
