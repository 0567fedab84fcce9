#include <gtest/gtest.h>

#include "tests/fuzz/session/session_world.hpp"
#include "tests/replay/inputs.hpp"

// Inputs that the fuzzer of sessions once found something with, and its seeds: play_session aborts
// where a session does not do what its client, or the next one, may expect.
namespace howdah::fuzz {
namespace {

class session_findings : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(session_findings, every_client_gets_what_postgresql_would_say_and_leaves_nothing) {
    const std::string input = content_of(GetParam());
    ASSERT_FALSE(input.empty());
    play_session(input);
}

INSTANTIATE_TEST_SUITE_P(replay, session_findings, testing::ValuesIn(inputs_of("session")),
                         [](const auto& made) { return test_name_of(made.param); });

}  // namespace
}  // namespace howdah::fuzz
