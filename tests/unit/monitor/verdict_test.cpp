#include "monitor/verdict.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace howdah::monitor {
namespace {

using channel = verdict::channel;
using change = verdict::change;
using enum probe_result;

verdict fresh() {
    return verdict({.max_failures = 3, .recovery_checks = 2});
}

verdict dead() {
    auto out = fresh();
    for (int i = 0; i < 3; ++i)
        (void)out.on_probe(channel::ping, failed);
    return out;
}

/// One event per letter: o ok, f failed, n not ready, a alive (pings); O, F, N, A the same for
/// connect; r the role was read. The answer: '.' nothing, 's' probe soon, 'D' died, 'N' became
/// not ready, 'R' recovered.
std::string play(verdict& subject, const std::string& events) {
    std::string out;
    for (const char event : events) {
        verdict::outcome got;
        const auto from = event < 'a' ? channel::connect : channel::ping;
        switch (event) {
            case 'o':
            case 'O':
                got = subject.on_probe(from, ok);
                break;
            case 'f':
            case 'F':
                got = subject.on_probe(from, failed);
                break;
            case 'n':
            case 'N':
                got = subject.on_probe(from, not_ready);
                break;
            case 'a':
            case 'A':
                got = subject.on_probe(from, alive);
                break;
            case 'r':
                got = subject.on_role_seen();
                break;
            default:
                ADD_FAILURE() << "unknown event " << event;
        }
        switch (got.change) {
            case change::none:
                out += got.probe_soon ? 's' : '.';
                break;
            case change::died:
                out += 'D';
                break;
            case change::became_not_ready:
                out += 'N';
                break;
            case change::recovered:
                out += 'R';
                break;
        }
    }
    return out;
}

struct script {
    const char* name;
    const char* events;
    const char* answers;
    enum health end;
};

class VerdictScript : public testing::TestWithParam<script> {};

TEST_P(VerdictScript, answers_each_event_and_ends_in_the_expected_health) {
    auto subject = fresh();
    EXPECT_EQ(play(subject, GetParam().events), GetParam().answers);
    EXPECT_EQ(subject.health(), GetParam().end);
}

constexpr auto up = health::up;
constexpr auto down = health::down;
constexpr auto unready = health::not_ready;

INSTANTIATE_TEST_SUITE_P(
    Table, VerdictScript,
    testing::Values(
        script{"good_pings_change_nothing", "ooooo", ".....", up},
        script{"one_failure_asks_for_a_quick_second_look", "f", "s", up},
        script{"three_failures_in_a_row_are_death", "fff", "ssD", down},
        script{"a_success_starts_the_count_again", "ffoff", "ss.ss", up},
        script{"an_answer_of_any_kind_starts_the_count_again", "ffaff", "ss.ss", up},
        script{"refused_logins_never_kill", "aaaaaaaa", "........", up},
        script{"failing_fresh_connections_kill_although_pings_succeed", "FoFoF", "s.s.D", down},
        script{"failing_pings_kill_although_connections_succeed", "fOfOf", "s.s.D", down},
        script{"failures_of_both_channels_are_counted_apart", "fFfF", "ssss", up},
        script{"death_is_announced_once", "ffffff", "ssD...", down},
        script{"recovery_needs_two_pings_and_the_role", "fffoor", "ssD..R", up},
        script{"recovery_waits_for_the_second_ping_when_the_role_came_first", "ffforo", "ssD..R",
               up},
        script{"pings_alone_do_not_recover", "fffoooooo", "ssD......", down},
        script{"the_role_alone_does_not_recover", "fffrrr", "ssD...", down},
        script{"one_good_ping_does_not_recover", "fffor", "ssD..", down},
        script{"a_failure_on_the_way_back_starts_recovery_again", "fffofor", "ssD....", down},
        script{"a_role_seen_before_another_failure_does_not_count", "ffforfoo", "ssD.....", down},
        script{"fresh_connections_do_not_recover", "fffOOOOr", "ssD.....", down},
        script{"a_refused_login_is_no_success_on_the_way_back", "fffoaor", "ssD....", down},
        script{"not_ready_is_believed_at_once", "n", "N", unready},
        script{"not_ready_is_announced_once", "nnn", "N..", unready},
        script{"not_ready_on_a_fresh_connection_counts_too", "oNo", ".N.", unready},
        script{"not_ready_recovers_as_dead_does", "nnoor", "N...R", up},
        script{"not_ready_can_die", "nfff", "NssD", down},
        script{"dead_turns_not_ready_silently", "fffn", "ssD.", unready},
        script{"dead_not_ready_dead_is_announced_again", "fffnfff", "ssD.ssD", down},
        script{"after_recovery_three_failures_are_needed_again", "fffoorfff", "ssD..RssD", down}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Verdict, one_failure_is_enough_where_the_limit_is_one) {
    verdict subject({.max_failures = 1, .recovery_checks = 1});
    EXPECT_EQ(play(subject, "forf"), "D.RD");
}

TEST(Verdict, a_lower_limit_applies_from_the_next_probe_on) {
    auto subject = fresh();
    EXPECT_EQ(play(subject, "f"), "s");
    subject.set_limits({.max_failures = 2, .recovery_checks = 3});
    EXPECT_EQ(play(subject, "foroo"), "D...R");
}

TEST(Verdict, suspects_between_the_first_failure_and_the_decision) {
    auto subject = fresh();
    EXPECT_FALSE(subject.suspect());
    play(subject, "f");
    EXPECT_TRUE(subject.suspect());
    EXPECT_EQ(subject.failures(), 1U);
    play(subject, "o");
    EXPECT_FALSE(subject.suspect());
    EXPECT_FALSE(dead().suspect());
}

TEST(Verdict, a_report_asks_for_one_probe_and_then_for_none_for_a_moment) {
    auto subject = fresh();
    EXPECT_TRUE(subject.on_report(5000));
    EXPECT_FALSE(subject.on_report(5000));
    EXPECT_FALSE(subject.on_report(5099));
    EXPECT_TRUE(subject.on_report(5100));
    EXPECT_EQ(subject.health(), up);
}

TEST(Verdict, reports_of_clients_neither_kill_nor_revive) {
    auto subject = fresh();
    for (int i = 0; i < 100; ++i)
        (void)subject.on_report(i * 1000);
    EXPECT_EQ(subject.health(), up);
    auto gone = dead();
    for (int i = 0; i < 100; ++i)
        (void)gone.on_report(i * 1000);
    EXPECT_EQ(gone.health(), down);
}

TEST(Verdict, changes_and_health_agree_in_every_random_history) {
    std::mt19937 random(7);
    const std::string alphabet = "ofnaOFNAr";
    for (int round = 0; round < 2000; ++round) {
        auto subject = fresh();
        int good_pings = 0;
        int bad = 0;
        for (int step = 0; step < 40; ++step) {
            const char event = alphabet[random() % alphabet.size()];
            const auto before = subject.health();
            const char answer = play(subject, std::string(1, event)).front();
            const auto after = subject.health();
            good_pings = event == 'o'                   ? good_pings + 1
                         : event == 'O' || event == 'r' ? good_pings
                                                        : 0;
            bad = event == 'f' || event == 'F' ? bad + 1 : event == 'r' ? bad : bad;
            EXPECT_EQ(answer == 'R', before != up && after == up);
            EXPECT_EQ(answer == 'N', before == up && after == unready);
            EXPECT_EQ(answer == 'D', before != down && after == down);
            if (answer == 'R') {
                EXPECT_GE(good_pings, 2);
            }
            if (answer == 'D') {
                EXPECT_GE(bad, 3);
                bad = 0;
            }
        }
    }
}

}  // namespace
}  // namespace howdah::monitor
