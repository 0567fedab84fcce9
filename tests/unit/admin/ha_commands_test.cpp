#include <thread>

#include "tests/unit/admin/ha_samples.hpp"
#include "tests/unit/admin/ha_view_fixture.hpp"

namespace howdah::admin {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using ha_commands_test = ha_view_fixture;

TEST_F(ha_commands_test, show_ha_has_one_sentence_per_cluster) {
    EXPECT_THAT(ask("SHOW HA"), AllOf(StartsWith("main,pg1:5432,,manual,yes,"),
                                      HasSubstr("\nother,,"), Not(HasSubstr("No failover"))));
    primary_dies();
    EXPECT_THAT(ask("SHOW HA", role::stats),
                AllOf(StartsWith("main,,DeadPrimary,manual,"), HasSubstr("No failover: ")));
    under_way_.emplace();
    under_way_->sentence = "promotes pg2";
    EXPECT_THAT(ask("SHOW HA"), HasSubstr("promotes pg2\n"));
}

TEST_F(ha_commands_test, show_topology_is_the_tree_of_who_follows_whom) {
    EXPECT_EQ(ask("SHOW TOPOLOGY main"),
              "main,pg1:5432,writer, timeline 3, WAL up to 0/5000100\n"
              "main,+ east,standby, timeline 3, WAL up to 0/5000060, streams from pg1:5432, replay "
              "lag 12 ms\n"
              "main,  + pg3:5432,standby, timeline 3, WAL up to 0/5000000, streams from pg2:5432, "
              "replay paused\n");
    EXPECT_THAT(ask("SHOW TOPOLOGY"), HasSubstr("\nother,db:5432,not looked at yet\n"));
    primary_dies();
    EXPECT_THAT(
        ask("SHOW TOPOLOGY shop"),
        AllOf(HasSubstr("main,pg1:5432,dead: Connection refused\n"),
              HasSubstr("main,+ east,standby, timeline 3, WAL up to 0/5000060, no receiver")));
}

TEST_F(ha_commands_test, a_circle_of_servers_is_shown_once) {
    facts_[pg1] = standby("pg2", "a1", 0x5000000);
    const std::string shown = ask("SHOW TOPOLOGY main");
    EXPECT_EQ(std::ranges::count(shown, '\n'), 3);
}

TEST_F(ha_commands_test, show_ha_why_gives_every_gate_and_every_servers_verdict) {
    primary_dies();
    ha::recovery r;
    r.cluster = "main";
    r.kind = "failover";
    r.sentence = "it was given up";
    r.started_at = 1'700'000'000'000'000;
    (void)kept_.save(r);
    const std::string why = ask("SHOW HA WHY pg3");
    EXPECT_THAT(why, StartsWith("main,decision,DeadPrimary: "));
    EXPECT_THAT(why, HasSubstr("main,diagnosis,DeadPrimary (critical): "));
    EXPECT_THAT(why, HasSubstr("main,gate,mode is closed: "));
    EXPECT_THAT(why, HasSubstr("main,candidate,east could be promoted: "));
    EXPECT_THAT(why, HasSubstr("main,candidate,pg3:5432 could not be promoted: "));
    EXPECT_THAT(why,
                HasSubstr("main,history,the last failover began 2023-11-14 22:13:20.000000+00: "
                          "it was given up\n"));
    EXPECT_THAT(why, Not(HasSubstr("other,")));
}

TEST_F(ha_commands_test, a_failover_is_ordered_by_the_user_and_its_end_is_the_answer) {
    said_ = {true, "pg1 was replaced by pg2", pg2, 7};
    EXPECT_EQ(ask_as_ann("FAILOVER main"), "pg1 was replaced by pg2,pg2:5432,7\n");
    (void)ask_as_ann("FAILOVER shop TO east ALLOW DATA LOSS");
    (void)ask_as_ann("failover pg3 to pg2:5432");
    (void)ask_as_ann("SWITCHOVER 'main' TO \"pg3\"");
    EXPECT_THAT(
        ordered_,
        ElementsAre("failover main by ann", "failover main to pg2:5432 with loss by ann",
                    "failover main to pg2:5432 by ann", "switchover main to pg3:5432 by ann"));
}

TEST_F(ha_commands_test, an_order_that_is_refused_is_an_error_with_the_reason) {
    said_ = {false, "DeadPrimary is not what it is", {}, 0};
    const sql_error e = error_of_asking("FAILOVER main");
    EXPECT_EQ(e.sqlstate, "55000");
    EXPECT_EQ(e.message, "DeadPrimary is not what it is");
    EXPECT_THAT(e.hint, HasSubstr("SHOW HA WHY \"main\""));
}

TEST_F(ha_commands_test, an_answer_may_come_later_from_another_thread) {
    std::thread later;
    answering_ = [&](const ha_orders::answer& done) {
        later = std::thread([this, done] { done(said_); });
    };
    EXPECT_EQ(ask_as_ann("SWITCHOVER main"), "done,pg2:5432,7\n");
    later.join();
}

TEST_F(ha_commands_test, an_order_that_is_dropped_says_that_howdah_stops) {
    answering_ = [](const ha_orders::answer&) {};
    EXPECT_EQ(error_of_asking("FAILOVER main").sqlstate, "57P01");
}

TEST_F(ha_commands_test, nobody_waits_for_an_order_while_howdah_stops) {
    ha_orders::answer late;
    answering_ = [&](const ha_orders::answer& done) {
        late = done;
        stop_.request_stop();
    };
    EXPECT_EQ(error_of_asking("FAILOVER main").sqlstate, "57P01");
    late(said_);  // is harmless
    EXPECT_EQ(error_of_asking("DISABLE RECOVERIES").sqlstate, "57P01");
}

TEST_F(ha_commands_test, an_order_that_takes_too_long_says_that_it_goes_on) {
    ha_orders::answer kept;
    answering_ = [&](const ha_orders::answer& done) { kept = done; };
    command_table table;
    table.add(ha_commands(
        orders(), [this] { return seen(); }, kept_, std::chrono::milliseconds(1)));
    const auto found = table.find("ADOPT pg1");
    ASSERT_TRUE(found);
    const auto answer =
        found->what->run(command_call{found->arguments, *keeper_, role::admin, "ann"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message, "the order has not ended after 1ms; it goes on");
    kept(said_);
}

TEST_F(ha_commands_test, orders_that_wait_leave_threads_for_those_who_look) {
    const auto said = [this](const ha_orders::answer& done) { done(said_); };
    std::thread other;
    ha_orders::answer first;
    const auto with_two_waiting = [&](const ha_orders::answer& second) {
        EXPECT_EQ(error_of_asking("REWIRE pg3 TO pg1").message,
                  "2 orders are being carried out already");
        EXPECT_THAT(ask("SHOW HA"), StartsWith("main,"));
        answering_ = said;
        (void)ask_as_ann("DISABLE RECOVERIES");
        second({true, "adopted", {}, 0});
        first({true, "failed over", {}, 0});
    };
    answering_ = [&](const ha_orders::answer& done) {
        first = done;
        answering_ = with_two_waiting;
        other = std::thread([&] { EXPECT_EQ(ask_as_ann("ADOPT pg1"), "adopted,,\n"); });
    };
    EXPECT_EQ(ask_as_ann("FAILOVER main"), "failed over,,\n");
    other.join();
    EXPECT_FALSE(notes_.global_recoveries);
    EXPECT_THAT(ask_as_ann("REWIRE pg3 TO pg1"), StartsWith("recoveries are disabled"));
}

TEST_F(ha_commands_test, a_dry_run_shows_the_plan_and_orders_nothing) {
    EXPECT_EQ(ask_as_ann("FAILOVER main TO pg2 DRY RUN"),
              "failover of main to pg2:5432\n\n 1. pg_promote\n");
    EXPECT_EQ(ask_as_ann("SWITCHOVER main DRY RUN"), "switchover of main\n\n 1. pg_promote\n");
    EXPECT_EQ(ask_as_ann("RECOVER pg1 DRY RUN"), "failover of main\n\n 1. pg_promote\n");
    EXPECT_EQ(ask_as_ann("REJOIN pg1 DRY RUN"), "rejoin pg1:5432\n\n 1. pg_rewind\n");
    EXPECT_THAT(ordered_, IsEmpty());
}

TEST_F(ha_commands_test, rejoin_orders_it_for_the_server_that_is_named) {
    (void)ask_as_ann("REJOIN pg1");
    EXPECT_THAT(ordered_, ElementsAre("rejoin pg1:5432 by ann"));
    EXPECT_EQ(error_of_asking("REJOIN nobody").sqlstate,
              error_of_asking("RECOVER nobody").sqlstate);
}

TEST_F(ha_commands_test, recover_replaces_the_primary_that_it_names_and_nobody_else) {
    (void)ask_as_ann("RECOVER pg1:5432 TO pg2 ALLOW DATA LOSS");
    EXPECT_THAT(ordered_, ElementsAre("failover main to pg2:5432 with loss by ann"));
    const sql_error e = error_of_asking("RECOVER pg2");
    EXPECT_EQ(e.sqlstate, "55000");
    EXPECT_EQ(e.message, "pg2:5432 is not the primary of main: pg1:5432 is");
    EXPECT_EQ(ordered_.size(), 1U);
}

TEST_F(ha_commands_test, recover_of_who_was_replaced_says_so_and_does_nothing) {
    ha::recovery r;
    r.kind = "failover";
    r.cluster = "main";
    r.failed = pg3;
    r.successor = pg1;
    r.successful = true;
    r.started_at = 1'700'000'000'000'000;
    (void)kept_.save(r);
    EXPECT_EQ(ask_as_ann("RECOVER pg3"),
              "pg3:5432 was replaced by pg1:5432 at 2023-11-14 22:13:20.000000+00 "
              "already,pg1:5432,1\n");
    EXPECT_THAT(ordered_, IsEmpty());
}

TEST_F(ha_commands_test, standbys_are_rewired_and_writers_adopted_by_name) {
    (void)ask_as_ann("REWIRE pg3 TO pg1");
    (void)ask_as_ann("ADOPT [2001:db8::1]:5432");
    EXPECT_THAT(ordered_, ElementsAre("rewire pg3:5432 to pg1:5432 by ann",
                                      "adopt [2001:db8::1]:5432 by ann"));
    EXPECT_EQ(ask_as_ann("REWIRE pg3 TO pg3"), "ERROR: pg3:5432 cannot follow itself");
    EXPECT_EQ(ask_as_ann("REWIRE pg3 TO db:5433"),
              "ERROR: pg3:5432 and db:5433 are not of one cluster");
    EXPECT_EQ(ask_as_ann("FAILOVER main TO db:5433"),
              "ERROR: db:5433 is a server of cluster other, not of main");
    EXPECT_EQ(ordered_.size(), 2U);
}

TEST_F(ha_commands_test, servers_are_known_by_host_port_name_and_address) {
    for (const char* name : {"db:5433", "'db:5433'", "DB:5433"}) {
        ordered_.clear();
        (void)ask_as_ann(std::string("ADOPT ") + name);
        EXPECT_THAT(ordered_, ElementsAre("adopt db:5433 by ann")) << name;
    }
    for (const char* name : {"'2001:db8::1'", "2001:db8::1", "[2001:db8::1]"}) {
        ordered_.clear();
        (void)ask_as_ann(std::string("ADOPT ") + name);
        EXPECT_THAT(ordered_, ElementsAre("adopt [2001:db8::1]:5432 by ann")) << name;
    }
}

TEST_F(ha_commands_test, a_name_that_is_none_or_several_is_an_error_that_lists_them) {
    sql_error e = error_of_asking("ADOPT pg9");
    EXPECT_EQ(e.sqlstate, "42704");
    EXPECT_EQ(e.message, "there is no server \"pg9\"");
    EXPECT_EQ(e.hint,
              "Servers: pg1:5432, pg2:5432 (east), pg3:5432, db:5432, db:5433, "
              "[2001:db8::1]:5432.");
    e = error_of_asking("ADOPT db");
    EXPECT_EQ(e.sqlstate, "22023");
    EXPECT_EQ(e.hint, "Say which: db:5432, db:5433.");
    e = error_of_asking("FAILOVER nothing");
    EXPECT_EQ(e.sqlstate, "42704");
    EXPECT_EQ(e.hint, "Clusters: main (shop), other.");
    EXPECT_EQ(error_of_asking("ADOPT ''").sqlstate, "42704");
    EXPECT_EQ(error_of_asking("SHOW TOPOLOGY nothing").sqlstate, "42704");
    EXPECT_THAT(ordered_, IsEmpty());
}

TEST_F(ha_commands_test, those_who_may_only_look_order_nothing) {
    for (const char* order :
         {"FAILOVER main", "FAILOVER main DRY RUN", "RECOVER pg1", "SWITCHOVER main",
          "REWIRE pg3 TO pg1", "ADOPT pg1", "ACK RECOVERIES COMMENT 'x'",
          "DOWNTIME pg1 FOR 1h REASON 'x'", "END DOWNTIME pg1", "ENABLE RECOVERIES",
          "DISABLE RECOVERIES", "SET PROMOTION RULE MUST FOR pg1", "TAG pg1 a", "UNTAG pg1 a"})
        EXPECT_THAT(ask(order, role::stats), HasSubstr("permission denied")) << order;
    EXPECT_THAT(ordered_, IsEmpty());
}

TEST_F(ha_commands_test, recoveries_are_acknowledged_with_a_comment) {
    (void)ask_as_ann("ACK RECOVERIES COMMENT 'disk of pg1'");
    (void)ask_as_ann("ACK RECOVERIES FOR shop COMMENT 'seen'");
    EXPECT_THAT(ordered_, ElementsAre("ack \"\" by ann: disk of pg1", "ack \"main\" by ann: seen"));
    EXPECT_EQ(ask_as_ann("ACK RECOVERIES COMMENT ' '"), "ERROR: the comment is empty");
}

TEST_F(ha_commands_test, a_downtime_begins_lasts_and_ends) {
    const ha::unix_us before = ha::unix_now_us();
    (void)ask_as_ann("DOWNTIME east FOR 10m REASON 'disk swap'");
    ASSERT_TRUE(notes_.downtimes.contains(pg2));
    const ha::downtime_note note = notes_.downtimes[pg2];
    EXPECT_EQ(note.owner, "ann");
    EXPECT_EQ(note.reason, "disk swap");
    EXPECT_GE(note.since, before);
    EXPECT_EQ(note.until - note.since, 600'000'000);
    (void)ask_as_ann("END DOWNTIME pg2");
    EXPECT_THAT(notes_.downtimes, IsEmpty());
    EXPECT_THAT(ordered_,
                ElementsAre("begin-downtime pg2:5432 by ann", "end-downtime pg2:5432 by ann"));
    EXPECT_EQ(ask_as_ann("END DOWNTIME pg2"), "ERROR: pg2:5432 is not in downtime");
}

TEST_F(ha_commands_test, a_downtime_takes_the_usual_units_and_refuses_others) {
    const std::map<std::string, ha::unix_us> good{
        {"90", 90}, {"90s", 90}, {"10min", 600}, {"2h", 7200}, {"'1 d'", 86'400}};
    for (const auto& [text, seconds] : good) {
        (void)ask_as_ann("DOWNTIME pg1 FOR " + text + " REASON x");
        EXPECT_EQ(notes_.downtimes[pg1].until - notes_.downtimes[pg1].since, seconds * 1'000'000)
            << text;
    }
    notes_.downtimes.clear();
    for (const char* text : {"0", "soon", "'-5m'", "1y", "99999999999999999999h", "''", "m"})
        EXPECT_EQ(error_of_asking(std::string("DOWNTIME pg1 FOR ") + text + " REASON x").sqlstate,
                  "22023")
            << text;
    EXPECT_THAT(notes_.downtimes, IsEmpty());
}

TEST_F(ha_commands_test, recoveries_are_switched_off_and_on) {
    (void)ask_as_ann("DISABLE RECOVERIES");
    EXPECT_FALSE(notes_.global_recoveries);
    (void)ask_as_ann("ENABLE RECOVERIES");
    EXPECT_TRUE(notes_.global_recoveries);
    EXPECT_THAT(ordered_,
                ElementsAre("disable-global-recoveries by ann", "enable-global-recoveries by ann"));
}

TEST_F(ha_commands_test, a_promotion_rule_is_kept_until_it_is_set_anew) {
    (void)ask_as_ann("SET PROMOTION RULE must_not FOR pg3");
    EXPECT_EQ(notes_.promotion_rules[pg3], (ha::promotion_note{ha::promotion_rule::must_not, 0}));
    EXPECT_EQ(error_of_asking("SET PROMOTION RULE maybe FOR pg3").sqlstate, "42601");
}

TEST_F(ha_commands_test, tags_are_given_with_and_without_a_value_and_taken_away) {
    (void)ask_as_ann("TAG pg3 rack=r1");
    (void)ask_as_ann("TAG pg3 'note=a = b'");
    (void)ask_as_ann("TAG pg3 nofailover");
    EXPECT_THAT(notes_.tags[pg3],
                ElementsAre(testing::Pair("nofailover", ""), testing::Pair("note", "a = b"),
                            testing::Pair("rack", "r1")));
    (void)ask_as_ann("UNTAG pg3 rack");
    (void)ask_as_ann("UNTAG pg3 note");
    EXPECT_EQ(ask_as_ann("UNTAG pg3 rack"), "ERROR: pg3:5432 has no tag \"rack\"");
    (void)ask_as_ann("UNTAG pg3 nofailover");
    EXPECT_THAT(notes_.tags, IsEmpty());
    EXPECT_EQ(ask_as_ann("TAG pg3 '=x'"), "ERROR: \"=x\" has no name before the '='");
}

TEST_F(ha_commands_test, without_clusters_everything_says_what_to_configure) {
    command_table table;
    table.add(ha_commands(
        orders(), [] { return std::make_shared<const ha::ha_view>(); }, kept_));
    for (const char* order : {"FAILOVER main", "ADOPT pg1"}) {
        const auto found = table.find(order);
        ASSERT_TRUE(found);
        const auto answer =
            found->what->run(command_call{found->arguments, *keeper_, role::admin, "ann"});
        ASSERT_FALSE(answer);
        EXPECT_THAT(answer.error().hint, HasSubstr("replication_hostgroups"));
    }
    const auto found = table.find("SHOW HA");
    ASSERT_TRUE(found);
    const auto answer =
        found->what->run(command_call{found->arguments, *keeper_, role::admin, "ann"});
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->notices, ElementsAre(HasSubstr("replication_hostgroups")));
}

}  // namespace
}  // namespace howdah::admin
