#include "admin/orchestrator/api.hpp"

#include "tests/unit/orchestrator/api_fixture.hpp"

namespace howdah::admin::orchestrator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

using Api = api_fixture;

TEST_F(Api, answers_json_for_whatever_is_asked) {
    EXPECT_EQ(get("/api/no-such-thing").status, 404U);
    EXPECT_THAT(error("/api/topology", 404), HasSubstr("there is topology"));
    EXPECT_EQ(get("/index.html").status, 404U);
    EXPECT_EQ(get("/api/topology/%zz").status, 400U);
    EXPECT_EQ(get("/api/clusters", "DELETE").status, 405U);
    EXPECT_EQ(get("/api/clusters", "OPTIONS").status, 405U);
    EXPECT_EQ(get("/api/instance/pg1/port").status, 500U);
    EXPECT_EQ(get("/api/instance/pg1/99999").status, 500U);
    EXPECT_THAT(error("/api/instance/pg9/5432"), HasSubstr("pg9:5432 is not known"));
    EXPECT_EQ(get("/").body["name"], "howdah");
    for (const auto& target : {"/api", "/api/clusters", "/"})
        EXPECT_THAT(get(target).whole.type, StartsWith("application/json"));
}

TEST_F(Api, takes_a_cluster_by_its_name_alias_and_members) {
    cluster_.notes.aliases["main"] = "shop";
    cluster_.config("pg2").also_known_as = {{"db-b.example", 5433}};
    for (const char* hint : {"main", "shop", "pg1:5432", "pg2:5432", "pg3", "db-b.example:5433",
                             "db-b.example", "shop/", "pg2%3A5432", "main%0A"})
        EXPECT_EQ(get(std::string("/api/cluster-info/") + hint).body["ClusterName"], "pg1:5432")
            << hint;
    for (const char* path : {"/api/cluster-info/alias/shop", "/api/cluster-info/pg3/5432"})
        EXPECT_EQ(get(path).body["ClusterName"], "pg1:5432") << path;
    for (const char* hint : {"nobody", "pg1:6000", "pg"})
        EXPECT_THAT(error(std::string("/api/topology/") + hint), HasSubstr("cluster")) << hint;
}

TEST_F(Api, a_name_that_means_two_clusters_means_none) {
    auto& other = cluster_.input.clusters.emplace_back();
    other.name = "other";
    other.servers.emplace_back().at = {"pg1", 6000};
    EXPECT_THAT(error("/api/topology/pg1"), HasSubstr("more than one"));
    EXPECT_EQ(get("/api/cluster-info/pg1:5432").body["ClusterAlias"], "main");
}

TEST_F(Api, takes_the_port_that_orchestrator_client_adds_for_none) {
    EXPECT_EQ(key(get("/api/instance/pg2/3306").body["Key"]), "pg2:5432");
    EXPECT_THAT(error("/api/instance/pg2/3307"), HasSubstr("pg2:3307 is not known"));
    auto& second = cluster_.input.clusters.front().servers.emplace_back();
    second.at = {"pg2", 6000};
    EXPECT_THAT(error("/api/instance/pg2/3306"), HasSubstr("pg2:3306 is not known"));
    second.at.port = 3306;
    EXPECT_EQ(key(get("/api/instance/pg2/3306").body["Key"]), "pg2:3306");
}

