#include "admin/orchestrator/topology_text.hpp"

#include <gtest/gtest.h>

#include "tests/support/orchestrator/made_cluster.hpp"

namespace howdah::admin::orchestrator {
namespace {

using test::made_cluster;

std::string drawn(const made_cluster& of, topology_style style = topology_style::plain) {
    const auto view = of.view();
    return topology_text(*view, view->clusters.front(), style);
}

TEST(TopologyText, of_a_healthy_idle_cluster_has_no_null) {
    EXPECT_EQ(drawn(made_cluster{}),
              "pg1:5432   [0s,ok,15.4,rw,>>]\n"
              "+ pg2:5432 [0s,ok,15.4,ro,>>]\n"
              "+ pg3:5432 [0s,ok,15.4,ro,>>]");
}

TEST(TopologyText, of_a_dead_primary_keeps_its_standbys_below_it) {
    made_cluster cluster;
    cluster.kill_primary();
    EXPECT_EQ(drawn(cluster),
              "pg1:5432   [unknown,invalid,15.4,rw,>>]\n"
              "- pg2:5432 [null,nonreplicating,15.4,ro,>>]\n"
              "- pg3:5432 [null,nonreplicating,15.4,ro,>>]");
}

TEST(TopologyText, of_a_replaced_primary_that_returned_does_not_call_it_well) {
    made_cluster cluster;
    auto& old = cluster.facts("pg3");
    old.in_recovery = false;
    old.flush_lsn = old.receive_lsn;
    old.receiver.reset();
    old.settings.default_transaction_read_only = true;
    auto& record = cluster.input.records["main"];
    record.epoch = record.timeline = record.known_timeline = 2;
    record.fenced = {{{"pg3", 5432}, 1, 1, "it was replaced"}};
    for (const char* name : {"pg1", "pg2"})
        cluster.facts(name).timeline = 2;
    EXPECT_EQ(drawn(cluster),
              "pg1:5432   [0s,ok,15.4,rw,>>]\n"
              "+ pg2:5432 [0s,ok,15.4,ro,>>]\n"
              "pg3:5432   [null,nonreplicating,15.4,ro,>>]");
}

TEST(TopologyText, indents_a_cascade) {
    made_cluster cluster;
    auto& third = cluster.facts("pg3");
    third.settings.primary_conninfo = "host=pg2 port=5432";
    third.receiver->sender_host = "pg2";
    EXPECT_EQ(drawn(cluster),
              "pg1:5432     [0s,ok,15.4,rw,>>]\n"
              "+ pg2:5432   [0s,ok,15.4,ro,>>]\n"
              "  + pg3:5432 [0s,ok,15.4,ro,>>]");
}

TEST(TopologyText, tells_lag_stops_staleness_and_downtime) {
    made_cluster cluster;
    auto& second = cluster.facts("pg2");
    second.replay_lsn = *second.receive_lsn - 100;
    second.replay_lag_ms = 25'900;
    cluster.facts("pg3").replay_paused = true;
    cluster.notes.downtimes[{"pg3", 5432}] = {"ann", "disk", test::noon, test::noon + 1};
    EXPECT_EQ(drawn(cluster),
              "pg1:5432   [0s,ok,15.4,rw,>>]\n"
              "+ pg2:5432 [25s,lag,15.4,ro,>>]\n"
              "- pg3:5432 [null,nonreplicating,15.4,ro,>>,downtimed]");
    second.read_at_us -= 60 * test::second;
    cluster.notes.downtimes[{"pg3", 5432}].until = test::noon;
    EXPECT_EQ(drawn(cluster),
              "pg1:5432   [0s,ok,15.4,rw,>>]\n"
              "- pg2:5432 [unknown,unchecked,15.4,ro,>>]\n"
              "- pg3:5432 [null,nonreplicating,15.4,ro,>>]");
}

TEST(TopologyText, draws_standbys_in_a_circle_and_servers_never_seen) {
    made_cluster cluster;
    for (const auto& [name, of] : {std::pair("pg2", "pg3"), std::pair("pg3", "pg2")}) {
        cluster.facts(name).settings.primary_conninfo = std::string("host=") + of;
        cluster.facts(name).receiver->sender_host = of;
    }
    cluster.input.clusters.front().servers.emplace_back().at = {"pg4", 5432};
    EXPECT_EQ(drawn(cluster),
              "pg1:5432     [0s,ok,15.4,rw,>>]\n"
              "pg4:5432     [unknown,unchecked,ro,>>]\n"
              "+ pg2:5432   [0s,ok,15.4,ro,>>]\n"
              "  + pg3:5432 [0s,ok,15.4,ro,>>]");
}

TEST(TopologyText, tabulated_keeps_empty_columns) {
    made_cluster cluster;
    cluster.kill_primary();
    EXPECT_EQ(drawn(cluster, topology_style::tabulated),
              "pg1:5432  |unknown|invalid       |15.4|rw||>>\n"
              "- pg2:5432|null   |nonreplicating|15.4|ro||>>\n"
              "- pg3:5432|null   |nonreplicating|15.4|ro||>>");
}

TEST(TopologyText, shows_tags) {
    made_cluster cluster;
    cluster.config("pg1").tags["rack"] = "a";
    cluster.notes.tags[{"pg1", 5432}]["rack"] = "b";
    cluster.notes.tags[{"pg1", 5432}]["old"] = "";
    EXPECT_EQ(drawn(cluster, topology_style::with_tags),
              "pg1:5432   [0s,ok,15.4,rw,>>] [old,rack=b]\n"
              "+ pg2:5432 [0s,ok,15.4,ro,>>] []\n"
              "+ pg3:5432 [0s,ok,15.4,ro,>>] []");
}

}  // namespace
}  // namespace howdah::admin::orchestrator
