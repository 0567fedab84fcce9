#include "ha/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "ha/intent.hpp"
#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

using test::parse_scenario;

const std::string dead_primary =
    "record epoch=3 primary=pg1 tl=1 at=0/5000000\n"
    "server pg1 primary at=0/5000000 dead refused\n"
    "server pg2 standby at=0/5000000\n"
    "server pg3 standby at=0/4FFFFFF slot=pg3\n";

plan promotion(const std::string& facts) {
    const auto one = parse_scenario(facts);
    const auto decided = one.decide();
    return plan_promotion(one.the_cluster(), *decided.writers.primary, decided.forecast,
                          decided.writers.record, one.planning);
}

std::size_t place(const plan& one, step_kind kind) {
    const auto found = std::ranges::find(one.steps, kind, &step::kind);
    EXPECT_NE(found, one.steps.end());
    return static_cast<std::size_t>(found - one.steps.begin());
}

TEST(Sql, a_literal_means_the_same_under_every_setting) {
    EXPECT_EQ(quote_literal("a"), "'a'");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
    EXPECT_EQ(quote_literal("a\\b'c"), "E'a\\\\b''c'");
}

TEST(Sql, a_slot_name_has_only_what_postgresql_allows) {
    EXPECT_EQ(slot_name_for("PG-2.example.org:5432"), "howdah_pg_2_example_org_5432");
    EXPECT_EQ(slot_name_for(std::string(100, 'x')).size(), 63U);
}

TEST(Sql, a_connection_string_that_nobody_understands_is_never_shown) {
    EXPECT_EQ(alter_conninfo_raw("password=x y").shown.find('x'), std::string::npos);
    EXPECT_NE(alter_conninfo_raw("password=x y").sql.find("password=x y"), std::string::npos);
}

TEST(Plan, no_text_shows_a_password) {
    for (const char* wanted : {"freeze", "failover", "unfreeze", "rejoin pg3", "rewire pg3 pg2"}) {
        const auto text = describe(parse_scenario(dead_primary + "plan " + wanted + "\n"));
        EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    }
    const auto one = promotion(dead_primary);
    EXPECT_NE(one.steps[place(one, step_kind::rewire)].sql.front().sql.find("password=secret"),
              std::string::npos)
        << "what is sent has it";
}

TEST(Plan, a_primary_that_was_stopped_for_nothing_is_started_again_unless_it_was_replaced) {
    failover_intent given_up;
    given_up.from = {"pg1", 5432};
    given_up.stopped = true;
    const auto actions = [&](const std::string& pg2) {
        const auto one = parse_scenario(
            "record epoch=3 primary=pg1 tl=1 at=0/100\n"
            "server pg1 primary at=0/100 dead refused\n" +
            pg2);
        std::vector<std::string> out;
        for (const auto& step : plan_unfreeze(one.the_cluster(), given_up).steps)
            if (step.kind == step_kind::agent)
                out.push_back(step.environment.at("HOWDAH_ACTION") + " " + step.server);
        return out;
    };
    EXPECT_EQ(actions("server pg2 standby at=0/100\n"),
              (std::vector<std::string>{"stop pg1", "start pg1"}));
    EXPECT_TRUE(actions("server pg2 primary tl=2 at=0/200\n").empty());
    given_up.stopped = false;
    EXPECT_TRUE(actions("server pg2 standby at=0/100\n").empty());
}

TEST(Plan, slots_exist_before_the_promotion_and_clients_come_before_the_survivors) {
    const auto one = promotion(dead_primary);
    EXPECT_LT(place(one, step_kind::configure), place(one, step_kind::promote));
    EXPECT_LT(place(one, step_kind::promote), place(one, step_kind::publish));
    EXPECT_LT(place(one, step_kind::publish), place(one, step_kind::rewire));
    int stage = 0;
    for (const auto& step : one.steps) {
        EXPECT_GE(step.stage, stage) << step.what;
        stage = step.stage;
    }
}

TEST(Plan, a_promotion_that_takes_too_long_is_unknown_and_nothing_is_undone_after_it) {
    const auto one = promotion(dead_primary);
    const auto& promote = one.steps[place(one, step_kind::promote)];
    EXPECT_EQ(promote.failing, on_failure::unknown);
    EXPECT_TRUE(promote.no_return);
    EXPECT_EQ(std::ranges::count(one.steps, step_kind::promote, &step::kind), 1);
    for (auto i = place(one, step_kind::promote) + 1; i < one.steps.size(); ++i)
        EXPECT_NE(one.steps[i].failing == on_failure::undo && !one.steps[i].sql.empty(), true)
            << one.steps[i].what;
}

