#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/ha/store.hpp"
#include "tests/unit/admin/ha_samples.hpp"

namespace howdah::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ha::endpoint pg1{"pg1", 5432}, pg2{"pg2", 5432}, pg3{"pg3", 5432};

using filter = ha::history_filter;

/// where(&filter::uid, "u1", &filter::limit, 2U): a filter with these members set.
filter where() {
    return {};
}
template <class Member, class Value, class... More>
filter where(Member member, Value value, More... more) {
    filter out = where(more...);
    out.*member = value;
    return out;
}

struct ha_history : ::testing::Test {
    ha_store store{""};
    std::int64_t first = 0, second = 0, third = 0;

    void SetUp() override {
        ha::recovery r;
        r.uid = "u1";
        r.cluster = "main";
        r.alias = "m";
        r.failed = pg1;
        r.successor = pg2;
        r.started_at = 100;
        r.ended_at = 200;
        first = store.save(r);
        r.uid = "u2";
        r.failed = pg2;
        r.successor.reset();
        r.started_at = 300;
        r.ended_at = 400;
        second = store.save(r);
        r.uid = "u3";
        r.cluster = "other";
        r.alias = "o";
        r.failed = {"pg2", 6000};
        r.started_at = 500;
        r.ended_at = 0;
        third = store.save(r);
    }
    std::vector<std::int64_t> found(const filter& which) {
        std::vector<std::int64_t> out;
        for (const ha::recovery& r : store.recoveries(which))
            out.push_back(r.id);
        return out;
    }
};

TEST_F(ha_history, the_newest_comes_first) {
    EXPECT_THAT(found({}), ElementsAre(third, second, first));
}

TEST_F(ha_history, every_condition_selects_and_all_have_to_hold) {
    EXPECT_THAT(found(where(&filter::id, second)), ElementsAre(second));
    EXPECT_THAT(found(where(&filter::uid, "u1")), ElementsAre(first));
    EXPECT_THAT(found(where(&filter::cluster, "main")), ElementsAre(second, first));
    EXPECT_THAT(found(where(&filter::alias, "o")), ElementsAre(third));
    EXPECT_THAT(found(where(&filter::server, pg2)), ElementsAre(second, first));
    EXPECT_THAT(found(where(&filter::server, pg1)), ElementsAre(first));
    EXPECT_THAT(found(where(&filter::server, pg3)), IsEmpty());
    EXPECT_THAT(found(where(&filter::only_active, true)), ElementsAre(third));
    EXPECT_THAT(found(where(&filter::since, 300)), ElementsAre(third, second));
    EXPECT_THAT(found(where(&filter::cluster, "main", &filter::server, pg2, &filter::since, 300)),
                ElementsAre(second));
    EXPECT_THAT(found(where(&filter::uid, "u1", &filter::cluster, "other")), IsEmpty());
    EXPECT_THAT(found(where(&filter::cluster, "' OR 1=1 --")), IsEmpty());
}

TEST_F(ha_history, comes_in_pages) {
    EXPECT_THAT(found(where(&filter::limit, 2U)), ElementsAre(third, second));
    EXPECT_THAT(found(where(&filter::offset, 2U, &filter::limit, 2U)), ElementsAre(first));
    EXPECT_THAT(found(where(&filter::offset, 1U)), ElementsAre(second, first));
    EXPECT_THAT(found(where(&filter::offset, std::numeric_limits<std::size_t>::max())), IsEmpty());
    EXPECT_THAT(found(where(&filter::limit, std::numeric_limits<std::size_t>::max())),
                ElementsAre(third, second, first));
}

TEST_F(ha_history, acknowledging_counts_what_it_changed_and_keeps_who_was_first) {
    EXPECT_EQ(store.acknowledge(where(&filter::cluster, "main"), "ann", "seen", 1000), 2U);
    EXPECT_THAT(found(where(&filter::only_unacknowledged, true)), ElementsAre(third));
    EXPECT_EQ(store.acknowledge({}, "bob", "too", 2000), 1U);
    EXPECT_EQ(store.acknowledge({}, "bob", "again", 3000), 0U);
    const auto rows = store.recoveries({});
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_TRUE(rows[0].acknowledged);
    EXPECT_EQ(rows[0].acknowledged_by, "bob");
    EXPECT_EQ(rows[0].acknowledge_comment, "too");
    EXPECT_EQ(rows[0].acknowledged_at, 2000);
    EXPECT_EQ(rows[2].acknowledged_by, "ann");
    EXPECT_EQ(rows[2].acknowledge_comment, "seen");
    EXPECT_EQ(rows[2].acknowledged_at, 1000);
}

