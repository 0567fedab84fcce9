#include "admin/ha/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "admin/ha/conditions.hpp"
#include "admin/ha/rows.hpp"

namespace howdah::admin {
namespace {

namespace fs = std::filesystem;

/// In the file's header, so that another SQLite file is not taken for ours: "HwHA".
constexpr std::int64_t application_id = 0x48774841;
constexpr int busy_ms = 5000;

[[noreturn]] void cannot_open(const std::string& path, const std::string& why) {
    throw std::runtime_error("cannot open " + path + ": " + why);
}

/// Throws std::runtime_error.
void sync_folder_of(const std::string& path) {
    const fs::path folder = fs::absolute(path).parent_path();
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!done) cannot_open(path, std::strerror(error));
}

void must(const std::string& path, const sql_result<void>& done) {
    if (!done) cannot_open(path, done.error().message);
}

std::string set_versions(std::size_t from) {
    const auto& versions = store_versions();
    std::string sql = "BEGIN IMMEDIATE;";
    for (std::size_t i = from; i < versions.size(); ++i)
        sql += versions[i];
    return sql + "PRAGMA application_id = " + std::to_string(application_id) +
           "; PRAGMA user_version = " + std::to_string(versions.size()) + "; COMMIT;";
}

/// Whole or not at all: so that a file that is empty is always a damaged one.
void make_file(const std::string& path) {
    const std::string fresh = path + "." + std::to_string(::getpid()) + ".new";
    ::unlink(fresh.c_str());
    const int fd = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) cannot_open(path, std::strerror(errno));
    ::close(fd);
    try {
        database made(file_uri(fresh) + "?vfs=unix");
        must(path, made.execute("PRAGMA synchronous = FULL"));
        must(path, made.execute(set_versions(0)));
    } catch (const std::exception&) {
        ::unlink(fresh.c_str());
        ::unlink((fresh + "-journal").c_str());
        throw;
    }
    const bool linked = ::link(fresh.c_str(), path.c_str()) == 0;
    const int error = errno;
    ::unlink(fresh.c_str());
    // Somebody else made it at the same moment: his is as good.
    if (!linked && error != EEXIST) cannot_open(path, std::strerror(error));
    sync_folder_of(path);
}

/// Makes the file where there is none; returns what to open.
std::string uri_of(const std::string& path) {
    if (path.empty()) return ":memory:";
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) {
        if (fs::exists(path + "-wal", ignored))
            cannot_open(path,
                        "the file is missing and its log " + path +
                            "-wal is there; restore the file, or move the log away as well to "
                            "begin without any memory of earlier failovers");
        make_file(path);
    }
    return file_uri(path) + "?vfs=unix&mode=rw";
}

}  // namespace

ha_store::ha_store(const std::string& path) : path_(path), db_(uri_of(path)) {
    sqlite3_busy_timeout(db_.handle(), busy_ms);
    if (path_.empty()) {
        must("the HA store", db_.execute(set_versions(0)));
        return;
    }
    try {
        prepare();
    } catch (const std::runtime_error& e) {
        throw std::runtime_error(std::string(e.what()) +
                                 "; restore it from a backup, or move it away to begin without any "
                                 "memory of earlier failovers");
    }
    // It may hold what operators typed.
    (void)::chmod(path_.c_str(), 0600);
}

void ha_store::prepare() {
    // SQLite itself takes an empty file for a new database.
    std::error_code error;
    if (fs::file_size(path_, error) == 0 && !error) cannot_open(path_, "the file is empty");
    if (sqlite3_db_readonly(db_.handle(), "main") == 1) cannot_open(path_, "it is read-only");
    if (number("application_id") != application_id)
        cannot_open(path_, "it is no HA store of Howdah's");
    const auto checked = ask("PRAGMA quick_check(1)");
    if (checked.empty() || to_text(checked[0][0]) != "ok")
        cannot_open(path_, "it is damaged: " + (checked.empty() ? "" : to_text(checked[0][0])));
    upgrade();
    // Readers do not wait for writers, and a commit is one write and one sync.
    const auto journal = ask("PRAGMA journal_mode = WAL");
    if (journal.empty() || to_text(journal[0][0]) != "wal")
        cannot_open(path_, "its file system cannot hold a write-ahead log");
    run("PRAGMA synchronous = FULL");
}

