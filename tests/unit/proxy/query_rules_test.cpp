#include "proxy/query_rules.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace howdah::proxy {
namespace {

conf::query_rule rule(int id, std::optional<int> destination,
                      const std::function<void(conf::query_rule&)>& more = {}) {
    conf::query_rule r;
    r.rule_id = id;
    r.destination_hostgroup = destination;
    r.apply = true;
    if (more) more(r);
    return r;
}

const rule_subject subject{"alice", "shop", "10.1.2.3", "SELECT * FROM Orders WHERE id = 42"};

std::optional<int> decide(std::vector<conf::query_rule> rules, const rule_subject& s = subject) {
    return compiled_rules(rules).destination(s);
}

TEST(QueryRules, no_rules_decide_nothing) {
    EXPECT_TRUE(compiled_rules({}).empty());
    EXPECT_EQ(decide({}), std::nullopt);
    EXPECT_FALSE(compiled_rules({rule(1, 10)}).empty());
}

TEST(QueryRules, a_rule_without_conditions_matches_everything) {
    EXPECT_EQ(decide({rule(1, 30)}), 30);
}

TEST(QueryRules, an_inactive_rule_does_not_count) {
    EXPECT_EQ(decide({rule(1, 30, [](auto& r) { r.active = false; })}), std::nullopt);
}

TEST(QueryRules, every_condition_has_to_hold) {
    struct row {
        const char* name;
        std::function<void(conf::query_rule&)> condition;
        bool matches;
    };
    const row rows[] = {
        {"user", [](auto& r) { r.username = "alice"; }, true},
        {"other user", [](auto& r) { r.username = "bob"; }, false},
        {"user in other case", [](auto& r) { r.username = "Alice"; }, false},
        {"database", [](auto& r) { r.database = "shop"; }, true},
        {"other database", [](auto& r) { r.database = "sho"; }, false},
        {"address", [](auto& r) { r.client_addr = "10.1.2.3"; }, true},
        {"part of the address", [](auto& r) { r.client_addr = "10.1.2"; }, false},
        {"address range", [](auto& r) { r.client_addr = "10.1.%"; }, true},
        {"any address", [](auto& r) { r.client_addr = "%"; }, true},
        {"other range", [](auto& r) { r.client_addr = "10.2.%"; }, false},
        {"pattern anywhere", [](auto& r) { r.match_pattern = "FROM Orders"; }, true},
        {"pattern in other case", [](auto& r) { r.match_pattern = "from orders"; }, true},
        {"pattern with literal", [](auto& r) { r.match_pattern = "id = 42$"; }, true},
        {"anchored pattern", [](auto& r) { r.match_pattern = "^FROM"; }, false},
        {"digest", [](auto& r) { r.match_digest = "^select \\* from orders where id = \\?$"; },
         true},
        {"digest with literal", [](auto& r) { r.match_digest = "42"; }, false},
        {"negated pattern",
         [](auto& r) {
             r.match_pattern = "orders";
             r.negate_match_pattern = true;
         },
         false},
        {"negated other pattern",
         [](auto& r) {
             r.match_pattern = "invoices";
             r.negate_match_pattern = true;
         },
         true},
        {"negated digest",
         [](auto& r) {
             r.match_digest = "orders";
             r.negate_match_pattern = true;
         },
         false},
        {"all of several",
         [](auto& r) {
             r.username = "alice";
             r.client_addr = "10.%";
             r.match_digest = "orders";
         },
         true},
        {"one of several fails",
         [](auto& r) {
             r.username = "alice";
             r.client_addr = "11.%";
             r.match_digest = "orders";
         },
         false},
    };
    for (const row& r : rows)
        EXPECT_EQ(decide({rule(1, 30, r.condition)}).has_value(), r.matches) << r.name;
}

TEST(QueryRules, are_tried_in_the_order_of_their_ids) {
    EXPECT_EQ(decide({rule(20, 2), rule(10, 1), rule(30, 3)}), 1);
}

TEST(QueryRules, without_apply_later_rules_are_looked_at_too) {
    const auto pass = [](auto& r) { r.apply = false; };
    EXPECT_EQ(decide({rule(1, 10, pass), rule(2, 20)}), 20);
    EXPECT_EQ(decide({rule(1, 10, pass), rule(2, 20, [](auto& r) { r.username = "bob"; })}), 10);
    EXPECT_EQ(decide({rule(1, 10, pass), rule(2, std::nullopt)}), 10)
        << "a rule without destination leaves it";
    EXPECT_EQ(decide({rule(1, std::nullopt), rule(2, 20)}), std::nullopt)
        << "apply ends the search, with or without a destination";
}

TEST(QueryRules, a_bad_expression_names_the_rule_and_the_column) {
    try {
        (void)decide({rule(7, 1, [](auto& r) { r.match_pattern = "("; })});
        FAIL() << "accepted";
    } catch (const std::runtime_error& e) {
        EXPECT_TRUE(std::string(e.what()).starts_with("query rule 7: match_pattern: ")) << e.what();
    }
    EXPECT_THROW((void)decide({rule(8, 1, [](auto& r) { r.match_digest = "[a"; })}),
                 std::runtime_error);
    EXPECT_NO_THROW((void)decide({rule(9, 1, [](auto& r) {
        r.match_digest = "(";
        r.active = false;
    })}));
}

}  // namespace
}  // namespace howdah::proxy
