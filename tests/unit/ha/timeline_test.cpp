#include "ha/timeline.hpp"

#include <gtest/gtest.h>

#include "ha/lsn.hpp"

namespace howdah::ha {
namespace {

constexpr std::string_view third =
    "1\t0/3000148\tno recovery target specified\n\n# a comment\n2\t0/5000000\tbefore 2026\n";

TEST(Lsn, is_written_and_read_as_postgresql_does) {
    EXPECT_EQ(format_lsn(0x16B3748), "0/16B3748");
    EXPECT_EQ(format_lsn(0xA'0000'0001), "A/1");
    EXPECT_EQ(parse_lsn("A/1"), 0xA'0000'0001);
    EXPECT_EQ(parse_lsn("ffffffff/ffffffff"), ~std::uint64_t{0});
    for (const char* bad :
         {"", "/", "1/", "/1", "1/g", "1", "100000000/0", "1/1/1", "-1/0", "0/1 "})
        EXPECT_FALSE(parse_lsn(bad)) << bad;
}

TEST(Lsn, amounts_of_wal_are_said_in_a_unit_that_fits) {
    EXPECT_EQ(format_bytes(0), "0 bytes");
    EXPECT_EQ(format_bytes(1), "1 byte");
    EXPECT_EQ(format_bytes(16 * 1024 * 1024), "16.0 MiB");
    EXPECT_EQ(format_bytes(3 * 1024 * 1024 / 2), "1.5 MiB");
}

TEST(Timeline, a_history_file_is_read_line_by_line) {
    const auto history = parse_timeline_history(third);
    ASSERT_TRUE(history);
    EXPECT_EQ(*history, (timeline_history{{1, 0x3000148, "no recovery target specified"},
                                          {2, 0x5000000, "before 2026"}}));
    EXPECT_EQ(parse_timeline_history(""), timeline_history{});
}

TEST(Timeline, a_damaged_history_file_is_refused) {
    for (const char* bad : {"x\t0/1\tr\n", "1\n", "1\t01\n", "0\t0/1\n", "2\t0/1\n1\t0/2\n",
                            "1\t0/2\n2\t0/1\n", "1x\t0/1\n"})
        EXPECT_FALSE(parse_timeline_history(bad)) << bad;
}

TEST(Timeline, a_place_up_to_the_fork_can_follow_and_one_beyond_has_diverged) {
    const auto history = parse_timeline_history(third);
    EXPECT_EQ(relate({1, 0x3000148}, 3, history), lineage::within);
    EXPECT_EQ(relate({1, 0x3000149}, 3, history), lineage::diverged);
    EXPECT_EQ(relate({2, 0x4000000}, 3, history), lineage::within);
    EXPECT_EQ(relate({2, 0x5000001}, 3, history), lineage::diverged);
    EXPECT_EQ(relate({3, 0x9000000}, 3, history), lineage::within);
}

TEST(Timeline, a_later_or_foreign_timeline_has_diverged) {
    EXPECT_EQ(relate({4, 1}, 3, parse_timeline_history(third)), lineage::diverged);
    EXPECT_EQ(relate({2, 1}, 4, parse_timeline_history("1\t0/1\tx\n3\t0/2\tx\n")),
              lineage::diverged);
}

TEST(Timeline, without_a_history_only_the_same_timeline_is_certain) {
    EXPECT_EQ(relate({2, 7}, 2, std::nullopt), lineage::within);
    EXPECT_EQ(relate({1, 7}, 2, std::nullopt), lineage::unknown);
    EXPECT_EQ(relate({3, 7}, 2, std::nullopt), lineage::diverged);
    EXPECT_EQ(relate({0, 7}, 2, std::nullopt), lineage::unknown);
}

}  // namespace
}  // namespace howdah::ha
