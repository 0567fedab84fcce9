#include "ha/intent.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

failover_intent promoting_pg2() {
    failover_intent out;
    out.from = {"pg1", 5432};
    out.candidate = endpoint{"pg2", 5432};
    out.phase = intent_phase::promoting;
    out.base_timeline = 1;
    return out;
}

resumption after(const std::string& pg2, const failover_intent& intent = promoting_pg2()) {
    const auto subject = test::parse_scenario("server pg1 primary at=0/100\nserver pg2 " + pg2 +
                                              "\nserver pg3 primary tl=5 at=0/100\n")
                             .the_cluster();
    const auto answer = resume(subject, intent);
    EXPECT_FALSE(answer.sentence.empty());
    return answer.what;
}

TEST(Intent, before_a_promotion_everything_is_undone) {
    auto intent = promoting_pg2();
    intent.phase = intent_phase::freezing;
    EXPECT_EQ(after("standby at=0/100 frozen", intent), resumption::undo);
    EXPECT_EQ(after("standby at=0/100 dead", intent), resumption::undo);
}

TEST(Intent, a_candidate_still_in_recovery_is_promoted_again) {
    EXPECT_EQ(after("standby at=0/100 frozen"), resumption::promote);
}

TEST(Intent, a_promoted_candidate_is_taken) {
    EXPECT_EQ(after("primary tl=2 at=0/100"), resumption::finish);
}

TEST(Intent, a_candidate_that_does_not_answer_is_waited_for_whoever_else_is_there) {
    EXPECT_EQ(after("standby at=0/100 dead"), resumption::wait);
    EXPECT_EQ(after("primary tl=2 at=0/100 dead"), resumption::wait);
    EXPECT_EQ(after("unknown"), resumption::wait);
}

TEST(Intent, a_candidate_that_writes_on_the_old_timeline_is_not_taken) {
    EXPECT_EQ(after("primary tl=1 at=0/100"), resumption::wait);
}

TEST(Intent, another_cluster_at_the_candidates_address_is_not_taken) {
    EXPECT_EQ(after("primary tl=2 at=0/100 cluster=9"), resumption::wait);
}

}  // namespace
}  // namespace howdah::ha
