#include "proxy/statistics/digest_statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace howdah::proxy {
namespace {

const pool_login alice{1, "shop", "alice", {}, {}};
const pool_login bob{2, "shop", "bob", {}, {}};

sql::digested_ptr named(std::uint64_t hash, std::string text) {
    return std::make_shared<const sql::digested>(sql::digested{{hash, hash}, std::move(text)});
}

TEST(time_histogram, puts_every_time_into_a_bucket_that_bounds_it) {
    for (std::uint64_t t = 0; t < 100'000; ++t) {
        const std::size_t bucket = time_histogram::bucket_of(t);
        ASSERT_LE(t, time_histogram::upper_bound(bucket)) << t;
        if (bucket > 0) {
            ASSERT_GT(t, time_histogram::upper_bound(bucket - 1)) << t;
        }
    }
    EXPECT_EQ(time_histogram::bucket_of(~std::uint64_t{0}), time_histogram::buckets - 1);
    EXPECT_GT(time_histogram::upper_bound(time_histogram::buckets - 1), 3'600'000'000U);
}

TEST(time_histogram, tells_percentiles_to_within_half) {
    time_histogram h;
    EXPECT_EQ(h.percentile(0.5), 0U);
    for (std::uint64_t t = 1; t <= 10'000; ++t)
        h.add(t);
    for (const double share : {0.01, 0.5, 0.95, 0.99, 1.0}) {
        const auto exact = static_cast<std::uint64_t>(share * 10'000);
        EXPECT_GE(h.percentile(share), exact) << share;
        EXPECT_LE(h.percentile(share), exact + exact / 2) << share;
    }
    time_histogram one;
    one.add(7);
    for (const double share : {0.0, 0.5, 1.0})
        EXPECT_EQ(one.percentile(share), 7U);
}

TEST(time_histogram, adds_up) {
    time_histogram quick, slow;
    for (int i = 0; i < 90; ++i)
        quick.add(10);
    for (int i = 0; i < 10; ++i)
        slow.add(1000);
    quick.add(slow);
    EXPECT_LT(quick.percentile(0.9), 20U);
    EXPECT_GE(quick.percentile(0.95), 1000U);
}

TEST(digest_statistics, add_up_what_became_of_statements) {
    digest_statistics s;
    const auto d = named(5, "select ?");
    s.record({10, &alice, 5, {}}, d, {300, 0, 2, false}, 1000, 10);
    s.record({10, &alice, 5, {}}, d, {100, 4, 0, false}, 1001, 10);
    s.record({10, &alice, 5, {}}, d, {200, 0, 1, true}, 1002, 10);
    const digest_report report = s.read();
    ASSERT_EQ(report.rows.size(), 1U);
    EXPECT_EQ(report.dropped, 0U);
    const digest_row& row = report.rows.front();
    EXPECT_EQ(row.digest->text, "select ?");
    EXPECT_EQ(row.counts.count, 3U);
    EXPECT_EQ(row.counts.errors, 1U);
    EXPECT_EQ(row.counts.first_seen, 1000);
    EXPECT_EQ(row.counts.last_seen, 1002);
    EXPECT_EQ(row.counts.sum_time, 600U);
    EXPECT_EQ(row.counts.min_time, 100U);
    EXPECT_EQ(row.counts.max_time, 300U);
    EXPECT_EQ(row.counts.rows_affected, 4U);
    EXPECT_EQ(row.counts.rows_sent, 3U);
    EXPECT_GE(row.counts.times.percentile(0.5), 200U);
}

TEST(digest_statistics, have_a_row_for_each_hostgroup_client_and_digest) {
    digest_statistics s;
    const auto d = named(5, "select ?");
    const auto other = named(6, "insert");
    const std::vector<digest_key> keys{{10, &alice, 5, {}},         {20, &alice, 5, {}},
                                       {10, &bob, 5, {}},           {10, &alice, 6, {}},
                                       {10, &alice, 5, "10.0.0.1"}, {10, &alice, 5, "10.0.0.2"}};
    for (int i = 0; i < 2; ++i)
        for (const digest_key& key : keys)
            s.record(key, key.digest == 5 ? d : other, {1, 0, 0, false}, 1, 10);
    const digest_report report = s.read();
    EXPECT_EQ(report.rows.size(), keys.size());
    for (const digest_key& key : keys)
        EXPECT_TRUE(std::any_of(report.rows.begin(), report.rows.end(), [&](const digest_row& r) {
            return r.key == key && r.counts.count == 2;
        }));
}

TEST(digest_statistics, drop_what_there_is_no_room_for_and_say_so) {
    digest_statistics s;
    for (std::uint64_t digest = 1; digest <= 5; ++digest)
        s.record({10, &alice, digest, {}}, named(digest, "x"), {1, 0, 0, false}, 1, 3);
    s.record({10, &alice, 1, {}}, named(1, "x"), {1, 0, 0, false}, 1, 3);
    EXPECT_EQ(s.size(), 3U);
    EXPECT_EQ(s.read().dropped, 2U);
}

TEST(digest_statistics, begin_anew_when_they_are_taken) {
    digest_statistics s;
    s.record({10, &alice, 1, {}}, named(1, "x"), {1, 0, 0, false}, 1, 1);
    s.record({10, &alice, 2, {}}, named(2, "x"), {1, 0, 0, false}, 1, 1);
    const digest_report taken = s.take();
    EXPECT_EQ(taken.rows.size(), 1U);
    EXPECT_EQ(taken.dropped, 1U);
    EXPECT_TRUE(s.read().rows.empty());
    EXPECT_EQ(s.read().dropped, 0U);
    s.record({10, &alice, 2, {}}, named(2, "x"), {1, 0, 0, false}, 1, 1);
    EXPECT_EQ(s.size(), 1U);
}

TEST(digest_statistics, of_several_workers_are_added_up) {
    digest_statistics a, b;
    const auto d = named(5, "x");
    a.record({10, &alice, 5, {}}, d, {100, 1, 0, false}, 1000, 10);
    b.record({10, &alice, 5, {}}, d, {300, 2, 0, true}, 900, 10);
    b.record({20, &alice, 5, {}}, d, {7, 0, 0, false}, 900, 1);
    b.record({30, &alice, 5, {}}, d, {7, 0, 0, false}, 900, 1);
    const digest_report all = merge({a.read(), b.read()});
    EXPECT_EQ(all.dropped, 2U);
    ASSERT_EQ(all.rows.size(), 1U);
    const digest_counts& c = all.rows.front().counts;
    EXPECT_EQ(c.count, 2U);
    EXPECT_EQ(c.errors, 1U);
    EXPECT_EQ(c.first_seen, 900);
    EXPECT_EQ(c.last_seen, 1000);
    EXPECT_EQ(c.sum_time, 400U);
    EXPECT_EQ(c.min_time, 100U);
    EXPECT_EQ(c.max_time, 300U);
    EXPECT_EQ(c.rows_affected, 3U);
    EXPECT_TRUE(merge({}).rows.empty());
}

TEST(rows_affected, are_those_of_the_tag) {
    struct row {
        const char* tag;
        std::uint64_t sent;
        std::uint64_t affected;
    };
    for (const row& r :
         {row{"INSERT 0 5", 0, 5}, row{"INSERT 0 5", 5, 5}, row{"UPDATE 3", 0, 3},
          row{"DELETE 0", 0, 0}, row{"MERGE 7", 0, 7}, row{"COPY 100", 0, 100},
          row{"SELECT 4", 4, 0}, row{"SELECT 4", 0, 4}, row{"SELECT 0", 0, 0}, row{"FETCH 4", 4, 0},
          row{"MOVE 4", 0, 0}, row{"BEGIN", 0, 0}, row{"CREATE TABLE", 0, 0}, row{"", 0, 0},
          row{"UPDATE ", 0, 0}, row{"UPDATE x", 0, 0}, row{"UPDATE 99999999999999999999999", 0, 0}})
        EXPECT_EQ(rows_affected(r.tag, r.sent), r.affected) << r.tag;
}

}  // namespace
}  // namespace howdah::proxy
