#include "ha/candidate.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

const std::string dead_primary =
    "record epoch=3 primary=pg1 tl=1 at=0/5000000\n"
    "server pg1 primary at=0/5000000 dead refused\n";

candidate_choice choose(const std::string& facts, bool frozen = false) {
    const auto one = test::parse_scenario(facts);
    auto options = one.allowed.candidates;
    if (frozen) options.frozen_at_us = one.input.now_us - 300'000;
    if (one.around.order) options.wanted = one.around.order->to;
    return choose_candidate(one.the_cluster(), 0, one.record().value_or(cluster_record{}), options);
}

std::string reason(const candidate_choice& choice, std::size_t server) {
    return std::ranges::find(choice.servers, server, &candidate_verdict::server)->reason;
}

TEST(Candidate, after_the_freeze_only_servers_whose_position_stands_still_count) {
    const auto choice = choose(dead_primary +
                                   "server pg2 standby at=0/5000000 streams\n"
                                   "server pg3 standby at=0/5000000\n"
                                   "server pg4 standby at=0/5000000 frozen read=400\n"
                                   "server pg5 standby at=0/4FFFFFF frozen\n",
                               true);
    EXPECT_EQ(choice.chosen, 4U);
    EXPECT_EQ(reason(choice, 1), "its WAL receiver is not stopped: its position may still move");
    EXPECT_EQ(reason(choice, 2), "Howdah did not stop its WAL receiver: it may start again");
    EXPECT_EQ(reason(choice, 3), "it was not read since the receivers were stopped");
}

TEST(Candidate, one_that_is_not_frozen_does_not_count_as_asked) {
    const std::string facts =
        "record epoch=3 at=0/5000000 sync=\"ANY 1 (pg2, pg3)\"\n"
        "server pg1 primary at=0/5000000 dead\n"
        "server pg2 standby at=0/5000000 frozen\n";
    EXPECT_FALSE(choose(facts + "server pg3 standby at=0/4000000\n", true).chosen);
    EXPECT_TRUE(choose(facts + "server pg3 standby at=0/4000000 frozen\n", true).chosen);
}

TEST(Candidate, lists_every_server_with_a_reason) {
    const auto choice = choose(dead_primary +
                               "server pg2 standby at=0/5000000\nserver pg3 unknown\n"
                               "server pg4 standby at=0/5000000 cluster=9\n"
                               "server pg5 standby no_position\n");
    EXPECT_EQ(choice.servers.size(), 5U);
    for (const auto& one : choice.servers)
        EXPECT_FALSE(one.reason.empty());
    EXPECT_EQ(reason(choice, 4), "its WAL position could not be read");
}

TEST(Candidate, position_goes_before_preference_and_preference_before_replay) {
    EXPECT_EQ(choose(dead_primary + "server pg2 standby at=0/5000000 rule=prefer_not\n"
                                    "server pg3 standby at=0/4FFFFFF rule=prefer\n")
                  .chosen,
              1U);
    EXPECT_EQ(choose(dead_primary + "server pg2 standby at=0/5000000\n"
                                    "server pg3 standby at=0/5000000 replay=0/1 rule=prefer\n")
                  .chosen,
              2U);
    EXPECT_EQ(choose(dead_primary + "server pg2 standby at=0/5000000 replay=0/1\n"
                                    "server pg3 standby at=0/5000000\n")
                  .chosen,
              2U);
}

TEST(Candidate, a_neighbour_of_the_old_primary_goes_first_among_equals) {
    EXPECT_EQ(choose("record epoch=3 at=0/5000000\n"
                     "server pg1 primary at=0/5000000 dead dc=b\n"
                     "server pg2 standby at=0/5000000 dc=a\n"
                     "server pg3 standby at=0/5000000 dc=b\n")
                  .chosen,
              2U);
}

TEST(Candidate, the_replayed_position_counts_where_it_is_ahead_of_the_received) {
    EXPECT_EQ(choose(dead_primary + "server pg2 standby at=0/4000000 replay=0/5000000\n"
                                    "server pg3 standby at=0/4FFFFFF\n")
                  .chosen,
              1U);
}

TEST(Candidate, catching_up_is_a_must_only_where_too_much_would_be_lost_without) {
    const auto little = choose("order to=pg3\n" + dead_primary +
                               "server pg2 standby at=0/5000000\n"
                               "server pg3 standby at=0/4FFFFFF\n");
    EXPECT_EQ(little.catch_up_from, 1U);
    EXPECT_FALSE(little.must_catch_up);
    const auto much = choose("order to=pg3\n" + dead_primary +
                             "server pg2 standby at=0/5000000\n"
                             "server pg3 standby at=0/1000000\n");
    EXPECT_TRUE(much.must_catch_up);
    const auto confirmed = choose(
        "order to=pg3\nrecord epoch=3 at=0/5000000 sync=\"pg2\"\n"
        "server pg1 primary at=0/5000000 dead sync=\"pg2\"\n"
        "server pg2 standby at=0/5000000\nserver pg3 standby at=0/4FFFFFF\n");
    EXPECT_TRUE(confirmed.must_catch_up);
    EXPECT_EQ(confirmed.target.lsn, 0x5000000U);
}

TEST(Candidate, what_the_set_did_not_confirm_may_be_lost_and_is_said) {
    const auto choice = choose(
        "record epoch=3 at=0/9000000 sync=\"ANY 1 (pg2)\"\n"
        "server pg1 primary at=0/9000000 dead sync=\"ANY 1 (pg2)\"\n"
        "server pg2 standby at=0/5000000\n");
    EXPECT_EQ(choice.chosen, 1U);
    EXPECT_EQ(choice.loss_bytes, 0x4000000U);
}

TEST(Candidate, a_set_that_cannot_be_read_means_nobody) {
    const auto choice = choose(
        "record epoch=3 at=0/5000000 sync=\"ANY (\"\n"
        "server pg1 primary at=0/5000000 dead\nserver pg2 standby at=0/5000000\n");
    EXPECT_FALSE(choice.chosen);
    EXPECT_NE(choice.sentence.find("does not understand"), std::string::npos);
}

TEST(Candidate, a_standby_that_only_its_primary_knew_may_have_confirmed) {
    EXPECT_FALSE(choose("record epoch=3 at=0/5000000 sync=\"*\"\n"
                        "server pg1 primary at=0/5000000 dead senders=pg2,stranger\n"
                        "server pg2 standby at=0/5000000\n")
                     .chosen);
}

}  // namespace
}  // namespace howdah::ha
