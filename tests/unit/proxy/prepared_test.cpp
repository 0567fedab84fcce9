#include "proxy/session/prepared.hpp"

#include <gtest/gtest.h>

#include <string>

namespace howdah::proxy {
namespace {

std::shared_ptr<const sql::traits> traits() {
    return std::make_shared<const sql::traits>();
}

TEST(StatementRegistry, equal_text_and_parameter_types_are_one_statement) {
    statement_registry registry;
    const auto a = registry.intern("SELECT $1", std::string(2, '\0'), traits());
    const auto again = registry.intern("SELECT $1", std::string(2, '\0'), traits());
    EXPECT_EQ(a, again);
    EXPECT_EQ(a->query, "SELECT $1");
    EXPECT_EQ(a->oids, std::string(2, '\0'));
    EXPECT_EQ(a->server_name, "howdah_" + std::to_string(a->id));
    EXPECT_EQ(registry.size(), 1U);
}

TEST(StatementRegistry, other_text_or_parameter_types_are_another_statement) {
    statement_registry registry;
    const std::string none(2, '\0');
    const std::string one("\0\1\0\0\0\x17", 6);
    const auto a = registry.intern("SELECT $1", none, traits());
    const auto b = registry.intern("SELECT $1", one, traits());
    const auto c = registry.intern("SELECT $1 ", none, traits());
    EXPECT_NE(a, b);
    EXPECT_NE(a, c);
    EXPECT_NE(a->server_name, b->server_name);
    EXPECT_NE(a->server_name, c->server_name);
    EXPECT_EQ(registry.size(), 3U);
}

TEST(StatementRegistry, a_statement_that_nobody_has_is_gone_and_its_name_is_never_used_again) {
    statement_registry registry;
    std::weak_ptr<const prepared_statement> seen;
    std::string name;
    {
        const auto a = registry.intern("SELECT 1", "", traits());
        seen = a;
        name = a->server_name;
    }
    EXPECT_TRUE(seen.expired());
    EXPECT_NE(registry.intern("SELECT 1", "", traits())->server_name, name);
}

TEST(StatementRegistry, purges_statements_that_nobody_has) {
    statement_registry registry;
    const auto kept = registry.intern("kept", "", traits());
    for (int i = 0; i < 5000; ++i)
        (void)registry.intern(std::to_string(i), "", traits());
    EXPECT_LE(registry.size(), 1100U);
    EXPECT_EQ(registry.intern("kept", "", traits()), kept);
}

class PreparedOnServer : public ::testing::Test {
protected:
    statement_ptr make(const std::string& query) { return registry_.intern(query, "", traits()); }

    statement_registry registry_;
    prepared_on_server prepared_;
    statement_ptr a_ = make("a");
    statement_ptr b_ = make("b");
    statement_ptr c_ = make("c");
};

TEST_F(PreparedOnServer, knows_what_was_added) {
    EXPECT_FALSE(prepared_.contains(*a_));
    EXPECT_FALSE(prepared_.touch(*a_));
    prepared_.add(a_);
    EXPECT_TRUE(prepared_.contains(*a_));
    EXPECT_TRUE(prepared_.touch(*a_));
    EXPECT_FALSE(prepared_.contains(*b_));
    prepared_.add(a_);
    EXPECT_EQ(prepared_.size(), 1U);
}

TEST_F(PreparedOnServer, the_least_recently_used_leaves_first) {
    prepared_.add(a_);
    prepared_.add(b_);
    prepared_.add(c_);
    EXPECT_EQ(prepared_.take_excess(3), nullptr);
    EXPECT_TRUE(prepared_.touch(*a_));
    EXPECT_EQ(prepared_.take_excess(2), b_);
    EXPECT_FALSE(prepared_.contains(*b_));
    EXPECT_EQ(prepared_.take_excess(2), nullptr);
    prepared_.add(c_);
    EXPECT_EQ(prepared_.take_excess(1), a_);
    EXPECT_EQ(prepared_.take_excess(0), c_);
    EXPECT_EQ(prepared_.take_excess(0), nullptr);
    EXPECT_EQ(prepared_.size(), 0U);
}

TEST_F(PreparedOnServer, a_removed_statement_is_not_there_and_may_come_back) {
    prepared_.add(a_);
    prepared_.add(b_);
    prepared_.remove(*a_);
    prepared_.remove(*a_);
    EXPECT_FALSE(prepared_.contains(*a_));
    EXPECT_EQ(prepared_.size(), 1U);
    prepared_.add(a_);
    EXPECT_EQ(prepared_.take_excess(1), b_);
}

TEST_F(PreparedOnServer, clear_forgets_all) {
    prepared_.add(a_);
    prepared_.add(b_);
    prepared_.clear();
    EXPECT_EQ(prepared_.size(), 0U);
    EXPECT_FALSE(prepared_.touch(*a_));
    prepared_.add(b_);
    EXPECT_TRUE(prepared_.contains(*b_));
}

TEST_F(PreparedOnServer, keeps_its_statements_alive) {
    prepared_.add(a_);
    const std::string name = a_->server_name;
    a_.reset();
    EXPECT_EQ(make("a")->server_name, name);
}

}  // namespace
}  // namespace howdah::proxy
