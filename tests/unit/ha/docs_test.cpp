#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ha/hook_text.hpp"
#include "tests/unit/ha/scenario.hpp"

namespace howdah::ha {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

TEST(Documentation, has_the_table_of_diagnoses_as_the_code_has_it) {
    std::string rows;
    for (const auto& one : problem_table())
        if (one.what != problem::none)
            rows += fmt::format("| {} | {} | {} | {} | {} |\n", one.name, one.orchestrator_name,
                                to_string(one.weight), one.calls_for_failover ? "yes" : "no",
                                one.meaning);
    EXPECT_NE(
        read_file(HOWDAH_DOCS_DIR "/high-availability.md").find("|---|---|---|---|---|\n" + rows),
        std::string::npos)
        << "docs/high-availability.md must have:\n"
        << rows;
}

TEST(Documentation, names_every_placeholder_and_variable_of_hooks) {
    const auto text = read_file(HOWDAH_DOCS_DIR "/high-availability.md");
    for (const hook_placeholder& known : hook_placeholders()) {
        EXPECT_NE(text.find(fmt::format("`{{{}}}`", known.name)), std::string::npos) << known.name;
        EXPECT_NE(text.find(fmt::format("`{}`", known.variable)), std::string::npos)
            << known.variable;
    }
}

TEST(Documentation, shows_the_plan_that_is_made) {
    const auto scenario = read_file(HOWDAH_SCENARIO_DIR "/02_killed_for_good.txt");
    const auto start = scenario.find("failover of main, part 1");
    ASSERT_NE(start, std::string::npos);
    EXPECT_NE(read_file(HOWDAH_DOCS_DIR "/high-availability.md").find(scenario.substr(start)),
              std::string::npos);
}

}  // namespace
}  // namespace howdah::ha
