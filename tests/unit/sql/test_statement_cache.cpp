#include "proxy/sql/statement_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace howdah::proxy::sql {
namespace {

statement_cache::options small(std::size_t capacity) {
    statement_cache::options o;
    o.capacity = capacity;
    return o;
}

TEST(statement_cache, parses_a_digest_once) {
    statement_cache cache{small(10)};
    const auto a = cache.get("SELECT 1");
    const auto b = cache.get("select 2");
    EXPECT_EQ(a, b);
    EXPECT_TRUE(a->read_only);
    EXPECT_EQ(cache.hits(), 1U);
    EXPECT_EQ(cache.misses(), 1U);
    EXPECT_EQ(cache.size(), 1U);
}

TEST(statement_cache, returns_the_digest_under_its_key) {
    statement_cache::options o;
    o.key = 42;
    statement_cache cache{o};
    EXPECT_EQ(cache.find("SELECT 1").id, compute_digest("SELECT 1", 42));
    EXPECT_EQ(cache.find("SELECT 1").id.hash, compute_digest("SELECT 1").hash);
}

TEST(statement_cache, drops_the_least_recently_used) {
    statement_cache cache{small(2)};
    const auto a = cache.get("SELECT a");
    const auto b = cache.get("SELECT b");
    EXPECT_EQ(cache.get("SELECT a"), a);
    (void)cache.get("SELECT c");
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(cache.get("SELECT a"), a);
    EXPECT_NE(cache.get("SELECT b"), b);
    EXPECT_EQ(cache.size(), 2U);
}

TEST(statement_cache, holds_at_least_one_digest) {
    statement_cache cache{small(0)};
    EXPECT_TRUE(cache.get("SELECT a")->parsed);
    EXPECT_TRUE(cache.get("SELECT b")->parsed);
    EXPECT_EQ(cache.size(), 1U);
}

TEST(statement_cache, never_reuses_traits_that_depend_on_literals) {
    statement_cache cache{small(10)};
    const auto a = cache.get("SET work_mem = '1MB'");
    const auto b = cache.get("SET work_mem = '2MB'");
    ASSERT_EQ(a->settings.size(), 1U);
    ASSERT_EQ(b->settings.size(), 1U);
    EXPECT_EQ(a->settings[0].value, "'1MB'");
    EXPECT_EQ(b->settings[0].value, "'2MB'");
    EXPECT_EQ(cache.hits(), 0U);
}

TEST(statement_cache, does_not_parse_what_is_too_long) {
    auto o = small(10);
    o.limits.bytes = 10;
    statement_cache cache{o};
    EXPECT_TRUE(cache.get("SELECT 111")->parsed);
    const auto r = cache.find("SELECT 1111");
    EXPECT_FALSE(r.what->parsed);
    EXPECT_EQ(r.id, digest{});
    EXPECT_EQ(cache.size(), 1U);
}

TEST(statement_cache, names_a_digest_by_its_text_once) {
    statement_cache cache{small(10)};
    const auto first = cache.find("SELECT  1");
    const auto again = cache.find("select 2");
    ASSERT_NE(first.name, nullptr);
    EXPECT_EQ(first.name->text, "select ?");
    EXPECT_EQ(first.name->id, first.id);
    EXPECT_EQ(again.name, first.name);
    EXPECT_EQ(cache.find("SELEC 1").name->text, "selec ?") << "also what does not parse";
    EXPECT_EQ(cache.find("SELECT " + std::string(5000, 'a')).name->text.size(), 2048U);
    for (int i = 0; i < 20; ++i)
        (void)cache.get("SELECT c" + std::to_string(i));
    EXPECT_EQ(first.name->text, "select ?") << "whoever holds it keeps it";
    auto o = small(10);
    o.limits.bytes = 5;
    EXPECT_EQ(statement_cache{o}.find("SELECT 1").name, nullptr);
}

TEST(statement_cache, returns_unparsed_for_what_the_parser_refuses) {
    statement_cache cache{small(10)};
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(cache.get("SELEC 1")->parsed);
    EXPECT_FALSE(cache.get(std::string_view{"SELECT 'a\0b'", 12})->parsed);
}

TEST(statement_cache, recovers_when_the_fault_was_in_a_literal) {
    statement_cache cache{small(10)};
    EXPECT_FALSE(cache.get("SELECT E'\\u00'")->parsed);
    EXPECT_TRUE(cache.get("SELECT 'good'")->parsed);
    EXPECT_TRUE(cache.get("SELECT E'\\u00'")->parsed);
    statement_cache other{small(10)};
    for (int i = 0; i < 100; ++i)
        (void)other.get("SELECT E'\\u00'");
    int tries = 1;
    while (!other.get("SELECT 'good'")->parsed)
        ++tries;
    EXPECT_LE(tries, 64);
}

TEST(statement_cache, remembers_that_a_digest_writes) {
    statement_cache cache{small(10)};
    const auto before = cache.find("SELECT f(1)");
    EXPECT_TRUE(before.what->read_only);
    cache.learn_write(before.id);
    EXPECT_FALSE(cache.get("SELECT f(2)")->read_only);
    EXPECT_EQ(cache.get("SELECT f(2)")->functions, before.what->functions);
    EXPECT_TRUE(before.what->read_only);
    EXPECT_TRUE(cache.get("SELECT g(1)")->read_only);
}

TEST(statement_cache, can_learn_before_it_has_seen_the_statement) {
    statement_cache cache{small(10)};
    statement_cache::options o = small(10);
    o.key = 7;
    statement_cache keyed{o};
    keyed.learn_write(compute_digest("SELECT 1", 7));
    EXPECT_FALSE(keyed.get("SELECT 2")->read_only);
    EXPECT_TRUE(keyed.get("SELECT a")->read_only);
}

TEST(statement_cache, applies_what_it_learnt_to_traits_that_depend_on_literals) {
    statement_cache cache{small(10)};
    const std::string sql = "SELECT set_config('a', 'b', true)";
    const auto r = cache.find(sql);
    EXPECT_TRUE(r.what->read_only);
    cache.learn_write(r.id);
    EXPECT_FALSE(cache.get(sql)->read_only);
    EXPECT_EQ(cache.get(sql)->settings, r.what->settings);
}

}  // namespace
}  // namespace howdah::proxy::sql
