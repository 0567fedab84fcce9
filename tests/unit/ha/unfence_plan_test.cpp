#include "ha/unfence_plan.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

test::scenario with_fence(const std::string& names) {
    return test::parse_scenario(
        "record epoch=3 primary=pg1 tl=1 at=0/100\n"
        "server pg1 primary at=0/100 read_only sync=" +
        names + "\nserver pg2 standby at=0/100\n");
}

TEST(PlanUnfence, gives_a_fenced_server_the_settings_of_its_files) {
    const auto what = plan_unfence(with_fence("__fenced__").the_cluster(), 0);
    ASSERT_TRUE(what.possible());
    ASSERT_EQ(what.steps.size(), 1U);
    std::vector<std::string> sent;
    for (const auto& one : what.steps[0].sql)
        sent.push_back(one.sql);
    EXPECT_EQ(sent, (std::vector<std::string>{"ALTER SYSTEM RESET default_transaction_read_only",
                                              "ALTER SYSTEM RESET synchronous_standby_names",
                                              "SELECT pg_catalog.pg_reload_conf()"}));
}

TEST(PlanUnfence, leaves_a_server_alone_that_somebody_else_made_read_only) {
    EXPECT_EQ(plan_unfence(with_fence("pg2").the_cluster(), 0).impossible, "pg1 is not fenced");
}

TEST(PlanUnfence, says_what_to_do_where_it_may_not) {
    auto one = with_fence("__fenced__");
    one.facts("pg1").may.alter_sync = false;
    EXPECT_NE(plan_unfence(one.the_cluster(), 0).impossible.find("ALTER SYSTEM RESET"),
              std::string::npos);
}

}  // namespace
}  // namespace howdah::ha
