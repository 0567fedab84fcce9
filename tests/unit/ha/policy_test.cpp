#include "ha/policy.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

TEST(Filter, follows_orchestrators_forms) {
    EXPECT_TRUE(matches_filter("*", "main", ""));
    EXPECT_TRUE(matches_filter("main", "main", ""));
    EXPECT_TRUE(matches_filter("prod", "main", "prod"));
    EXPECT_TRUE(matches_filter("^ma", "main", ""));
    EXPECT_TRUE(matches_filter("ai", "main", ""));
    EXPECT_TRUE(matches_filter("alias=prod", "main", "prod"));
    EXPECT_TRUE(matches_filter("alias~=^pr", "main", "prod"));
    EXPECT_FALSE(matches_filter("^ai", "main", ""));
    EXPECT_FALSE(matches_filter("alias=main", "main", "prod"));
    EXPECT_FALSE(matches_filter("alias~=^x", "main", "prod"));
    EXPECT_FALSE(matches_filter("", "main", ""));
    EXPECT_FALSE(matches_filter("", "", ""));
    EXPECT_FALSE(matches_filter("(", "main", ""));
    EXPECT_FALSE(matches_filter("_do_not_match_", "main", "prod"));
}

TEST(Filter, a_bad_expression_is_reported) {
    EXPECT_EQ(check_filter("*"), "");
    EXPECT_EQ(check_filter("alias=("), "");
    EXPECT_EQ(check_filter("ma.n"), "");
    EXPECT_NE(check_filter("("), "");
    EXPECT_NE(check_filter("alias~=["), "");
    EXPECT_NE(check_filter(""), "");
}

TEST(Mode, has_a_name_for_each) {
    for (const auto one : {mode::observe, mode::manual, mode::automatic})
        EXPECT_EQ(parse_mode(to_string(one)), one);
    EXPECT_FALSE(parse_mode("auto"));
}

const std::string dead_primary =
    "record epoch=3 primary=pg1 tl=1 at=0/5000000\n"
    "server pg1 primary at=0/5000000 dead refused\n"
    "server pg2 standby at=0/5000000\n"
    "server pg3 standby at=0/5000000\n";

std::string closed(const std::string& lines) {
    std::string out;
    for (const auto& one : test::parse_scenario(dead_primary + lines).decide().gates)
        if (!one.open) out += (out.empty() ? "" : ", ") + std::string(one.name);
    return out;
}

TEST(Gates, are_all_open_for_a_dead_primary_in_automatic_mode) {
    EXPECT_EQ(closed(""), "");
}

TEST(Gates, close_each_for_its_own_reason) {
    EXPECT_EQ(closed("mode manual\n"), "mode");
    EXPECT_EQ(closed("mode observe\n"), "mode");
    EXPECT_EQ(closed("filter other\n"), "filter");
    EXPECT_EQ(closed("disabled\n"), "global switch");
    EXPECT_EQ(closed("past ago=3599\n"), "past recoveries");
    EXPECT_EQ(closed("past ago=3600\n"), "");
    EXPECT_EQ(closed("past ago=1 acknowledged\n"), "");
    EXPECT_EQ(closed("under_way\n"), "under way");
    EXPECT_EQ(closed("may_not_act other\n"), "right to act");
    EXPECT_EQ(closed("server pg1 primary at=0/5000000 dead refused downtime=x\n"), "downtime");
    EXPECT_EQ(closed("server pg3 standby at=0/5000000 manager=repmgr\n"), "other manager");
    EXPECT_EQ(closed("server pg3 standby at=0/5000000 heard=10\n"), "diagnosis");
    EXPECT_EQ(
        closed("max_lag 1\nserver pg2 standby at=0/4000000\nserver pg3 standby at=0/4000000\n"),
        "candidate");
}

TEST(Gates, an_order_opens_what_only_guards_against_acting_unasked) {
    EXPECT_EQ(closed("order by=ann\nmode manual\nfilter x\ndisabled\npast ago=1\n"), "");
    EXPECT_EQ(closed("order by=ann\nserver pg1 primary at=0/5000000 dead refused downtime=x\n"),
              "");
}

