#include "ha/hook_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using words = std::vector<std::string>;

words plain(std::string_view command, const command_environment& environment = {}) {
    const command_words out = words_of(command, false, environment);
    EXPECT_EQ(out.error, "") << command;
    return out.words;
}
std::string shell(std::string_view command, const command_environment& environment) {
    const command_words out = words_of(command, true, environment);
    EXPECT_EQ(out.error, "");
    EXPECT_EQ(out.words.size(), 3U);
    EXPECT_EQ(out.words.front(), "/bin/sh");
    return out.words.back();
}

TEST(HookText, words_are_separated_by_blanks_of_any_kind) {
    EXPECT_THAT(plain("  /bin/x a\tb \n c  "), ElementsAre("/bin/x", "a", "b", "c"));
}

TEST(HookText, quotes_keep_blanks_together_and_can_stand_within_a_word) {
    EXPECT_THAT(plain(R"(x 'a b' "c d" e' 'f '')"), ElementsAre("x", "a b", "c d", "e f", ""));
    EXPECT_THAT(plain(R"(x 'a\b"' "it's \"so\" \\" \' a\ b)"),
                ElementsAre("x", R"(a\b")", R"(it's "so" \)", "'", "a b"));
}

TEST(HookText, nothing_else_is_special_without_a_shell) {
    EXPECT_THAT(plain("x $HOME `id` $(id) a;b a|b >f & *"),
                ElementsAre("x", "$HOME", "`id`", "$(id)", "a;b", "a|b", ">f", "&", "*"));
}

TEST(HookText, a_command_that_cannot_be_read_is_refused_with_the_reason) {
    EXPECT_THAT(words_of("x 'a", false, {}).error, HasSubstr("a quote that is not closed: x 'a"));
    EXPECT_THAT(words_of("x \"a", false, {}).error, HasSubstr("a quote that is not closed"));
    EXPECT_THAT(words_of("x \\", false, {}).error, HasSubstr("ends with a backslash"));
    EXPECT_EQ(words_of(" ", false, {}).error, "the command is empty");
    EXPECT_EQ(words_of("'' a", false, {}).error, "the command is empty");
    EXPECT_EQ(words_of("\n", true, {}).error, "the command is empty");
    EXPECT_EQ(words_of(std::string_view("a\0b", 3), true, {}).error,
              "the command has a zero byte in it");
}

TEST(HookText, a_value_stays_one_word_whatever_is_in_it) {
    const command_environment told{{"ORC_FAILED_HOST", "a b'; \"$(touch x) {failedPort}"},
                                   {"ORC_FAILED_PORT", "5432"}};
    EXPECT_THAT(plain("x --at={failedHost}:{failedPort} y", told),
                ElementsAre("x", "--at=a b'; \"$(touch x) {failedPort}:5432", "y"));
}

TEST(HookText, a_value_with_a_zero_byte_does_not_hide_what_follows) {
    const command_environment told{{"ORC_FAILED_HOST", std::string("a\0b", 3)}};
    EXPECT_THAT(plain("x {failedHost}!", told), ElementsAre("x", "ab!"));
}

TEST(HookText, what_is_no_placeholder_or_has_no_value_stays_as_it_is) {
    const command_environment told{{"ORC_FAILED_HOST", "pg1"}};
    EXPECT_THAT(
        plain("x {} { {unknown} {successorHost} {failedHost {{failedHost}}", told),
        ElementsAre("x", "{}", "{", "{unknown}", "{successorHost}", "{failedHost", "{pg1}"));
}

TEST(HookText, a_shell_gets_references_to_variables_and_never_a_value) {
    const command_environment told{{"ORC_FAILED_HOST", "$(touch x)"}};
    EXPECT_EQ(shell("echo {failedHost} >> log", told), R"(echo "${ORC_FAILED_HOST}" >> log)");
    EXPECT_EQ(shell(R"(echo "at {failedHost}!")", told), R"(echo "at ${ORC_FAILED_HOST}!")");
    EXPECT_EQ(shell("echo 'at {failedHost}!'", told), R"(echo 'at '"${ORC_FAILED_HOST}"'!')");
    EXPECT_EQ(shell(R"(echo "\"{failedHost}" \"{failedHost} \{failedHost})", told),
              R"(echo "\"${ORC_FAILED_HOST}" \""${ORC_FAILED_HOST}" \{failedHost})");
    EXPECT_EQ(shell("echo ${HOME} {successorHost}", told), "echo ${HOME} {successorHost}");
}

recovery sample() {
    recovery out;
    out.uid = "7-1";
    out.kind = "failover";
    out.cluster = "pg1:5432";
    out.alias = "main";
    out.problem = "DeadPrimaryWithoutStandbys";
    out.failed = {"pg1", 5432};
    out.sentence = "pg1 is dead";
    out.participants = {{"pg1", 5432}, {"pg2", 5433}, {"::1", 5434}};
    out.lost = {{"::1", 5434}};
    return out;
}

TEST(HookText, a_failover_is_told_in_orchestrators_words) {
    recovery what = sample();
    what.automatic = true;
    what.successful = true;
    what.successor = endpoint{"pg2", 5433};
    const command_environment expected{{"ORC_FAILURE_TYPE", "DeadMasterWithoutReplicas"},
                                       {"ORC_INSTANCE_TYPE", "master"},
                                       {"ORC_IS_MASTER", "true"},
                                       {"ORC_IS_CO_MASTER", "false"},
                                       {"ORC_FAILURE_DESCRIPTION", "pg1 is dead"},
                                       {"ORC_COMMAND", ""},
                                       {"ORC_FAILED_HOST", "pg1"},
                                       {"ORC_FAILED_PORT", "5432"},
                                       {"ORC_FAILURE_CLUSTER", "pg1:5432"},
                                       {"ORC_FAILURE_CLUSTER_ALIAS", "main"},
                                       {"ORC_FAILURE_CLUSTER_DOMAIN", ""},
                                       {"ORC_COUNT_REPLICAS", "2"},
                                       {"ORC_REPLICA_HOSTS", "pg2:5433,[::1]:5434"},
                                       {"ORC_IS_DOWNTIMED", "false"},
                                       {"ORC_AUTO_MASTER_RECOVERY", "true"},
                                       {"ORC_AUTO_INTERMEDIATE_MASTER_RECOVERY", "false"},
                                       {"ORC_IS_SUCCESSFUL", "true"},
                                       {"ORC_LOST_REPLICAS", "[::1]:5434"},
                                       {"ORC_COUNT_LOST_REPLICAS", "1"},
                                       {"ORC_RECOVERY_UID", "7-1"},
                                       {"ORC_ORCHESTRATOR_HOST", "here"},
                                       {"ORC_SUCCESSOR_HOST", "pg2"},
                                       {"ORC_SUCCESSOR_PORT", "5433"},
                                       {"ORC_SUCCESSOR_ALIAS", "pg2"}};
    EXPECT_EQ(hook_environment(occasion_of(what), "here"), expected);
}

TEST(HookText, without_a_successor_nothing_is_said_of_one) {
    const auto told = hook_environment(occasion_of(sample()), "here");
    EXPECT_FALSE(told.contains("ORC_SUCCESSOR_HOST"));
    EXPECT_EQ(told.at("ORC_COMMAND"), "force-master-failover");
    EXPECT_EQ(told.at("ORC_IS_SUCCESSFUL"), "false");
}

TEST(HookText, a_switchover_answers_no_problem) {
    recovery what = sample();
    what.kind = "switchover";
    what.problem.clear();
    const auto told = hook_environment(occasion_of(what), "here");
    EXPECT_EQ(told.at("ORC_FAILURE_TYPE"), "NoProblem");
    EXPECT_EQ(told.at("ORC_COMMAND"), "graceful-master-takeover");
}

TEST(HookText, a_problem_says_whether_it_is_the_primarys) {
    detection what;
    what.problem = "SplitBrain";
    what.server = {"pg2", 5432};
    EXPECT_EQ(hook_environment(occasion_of(what), "here").at("ORC_IS_MASTER"), "true");
    what.problem = "DivergedStandby";
    const auto told = hook_environment(occasion_of(what), "here");
    EXPECT_EQ(told.at("ORC_IS_MASTER"), "false");
    EXPECT_EQ(told.at("ORC_INSTANCE_TYPE"), "replica");
    EXPECT_EQ(told.at("ORC_FAILURE_TYPE"), "DivergedStandby") << "Orchestrator knows no such thing";
    EXPECT_EQ(told.at("ORC_FAILED_HOST"), "pg2");
}

TEST(HookText, a_detection_is_told_with_downtime_and_the_standbys_of_the_server) {
    const auto seen = test::parse_scenario(
                          "record epoch=1 at=0/100\n"
                          "server pg1 primary at=0/100 dead refused downtime=disk\n"
                          "server pg2 standby at=0/100\n"
                          "server pg3 standby at=0/100 of=pg2\n")
                          .the_cluster();
    detection what;
    what.problem = "DeadPrimary";
    what.server = {"pg1", 5432};
    auto occasion = occasion_of(what);
    add_cluster(occasion, seen);
    auto told = hook_environment(occasion, "here");
    EXPECT_EQ(told.at("ORC_IS_DOWNTIMED"), "true");
    EXPECT_EQ(told.at("ORC_REPLICA_HOSTS"), "pg2:5432");
    EXPECT_EQ(told.at("ORC_COUNT_REPLICAS"), "1");
    what.server = {"pg2", 5432};
    occasion = occasion_of(what);
    add_cluster(occasion, seen);
    told = hook_environment(occasion, "here");
    EXPECT_EQ(told.at("ORC_IS_DOWNTIMED"), "false");
    EXPECT_EQ(told.at("ORC_REPLICA_HOSTS"), "pg3:5432");
}

TEST(HookText, a_recovery_keeps_its_participants_and_names_its_successor) {
    const auto seen = test::parse_scenario(
                          "record epoch=1 at=0/100\n"
                          "server pg1 primary at=0/100 dead refused downtime=disk\n"
                          "server pg2 standby at=0/100\n"
                          "server pg3 standby at=0/100\n")
                          .the_cluster();
    recovery what;
    what.kind = "failover";
    what.failed = {"pg1", 5432};
    what.participants = {{"pg1", 5432}, {"pg9", 5432}};
    what.successor = endpoint{"pg2", 5432};
    auto occasion = occasion_of(what);
    occasion.successor_alias = "nobody";
    add_cluster(occasion, seen);
    const auto told = hook_environment(occasion, "here");
    EXPECT_EQ(told.at("ORC_REPLICA_HOSTS"), "pg9:5432");
    EXPECT_EQ(told.at("ORC_SUCCESSOR_ALIAS"), "pg2");
    EXPECT_EQ(told.at("ORC_IS_DOWNTIMED"), "true");
}

TEST(HookText, every_placeholder_has_a_value_after_a_failover) {
    recovery what = sample();
    what.successor = endpoint{"pg2", 5433};
    const auto told = hook_environment(occasion_of(what), "here");
    for (const hook_placeholder& known : hook_placeholders())
        EXPECT_TRUE(told.contains(std::string(known.variable))) << known.name;
    EXPECT_THAT(plain("x {slaveHosts} {countSlaves} {lostSlaves} {orchestratorHost}", told),
                ElementsAre("x", "pg2:5433,[::1]:5434", "2", "[::1]:5434", "here"));
}

}  // namespace
}  // namespace howdah::ha
