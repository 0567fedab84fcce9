#include "monitor/role_check.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "monitor/pq_connection.hpp"

namespace howdah::monitor {
namespace {

using cells = std::vector<const char*>;  // nullptr = NULL

pq_result answer(const cells& row, int rows = 1) {
    pq_result out(PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK));
    std::vector<PGresAttDesc> columns(row.size());
    std::string name = "c";
    for (auto& column : columns)
        column = {name.data(), 0, 0, 0, 25, -1, -1};
    PQsetResultAttrs(out.get(), static_cast<int>(columns.size()), columns.data());
    for (int r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string text = row[i] ? row[i] : "";
            PQsetvalue(out.get(), r, static_cast<int>(i), row[i] ? text.data() : nullptr,
                       row[i] ? static_cast<int>(text.size()) : -1);
        }
    return out;
}

TEST(RoleCheck, reads_a_primary) {
    observation seen;
    ASSERT_TRUE(read_role_check(answer({"f", "3", "7711132539791284502", "50334200", nullptr,
                                        nullptr, "f", "off", "150020"})
                                    .get(),
                                seen));
    EXPECT_EQ(seen.as, role::primary);
    EXPECT_EQ(seen.timeline, 3U);
    EXPECT_EQ(seen.system_identifier, 7711132539791284502U);
    EXPECT_EQ(seen.current_lsn, 50334200U);
    EXPECT_FALSE(seen.receive_lsn || seen.replay_lsn);
    EXPECT_FALSE(seen.receiver_active || seen.default_read_only);
    EXPECT_EQ(seen.server_version_num, 150020);
}

TEST(RoleCheck, reads_a_standby) {
    observation seen;
    ASSERT_TRUE(read_role_check(
        answer({"t", "3", "42", nullptr, "900", "800", "t", "t", "170000"}).get(), seen));
    EXPECT_EQ(seen.as, role::standby);
    EXPECT_FALSE(seen.current_lsn);
    EXPECT_EQ(seen.receive_lsn, 900U);
    EXPECT_EQ(seen.replay_lsn, 800U);
    EXPECT_TRUE(seen.receiver_active);
    EXPECT_TRUE(seen.default_read_only);
}

TEST(RoleCheck, the_basic_answer_changes_only_the_role) {
    observation seen;
    seen.timeline = 9;
    ASSERT_TRUE(read_role_check(answer({"t"}).get(), seen));
    EXPECT_EQ(seen.as, role::standby);
    EXPECT_EQ(seen.timeline, 9U);
    ASSERT_TRUE(read_role_check(answer({"f"}).get(), seen));
    EXPECT_EQ(seen.as, role::primary);
}

TEST(RoleCheck, numbers_that_are_none_are_unknown) {
    observation seen;
    ASSERT_TRUE(read_role_check(
        answer({"t", nullptr, "x", "", "-1", "99999999999999999999999", "f", "f", ""}).get(),
        seen));
    EXPECT_EQ(seen.timeline, 0U);
    EXPECT_EQ(seen.system_identifier, 0U);
    EXPECT_FALSE(seen.current_lsn || seen.receive_lsn || seen.replay_lsn);
}

TEST(RoleCheck, another_answer_is_refused_and_changes_nothing) {
    observation seen;
    seen.as = role::primary;
    const auto before = seen;
    EXPECT_FALSE(read_role_check(nullptr, seen));
    EXPECT_FALSE(read_role_check(answer({"t"}, 0).get(), seen));
    EXPECT_FALSE(read_role_check(answer({"t"}, 2).get(), seen));
    EXPECT_FALSE(read_role_check(answer({nullptr}).get(), seen));
    for (std::size_t width : {std::size_t{0}, std::size_t{2}, std::size_t{8}, std::size_t{10}})
        EXPECT_FALSE(read_role_check(answer(cells(width, "t")).get(), seen)) << width;
    EXPECT_EQ(seen, before);
}

TEST(RoleCheck, the_statements_name_nothing_that_search_path_could_bend) {
    const std::string full = role_check_sql(role_check_level::full);
    for (std::size_t at = full.find("pg_"); at != full.npos; at = full.find("pg_", at + 1)) {
        const auto word = full.substr(at, 11);
        if (word == "pg_catalog.") continue;
        EXPECT_EQ(full.substr(at - 11, 11), "pg_catalog.") << full.substr(at, 40);
    }
    EXPECT_EQ(std::string(role_check_sql(role_check_level::basic)),
              "SELECT pg_catalog.pg_is_in_recovery()");
}

}  // namespace
}  // namespace howdah::monitor
