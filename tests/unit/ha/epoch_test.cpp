#include "ha/epoch.hpp"

#include <gtest/gtest.h>

#include "conf/settings.hpp"
#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

judgement judged(const std::string& facts) {
    return test::parse_scenario(facts).decide().writers;
}

TEST(Epoch, a_first_look_at_a_healthy_cluster_begins_epoch_one) {
    const auto out =
        judged("server pg1 primary at=0/100 senders=pg2\nserver pg2 standby at=0/100\n");
    EXPECT_EQ(out.writer, 0U);
    EXPECT_TRUE(out.changed);
    EXPECT_EQ(out.record.epoch, 1U);
    EXPECT_EQ(out.record.cluster, "main");
    EXPECT_EQ(out.record.system_identifier, test::our_cluster);
    EXPECT_EQ(out.record.flush_lsn, 0x100U);
}

TEST(Epoch, a_second_look_changes_nothing) {
    auto one = test::parse_scenario("server pg1 primary at=0/100\n");
    one.input.records["main"] = one.decide().writers.record;
    EXPECT_FALSE(one.decide().writers.changed);
}

TEST(Epoch, the_position_of_the_writer_only_grows) {
    const auto out = judged("record epoch=2 at=0/100\nserver pg1 primary at=0/200\n");
    EXPECT_EQ(out.record.flush_lsn, 0x200U);
    EXPECT_EQ(out.record.epoch, 2U);
}

TEST(Epoch, a_writer_promoted_again_on_a_later_timeline_keeps_its_place_in_a_new_epoch) {
    const auto out = judged("record epoch=2 at=0/100\nserver pg1 primary tl=2 at=0/300\n");
    EXPECT_EQ(out.writer, 0U);
    EXPECT_EQ(out.record.epoch, 3U);
    EXPECT_TRUE(out.record.fenced.empty());
}

TEST(Epoch, two_primaries_of_unknown_timeline_are_none) {
    EXPECT_FALSE(judged("server pg1 primary tl=0 at=0/1\nserver pg2 primary tl=0 at=0/1\n").writer);
    EXPECT_FALSE(
        judged("record epoch=1\nserver pg1 primary tl=0 at=0/1\nserver pg2 primary tl=0 at=0/1\n")
            .writer);
}

TEST(Epoch, a_server_that_does_not_say_its_cluster_is_not_believed_with_a_record) {
    EXPECT_FALSE(judged("record epoch=1\nserver pg1 primary cluster=0 at=0/1\n").writer);
}

TEST(Epoch, an_old_primary_under_any_of_its_names_is_kept_out) {
    auto one = test::parse_scenario(
        "record epoch=4 primary=pg2 tl=2 fenced=pg1\n"
        "server pg1 primary at=0/1\nserver pg2 primary tl=2 at=0/1\n");
    one.config("pg1").also_known_as = {{"10.0.0.1", 5432}};
    const auto out = one.decide().writers;
    EXPECT_TRUE(out.fenced.contains({"10.0.0.1", 5432}));
    EXPECT_TRUE(out.fenced.contains({"pg1", 5432}));
}

TEST(Epoch, an_old_primary_is_kept_out_while_it_is_dead) {
    EXPECT_TRUE(judged("record epoch=4 primary=pg2 tl=2 fenced=pg1\n"
                       "server pg1 primary at=0/1 dead\nserver pg2 primary tl=2 at=0/1\n")
                    .fenced.contains({"pg1", 5432}));
}

TEST(Epoch, nobody_writes_while_a_failover_is_under_way) {
    const auto out = judged("under_way\nrecord epoch=1 at=0/100\nserver pg1 primary at=0/100\n");
    EXPECT_FALSE(out.writer);
    EXPECT_TRUE(out.fenced.contains({"pg1", 5432}));
    EXPECT_FALSE(out.changed);
}

TEST(Epoch, a_promoted_server_is_not_adopted_before_all_were_looked_at) {
    const std::string facts =
        "record epoch=1 at=0/100\nserver pg1 primary at=0/100 unseen\n"
        "server pg2 primary tl=2 at=0/100\n";
    EXPECT_FALSE(judged("looking\n" + facts).writer);
    EXPECT_TRUE(judged(facts).writer);
}

