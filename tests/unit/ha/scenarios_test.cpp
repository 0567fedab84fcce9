#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::vector<fs::path> scenario_files() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(HOWDAH_SCENARIO_DIR))
        if (entry.path().extension() == ".txt") out.push_back(entry.path());
    std::ranges::sort(out);
    return out;
}

class Scenario : public testing::TestWithParam<fs::path> {};

TEST_P(Scenario, is_answered_as_its_file_says) {
    static const std::string line = "\n---\n";
    const auto text = read_file(GetParam());
    const auto end = text.find(line);
    ASSERT_NE(end, std::string::npos) << "no line --- between facts and answer";
    const auto facts = text.substr(0, end);
    const auto answer = test::describe(test::parse_scenario(facts));
    if (std::getenv("HOWDAH_RENEW_SCENARIOS")) {
        std::ofstream(GetParam(), std::ios::binary) << facts << line << answer;
        return;
    }
    EXPECT_EQ(answer, text.substr(end + line.size()));
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(scenario_files()),
                         [](const auto& one) { return one.param.stem().string(); });

TEST(Scenarios, are_there) {
    EXPECT_GE(scenario_files().size(), 40U);
}

}  // namespace
}  // namespace howdah::ha
