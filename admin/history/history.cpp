#include "admin/history/history.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace howdah::admin {
namespace {

constexpr std::string_view schema = "stats_history";

std::string qualified(const kept_table& k) {
    return std::string(schema) + "." + quoted_name(k.history);
}

void must(const sql_result<void>& done) {
    if (!done) throw std::runtime_error(done.error().message);
}

std::string declaration(const live_column& c) {
    return quoted_name(c.name) + (c.type == column_type::integer ? " INT" : " VARCHAR");
}

}  // namespace

const std::vector<kept_table>& history::kept() {
    static const std::vector<kept_table> all{
        {"stats_pgsql_global", "history_pgsql_status_variables", "timestamp", true},
        {"stats_pgsql_connection_pool", "history_stats_pgsql_connection_pool", "timestamp", true},
        {"howdah_process", "history_howdah_process", "timestamp", true},
        {"stats_pgsql_query_digest_reset", "history_pgsql_query_digest", "dump_time", false},
    };
    return all;
}

history::history(const std::string& path, const std::vector<live_table>& tables)
    : tables_(tables), db_(":memory:") {
    // Those who read must not make a sample fail.
    sqlite3_busy_timeout(db_.handle(), 5000);
    must(db_.attach_file(path, schema));
    // Statements may hold what users typed.
    (void)::chmod(path.c_str(), 0600);
    (void)db_.query("PRAGMA stats_history.journal_mode = WAL");
    for (const kept_table& k : kept())
        create(k);
}

void history::create(const kept_table& k) {
    const live_table& t = live(k.live);
    std::string columns = quoted_name(k.stamp) + " INT NOT NULL";
    for (const live_column& c : t.columns)
        columns += ", " + declaration(c);
    must(db_.execute("CREATE TABLE IF NOT EXISTS " + qualified(k) + " (" + columns + ")"));
    must(db_.execute("CREATE INDEX IF NOT EXISTS stats_history." +
                     quoted_name(std::string(k.history) + "_by_time") + " ON " +
                     quoted_name(k.history) + " (" + quoted_name(k.stamp) + ")"));
    const value where[] = {std::string(k.history), std::string(schema)};
    const auto there = db_.query("SELECT name FROM pragma_table_info(?1, ?2)", where);
    if (!there) throw std::runtime_error(there.error().message);
    std::set<std::string> names;
    for (const row& r : *there)
        names.insert(to_text(r[0]));
    for (const live_column& c : t.columns)
        if (!names.contains(std::string(c.name)))
            must(db_.execute("ALTER TABLE " + qualified(k) + " ADD COLUMN " + declaration(c)));
}

const live_table& history::live(std::string_view name) const {
    const auto found =
        std::ranges::find_if(tables_, [&](const live_table& t) { return t.name == name; });
    if (found == tables_.end()) throw std::logic_error("no table " + std::string(name));
    return *found;
}

sql_result<std::size_t> history::keep(const kept_table& what, std::int64_t now) {
    const live_table& t = live(what.live);
    // Not under the lock: it may wait for workers.
    const std::vector<row> rows = t.rows();
    std::string names = quoted_name(what.stamp), marks = "?";
    for (const live_column& c : t.columns) {
        names += ", " + quoted_name(c.name);
        marks += ", ?";
    }
    const std::string sql =
        "INSERT INTO " + qualified(what) + " (" + names + ") VALUES (" + marks + ")";
    const std::scoped_lock lock(mutex_);
    if (auto begun = db_.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
    for (const row& r : rows) {
        row stamped{now};
        stamped.insert(stamped.end(), r.begin(), r.end());
        if (auto put = db_.execute(sql, stamped); !put) {
            (void)db_.execute("ROLLBACK");
            return put.error();
        }
    }
    if (auto done = db_.execute("COMMIT"); !done) {
        (void)db_.execute("ROLLBACK");
        return done.error();
    }
    return rows.size();
}

sql_result<void> history::sample(std::int64_t now) {
    for (const kept_table& k : kept())
        if (k.periodic)
            if (auto done = keep(k, now); !done) return done.error();
    return {};
}

sql_result<void> history::forget_before(std::int64_t time) {
    const value then = time;
    const std::scoped_lock lock(mutex_);
    for (const kept_table& k : kept())
        if (auto done = db_.execute(
                "DELETE FROM " + qualified(k) + " WHERE " + quoted_name(k.stamp) + " < ?1",
                {&then, 1});
            !done)
            return done;
    return {};
}

}  // namespace howdah::admin