TEST(Plan, whatever_is_changed_before_the_promotion_can_be_undone) {
    const auto one = parse_scenario(dead_primary);
    const auto decided = one.decide();
    for (const auto& step : plan_freeze(one.the_cluster(), 0).steps) {
        if (step.sql.empty()) continue;
        ASSERT_FALSE(step.undo.empty()) << step.what;
        EXPECT_NE(step.undo.front().sql.find("host=pg1"), std::string::npos);
    }
}

TEST(Plan, a_frozen_standby_is_read_again_until_all_its_sessions_know) {
    const auto one = parse_scenario(dead_primary);
    auto subject = one.the_cluster();
    const auto freeze = plan_freeze(subject, 0);
    const auto pg2 = subject.servers[1].at();
    const auto pg3 = subject.servers[2].at();
    EXPECT_EQ(not_seen_frozen(subject, freeze, {}), (std::vector{pg2, pg3}));
    EXPECT_EQ(not_seen_frozen(subject, freeze, {pg2}), std::vector{pg3}) << "it was not stopped";
    subject.servers[1].facts.settings.primary_conninfo.clear();
    EXPECT_EQ(not_seen_frozen(subject, freeze, {}), std::vector{pg3});
    subject.servers[1].facts.receiver = wal_receiver{};
    EXPECT_EQ(not_seen_frozen(subject, freeze, {}), (std::vector{pg2, pg3}));
    subject.servers[1].current = subject.servers[2].current = false;
    EXPECT_EQ(not_seen_frozen(subject, freeze, {}), std::vector<endpoint>{})
        << "who does not answer is not waited for";
}

TEST(Plan, without_a_candidate_there_is_none_and_it_says_why) {
    const auto one = promotion(
        "record epoch=3 at=0/5000000\nserver pg1 primary at=0/5000000 dead refused\n"
        "server pg2 standby at=0/5000000 rule=must_not\n");
    EXPECT_FALSE(one.possible());
    EXPECT_EQ(one.impossible, "no server can be promoted");
}

TEST(Plan, a_fence_is_only_for_who_accepts_writes_and_is_not_the_writer) {
    const auto why = [](const std::string& pg1) {
        const auto one = parse_scenario(
            "record epoch=4 primary=pg2 tl=2 at=0/100 fenced=pg1\n"
            "server pg1 " +
            pg1 + "\nserver pg2 primary tl=2 at=0/100\n");
        return plan_fence(one.the_cluster(), 0, *one.record()).impossible;
    };
    EXPECT_EQ(why("primary at=0/100"), "");
    EXPECT_EQ(why("standby at=0/100"), "pg1 does not accept writes");
    EXPECT_EQ(why("primary at=0/100 dead"), "pg1 does not accept writes");
    EXPECT_NE(why("primary at=0/100 may_nothing"), "");
    const auto one = parse_scenario(
        "record epoch=4 primary=pg1 tl=2 at=0/100\n"
        "server pg1 primary tl=2 at=0/100\n");
    EXPECT_EQ(plan_fence(one.the_cluster(), 0, *one.record()).impossible,
              "pg1 is the writer of epoch 4");
}

TEST(Plan, a_standby_is_not_put_below_its_own_standbys) {
    const auto one = parse_scenario(
        "server pg1 primary at=0/1\nserver pg2 standby at=0/1 streams\n"
        "server pg3 standby at=0/1 of=pg2 streams\n");
    EXPECT_EQ(plan_rewire(one.the_cluster(), 1, 2).impossible, "pg3 follows pg2");
    EXPECT_TRUE(plan_rewire(one.the_cluster(), 2, 0).possible());
}

