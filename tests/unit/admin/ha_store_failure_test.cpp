#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "admin/ha/store.hpp"
#include "tests/unit/admin/ha_samples.hpp"
#include "tests/unit/conf/temporary_file.hpp"

namespace howdah::admin {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;

struct ha_store_failure : ::testing::Test {
    conf::test::temporary_folder folder;
    const std::string path = folder.path("howdah_ha.db");

    auto fails_with(const std::string& cause) const {
        return ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(path), HasSubstr(cause)));
    }
    /// What somebody with another program does to the file.
    void run(const std::string& sql) const {
        database other(file_uri(path));
        const auto done = other.execute(sql);
        ASSERT_TRUE(done) << done.error().message;
    }
};

/// As if the disk were full: no file of the process may grow beyond so many bytes.
class full_disk {
public:
    explicit full_disk(std::uintmax_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit now = before_;
        now.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    full_disk(const full_disk&) = delete;
    full_disk& operator=(const full_disk&) = delete;
    ~full_disk() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int);
    rlimit before_{};
};

TEST_F(ha_store_failure, an_epoch_that_cannot_drop_its_intent_does_not_begin) {
    ha_store store(path);
    ha::cluster_record before = full_record();
    before.epoch = 1;
    store.save(before);
    store.save(full_intent());
    run("CREATE TRIGGER no BEFORE DELETE ON intents BEGIN SELECT RAISE(ABORT, 'not now'); END");
    EXPECT_THAT([&] { store.begin_epoch(full_record()); }, fails_with("not now"));
    EXPECT_THAT(store.records(), ElementsAre(Pair("main", before)));
    EXPECT_THAT(store.intents(), ElementsAre(Pair("main", full_intent())));

    run("DROP TRIGGER no");
    store.begin_epoch(full_record());
    EXPECT_THAT(store.records(), ElementsAre(Pair("main", full_record())));
    EXPECT_THAT(store.intents(), IsEmpty());
}

TEST_F(ha_store_failure, a_full_disk_is_told_and_changes_nothing) {
    ha_store store(path);
    store.save(full_record());
    store.save(full_notes());
    ha::cluster_record later = full_record();
    later.epoch = 2;
    {
        const full_disk now(std::filesystem::file_size(path + "-wal"));
        EXPECT_THAT([&] { store.save(later); }, fails_with("disk I/O error"));
        EXPECT_THAT([&] { store.begin_epoch(later); }, fails_with("disk I/O error"));
        EXPECT_THAT([&] { store.save(full_intent()); }, fails_with("disk I/O error"));
        EXPECT_THAT([&] { store.save(ha::operator_notes{}); }, fails_with("disk I/O error"));
        EXPECT_THAT([&] { (void)store.save(full_recovery()); }, fails_with("disk I/O error"));
        EXPECT_THAT([&] { (void)store.add(full_entry()); }, fails_with("disk I/O error"));
        EXPECT_THAT(store.records(), ElementsAre(Pair("main", full_record())));
    }
    EXPECT_THAT(store.intents(), IsEmpty());
    EXPECT_EQ(store.notes(), full_notes());
    EXPECT_THAT(store.recoveries({}), IsEmpty());
    EXPECT_THAT(store.audit({}), IsEmpty());
    store.save(later);
    EXPECT_THAT(ha_store(path).records(), ElementsAre(Pair("main", later)));
}

TEST_F(ha_store_failure, a_file_that_is_no_database_is_not_replaced) {
    const std::string content(5000, 'x');
    (void)folder.file("howdah_ha.db", content);
    EXPECT_THAT([&] { ha_store store(path); },
                fails_with("file is not a database; restore it from a backup"));
    EXPECT_EQ(std::filesystem::file_size(path), content.size());
}

TEST_F(ha_store_failure, an_empty_file_is_not_taken_for_a_new_one) {
    (void)folder.file("howdah_ha.db", "");
    EXPECT_THAT([&] { ha_store store(path); }, fails_with("the file is empty"));
    EXPECT_EQ(std::filesystem::file_size(path), 0U);
}

