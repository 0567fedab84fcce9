#include "admin/config/layers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <stdexcept>

#include "admin/config/config_table.hpp"
#include "admin/config/drift.hpp"
#include "admin/sql/sqlite.hpp"
#include "conf/nearest.hpp"
#include "conf/options.hpp"
#include "conf/print_config.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;

constexpr std::string_view module_syntax =
    "module:{PGSQL SERVERS|PGSQL USERS|PGSQL QUERY RULES|PGSQL FIREWALL|PGSQL VARIABLES|"
    "ADMIN VARIABLES|HA VARIABLES}";

/// Several writes that succeed or fail together, also inside a client's transaction.
sql_result<void> together(database& db, const std::function<sql_result<void>()>& what) {
    if (auto begun = db.execute("SAVEPOINT howdah"); !begun) return begun;
    auto done = what();
    if (!done) {
        (void)db.execute("ROLLBACK TO howdah");
        (void)db.execute("RELEASE howdah");
        return done;
    }
    return db.execute("RELEASE howdah");
}

/// The rows of a shared table (global_variables) that belong to the module.
std::string filter_of(const config_table& t) {
    if (t.name != "global_variables") return "";
    if (t.module == "ADMIN VARIABLES") return " WHERE variable_name LIKE 'admin-%'";
    if (t.module == "HA VARIABLES") return " WHERE variable_name LIKE 'ha-%'";
    return " WHERE variable_name NOT LIKE 'admin-%' AND variable_name NOT LIKE 'ha-%'";
}

std::string qualified(std::string_view schema, const config_table& t) {
    return std::string(schema) + "." + std::string(t.name);
}

std::string insertion(const config_table& t, std::string_view schema, std::string_view how) {
    std::string names, marks;
    for (const config_column& c : t.columns) {
        names += (marks.empty() ? "" : ", ") + quoted_name(c.name);
        marks += marks.empty() ? "?" : ", ?";
    }
    return std::string(how) + " INTO " + qualified(schema, t) + " (" + names + ") VALUES (" +
           marks + ")";
}

sql_result<void> write_rows(database& db, std::string_view schema, const config_table& t,
                            const std::vector<row>& rows) {
    if (auto gone = db.execute("DELETE FROM " + qualified(schema, t) + filter_of(t)); !gone)
        return gone;
    const std::string sql = insertion(t, schema, "INSERT");
    for (const row& r : rows)
        if (auto put = db.execute(sql, r); !put) return put;
    return {};
}

std::vector<const config_table*> tables_of(std::string_view module) {
    std::vector<const config_table*> out;
    for (const config_table& t : config_tables())
        if (t.module == module) out.push_back(&t);
    return out;
}

sql_result<std::vector<row>> read_rows(database& db, std::string_view schema,
                                       const config_table& t) {
    return db.query("SELECT * FROM (" + t.select_all(schema) + ")" + filter_of(t));
}

/// The tables of MEMORY as in these settings.
sql_result<void> fill(database& db, const std::vector<const config_table*>& tables,
                      const conf::settings& s) {
    return together(db, [&]() -> sql_result<void> {
        for (const config_table* t : tables)
            if (auto put = write_rows(db, "main", *t, t->rows(s)); !put) return put;
        return {};
    });
}

sql_error no_disk() {
    return {sqlstate::object_not_in_prerequisite_state, "there is no DISK layer",
            "Set datadir in the configuration file."};
}

sql_result<void> copy(database& db, std::string_view from, std::string_view to,
                      std::string_view module) {
    return together(db, [&]() -> sql_result<void> {
        for (const config_table* t : tables_of(module)) {
            auto rows = read_rows(db, from, *t);
            if (!rows) return rows.error();
            if (auto put = write_rows(db, to, *t, *rows); !put) return put;
        }
        return {};
    });
}

sql_result<void> settings_from(database& db, std::string_view schema, std::string_view module,
                               conf::settings& into, std::vector<std::string>& notices) {
    for (const config_table* t : tables_of(module)) {
        const auto rows = read_rows(db, schema, *t);
        if (!rows) return rows.error();
        if (auto put = t->put(into, *rows, notices); !put) return put;
    }
    return {};
}