TEST_F(Api, lists_clusters_and_servers) {
    EXPECT_EQ(get("/api/clusters").body, json::array({"pg1:5432"}));
    EXPECT_EQ(get("/api/clusters-info").body[0]["ClusterName"], "pg1:5432");
    EXPECT_THAT(keys(get("/api/all-instances").body),
                ElementsAre("pg1:5432", "pg2:5432", "pg3:5432"));
    EXPECT_THAT(keys(get("/api/cluster/main").body), SizeIs(3));
    EXPECT_THAT(keys(get("/api/cluster/instance/pg2/5432").body), SizeIs(3));
    EXPECT_THAT(keys(get("/api/cluster/alias/main").body), SizeIs(3));
    EXPECT_THAT(keys(get("/api/masters").body), ElementsAre("pg1:5432"));
    EXPECT_EQ(get("/api/master/pg3:5432").body["ClusterName"], "pg1:5432");
    for (const char* word : {"instance-replicas", "instance-slaves"})
        EXPECT_THAT(keys(get("/api/" + std::string(word) + "/pg1/5432").body),
                    ElementsAre("pg2:5432", "pg3:5432"));
    EXPECT_EQ(get("/api/instance-replicas/pg2/5432").body, json::array());
    EXPECT_THAT(keys(get("/api/cluster-osc-slaves/main").body),
                ElementsAre("pg2:5432", "pg3:5432"));
    EXPECT_THAT(keys(get("/api/search?s=pg2%0A").body), ElementsAre("pg2:5432"));
    EXPECT_EQ(get("/api/bulk-instances").body, json::array({"pg1:5432", "pg2:5432", "pg3:5432"}));
}

TEST_F(Api, empty_lists_are_lists) {
    cluster_.input.clusters.clear();
    cluster_.input.facts.clear();
    for (const char* path : {"clusters", "clusters-info", "masters", "all-instances", "problems",
                             "downtimed/", "downtimed", "maintenance", "audit-recovery",
                             "audit-failure-detection", "audit", "blocked-recoveries", "search?s=x",
                             "tagged/?tag=x", "tagged?tag=x", "replication-analysis-changelog"})
        EXPECT_EQ(get("/api/" + std::string(path)).body, json::array()) << path;
    EXPECT_EQ(details("/api/replication-analysis"), json::array());
}

TEST_F(Api, without_a_writer_there_is_no_master) {
    cluster_.kill_primary();
    EXPECT_EQ(get("/api/masters").body, json::array());
    EXPECT_THAT(error("/api/master/main"), StartsWith("No masters found"));
    EXPECT_EQ(get("/api/cluster-info/main").body["ClusterName"], "pg1:5432");
}

TEST_F(Api, draws_the_topology_in_three_ways) {
    const auto plain = get("/api/topology/pg2:5432").body;
    EXPECT_EQ(plain["Message"], "Topology for cluster pg1:5432");
    EXPECT_EQ(plain["Details"],
              "pg1:5432   [0s,ok,15.4,rw,>>]\n+ pg2:5432 [0s,ok,15.4,ro,>>]\n"
              "+ pg3:5432 [0s,ok,15.4,ro,>>]");
    EXPECT_EQ(details("/api/topology/pg2/5432"), plain["Details"]);
    EXPECT_THAT(details("/api/topology-tabulated/main").get<std::string>(),
                StartsWith("pg1:5432  |0s|ok|15.4|rw||>>"));
    EXPECT_THAT(details("/api/topology-tags/main").get<std::string>(), HasSubstr(">>] []"));
}

// orchestrator-client sends recover twice, always, and prints the second answer.
TEST_F(Api, recover_sent_twice_promotes_once_and_names_the_same_successor) {
    cluster_.kill_primary();
    const auto first = get("/api/recover/pg1/5432").body;
    EXPECT_EQ(first["Message"], "Recovery executed on pg1:5432");
    EXPECT_EQ(key(first["Details"]), "pg2:5432");
    EXPECT_EQ(get("/api/recover/pg1/5432").body, first);
    EXPECT_THAT(cluster_.orders, ElementsAre("fail_over pg1:5432 by 127.0.0.1"));
}

TEST_F(Api, recover_with_a_candidate_comes_second_and_says_that_another_one_was_promoted) {
    cluster_.kill_primary();
    details("/api/recover/pg1/5432");
    const auto second = get("/api/recover/pg1/5432/pg3/5432").body;
    EXPECT_EQ(second["Code"], "OK");
    EXPECT_EQ(key(second["Details"]), "pg2:5432");
    EXPECT_THAT(second["Message"].get<std::string>(), HasSubstr("pg3:5432 was not used"));
    EXPECT_THAT(cluster_.orders, SizeIs(1));
}

