#include "admin/sql/live_table.hpp"

#include <sqlite3.h>

#include <cstring>
#include <stdexcept>
#include <unordered_map>

#include "admin/sql/sqlite.hpp"

// SQLite's side of live tables: the virtual table interface (sqlite.org/vtab.html).
namespace howdah::admin {
namespace {

/// What the module of one connection needs to know.
struct attachment {
    const std::vector<live_table>* tables;
    const statement_clock* clock;
};

/// Positions of the rows by a column's value, for joins: one lookup instead of one scan per row.
using value_index = std::unordered_map<std::string, std::vector<std::size_t>>;

struct snapshot {
    std::vector<row> rows;
    std::unordered_map<int, value_index> indexes;
};

/// Equal values have equal keys; whether they compare equal in SQL is for SQLite to check again.
std::string key_of(const value& v) {
    if (const auto* text = std::get_if<std::string>(&v)) return "t" + *text;
    return "n" + to_text(v);
}

const value_index& index_on(snapshot& s, int column_index) {
    const auto [it, fresh] = s.indexes.try_emplace(column_index);
    if (fresh)
        for (std::size_t i = 0; i < s.rows.size(); ++i)
            it->second[key_of(s.rows[i][static_cast<std::size_t>(column_index)])].push_back(i);
    return it->second;
}

struct table : sqlite3_vtab {
    const live_table* what = nullptr;
    const statement_clock* clock = nullptr;
    std::shared_ptr<snapshot> last;
    std::uint64_t taken_at = ~std::uint64_t{0};
};

struct scan : sqlite3_vtab_cursor {
    std::shared_ptr<snapshot> of;
    const std::vector<std::size_t>* some = nullptr;  ///< null: all rows
    std::size_t at = 0;

    [[nodiscard]] std::size_t size() const {
        return some != nullptr ? some->size() : of->rows.size();
    }
    [[nodiscard]] const row& current() const {
        return of->rows[some != nullptr ? (*some)[at] : at];
    }
};

std::string_view declared(column_type type) {
    switch (type) {
        case column_type::integer:
            return "INT";
        case column_type::real:
            return "REAL";
        case column_type::boolean:
            return "BOOLEAN";
        case column_type::text:
            break;
    }
    return "VARCHAR";
}

int connect(sqlite3* db, void* context, int argc, const char* const* argv, sqlite3_vtab** out,
            char** error) {
    const auto& all = *static_cast<attachment*>(context);
    const std::string_view schema = argv[1];
    const std::string_view name = argc > 2 ? argv[2] : "";
    for (const live_table& t : *all.tables) {
        if (t.name != name || t.schema != schema) continue;
        std::string declaration = "CREATE TABLE t(";
        for (const live_column& c : t.columns) {
            if (&c != t.columns.data()) declaration += ", ";
            declaration += quoted_name(c.name) + ' ' + std::string(declared(c.type));
        }
        const int rc = sqlite3_declare_vtab(db, (declaration + ")").c_str());
        if (rc != SQLITE_OK) return rc;
        auto* made = new table;
        made->what = &t;
        made->clock = all.clock;
        *out = made;
        return SQLITE_OK;
    }
    *error = sqlite3_mprintf("no such table: %s", argv[2]);
    return SQLITE_ERROR;
}

int disconnect(sqlite3_vtab* t) {
    delete static_cast<table*>(t);
    return SQLITE_OK;
}

/// idxNum is the column of the constraint that is looked up, plus one; 0: a scan.
int best_index(sqlite3_vtab*, sqlite3_index_info* info) {
    info->estimatedCost = 1000.0;
    info->estimatedRows = 1000;
    for (int i = 0; i < info->nConstraint; ++i) {
        const auto& c = info->aConstraint[i];
        if (c.usable == 0 || c.op != SQLITE_INDEX_CONSTRAINT_EQ || c.iColumn < 0) continue;
        if (std::strcmp(sqlite3_vtab_collation(info, i), "BINARY") != 0) continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->idxNum = c.iColumn + 1;
        info->estimatedCost = 10.0;
        info->estimatedRows = 10;
        break;
    }
    return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
    *out = new scan;
    return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* c) {
    delete static_cast<scan*>(c);
    return SQLITE_OK;
}

/// True where the value can only equal values of the same kind, so that the index has them all.
bool can_look_up(const value& wanted, column_type type) {
    const column_type stored = type == column_type::boolean ? column_type::integer : type;
    return type_of(wanted) == stored && !std::holds_alternative<std::monostate>(wanted) &&
           type != column_type::real;
}

value value_of(sqlite3_value* v) {
    switch (sqlite3_value_type(v)) {
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_value_int64(v)};
        case SQLITE_TEXT: {
            const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(v));
            return std::string(bytes, static_cast<std::size_t>(sqlite3_value_bytes(v)));
        }
        default:
            return std::monostate{};
    }
}

