#include "admin/catalog/catalog_tables.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "admin/sql/show_commands.hpp"

namespace howdah::admin {
namespace {

constexpr object_id sqlite_access_method = 2;
constexpr object_id btree_access_method = 403;
constexpr object_id default_tablespace = 1663;
constexpr object_id default_collation = 100;

/// The columns of a table in short: "oid:i relname attisdropped:b". Behind the colon i is a number
/// (0 where a row does not say), n one that may be NULL, b a boolean (false), r a real, e text that
/// is empty; the others are text that may be NULL.
struct column_spec {
    std::string_view name;
    column_type type = column_type::text;
    value otherwise{};
};

std::vector<column_spec> columns_of(std::string_view spec) {
    std::vector<column_spec> out;
    while (!spec.empty()) {
        const std::string_view word = spec.substr(0, spec.find(' '));
        spec.remove_prefix(std::min(spec.size(), word.size() + 1));
        if (word.empty()) continue;
        column_spec c{word.substr(0, word.find(':'))};
        switch (word.size() > c.name.size() ? word[c.name.size() + 1] : ' ') {
            case 'i':
                c.type = column_type::integer;
                c.otherwise = std::int64_t{0};
                break;
            case 'n':
                c.type = column_type::integer;
                break;
            case 'b':
                c.type = column_type::boolean;
                c.otherwise = std::int64_t{0};
                break;
            case 'r':
                c.type = column_type::real;
                c.otherwise = 0.0;
                break;
            case 'e':
                c.otherwise = std::string();
                break;
            default:
                break;
        }
        out.push_back(c);
    }
    return out;
}

/// Rows of a table, by the names of columns.
class row_list {
public:
    explicit row_list(const std::vector<column_spec>& columns) : columns_(columns) {}

    void add(std::initializer_list<std::pair<std::string_view, value>> what) {
        row r;
        r.reserve(columns_.size());
        for (const column_spec& c : columns_)
            r.push_back(c.otherwise);
        for (const auto& [name, v] : what)
            for (std::size_t i = 0; i < columns_.size(); ++i)
                if (columns_[i].name == name) r[i] = v;
        rows.push_back(std::move(r));
    }