TEST_F(ha_history, steps_are_those_of_one_recovery_in_their_order) {
    using namespace test;
    ha::recovery_step a = full_step(first), b = full_step(second), c = full_step(first);
    c.what = "later";
    c.at = 1;  // the clock was set back
    a.id = store.add(a);
    b.id = store.add(b);
    c.id = store.add(c);
    EXPECT_THAT(store.steps(first), ElementsAre(a, c));
    EXPECT_THAT(store.steps(second), ElementsAre(b));
}

TEST_F(ha_history, detections_and_audit_have_the_same_conditions) {
    ha::detection d;
    d.cluster = "main";
    d.alias = "m";
    d.server = pg1;
    d.at = 10;
    const auto d1 = store.save(d);
    d.server = pg2;
    d.at = 20;
    const auto d2 = store.save(d);
    const auto detections = [&](const filter& which) {
        std::vector<std::int64_t> out;
        for (const ha::detection& one : store.detections(which))
            out.push_back(one.id);
        return out;
    };
    EXPECT_THAT(detections({}), ElementsAre(d2, d1));
    EXPECT_THAT(detections(where(&filter::alias, "m", &filter::server, pg1)), ElementsAre(d1));
    EXPECT_THAT(detections(where(&filter::since, 20)), ElementsAre(d2));
    EXPECT_THAT(detections(where(&filter::offset, 1U, &filter::limit, 1U)), ElementsAre(d1));
    EXPECT_THAT(detections(where(&filter::uid, "u1")), IsEmpty());

    ha::audit_entry e;
    e.cluster = "main";
    e.server = pg1;
    e.at = 10;
    const auto e1 = store.add(e);
    e.cluster = "other";
    e.at = 20;
    const auto e2 = store.add(e);
    const auto audit = [&](const filter& which) {
        std::vector<std::int64_t> out;
        for (const ha::audit_entry& one : store.audit(which))
            out.push_back(one.id);
        return out;
    };
    EXPECT_THAT(audit({}), ElementsAre(e2, e1));
    EXPECT_THAT(audit(where(&filter::cluster, "main")), ElementsAre(e1));
    EXPECT_THAT(audit(where(&filter::server, pg1, &filter::limit, 1U)), ElementsAre(e2));
    EXPECT_THAT(audit(where(&filter::since, 11)), ElementsAre(e2));
    EXPECT_THAT(audit(where(&filter::alias, "m")), IsEmpty());
}

TEST_F(ha_history, forgets_what_ended_before_and_keeps_the_rest) {
    using namespace test;
    store.save(full_record());
    store.save(full_intent());
    store.save(full_notes());
    for (const auto id : {first, second, third}) {
        ha::recovery_step s;
        s.recovery_id = id;
        s.at = 150;
        (void)store.add(s);
    }
    for (const ha::unix_us at : {100, 400}) {
        ha::detection d;
        d.at = at;
        (void)store.save(d);
        ha::audit_entry e;
        e.at = at;
        (void)store.add(e);
    }
    store.forget_before(400);
    EXPECT_THAT(found({}), ElementsAre(third, second));
    EXPECT_THAT(store.steps(first), IsEmpty());
    EXPECT_EQ(store.steps(second).size(), 1U);
    EXPECT_EQ(store.steps(third).size(), 1U);
    EXPECT_EQ(store.detections({}).size(), 1U);
    EXPECT_EQ(store.audit({}).size(), 1U);
    EXPECT_EQ(store.records().size(), 1U);
    EXPECT_EQ(store.intents().size(), 1U);
    EXPECT_EQ(store.notes(), full_notes());

    store.forget_before(std::numeric_limits<ha::unix_us>::max());
    EXPECT_THAT(found({}), ElementsAre(third));
    EXPECT_GT(store.save(ha::recovery{}), third) << "an id is never given twice";
}

}  // namespace
}  // namespace howdah::admin
