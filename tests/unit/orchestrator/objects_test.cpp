#include "admin/orchestrator/objects.hpp"

#include "tests/unit/orchestrator/api_fixture.hpp"

namespace howdah::admin::orchestrator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Objects : public api_fixture {
protected:
    static std::vector<std::string> fields(const json& object) {
        std::vector<std::string> out;
        for (const auto& [name, value] : object.items())
            out.push_back(name);
        return out;
    }
    static bool same_type(const json& a, const json& b) {
        return a.type() == b.type() || (a.is_number() && b.is_number());
    }
    /// Every field of `expected` is there, in its order and with its type, before any other.
    static void expect_shape(const json& object, const json& expected) {
        auto names = fields(object);
        const auto wanted = fields(expected);
        ASSERT_GE(names.size(), wanted.size());
        names.resize(wanted.size());
        EXPECT_EQ(names, wanted);
        for (const auto& [name, value] : expected.items())
            EXPECT_TRUE(same_type(object.at(name), value))
                << name << " is " << object.at(name).dump() << ", not like " << value.dump();
    }
};

const json a_key = json::parse(R"({"Hostname": "", "Port": 1})");
const json a_position = json::parse(R"({"LogFile": "wal", "LogPos": 1, "Type": 0})");
const json a_nullable = json::parse(R"({"Int64": 0, "Valid": true})");

TEST_F(Objects, an_instance_has_orchestrators_fields_in_its_order) {
    json expected;
    const auto add = [&](const json& like, std::initializer_list<const char*> names) {
        for (const char* name : names)
            expected[name] = like;
    };
    add(a_key, {"Key"});
    add("", {"InstanceAlias"});
    add(1, {"Uptime", "ServerID"});
    add("", {"ServerUUID", "Version", "VersionComment", "FlavorName"});
    add(true, {"ReadOnly"});
    add("", {"Binlog_format", "BinlogRowImage"});
    add(true, {"LogBinEnabled", "LogSlaveUpdatesEnabled", "LogReplicationUpdatesEnabled"});
    add(a_position, {"SelfBinlogCoordinates"});
    add(a_key, {"MasterKey"});
    add("", {"MasterUUID", "AncestryUUID"});
    add(true, {"IsDetachedMaster", "Slave_SQL_Running", "ReplicationSQLThreadRuning",
               "Slave_IO_Running", "ReplicationIOThreadRuning"});
    add(1, {"ReplicationSQLThreadState", "ReplicationIOThreadState"});
    add(true, {"HasReplicationFilters"});
    add("", {"GTIDMode"});
    add(true, {"SupportsOracleGTID", "UsingOracleGTID", "UsingMariaDBGTID", "UsingPseudoGTID"});
    add(a_position, {"ReadBinlogCoordinates", "ExecBinlogCoordinates"});
    add(true, {"IsDetached"});
    add(a_position, {"RelaylogCoordinates"});
    add("", {"LastSQLError", "LastIOError"});
    add(a_nullable, {"SecondsBehindMaster"});
    add(1, {"SQLDelay"});
    add("", {"ExecutedGtidSet", "GtidPurged", "GtidErrant"});
    add(a_nullable, {"SlaveLagSeconds", "ReplicationLagSeconds"});
    add(json::array(), {"SlaveHosts", "Replicas"});
    add("",
        {"ClusterName", "SuggestedClusterAlias", "DataCenter", "Region", "PhysicalEnvironment"});
    add(1, {"ReplicationDepth"});
    add(true, {"IsCoMaster", "HasReplicationCredentials", "ReplicationCredentialsAvailable"});
    const auto standby = get("/api/instance/pg2/5432").body;
    expect_shape(standby, expected);
    for (const char* name :
         {"SemiSyncMasterEnabled", "SemiSyncReplicaEnabled", "IsLastCheckValid", "IsUpToDate",
          "IsRecentlyChecked", "IsCandidate", "IsDowntimed", "AllowTLS"})
        EXPECT_TRUE(standby.at(name).is_boolean()) << name;
    for (const char* name :
         {"LastSeenTimestamp", "PromotionRule", "DowntimeReason", "DowntimeOwner",
          "DowntimeEndTimestamp", "UnresolvedHostname", "ManagedChannelName"})
        EXPECT_TRUE(standby.at(name).is_string()) << name;
    EXPECT_TRUE(standby.at("ElapsedDowntime").is_number());
    EXPECT_TRUE(same_type(standby.at("SecondsSinceLastSeen"), a_nullable));
    EXPECT_TRUE(standby.at("ReplicationGroupMembers").is_array());
    EXPECT_EQ(standby.at("ProviderType"), "postgresql");
}