void ha_store::upgrade() {
    const std::int64_t version = number("user_version");
    const auto known = static_cast<std::int64_t>(store_versions().size());
    if (version < 1 || version > known)
        cannot_open(path_, "its schema has version " + std::to_string(version) +
                               ", and this Howdah knows 1 to " + std::to_string(known));
    if (version < known) run(set_versions(static_cast<std::size_t>(version)));
}

std::int64_t ha_store::number(std::string_view pragma) {
    const auto answer = ask("PRAGMA " + std::string(pragma));
    const auto* found = answer.empty() ? nullptr : std::get_if<std::int64_t>(&answer[0][0]);
    return found == nullptr ? 0 : *found;
}

void ha_store::fail(const sql_error& e) const {
    std::string why = e.message;
    if (e.sqlstate == "55P03") why = "another process holds it locked";
    throw std::runtime_error((path_.empty() ? "the HA store in memory" : path_) + ": " + why);
}

void ha_store::run(std::string_view sql, const row& parameters) {
    if (const auto done = db_.execute(sql, parameters); !done) fail(done.error());
}

std::vector<row> ha_store::ask(std::string_view sql, const row& parameters) {
    auto rows = db_.query(sql, parameters);
    if (!rows) fail(rows.error());
    return std::move(*rows);
}

template <class Work>
void ha_store::change(Work&& work) {
    const std::scoped_lock lock(mutex_);
    run("BEGIN IMMEDIATE");
    try {
        work();
        run("COMMIT");
    } catch (...) {
        // Some errors of SQLite end the transaction by themselves.
        if (db_.in_transaction()) (void)db_.execute("ROLLBACK");
        throw;
    }
}

template <class T>
std::int64_t ha_store::put(std::string_view table, T what) {
    row_writer out;
    fields(out, what);
    if (out.names[0] == "id" && out.values[0] == value(std::int64_t{0})) out.values[0] = value();
    std::string names, marks;
    for (const std::string& name : out.names) {
        names += (names.empty() ? "" : ", ") + name;
        marks += marks.empty() ? "?" : ", ?";
    }
    run("INSERT OR REPLACE INTO " + std::string(table) + " (" + names + ") VALUES (" + marks + ")",
        out.values);
    return sqlite3_last_insert_rowid(db_.handle());
}

template <class T>
std::vector<T> ha_store::get(std::string_view table, const std::string& rest,
                             const row& parameters) {
    row_writer shape;
    T empty;
    fields(shape, empty);
    std::string names;
    for (const std::string& name : shape.names)
        names += (names.empty() ? "" : ", ") + name;
    const std::scoped_lock lock(mutex_);
    std::vector<T> out;
    for (const row& r : ask("SELECT " + names + " FROM " + std::string(table) + rest, parameters)) {
        row_reader in(r);
        try {
            fields(in, out.emplace_back());
        } catch (const std::runtime_error& e) {
            throw std::runtime_error(path_ + ": table " + std::string(table) + ": " + e.what());
        }
    }
    return out;
}

std::map<std::string, ha::cluster_record> ha_store::records() {
    std::map<std::string, ha::cluster_record> out;
    for (auto& record : get<ha::cluster_record>("records", ""))
        out.emplace(record.cluster, record);
    return out;
}

void ha_store::save(const ha::cluster_record& record) {
    change([&] { put("records", record); });
}

std::map<std::string, ha::failover_intent> ha_store::intents() {
    std::map<std::string, ha::failover_intent> out;
    for (auto& intent : get<ha::failover_intent>("intents", ""))
        out.emplace(intent.cluster, intent);
    return out;
}

void ha_store::save(const ha::failover_intent& intent) {
    change([&] { put("intents", intent); });
}