TEST(Epoch, a_changed_synchronous_set_is_kept_beside_the_new_one_until_that_holds_everything) {
    auto one = test::parse_scenario(
        "record epoch=1 at=0/100 sync=\"a\"\n"
        "server pg1 primary at=0/200 sync=\"b\" senders=a@0/200,b@0/180\n");
    const auto first = one.decide().writers.record;
    EXPECT_EQ(first.sync_sets, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(first.sync_changed_at, 0x200U);
    one.input.records["main"] = first;
    EXPECT_EQ(one.decide().writers.record.sync_sets.size(), 2U);
    one.facts("pg1").senders[1].flush_lsn = 0x200;
    EXPECT_EQ(one.decide().writers.record.sync_sets, std::vector<std::string>{"b"});
}

TEST(Epoch, a_set_that_was_given_up_counts_until_every_standby_has_everything) {
    auto one = test::parse_scenario(
        "record epoch=1 at=0/100 sync=\"a\"\n"
        "server pg1 primary at=0/200 senders=a@0/200,b@0/180\n");
    EXPECT_EQ(one.decide().writers.record.sync_sets, (std::vector<std::string>{"", "a"}));
    one.facts("pg1").senders[1].flush_lsn = 0x200;
    EXPECT_EQ(one.decide().writers.record.sync_sets, std::vector<std::string>{""});
}

TEST(Epoch, the_next_one_remembers_who_was_replaced_and_forgets_who_was_promoted) {
    cluster_record before;
    before.epoch = 4;
    before.primary = {"pg1", 5432};
    before.timeline = 7;
    before.fenced = {{{"pg2", 5432}, 3, 6, "x"}};
    const auto after = next_epoch(before, {"pg2", 5432}, 8, 0x300, "failover");
    EXPECT_EQ(after.epoch, 5U);
    EXPECT_EQ(after.timeline, 8U);
    EXPECT_EQ(after.fenced, (std::vector<fenced_server>{{{"pg1", 5432}, 5, 7, "failover"}}));
    EXPECT_EQ(after.left_timeline, 0U);
}

TEST(Epoch, who_has_more_of_the_timeline_that_a_failover_left_has_diverged) {
    const auto judged = test::parse_scenario(
                            "record epoch=2 primary=pg2 tl=2 fork=0/200\n"
                            "server pg2 primary tl=2 at=0/300\n"
                            "server pg3 standby tl=1 at=0/201\n"
                            "server pg4 standby tl=1 at=0/200\n")
                            .decide()
                            .writers;
    EXPECT_EQ(judged.standings,
              (std::vector{standing::writer, standing::diverged, standing::standby}));
    EXPECT_EQ(judged.fenced, (std::set<endpoint>{{"pg3", 5432}}));
    const auto after = next_epoch(judged.record, {"pg4", 5432}, 3, 0x400, "failover", 0x350);
    EXPECT_EQ(after.left_timeline, 2U);
    EXPECT_EQ(after.fork_lsn, 0x350U);
    EXPECT_EQ(next_epoch(after, {"pg2", 5432}, 4, 0x500, "adopted").fork_lsn, 0U);
}

TEST(Epoch, the_ruling_names_the_writer_of_the_hostgroup_and_all_that_are_kept_out) {
    const auto one = test::parse_scenario(
        "record epoch=4 primary=pg2 tl=2 fenced=pg1\n"
        "server pg1 primary at=0/1\nserver pg2 primary tl=2 at=0/1\n");
    monitor::ruling out;
    add_to_ruling(out, one.the_cluster(), one.decide().writers);
    EXPECT_EQ(out.writers, (std::map<int, endpoint>{{10, {"pg2", 5432}}}));
    EXPECT_EQ(out.fenced, (std::set<endpoint>{{"pg1", 5432}}));
}

const std::string promoted_unseen =
    "restarted\nrecord epoch=4 primary=pg1 tl=1 at=0/100\n"
    "server pg1 primary tl=1 at=0/200\n"
    "server pg3 standby tl=2 at=0/300 of=pg2 streams\n";

TEST(Epoch, a_timeline_that_began_unseen_stops_writing_after_a_restart) {
    const auto out = judged(promoted_unseen);
    EXPECT_FALSE(out.writer);
    EXPECT_TRUE(out.fenced.contains({"pg1", 5432}));
    EXPECT_NE(out.sentence.find("pg3 is on timeline 2, which began unseen"), std::string::npos);
}

TEST(Epoch, a_timeline_that_was_known_before_the_restart_does_not) {
    auto one = test::parse_scenario(promoted_unseen);
    one.judging.watched = true;
    one.input.records["main"] = one.decide().writers.record;
    EXPECT_EQ(one.input.records["main"].known_timeline, 2U);
    one.judging.watched = false;
    EXPECT_EQ(one.decide().writers.writer, 0U);
}

TEST(Epoch, an_operator_decides_where_nobody_writes) {
    for (const char* chosen : {"pg1", "pg2"}) {
        auto one = test::parse_scenario(
            "restarted\nrecord epoch=4 primary=pg1 tl=1 at=0/100\n"
            "server pg1 primary tl=1 at=0/200\nserver pg2 primary tl=2 at=0/300\n"
            "server pg3 standby tl=2 at=0/300 of=pg2 streams\n");
        EXPECT_FALSE(one.decide().writers.writer);
        const auto subject = one.the_cluster();
        const auto index = subject.find({chosen, 5432});
        one.input.records["main"] = adopt(subject, *index, one.record(), "ann");
        EXPECT_EQ(one.record()->epoch, 5U);
        const auto out = one.decide().writers;
        EXPECT_EQ(out.writer, index) << out.sentence;
        const std::set<endpoint> others = *index == 0
                                              ? std::set<endpoint>{{"pg2", 5432}, {"pg3", 5432}}
                                              : std::set<endpoint>{{"pg1", 5432}};
        EXPECT_EQ(out.fenced, others) << "pg3 follows pg2";
    }
}

/// The hostgroups that the monitor makes of what was judged: "10 pg2 ONLINE, 20 pg1 SHUNNED".
std::string routed(const std::string& facts, monitor::role pg1, std::uint32_t timeline) {
    const auto one = test::parse_scenario(facts);
    monitor::ruling decision;
    add_to_ruling(decision, one.the_cluster(), one.decide().writers);
    conf::settings settings;
    settings.replication_hostgroups = {{10, 20, ""}};
    std::map<endpoint, monitor::observation> observed;
    for (const auto& row : one.input.clusters.front().servers) {
        auto& server = settings.servers.emplace_back();
        server.hostgroup_id = row.name == "pg1" ? 10 : 20;
        server.hostname = row.name;
        observed[row.at].as = monitor::role::standby;
        observed[row.at].settled = true;
    }
    observed[{"pg1", 5432}].as = pg1;
    observed[{"pg1", 5432}].timeline = timeline;
    std::string out;
    for (const auto& member : compose(settings, observed, decision, {}).groups.members)
        out += (out.empty() ? "" : ", ") + std::to_string(member.hostgroup) + " " + member.at.host +
               " " + std::string(to_string(member.state));
    return out;
}

TEST(Epoch, the_monitor_lets_nobody_write_whom_the_ruling_does_not_name) {
    EXPECT_EQ(routed("record epoch=4 primary=pg2 tl=2\nserver pg1 primary at=0/1 dead\n"
                     "server pg2 primary tl=2 at=0/1 dead\n",
                     monitor::role::primary, 1),
              "20 pg1 SHUNNED, 20 pg2 ONLINE")
        << "pg1 came back before it was read for HA";
    EXPECT_EQ(routed("record epoch=4 primary=pg1 tl=2 at=0/1\nserver pg1 primary tl=2 at=0/1\n",
                     monitor::role::primary, 2),
              "10 pg1 ONLINE");
}

}  // namespace
}  // namespace howdah::ha
