#include "admin/ha/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "tests/unit/admin/ha_samples.hpp"
#include "tests/unit/conf/temporary_file.hpp"

namespace howdah::admin {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct ha_store_test : ::testing::Test {
    conf::test::temporary_folder folder;
    const std::string path = folder.path("howdah_ha.db");
    ha_store store{path};
};

template <class T>
T with_id(T row, std::int64_t id) {
    row.id = id;
    return row;
}

TEST_F(ha_store_test, what_was_saved_comes_back_whole_also_after_a_restart) {
    store.save(full_record("a"));
    store.save(full_record("b"));
    store.save(full_intent("a"));
    ha::failover_intent early;
    early.cluster = "b";
    store.save(early);
    const ha::server_memory server{{"pg1", 5432}, odd_text, true, false, false};
    store.save(ha::server_memory{{"pg1", 5432}, "", false, true, true});
    store.save(server);
    store.save(full_notes());
    const auto recovery = with_id(full_recovery(), store.save(full_recovery()));
    const auto step = with_id(full_step(recovery.id), store.add(full_step(recovery.id)));
    const auto detection = with_id(full_detection(), store.save(full_detection()));
    const auto entry = with_id(full_entry(), store.add(full_entry()));

    ha_store again(path);
    for (ha_store* one : {&store, &again}) {
        EXPECT_THAT(one->records(),
                    ElementsAre(Pair("a", full_record("a")), Pair("b", full_record("b"))));
        EXPECT_THAT(one->intents(), ElementsAre(Pair("a", full_intent("a")), Pair("b", early)));
        EXPECT_THAT(one->servers(), ElementsAre(server));
        EXPECT_EQ(one->notes(), full_notes());
        EXPECT_THAT(one->recoveries({}), ElementsAre(recovery));
        EXPECT_THAT(one->steps(recovery.id), ElementsAre(step));
        EXPECT_THAT(one->detections({}), ElementsAre(detection));
        EXPECT_THAT(one->audit({}), ElementsAre(entry));
    }
}

TEST_F(ha_store_test, what_was_left_at_its_default_comes_back_so) {
    store.save(ha::cluster_record{});
    store.save(ha::operator_notes{});
    const auto id = store.save(ha::recovery{});
    EXPECT_THAT(store.records(), ElementsAre(Pair("", ha::cluster_record{})));
    EXPECT_EQ(store.notes(), ha::operator_notes{});
    EXPECT_THAT(store.recoveries({}), ElementsAre(with_id(ha::recovery{}, id)));
}

TEST_F(ha_store_test, a_new_store_is_empty_and_recoveries_are_allowed) {
    EXPECT_THAT(store.records(), IsEmpty());
    EXPECT_THAT(store.intents(), IsEmpty());
    EXPECT_EQ(store.notes(), ha::operator_notes{});
    EXPECT_THAT(store.recoveries({}), IsEmpty());
    EXPECT_THAT(store.steps(1), IsEmpty());
    EXPECT_THAT(store.detections({}), IsEmpty());
    EXPECT_THAT(store.audit({}), IsEmpty());
}

TEST_F(ha_store_test, saving_again_replaces) {
    store.save(full_record());
    ha::cluster_record later = full_record();
    later.epoch = 2;
    later.fenced.clear();
    store.save(later);
    EXPECT_THAT(store.records(), ElementsAre(Pair("main", later)));

    ha::recovery row = full_recovery();
    row.id = store.save(row);
    row.successor.reset();
    row.loss_bytes.reset();
    row.sentence = "no";
    EXPECT_EQ(store.save(row), row.id);
    EXPECT_THAT(store.recoveries({}), ElementsAre(row));

    ha::detection found = full_detection();
    found.id = store.save(found);
    found.recovery_id = row.id;
    EXPECT_EQ(store.save(found), found.id);
    EXPECT_THAT(store.detections({}), ElementsAre(found));

    store.save(full_notes());
    store.save(ha::operator_notes{});
    EXPECT_EQ(store.notes(), ha::operator_notes{});
}

TEST_F(ha_store_test, an_epoch_begins_with_its_record_and_without_the_intent) {
    store.save(full_intent("a"));
    store.save(full_intent("b"));
    store.begin_epoch(full_record("a"));
    EXPECT_THAT(store.records(), ElementsAre(Pair("a", full_record("a"))));
    EXPECT_THAT(store.intents(), ElementsAre(Pair("b", full_intent("b"))));
    store.remove_intent("b");
    store.remove_intent("never there");
    EXPECT_THAT(store.intents(), IsEmpty());
}

TEST_F(ha_store_test, keeps_everything_in_memory_where_there_is_no_file) {
    ha_store here(""), there("");
    here.save(full_record());
    EXPECT_THAT(here.records(), ElementsAre(Pair("main", full_record())));
    EXPECT_THAT(there.records(), IsEmpty());
}

TEST_F(ha_store_test, the_file_and_its_log_are_for_the_owner_alone) {
    store.save(full_record());
    namespace fs = std::filesystem;
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path()))
        EXPECT_EQ(file.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
            << file.path();
}

TEST_F(ha_store_test, commits_are_on_the_disk_when_they_return) {
    database other(file_uri(path));
    EXPECT_THAT(*other.query("PRAGMA journal_mode"), ElementsAre(row{std::string("wal")}));
    // What is not yet in the file itself is in the log, and survives there without this process.
    store.save(full_record());
    conf::test::temporary_folder elsewhere;
    for (const char* end : {"", "-wal"})
        std::filesystem::copy(path + end, elsewhere.path("copy") + end);
    EXPECT_THAT(ha_store(elsewhere.path("copy")).records(),
                ElementsAre(Pair("main", full_record())));
}

TEST_F(ha_store_test, threads_do_not_lose_each_others_rows) {
    ha_store second(path);
    constexpr int each = 50;
    const auto write = [](ha_store& to, const std::string& by) {
        for (int i = 0; i < each; ++i) {
            ha::audit_entry entry = full_entry();
            entry.by = by;
            (void)to.add(entry);
            (void)to.audit({});
        }
    };
    std::thread a(write, std::ref(store), "a"), b(write, std::ref(store), "b"),
        c(write, std::ref(second), "c");
    a.join();
    b.join();
    c.join();
    std::map<std::string, int> by;
    for (const ha::audit_entry& entry : store.audit({}))
        ++by[entry.by];
    EXPECT_THAT(by, ElementsAre(Pair("a", each), Pair("b", each), Pair("c", each)));
}

}  // namespace
}  // namespace howdah::admin
