#include "admin/catalog/functions.hpp"

#include <re2/re2.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <stdexcept>

#include "admin/catalog/arrays.hpp"
#include "admin/sql/show_commands.hpp"
#include "admin/sql/sqlite.hpp"

namespace howdah::admin {
namespace {

/// What the functions of one connection know.
struct context {
    std::shared_ptr<const catalog> all;
    std::string user;
    role who;
    std::string version;
};

using arguments = std::vector<value>;
using function_body = value (*)(const context&, const arguments&);

/// One row of the table of functions.
struct sql_function {
    const char* name;
    function_body body;
    bool strict = true;  ///< NULL where an argument is NULL
    int count = -1;      ///< of arguments; -1: any
};

const value null{};

const value& at(const arguments& a, std::size_t i) {
    return i < a.size() ? a[i] : null;
}

bool is_null(const value& v) {
    return std::holds_alternative<std::monostate>(v);
}

std::string text_at(const arguments& a, std::size_t i) {
    return to_text(at(a, i));
}

std::optional<std::int64_t> whole(const value& v) {
    if (const auto* n = std::get_if<std::int64_t>(&v)) return *n;
    if (const auto* r = std::get_if<double>(&v)) {
        if (*r > -9e18 && *r < 9e18) return static_cast<std::int64_t>(*r);
        return {};
    }
    const auto* s = std::get_if<std::string>(&v);
    if (s == nullptr) return {};
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(s->data(), s->data() + s->size(), n);
    if (ec != std::errc() || end != s->data() + s->size() || s->empty()) return {};
    return n;
}

std::int64_t whole_or(const value& v, std::int64_t otherwise) {
    return whole(v).value_or(otherwise);
}

value yes(bool b) {
    return std::int64_t{b};
}

value nothing(const context&, const arguments&) {
    return null;
}
value no(const context&, const arguments&) {
    return yes(false);
}
value zero(const context&, const arguments&) {
    return std::int64_t{0};
}
value empty_text(const context&, const arguments&) {
    return std::string();
}
value utf8_name(const context&, const arguments&) {
    return std::string("UTF8");
}
value first_argument(const context&, const arguments& a) {
    return at(a, 0);
}

value optional_text(std::string text) {
    return text.empty() ? null : value(std::move(text));
}

// Who and where.

value version(const context& c, const arguments&) {
    return "PostgreSQL " + server_parameters().find("server_version")->second + " (Howdah " +
           c.version + " administration, SQLite " + sqlite3_libversion() + ")";
}
value current_user(const context& c, const arguments&) {
    return c.user;
}
value current_database(const context&, const arguments&) {
    return std::string(catalog::database_name);
}
value current_schema(const context&, const arguments&) {
    return std::string("main");
}
value current_schemas(const context& c, const arguments& a) {
    array_elements out;
    for (const std::string& s : c.all->search_path())
        if (s != "pg_catalog" || whole_or(at(a, 0), 0) != 0) out.emplace_back(s);
    return array_text(out);
}
value process_id(const context&, const arguments&) {
    return static_cast<std::int64_t>(::getpid());
}

value now(const context&, const arguments&) {
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
    const std::time_t seconds = since / 1000000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char day[32];
    const std::size_t size = std::strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &utc);
    std::string fraction = std::to_string(since % 1000000 + 1000000);
    fraction.front() = '.';
    return std::string(day, size) + fraction + "+00";
}

value current_setting(const context&, const arguments& a) {
    const std::string name = lower(text_at(a, 0));
    const auto found = server_parameters().find(name);
    if (found != server_parameters().end()) return found->second;
    if (whole_or(at(a, 1), 0) != 0) return null;
    throw std::runtime_error("unrecognized configuration parameter \"" + name + "\"");
}

/// As SET: what PostgreSQL's parameters are is fixed here.
value set_config(const context&, const arguments& a) {
    const auto found = server_parameters().find(lower(text_at(a, 0)));
    return found == server_parameters().end() ? at(a, 1) : value(found->second);
}

// Objects by their oid.

value role_name(const context& c, const arguments& a) {
    const std::int64_t oid = whole_or(at(a, 0), 0);
    for (const catalog_role& r : c.all->roles())
        if (r.oid == oid) return r.name;
    return "unknown (OID=" + std::to_string(oid) + ")";
}

value table_is_visible(const context& c, const arguments& a) {
    const object_id oid = whole_or(at(a, 0), 0);
    if (const catalog_relation* r = c.all->relation(oid)) return yes(r->visible);
    const auto index = c.all->index(oid);
    return index.of == nullptr ? null : yes(index.of->visible);
}

value type_is_visible(const context&, const arguments& a) {
    return yes(type_of_oid(whole_or(at(a, 0), 0)) != nullptr);
}

/// The type modifier says nothing for the types that there are.
value format_type(const context&, const arguments& a) {
    const auto oid = whole(at(a, 0));
    if (!oid) return null;
    if (*oid == 0) return std::string("-");
    const catalog_type* t = type_of_oid(*oid);
    return std::string(t == nullptr ? "???" : t->shown);
}

std::string column_list(const catalog_relation& of, const catalog_index& index) {
    std::string out;
    for (const std::int64_t n : index.columns) {
        if (!out.empty()) out += ", ";
        if (n > 0) out += quoted_if_needed(of.columns[static_cast<std::size_t>(n) - 1].name);
    }
    return "(" + out + ")";
}

value index_definition(const context& c, const arguments& a) {
    const auto [of, index] = c.all->index(whole_or(at(a, 0), 0));
    if (of == nullptr) return null;
    if (const std::int64_t n = whole_or(at(a, 1), 0); n > 0) {
        if (static_cast<std::size_t>(n) > index->columns.size()) return std::string();
        const std::int64_t column = index->columns[static_cast<std::size_t>(n) - 1];
        if (column <= 0) return null;
        return quoted_if_needed(of->columns[static_cast<std::size_t>(column) - 1].name);
    }
    return std::string(index->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ") +
           quoted_if_needed(index->name) + " ON " + quoted_if_needed(of->schema) + '.' +
           quoted_if_needed(of->name) + " USING btree " + column_list(*of, *index);
}

value constraint_definition(const context& c, const arguments& a) {
    const object_id oid = whole_or(at(a, 0), 0);
    for (const catalog_relation& r : c.all->relations()) {
        for (const catalog_index& x : r.indexes)
            if (x.constraint == oid && oid != 0)
                return (x.primary ? "PRIMARY KEY " : "UNIQUE ") + column_list(r, x);
        for (const catalog_check& k : r.checks)
            if (k.oid == oid) return k.definition;
    }
    return null;
}

value view_definition(const context& c, const arguments& a) {
    const auto oid = whole(at(a, 0));
    const auto named = oid ? oid : c.all->relation_named(text_at(a, 0));
    const catalog_relation* r = named ? c.all->relation(*named) : nullptr;
    if (r == nullptr || !r->live) return null;
    return std::string(" -- its rows are made when they are asked for");
}

value object_description(const context& c, const arguments& a) {
    const object_id oid = whole_or(at(a, 0), 0);
    if (const catalog_relation* r = c.all->relation(oid)) return optional_text(r->doc);
    if (const catalog_schema* s = c.all->schema(oid)) return optional_text(s->doc);
    return null;
}

value column_description(const context& c, const arguments& a) {
    const catalog_relation* r = c.all->relation(whole_or(at(a, 0), 0));
    const std::int64_t n = whole_or(at(a, 1), 0);
    if (r == nullptr || n < 1 || static_cast<std::size_t>(n) > r->columns.size()) return null;
    return optional_text(r->columns[static_cast<std::size_t>(n) - 1].doc);
}

value shared_description(const context&, const arguments& a) {
    if (whole_or(at(a, 0), 0) != catalog::database_oid) return null;
    return std::string("Howdah's administration");
}

value encoding_number(const context&, const arguments& a) {
    const std::string name = upper(text_at(a, 0));
    return name == "UTF8" || name == "UTF-8" ? catalog::utf8 : std::int64_t{-1};
}
value encoding_name(const context&, const arguments& a) {
    return std::string(whole_or(at(a, 0), -1) == catalog::utf8 ? "UTF8" : "");
}

// Casts to and from names of objects. As text they stand for an oid, as a number for a name.

value regclass(const context& c, const arguments& a) {
    if (const auto* number = std::get_if<std::int64_t>(&a.front())) {
        const std::string name = c.all->shown_name(*number);
        return *number == 0 ? "-" : name.empty() ? std::to_string(*number) : name;
    }
    if (const auto oid = whole(a.front())) return *oid;
    if (const auto oid = c.all->relation_named(text_at(a, 0))) return *oid;
    throw std::runtime_error("relation \"" + text_at(a, 0) + "\" does not exist");
}

value to_regclass(const context& c, const arguments& a) {
    const auto oid = c.all->relation_named(text_at(a, 0));
    return oid ? value(*oid) : null;
}

value regtype(const context&, const arguments& a) {
    if (const auto* number = std::get_if<std::int64_t>(&a.front())) {
        const catalog_type* t = type_of_oid(*number);
        return t != nullptr   ? std::string(t->shown)
               : *number == 0 ? std::string("-")
                              : std::to_string(*number);
    }
    if (const auto oid = whole(a.front())) return *oid;
    if (const catalog_type* t = type_named(text_at(a, 0))) return t->oid;
    throw std::runtime_error("type \"" + text_at(a, 0) + "\" does not exist");
}

value to_regtype(const context&, const arguments& a) {
    const catalog_type* t = type_named(text_at(a, 0));
    return t == nullptr ? null : value(t->oid);
}

value regnamespace(const context& c, const arguments& a) {
    if (const auto* number = std::get_if<std::int64_t>(&a.front())) {
        const catalog_schema* s = c.all->schema(*number);
        return s == nullptr ? std::to_string(*number) : s->name;
    }
    if (const auto oid = whole(a.front())) return *oid;
    if (const auto oid = c.all->schema_named(text_at(a, 0))) return *oid;
    throw std::runtime_error("schema \"" + text_at(a, 0) + "\" does not exist");
}

value regrole(const context& c, const arguments& a) {
    if (std::holds_alternative<std::int64_t>(a.front())) return role_name(c, a);
    for (const catalog_role& r : c.all->roles())
        if (r.name == text_at(a, 0)) return r.oid;
    throw std::runtime_error("role \"" + text_at(a, 0) + "\" does not exist");
}

/// Functions are known by their name only.
value regproc(const context&, const arguments& a) {
    std::string name = text_at(a, 0);
    if (name.starts_with("pg_catalog.")) name.erase(0, 11);
    return name == "0" ? std::string("-") : name;
}

value to_oid(const context& c, const arguments& a) {
    if (const auto oid = whole(a.front())) return *oid;
    if (const auto oid = c.all->relation_named(text_at(a, 0))) return *oid;
    if (const catalog_type* t = type_named(text_at(a, 0))) return t->oid;
    throw std::runtime_error("invalid input syntax for type oid: \"" + text_at(a, 0) + "\"");
}

value to_bool(const context&, const arguments& a) {
    if (const auto* number = std::get_if<std::int64_t>(&a.front())) return yes(*number != 0);
    const std::string text = lower(text_at(a, 0));
    for (const char* word : {"t", "true", "y", "yes", "on", "1"})
        if (text == word) return yes(true);
    for (const char* word : {"f", "false", "n", "no", "off", "0"})
        if (text == word) return yes(false);
    throw std::runtime_error("invalid input syntax for type boolean: \"" + text + "\"");
}

// Privileges. The arguments are [user,] object, privilege.

std::string privilege_of(const arguments& a) {
    return upper(to_text(a.empty() ? null : a.back()));
}

bool administers(const context& c, const arguments& a, std::size_t with_user) {
    if (a.size() < with_user) return c.who == role::admin;
    const auto oid = whole(a.front());
    for (const catalog_role& r : c.all->roles())
        if (oid ? r.oid == *oid : r.name == text_at(a, 0)) return r.super;
    throw std::runtime_error("role \"" + text_at(a, 0) + "\" does not exist");
}

bool may(std::string_view privileges, std::string_view wanted) {
    return privileges.find(wanted) != privileges.npos;
}

value table_privilege(const context& c, const arguments& a, std::size_t with_user) {
    const bool admin = administers(c, a, with_user);
    const value& which = at(a, a.size() < with_user ? 0 : 1);
    const auto oid = whole(which);
    const auto named = oid ? oid : c.all->relation_named(to_text(which));
    const catalog_relation* r = named ? c.all->relation(*named) : nullptr;
    if (r == nullptr) {
        if (oid) return null;
        throw std::runtime_error("relation \"" + to_text(which) + "\" does not exist");
    }
    const std::string wanted = privilege_of(a);
    if (may(wanted, "SELECT"))
        if (admin || (r->schema != "main" && r->schema != "disk")) return yes(true);
    const bool writes = may(wanted, "INSERT") || may(wanted, "UPDATE") || may(wanted, "DELETE");
    return yes(writes && admin && !r->live);
}
value has_table_privilege(const context& c, const arguments& a) {
    return table_privilege(c, a, 3);
}
value has_column_privilege(const context& c, const arguments& a) {
    return table_privilege(c, a, 4);
}
value has_schema_privilege(const context&, const arguments& a) {
    return yes(may(privilege_of(a), "USAGE"));
}
value has_database_privilege(const context& c, const arguments& a) {
    const std::string wanted = privilege_of(a);
    return yes(may(wanted, "CONNECT") || (may(wanted, "TEMP") && administers(c, a, 3)));
}
value has_function_privilege(const context&, const arguments&) {
    return yes(true);
}
value has_role(const context& c, const arguments& a) {
    if (administers(c, a, 3)) return yes(true);
    return yes(text_at(a, a.size() < 3 ? 0 : 1) == c.user);
}
value is_updatable(const context& c, const arguments& a) {
    constexpr std::int64_t insert_update_delete = 1 << 3 | 1 << 2 | 1 << 4;
    const catalog_relation* r = c.all->relation(whole_or(at(a, 0), 0));
    return r != nullptr && !r->live ? insert_update_delete : std::int64_t{0};
}

// Text.

value quote_ident(const context&, const arguments& a) {
    return quoted_if_needed(text_at(a, 0));
}
value quote_literal(const context&, const arguments& a) {
    std::string out = "'";
    for (const char c : text_at(a, 0)) {
        if (c == '\'') out += c;
        out += c;
    }
    return out + "'";
}

value size_pretty(const context&, const arguments& a) {
    const auto size = whole(at(a, 0));
    if (!size) return null;
    constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    std::int64_t n = *size;
    std::size_t unit = 0;
    while (n >= 10240 && unit + 1 < std::size(units)) {
        n = (n + 512) / 1024;
        ++unit;
    }
    return std::to_string(n) + ' ' + units[unit];
}

RE2::Options regex_options(bool ignore_case) {
    RE2::Options options;
    options.set_case_sensitive(!ignore_case);
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    return options;
}

value matches(const arguments& a, bool ignore_case) {
    const RE2 pattern(text_at(a, 0), regex_options(ignore_case));
    if (!pattern.ok()) throw std::runtime_error("invalid regular expression: " + pattern.error());
    return yes(RE2::PartialMatch(text_at(a, 1), pattern));
}
value regexp(const context&, const arguments& a) {
    return matches(a, false);
}
value match(const context&, const arguments& a) {
    return matches(a, true);
}
value regexp_replace(const context&, const arguments& a) {
    const std::string flags = text_at(a, 3);
    const RE2 pattern(text_at(a, 1), regex_options(flags.find('i') != flags.npos));
    if (!pattern.ok()) throw std::runtime_error("invalid regular expression: " + pattern.error());
    std::string text = text_at(a, 0);
    if (flags.find('g') != flags.npos) {
        RE2::GlobalReplace(&text, pattern, text_at(a, 2));
    } else {
        RE2::Replace(&text, pattern, text_at(a, 2));
    }
    return text;
}

value trimmed(const arguments& a, bool left, bool right) {
    const std::string of = text_at(a, 0);
    const std::string text = text_at(a, 1);
    const std::size_t begin = left ? text.find_first_not_of(of) : 0;
    if (begin == text.npos) return std::string();
    const std::size_t last = right ? text.find_last_not_of(of) : text.size() - 1;
    if (text.empty() || last == text.npos) return std::string();
    return text.substr(begin, last + 1 - begin);
}
value trim_leading(const context&, const arguments& a) {
    return trimmed(a, true, false);
}
value trim_trailing(const context&, const arguments& a) {
    return trimmed(a, false, true);
}
value trim_both(const context&, const arguments& a) {
    return trimmed(a, true, true);
}

value concat(const context&, const arguments& a) {
    std::string out;
    for (const value& v : a)
        out += to_text(v);
    return out;
}
value concat_ws(const context&, const arguments& a) {
    if (is_null(at(a, 0))) return null;
    std::string out;
    bool first = true;
    for (std::size_t i = 1; i < a.size(); ++i) {
        if (is_null(a[i])) continue;
        if (!std::exchange(first, false)) out += text_at(a, 0);
        out += to_text(a[i]);
    }
    return out;
}

// Arrays.

std::optional<std::string> element_of(const value& v) {
    return is_null(v) ? std::optional<std::string>() : to_text(v);
}
value array(const context&, const arguments& a) {
    array_elements out;
    for (const value& v : a)
        out.push_back(element_of(v));
    return array_text(out);
}
value array_to_string(const context&, const arguments& a) {
    if (is_null(at(a, 0)) || is_null(at(a, 1))) return null;
    std::string out;
    bool first = true;
    for (const auto& e : elements_of(text_at(a, 0))) {
        if (!e && is_null(at(a, 2))) continue;
        if (!std::exchange(first, false)) out += text_at(a, 1);
        out += e ? *e : text_at(a, 2);
    }
    return out;
}
value array_length(const context&, const arguments& a) {
    const auto n = static_cast<std::int64_t>(elements_of(text_at(a, 0)).size());
    return n == 0 || whole_or(at(a, 1), 1) != 1 ? null : value(n);
}
value array_upper(const context& c, const arguments& a) {
    const value n = array_length(c, a);
    if (is_null(n)) return null;
    return std::get<std::int64_t>(n) - (counts_from_zero(text_at(a, 0)) ? 1 : 0);
}
value array_lower(const context& c, const arguments& a) {
    if (is_null(array_length(c, a))) return null;
    return std::int64_t{counts_from_zero(text_at(a, 0)) ? 0 : 1};
}
value cardinality(const context&, const arguments& a) {
    return static_cast<std::int64_t>(elements_of(text_at(a, 0)).size());
}
value array_remove(const context&, const arguments& a) {
    if (is_null(at(a, 0))) return null;
    array_elements all = elements_of(text_at(a, 0));
    const std::optional<std::string> unwanted = element_of(at(a, 1));
    all.erase(std::remove(all.begin(), all.end(), unwanted), all.end());
    return array_text(all);
}
value subscript(const context&, const arguments& a) {
    const std::string text = text_at(a, 0);
    const array_elements all = elements_of(text);
    const std::int64_t i = whole_or(at(a, 1), -1) - (counts_from_zero(text) ? 0 : 1);
    if (i < 0 || static_cast<std::size_t>(i) >= all.size()) return null;
    return element_value(all[static_cast<std::size_t>(i)]);
}
value to_json(const context&, const arguments& a) {
    if (is_null(at(a, 0))) return std::string("[]");
    return array_json(elements_of(text_at(a, 0)));
}
value series(const context&, const arguments& a) {
    constexpr std::int64_t most = 1000000;
    if (is_null(at(a, 0)) || is_null(at(a, 1))) return std::string("[]");
    const std::int64_t from = whole_or(at(a, 0), 0);
    const std::int64_t to = whole_or(at(a, 1), 0);
    const std::int64_t step = whole_or(at(a, 2), 1);
    if (step == 0) throw std::runtime_error("step size cannot equal zero");
    std::string out = "[";
    std::int64_t n = from;
    for (std::int64_t count = 0; step > 0 ? n <= to : n >= to; ++count) {
        if (count == most) throw std::runtime_error("generate_series makes too many rows");
        if (count > 0) out += ',';
        out += std::to_string(n);
        if (__builtin_add_overflow(n, step, &n)) break;
    }
    return out + ']';
}
/// Of the only composite that there is, (x,n).
value field(const context&, const arguments& a) {
    std::string text = text_at(a, 0);
    const std::string name = text_at(a, 1);
    const std::size_t comma = text.rfind(',');
    if (text.size() < 3 || text.front() != '(' || comma == text.npos ||
        (name != "x" && name != "n"))
        throw std::runtime_error("column \"" + name + "\" not found");
    return element_value(name == "x" ? text.substr(1, comma - 1)
                                     : text.substr(comma + 1, text.size() - comma - 2));
}

constexpr bool lenient = false;

const sql_function functions[] = {{"version", version},
                                  {"current_user", current_user},
                                  {"session_user", current_user},
                                  {"current_role", current_user},
                                  {"current_database", current_database},
                                  {"current_catalog", current_database},
                                  {"current_schema", current_schema},
                                  {"current_schemas", current_schemas},
                                  {"pg_backend_pid", process_id},
                                  {"now", now},
                                  {"clock_timestamp", now},
                                  {"statement_timestamp", now},
                                  {"transaction_timestamp", now},
                                  {"txid_current", nothing},
                                  {"pg_current_xact_id", nothing},
                                  {"pg_current_xact_id_if_assigned", nothing},
                                  {"pg_postmaster_start_time", nothing},
                                  {"pg_conf_load_time", nothing},
                                  {"pg_is_in_recovery", no},
                                  {"pg_is_wal_replay_paused", no},
                                  {"inet_server_addr", nothing},
                                  {"inet_server_port", nothing},
                                  {"inet_client_addr", nothing},
                                  {"inet_client_port", nothing},
                                  {"pg_client_encoding", utf8_name},
                                  {"getdatabaseencoding", utf8_name},
                                  {"pg_encoding_to_char", encoding_name},
                                  {"pg_char_to_encoding", encoding_number},
                                  {"pg_my_temp_schema", zero},
                                  {"pg_is_other_temp_schema", no},
                                  {"current_setting", current_setting},
                                  {"set_config", set_config, lenient},
                                  {"pg_get_userbyid", role_name},
                                  {"pg_table_is_visible", table_is_visible},
                                  {"pg_type_is_visible", type_is_visible},
                                  {"pg_function_is_visible", no},
                                  {"pg_operator_is_visible", no},
                                  {"pg_opclass_is_visible", no},
                                  {"pg_opfamily_is_visible", no},
                                  {"pg_collation_is_visible", no},
                                  {"pg_conversion_is_visible", no},
                                  {"pg_statistics_obj_is_visible", no},
                                  {"pg_ts_config_is_visible", no},
                                  {"pg_ts_dict_is_visible", no},
                                  {"pg_ts_parser_is_visible", no},
                                  {"pg_ts_template_is_visible", no},
                                  {"format_type", format_type, lenient},
                                  {"pg_get_expr", first_argument, lenient},
                                  {"pg_get_indexdef", index_definition},
                                  {"pg_get_constraintdef", constraint_definition},
                                  {"pg_get_viewdef", view_definition},
                                  {"pg_get_ruledef", nothing},
                                  {"pg_get_triggerdef", nothing},
                                  {"pg_get_functiondef", nothing},
                                  {"pg_get_function_sqlbody", nothing},
                                  {"pg_get_function_result", nothing},
                                  {"pg_get_function_arguments", nothing},
                                  {"pg_get_function_identity_arguments", nothing},
                                  {"pg_get_function_arg_default", nothing},
                                  {"pg_get_statisticsobjdef_columns", nothing},
                                  {"pg_get_statisticsobjdef", nothing},
                                  {"pg_get_partkeydef", nothing},
                                  {"pg_get_partition_constraintdef", nothing},
                                  {"pg_get_serial_sequence", nothing},
                                  {"pg_sequence_last_value", nothing},
                                  {"pg_relation_is_publishable", no},
                                  {"pg_relation_is_updatable", is_updatable},
                                  {"pg_column_is_updatable", is_updatable},
                                  {"obj_description", object_description},
                                  {"col_description", column_description},
                                  {"shobj_description", shared_description},
                                  {"pg_relation_size", nothing},
                                  {"pg_table_size", nothing},
                                  {"pg_indexes_size", nothing},
                                  {"pg_total_relation_size", nothing},
                                  {"pg_database_size", nothing},
                                  {"pg_tablespace_size", nothing},
                                  {"pg_tablespace_location", empty_text},
                                  {"pg_size_pretty", size_pretty},
                                  {"has_table_privilege", has_table_privilege},
                                  {"has_any_column_privilege", has_table_privilege},
                                  {"has_column_privilege", has_column_privilege},
                                  {"has_sequence_privilege", no},
                                  {"has_schema_privilege", has_schema_privilege},
                                  {"has_database_privilege", has_database_privilege},
                                  {"has_function_privilege", has_function_privilege},
                                  {"has_type_privilege", has_function_privilege},
                                  {"has_language_privilege", no},
                                  {"has_tablespace_privilege", no},
                                  {"has_foreign_data_wrapper_privilege", no},
                                  {"has_server_privilege", no},
                                  {"has_parameter_privilege", no},
                                  {"pg_has_role", has_role},
                                  {"pg_regclass", regclass},
                                  {"to_regclass", to_regclass},
                                  {"pg_regtype", regtype},
                                  {"to_regtype", to_regtype},
                                  {"pg_regnamespace", regnamespace},
                                  {"pg_regrole", regrole},
                                  {"pg_regproc", regproc},
                                  {"pg_to_oid", to_oid},
                                  {"pg_to_bool", to_bool},
                                  {"quote_ident", quote_ident},
                                  {"quote_literal", quote_literal},
                                  {"regexp", regexp, true, 2},
                                  {"match", match, true, 2},
                                  {"regexp_replace", regexp_replace},
                                  {"pg_trim_leading", trim_leading},
                                  {"pg_trim_trailing", trim_trailing},
                                  {"pg_trim_both", trim_both},
                                  {"concat", concat, lenient},
                                  {"concat_ws", concat_ws, lenient},
                                  {"pg_array", array, lenient},
                                  {"array_to_string", array_to_string, lenient},
                                  {"array_length", array_length},
                                  {"array_upper", array_upper},
                                  {"array_lower", array_lower},
                                  {"cardinality", cardinality},
                                  {"array_remove", array_remove, lenient},
                                  {"pg_subscript", subscript},
                                  {"pg_array_json", to_json, lenient},
                                  {"pg_series", series, lenient},
                                  {"pg_field", field}};

// SQLite's side.

value taken(sqlite3_value* v) {
    switch (sqlite3_value_type(v)) {
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_value_int64(v)};
        case SQLITE_FLOAT:
            return sqlite3_value_double(v);
        case SQLITE_NULL:
            return std::monostate{};
        default: {
            const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(v));
            const auto size = static_cast<std::size_t>(sqlite3_value_bytes(v));
            return bytes == nullptr ? std::string() : std::string(bytes, size);
        }
    }
}