void ha_store::remove_intent(const std::string& cluster) {
    change([&] { run("DELETE FROM intents WHERE cluster = ?", {cluster}); });
}

void ha_store::begin_epoch(const ha::cluster_record& record) {
    change([&] {
        put("records", record);
        run("DELETE FROM intents WHERE cluster = ?", {record.cluster});
    });
}

std::vector<ha::server_memory> ha_store::servers() {
    return get<ha::server_memory>("servers", " ORDER BY at_host, at_port");
}

void ha_store::save(const ha::server_memory& one) {
    change([&] { put("servers", one); });
}

ha::operator_notes ha_store::notes() {
    const std::scoped_lock lock(mutex_);
    ha::operator_notes out;
    const auto rows = ask("SELECT content FROM notes");
    if (rows.empty()) return out;
    try {
        unpack(json::parse(to_text(rows[0][0])), out);
    } catch (const std::exception& e) {
        throw std::runtime_error(path_ + ": the operators' notes are damaged: " + e.what());
    }
    return out;
}

void ha_store::save(const ha::operator_notes& notes) {
    const value content = pack(notes).dump();
    change([&] { run("INSERT OR REPLACE INTO notes VALUES (1, ?)", {content}); });
}

std::int64_t ha_store::save(const ha::recovery& what) {
    std::int64_t id = 0;
    change([&] { id = put("recoveries", what); });
    return id;
}

std::int64_t ha_store::add(const ha::recovery_step& what) {
    std::int64_t id = 0;
    change([&] { id = put("recovery_steps", what); });
    return id;
}

std::int64_t ha_store::save(const ha::detection& what) {
    std::int64_t id = 0;
    change([&] { id = put("detections", what); });
    return id;
}

std::int64_t ha_store::add(const ha::audit_entry& what) {
    std::int64_t id = 0;
    change([&] { id = put("audit", what); });
    return id;
}

std::size_t ha_store::acknowledge(const ha::history_filter& which, const std::string& by,
                                  const std::string& comment, ha::unix_us at) {
    ha::history_filter open = which;
    open.only_unacknowledged = true;
    const conditions these = of_recoveries(open);
    row parameters{by, comment, at};
    parameters.insert(parameters.end(), these.parameters.begin(), these.parameters.end());
    std::size_t count = 0;
    change([&] {
        run("UPDATE recoveries SET acknowledged = 1, acknowledged_by = ?, acknowledge_comment = ?, "
            "acknowledged_at = ? WHERE id IN (SELECT id FROM recoveries" +
                these.sql + ")",
            parameters);
        count = static_cast<std::size_t>(sqlite3_changes(db_.handle()));
    });
    return count;
}

std::vector<ha::recovery> ha_store::recoveries(const ha::history_filter& which) {
    const conditions these = of_recoveries(which);
    return get<ha::recovery>("recoveries", these.sql, these.parameters);
}

std::vector<ha::recovery_step> ha_store::steps(std::int64_t recovery_id) {
    return get<ha::recovery_step>("recovery_steps", " WHERE recovery_id = ? ORDER BY id",
                                  {recovery_id});
}

std::vector<ha::detection> ha_store::detections(const ha::history_filter& which) {
    const conditions these = of_detections(which);
    return get<ha::detection>("detections", these.sql, these.parameters);
}

std::vector<ha::audit_entry> ha_store::audit(const ha::history_filter& which) {
    const conditions these = of_audit(which);
    return get<ha::audit_entry>("audit", these.sql, these.parameters);
}

void ha_store::forget_before(ha::unix_us time) {
    change([&] {
        run("DELETE FROM recoveries WHERE ended_at <> 0 AND ended_at < ?", {time});
        run("DELETE FROM recovery_steps WHERE at < ? "
            "AND recovery_id NOT IN (SELECT id FROM recoveries)",
            {time});
        run("DELETE FROM detections WHERE at < ?", {time});
        run("DELETE FROM audit WHERE at < ?", {time});
    });
}

}  // namespace howdah::admin