TEST_F(Objects, a_healthy_idle_standby_replicates_and_is_not_behind) {
    const auto one = get("/api/instance/pg2/5432").body;
    EXPECT_EQ(key(one["Key"]), "pg2:5432");
    EXPECT_EQ(key(one["MasterKey"]), "pg1:5432");
    EXPECT_EQ(one["Version"], "15.4");
    EXPECT_EQ(one["ReadOnly"], true);
    EXPECT_EQ(one["ReplicationSQLThreadState"], 1);
    EXPECT_EQ(one["ReplicationIOThreadState"], 1);
    for (const char* name : {"SecondsBehindMaster", "SlaveLagSeconds", "ReplicationLagSeconds"})
        EXPECT_EQ(one[name], json::parse(R"({"Int64": 0, "Valid": true})")) << name;
    EXPECT_EQ(one["SelfBinlogCoordinates"]["LogPos"], 0x3000060);
    EXPECT_EQ(one["ClusterName"], "pg1:5432");
    EXPECT_EQ(one["ReplicationDepth"], 1);
    EXPECT_EQ(one["LastSeenTimestamp"], "2026-01-01 11:59:59");
    EXPECT_EQ(one["LastIOError"], "");
    EXPECT_THAT(one["Problems"], IsEmpty());
    EXPECT_EQ(one["PostgreSQL"]["ReplayLSN"], "0/3000060");
    EXPECT_EQ(one["PostgreSQL"]["Standing"], "standby");
    EXPECT_EQ(one["PostgreSQL"]["SystemIdentifier"], "7000000000000000001");
}

TEST_F(Objects, a_primary_follows_nobody) {
    const auto one = get("/api/instance/pg1/5432").body;
    EXPECT_EQ(key(one["MasterKey"]), ":0");
    EXPECT_EQ(one["ReadOnly"], false);
    EXPECT_EQ(one["ReplicationSQLThreadState"], -1);
    EXPECT_EQ(one["ReplicationIOThreadState"], -1);
    EXPECT_EQ(one["SecondsBehindMaster"]["Valid"], false);
    EXPECT_EQ(one["ReplicationDepth"], 0);
    EXPECT_THAT(keys(one["SlaveHosts"]), ElementsAre("pg2:5432", "pg3:5432"));
    EXPECT_EQ(one["Replicas"], one["SlaveHosts"]);
    EXPECT_EQ(one["Uptime"], 3599);
}

TEST_F(Objects, a_standby_of_a_dead_primary_still_has_it_as_its_master) {
    cluster_.kill_primary();
    for (const char* path : {"/api/instance/pg2/5432", "/api/instance/pg3/5432"}) {
        const auto one = get(path).body;
        EXPECT_EQ(key(one["MasterKey"]), "pg1:5432");
        EXPECT_EQ(one["ReplicationIOThreadState"], 0);
        EXPECT_EQ(one["ReplicationIOThreadRuning"], false);
        EXPECT_NE(one["LastIOError"], "");
        EXPECT_THAT(one["Problems"], testing::Contains("not_replicating"));
    }
    const auto dead = get("/api/instance/pg1/5432").body;
    EXPECT_EQ(dead["IsLastCheckValid"], false);
    EXPECT_EQ(dead["IsRecentlyChecked"], true);
    EXPECT_THAT(dead["Problems"], ElementsAre("last_check_invalid", "DeadPrimary"));
    EXPECT_EQ(dead["LastIOError"], "Connection refused");
}

TEST_F(Objects, a_frozen_standby_still_has_the_master_that_it_had) {
    cluster_.kill_primary();
    auto& frozen = cluster_.facts("pg2");
    frozen.conninfo_before_freeze = std::exchange(frozen.settings.primary_conninfo, "");
    EXPECT_EQ(key(get("/api/instance/pg2/5432").body["MasterKey"]), "pg1:5432");
}

TEST_F(Objects, a_master_that_nobody_knows_is_named_all_the_same) {
    auto& standby = cluster_.facts("pg2");
    standby.settings.primary_conninfo = "host=elsewhere port=6000";
    standby.receiver.reset();
    EXPECT_EQ(key(get("/api/instance/pg2/5432").body["MasterKey"]), "elsewhere:6000");
}