    std::vector<row> rows;

private:
    const std::vector<column_spec>& columns_;
};

value yes(bool b) {
    return std::int64_t{b};
}
value count(std::size_t n) {
    return static_cast<std::int64_t>(n);
}
value text(std::string_view s) {
    return std::string(s);
}

/// All objects belong to the first administrator.
catalog_role owner(const catalog& all) {
    for (const catalog_role& r : all.roles())
        if (r.super) return r;
    return {};
}

std::string numbers(const std::vector<std::int64_t>& all, std::string_view separator) {
    std::string out;
    for (const std::int64_t n : all)
        out += (out.empty() ? "" : std::string(separator)) + std::to_string(n);
    return out;
}

std::string type_name(column_type type) {
    return std::string(type_of_oid(type_oid(type))->shown);
}

std::string kind_of(const catalog_relation& r) {
    return r.live && !r.system ? "v" : "r";
}

void pg_class(const catalog& all, row_list& out) {
    const object_id owned_by = owner(all).oid;
    for (const catalog_relation& r : all.relations()) {
        const std::string kind = kind_of(r);
        out.add({{"oid", r.oid},
                 {"relname", r.name},
                 {"relnamespace", r.schema_oid},
                 {"relowner", owned_by},
                 {"relam", kind == "r" ? sqlite_access_method : 0},
                 {"reltuples", -1.0},
                 {"relhasindex", yes(!r.indexes.empty())},
                 {"relpersistence", text("p")},
                 {"relkind", kind},
                 {"relnatts", count(r.columns.size())},
                 {"relchecks", count(r.checks.size())},
                 {"relispopulated", yes(true)},
                 {"relreplident", text("n")}});
        for (const catalog_index& x : r.indexes)
            out.add({{"oid", x.oid},
                     {"relname", x.name},
                     {"relnamespace", r.schema_oid},
                     {"relowner", owned_by},
                     {"relam", btree_access_method},
                     {"reltuples", -1.0},
                     {"relpersistence", text("p")},
                     {"relkind", text("i")},
                     {"relnatts", count(x.columns.size())},
                     {"relispopulated", yes(true)},
                     {"relreplident", text("n")}});
    }
}

void add_attribute(row_list& out, object_id of, std::size_t number, const catalog_column& c,
                   bool of_index) {
    const catalog_type& type = *type_of_oid(type_oid(c.type));
    out.add({{"attrelid", of},
             {"attname", c.name},
             {"atttypid", type.oid},
             {"attstattarget", std::int64_t{-1}},
             {"attlen", type.size},
             {"attnum", count(number)},
             {"attcacheoff", std::int64_t{-1}},
             {"atttypmod", std::int64_t{-1}},
             {"attbyval", yes(type.size > 0)},
             {"attstorage", text(type.size < 0 ? "x" : "p")},
             {"attalign", text(type.size == 8   ? "d"
                               : type.size == 1 ? "c"
                                                : "i")},
             {"attnotnull", yes(c.not_null && !of_index)},
             {"atthasdef", yes(c.default_text.has_value() && !of_index)},
             {"attislocal", yes(true)},
             {"attcollation", type.category == "S" ? default_collation : 0}});
}

void pg_attribute(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations()) {
        for (std::size_t i = 0; i < r.columns.size(); ++i)
            add_attribute(out, r.oid, i + 1, r.columns[i], false);
        for (const catalog_index& x : r.indexes)
            for (std::size_t i = 0; i < x.columns.size(); ++i)
                if (x.columns[i] > 0)
                    add_attribute(out, x.oid, i + 1,
                                  r.columns[static_cast<std::size_t>(x.columns[i]) - 1], true);
    }
}

void pg_attrdef(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        for (std::size_t i = 0; i < r.columns.size(); ++i)
            if (r.columns[i].default_text)
                out.add({{"oid", r.oid + static_cast<std::int64_t>(i) + 1},
                         {"adrelid", r.oid},
                         {"adnum", count(i + 1)},
                         {"adbin", *r.columns[i].default_text}});
}

void pg_index(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        for (const catalog_index& x : r.indexes)
            out.add({{"indexrelid", x.oid},
                     {"indrelid", r.oid},
                     {"indnatts", count(x.columns.size())},
                     {"indnkeyatts", count(x.columns.size())},
                     {"indisunique", yes(x.unique)},
                     {"indisprimary", yes(x.primary)},
                     {"indimmediate", yes(true)},
                     {"indisvalid", yes(true)},
                     {"indisready", yes(true)},
                     {"indislive", yes(true)},
                     {"indkey", numbers(x.columns, " ")},
                     {"indoption", numbers(std::vector<std::int64_t>(x.columns.size()), " ")}});
}

void pg_constraint(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations()) {
        for (const catalog_index& x : r.indexes)
            if (x.constraint != 0)
                out.add({{"oid", x.constraint},
                         {"conname", x.name},
                         {"connamespace", r.schema_oid},
                         {"contype", text(x.primary ? "p" : "u")},
                         {"convalidated", yes(true)},
                         {"conenforced", yes(true)},
                         {"conrelid", r.oid},
                         {"conindid", x.oid},
                         {"conislocal", yes(true)},
                         {"connoinherit", yes(true)},
                         {"conkey", "{" + numbers(x.columns, ",") + "}"}});
        for (const catalog_check& c : r.checks)
            out.add({{"oid", c.oid},
                     {"conname", c.name},
                     {"connamespace", r.schema_oid},
                     {"contype", text("c")},
                     {"convalidated", yes(true)},
                     {"conenforced", yes(true)},
                     {"conrelid", r.oid},
                     {"conislocal", yes(true)},
                     {"conkey", "{" + std::to_string(c.column) + "}"},
                     {"conbin", c.definition}});
    }
}

void pg_description(const catalog& all, row_list& out) {
    const object_id of_classes = all.relation_named("pg_catalog.pg_class").value_or(0);
    const object_id of_schemas = all.relation_named("pg_catalog.pg_namespace").value_or(0);
    for (const catalog_schema& s : all.schemas())
        out.add({{"objoid", s.oid}, {"classoid", of_schemas}, {"description", s.doc}});
    for (const catalog_relation& r : all.relations()) {
        if (!r.doc.empty())
            out.add({{"objoid", r.oid}, {"classoid", of_classes}, {"description", r.doc}});
        for (std::size_t i = 0; i < r.columns.size(); ++i)
            if (!r.columns[i].doc.empty())
                out.add({{"objoid", r.oid},
                         {"classoid", of_classes},
                         {"objsubid", count(i + 1)},
                         {"description", r.columns[i].doc}});
    }
}

