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
    const auto a = registry.intern("SELECT $1", std::string(2, '\0'), "", traits());
    const auto again = registry.intern("SELECT $1", std::string(2, '\0'), "", traits());
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
    const auto a = registry.intern("SELECT $1", none, "", traits());
    const auto b = registry.intern("SELECT $1", one, "", traits());
    const auto c = registry.intern("SELECT $1 ", none, "", traits());
    EXPECT_NE(a, b);
    EXPECT_NE(a, c);
    EXPECT_NE(a->server_name, b->server_name);
    EXPECT_NE(a->server_name, c->server_name);
    EXPECT_EQ(registry.size(), 3U);
}

TEST(StatementRegistry, the_same_text_under_settings_that_change_its_meaning_is_another_statement) {
    statement_registry registry;
    const auto a = registry.intern("SELECT 'x'", "", "", traits());
    const auto b = registry.intern("SELECT 'x'", "", "SET client_encoding TO 'LATIN1';", traits());
    EXPECT_NE(a, b);
    EXPECT_EQ(b, registry.intern("SELECT 'x'", "", "SET client_encoding TO 'LATIN1';", traits()));
    EXPECT_EQ(b->reading, "SET client_encoding TO 'LATIN1';");
}

TEST(StatementRegistry, a_statement_that_nobody_has_is_gone_and_its_name_is_never_used_again) {
    statement_registry registry;
    std::weak_ptr<const prepared_statement> seen;
    std::string name;
    {
        const auto a = registry.intern("SELECT 1", "", "", traits());
        seen = a;
        name = a->server_name;
    }
    EXPECT_TRUE(seen.expired());
    EXPECT_NE(registry.intern("SELECT 1", "", "", traits())->server_name, name);
}

TEST(StatementRegistry, purges_statements_that_nobody_has) {
    statement_registry registry;
    const auto kept = registry.intern("kept", "", "", traits());
    for (int i = 0; i < 5000; ++i)
        (void)registry.intern(std::to_string(i), "", "", traits());
    EXPECT_LE(registry.size(), 1100U);
    EXPECT_EQ(registry.intern("kept", "", "", traits()), kept);
}

class PreparedOnServer : public ::testing::Test {
protected:
    static constexpr std::size_t plenty = 1 << 20;

    statement_ptr make(const std::string& query) {
        return registry_.intern(query, "", "", traits());
    }
    void add(const statement_ptr& s) { prepared_.add(s, now_); }
    bool touch(const statement_ptr& s) { return prepared_.touch(*s, now_) != nullptr; }
    statement_ptr take_excess(std::size_t count, std::size_t bytes = plenty,
                              std::chrono::milliseconds max_idle = {}) {
        return prepared_.take_excess({count, bytes, max_idle}, now_);
    }

    statement_registry registry_;
    prepared_on_server prepared_;
    prepared_on_server::clock::time_point now_ = prepared_on_server::clock::now();
    statement_ptr a_ = make("a");
    statement_ptr b_ = make("b");
    statement_ptr c_ = make("c");
};

TEST_F(PreparedOnServer, knows_what_was_added) {
    EXPECT_FALSE(prepared_.contains(*a_));
    EXPECT_FALSE(touch(a_));
    EXPECT_EQ(prepared_.find(*a_), nullptr);
    add(a_);
    EXPECT_TRUE(prepared_.contains(*a_));
    EXPECT_TRUE(touch(a_));
    EXPECT_EQ(prepared_.find(*a_)->statement, a_);
    EXPECT_FALSE(prepared_.contains(*b_));
    add(a_);
    EXPECT_EQ(prepared_.size(), 1U);
}

TEST_F(PreparedOnServer, the_least_recently_used_leaves_first) {
    add(a_);
    add(b_);
    add(c_);
    EXPECT_EQ(take_excess(3), nullptr);
    EXPECT_TRUE(touch(a_));
    EXPECT_EQ(take_excess(2), b_);
    EXPECT_FALSE(prepared_.contains(*b_));
    EXPECT_EQ(take_excess(2), nullptr);
    add(c_);
    EXPECT_EQ(take_excess(1), a_);
}

TEST_F(PreparedOnServer, the_statement_used_last_stays_whatever_the_limits_are) {
    const auto long_one = make(std::string(1000, 'x'));
    add(a_);
    add(long_one);
    EXPECT_EQ(take_excess(1, 10), a_);
    EXPECT_EQ(take_excess(0, 10), nullptr);
    EXPECT_TRUE(prepared_.contains(*long_one));
}

