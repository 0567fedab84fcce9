#include "conf/render.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "conf/columns.hpp"
#include "conf/loader.hpp"
#include "conf/options.hpp"

namespace howdah::conf {
namespace {

std::string file_in_repository(const std::string& name) {
    const auto root =
        std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
    std::ifstream in(root / name, std::ios::binary);
    EXPECT_TRUE(in) << root / name;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

TEST(the_shipped_configuration, is_generated_from_the_current_option_table) {
    EXPECT_TRUE(file_in_repository("conf/howdah.yaml") == render_annotated_yaml())
        << "stale; renew it with: howdah --print-default-config > conf/howdah.yaml";
}

TEST(the_option_reference, is_generated_from_the_current_option_table) {
    EXPECT_TRUE(file_in_repository("docs/options.md") == render_markdown())
        << "stale; renew it with: howdah --print-options-markdown > docs/options.md";
}

TEST(the_shipped_configuration, loads_as_it_is_and_means_the_defaults) {
    const auto result = load_text(render_annotated_yaml(), "howdah.yaml");
    for (const auto& error : result.errors)
        ADD_FAILURE() << error.to_string();
    ASSERT_NE(result.value, nullptr);
    EXPECT_EQ(result.value->vars, variables{});
}

TEST(the_shipped_configuration, loads_with_everything_uncommented) {
    std::istringstream in(render_annotated_yaml());
    std::string text;
    for (std::string line; std::getline(in, line);) {
        // "  #name: value" and "  #- {...}"; prose has a space after the '#'.
        if (line.starts_with("  #") && line.size() > 3 && line[3] != ' ') line.erase(2, 1);
        text += line + "\n";
    }
    const auto result = load_text(text, "howdah.yaml");
    for (const auto& error : result.errors)
        ADD_FAILURE() << error.to_string();
    EXPECT_TRUE(result.warnings.empty());
    ASSERT_NE(result.value, nullptr);
    EXPECT_EQ(result.value->vars, variables{});
    EXPECT_EQ(result.value->servers.size(), 3u);
    EXPECT_EQ(result.value->replication_hostgroups.size(), 1u);
    EXPECT_EQ(result.value->users.size(), 2u);
    EXPECT_EQ(result.value->query_rules.size(), 1u);
    EXPECT_EQ(result.value->fast_routes.size(), 1u);
    EXPECT_EQ(result.value->firewall_users.size(), 1u);
    EXPECT_EQ(result.value->firewall_rules.size(), 1u);
    EXPECT_EQ(result.value->hba_rules.size(), 3u);
    EXPECT_EQ(result.value->user_maps.size(), 2u);
}

TEST(the_shipped_configuration, shows_every_option_once_and_has_no_overlong_line) {
    const auto text = render_annotated_yaml();
    for (const auto& row : options()) {
        const auto line = "\n  #" + std::string(row.name) + ": ";
        const auto first = text.find(line);
        EXPECT_NE(first, text.npos) << row.name;
        EXPECT_EQ(text.find(line, first + 1), text.npos) << row.name;
    }
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        EXPECT_LE(line.size(), 100u) << line;
}

TEST(the_option_reference, has_a_row_for_every_option_and_column) {
    const auto text = render_markdown();
    const auto expect_row = [&](std::string_view name) {
        EXPECT_NE(text.find("\n| `" + std::string(name) + "` |"), text.npos) << name;
    };
    for (const auto& row : options())
        expect_row(row.name);
    for (const auto& column : columns<server>())
        expect_row(column.name);
    for (const auto& column : columns<replication_hostgroup>())
        expect_row(column.name);
    for (const auto& column : columns<user>())
        expect_row(column.name);
    for (const auto& column : columns<query_rule>())
        expect_row(column.name);
    for (const auto& column : columns<fast_route>())
        expect_row(column.name);
    for (const auto& column : columns<firewall_user>())
        expect_row(column.name);
    for (const auto& column : columns<firewall_rule>())
        expect_row(column.name);
    for (const auto& column : columns<hba_rule>())
        expect_row(column.name);
    for (const auto& column : columns<user_map>())
        expect_row(column.name);
}

}  // namespace
}  // namespace howdah::conf