TEST_F(Api, recover_with_a_candidate_alone_promotes_it) {
    cluster_.kill_primary();
    EXPECT_EQ(key(details("/api/recover/pg1/5432/pg3/5432")), "pg3:5432");
    EXPECT_THAT(cluster_.orders, ElementsAre("fail_over pg1:5432 to pg3:5432 by 127.0.0.1"));
}

TEST_F(Api, recover_asked_again_while_it_runs_waits_for_the_same_answer) {
    cluster_.kill_primary();
    cluster_.hold_answers = true;
    // The history has nothing yet.
    cluster_.outcome = [](const std::string&, const ha::recovery_order&) {
        ha::order_answer out;
        out.done = true;
        out.successor = test::endpoint{"pg3", 5432};
        out.recovery_id = 1;
        return out;
    };
    EXPECT_FALSE(try_get("/api/recover/pg1/5432"));
    const auto first = last_;
    EXPECT_FALSE(try_get("/api/recover/pg1/5432"));
    const auto second = last_;
    EXPECT_THAT(cluster_.orders, SizeIs(1));
    cluster_.held.at(0)();
    ASSERT_TRUE(*first && *second);
    EXPECT_EQ(key((*first)->body["Details"]), "pg3:5432");
    EXPECT_EQ((*first)->body, (*second)->body);
}

TEST_F(Api, recover_after_a_while_is_a_new_order) {
    cluster_.kill_primary();
    details("/api/recover/pg1/5432");
    cluster_.now += 301 * test::second;
    details("/api/recover/pg1/5432");
    EXPECT_THAT(cluster_.orders, SizeIs(2));
}

TEST_F(Api, recover_of_a_server_that_took_over_since_is_a_new_order) {
    cluster_.kill_primary();
    // pg1 was replaced by pg2, and later pg2 by pg1.
    for (const auto& [from, to] : {std::pair("pg1", "pg2"), std::pair("pg2", "pg1")}) {
        auto& row = cluster_.recoveries.emplace_back();
        row.id = static_cast<std::int64_t>(cluster_.recoveries.size());
        row.cluster = "main";
        row.kind = "switchover";
        row.failed = {from, 5432};
        row.successor = test::endpoint{to, 5432};
        row.successful = true;
        row.started_at = row.ended_at = test::noon - 10 * test::second;
    }
    details("/api/recover/pg1/5432");
    EXPECT_THAT(cluster_.orders, SizeIs(1));
}

TEST_F(Api, recover_that_is_refused_says_why_and_gives_the_key_that_was_asked_for) {
    cluster_.outcome = [](const std::string&, const ha::recovery_order&) {
        ha::order_answer out;
        out.sentence = "main: pg1 answers";
        return out;
    };
    const auto refused = get("/api/recover/pg1/5432");
    EXPECT_EQ(refused.status, 500U);
    EXPECT_EQ(refused.body["Message"], "Recovery not attempted: main: pg1 answers");
    EXPECT_EQ(key(refused.body["Details"]), "pg1:5432");
    EXPECT_THAT(error("/api/recover/pg2/5432"), HasSubstr("not the primary of its cluster"));
    EXPECT_THAT(error("/api/recover/pg7/5432"), HasSubstr("not known"));
    EXPECT_THAT(error("/api/recover/pg1/5432/pg7/5432"), HasSubstr("pg7:5432 is not known"));
    EXPECT_THAT(error("/api/recover/pg1/5432?skipProcesses=true"), HasSubstr("hooks"));
    EXPECT_THAT(error("/api/recover-lite/pg1/5432"), HasSubstr("Hooks"));
}

TEST_F(Api, a_takeover_answers_with_the_recovery) {
    for (const char* path :
         {"/api/graceful-master-takeover/main", "/api/graceful-master-takeover-auto/pg1/5432"}) {
        const auto out = details(path);
        EXPECT_EQ(key(out["SuccessorKey"]), "pg2:5432") << path;
        EXPECT_EQ(out["IsSuccessful"], true);
        EXPECT_EQ(out["Kind"], "switchover");
    }
    EXPECT_EQ(key(details("/api/graceful-master-takeover/main/pg3/5432")["SuccessorKey"]),
              "pg3:5432");
    EXPECT_EQ(key(details("/api/graceful-master-takeover/pg2/5432/pg3/5432")["SuccessorKey"]),
              "pg3:5432");
    EXPECT_THAT(cluster_.orders,
                ElementsAre("switch_over main by 127.0.0.1", "switch_over main by 127.0.0.1",
                            "switch_over main to pg3:5432 by 127.0.0.1",
                            "switch_over main to pg3:5432 by 127.0.0.1"));
}