TEST_F(PreparedOnServer, texts_are_counted_in_bytes_as_long_as_they_are_there) {
    const auto long_one = make(std::string(1000, 'x'));
    add(long_one);
    add(a_);
    EXPECT_EQ(prepared_.bytes(), 1001U);
    EXPECT_EQ(take_excess(10, 1001), nullptr);
    EXPECT_EQ(take_excess(10, 1000), long_one);
    EXPECT_EQ(prepared_.bytes(), 1U);
    prepared_.remove(*a_);
    EXPECT_EQ(prepared_.bytes(), 0U);
}

TEST_F(PreparedOnServer, what_nobody_used_for_long_leaves) {
    using namespace std::chrono_literals;
    add(a_);
    now_ += 10s;
    add(b_);
    EXPECT_EQ(take_excess(10, plenty, 10s), nullptr);
    now_ += 1ms;
    EXPECT_EQ(take_excess(10, plenty, 0s), nullptr);
    EXPECT_EQ(take_excess(10, plenty, 10s), a_);
    EXPECT_EQ(take_excess(10, plenty, 10s), nullptr);
}

TEST_F(PreparedOnServer, a_removed_statement_is_not_there_and_may_come_back_unknown) {
    add(a_);
    prepared_.find(*a_)->shape.columns = 7;
    prepared_.find(*a_)->stale = true;
    add(b_);
    prepared_.remove(*a_);
    prepared_.remove(*a_);
    EXPECT_FALSE(prepared_.contains(*a_));
    EXPECT_EQ(prepared_.size(), 1U);
    add(a_);
    EXPECT_FALSE(prepared_.find(*a_)->shape.known());
    EXPECT_FALSE(prepared_.find(*a_)->stale);
    EXPECT_EQ(take_excess(1), b_);
}

TEST_F(PreparedOnServer, clear_forgets_all) {
    add(a_);
    add(b_);
    prepared_.clear();
    EXPECT_EQ(prepared_.size(), 0U);
    EXPECT_EQ(prepared_.bytes(), 0U);
    EXPECT_FALSE(touch(a_));
    add(b_);
    EXPECT_TRUE(prepared_.contains(*b_));
}

TEST_F(PreparedOnServer, keeps_its_statements_alive) {
    add(a_);
    const std::string name = a_->server_name;
    a_.reset();
    EXPECT_EQ(make("a")->server_name, name);
}

std::string column(const std::string& name, char type, char modifier = 0, char table = 0,
                   char format = 0) {
    std::string out = name + std::string(1, '\0');
    out += std::string{0, 0, 0, table, 0, 1};
    out += std::string{0, 0, 0, type, 0, 4, 0, 0, 0, modifier, 0, format};
    return out;
}
std::string row_of(const std::string& columns, char count) {
    return std::string{0, count} + columns;
}

TEST(StatementShape, names_types_and_modifiers_of_columns_make_it) {
    const auto base = shape_of_columns(row_of(column("a", 23), 1));
    EXPECT_EQ(base, shape_of_columns(row_of(column("a", 23), 1)));
    EXPECT_NE(base, shape_of_columns(row_of(column("b", 23), 1)));
    EXPECT_NE(base, shape_of_columns(row_of(column("a", 20), 1)));
    EXPECT_NE(base, shape_of_columns(row_of(column("a", 23, 5), 1)));
    EXPECT_NE(base, shape_of_columns(row_of(column("a", 23) + column("b", 23), 2)));
    EXPECT_NE(base, shape_of_columns(""));
}

TEST(StatementShape, formats_and_tables_do_not_count) {
    const auto base = shape_of_columns(row_of(column("a", 23), 1));
    EXPECT_EQ(base, shape_of_columns(row_of(column("a", 23, 0, 9), 1)));
    EXPECT_EQ(base, shape_of_columns(row_of(column("a", 23, 0, 0, 1), 1)));
}

TEST(StatementShape, a_row_description_that_is_cut_short_is_no_danger) {
    const std::string whole = row_of(column("a", 23) + column("b", 20), 2);
    for (std::size_t n = 0; n <= whole.size(); ++n)
        EXPECT_NE(shape_of_columns(whole.substr(0, n)), 0U);
}

TEST(StatementShape, only_what_both_know_can_differ) {
    const statement_shape nothing;
    const statement_shape both{10, 20};
    const statement_shape columns{0, 20};
    const statement_shape other{10, 21};
    EXPECT_FALSE(nothing.known());
    EXPECT_TRUE(both.covers(columns));
    EXPECT_FALSE(columns.covers(both));
    EXPECT_TRUE(nothing.agrees(both));
    EXPECT_TRUE(columns.agrees(both));
    EXPECT_FALSE(other.agrees(columns));
    EXPECT_TRUE(other.agrees({10, statement_shape::too_large}));
}

}  // namespace
}  // namespace howdah::proxy