TEST_F(ha_store_failure, a_log_without_its_file_is_not_a_fresh_start) {
    (void)folder.file("howdah_ha.db-wal", "x");
    EXPECT_THAT([&] { ha_store store(path); }, fails_with("the file is missing and its log"));
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ha_store_failure, a_damaged_page_is_found_when_the_file_is_opened) {
    {
        ha_store store(path);
        for (int i = 0; i < 200; ++i)
            (void)store.add(full_entry());
    }
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(-4096, std::ios::end);
        file << std::string(4096, '\x5a');
    }
    EXPECT_THAT([&] { ha_store store(path); }, fails_with("it is damaged"));
}

TEST_F(ha_store_failure, a_cut_off_file_is_found_when_it_is_opened) {
    { ha_store store(path); }
    std::filesystem::resize_file(path, 4096);
    EXPECT_THAT([&] { ha_store store(path); }, fails_with("malformed"));
}

TEST_F(ha_store_failure, another_database_is_not_taken_for_the_store) {
    run("CREATE TABLE records (x)");
    EXPECT_THAT([&] { ha_store store(path); }, fails_with("it is no HA store of Howdah's"));
}

TEST_F(ha_store_failure, the_file_of_a_newer_howdah_is_left_alone) {
    { ha_store store(path); }
    run("PRAGMA user_version = 99");
    EXPECT_THAT([&] { ha_store store(path); },
                fails_with("its schema has version 99, and this Howdah knows 1 to 2"));
}

TEST_F(ha_store_failure, the_file_of_an_older_howdah_is_brought_up_to_date) {
    auto intent = full_intent();
    auto record = full_record();
    intent.stopped = false;
    intent.fork_lsn = record.fork_lsn = record.left_timeline = 0;
    {
        ha_store store(path);
        store.save(intent);
        store.save(record);
    }
    run("ALTER TABLE intents DROP COLUMN stopped; ALTER TABLE intents DROP COLUMN fork_lsn; "
        "ALTER TABLE records DROP COLUMN fork_lsn; ALTER TABLE records DROP COLUMN left_timeline; "
        "DROP TABLE servers; PRAGMA user_version = 1");
    ha_store store(path);
    EXPECT_EQ(store.intents().at("main"), intent);
    EXPECT_EQ(store.records().at("main"), record);
    store.save(full_intent());
    EXPECT_EQ(store.intents().at("main"), full_intent());
}

TEST_F(ha_store_failure, a_folder_that_does_not_exist_is_named) {
    const std::string where = folder.path("none") + "/howdah_ha.db";
    EXPECT_THAT([&] { ha_store store(where); },
                ThrowsMessage<std::runtime_error>(
                    AllOf(HasSubstr(where), HasSubstr("No such file or directory"))));
}

TEST_F(ha_store_failure, a_folder_in_its_place_is_an_error) {
    std::filesystem::create_directory(path);
    EXPECT_THAT([&] { ha_store store(path); }, fails_with("unable to open"));
}

TEST_F(ha_store_failure, a_value_that_nobody_wrote_is_an_error_with_its_place) {
    ha_store store(path);
    store.save(full_record());
    store.save(full_intent());
    store.save(full_notes());
    run("UPDATE records SET system_identifier = 'many'");
    run("UPDATE intents SET conninfo_before_freeze = '{}'");
    run("UPDATE notes SET content = '['");
    EXPECT_THAT([&] { (void)store.records(); },
                fails_with("table records: column system_identifier is damaged"));
    EXPECT_THAT([&] { (void)store.intents(); },
                fails_with("table intents: column conninfo_before_freeze is damaged"));
    EXPECT_THAT([&] { (void)store.notes(); }, fails_with("the operators' notes are damaged"));
}

TEST_F(ha_store_failure, a_path_may_have_any_characters) {
    const std::string odd = folder.path("a%20b?c=d#e.db");
    {
        ha_store store(odd);
        store.save(full_record());
    }
    EXPECT_TRUE(std::filesystem::exists(odd));
    EXPECT_THAT(ha_store(odd).records(), ElementsAre(Pair("main", full_record())));
}

}  // namespace
}  // namespace howdah::admin