void give(sqlite3_context* out, const value& v) {
    if (const auto* n = std::get_if<std::int64_t>(&v)) {
        sqlite3_result_int64(out, *n);
    } else if (const auto* r = std::get_if<double>(&v)) {
        sqlite3_result_double(out, *r);
    } else if (const auto* s = std::get_if<std::string>(&v)) {
        sqlite3_result_text64(out, s->data(), s->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
        sqlite3_result_null(out);
    }
}

struct bound_function {
    std::shared_ptr<const context> knows;
    const sql_function* what;
};

void call(sqlite3_context* out, int count, sqlite3_value** values) {
    const auto& f = *static_cast<const bound_function*>(sqlite3_user_data(out));
    try {
        arguments a;
        a.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            a.push_back(taken(values[i]));
        const bool null_given = std::any_of(a.begin(), a.end(), is_null);
        give(out, f.what->strict && null_given ? null : f.what->body(*f.knows, a));
    } catch (const std::exception& e) {
        sqlite3_result_error(out, e.what(), -1);
    }
}

/// What an aggregate has seen so far.
struct gathered {
    array_elements elements;
    std::string separator;
};

gathered*& gathered_by(sqlite3_context* c) {
    return *static_cast<gathered**>(sqlite3_aggregate_context(c, sizeof(gathered*)));
}

void gather(sqlite3_context* c, int count, sqlite3_value** values) {
    if (sqlite3_aggregate_context(c, sizeof(gathered*)) == nullptr) return;
    gathered*& g = gathered_by(c);
    if (g == nullptr) g = new gathered;
    if (count > 0) g->elements.push_back(element_of(taken(values[0])));
    if (count > 1) g->separator = to_text(taken(values[1]));
}

std::unique_ptr<gathered> result_of(sqlite3_context* c) {
    auto** g = static_cast<gathered**>(sqlite3_aggregate_context(c, 0));
    return std::unique_ptr<gathered>(g == nullptr ? nullptr : std::exchange(*g, nullptr));
}

void finish_array(sqlite3_context* c) {
    const auto g = result_of(c);
    give(c, array_text(g ? g->elements : array_elements()));
}

void finish_array_or_null(sqlite3_context* c) {
    const auto g = result_of(c);
    give(c, g ? value(array_text(g->elements)) : null);
}

void finish_text(sqlite3_context* c) {
    const auto g = result_of(c);
    std::optional<std::string> out;
    if (g)
        for (const auto& e : g->elements)
            if (e) out = out ? *out + g->separator + *e : *e;
    give(c, out ? value(*out) : null);
}

}  // namespace