sql_error refused(const std::vector<conf::diagnostic>& errors) {
    sql_error e(sqlstate::invalid_parameter_value, errors.front().message,
                "Nothing has changed. Correct the tables and LOAD again.");
    for (std::size_t i = 1; i < errors.size(); ++i)
        e.detail.append(e.detail.empty() ? "Also: " : "\n").append(errors[i].message);
    return e;
}

constexpr std::string_view saved_modules =
    "CREATE TABLE IF NOT EXISTS disk.howdah_saved_modules (module VARCHAR NOT NULL PRIMARY KEY, "
    "saved_at INT NOT NULL)";

void must(const sql_result<void>& done) {
    if (!done) throw std::runtime_error(done.error().message);
}

/// Modules that were saved to DISK, and when.
std::map<std::string, std::int64_t> saved_to(database& db) {
    const auto saved = db.query("SELECT module, saved_at FROM disk.howdah_saved_modules");
    if (!saved) throw std::runtime_error(saved.error().message);
    std::map<std::string, std::int64_t> out;
    for (const row& r : *saved)
        if (const auto* at = std::get_if<std::int64_t>(&r[1])) out[to_text(r[0])] = *at;
    return out;
}

/// Puts what DISK has over `into`; returns its modules. Throws std::runtime_error.
std::vector<std::string> read_disk(database& db, conf::settings& into) {
    const auto saved = saved_to(db);
    std::vector<std::string> out, ignored;
    for (const std::string_view module : config_modules()) {
        if (!saved.contains(std::string(module))) continue;
        must(settings_from(db, "disk", module, into, ignored));
        out.emplace_back(module);
    }
    return out;
}

/// Puts the rows of the file over those of DISK that have the same key; of the variables those
/// that are not at their defaults, since the file may not name the others.
void merge(database& db, const conf::settings& from_file) {
    const auto saved = saved_to(db);
    const conf::settings defaults;
    must(together(db, [&]() -> sql_result<void> {
        for (const config_table& t : config_tables()) {
            if (!saved.contains(std::string(t.module))) continue;
            const std::vector<row> usual =
                t.name == "global_variables" ? t.rows(defaults) : std::vector<row>();
            for (const row& r : t.rows(from_file)) {
                if (std::ranges::find(usual, r) != usual.end()) continue;
                if (auto put = db.execute(insertion(t, "disk", "INSERT OR REPLACE"), r); !put)
                    return put;
            }
        }
        return {};
    }));
}

void put_aside(const std::string& file) {
    // What was not written back yet belongs to it.
    for (const char* part : {"", "-wal", "-shm"}) {
        const std::string name = file + part;
        const std::string other = file + ".bak" + part;
        (void)::unlink(other.c_str());
        if (::rename(name.c_str(), other.c_str()) != 0 && errno != ENOENT)
            throw std::runtime_error("cannot be put aside: " + std::string(std::strerror(errno)));
    }
}

}  // namespace

config_layers::config_layers(runtime_access runtime, std::string config_file, bool has_disk)
    : runtime_(std::move(runtime)), config_file_(std::move(config_file)), has_disk_(has_disk) {}

void config_layers::create(database& db, const conf::settings& now) const {
    for (const config_table& t : config_tables()) {
        must(db.execute(t.create("main")));
        if (has_disk_) must(db.execute(t.create("disk")));
    }
    if (has_disk_) must(db.execute(saved_modules));
    must(follow(db, now));
}

sql_result<void> config_layers::follow(database& db, const conf::settings& s) const {
    std::vector<const config_table*> all;
    for (const config_table& t : config_tables())
        all.push_back(&t);
    return fill(db, all, s);
}