TEST(Gates, an_order_does_not_open_what_guards_the_data) {
    EXPECT_EQ(closed("order by=ann\nmode observe\n"), "mode");
    EXPECT_EQ(closed("order by=ann\nserver pg3 standby at=0/5000000 heard=10\n"), "diagnosis");
    EXPECT_EQ(closed("order by=ann\nserver pg3 standby at=0/5000000 manager=x\n"), "other manager");
    EXPECT_EQ(closed("order by=ann\nunder_way\n"), "under way");
    EXPECT_EQ(closed("order by=ann to=pg9\n"), "candidate");
    EXPECT_EQ(closed("order by=ann allow_data_loss\nserver pg3 standby at=0/5000000 heard=10\n"),
              "diagnosis");
}

std::string closed_for_switchover(const std::string& lines) {
    const auto one = test::parse_scenario(
        "record epoch=3 at=0/100\nserver pg1 primary at=0/100 senders=pg2\n"
        "server pg2 standby at=0/100 streams\n" +
        lines);
    const auto decided = one.decide();
    std::string out;
    for (const auto& gate : check_switchover(one.the_cluster(), decided.problems, decided.forecast,
                                             one.allowed, one.around))
        if (!gate.open) out += (out.empty() ? "" : ", ") + std::string(gate.name);
    return out;
}

TEST(Gates, a_switchover_needs_an_order_a_writer_and_a_candidate) {
    EXPECT_EQ(closed_for_switchover("order by=ann\n"), "");
    EXPECT_EQ(closed_for_switchover("order by=ann\nmode manual\nfilter x\ndisabled\n"), "");
    EXPECT_EQ(closed_for_switchover(""), "order");
    EXPECT_EQ(closed_for_switchover("order by=ann\nmode observe\n"), "mode");
    EXPECT_EQ(closed_for_switchover("order by=ann\nunder_way\n"), "under way");
    EXPECT_EQ(closed_for_switchover("order by=ann to=pg9\n"), "candidate");
    EXPECT_EQ(closed_for_switchover("order by=ann\nserver pg1 primary at=0/100 dead refused\n"),
              "writer");
    EXPECT_EQ(closed_for_switchover("order by=ann\nserver pg3 primary tl=2 at=0/100\n"),
              "writer, candidate");
    EXPECT_EQ(
        closed_for_switchover("order by=ann\nserver pg2 standby at=0/100 streams manager=x\n"),
        "other manager");
}

TEST(Decision, says_in_one_sentence_why_nothing_was_done) {
    EXPECT_EQ(test::parse_scenario(dead_primary + "mode manual\nfilter other\n").decide().sentence,
              "DeadPrimary: pg1 is dead (connection refused); 2 of 2 standbys answer, and none of "
              "these streams from it. No failover: ha_mode is manual; no cluster filter matches "
              "main");
}

TEST(Decision, asks_quiet_standbys_unless_it_must_not_act) {
    const std::string quiet = dead_primary +
                              "server pg2 standby at=0/5000000 heard=3000\n"
                              "server pg3 standby at=0/5000000\n";
    EXPECT_EQ(test::parse_scenario(quiet).decide().what, action::confirm);
    EXPECT_EQ(test::parse_scenario(quiet + "mode manual\n").decide().what, action::confirm);
    for (const char* line : {"mode observe\n", "may_not_act x\n", "under_way\n",
                             "server pg3 standby at=0/5000000 manager=Patroni\n"})
        EXPECT_EQ(test::parse_scenario(quiet + line).decide().what, action::none) << line;
}

TEST(Decision, fences_a_returned_old_primary_unless_it_must_not_act) {
    const std::string returned =
        "record epoch=4 primary=pg2 tl=2 at=0/100 fenced=pg1\n"
        "server pg1 primary tl=1 at=0/200\nserver pg2 primary tl=2 at=0/100\n";
    const auto fenced = [&](const std::string& line) {
        return test::parse_scenario(returned + line).decide().to_fence.size();
    };
    EXPECT_EQ(fenced(""), 1U);
    EXPECT_EQ(fenced("mode manual\n"), 1U);
    EXPECT_EQ(fenced("mode observe\n"), 0U);
    EXPECT_EQ(fenced("may_not_act x\n"), 0U);
    EXPECT_EQ(fenced("server pg2 primary tl=2 at=0/100 manager=Patroni\n"), 0U);
    EXPECT_EQ(fenced("server pg1 primary tl=1 at=0/200 downtime=x\n"), 0U);
}

}  // namespace
}  // namespace howdah::ha
