#include <gtest/gtest.h>

#include "tests/fuzz/admin/play_admin.hpp"
#include "tests/replay/inputs.hpp"

// Inputs that the fuzzer of the admin interface once found something with, and its seeds:
// play_admin aborts where the answers are not what they should be.
namespace howdah::fuzz {
namespace {

class admin_findings : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(admin_findings, every_message_is_answered_and_who_may_only_look_changes_nothing) {
    const std::string input = content_of(GetParam());
    ASSERT_FALSE(input.empty());
    play_admin(input);
}

INSTANTIATE_TEST_SUITE_P(replay, admin_findings, testing::ValuesIn(inputs_of("admin")),
                         [](const auto& made) { return test_name_of(made.param); });

}  // namespace
}  // namespace howdah::fuzz