TEST_F(Objects, downtime_and_promotion_rules_of_operators_count) {
    cluster_.notes.downtimes[{"pg2", 5432}] = {"ann", "disk", test::noon - 5 * test::second,
                                               test::noon + 600 * test::second};
    cluster_.notes.promotion_rules[{"pg2", 5432}] = {ha::promotion_rule::prefer, 0};
    cluster_.notes.promotion_rules[{"pg3", 5432}] = {ha::promotion_rule::must_not, test::noon};
    const auto one = get("/api/instance/pg2/5432").body;
    EXPECT_EQ(one["IsDowntimed"], true);
    EXPECT_EQ(one["DowntimeOwner"], "ann");
    EXPECT_EQ(one["DowntimeReason"], "disk");
    EXPECT_EQ(one["DowntimeEndTimestamp"], "2026-01-01 12:10:00");
    EXPECT_EQ(one["ElapsedDowntime"], 5'000'000'000);
    EXPECT_EQ(one["PromotionRule"], "prefer");
    EXPECT_EQ(one["IsCandidate"], true);
    EXPECT_EQ(get("/api/instance/pg3/5432").body["PromotionRule"], "neutral") << "it is over";
}

TEST_F(Objects, a_cluster_is_named_by_its_primary_and_has_its_stable_name_as_alias) {
    const auto one = get("/api/cluster-info/main").body;
    expect_shape(one, json::parse(R"({"ClusterName": "", "ClusterAlias": "", "ClusterDomain": "",
        "CountInstances": 1, "HeuristicLag": 0, "HasAutomatedMasterRecovery": true,
        "HasAutomatedIntermediateMasterRecovery": true})"));
    EXPECT_EQ(one["ClusterName"], "pg1:5432");
    EXPECT_EQ(one["ClusterAlias"], "main");
    EXPECT_EQ(one["CountInstances"], 3);
    EXPECT_EQ(one["HasAutomatedMasterRecovery"], false);
    cluster_.allowed.mode = ha::mode::automatic;
    cluster_.allowed.cluster_filters = {"main"};
    EXPECT_EQ(get("/api/cluster-info/main").body["HasAutomatedMasterRecovery"], true);
    cluster_.notes.aliases["main"] = "shop";
    EXPECT_EQ(get("/api/cluster-info/shop").body["ClusterAlias"], "shop");
}

TEST_F(Objects, an_analysis_names_the_problem_as_orchestrator_does_and_says_what_is_decided) {
    EXPECT_EQ(details("/api/replication-analysis"), json::array());
    cluster_.kill_primary();
    const auto all = details("/api/replication-analysis");
    const auto& one = all.at(0);
    EXPECT_EQ(key(one["AnalyzedInstanceKey"]), "pg1:5432");
    EXPECT_EQ(one["ClusterDetails"]["ClusterName"], "pg1:5432");
    EXPECT_EQ(one["Analysis"], "DeadPrimary");
    EXPECT_EQ(one["IsActionableRecovery"], true);
    EXPECT_EQ(one["LastCheckValid"], false);
    EXPECT_EQ(one["CountReplicas"], 2);
    EXPECT_EQ(one["CountValidReplicas"], 2);
    EXPECT_EQ(one["CountValidReplicatingReplicas"], 0);
    EXPECT_EQ(one["CountReplicasFailingToConnectToMaster"], 2);
    EXPECT_THAT(keys(one["Replicas"]), ElementsAre("pg2:5432", "pg3:5432"));
    EXPECT_EQ(one["StructureAnalysis"], json::array());
    EXPECT_NE(one["Description"], "");
    EXPECT_NE(one["Decision"], "");
    for (const char* name : {"AnalyzedInstanceMasterKey",
                             "AnalyzedInstanceDataCenter",
                             "AnalyzedInstanceBinlogCoordinates",
                             "IsMaster",
                             "IsReplicationGroupMember",
                             "IsCoMaster",
                             "LastCheckPartialSuccess",
                             "CountDowntimedReplicas",
                             "ReplicationDepth",
                             "SlaveHosts",
                             "IsFailingToConnectToMaster",
                             "IsDowntimed",
                             "IsReplicasDowntimed",
                             "IsBinlogServer",
                             "SemiSyncMasterEnabled",
                             "CountSemiSyncReplicasEnabled",
                             "CountLoggingReplicas",
                             "CountDistinctMajorVersionsLoggingReplicas",
                             "CountDelayedReplicas",
                             "CountLaggingReplicas",
                             "ProcessingNodeHostname",
                             "SkippableDueToDowntime",
                             "GTIDMode",
                             "CommandHint",
                             "IsReadOnly"})
        EXPECT_TRUE(one.contains(name)) << name;
    EXPECT_EQ(details("/api/replication-analysis/main"), all);
    EXPECT_THAT(details("/api/replication-analysis/instance/pg1/5432"), SizeIs(1));
}

TEST_F(Objects, a_problem_that_orchestrator_does_not_know_has_our_name) {
    cluster_.facts("pg1").settings.synchronous_standby_names = "ANY 1 (other)";
    const auto all = details("/api/replication-analysis");
    ASSERT_THAT(all, testing::Not(IsEmpty()));
    EXPECT_EQ(all[0]["Analysis"], "SyncSetUnsatisfied");
    cluster_.facts("pg1").settings.synchronous_standby_names = "";
    for (const char* name : {"pg2", "pg3"})
        cluster_.facts(name).receiver.reset();
    EXPECT_EQ(details("/api/replication-analysis")[0]["Analysis"], "AllStandbyNotReplicating");
}

TEST_F(Objects, a_recovery_has_orchestrators_fields_and_what_it_cost) {
    cluster_.kill_primary();
    details("/api/recover/pg1/5432");
    const auto all = get("/api/audit-recovery").body;
    ASSERT_THAT(all, SizeIs(1));
    const auto& one = all[0];
    expect_shape(one, json::parse(R"({"Id": 1, "UID": "", "AnalysisEntry": {}, "SuccessorKey": {},
        "SuccessorAlias": "", "SuccessorBinlogCoordinates": null, "IsActive": true,
        "IsSuccessful": true, "LostReplicas": [], "ParticipatingInstanceKeys": [], "AllErrors": [],
        "RecoveryStartTimestamp": "", "RecoveryEndTimestamp": "", "ProcessingNodeHostname": "",
        "ProcessingNodeToken": "", "Acknowledged": true, "AcknowledgedAt": "",
        "AcknowledgedBy": "", "AcknowledgedComment": "", "LastDetectionId": 0,
        "RelatedRecoveryId": 0, "Type": "", "RecoveryType": ""})"));
    EXPECT_EQ(key(one["SuccessorKey"]), "pg2:5432");
    EXPECT_EQ(one["IsActive"], false);
    EXPECT_EQ(one["IsSuccessful"], true);
    EXPECT_EQ(one["AllErrors"], json::array({""}));
    EXPECT_EQ(one["AnalysisEntry"]["Analysis"], "DeadPrimary");
    EXPECT_EQ(key(one["AnalysisEntry"]["AnalyzedInstanceKey"]), "pg1:5432");
    EXPECT_EQ(one["AnalysisEntry"]["ClusterDetails"]["ClusterName"], "pg1:5432");
    EXPECT_EQ(one["RecoveryStartTimestamp"], "2026-01-01 12:00:00");
    EXPECT_EQ(one["MillisecondsWithoutWriter"], 200);
    EXPECT_EQ(one["Type"], "MasterRecovery");

    cluster_.recoveries[0].successful = false;
    cluster_.recoveries[0].successor.reset();
    cluster_.recoveries[0].sentence = "pg2 did not answer";
    const auto failed = get("/api/audit-recovery/id/1").body[0];
    EXPECT_EQ(failed["AllErrors"], json::array({"pg2 did not answer"}));
    EXPECT_EQ(key(failed["SuccessorKey"]), ":0");
    EXPECT_THAT(get("/api/audit-recovery/id/7").body, IsEmpty());
}

TEST_F(Objects, the_history_has_steps_detections_and_an_audit) {
    cluster_.steps.push_back({1, 1, "uid-1", test::noon, 1200, "pg2", "promote pg2", "done", ""});
    cluster_.recoveries.emplace_back().id = 1;
    cluster_.recoveries[0].uid = "uid-1";
    const auto steps = get("/api/audit-recovery-steps/uid-1").body;
    ASSERT_THAT(steps, SizeIs(1));
    EXPECT_EQ(steps[0]["Message"], "pg2: promote pg2: done");
    EXPECT_EQ(steps[0]["RecoveryUID"], "uid-1");
    cluster_.detections.push_back({5,
                                   "main",
                                   "",
                                   "AllStandbysNotReplicating",
                                   {"pg1", 5432},
                                   test::noon,
                                   "no standby receives",
                                   0});
    const auto detection = get("/api/audit-failure-detection").body[0];
    EXPECT_EQ(detection["Id"], 5);
    EXPECT_EQ(detection["AnalysisEntry"]["Analysis"], "AllStandbyNotReplicating");
    const auto log = get("/api/replication-analysis-changelog").body[0];
    EXPECT_EQ(log["Changelog"], json::array({"2026-01-01 12:00:00;AllStandbyNotReplicating"}));
    details("/api/begin-downtime/pg2/5432/ann/disk%20full/1h");
    const auto audit = get("/api/audit").body[0];
    EXPECT_EQ(audit["AuditType"], "begin-downtime");
    EXPECT_EQ(key(audit["AuditInstanceKey"]), "pg2:5432");
    EXPECT_THAT(audit["Message"].get<std::string>(), HasSubstr("disk full"));
}

TEST_F(Objects, bytes_that_are_no_utf8_do_not_break_an_answer) {
    cluster_.facts("pg2").receiver.reset();
    cluster_.facts("pg2").reach = ha::reachability::refusing;
    cluster_.facts("pg2").reach_detail = "mot de passe refus\xe9";
    EXPECT_THAT(get("/api/instance/pg2/5432").body["LastIOError"].get<std::string>(),
                HasSubstr("mot de passe refus"));
}

}  // namespace
}  // namespace howdah::admin::orchestrator