void pg_shdescription(const catalog& all, row_list& out) {
    out.add({{"objoid", catalog::database_oid},
             {"classoid", all.relation_named("pg_catalog.pg_database").value_or(0)},
             {"description", text("Howdah's administration")}});
}

void pg_namespace(const catalog& all, row_list& out) {
    for (const catalog_schema& s : all.schemas())
        out.add({{"oid", s.oid}, {"nspname", s.name}, {"nspowner", owner(all).oid}});
}

void pg_database(const catalog& all, row_list& out) {
    out.add({{"oid", catalog::database_oid},
             {"datname", text(catalog::database_name)},
             {"datdba", owner(all).oid},
             {"encoding", catalog::utf8},
             {"datlocprovider", text("c")},
             {"datallowconn", yes(true)},
             {"datconnlimit", std::int64_t{-1}},
             {"dattablespace", default_tablespace},
             {"datcollate", text("C")},
             {"datctype", text("C")}});
}

void pg_type(const catalog& all, row_list& out) {
    for (const catalog_type& t : catalog_types()) {
        const std::string name(t.name);
        out.add({{"oid", t.oid},
                 {"typname", name},
                 {"typnamespace", catalog::system_schema_oid},
                 {"typowner", owner(all).oid},
                 {"typlen", t.size},
                 {"typbyval", yes(t.size > 0 && t.size <= 8)},
                 {"typtype", text(t.category == "X" ? "p" : "b")},
                 {"typcategory", text(t.category)},
                 {"typisdefined", yes(true)},
                 {"typdelim", text(",")},
                 {"typelem", t.element},
                 {"typarray", t.array},
                 {"typinput",
                  text(t.element != 0 && t.array == 0 && t.oid != 22 ? "array_in" : name + "in")},
                 {"typoutput", name + "out"},
                 {"typalign", text(t.size == 8 ? "d" : "i")},
                 {"typstorage", text(t.size < 0 ? "x" : "p")},
                 {"typtypmod", std::int64_t{-1}},
                 {"typcollation", t.category == "S" ? default_collation : 0}});
    }
}

void pg_roles(const catalog& all, row_list& out) {
    for (const catalog_role& r : all.roles())
        out.add({{"oid", r.oid},
                 {"rolname", r.name},
                 {"rolsuper", yes(r.super)},
                 {"rolinherit", yes(true)},
                 {"rolcanlogin", yes(true)},
                 {"rolconnlimit", std::int64_t{-1}},
                 {"rolpassword", text("********")}});
}

void pg_user(const catalog& all, row_list& out) {
    for (const catalog_role& r : all.roles())
        out.add({{"usename", r.name},
                 {"usesysid", r.oid},
                 {"usesuper", yes(r.super)},
                 {"passwd", text("********")}});
}

void pg_am(const catalog&, row_list& out) {
    out.add({{"oid", sqlite_access_method},
             {"amname", text("sqlite")},
             {"amhandler", text("-")},
             {"amtype", text("t")}});
    out.add({{"oid", btree_access_method},
             {"amname", text("btree")},
             {"amhandler", text("-")},
             {"amtype", text("i")}});
}

void pg_tablespace(const catalog& all, row_list& out) {
    out.add({{"oid", default_tablespace},
             {"spcname", text("pg_default")},
             {"spcowner", owner(all).oid}});
}

void pg_collation(const catalog& all, row_list& out) {
    out.add({{"oid", default_collation},
             {"collname", text("default")},
             {"collnamespace", catalog::system_schema_oid},
             {"collowner", owner(all).oid},
             {"collprovider", text("d")},
             {"collisdeterministic", yes(true)},
             {"collencoding", std::int64_t{-1}}});
}

void pg_settings(const catalog&, row_list& out) {
    for (const auto& [name, setting] : server_parameters())
        out.add({{"name", name},
                 {"setting", setting},
                 {"category", text("Preset Options")},
                 {"short_desc", text("")},
                 {"context", text("internal")},
                 {"vartype", text("string")},
                 {"source", text("default")},
                 {"boot_val", setting},
                 {"reset_val", setting}});
}

void pg_keywords(const catalog&, row_list& out) {
    for (int i = 0; i < sqlite3_keyword_count(); ++i) {
        const char* name = nullptr;
        int size = 0;
        if (sqlite3_keyword_name(i, &name, &size) != SQLITE_OK) continue;
        out.add({{"word", lower({name, static_cast<std::size_t>(size)})},
                 {"catcode", text("U")},
                 {"catdesc", text("unreserved")}});
    }
}

