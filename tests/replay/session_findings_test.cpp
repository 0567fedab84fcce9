#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/session/session_world.hpp"

// Inputs that the fuzzer of sessions once found something with, and its seeds: play_session aborts
// where a session does not do what its client, or the next one, may expect.
namespace howdah::fuzz {
namespace {

std::vector<std::filesystem::path> inputs() {
    std::vector<std::filesystem::path> all;
    std::error_code none_yet;
    for (const char* folder : {"findings_session", "corpus_session"})
        for (const auto& entry : std::filesystem::directory_iterator(
                 std::filesystem::path(HOWDAH_FUZZ_DIR) / folder, none_yet))
            all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
}

class session_findings : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(session_findings, every_client_gets_what_postgresql_would_say_and_leaves_nothing) {
    std::ifstream file(GetParam(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(input.empty());
    play_session(input);
}

INSTANTIATE_TEST_SUITE_P(replay, session_findings, testing::ValuesIn(inputs()),
                         [](const auto& made) {
                             std::string name = made.param.filename().string();
                             for (char& c : name)
                                 if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                             return name;
                         });

}  // namespace
}  // namespace howdah::fuzz
