#include "conf/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "conf/columns.hpp"
#include "conf/loader.hpp"

namespace howdah::conf {
namespace {

template <class Record>
void expect_sound(const field<Record>& row) {
    SCOPED_TRACE(row.name);
    EXPECT_FALSE(row.name.empty());
    EXPECT_TRUE(row.doc.ends_with('.')) << row.doc;
    EXPECT_EQ(row.doc.find_first_of("|\n"), std::string_view::npos) << "breaks the Markdown table";
    EXPECT_EQ(row.kind == value_kind::enumeration, !row.choices.empty());

    Record record{};
    const auto value = row.get(record);
    EXPECT_EQ(value.has_value(), !row.optional);
    if (!value) return;
    EXPECT_EQ(row.set(record, *value), std::nullopt) << "the default is not allowed";
    EXPECT_EQ(record, Record{});
}

bool is_number(value_kind kind) {
    return kind == value_kind::integer || kind == value_kind::size ||
           kind == value_kind::milliseconds || kind == value_kind::seconds;
}

template <class Record>
void expect_bounds_hold(const field<Record>& row) {
    if (!is_number(row.kind)) return;
    SCOPED_TRACE(row.name);
    Record record{};
    EXPECT_LE(row.range.min, row.range.max);
    for (const auto edge : {row.range.min, row.range.max}) {
        EXPECT_EQ(row.set(record, std::to_string(edge)), std::nullopt);
        EXPECT_EQ(row.get(record), std::to_string(edge)) << "does not fit into the member";
    }
    const auto before = record;
    EXPECT_NE(row.set(record, std::to_string(row.range.min - 1)), std::nullopt);
    EXPECT_NE(row.set(record, std::to_string(row.range.max + 1)), std::nullopt);
    EXPECT_EQ(record, before) << "a refused value must change nothing";
}

template <class Record>
void expect_sound_columns() {
    std::set<std::string_view> names;
    for (const auto& column : columns<Record>()) {
        EXPECT_TRUE(names.insert(column.name).second) << column.name;
        EXPECT_FALSE(is_unsupported_column(section_name<Record>, column.name)) << column.name;
        expect_sound(column);
        expect_bounds_hold(column);
    }
}

TEST(every_option, has_a_documentation_line_and_an_allowed_default) {
    for (const auto& row : options()) {
        expect_sound(row);
        EXPECT_FALSE(row.group.empty()) << row.name;
    }
}

TEST(every_option, has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (const auto& row : options()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_EQ(find_option(row.name), &row);
    }
    EXPECT_EQ(find_option("nothing"), nullptr);
}

TEST(every_option, refuses_what_is_outside_its_bounds) {
    for (const auto& row : options())
        expect_bounds_hold<variables>(row);
}

TEST(every_option, accepts_each_of_its_choices_and_prints_it_back) {
    for (const auto& row : options())
        for (const auto choice : row.choices) {
            variables vars;
            EXPECT_EQ(row.set(vars, choice), std::nullopt) << row.name << " " << choice;
            EXPECT_EQ(row.get(vars), choice);
        }
}

TEST(every_option, sets_one_member_and_no_other) {
    for (const auto& row : options()) {
        std::string value = "/other:1";
        if (row.kind == value_kind::boolean)
            value = default_of(row) == "true" ? "false" : "true";
        else if (row.kind == value_kind::enumeration)
            value =
                default_of(row) == row.choices.front() ? row.choices.back() : row.choices.front();
        else if (is_number(row.kind))
            value = std::to_string(row.range.max);
        variables vars;
        ASSERT_EQ(row.set(vars, value), std::nullopt) << row.name;
        for (const auto& other : options())
            EXPECT_EQ(other.get(vars) != default_of(other), &other == &row)
                << row.name << " and " << other.name;
    }
}

TEST(every_option, can_be_set_in_a_file) {
    for (const auto& row : options()) {
        const auto text = default_of(row);
        const auto result =
            load_text("variables: {" + std::string(row.name) + ": \"" + text + "\"}\n", "f");
        ASSERT_NE(result.value, nullptr) << row.name;
        EXPECT_EQ(result.value->vars, variables{}) << row.name;
    }
}

TEST(every_option, that_holds_a_password_is_secret) {
    for (const auto& row : options())
        EXPECT_EQ(row.secret, row.name.ends_with("password") || row.name.ends_with("credentials") ||
                                  row.name.ends_with("tokens"))
            << row.name;
    for (const auto& column : columns<user>())
        EXPECT_EQ(column.secret, column.name.ends_with("password")) << column.name;
}

TEST(every_column, has_a_documentation_line_and_an_allowed_default) {
    expect_sound_columns<server>();
    expect_sound_columns<replication_hostgroup>();
    expect_sound_columns<user>();
    expect_sound_columns<query_rule>();
    expect_sound_columns<fast_route>();
    expect_sound_columns<firewall_user>();
    expect_sound_columns<firewall_rule>();
    expect_sound_columns<hba_rule>();
    expect_sound_columns<user_map>();
}

}  // namespace
}  // namespace howdah::conf