void pg_tables(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        if (kind_of(r) == "r")
            out.add({{"schemaname", r.schema},
                     {"tablename", r.name},
                     {"tableowner", owner(all).name},
                     {"hasindexes", yes(!r.indexes.empty())}});
}

void pg_views(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        if (kind_of(r) == "v")
            out.add(
                {{"schemaname", r.schema}, {"viewname", r.name}, {"viewowner", owner(all).name}});
}

void pg_indexes(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        for (const catalog_index& x : r.indexes)
            out.add({{"schemaname", r.schema}, {"tablename", r.name}, {"indexname", x.name}});
}

void schemata(const catalog& all, row_list& out) {
    for (const catalog_schema& s : all.schemas())
        out.add({{"catalog_name", text(catalog::database_name)},
                 {"schema_name", s.name},
                 {"schema_owner", owner(all).name}});
}

void tables(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        out.add({{"table_catalog", text(catalog::database_name)},
                 {"table_schema", r.schema},
                 {"table_name", r.name},
                 {"table_type", text(kind_of(r) == "r" ? "BASE TABLE" : "VIEW")},
                 {"is_insertable_into", text(r.live ? "NO" : "YES")},
                 {"is_typed", text("NO")}});
}

void views(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        if (kind_of(r) == "v")
            out.add({{"table_catalog", text(catalog::database_name)},
                     {"table_schema", r.schema},
                     {"table_name", r.name},
                     {"check_option", text("NONE")},
                     {"is_updatable", text("NO")},
                     {"is_insertable_into", text("NO")}});
}

void columns(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        for (std::size_t i = 0; i < r.columns.size(); ++i) {
            const catalog_column& c = r.columns[i];
            const bool whole = c.type == column_type::integer;
            const bool number = whole || c.type == column_type::real;
            out.add({{"table_catalog", text(catalog::database_name)},
                     {"table_schema", r.schema},
                     {"table_name", r.name},
                     {"column_name", c.name},
                     {"ordinal_position", count(i + 1)},
                     {"column_default", c.default_text ? value(*c.default_text) : value()},
                     {"is_nullable", text(c.not_null ? "NO" : "YES")},
                     {"data_type", type_name(c.type)},
                     {"numeric_precision", number ? value(std::int64_t{whole ? 64 : 53}) : value()},
                     {"numeric_precision_radix", number ? value(std::int64_t{2}) : value()},
                     {"numeric_scale", whole ? value(std::int64_t{0}) : value()},
                     {"udt_catalog", text(catalog::database_name)},
                     {"udt_schema", text("pg_catalog")},
                     {"udt_name", text(type_of_oid(type_oid(c.type))->name)},
                     {"dtd_identifier", std::to_string(i + 1)},
                     {"is_self_referencing", text("NO")},
                     {"is_identity", text("NO")},
                     {"is_generated", text("NEVER")},
                     {"is_updatable", text(r.live ? "NO" : "YES")}});
        }
}

void table_constraints(const catalog& all, row_list& out) {
    const auto add = [&](const catalog_relation& r, const std::string& name, const char* type) {
        out.add({{"constraint_catalog", text(catalog::database_name)},
                 {"constraint_schema", r.schema},
                 {"constraint_name", name},
                 {"table_catalog", text(catalog::database_name)},
                 {"table_schema", r.schema},
                 {"table_name", r.name},
                 {"constraint_type", text(type)},
                 {"is_deferrable", text("NO")},
                 {"initially_deferred", text("NO")},
                 {"enforced", text("YES")}});
    };
    for (const catalog_relation& r : all.relations()) {
        for (const catalog_index& x : r.indexes)
            if (x.constraint != 0) add(r, x.name, x.primary ? "PRIMARY KEY" : "UNIQUE");
        for (const catalog_check& c : r.checks)
            add(r, c.name, "CHECK");
    }
}

void key_column_usage(const catalog& all, row_list& out) {
    for (const catalog_relation& r : all.relations())
        for (const catalog_index& x : r.indexes)
            for (std::size_t i = 0; x.constraint != 0 && i < x.columns.size(); ++i)
                if (x.columns[i] > 0)
                    out.add({{"constraint_catalog", text(catalog::database_name)},
                             {"constraint_schema", r.schema},
                             {"constraint_name", x.name},
                             {"table_catalog", text(catalog::database_name)},
                             {"table_schema", r.schema},
                             {"table_name", r.name},
                             {"column_name",
                              r.columns[static_cast<std::size_t>(x.columns[i]) - 1].name},
                             {"ordinal_position", count(i + 1)}});
}