int filter(sqlite3_vtab_cursor* cursor, int index, const char*, int argc, sqlite3_value** argv) {
    static const std::vector<std::size_t> none;
    auto* s = static_cast<scan*>(cursor);
    auto* t = static_cast<table*>(s->pVtab);
    try {
        if (t->taken_at != t->clock->now || !t->last) {
            auto fresh = std::make_shared<snapshot>();
            fresh->rows = t->what->rows();
            t->last = std::move(fresh);
            t->taken_at = t->clock->now;
        }
        s->of = t->last;
        s->some = nullptr;
        s->at = 0;
        if (index > 0 && argc == 1) {
            const value wanted = value_of(argv[0]);
            if (can_look_up(wanted, t->what->columns[static_cast<std::size_t>(index - 1)].type)) {
                const value_index& by = index_on(*s->of, index - 1);
                const auto found = by.find(key_of(wanted));
                s->some = found == by.end() ? &none : &found->second;
            }
        }
        return SQLITE_OK;
    } catch (const std::exception& e) {
        sqlite3_free(t->zErrMsg);
        t->zErrMsg = sqlite3_mprintf("%s", e.what());
        return SQLITE_ERROR;
    }
}

int next(sqlite3_vtab_cursor* cursor) {
    ++static_cast<scan*>(cursor)->at;
    return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor* cursor) {
    const auto* s = static_cast<scan*>(cursor);
    return s->at >= s->size() ? 1 : 0;
}

int column_at(sqlite3_vtab_cursor* cursor, sqlite3_context* out, int i) {
    const row& r = static_cast<scan*>(cursor)->current();
    // A row that is too short is shown with NULLs.
    const value v =
        static_cast<std::size_t>(i) < r.size() ? r[static_cast<std::size_t>(i)] : value();
    if (const auto* integer = std::get_if<std::int64_t>(&v)) {
        sqlite3_result_int64(out, *integer);
    } else if (const auto* real = std::get_if<double>(&v)) {
        sqlite3_result_double(out, *real);
    } else if (const auto* text = std::get_if<std::string>(&v)) {
        sqlite3_result_text64(out, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
        sqlite3_result_null(out);
    }
    return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
    const auto* s = static_cast<scan*>(cursor);
    *out = static_cast<sqlite3_int64>(s->some != nullptr ? (*s->some)[s->at] : s->at) + 1;
    return SQLITE_OK;
}

const sqlite3_module module = [] {
    sqlite3_module m{};
    m.iVersion = 1;
    m.xCreate = connect;
    m.xConnect = connect;
    m.xBestIndex = best_index;
    m.xDisconnect = disconnect;
    m.xDestroy = disconnect;
    m.xOpen = open;
    m.xClose = close;
    m.xFilter = filter;
    m.xNext = next;
    m.xEof = eof;
    m.xColumn = column_at;
    m.xRowid = rowid;
    return m;
}();

}  // namespace

void attach_live_tables(sqlite3* db, const std::vector<live_table>& tables,
                        const statement_clock& clock) {
    auto* context = new attachment{&tables, &clock};
    if (sqlite3_create_module_v2(db, "howdah", &module, context,
                                 [](void* p) { delete static_cast<attachment*>(p); }) != SQLITE_OK)
        throw std::runtime_error(std::string("cannot register live tables: ") + sqlite3_errmsg(db));
    for (const live_table& t : tables) {
        const std::string sql = "CREATE VIRTUAL TABLE IF NOT EXISTS " + quoted_name(t.schema) +
                                "." + quoted_name(t.name) + " USING howdah";
        if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
            throw std::runtime_error("cannot create " + std::string(t.name) + ": " +
                                     sqlite3_errmsg(db));
    }
}

}  // namespace howdah::admin