sql_result<command_result> config_layers::to_runtime(database& db, std::string_view module) const {
    if (db.in_transaction())
        return sql_error(sqlstate::active_sql_transaction,
                         "LOAD ... TO RUNTIME cannot run inside a transaction block",
                         "COMMIT first.");
    conf::settings wanted = *runtime_.current();
    command_result out = tagged("LOAD");
    if (auto read = settings_from(db, "main", module, wanted, out.notices); !read)
        return read.error();
    conf::load_result checked = conf::accept(std::move(wanted));
    if (!checked.value) return refused(checked.errors);
    for (const conf::diagnostic& w : checked.warnings)
        out.notices.push_back(w.message);
    auto applied = runtime_.apply(checked.value);
    if (!applied) return applied.error();
    out.notices.insert(out.notices.end(), applied->begin(), applied->end());
    return out;
}

sql_result<command_result> config_layers::from_runtime(database& db,
                                                       std::string_view module) const {
    if (auto done = fill(db, tables_of(module), *runtime_.current()); !done) return done.error();
    return tagged("SAVE");
}

sql_result<command_result> config_layers::disk_to_memory(database& db,
                                                         std::string_view module) const {
    if (!has_disk_) return no_disk();
    const value name = std::string(module);
    const auto saved =
        db.query("SELECT 1 FROM disk.howdah_saved_modules WHERE module = ?1", {&name, 1});
    if (!saved) return saved.error();
    if (saved->empty())
        return sql_error(sqlstate::object_not_in_prerequisite_state,
                         std::string(module) + " was never saved to DISK",
                         "SAVE " + std::string(module) + " TO DISK does that.");
    if (auto done = copy(db, "disk", "main", module); !done) return done.error();
    return tagged("LOAD");
}

sql_result<command_result> config_layers::memory_to_disk(database& db,
                                                         std::string_view module) const {
    if (!has_disk_) return no_disk();
    auto done = together(db, [&]() -> sql_result<void> {
        if (auto copied = copy(db, "main", "disk", module); !copied) return copied;
        const value name = std::string(module);
        return db.execute(
            "INSERT OR REPLACE INTO disk.howdah_saved_modules VALUES (?1, strftime('%s', 'now'))",
            {&name, 1});
    });
    if (!done) return done.error();
    return tagged("SAVE");
}

sql_result<command_result> config_layers::config_to_memory(database& db,
                                                           std::string_view module) const {
    const conf::load_result loaded = conf::load_file(config_file_);
    if (!loaded.value) {
        sql_error e(sqlstate::config_file_error, loaded.errors.front().to_string());
        for (std::size_t i = 1; i < loaded.errors.size(); ++i)
            e.detail.append(e.detail.empty() ? "Also: " : "\n")
                .append(loaded.errors[i].to_string());
        return e;
    }
    if (auto done = fill(db, tables_of(module), *loaded.value); !done) return done.error();
    return tagged("LOAD");
}

sql_result<command_result> config_layers::save_to_file(const command_call& call) const {
    const std::string path(call["path"]);
    const auto io_error = [&](const std::string& what) {
        return sql_error(sqlstate::io_error, what + " \"" + path + "\": " + std::strerror(errno));
    };
    if (!path.starts_with('/'))
        return sql_error(sqlstate::invalid_parameter_value, "the path must begin with '/'");
    conf::settings all = *runtime_.current();
    std::vector<std::string> ignored;
    for (const std::string_view module : config_modules())
        if (auto read = settings_from(call.db, "main", module, all, ignored); !read)
            return read.error();
    const std::string text = conf::print_config(all, conf::secrets::shown);
    // Whole or not at all, and for the owner only: it contains passwords.
    const std::string fresh = path + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("cannot write");
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    const sql_error failed = io_error("cannot write");
    ::close(fd);
    if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) {
        const sql_error why = written ? io_error("cannot replace") : failed;
        ::unlink(fresh.c_str());
        return why;
    }
    return tagged("SAVE");
}