struct table_spec {
    std::string_view name;
    std::string_view columns;
    void (*fill)(const catalog&, row_list&) = nullptr;  ///< null: it has no rows
};

const table_spec pg_catalog_tables[] = {
    {"pg_class",
     "oid:i relname relnamespace:i reltype:i reloftype:i relowner:i relam:i relfilenode:i "
     "reltablespace:i relpages:i reltuples:r relallvisible:i reltoastrelid:i relhasindex:b "
     "relisshared:b relpersistence relkind relnatts:i relchecks:i relhasrules:b relhastriggers:b "
     "relhassubclass:b relrowsecurity:b relforcerowsecurity:b relispopulated:b relreplident "
     "relispartition:b relrewrite:i relfrozenxid:i relminmxid:i relacl reloptions relpartbound",
     pg_class},
    {"pg_attribute",
     "attrelid:i attname atttypid:i attstattarget:i attlen:i attnum:i attndims:i attcacheoff:i "
     "atttypmod:i attbyval:b attstorage attalign attnotnull:b atthasdef:b atthasmissing:b "
     "attidentity:e attgenerated:e attisdropped:b attislocal:b attinhcount:i attcollation:i "
     "attcompression:e attacl attoptions attfdwoptions attmissingval",
     pg_attribute},
    {"pg_attrdef", "oid:i adrelid:i adnum:i adbin", pg_attrdef},
    {"pg_index",
     "indexrelid:i indrelid:i indnatts:i indnkeyatts:i indisunique:b indnullsnotdistinct:b "
     "indisprimary:b indisexclusion:b indimmediate:b indisclustered:b indisvalid:b indcheckxmin:b "
     "indisready:b indislive:b indisreplident:b indkey indcollation indclass indoption indexprs "
     "indpred",
     pg_index},
    {"pg_constraint",
     "oid:i tableoid:i conname connamespace:i contype condeferrable:b condeferred:b conenforced:b "
     "convalidated:b conrelid:i contypid:i conindid:i conparentid:i confrelid:i confupdtype:e "
     "confdeltype:e confmatchtype:e conislocal:b coninhcount:i connoinherit:b conperiod:b conkey "
     "confkey conpfeqop conppeqop conffeqop confdelsetcols conexclop conbin",
     pg_constraint},
    {"pg_description", "objoid:i classoid:i objsubid:i description", pg_description},
    {"pg_shdescription", "objoid:i classoid:i description", pg_shdescription},
    {"pg_namespace", "oid:i nspname nspowner:i nspacl", pg_namespace},
    {"pg_database",
     "oid:i datname datdba:i encoding:i datlocprovider datistemplate:b datallowconn:b "
     "dathasloginevt:b datconnlimit:i datlastsysoid:i datfrozenxid:i datminmxid:i dattablespace:i "
     "datcollate datctype daticulocale datlocale daticurules datcollversion datacl",
     pg_database},
    {"pg_type",
     "oid:i typname typnamespace:i typowner:i typlen:i typbyval:b typtype typcategory "
     "typispreferred:b typisdefined:b typdelim typrelid:i typsubscript typelem:i typarray:i "
     "typinput typoutput typreceive typsend typmodin typmodout typanalyze typalign typstorage "
     "typnotnull:b typbasetype:i typtypmod:i typndims:i typcollation:i typdefaultbin typdefault "
     "typacl",
     pg_type},
    {"pg_roles",
     "rolname rolsuper:b rolinherit:b rolcreaterole:b rolcreatedb:b rolcanlogin:b rolreplication:b "
     "rolconnlimit:i rolpassword rolvaliduntil rolbypassrls:b rolconfig oid:i",
     pg_roles},
    {"pg_user",
     "usename usesysid:i usecreatedb:b usesuper:b userepl:b usebypassrls:b passwd valuntil "
     "useconfig",
     pg_user},
    {"pg_am", "oid:i amname amhandler amtype", pg_am},
    {"pg_tablespace", "oid:i spcname spcowner:i spcacl spcoptions", pg_tablespace},
    {"pg_collation",
     "oid:i collname collnamespace:i collowner:i collprovider collisdeterministic:b collencoding:i "
     "collcollate collctype colliculocale colllocale collicurules collversion",
     pg_collation},
    {"pg_settings",
     "name setting unit category short_desc extra_desc context vartype source min_val max_val "
     "enumvals boot_val reset_val sourcefile sourceline:n pending_restart:b",
     pg_settings},
    {"pg_get_keywords", "word catcode barelabel:b catdesc baredesc", pg_keywords},
    {"pg_tables",
     "schemaname tablename tableowner tablespace hasindexes:b hasrules:b hastriggers:b "
     "rowsecurity:b",
     pg_tables},
    {"pg_views", "schemaname viewname viewowner definition", pg_views},
    {"pg_indexes", "schemaname tablename indexname tablespace indexdef", pg_indexes},
    {"pg_matviews",
     "schemaname matviewname matviewowner tablespace hasindexes:b ispopulated:b definition"},
    {"pg_sequences", "schemaname sequencename sequenceowner data_type start_value:n last_value:n"},
    {"pg_aggregate", "aggfnoid aggkind aggnumdirectargs:i aggtransfn"},
    {"pg_amop",
     "oid:i amopfamily:i amoplefttype:i amoprighttype:i amopstrategy:i amoppurpose amopopr:i "
     "amopmethod:i amopsortfamily:i"},
    {"pg_amproc", "oid:i amprocfamily:i amproclefttype:i amprocrighttype:i amprocnum:i amproc"},
    {"pg_auth_members",
     "oid:i roleid:i member:i grantor:i admin_option:b inherit_option:b set_option:b"},
    {"pg_available_extensions", "name default_version installed_version comment"},
    {"pg_cast", "oid:i castsource:i casttarget:i castfunc:i castcontext castmethod"},
    {"pg_conversion",
     "oid:i conname connamespace:i conowner:i conforencoding:i contoencoding:i conproc "
     "condefault:b"},
    {"pg_db_role_setting", "setdatabase:i setrole:i setconfig"},
    {"pg_default_acl", "oid:i defaclrole:i defaclnamespace:i defaclobjtype defaclacl"},
    {"pg_depend", "classid:i objid:i objsubid:i refclassid:i refobjid:i refobjsubid:i deptype"},
    {"pg_shdepend", "dbid:i classid:i objid:i objsubid:i refclassid:i refobjid:i deptype"},
    {"pg_enum", "oid:i enumtypid:i enumsortorder:r enumlabel"},
    {"pg_event_trigger", "oid:i evtname evtevent evtowner:i evtfoid:i evtenabled evttags"},
    {"pg_extension",
     "oid:i extname extowner:i extnamespace:i extrelocatable:b extversion extconfig extcondition"},
    {"pg_foreign_data_wrapper",
     "oid:i fdwname fdwowner:i fdwhandler:i fdwvalidator:i fdwacl fdwoptions"},
    {"pg_foreign_server", "oid:i srvname srvowner:i srvfdw:i srvtype srvversion srvacl srvoptions"},
    {"pg_foreign_table", "ftrelid:i ftserver:i ftoptions"},
    {"pg_inherits", "inhrelid:i inhparent:i inhseqno:i inhdetachpending:b"},
    {"pg_language",
     "oid:i tableoid:i lanname lanowner:i lanispl:b lanpltrusted:b lanplcallfoid:i laninline:i "
     "lanvalidator:i lanacl"},
    {"pg_largeobject_metadata", "oid:i lomowner:i lomacl"},
    {"pg_locks",
     "locktype database:n relation:n page:n tuple:n virtualxid transactionid:n classid:n objid:n "
     "objsubid:n virtualtransaction pid:n mode granted:b fastpath:b waitstart"},
    {"pg_opclass",
     "oid:i tableoid:i opcmethod:i opcname opcnamespace:i opcowner:i opcfamily:i opcintype:i "
     "opcdefault:b "
     "opckeytype:i"},
    {"pg_operator",
     "oid:i oprname oprnamespace:i oprowner:i oprkind oprcanmerge:b oprcanhash:b oprleft:i "
     "oprright:i oprresult:i oprcom:i oprnegate:i oprcode oprrest oprjoin"},
    {"pg_opfamily", "oid:i tableoid:i opfmethod:i opfname opfnamespace:i opfowner:i"},
    {"pg_parameter_acl", "oid:i parname paracl"},
    {"pg_partitioned_table",
     "partrelid:i partstrat partnatts:i partdefid:i partattrs partclass partcollation partexprs"},
    {"pg_policy", "oid:i polname polrelid:i polcmd polpermissive:b polroles polqual polwithcheck"},
    {"pg_prepared_xacts", "transaction:i gid prepared owner database"},
    {"pg_proc",
     "oid:i proname pronamespace:i proowner:i prolang:i procost:r prorows:r provariadic:i "
     "prosupport prokind prosecdef:b proleakproof:b proisstrict:b proretset:b provolatile "
     "proparallel pronargs:i pronargdefaults:i prorettype:i proargtypes proallargtypes "
     "proargmodes proargnames proargdefaults protrftypes prosrc probin prosqlbody proconfig "
     "proacl"},
    {"pg_publication",
     "oid:i pubname pubowner:i puballtables:b puballsequences:b pubinsert:b pubupdate:b "
     "pubdelete:b pubtruncate:b pubviaroot:b pubgencols"},
    {"pg_publication_namespace", "oid:i pnpubid:i pnnspid:i"},
    {"pg_publication_rel", "oid:i prpubid:i prrelid:i prexcept:b prqual prattrs"},
    {"pg_range",
     "rngtypid:i rngsubtype:i rngmultitypid:i rngcollation:i rngsubopc:i rngcanonical "
     "rngsubdiff"},
    {"pg_replication_slots",
     "slot_name plugin slot_type datoid:n database temporary:b active:b active_pid:n"},
    {"pg_rewrite",
     "oid:i tableoid:i rulename ev_class:i ev_type ev_enabled is_instead:b ev_qual ev_action"},
    {"pg_seclabels",
     "objoid:i classoid:i objsubid:i objtype objnamespace:i objname provider label"},
    {"pg_sequence",
     "seqrelid:i seqtypid:i seqstart:i seqincrement:i seqmax:i seqmin:i seqcache:i seqcycle:b"},
    {"pg_shseclabel", "objoid:i classoid:i provider label"},
    {"pg_stat_gssapi", "pid:i gss_authenticated:b principal encrypted:b credentials_delegated:b"},
    {"pg_statistic_ext",
     "oid:i stxrelid:i stxname stxnamespace:i stxowner:i stxstattarget:n stxkeys stxkind stxexprs"},
    {"pg_subscription",
     "oid:i subdbid:i subskiplsn subname subowner:i subenabled:b subbinary:b substream "
     "subtwophasestate subdisableonerr:b subpasswordrequired:b subrunasowner:b subfailover:b "
     "subconninfo subslotname subsynccommit subpublications suborigin"},
    {"pg_transform", "oid:i trftype:i trflang:i trffromsql trftosql"},
    {"pg_trigger",
     "oid:i tableoid:i tgrelid:i tgparentid:i tgname tgfoid:i tgtype:i tgenabled tgisinternal:b "
     "tgconstrrelid:i tgconstrindid:i tgconstraint:i tgdeferrable:b tginitdeferred:b tgnargs:i "
     "tgattr tgargs tgqual tgoldtable tgnewtable"},
    {"pg_ts_config", "oid:i cfgname cfgnamespace:i cfgowner:i cfgparser:i"},
    {"pg_ts_dict", "oid:i dictname dictnamespace:i dictowner:i dicttemplate:i dictinitoption"},
    {"pg_ts_parser",
     "oid:i prsname prsnamespace:i prsstart prstoken prsend prsheadline prslextype"},
    {"pg_ts_template", "oid:i tmplname tmplnamespace:i tmplinit tmpllexize"},
    {"pg_user_mapping", "oid:i umuser:i umserver:i umoptions"},
    {"pg_user_mappings", "umid:i srvid:i srvname umuser:i usename umoptions"}};

