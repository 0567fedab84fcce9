#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "admin/orchestrator/route.hpp"

namespace howdah::admin::orchestrator {
namespace {

const std::string mark =
    "<!-- what follows is generated: HOWDAH_RENEW_DOCS=1 unit_orchestrator -->\n";

TEST(ApiDocumentation, has_the_table_of_routes_as_the_code_has_it) {
    const std::string path = HOWDAH_DOCS_DIR "/api.md";
    std::ostringstream read;
    read << std::ifstream(path).rdbuf();
    std::string page = read.str();
    const std::size_t at = page.find(mark);
    ASSERT_NE(at, page.npos) << "docs/api.md must have the line " << mark;
    const std::string wanted = page.substr(0, at) + mark + routes_markdown();
    if (std::getenv("HOWDAH_RENEW_DOCS") != nullptr) {
        std::ofstream(path) << wanted;
        page = wanted;
    }
    EXPECT_EQ(page, wanted)
        << "docs/api.md is stale: run unit_orchestrator with HOWDAH_RENEW_DOCS=1";
}

TEST(ApiDocumentation, says_something_about_every_route_and_a_shell_expands_nothing_of_it) {
    for (const route& one : api_routes().rows()) {
        EXPECT_FALSE(one.doc.empty()) << one.path;
        EXPECT_FALSE(one.path.starts_with("/")) << one.path;
        EXPECT_EQ(one.path.find_first_of(" \n"), one.path.npos) << one.path;
        EXPECT_EQ(without_globs(one.doc), one.doc) << one.path;
    }
}

TEST(ApiDocumentation, has_no_route_twice) {
    std::set<std::string> seen;
    for (const route& one : api_routes().rows()) {
        const path_pattern pattern(one.path);
        for (const auto& word : pattern.words()) {
            const std::size_t slash = one.path.find('/');
            const std::string whole =
                word + (slash == one.path.npos ? "" : std::string(one.path.substr(slash)));
            EXPECT_TRUE(seen.insert(whole).second) << whole;
        }
    }
}

}  // namespace
}  // namespace howdah::admin::orchestrator
