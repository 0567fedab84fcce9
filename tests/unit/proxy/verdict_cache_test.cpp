#include "proxy/rules/verdict_cache.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/rule_text.hpp"

namespace howdah::proxy {
namespace {

class verdicts : public ::testing::Test {
protected:
    void set_rules(const std::string& rules) {
        rules_ = std::make_shared<const compiled_rules>(test::settings_of(rules));
    }
    verdict_ptr ask(std::string_view query, const char* address = "10.0.0.1", int flag = 0) {
        rule_subject s;
        s.username = login_->user;
        s.database = login_->database;
        s.client_addr = address;
        s.query = query;
        s.flag = flag;
        const sql::digest id = sql::compute_digest(query, 5);
        s.digest = id.hash;
        return cache_.judge(rules_, id, login_, s);
    }
    std::optional<int> destination(std::string_view query, const char* address = "10.0.0.1",
                                   int flag = 0) {
        const verdict_ptr v = ask(query, address, flag);
        return v ? v->destination_hostgroup : std::nullopt;
    }

    const pool_login alice_{1, "shop", "alice"};
    const pool_login bob_{2, "shop", "bob"};
    const pool_login* login_ = &alice_;
    std::shared_ptr<const compiled_rules> rules_;
    verdict_cache cache_{8};
};

TEST_F(verdicts, without_rules_are_none) {
    set_rules("");
    EXPECT_EQ(ask("SELECT 1"), nullptr);
    EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(verdicts, of_equal_digests_are_the_same_object) {
    set_rules("{rule_id: 1, match_digest: '^select', destination_hostgroup: 1}");
    const verdict_ptr first = ask("SELECT 1");
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(ask("select 2"), first);
    EXPECT_EQ(ask("INSERT 1"), nullptr);
    EXPECT_EQ(cache_.size(), 2u) << "that nothing is said is remembered, too";
}

TEST_F(verdicts, differ_by_client_and_flag) {
    set_rules(
        "{rule_id: 1, username: alice, destination_hostgroup: 1},"
        "{rule_id: 2, username: bob, destination_hostgroup: 2},"
        "{rule_id: 3, flagIN: 4, destination_hostgroup: 4}");
    EXPECT_EQ(destination("SELECT 1"), 1);
    login_ = &bob_;
    EXPECT_EQ(destination("SELECT 1"), 2);
    EXPECT_EQ(destination("SELECT 1", "10.0.0.1", 4), 4);
}

TEST_F(verdicts, differ_by_address_where_a_rule_looks_at_it) {
    set_rules("{rule_id: 1, client_addr: 10.0.0.1, destination_hostgroup: 1}");
    EXPECT_EQ(destination("SELECT 1", "10.0.0.1"), 1);
    EXPECT_EQ(destination("SELECT 1", "10.0.0.2"), std::nullopt);
    EXPECT_EQ(destination("SELECT 1", "10.0.0.1"), 1);
}

TEST_F(verdicts, differ_by_literals_where_a_rule_looks_at_the_text) {
    set_rules("{rule_id: 1, match_pattern: '42', destination_hostgroup: 1}");
    EXPECT_EQ(destination("SELECT 42"), 1);
    EXPECT_EQ(destination("SELECT 43"), std::nullopt);
    EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(verdicts, differ_by_spaces_where_a_rule_looks_at_the_normalised_text) {
    set_rules("{rule_id: 1, match_digest: 'a, b', destination_hostgroup: 1}");
    EXPECT_EQ(destination("SELECT a,b"), std::nullopt);
    EXPECT_EQ(destination("SELECT a, b"), 1);
    EXPECT_EQ(destination("SELECT a,b"), std::nullopt);
}

TEST_F(verdicts, of_statements_without_a_digest_are_found_each_time) {
    set_rules("{rule_id: 1, destination_hostgroup: 1}");
    rule_subject s;
    s.query = "SELECT 1";
    const verdict_ptr v = cache_.judge(rules_, sql::digest{}, login_, s);
    ASSERT_NE(v, nullptr);
    EXPECT_EQ(v->destination_hostgroup, 1);
    EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(verdicts, change_with_the_rules) {
    set_rules("{rule_id: 1, destination_hostgroup: 1}");
    EXPECT_EQ(destination("SELECT 1"), 1);
    set_rules("{rule_id: 1, destination_hostgroup: 2}");
    EXPECT_EQ(destination("SELECT 1"), 2);
}

TEST_F(verdicts, are_bounded_in_number) {
    set_rules("{rule_id: 1, destination_hostgroup: 1}");
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(destination("SELECT c" + std::to_string(i)), 1);
        EXPECT_LE(cache_.size(), 8u);
    }
}

TEST_F(verdicts, of_rules_that_draw_are_not_remembered) {
    set_rules(R"({rule_id: 1, attributes: '{"flagOUTs":[{"id":1,"weight":1}]}'},)"
              "{rule_id: 2, flagIN: 1, destination_hostgroup: 1}");
    EXPECT_EQ(destination("SELECT 1"), 1);
    EXPECT_EQ(cache_.size(), 0u);
    EXPECT_EQ(destination("SELECT 1", "10.0.0.1", 1), 1) << "from there on nothing is drawn";
    EXPECT_EQ(cache_.size(), 1u);
}

}  // namespace
}  // namespace howdah::proxy