const table_spec information_schema_tables[] = {
    {"schemata",
     "catalog_name schema_name schema_owner default_character_set_catalog "
     "default_character_set_schema default_character_set_name sql_path",
     schemata},
    {"tables",
     "table_catalog table_schema table_name table_type self_referencing_column_name "
     "reference_generation user_defined_type_catalog user_defined_type_schema "
     "user_defined_type_name is_insertable_into is_typed commit_action",
     tables},
    {"views",
     "table_catalog table_schema table_name view_definition check_option is_updatable "
     "is_insertable_into is_trigger_updatable is_trigger_deletable is_trigger_insertable_into",
     views},
    {"columns",
     "table_catalog table_schema table_name column_name ordinal_position:i column_default "
     "is_nullable data_type character_maximum_length:n character_octet_length:n "
     "numeric_precision:n numeric_precision_radix:n numeric_scale:n datetime_precision:n "
     "interval_type interval_precision:n character_set_name collation_name domain_catalog "
     "domain_schema domain_name udt_catalog udt_schema udt_name scope_catalog scope_schema "
     "scope_name maximum_cardinality:n dtd_identifier is_self_referencing is_identity "
     "identity_generation identity_start identity_increment identity_maximum identity_minimum "
     "identity_cycle is_generated generation_expression is_updatable",
     columns},
    {"table_constraints",
     "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name "
     "constraint_type is_deferrable initially_deferred enforced nulls_distinct",
     table_constraints},
    {"key_column_usage",
     "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name "
     "column_name ordinal_position:i position_in_unique_constraint:n",
     key_column_usage},
    {"referential_constraints",
     "constraint_catalog constraint_schema constraint_name unique_constraint_catalog "
     "unique_constraint_schema unique_constraint_name match_option update_rule delete_rule"},
    {"constraint_column_usage",
     "table_catalog table_schema table_name column_name constraint_catalog constraint_schema "
     "constraint_name"},
    {"routines",
     "specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name "
     "routine_type data_type type_udt_name routine_definition external_language"},
    {"sequences",
     "sequence_catalog sequence_schema sequence_name data_type start_value minimum_value "
     "maximum_value increment cycle_option"},
    {"triggers",
     "trigger_catalog trigger_schema trigger_name event_manipulation event_object_catalog "
     "event_object_schema event_object_table action_order:n action_condition action_statement "
     "action_orientation action_timing"}};