sql_result<void> config_layers::set_variable(database& db, const std::string& name,
                                             const std::string& text) {
    const auto all = conf::options();
    const auto option = std::find_if(all.begin(), all.end(), [&](const conf::option& o) {
        return variable_name(o.name) == name;
    });
    if (option == all.end()) {
        std::vector<std::string> names;
        for (const conf::option& o : all)
            names.push_back(variable_name(o.name));
        const std::vector<std::string_view> views(names.begin(), names.end());
        const auto near = conf::nearest(name, views);
        return sql_error(
            sqlstate::undefined_object, "unknown variable \"" + name + "\"",
            near ? "Did you mean \"" + std::string(*near) + "\"?" : "SHOW VARIABLES lists all.");
    }
    conf::variables scratch;
    if (const auto wrong = option->set(scratch, text))
        return sql_error(
            sqlstate::invalid_parameter_value,
            name + ": " + (option->secret ? "its value" : "'" + text + "'") + " " + *wrong,
            std::string(option->doc));
    // The canonical spelling.
    const value values[] = {name, option->get(scratch).value_or("")};
    return db.execute(
        "UPDATE main.global_variables SET variable_value = ?2 WHERE "
        "variable_name = ?1",
        values);
}

sql_result<void> config_layers::read_memory(database& db, std::span<const std::string_view> modules,
                                            conf::settings& into) {
    std::vector<std::string> ignored;
    for (const std::string_view module : modules)
        if (auto read = settings_from(db, "main", module, into, ignored); !read) return read;
    return {};
}

sql_result<void> config_layers::write_memory(database& db,
                                             std::span<const std::string_view> modules,
                                             const conf::settings& s) {
    std::vector<const config_table*> tables;
    for (const std::string_view module : modules)
        for (const config_table* t : tables_of(module))
            tables.push_back(t);
    return fill(db, tables, s);
}

std::vector<command> config_layers::commands() const {
    using module_function =
        sql_result<command_result> (config_layers::*)(database&, std::string_view) const;
    const auto run = [this](module_function f) {
        return [this, f](const command_call& call) { return (this->*f)(call.db, call["module"]); };
    };
    static const std::string module(module_syntax);
    static const std::string load_runtime =
        "LOAD " + module + " {TO {RUNTIME|RUN}|FROM {MEMORY|MEM}}";
    static const std::string save_runtime =
        "SAVE " + module + " {TO {MEMORY|MEM}|FROM {RUNTIME|RUN}}";
    static const std::string load_disk = "LOAD " + module + " {FROM DISK|TO {MEMORY|MEM}}";
    static const std::string save_disk = "SAVE " + module + " {TO DISK|FROM {MEMORY|MEM}}";
    static const std::string load_config = "LOAD " + module + " FROM CONFIG";
    constexpr std::string_view group = "Configuration layers";
    return {
        {load_runtime, "Puts MEMORY in force, as a whole; says what is wrong and changes nothing.",
         role::admin, run(&config_layers::to_runtime), group},
        {save_runtime, "Copies what is in force to MEMORY.", role::admin,
         run(&config_layers::from_runtime), group},
        {load_disk, "Copies DISK to MEMORY.", role::admin, run(&config_layers::disk_to_memory),
         group},
        {save_disk, "Copies MEMORY to DISK; from then on a start uses it.", role::admin,
         run(&config_layers::memory_to_disk), group},
        {load_config, "Copies the configuration file to MEMORY.", role::admin,
         run(&config_layers::config_to_memory), group},
        {"SAVE CONFIG TO FILE <path>", "Writes MEMORY as a configuration file, secrets included.",
         role::admin, [this](const command_call& call) { return save_to_file(call); }, group},
    };
}

