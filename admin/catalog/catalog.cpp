#include "admin/catalog/catalog.hpp"

#include <algorithm>
#include <set>

#include "admin/config/config_table.hpp"
#include "admin/sql/sql_session.hpp"

namespace howdah::admin {
namespace {

struct known_schema {
    std::string_view name;
    std::string_view doc;
};

/// In the order in which SQLite looks for a name without a schema.
constexpr known_schema known_schemas[] = {
    {"main", "MEMORY, the configuration that is edited, and runtime_: what is in force"},
    {"disk", "DISK, the configuration that is kept"},
    {"stats_history", "What some statistics were earlier"},
    {"stats", "What happens now, and counters since the start"},
    {"monitor", "Checks of the servers"},
    {"pgbouncer", "PgBouncer's console as tables"},
    {"pg_catalog", "system catalog schema"},
    {"information_schema", "The SQL standard's view of the schemas"}};

bool is_system(std::string_view schema) {
    return schema == "pg_catalog" || schema == "information_schema";
}

/// FNV-1a: the same name has the same oid in every version and process.
std::uint32_t hash_of(std::string_view text) {
    std::uint32_t h = 2166136261U;
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
    return h;
}

/// Gives oids out; those of the system are small, as in PostgreSQL.
class oid_source {
public:
    object_id of(std::string_view kind, std::string_view name, bool system) {
        const std::uint32_t h = hash_of(std::string(kind) + ':' + std::string(name));
        object_id oid = system ? 5000 + h % 11000 : 20000 + h % 2000000000;
        while (!given_.insert(oid).second)
            ++oid;
        return oid;
    }

private:
    std::set<object_id> given_;
};

column_type type_of_declaration(std::string_view declared) {
    const std::string d = upper(declared);
    if (d.find("BOOL") != d.npos) return column_type::boolean;
    if (d.find("INT") != d.npos) return column_type::integer;
    if (d.find("REAL") != d.npos || d.find("DOUB") != d.npos || d.find("FLOA") != d.npos)
        return column_type::real;
    return column_type::text;
}

const config_table* configured(std::string_view name) {
    for (const config_table& t : config_tables())
        if (t.name == name) return &t;
    return nullptr;
}

std::int64_t integer(const value& v) {
    const auto* n = std::get_if<std::int64_t>(&v);
    return n == nullptr ? 0 : *n;
}

/// A table that SQLite stores.
catalog_relation stored(database& db, std::string_view schema, const std::string& name) {
    catalog_relation r;
    r.schema = schema;
    r.name = name;
    const config_table* documented = configured(name);
    if (documented != nullptr) r.doc = documented->doc;
    const value parameters[] = {name, std::string(schema)};
    const auto columns =
        db.query("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1, ?2)",
                 parameters);
    if (!columns) return r;
    std::map<std::int64_t, std::int64_t> key;
    for (const row& c : *columns) {
        catalog_column column;
        column.name = to_text(c[0]);
        column.type = type_of_declaration(to_text(c[1]));
        column.not_null = integer(c[2]) != 0;
        if (!std::holds_alternative<std::monostate>(c[3])) column.default_text = to_text(c[3]);
        r.columns.push_back(std::move(column));
        if (const std::int64_t place = integer(c[4]); place > 0)
            key[place] = static_cast<std::int64_t>(r.columns.size());
    }
    if (documented != nullptr)
        for (const config_column& c : documented->columns)
            for (std::size_t i = 0; i < r.columns.size(); ++i) {
                if (r.columns[i].name != c.name) continue;
                r.columns[i].doc = c.doc;
                if (const std::size_t at = c.declaration.find("CHECK ("); at != std::string::npos)
                    r.checks.push_back({0, name + "_" + c.name + "_check", c.declaration.substr(at),
                                        static_cast<std::int64_t>(i) + 1});
            }
    if (!key.empty()) {
        catalog_index primary{.name = name + "_pkey", .primary = true, .unique = true};
        for (const auto& [place, column] : key) {
            primary.columns.push_back(column);
            r.columns[static_cast<std::size_t>(column) - 1].not_null = true;
        }
        r.indexes.push_back(std::move(primary));
    }
    const auto indexes = db.query(
        "SELECT name, \"unique\", origin FROM pragma_index_list(?1, ?2) WHERE origin != 'pk' "
        "ORDER BY name",
        parameters);
    if (!indexes) return r;
    for (const row& i : *indexes) {
        catalog_index index{.name = to_text(i[0]), .unique = integer(i[1]) != 0};
        const value of[] = {index.name, std::string(schema)};
        const auto parts =
            db.query("SELECT cid + 1 FROM pragma_index_info(?1, ?2) ORDER BY seqno", of);
        std::string named = name;
        if (parts)
            for (const row& part : *parts) {
                const std::int64_t column = integer(part[0]);
                index.columns.push_back(column);
                if (column > 0) named += "_" + r.columns[static_cast<std::size_t>(column) - 1].name;
            }
        if (to_text(i[2]) == "u") index.name = named + "_key";
        r.indexes.push_back(std::move(index));
    }
    return r;
}

catalog_relation live(const live_table& t) {
    catalog_relation r;
    r.schema = t.schema;
    r.name = t.name;
    r.doc = t.doc;
    r.live = true;
    for (const live_column& c : t.columns)
        r.columns.push_back({std::string(c.name), c.type, false, {}, std::string(c.doc)});
    return r;
}

}  // namespace

catalog::catalog(const sql_environment& all,
                 std::function<std::vector<std::pair<std::string, role>>()> ask_roles)
    : all_(all), ask_roles_(std::move(ask_roles)) {}

void catalog::load() const {
    database db(all_.memory_uri);
    std::set<std::string_view> stored_schemas{"main"}, absent{"disk", "stats_history"};
    for (const auto& [schema, path] : all_.files()) {
        if (!db.attach_file(path, schema)) continue;
        stored_schemas.insert(schema);
        absent.erase(schema);
    }
    for (const known_schema& s : known_schemas) {
        if (absent.contains(s.name)) continue;
        if (stored_schemas.contains(s.name)) {
            const auto names = db.query("SELECT name FROM " + quoted_name(s.name) +
                                        ".sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                                        "'sqlite%' AND sql NOT LIKE 'CREATE VIRTUAL%'");
            if (names)
                for (const row& n : *names)
                    relations_.push_back(stored(db, s.name, to_text(n[0])));
        }
        for (const live_table& t : all_.tables)
            if (t.schema == s.name) relations_.push_back(live(t));
    }
    oid_source oids;
    for (const known_schema& s : known_schemas) {
        if (absent.contains(s.name)) continue;
        schemas_.push_back({s.name == "pg_catalog" ? system_schema_oid
                                                   : oids.of("schema", s.name, is_system(s.name)),
                            std::string(s.name), std::string(s.doc)});
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < relations_.size(); ++i) {
        catalog_relation& r = relations_[i];
        const std::string full = r.schema + '.' + r.name;
        r.system = is_system(r.schema);
        r.oid = oids.of("relation", full, r.system);
        by_oid_[r.oid] = i;
        // As PostgreSQL's search path: the standard's schema is not in it.
        r.visible = r.schema != "information_schema" && seen.insert(r.name).second;
        for (const catalog_schema& s : schemas_)
            if (s.name == r.schema) r.schema_oid = s.oid;
        for (std::size_t n = 0; n < r.indexes.size(); ++n) {
            catalog_index& x = r.indexes[n];
            x.oid = oids.of("index", full + '.' + x.name, false);
            if (x.unique) x.constraint = oids.of("constraint", full + '.' + x.name, false);
            index_by_oid_[x.oid] = {i, n};
        }
        for (catalog_check& c : r.checks)
            c.oid = oids.of("constraint", full + '.' + c.name, false);
    }
}

const std::vector<catalog_schema>& catalog::schemas() const {
    std::call_once(loaded_, [this] { load(); });
    return schemas_;
}

const std::vector<catalog_relation>& catalog::relations() const {
    (void)schemas();
    return relations_;
}

std::vector<catalog_role> catalog::roles() const {
    const std::lock_guard lock(roles_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now < roles_until_) return roles_;
    roles_.clear();
    oid_source oids;
    for (const auto& [name, as] : ask_roles_())
        roles_.push_back({oids.of("role", name, false), name, as == role::admin});
    roles_until_ = now + std::chrono::seconds(1);
    return roles_;
}

const catalog_relation* catalog::relation(object_id oid) const {
    const auto& all = relations();
    const auto found = by_oid_.find(oid);
    return found == by_oid_.end() ? nullptr : &all[found->second];
}

catalog::found_index catalog::index(object_id oid) const {
    const auto& all = relations();
    const auto found = index_by_oid_.find(oid);
    if (found == index_by_oid_.end()) return {};
    const catalog_relation& r = all[found->second.first];
    return {&r, &r.indexes[found->second.second]};
}

const catalog_schema* catalog::schema(object_id oid) const {
    for (const catalog_schema& s : schemas())
        if (s.oid == oid) return &s;
    return nullptr;
}

std::optional<object_id> catalog::schema_named(std::string_view name) const {
    for (const catalog_schema& s : schemas())
        if (s.name == name) return s.oid;
    return {};
}

std::optional<object_id> catalog::relation_named(std::string_view written) const {
    const std::vector<token> tokens = tokens_of(written);
    const auto part = [&](std::size_t i) {
        const token& t = tokens[i];
        return t.kind == token_kind::word ? lower(t.text) : content_of(t);
    };
    std::string schema_name;
    if (tokens.size() == 3 && tokens[1].is(".")) {
        schema_name = part(0);
    } else if (tokens.size() != 1) {
        return {};
    }
    const std::string name = part(tokens.size() - 1);
    for (const catalog_relation& r : relations()) {
        if (schema_name.empty() ? !r.visible : r.schema != schema_name) continue;
        if (r.name == name) return r.oid;
        for (const catalog_index& x : r.indexes)
            if (x.name == name) return x.oid;
    }
    return {};
}

std::string catalog::shown_name(object_id oid) const {
    const catalog_relation* r = relation(oid);
    const catalog_index* x = nullptr;
    if (r == nullptr) {
        const found_index found = index(oid);
        if (found.of == nullptr) return {};
        r = found.of;
        x = found.index;
    }
    const std::string name = quoted_if_needed(x == nullptr ? r->name : x->name);
    return r->visible ? name : quoted_if_needed(r->schema) + '.' + name;
}

std::vector<std::string> catalog::search_path() const {
    std::vector<std::string> out;
    for (const catalog_schema& s : schemas())
        if (s.name != "information_schema") out.push_back(s.name);
    return out;
}

const std::vector<catalog_type>& catalog_types() {
    static const std::vector<catalog_type> types{
        {16, "bool", "boolean", 1, "B", 1000, 0},
        {17, "bytea", "bytea", -1, "U", 0, 0},
        {18, "char", "\"char\"", 1, "Z", 0, 0},
        {19, "name", "name", 64, "S", 1003, 0},
        {20, "int8", "bigint", 8, "N", 1016, 0},
        {21, "int2", "smallint", 2, "N", 1005, 0},
        {22, "int2vector", "int2vector", -1, "A", 0, 21},
        {23, "int4", "integer", 4, "N", 1007, 0},
        {24, "regproc", "regproc", 4, "N", 0, 0},
        {25, "text", "text", -1, "S", 1009, 0},
        {26, "oid", "oid", 4, "N", 1028, 0},
        {114, "json", "json", -1, "U", 0, 0},
        {700, "float4", "real", 4, "N", 0, 0},
        {701, "float8", "double precision", 8, "N", 1022, 0},
        {705, "unknown", "unknown", -2, "X", 0, 0},
        {1000, "_bool", "boolean[]", -1, "A", 0, 16},
        {1003, "_name", "name[]", -1, "A", 0, 19},
        {1005, "_int2", "smallint[]", -1, "A", 0, 21},
        {1007, "_int4", "integer[]", -1, "A", 0, 23},
        {1009, "_text", "text[]", -1, "A", 0, 25},
        {1015, "_varchar", "character varying[]", -1, "A", 0, 1043},
        {1016, "_int8", "bigint[]", -1, "A", 0, 20},
        {1022, "_float8", "double precision[]", -1, "A", 0, 701},
        {1028, "_oid", "oid[]", -1, "A", 0, 26},
        {1042, "bpchar", "character", -1, "S", 0, 0},
        {1043, "varchar", "character varying", -1, "S", 1015, 0},
        {1082, "date", "date", 4, "D", 0, 0},
        {1083, "time", "time without time zone", 8, "D", 0, 0},
        {1114, "timestamp", "timestamp without time zone", 8, "D", 0, 0},
        {1184, "timestamptz", "timestamp with time zone", 8, "D", 0, 0},
        {1186, "interval", "interval", 16, "T", 0, 0},
        {1700, "numeric", "numeric", -1, "N", 0, 0},
        {2205, "regclass", "regclass", 4, "N", 0, 0},
        {2206, "regtype", "regtype", 4, "N", 0, 0},
        {2950, "uuid", "uuid", 16, "U", 0, 0},
        {3802, "jsonb", "jsonb", -1, "U", 0, 0}};
    return types;
}

object_id type_oid(column_type type) {
    switch (type) {
        case column_type::boolean:
            return 16;
        case column_type::integer:
            return 20;
        case column_type::real:
            return 701;
        case column_type::text:
            break;
    }
    return 25;
}

const catalog_type* type_of_oid(object_id oid) {
    for (const catalog_type& t : catalog_types())
        if (t.oid == oid) return &t;
    return nullptr;
}

const catalog_type* type_named(std::string_view written) {
    std::string name = lower(written);
    if (name.starts_with("pg_catalog.")) name.erase(0, 11);
    if (name == "int") name = "int4";
    if (name == "decimal") name = "numeric";
    for (const catalog_type& t : catalog_types())
        if (t.name == name || t.shown == name) return &t;
    return nullptr;
}

std::string quoted_if_needed(std::string_view name) {
    const bool plain = !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                       });
    return plain ? std::string(name) : quoted_name(name);
}

}  // namespace howdah::admin