TEST(Plan, the_address_for_replication_goes_into_the_connection_string) {
    auto one = parse_scenario(dead_primary);
    one.config("pg2").replication_address = endpoint{"10.1.1.2", 6000};
    const auto decided = one.decide();
    const auto made =
        plan_promotion(one.the_cluster(), 0, decided.forecast, decided.writers.record);
    const auto& rewire = made.steps[place(made, step_kind::rewire)];
    EXPECT_NE(rewire.sql.front().sql.find("host=10.1.1.2 port=6000"), std::string::npos);
    EXPECT_NE(rewire.done_when.find("sender_host = '10.1.1.2' AND sender_port = 6000"),
              std::string::npos);
}

TEST(Plan, a_server_that_cannot_be_rewound_is_copied) {
    const std::string facts =
        "record epoch=4 primary=pg2 tl=2 at=0/100 fenced=pg1\n"
        "server pg2 primary tl=2 at=0/100\nserver pg3 standby tl=2 at=0/100 of=pg2 streams\n"
        "server pg1 primary at=0/200 dir=\"/data/o'brien\" ";
    const auto commands = [&](const std::string& more) {
        const auto one = parse_scenario(facts + more);
        std::string out;
        const auto subject = one.the_cluster();
        for (const auto& step :
             plan_rejoin(subject, *subject.find({"pg1", 5432}), one.decide().writers).steps)
            out += step.command + "\n";
        return out;
    };
    EXPECT_NE(commands("hints").find("pg_rewind --target-pgdata='/data/o'\\''brien'"),
              std::string::npos);
    EXPECT_EQ(commands("").find("pg_rewind"), std::string::npos);
    EXPECT_NE(commands("").find("pg_basebackup"), std::string::npos);
}

TEST(Plan, a_foreign_server_and_the_writer_itself_are_not_rejoined) {
    const auto one = parse_scenario(
        "record epoch=1 at=0/1\nserver pg1 primary at=0/1\nserver pg2 primary at=0/1 cluster=9\n");
    const auto subject = one.the_cluster();
    EXPECT_FALSE(plan_rejoin(subject, 0, one.decide().writers).possible());
    EXPECT_FALSE(plan_rejoin(subject, 1, one.decide().writers).possible());
}

TEST(Plan, strict_never_leaves_a_new_primary_that_confirms_alone) {
    const auto one = promotion(
        "promise strict\nrecord epoch=3 at=0/100 sync=\"pg2\"\n"
        "server pg1 primary at=0/100 dead refused sync=\"pg2\"\nserver pg2 standby at=0/100\n");
    ASSERT_TRUE(one.possible()) << one.impossible;
    EXPECT_EQ(one.steps.front().sql.front().sql,
              "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (pg1)'");
    EXPECT_EQ(one.steps.front().failing, on_failure::undo);
}

TEST(Plan, a_relaxed_set_is_said) {
    const auto one = promotion(
        "promise sync\nrecord epoch=3 at=0/100 sync=\"pg2\"\n"
        "server pg1 primary at=0/100 dead refused sync=\"pg2\"\n"
        "server pg2 standby at=0/100 sync=\"pg1\"\n");
    EXPECT_EQ(one.steps.front().sql.front().sql, "ALTER SYSTEM SET synchronous_standby_names = ''");
    EXPECT_NE(std::ranges::find(one.notes,
                                "no synchronous standby is left: commits are confirmed by the new "
                                "primary alone"),
              one.notes.end());
}

TEST(Plan, a_hook_gets_what_it_needs_and_people_see_no_password) {
    const auto one = parse_scenario(
        "record epoch=4 primary=pg2 tl=2 at=0/100 fenced=pg1\n"
        "server pg1 primary at=0/200 dir=/data\nserver pg2 primary tl=2 at=0/100\n"
        "server pg3 standby tl=2 at=0/100 of=pg2 streams\n");
    const auto made = plan_rejoin(one.the_cluster(), 0, one.decide().writers);
    std::string actions;
    for (const auto& step : made.steps)
        if (step.kind == step_kind::agent) {
            actions += step.environment.at("HOWDAH_ACTION") + " ";
            EXPECT_EQ(step.environment.at("HOWDAH_DATA_DIRECTORY"), "/data");
            EXPECT_EQ(step.environment.at("HOWDAH_SLOT"), "howdah_pg1");
            EXPECT_EQ(step.environment.at("HOWDAH_SOURCE"),
                      "user=replicator password=secret host=pg2 port=5432 application_name=pg1");
        }
    EXPECT_EQ(actions, "stop copy configure start ");
    EXPECT_EQ(to_text(made).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace howdah::ha
