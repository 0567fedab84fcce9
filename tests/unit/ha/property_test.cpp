#include <gtest/gtest.h>

#include "tests/unit/ha/simulation.hpp"

namespace howdah::ha {
namespace {

using test::simulation;

/// Runs many histories with fixed seeds; returns how many failovers there were.
int run(simulation::odds chances, unsigned histories, int ticks) {
    int failovers = 0;
    for (unsigned seed = 1; seed <= histories; ++seed) {
        simulation subject(seed, chances);
        for (int tick = 0; tick < ticks && subject.broken_law().empty(); ++tick)
            subject.tick();
        EXPECT_EQ(subject.broken_law(), "") << "seed " << seed << "\n" << subject.story();
        if (!subject.broken_law().empty()) break;
        failovers += subject.failovers();
    }
    testing::Test::RecordProperty("failovers", failovers);
    return failovers;
}

TEST(Laws, hold_with_asynchronous_replication) {
    EXPECT_GT(run({}, 300, 60), 50);
}

TEST(Laws, no_confirmed_commit_is_lost_with_synchronous_replication) {
    simulation::odds chances;
    chances.sync = true;
    EXPECT_GT(run(chances, 500, 60), 50);
}

TEST(Laws, hold_while_somebody_else_promotes_too) {
    simulation::odds chances;
    chances.others_promote = true;
    EXPECT_GT(run(chances, 300, 60), 25);
}

}  // namespace
}  // namespace howdah::ha
