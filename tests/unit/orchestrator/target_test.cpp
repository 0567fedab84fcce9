#include "admin/orchestrator/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace howdah::admin::orchestrator {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(Target, is_split_before_it_is_decoded) {
    EXPECT_THAT(
        split_path("/begin-downtime/pg1/5432/ann/disk%20a%2Fb%20full/10m"),
        Optional(ElementsAre("begin-downtime", "pg1", "5432", "ann", "disk a/b full", "10m")));
}

TEST(Target, does_not_mind_slashes_at_its_ends) {
    EXPECT_THAT(split_path("/downtimed/"), Optional(ElementsAre("downtimed")));
    EXPECT_THAT(split_path("//repoint-replicas/pg1/5432//"),
                Optional(ElementsAre("repoint-replicas", "pg1", "5432")));
    EXPECT_THAT(split_path("/"), Optional(ElementsAre()));
}

TEST(Target, keeps_an_empty_value_in_its_place) {
    EXPECT_THAT(split_path("/begin-downtime/pg1/5432/ann//10m"),
                Optional(ElementsAre("begin-downtime", "pg1", "5432", "ann", "", "10m")));
}

TEST(Target, loses_the_line_feed_that_orchestrator_client_adds) {
    EXPECT_THAT(split_path("/begin-maintenance/pg1/5432/me%0A/upgrade%20%0A"),
                Optional(ElementsAre("begin-maintenance", "pg1", "5432", "me", "upgrade")));
    EXPECT_EQ(split_query("tag=a%0A&s=10.0%0A")->at("tag"), "a");
    EXPECT_EQ(split_query("tag=a%0A&s=10.0%0A")->at("s"), "10.0");
}

TEST(Target, with_broken_encoding_is_refused) {
    for (const char* bad : {"/a%", "/a%2", "/a%zz", "/a%00b", "/%-1", "/%+1"})
        EXPECT_FALSE(split_path(bad)) << bad;
    EXPECT_FALSE(split_query("a=%4"));
    EXPECT_FALSE(split_query("%00=1"));
}

TEST(Target, has_blanks_as_plus_only_behind_the_question_mark) {
    EXPECT_EQ(split_query("comment=all+good")->at("comment"), "all good");
    EXPECT_THAT(split_path("/search/a+b"), Optional(ElementsAre("search", "a+b")));
}

TEST(Target, takes_names_without_a_value) {
    const auto query = split_query("a&b=&=c&d=1=2");
    EXPECT_EQ(query->at("a"), "");
    EXPECT_EQ(query->at("b"), "");
    EXPECT_EQ(query->at("d"), "1=2");
    EXPECT_EQ(query->size(), 3U);
}

TEST(PathPattern, has_synonyms_and_places) {
    const path_pattern pattern("relocate|move-below/:host/:port/below/:dhost");
    const auto found = pattern.match({"move-below", "pg2", "5432", "below", "pg3"});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->at(""), "move-below");
    EXPECT_EQ(found->at("host"), "pg2");
    EXPECT_EQ(found->at("dhost"), "pg3");
    EXPECT_FALSE(pattern.match({"move", "pg2", "5432", "below", "pg3"}));
    EXPECT_FALSE(pattern.match({"relocate", "pg2", "5432", "above", "pg3"}));
    EXPECT_FALSE(pattern.match({"relocate", "pg2", "5432", "below"}));
}

TEST(Duration, is_a_number_and_a_unit) {
    EXPECT_EQ(parse_duration("10s"), 10);
    EXPECT_EQ(parse_duration("5m"), 300);
    EXPECT_EQ(parse_duration("2h"), 7200);
    EXPECT_EQ(parse_duration("1d"), 86400);
    EXPECT_EQ(parse_duration("1w"), 604800);
    EXPECT_EQ(parse_duration("0"), 0);
    EXPECT_EQ(parse_duration("90"), 90);
}

TEST(Duration, that_is_none_or_absurd_is_refused) {
    for (const char* bad :
         {"", "m", "1x", "1mm", "-5m", "99999999999999999999s", "9999999w", "1 m"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
}

}  // namespace
}  // namespace howdah::admin::orchestrator