TEST_F(Api, force_switches_over_where_the_primary_lives_and_accepts_loss_where_it_is_dead) {
    EXPECT_EQ(get("/api/force-master-failover/main").body["Message"], "Master failed over");
    cluster_.kill_primary();
    EXPECT_EQ(key(details("/api/force-master-takeover/main/pg3/5432")["SuccessorKey"]), "pg3:5432");
    EXPECT_THAT(cluster_.orders,
                ElementsAre("switch_over main by 127.0.0.1",
                            "fail_over main to pg3:5432 with data loss by 127.0.0.1"));
    cluster_.outcome = [](const std::string&, const ha::recovery_order&) {
        ha::order_answer out;
        out.sentence = "no candidate";
        return out;
    };
    EXPECT_EQ(error("/api/force-master-failover/main"), "Master not failed over: no candidate");
}

TEST_F(Api, acknowledges_with_a_comment_only) {
    EXPECT_EQ(error("/api/ack-all-recoveries"), "No acknowledge comment given");
    EXPECT_EQ(details("/api/ack-all-recoveries?comment=verified%0A"), "verified");
    EXPECT_EQ(details("/api/ack-recovery/cluster/main?comment=all%0A"), "pg1:5432");
    EXPECT_EQ(details("/api/ack-recovery/cluster/alias/main?comment=x"), "pg1:5432");
    EXPECT_EQ(key(details("/api/ack-recovery/instance/pg1/5432?comment=x")), "pg1:5432");
    EXPECT_EQ(details("/api/ack-recovery/17?comment=x"), "17");
    EXPECT_EQ(details("/api/ack-recovery/uid/u-1?comment=x"), "u-1");
    EXPECT_THAT(error("/api/ack-recovery/abc?comment=x"), HasSubstr("abc"));
    EXPECT_EQ(cluster_.orders.at(0),
              "acknowledge cluster= id=0 uid= server= by 127.0.0.1: verified");
    EXPECT_EQ(cluster_.orders.at(1),
              "acknowledge cluster=main id=0 uid= server= by 127.0.0.1: all");
    EXPECT_THAT(cluster_.orders.at(3), HasSubstr("server=pg1:5432"));
    EXPECT_THAT(cluster_.orders.at(4), HasSubstr("id=17"));
}

TEST_F(Api, relocates_standbys_and_answers_with_them_as_they_are_then) {
    for (const char* word : {"relocate", "move-below", "move-gtid", "repoint", "match"}) {
        const auto moved = details("/api/" + std::string(word) + "/pg3/5432/pg2/5432");
        EXPECT_EQ(key(moved["Key"]), "pg3:5432");
        EXPECT_EQ(key(moved["MasterKey"]), "pg2:5432");
    }
    EXPECT_EQ(cluster_.orders.at(0), "rewire pg3:5432 below pg2:5432 by 127.0.0.1");
    EXPECT_EQ(key(details("/api/move-up/pg3/5432")["MasterKey"]), "pg1:5432");
    EXPECT_EQ(key(details("/api/take-siblings/pg2/5432")["Key"]), "pg2:5432");
    EXPECT_EQ(cluster_.orders.at(cluster_.orders.size() - 2),
              "rewire pg3:5432 below pg2:5432 by 127.0.0.1");
    EXPECT_THAT(keys(details("/api/move-up-slaves/pg2/5432")), ElementsAre("pg3:5432"));
    EXPECT_THAT(keys(details("/api/relocate-replicas/pg1/5432/pg2/5432")), ElementsAre("pg3:5432"));
    EXPECT_THAT(keys(details("/api/repoint-replicas/pg2/5432/")), ElementsAre("pg3:5432"));
    EXPECT_EQ(key(details("/api/start-slave/pg2/5432")["MasterKey"]), "pg1:5432");
    EXPECT_THAT(error("/api/relocate/pg3/5432/pg3/5432"), HasSubstr("itself"));
    EXPECT_THAT(error("/api/move-up/pg2/5432"), HasSubstr("follows no server"));
    EXPECT_THAT(error("/api/repoint-replicas/pg3/5432"), HasSubstr("no standby to move"));
}