std::vector<live_table> config_layers::tables() const {
    std::vector<live_table> out;
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const config_table& t : config_tables())
            all.push_back("runtime_" + std::string(t.name));
        return all;
    }();
    for (std::size_t i = 0; i < config_tables().size(); ++i) {
        const config_table& t = config_tables()[i];
        // All modules of variables are one table.
        const bool variables = t.name == "global_variables";
        if (variables && t.module != variable_modules.front()) continue;
        live_table l;
        l.schema = "main";
        l.name = names[i];
        l.doc = "What is in force.";
        for (const config_column& c : t.columns)
            l.columns.push_back({c.name, c.type, c.doc});
        l.rows = [this, &t, variables] {
            const auto now = runtime_.current();
            if (!variables) return t.rows(*now);
            std::vector<row> rows;
            for (const std::string_view module : variable_modules)
                for (row& r : tables_of(module).front()->rows(*now))
                    rows.push_back(std::move(r));
            return rows;
        };
        out.push_back(std::move(l));
    }
    constexpr column_type text = column_type::text;
    out.push_back({"main",
                   "config_drift",
                   "Where the configuration file, DISK and what is in force differ.",
                   {{"module", text, "As in LOAD and SAVE."},
                    {"table_name", text, "Table."},
                    {"row_key", text, "Its row."},
                    {"column_name", text, "Its column; NULL: the row is not in all layers."},
                    {"config_value", text, "In the file; NULL: not there."},
                    {"disk_value", text, "On DISK; NULL: not there, or the module is not saved."},
                    {"runtime_value", text, "In force; NULL: not there."}},
                   [this] { return drift(); }});
    out.push_back({"main",
                   "howdah_layers",
                   "What the start used.",
                   {{"module", text, "As in LOAD and SAVE."},
                    {"started_from", text, "DISK or CONFIG (the file)."},
                    {"saved_at", column_type::integer, "Unix time of the last SAVE to DISK."}},
                   [this] { return origins(); }});
    return out;
}

std::vector<row> config_layers::drift() const {
    const auto now = runtime_.current();
    const conf::load_result file = conf::load_file(config_file_);
    if (!file.value) throw std::runtime_error(file.errors.front().to_string());
    conf::settings on_disk = *file.value;
    std::vector<std::string> saved;
    if (has_disk_) {
        database db(":memory:");
        must(db.attach_file(disk_path(*now), "disk"));
        saved = read_disk(db, on_disk);
    }
    std::vector<row> out;
    for (const config_table& t : config_tables()) {
        layers_compared layers{file.value.get(), nullptr, now.get()};
        if (std::ranges::find(saved, t.module) != saved.end()) layers.disk = &on_disk;
        for (row& r : drift_of(t, layers))
            out.push_back(std::move(r));
    }
    return out;
}

std::vector<row> config_layers::origins() const {
    std::map<std::string, std::int64_t> saved;
    if (has_disk_) {
        database db(":memory:");
        must(db.attach_file(disk_path(*runtime_.current()), "disk"));
        saved = saved_to(db);
    }
    std::vector<row> out;
    for (const std::string_view module : config_modules()) {
        const auto& used = runtime_.started_from_disk;
        const bool disk = std::ranges::find(used, module) != used.end();
        const auto at = saved.find(std::string(module));
        out.push_back({std::string(module), std::string(disk ? "DISK" : "CONFIG"),
                       at == saved.end() ? value() : value(at->second)});
    }
    return out;
}

std::string disk_path(const conf::settings& s) {
    return s.vars.datadir.empty() ? std::string() : s.vars.datadir + "/howdah.db";
}

startup_choice choose_startup(std::shared_ptr<const conf::settings> from_file, startup_mode mode) {
    const std::string disk = disk_path(*from_file);
    startup_choice out;
    out.settings = from_file;
    struct stat there {};
    if (disk.empty() || ::stat(disk.c_str(), &there) != 0 || there.st_size == 0) return out;
    try {
        if (mode == startup_mode::initial) {
            put_aside(disk);
            return out;
        }
        database db(":memory:");
        must(db.attach_file(disk, "disk"));
        if (mode == startup_mode::reload) merge(db, *from_file);
        conf::settings merged = *from_file;
        out.from_disk = read_disk(db, merged);
        if (out.from_disk.empty()) return out;
        conf::load_result checked = conf::accept(std::move(merged));
        if (!checked.value) throw std::runtime_error(checked.errors.front().message);
        out.settings = checked.value;
    } catch (const std::exception& e) {
        out.settings = nullptr;
        out.error = disk + ": " + e.what();
    }
    return out;
}

}  // namespace howdah::admin