live_table table_of(std::string_view schema, const table_spec& spec,
                    const std::shared_ptr<const catalog>& all) {
    const std::vector<column_spec> specs = columns_of(spec.columns);
    live_table t;
    t.schema = schema;
    t.name = spec.name;
    t.doc = spec.fill == nullptr ? "As in PostgreSQL; there is nothing of the kind here."
                                 : "As in PostgreSQL, of the administration.";
    for (const column_spec& c : specs)
        t.columns.push_back({c.name, c.type, "As in PostgreSQL."});
    t.rows = [specs, fill = spec.fill, all] {
        row_list out(specs);
        if (fill != nullptr) fill(*all, out);
        return std::move(out.rows);
    };
    return t;
}

/// The columns that both have, under pg_stat_activity's names.
live_table activity(const live_table* source) {
    static const std::vector<column_spec> specs = columns_of(
        "datid:n datname pid:n leader_pid:n usesysid:n usename application_name client_addr "
        "client_hostname client_port:n backend_start xact_start query_start state_change "
        "wait_event_type wait_event state backend_xid:n backend_xmin:n query_id:n query "
        "backend_type");
    live_table t;
    t.schema = "pg_catalog";
    t.name = "pg_stat_activity";
    t.doc = "stats_pgsql_stat_activity under PostgreSQL's columns.";
    for (const column_spec& c : specs)
        t.columns.push_back({c.name, c.type, "As in PostgreSQL; NULL: not known."});
    if (source == nullptr) {
        t.rows = [] { return std::vector<row>(); };
        return t;
    }
    std::vector<std::size_t> from;
    for (const column_spec& c : specs) {
        std::size_t at = 0;
        while (at < source->columns.size() && source->columns[at].name != c.name)
            ++at;
        from.push_back(at);
    }
    t.rows = [from, rows = source->rows] {
        std::vector<row> out;
        for (const row& r : rows()) {
            row made;
            for (const std::size_t at : from)
                made.push_back(at < r.size() ? r[at] : value());
            made.back() = std::string("client backend");
            out.push_back(std::move(made));
        }
        return out;
    };
    return t;
}

}  // namespace

std::vector<live_table> catalog_tables(const std::shared_ptr<const catalog>& all,
                                       const std::vector<live_table>& others) {
    std::vector<live_table> out;
    for (const table_spec& spec : pg_catalog_tables)
        out.push_back(table_of("pg_catalog", spec, all));
    for (const table_spec& spec : information_schema_tables)
        out.push_back(table_of("information_schema", spec, all));
    const auto found = std::find_if(others.begin(), others.end(), [](const live_table& t) {
        return t.name == "stats_pgsql_stat_activity";
    });
    out.push_back(activity(found == others.end() ? nullptr : &*found));
    return out;
}

}  // namespace howdah::admin