TEST_F(Api, says_whether_one_could_follow_another) {
    const auto message = [&](const std::string& pair) {
        return get("/api/can-replicate-from/" + pair).body["Message"].get<std::string>();
    };
    EXPECT_EQ(message("pg2/5432/pg3/5432"), "true");
    EXPECT_EQ(message("pg2/5432/pg1/5432"), "true");
    for (const char* pair : {"pg2/5432/pg2/5432", "pg1/5432/pg2/5432"})
        EXPECT_THAT(message(pair), StartsWith("false: ")) << pair;
    *cluster_.facts("pg2").receive_lsn += 1000;
    EXPECT_THAT(message("pg2/5432/pg3/5432"), HasSubstr("pg2:5432 has more WAL"));
}

TEST_F(Api, downtime_and_maintenance_begin_end_and_are_listed) {
    EXPECT_EQ(key(details("/api/begin-downtime/pg2/5432/ann%0A/disk%20full%0A/1h")), "pg2:5432");
    const auto& note = cluster_.notes.downtimes.at({"pg2", 5432});
    EXPECT_EQ(note.owner, "ann");
    EXPECT_EQ(note.reason, "disk full");
    EXPECT_EQ(note.until - note.since, 3600 * test::second);
    EXPECT_THAT(keys(get("/api/downtimed/").body), ElementsAre("pg2:5432"));
    EXPECT_THAT(keys(get("/api/downtimed/main").body), ElementsAre("pg2:5432"));
    details("/api/begin-downtime/pg2/5432/ann/again");
    EXPECT_EQ(cluster_.notes.downtimes.at({"pg2", 5432}).until, test::noon + 600 * test::second);
    EXPECT_THAT(error("/api/begin-downtime/pg2/5432/ann/x/soon"), HasSubstr("no duration"));
    EXPECT_EQ(key(details("/api/end-downtime/pg2/5432")), "pg2:5432");
    EXPECT_EQ(get("/api/downtimed").body, json::array());

    EXPECT_EQ(key(details("/api/begin-maintenance/pg3/5432/ann/upgrade")), "pg3:5432");
    EXPECT_THAT(error("/api/begin-maintenance/pg3/5432/bob/too"), HasSubstr("already"));
    const auto all = get("/api/maintenance").body;
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0]["Owner"], "ann");
    EXPECT_EQ(details("/api/in-maintenance/pg3/5432"), "pg3:5432");
    EXPECT_EQ(key(details("/api/end-maintenance/" + all[0]["MaintenanceId"].dump())), "pg3:5432");
    EXPECT_EQ(details("/api/in-maintenance/pg3/5432"), "");
    EXPECT_EQ(cluster_.audit.front().by, "127.0.0.1");
}

TEST_F(Api, promotion_rules_are_set_for_an_hour_or_as_asked) {
    EXPECT_EQ(key(details("/api/register-candidate/pg3/5432/must")), "pg3:5432");
    EXPECT_EQ(cluster_.notes.promotion_rules.at({"pg3", 5432}).until,
              test::noon + 3600 * test::second);
    details("/api/register-candidate/pg3/5432/prefer_not?duration=0");
    EXPECT_EQ(cluster_.notes.promotion_rules.at({"pg3", 5432}).until, 0);
    EXPECT_EQ(get("/api/instance/pg3/5432").body["PromotionRule"], "prefer_not");
    EXPECT_THAT(error("/api/register-candidate/pg3/5432/maybe"), HasSubstr("must_not"));
}