void add_catalog_functions(sqlite3* db, std::shared_ptr<const catalog> all, std::string user,
                           role who, std::string version_text) {
    const auto knows = std::make_shared<const context>(
        context{std::move(all), std::move(user), who, std::move(version_text)});
    const auto check = [db](int rc, const char* name) {
        if (rc != SQLITE_OK)
            throw std::runtime_error(std::string("cannot register ") + name + ": " +
                                     sqlite3_errmsg(db));
    };
    for (const sql_function& f : functions)
        check(sqlite3_create_function_v2(db, f.name, f.count, SQLITE_UTF8,
                                         new bound_function{knows, &f}, call, nullptr, nullptr,
                                         [](void* p) { delete static_cast<bound_function*>(p); }),
              f.name);
    const auto aggregate = [&](const char* name, void (*finish)(sqlite3_context*)) {
        check(sqlite3_create_function_v2(db, name, -1, SQLITE_UTF8, nullptr, nullptr, gather,
                                         finish, nullptr),
              name);
    };
    aggregate("pg_array_of", finish_array);
    aggregate("array_agg", finish_array_or_null);
    aggregate("string_agg", finish_text);
    // Made known now: who may only read statistics may not do what SQLite does for its first use.
    check(sqlite3_exec(db, "SELECT 1 FROM json_each('[]')", nullptr, nullptr, nullptr),
          "json_each");
}

}  // namespace howdah::admin
