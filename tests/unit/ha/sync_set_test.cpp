#include "ha/sync_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ha/facts.hpp"

namespace howdah::ha {
namespace {

sync_spec spec(std::string_view text) {
    std::string error;
    const auto out = parse_sync_spec(text, &error);
    EXPECT_TRUE(out) << text << ": " << error;
    return out.value_or(sync_spec{});
}

TEST(SyncSpec, every_form_of_the_grammar_is_understood) {
    EXPECT_EQ(to_string(spec("")), "");
    EXPECT_EQ(to_string(spec("  ")), "");
    EXPECT_EQ(to_string(spec("a")), "FIRST 1 (a)");
    EXPECT_EQ(to_string(spec("a, b")), "FIRST 1 (a, b)");
    EXPECT_EQ(to_string(spec("2 (a, b)")), "FIRST 2 (a, b)");
    EXPECT_EQ(to_string(spec("first 2(a,b,c)")), "FIRST 2 (a, b, c)");
    EXPECT_EQ(to_string(spec("Any 1 (a)")), "ANY 1 (a)");
    EXPECT_EQ(to_string(spec("*")), "FIRST 1 (*)");
    EXPECT_EQ(to_string(spec("ANY 2 (*)")), "ANY 2 (*)");
    EXPECT_EQ(to_string(spec("7")), "FIRST 1 (7)");
    EXPECT_EQ(to_string(spec("2 (1, 2)")), "FIRST 2 (1, 2)");
}

TEST(SyncSpec, names_may_be_quoted) {
    const auto one = spec(R"(ANY 1 ("pg 1", "a""b", "any", pg_2$))");
    EXPECT_EQ(one.names, (std::vector<std::string>{"pg 1", "a\"b", "any", "pg_2$"}));
    EXPECT_EQ(to_string(one), R"(ANY 1 ("pg 1", "a""b", "any", pg_2$))");
}

TEST(SyncSpec, names_are_compared_without_regard_to_case) {
    EXPECT_TRUE(spec("Pg1").names_standby("pG1"));
    EXPECT_FALSE(spec("pg1").names_standby("pg11"));
    EXPECT_TRUE(spec("*").names_standby("anything"));
}

TEST(SyncSpec, what_postgresql_refuses_is_refused_with_a_reason) {
    for (const char* bad : {"a b", "a,", ",a", "ANY", "ANY 1", "ANY 1 ()", "ANY 0 (a)", "FIRST (a)",
                            "1 (a", "a)", "\"a", "a-b", "any, b", "ANY 99999999999999999999 (a)"}) {
        std::string error;
        EXPECT_FALSE(parse_sync_spec(bad, &error)) << bad;
        EXPECT_FALSE(error.empty()) << bad;
    }
}

TEST(SyncSpec, the_promoted_standby_gives_its_place_to_the_old_primary) {
    EXPECT_EQ(to_string(succeed(spec("ANY 1 (pg2, pg3)"), "pg2", "pg1")), "ANY 1 (pg1, pg3)");
    EXPECT_EQ(to_string(succeed(spec("ANY 1 (pg1, pg2, pg3)"), "pg2", "pg1")), "ANY 1 (pg1, pg3)");
    EXPECT_EQ(to_string(succeed(spec("ANY 1 (pg3)"), "pg2", "pg1")), "ANY 1 (pg3)");
    EXPECT_EQ(to_string(succeed(spec("FIRST 1 (*)"), "pg2", "pg1")), "FIRST 1 (*)");
}

TEST(SyncSpec, relaxing_keeps_what_the_rest_can_confirm) {
    EXPECT_EQ(to_string(relax(spec("ANY 2 (a, b, c)"), {"b"})), "ANY 1 (b)");
    EXPECT_EQ(to_string(relax(spec("ANY 1 (a, b, c)"), {"c", "b"})), "ANY 1 (c, b)");
    EXPECT_EQ(to_string(relax(spec("ANY 1 (a)"), {"b"})), "");
    EXPECT_EQ(to_string(relax(spec("*"), {"b"})), "FIRST 1 (b)");
}

sync_member asked(std::string name, std::uint64_t lsn) {
    return {std::move(name), true, {1, lsn}};
}
sync_member silent(std::string name) {
    return {std::move(name), false, {}};
}

TEST(SyncSet, one_of_two_must_both_be_asked) {
    EXPECT_TRUE(check_sync_set(spec("ANY 1 (a, b)"), {asked("a", 5), asked("b", 7)}, "p").certain);
    const auto answer = check_sync_set(spec("ANY 1 (a, b)"), {asked("a", 5), silent("b")}, "p");
    EXPECT_FALSE(answer.certain);
    EXPECT_EQ(answer.missing, std::vector<std::string>{"b"});
    EXPECT_EQ(answer.sentence,
              "1 of 2 members of ANY 1 (a, b) were asked, 2 are needed: a commit may have been "
              "confirmed by b alone");
}

TEST(SyncSet, two_of_three_leave_room_for_one_that_is_silent) {
    const auto answer =
        check_sync_set(spec("ANY 2 (a, b, c)"), {asked("a", 5), asked("b", 7), silent("c")}, "p");
    EXPECT_TRUE(answer.certain);
    EXPECT_EQ(answer.floor->lsn, 7U);
}

TEST(SyncSet, with_all_asked_the_second_of_two_confirmations_is_the_floor) {
    const auto answer =
        check_sync_set(spec("ANY 2 (a, b, c)"), {asked("a", 5), asked("b", 7), asked("c", 6)}, "p");
    EXPECT_EQ(answer.floor->lsn, 6U);
}

TEST(SyncSet, a_name_that_no_server_bears_counts_as_silent) {
    EXPECT_FALSE(check_sync_set(spec("ANY 1 (a, ghost)"), {asked("a", 5)}, "p").certain);
}

TEST(SyncSet, the_primary_itself_confirms_nothing) {
    EXPECT_TRUE(check_sync_set(spec("ANY 1 (p, a)"), {asked("a", 5)}, "P").certain);
}

TEST(SyncSet, two_servers_of_one_name_are_two_members) {
    EXPECT_FALSE(check_sync_set(spec("ANY 1 (a)"), {asked("a", 5), silent("a")}, "p").certain);
}

TEST(SyncSet, servers_that_are_not_named_do_not_matter) {
    const auto answer =
        check_sync_set(spec("a"), {asked("a", 5), silent("z"), asked("y", 99)}, "p");
    EXPECT_TRUE(answer.certain);
    EXPECT_EQ(answer.floor->lsn, 5U);
}

TEST(SyncSet, the_asterisk_means_every_standby) {
    EXPECT_FALSE(check_sync_set(spec("*"), {asked("a", 5), silent("b")}, "p").certain);
    EXPECT_FALSE(check_sync_set(spec("2 (*)"), {asked("a", 5)}, "p").certain);
    EXPECT_TRUE(check_sync_set(spec("*"), {asked("a", 5), asked("b", 5)}, "p").certain);
}

TEST(SyncSet, no_server_at_the_floor_ever_lacks_a_confirmed_commit) {
    std::mt19937 random(3);
    for (int round = 0; round < 20'000; ++round) {
        const std::size_t members = 1 + random() % 5;
        sync_spec set;
        set.how = random() % 2 ? sync_spec::method::quorum : sync_spec::method::priority;
        set.count = 1 + random() % members;
        std::vector<std::uint64_t> held(members);
        std::vector<sync_member> standbys;
        for (std::size_t i = 0; i < members; ++i) {
            held[i] = random() % 10;
            set.names.push_back("s" + std::to_string(i));
            standbys.push_back(random() % 3 ? asked(set.names[i], held[i]) : silent(set.names[i]));
        }
        // What was confirmed: k members hold it.
        auto sorted = held;
        std::ranges::sort(sorted, std::greater<>());
        const auto confirmed = sorted[set.count - 1];
        const auto answer = check_sync_set(set, standbys, "p");
        if (!answer.certain) {
            EXPECT_LT(answer.reached, answer.needed);
            continue;
        }
        ASSERT_TRUE(answer.floor);
        EXPECT_GE(answer.floor->lsn, confirmed);
        EXPECT_TRUE(std::ranges::any_of(standbys, [&](const sync_member& one) {
            return one.reached && !is_before(one.at, *answer.floor);
        }));
    }
}

}  // namespace
}  // namespace howdah::ha