TEST_F(Api, tags_are_set_found_and_removed) {
    cluster_.config("pg1").tags["dc"] = "a";
    EXPECT_EQ(key(details("/api/tag/pg2/5432?tag=rack%3D7%0A")), "pg2:5432");
    details("/api/tag/pg2/5432?tag=old%0A");
    details("/api/tag/pg3/5432?tag=rack=8");
    EXPECT_EQ(get("/api/tags/pg2/5432").body, json::array({"old", "rack=7"}));
    EXPECT_EQ(get("/api/tag-value/pg2/5432?tag=rack%0A").body, "7");
    EXPECT_THAT(error("/api/tag-value/pg2/5432?tag=none"), HasSubstr("not found"));
    const auto tagged = [&](const std::string& tags) {
        return keys(get("/api/tagged/?tag=" + tags + "%0A").body);
    };
    EXPECT_THAT(tagged("rack"), ElementsAre("pg2:5432", "pg3:5432"));
    EXPECT_THAT(tagged("rack%3D8"), ElementsAre("pg3:5432"));
    EXPECT_THAT(tagged("rack%2Cold"), ElementsAre("pg2:5432"));
    EXPECT_THAT(tagged("rack%2C~old"), ElementsAre("pg3:5432"));
    // As the supervisor shows it: operators' tags are among the server's.
    cluster_.config("pg2").tags["old"] = "";
    EXPECT_THAT(keys(details("/api/untag/pg2/5432?tag=rack=9")), IsEmpty());
    EXPECT_THAT(keys(details("/api/untag/pg2/5432?tag=old")), ElementsAre("pg2:5432"));
    EXPECT_THAT(keys(details("/api/untag-all?tag=rack")), ElementsAre("pg2:5432", "pg3:5432"));
    EXPECT_TRUE(cluster_.notes.tags.empty());
    EXPECT_THAT(error("/api/untag/pg1/5432?tag=dc"), HasSubstr("configuration"));
    EXPECT_THAT(error("/api/tag/pg1/5432"), HasSubstr("no tag given"));
}

TEST_F(Api, automatic_recovery_is_switched_off_and_on) {
    EXPECT_EQ(details("/api/check-global-recoveries"), "enabled");
    EXPECT_EQ(details("/api/disable-global-recoveries"), "disabled");
    EXPECT_EQ(details("/api/check-global-recoveries"), "disabled");
    EXPECT_EQ(details("/api/enable-global-recoveries"), "enabled");
    EXPECT_EQ(details("/api/check-global-recoveries"), "enabled");
}

TEST_F(Api, discovery_looks_and_adds_nobody) {
    EXPECT_EQ(key(details("/api/discover/pg2/5432")["Key"]), "pg2:5432");
    EXPECT_EQ(key(details("/api/async-discover/pg2/5432")["Key"]), "pg2:5432");
    EXPECT_EQ(key(details("/api/refresh/pg2/5432")), "pg2:5432");
    EXPECT_THAT(cluster_.orders, ElementsAre("look", "look", "look"));
    EXPECT_THAT(error("/api/discover/pg9/5432"), HasSubstr("pgsql_servers"));
    EXPECT_THAT(error("/api/forget/pg2/5432"), HasSubstr("pgsql_servers"));
    EXPECT_THAT(error("/api/forget/pg9/5432"), HasSubstr("not known"));
    EXPECT_THAT(error("/api/forget-cluster/main"), HasSubstr("configured"));
    cluster_.facts("pg2").settings.primary_conninfo = "host=pg9 port=5432";
    cluster_.facts("pg2").receiver.reset();
    EXPECT_EQ(key(details("/api/forget/pg9/5432")), "pg9:5432");
    EXPECT_TRUE(cluster_.notes.forgotten.contains({"pg9", 5432}));
}

