#include "tests/unit/admin/ha_samples.hpp"
#include "tests/unit/admin/ha_view_fixture.hpp"

namespace howdah::admin {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using ha_tables_test = ha_view_fixture;

TEST_F(ha_tables_test, a_cluster_shows_who_writes_and_what_was_decided) {
    EXPECT_EQ(ask("SELECT cluster, alias, writer_hostgroup, system_identifier, epoch, "
                  "primary_server, writer, timeline, servers, problem, severity, action, mode, "
                  "candidate, ready_for_failover, recovery_id FROM ha.clusters "
                  "WHERE cluster = 'main'"),
              "main,shop,10,18000000000000000001,4,pg1:5432,pg1:5432,3,3,,ok,none,manual,"
              "pg2:5432,t,\n");
    EXPECT_EQ(ask("SELECT count(*) FROM ha.clusters WHERE writer IS NULL"), "1\n");
    EXPECT_EQ(ask("SELECT seen_at FROM ha.clusters LIMIT 1"), "2023-11-14 22:13:20.000000+00\n");
}

TEST_F(ha_tables_test, a_dead_primary_shows_the_problem_and_why_nothing_follows) {
    primary_dies();
    EXPECT_EQ(ask("SELECT problem, severity, action, primary_server, writer FROM ha.clusters "
                  "WHERE cluster = 'main'"),
              "DeadPrimary,critical,none,pg1:5432,\n");
    EXPECT_THAT(ask("SELECT decision FROM ha.clusters WHERE cluster = 'main'"),
                AllOf(StartsWith("DeadPrimary: "), HasSubstr("No failover: ")));
    EXPECT_EQ(ask("SELECT hostname, port, orchestrator_name, calls_for_failover FROM ha.analysis "
                  "WHERE headline AND cluster = 'main'"),
              "pg1,5432,DeadPrimary,t\n");
    EXPECT_EQ(ask("SELECT open FROM ha.gates WHERE cluster = 'main' AND gate = 'mode'"), "f\n");
    EXPECT_THAT(ask("SELECT reason FROM ha.gates WHERE cluster = 'main' AND gate = 'mode'"),
                HasSubstr("manual"));
    EXPECT_EQ(ask("SELECT name FROM ha.candidates WHERE cluster = 'main' AND place = 1 AND chosen "
                  "AND eligible"),
              "east\n");
    EXPECT_EQ(ask("SELECT reachability, detail, is_current, read_ms_ago FROM ha.servers "
                  "WHERE hostname = 'pg1'"),
              "dead,Connection refused,f,4000\n");
}

TEST_F(ha_tables_test, automatic_is_what_mode_filter_and_global_switch_allow_together) {
    const auto automatic = [&] {
        return ask("SELECT automatic FROM ha.clusters WHERE cluster = 'main'");
    };
    EXPECT_EQ(automatic(), "f\n");
    allowed_.mode = ha::mode::automatic;
    EXPECT_EQ(automatic(), "f\n");
    allowed_.cluster_filters = {"alias=shop"};
    EXPECT_EQ(automatic(), "t\n");
    allowed_.global_recoveries = false;
    EXPECT_EQ(automatic(), "f\n");
}

TEST_F(ha_tables_test, a_server_shows_its_facts_and_its_place) {
    EXPECT_EQ(ask("SELECT hostname, port, name, standing, role, reachability, is_current, "
                  "read_ms_ago, timeline, flush_lsn, receive_lsn, replay_lsn, behind_bytes, "
                  "replay_lag_ms, receiver, upstream, depth, sync_state, primary_slot_name "
                  "FROM ha.servers WHERE cluster = 'main' ORDER BY depth"),
              "pg1,5432,pg1:5432,writer,primary,up,t,200,3,0/5000100,,,0,,,,0,,\n"
              "pg2,5432,east,standby,standby,up,t,200,3,,0/5000060,0/5000060,160,12,streaming,"
              "pg1:5432,1,async,howdah_east\n"
              "pg3,5432,pg3:5432,standby,standby,up,t,200,3,,0/5000000,0/5000000,256,,streaming,"
              "pg2:5432,2,,\n");
    EXPECT_EQ(ask("SELECT promotion_rule, downtimed, fenced, tags, data_center, version, slots, "
                  "replay_paused FROM ha.servers WHERE name = 'east'"),
              "prefer,f,f,{\"rack\":\"r\\\"1\"},dc1,15.4,,f\n");
    EXPECT_EQ(ask("SELECT slots FROM ha.servers WHERE hostname = 'pg1'"),
              "howdah_east (inactive)\n");
    EXPECT_EQ(ask("SELECT hostname FROM ha.servers WHERE replay_paused"), "pg3\n");
    EXPECT_EQ(ask("SELECT standing, role, reachability, timeline, version, system_identifier, "
                  "read_ms_ago FROM ha.servers WHERE hostname = '2001:db8::1'"),
              "unknown,,unknown,,,,\n");
}

TEST_F(ha_tables_test, no_password_is_shown_in_any_table) {
    for (const live_table& t : environment_.tables)
        if (t.schema == "ha") {
            EXPECT_THAT(ask("SELECT * FROM ha." + std::string(t.name)), Not(HasSubstr("secret")));
        }
}

TEST_F(ha_tables_test, who_was_replaced_and_writes_is_shown_as_fenced) {
    record_.fenced = {{{"pg3", 5432}, 3, 2, "was replaced"}};
    facts_[pg3] = common();
    facts_[pg3].in_recovery = false;
    facts_[pg3].timeline = 2;
    facts_[pg3].flush_lsn = 0x4000000;
    EXPECT_EQ(ask("SELECT hostname, standing FROM ha.servers WHERE fenced AND cluster = 'main'"),
              "pg3,outdated\n");
}

TEST_F(ha_tables_test, what_would_stop_a_failover_is_told_per_server) {
    facts_[pg2].may.promote = false;
    EXPECT_EQ(ask("SELECT name, blocking FROM ha.preflight WHERE cluster = 'main' AND "
                  "reason = 'grant_promote'"),
              "east,t\n");
}

TEST_F(ha_tables_test, what_operators_do_not_want_to_see_or_is_over_is_not_shown) {
    discovered_ = {{{"new", 5432}, "main", "pg_stat_replication of pg1"},
                   {{"old", 5432}, "main", "pg_stat_replication of pg1"}};
    notes_.forgotten = {{"old", 5432}};
    notes_.downtimes[pg2] = {"ann", "disk", 1, test::latest};
    notes_.downtimes[pg3] = {"ann", "disk", 1, 2};
    EXPECT_EQ(ask("SELECT * FROM ha.discovered"), "main,new,5432,pg_stat_replication of pg1\n");
    EXPECT_EQ(ask("SELECT hostname, port, owner, reason, since FROM ha.downtimes"),
              "pg2,5432,ann,disk,1970-01-01 00:00:00.000001+00\n");
}

TEST_F(ha_tables_test, what_is_under_way_is_shown_with_its_cluster) {
    under_way_.emplace();
    under_way_->id = 9;
    under_way_->sentence = "freezes the standbys";
    EXPECT_EQ(ask("SELECT cluster, recovery FROM ha.clusters WHERE recovery_id = 9"),
              "main,freezes the standbys\n");
}

TEST_F(ha_tables_test, history_can_be_joined) {
    ha::recovery r = test::full_recovery();
    r.sentence = "pg2 was promoted";
    r.acknowledge_comment = "seen";
    r.started_at = 1'700'000'000'000'000;
    r.writable_at = r.started_at + 640'000;
    r.ended_at = r.started_at + 1'900'000;
    r.id = kept_.save(r);
    ha::recovery running;
    running.kind = "switchover";
    running.failed = pg1;
    running.started_at = 1;
    (void)kept_.save(running);
    ha::recovery_step s = test::full_step(r.id);
    s.took_us = 1500;
    (void)kept_.add(s);
    ha::detection d = test::full_detection();
    d.recovery_id = r.id;
    (void)kept_.save(d);
    (void)kept_.add(test::full_entry());

    EXPECT_EQ(ask("SELECT kind, problem, failed, successor, automatic, ordered_by, started_at, "
                  "writable_after_ms, took_ms, successful, lost, acknowledged_by "
                  "FROM ha.recoveries ORDER BY id"),
              "failover,DeadPrimary,pg1:5432,pg2:65535,t,ann,2023-11-14 22:13:20.000000+00,640,"
              "1900,t,pg3:5432,bob\n"
              "switchover,,pg1:5432,,f,,1970-01-01 00:00:00.000001+00,,,f,,\n");
    EXPECT_EQ(ask("SELECT loss_bytes, epoch FROM ha.recoveries WHERE id = 1"),
              "9223372036854775807,9223372036854775807\n");
    EXPECT_EQ(ask("SELECT r.uid, s.server, s.outcome, s.took_ms FROM ha.recovery_steps s JOIN "
                  "ha.recoveries r ON r.id = s.recovery_id"),
              "u-1,pg2,unknown,1.5\n");
    EXPECT_EQ(ask("SELECT d.problem, d.hostname FROM ha.detections d JOIN ha.recoveries r ON "
                  "r.id = d.recovery_id"),
              "DeadPrimary,pg1\n");
    EXPECT_EQ(ask("SELECT type, cluster, hostname, port, ordered_by FROM ha.audit"),
              "begin-downtime,main,pg1,5432,ann\n");
}

TEST_F(ha_tables_test, can_be_read_by_everybody_and_written_by_nobody) {
    EXPECT_THAT(ask("SELECT count(*) FROM ha.servers", role::stats), "6\n");
    EXPECT_THAT(ask("DELETE FROM ha.servers"), StartsWith("ERROR: "));
    EXPECT_THAT(ask("DELETE FROM ha.servers", role::stats), StartsWith("ERROR: "));
}

TEST_F(ha_tables_test, every_column_of_every_table_has_a_line_in_the_documentation) {
    std::size_t tables = 0;
    for (const live_table& t : environment_.tables) {
        if (t.schema != "ha") continue;
        ++tables;
        EXPECT_THAT(t.doc, Not(IsEmpty())) << t.name;
        for (const live_column& c : t.columns)
            EXPECT_THAT(c.doc, Not(IsEmpty())) << t.name << "." << c.name;
    }
    EXPECT_EQ(tables, 12U);
}

}  // namespace
}  // namespace howdah::admin
