#include "ha/diagnosis.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

using state = cluster_view::primary_state;

/// Every view that facts can be reduced to, with up to three standbys.
std::vector<cluster_view> all_views() {
    std::vector<cluster_view> out;
    for (const auto primary : {state::none, state::writing, state::unusable, state::dead})
        for (const bool blind : {false, true})
            for (const bool rivals : {false, true})
                for (const bool sync : {false, true})
                    for (std::size_t standbys = 0; standbys <= 3; ++standbys)
                        for (std::size_t reachable = 0; reachable <= standbys; ++reachable)
                            for (std::size_t replicating = 0; replicating <= reachable;
                                 ++replicating)
                                for (std::size_t streaming = 0; streaming <= reachable; ++streaming)
                                    for (std::size_t quiet = 0; streaming + quiet <= reachable;
                                         ++quiet)
                                        for (std::size_t cut = 0;
                                             streaming + quiet + cut <= reachable; ++cut)
                                            out.push_back({primary, blind, rivals, standbys,
                                                           reachable, streaming, quiet, cut,
                                                           replicating, sync});
    return out;
}

/// The same question answered a second time, by what must hold and not by a list of rules.
std::string broken_law(const cluster_view& v, problem found) {
    const bool failover = info_of(found).calls_for_failover;
    const bool dead = v.primary == state::dead;
    if (v.blind && found != problem::monitor_blind) return "a conclusion from the dark";
    if (!v.blind && found == problem::monitor_blind) return "blind although something answers";
    if (failover && !dead) return "a failover although the primary is not dead";
    if (failover && v.rivals) return "a failover beside a server that accepts writes";
    if (failover && v.streaming) return "a failover although a standby hears from the primary";
    if (failover && v.quiet) return "a failover before a quiet standby was asked again";
    if (failover && v.reachable && !v.cut) return "a failover that no standby testifies for";
    if (failover && !v.standbys) return "a failover to nobody";
    const bool certain = dead && !v.blind && !v.rivals && v.cut && !v.streaming && !v.quiet;
    if (certain && !failover) return "no failover although all agree";
    if (v.rivals && !v.blind && found != problem::split_brain) return "two writers unmentioned";
    if (found == problem::none &&
        (v.primary != state::writing || v.sync_unsatisfied || (v.standbys && !v.replicating)))
        return "no problem although there is one";
    if (v.primary == state::writing && !v.blind && !v.rivals && !v.sync_unsatisfied &&
        v.replicating && found != problem::none)
        return "a problem although there is none";
    if (found > problem::all_standbys_not_replicating) return "a server's problem of the cluster";
    return "";
}

TEST(Diagnosis, of_every_combination_of_facts_is_lawful) {
    std::set<problem> seen;
    const auto views = all_views();
    EXPECT_GT(views.size(), 4000U);
    for (const auto& v : views) {
        const auto found = judge_cluster(v);
        seen.insert(found);
        ASSERT_EQ(broken_law(v, found), "")
            << info_of(found).name << ": primary " << int(v.primary) << " blind " << v.blind
            << " rivals " << v.rivals << " standbys " << v.standbys << " reachable " << v.reachable
            << " streaming " << v.streaming << " quiet " << v.quiet << " cut " << v.cut
            << " replicating " << v.replicating << " sync " << v.sync_unsatisfied;
    }
    EXPECT_EQ(seen.size(), 10U) << "every problem of a cluster occurs";
}

TEST(Diagnosis, names_every_problem_once_and_orchestrators_as_orchestrator_does) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < problem_table().size(); ++i) {
        const auto& one = problem_table()[i];
        EXPECT_EQ(static_cast<std::size_t>(one.what), i) << one.name;
        EXPECT_TRUE(names.insert(one.name).second) << one.name;
        EXPECT_FALSE(one.meaning.empty()) << one.name;
    }
    EXPECT_EQ(info_of(problem::dead_primary).orchestrator_name, "DeadPrimary");
    EXPECT_EQ(info_of(problem::dead_primary_without_standbys).orchestrator_name,
              "DeadMasterWithoutReplicas");
    EXPECT_EQ(info_of(problem::all_standbys_not_replicating).orchestrator_name,
              "AllStandbyNotReplicating");
}

TEST(Diagnosis, calls_for_a_failover_only_where_the_primary_is_dead) {
    for (const auto& one : problem_table())
        EXPECT_EQ(one.calls_for_failover, one.what == problem::dead_primary ||
                                              one.what == problem::dead_primary_and_some_standbys)
            << one.name;
}

cluster_diagnosis diagnosis_of(const std::string& facts) {
    return test::parse_scenario(facts).decide().problems;
}

TEST(Diagnosis, leads_with_the_gravest_problem_of_a_server_and_lists_all) {
    const auto found = diagnosis_of(
        "record epoch=1 at=0/100\n"
        "server pg1 primary at=0/100 senders=pg2\n"
        "server pg2 standby at=0/100 streams lag=60000\n"
        "server pg3 standby at=0/100\n");
    EXPECT_EQ(found.headline.what, problem::standby_not_replicating);
    ASSERT_EQ(found.all.size(), 2U);
    EXPECT_EQ(found.all[1].what, problem::lagging_standby);
}

TEST(Diagnosis, says_nothing_about_single_servers_in_the_dark) {
    const auto found = diagnosis_of(
        "record epoch=1 at=0/100\n"
        "server pg1 primary at=0/100 dead\n"
        "server pg2 standby at=0/100 dead\n");
    EXPECT_EQ(found.headline.what, problem::monitor_blind);
    EXPECT_EQ(found.all.size(), 1U);
}

TEST(Diagnosis, a_refused_connection_proves_that_the_network_works) {
    const auto found = diagnosis_of(
        "record epoch=1 at=0/100\n"
        "server pg1 primary at=0/100 dead refused\n");
    EXPECT_EQ(found.headline.what, problem::dead_primary_without_standbys);
}

TEST(Diagnosis, leaves_a_server_in_downtime_alone) {
    const auto found = diagnosis_of(
        "record epoch=1 at=0/100\n"
        "server pg1 primary at=0/100 senders=pg2\n"
        "server pg2 standby at=0/100 streams\n"
        "server pg3 standby at=0/100 downtime=disk\n");
    EXPECT_EQ(found.headline.what, problem::none);
}

}  // namespace
}  // namespace howdah::ha