TEST_F(Api, says_why_nothing_is_done) {
    cluster_.kill_primary();
    const auto reasons = details("/api/why/main");
    EXPECT_NE(reasons["Sentence"], "");
    EXPECT_THAT(reasons["Gates"], testing::Not(IsEmpty()));
    EXPECT_THAT(reasons["Candidates"], SizeIs(3));
    const auto blocked = get("/api/blocked-recoveries").body;
    ASSERT_THAT(blocked, SizeIs(1));
    EXPECT_EQ(key(blocked[0]["FailedInstanceKey"]), "pg1:5432");
    EXPECT_EQ(blocked[0]["Analysis"], "DeadPrimary");
    EXPECT_NE(blocked[0]["Reason"], "");
    EXPECT_EQ(get("/api/blocked-recoveries/cluster/main").body, blocked);
    EXPECT_EQ(details("/api/dry-run/failover/main"), "failover of main");
    EXPECT_EQ(details("/api/dry-run/switchover/main/pg3/5432"), "switchover of main");
}

TEST_F(Api, what_postgresql_has_not_is_refused_with_what_to_do_instead) {
    EXPECT_THAT(error("/api/set-read-only/pg1/5432"), HasSubstr("graceful-master-takeover"));
    EXPECT_THAT(error("/api/skip-query/pg2/5432"), HasSubstr("no GTIDs"));
    EXPECT_THAT(error("/api/make-co-master/pg2/5432"), HasSubstr("co-masters"));
    EXPECT_THAT(error("/api/stop-slave/pg2/5432"), HasSubstr("pg_wal_replay_pause()"));
    EXPECT_THAT(error("/api/submit-masters-to-kv-stores/"), HasSubstr("ha_post_failover"));
    EXPECT_THAT(cluster_.orders, IsEmpty());
}

TEST_F(Api, is_a_leader_that_is_alone) {
    for (const char* path : {"/api/leader-check", "/api/routed-leader-check",
                             "/api/leader-check/503", "/api/lb-check", "/api/_ping"})
        EXPECT_EQ(get(path).body, "OK") << path;
    EXPECT_EQ(get("/api/raft-state").body, "Leader");
    EXPECT_EQ(get("/api/raft-leader").body, "howdah1:3098");
    EXPECT_EQ(get("/api/raft-health").body, "healthy");
    EXPECT_EQ(get("/api/raft-peers").body, json::array({"howdah1:3098"}));
    EXPECT_EQ(details("/api/raft-yield-hint/howdah1"), "howdah1");
    EXPECT_THAT(error("/api/raft-yield-hint/elsewhere"), HasSubstr("only one"));
    EXPECT_EQ(details("/api/status")["Hostname"], "howdah1");
    EXPECT_EQ(details("/api/health")["Healthy"], true);
}

TEST_F(Api, probes_outside_of_the_api_are_answered_without_a_login) {
    rules_.read_needs_login = true;
    peer = "10.0.0.9";
    EXPECT_EQ(get("/health/live").body["status"], "alive");
    EXPECT_EQ(get("/health/ready").status, 200U);
    EXPECT_EQ(get("/health/leader").status, 200U);
    cluster_.looked_at_all = false;
    EXPECT_EQ(get("/health/ready").status, 503U);
    EXPECT_EQ(get("/health/ready", "HEAD").status, 503U);
    EXPECT_EQ(get("/api/clusters").status, 401U);
}

TEST_F(Api, head_is_answered_and_changes_nothing) {
    cluster_.kill_primary();
    rules_.read_needs_login = true;
    for (const char* path : {"/", "/api", "/api/"}) {
        peer = "10.0.0.9";
        EXPECT_EQ(get(path, "HEAD").status, 200U) << path;
    }
    peer = "127.0.0.1";
    EXPECT_EQ(get("/api/recover/pg1/5432", "HEAD").status, 200U);
    EXPECT_EQ(get("/api/disable-global-recoveries", "HEAD").status, 200U);
    EXPECT_THAT(cluster_.orders, IsEmpty());
    EXPECT_TRUE(cluster_.notes.global_recoveries);
}

