#include "proxy/sql/nesting.hpp"

#include <gtest/gtest.h>

#include <string>

namespace howdah::proxy::sql {
namespace {

constexpr std::size_t unbounded = 1000000;

std::string repeat(std::string_view s, int n) {
    std::string result;
    for (int i = 0; i < n; ++i)
        result += s;
    return result;
}

TEST(nesting_bound, grows_with_what_nests) {
    for (const std::string& part :
         {std::string{"+1"}, std::string{"::int"}, std::string{" JOIN b ON true"},
          std::string{" UNION SELECT 1, 2"}, std::string{" NOT"}, std::string{"("},
          std::string{"["}, std::string{" CASE WHEN a AND b THEN 1, 2"},
          std::string{" WITHIN GROUP (ORDER BY x) +"}, std::string{" IS DISTINCT FROM"}}) {
        EXPECT_GE(nesting_bound("SELECT 1" + repeat(part, 1000), unbounded), 1000U) << part;
    }
}

TEST(nesting_bound, does_not_grow_with_lists) {
    for (const std::string& part :
         {std::string{", 1 + 2"}, std::string{" AND a = b"}, std::string{" OR (a)"},
          std::string{"; SET a = 1"}, std::string{", (1, 2)"}, std::string{", f(g(1), 2)"}}) {
        EXPECT_LE(nesting_bound("SELECT 1" + repeat(part, 1000), unbounded), 20U) << part;
    }
}

TEST(nesting_bound, remembers_the_deepest_part) {
    const std::string deep = repeat("(", 50) + "1" + repeat(")", 50);
    EXPECT_GE(nesting_bound("SELECT " + deep + ", 1", unbounded), 50U);
    EXPECT_GE(nesting_bound("SELECT (" + deep + ", 1), 2", unbounded), 51U);
    EXPECT_GE(nesting_bound("SELECT " + deep + repeat(" + 1", 50), unbounded), 100U);
}

TEST(nesting_bound, stops_when_it_has_seen_enough) {
    const std::size_t bound = nesting_bound(repeat("(", 1000), 10);
    EXPECT_GT(bound, 10U);
    EXPECT_LT(bound, 20U);
}

TEST(nesting_bound, copes_with_unbalanced_brackets) {
    EXPECT_LE(nesting_bound(repeat(")", 1000), unbounded), 5U);
    EXPECT_LE(nesting_bound("a ) ( ] [ b", unbounded), 10U);
    EXPECT_LE(nesting_bound("", unbounded), 1U);
}

}  // namespace
}  // namespace howdah::proxy::sql