TEST_F(Api, every_change_needs_a_login_from_outside_and_every_read_does_not) {
    peer = "10.0.0.9";
    headers["host"] = "howdah.example";
    rules_.credentials = {{"ann", "secret"}};
    const auto a_path_of = [](const route& one) {
        std::string out = "/api/";
        for (const char c : one.path.substr(0, one.path.find('|')))
            out += c;
        if (const auto bar = one.path.find('|'); bar != one.path.npos)
            if (const auto slash = one.path.find('/', bar); slash != one.path.npos)
                out += one.path.substr(slash);
        return out;
    };
    std::size_t changing = 0;
    for (const route& one : api_routes().rows()) {
        const auto answer = get(a_path_of(one));
        EXPECT_EQ(answer.status == 401, one.changes()) << one.path << answer.body.dump();
        changing += one.changes();
        EXPECT_EQ(get(a_path_of(one), "POST").status == 401, one.changes()) << one.path;
    }
    EXPECT_GT(changing, 40U);
    EXPECT_THAT(cluster_.orders, IsEmpty());
    EXPECT_TRUE(cluster_.audit.empty());
    const auto refused = get("/api/recover/pg1/5432");
    EXPECT_THAT(refused.body["Message"].get<std::string>(), StartsWith("Unauthorized"));
    EXPECT_THAT(refused.whole.headers,
                testing::Contains(testing::Pair("WWW-Authenticate", StartsWith("Basic"))));
}

TEST_F(Api, who_logged_in_is_who_ordered) {
    cluster_.kill_primary();
    peer = "10.0.0.9";
    rules_.credentials = {{"ann", "secret"}};
    headers["authorization"] = "Basic YW5uOnNlY3JldA==";
    details("/api/recover/pg1/5432");
    EXPECT_THAT(cluster_.orders, ElementsAre("fail_over pg1:5432 by ann"));
    headers["origin"] = "http://evil.example";
    EXPECT_EQ(get("/api/ack-all-recoveries?comment=x").status, 403U);
    EXPECT_THAT(cluster_.orders, SizeIs(1));
}

TEST_F(Api, a_message_has_no_word_that_a_shell_would_expand) {
    EXPECT_EQ(without_globs("a *  b ? c [x] 'd*' e*f"), "a '*'  b '?' c '[x]' 'd*' 'e*f'");
    EXPECT_EQ(without_globs(""), "");
    EXPECT_EQ(without_globs("plain words "), "plain words ");
}

TEST_F(Api, version_two_reads_with_real_status_codes) {
    EXPECT_EQ(get("/api/v2/clusters").body["data"][0]["ClusterName"], "pg1:5432");
    EXPECT_EQ(get("/api/v2/clusters/main").body["data"]["ClusterAlias"], "main");
    EXPECT_THAT(get("/api/v2/clusters/pg1:5432/instances").body["data"], SizeIs(3));
    const auto topology = get("/api/v2/clusters/main/topology").body;
    EXPECT_EQ(topology["status"], "ok");
    EXPECT_EQ(topology["data"]["clusterName"], "pg1:5432");
    EXPECT_THAT(topology["data"]["topology"].get<std::string>(), StartsWith("pg1:5432 "));
    EXPECT_EQ(key(get("/api/v2/instances/pg2/5432").body["data"]["Key"]), "pg2:5432");
    EXPECT_EQ(get("/api/v2/status").body["data"]["Healthy"], true);
    EXPECT_EQ(get("/api/v2/recoveries").body["data"], json::array());
    EXPECT_EQ(get("/api/v2/recoveries/active").body["data"], json::array());
    const auto fails = [&](const std::string& path, unsigned status, const std::string& code) {
        const auto out = get("/api/v2/" + path);
        EXPECT_EQ(out.status, status) << path;
        EXPECT_EQ(out.body["status"], "error") << path;
        EXPECT_EQ(out.body["error"]["code"], code) << path;
    };
    fails("clusters/none", 404, "NOT_FOUND");
    fails("instances/pg9/5432", 404, "NOT_FOUND");
    fails("instances/pg1/x", 400, "INVALID_INSTANCE");
    fails("proxysql/servers", 503, "PROXYSQL_NOT_CONFIGURED");
}

}  // namespace
}  // namespace howdah::admin::orchestrator
