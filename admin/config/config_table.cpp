#include "admin/config/config_table.hpp"

#include <algorithm>
#include <map>

#include "admin/sql/sqlite.hpp"
#include "admin/sql/text.hpp"
#include "conf/columns.hpp"
#include "conf/options.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

using conf::value_kind;

bool is_number(value_kind kind) {
    return kind == value_kind::boolean || kind == value_kind::integer || kind == value_kind::size ||
           kind == value_kind::milliseconds || kind == value_kind::seconds;
}

std::string literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += c;
        out += c;
    }
    return out + "'";
}

/// Canonical text of conf as a value of the table: booleans are 0 and 1 there.
value to_value(const std::optional<std::string>& text, value_kind kind) {
    if (!text) return std::monostate{};
    if (kind == value_kind::boolean) return std::int64_t{*text == "true"};
    if (is_number(kind)) return std::int64_t{std::stoll(*text)};
    return *text;
}

template <class Record>
std::string declaration_of(const conf::field<Record>& f) {
    const Record defaults{};
    std::string out = is_number(f.kind) ? "INT" : "VARCHAR";
    const std::string name = quoted_name(f.name);
    if (!f.optional) out += " NOT NULL";
    if (!f.required && !f.optional) {
        const value v = to_value(f.get(defaults), f.kind);
        out += " DEFAULT " + (is_number(f.kind) ? to_text(v) : literal(to_text(v)));
    }
    if (f.kind == value_kind::boolean) {
        out += " CHECK (" + name + " IN (0, 1))";
    } else if (is_number(f.kind)) {
        out += " CHECK (" + name + " >= " + std::to_string(f.range.min);
        if (f.range.max != std::numeric_limits<std::int64_t>::max())
            out += " AND " + name + " <= " + std::to_string(f.range.max);
        out += ")";
    } else if (!f.choices.empty()) {
        out += " CHECK (UPPER(" + name + ") IN (";
        for (const std::string_view c : f.choices)
            out += (c == f.choices.front() ? "" : ", ") + literal(upper(c));
        out += "))";
    }
    return out;
}

config_column idle(std::string name, std::string declaration, std::string value_text,
                   column_type type = column_type::integer) {
    config_column c;
    c.name = std::move(name);
    c.declaration = std::move(declaration);
    c.doc = "As in ProxySQL; has no effect.";
    c.type = type;
    c.idle = true;
    c.idle_value = std::move(value_text);
    return c;
}

/// Idle columns of a table, each with the column that it stands behind.
using idle_columns = std::vector<std::pair<std::string_view, config_column>>;

/// A table over the records of one list of the settings.
template <class Record>
config_table table_of(std::string_view name, std::string_view module, std::string_view doc,
                      std::vector<Record> conf::settings::*list, const idle_columns& extra,
                      std::string constraints, std::string_view order) {
    /// Per column of the table the field of the record; null for idle ones.
    std::vector<const conf::field<Record>*> fields;
    config_table t;
    t.name = name;
    t.module = module;
    t.doc = doc;
    t.constraints = std::move(constraints);
    t.order = order;
    const auto add_idle_behind = [&](std::string_view column) {
        for (const auto& [before, c] : extra) {
            if (before != column) continue;
            t.columns.push_back(c);
            fields.push_back(nullptr);
        }
    };
    add_idle_behind("");
    for (const conf::field<Record>& f : conf::columns<Record>()) {
        config_column c;
        c.name = f.name;
        c.declaration = declaration_of(f);
        c.doc = f.doc;
        c.type = is_number(f.kind) ? column_type::integer : column_type::text;
        c.secret = f.secret;
        t.columns.push_back(std::move(c));
        fields.push_back(&f);
        add_idle_behind(f.name);
    }
    const std::vector<config_column> columns = t.columns;
    t.rows = [fields, columns, list](const conf::settings& s) {
        std::vector<row> out;
        for (const Record& record : s.*list) {
            row r;
            for (std::size_t i = 0; i < fields.size(); ++i) {
                if (fields[i] != nullptr) {
                    r.push_back(to_value(fields[i]->get(record), fields[i]->kind));
                } else if (columns[i].idle_value == "rowid") {
                    r.emplace_back(static_cast<std::int64_t>(out.size()) + 1);
                } else if (columns[i].type == column_type::integer) {
                    r.emplace_back(std::int64_t{std::stoll(columns[i].idle_value)});
                } else {
                    r.emplace_back(columns[i].idle_value);
                }
            }
            out.push_back(std::move(r));
        }
        return out;
    };
    t.put = [fields, columns, list, name](conf::settings& s, const std::vector<row>& rows,
                                          std::vector<std::string>& notices) -> sql_result<void> {
        std::vector<Record> fresh;
        std::vector<bool> reported(columns.size());
        for (const row& r : rows) {
            Record record{};
            for (std::size_t i = 0; i < fields.size() && i < r.size(); ++i) {
                const std::string text = to_text(r[i]);
                if (fields[i] == nullptr) {
                    if (columns[i].idle_value != "rowid" && text != columns[i].idle_value &&
                        !reported[i]) {
                        reported[i] = true;
                        notices.push_back(std::string(name) + "." + columns[i].name +
                                          " has no effect");
                    }
                    continue;
                }
                if (std::holds_alternative<std::monostate>(r[i])) continue;
                if (const auto wrong = fields[i]->set(record, text)) {
                    // The first columns are the key, which tells the row.
                    std::string where;
                    for (std::size_t k = 0; k < std::min<std::size_t>(3, r.size()); ++k)
                        if (!columns[k].secret)
                            where.append(where.empty() ? "" : ", ")
                                .append(columns[k].name + " " + to_text(r[k]));
                    const std::string shown = columns[i].secret ? "its value" : "'" + text + "'";
                    return sql_error(protocol::sqlstate::invalid_parameter_value,
                                     std::string(name) + " (" + where + "): " + columns[i].name +
                                         ": " + shown + " " + *wrong);
                }
            }
            fresh.push_back(std::move(record));
        }
        s.*list = std::move(fresh);
        return {};
    };
    return t;
}

constexpr std::string_view servers = "PGSQL SERVERS";
constexpr std::string_view users = "PGSQL USERS";
constexpr std::string_view rules = "PGSQL QUERY RULES";
constexpr std::string_view firewall = "PGSQL FIREWALL";

/// global_variables has one row per option and is shared by several modules.
config_table variables_table(std::string_view module) {
    config_table t;
    t.name = "global_variables";
    t.module = module;
    t.doc = "One row per variable.";
    t.columns = {{"variable_name", "VARCHAR NOT NULL", "Name, with its prefix."},
                 {"variable_value", "VARCHAR NOT NULL", "Value."}};
    t.constraints = ", PRIMARY KEY (variable_name)";
    t.order = "variable_name";
    const auto is_here = [module](std::string_view name) { return module_of(name) == module; };
    t.rows = [is_here](const conf::settings& s) {
        std::vector<row> out;
        for (const conf::option& o : conf::options()) {
            const std::string name = variable_name(o.name);
            if (is_here(name)) out.push_back({name, o.get(s.vars).value_or("")});
        }
        std::sort(out.begin(), out.end());
        return out;
    };
    t.put = [is_here](conf::settings& s, const std::vector<row>& rows,
                      std::vector<std::string>&) -> sql_result<void> {
        conf::variables fresh = s.vars;
        for (const row& r : rows) {
            const std::string name = to_text(r[0]);
            if (!is_here(name)) continue;
            const auto all = conf::options();
            const auto option = std::find_if(all.begin(), all.end(), [&](const conf::option& o) {
                return variable_name(o.name) == name;
            });
            if (option == all.end())
                return sql_error(protocol::sqlstate::undefined_object,
                                 "unknown variable \"" + name + "\"");
            const std::string text = to_text(r[1]);
            if (const auto wrong = option->set(fresh, text))
                return sql_error(
                    protocol::sqlstate::invalid_parameter_value,
                    name + ": " + (option->secret ? "its value" : "'" + text + "'") + " " + *wrong);
        }
        s.vars = std::move(fresh);
        return {};
    };
    return t;
}

std::vector<config_table> make_tables() {
    using conf::settings;
    std::vector<config_table> out;
    out.push_back(table_of(
        "pgsql_servers", servers, "PostgreSQL servers and the hostgroups they are in.",
        &settings::servers,
        {{"weight",
          idle("compression", "INT NOT NULL DEFAULT 0 CHECK (compression IN (0, 1))", "0")}},
        ", PRIMARY KEY (hostgroup_id, hostname, port)", "hostgroup_id, hostname, port"));
    out.push_back(table_of(
        "pgsql_replication_hostgroups", servers,
        "Pairs of hostgroups between which servers move by their role.",
        &settings::replication_hostgroups,
        {{"reader_hostgroup",
          idle("check_type",
               "VARCHAR NOT NULL DEFAULT 'read_only' CHECK (LOWER(check_type) IN ('read_only'))",
               "read_only", column_type::text)}},
        ", PRIMARY KEY (writer_hostgroup), UNIQUE (reader_hostgroup), CHECK (reader_hostgroup <> "
        "writer_hostgroup)",
        "writer_hostgroup"));
    out.push_back(table_of(
        "pgsql_hostgroup_attributes", servers, "What holds for the servers of one hostgroup.",
        &settings::hostgroup_attributes, {},
        ", PRIMARY KEY (hostgroup_id), CHECK (ignore_session_variables = '' OR "
        "JSON_VALID(ignore_session_variables)), CHECK (hostgroup_settings = '' OR "
        "JSON_VALID(hostgroup_settings)), CHECK (servers_defaults = '' OR "
        "JSON_VALID(servers_defaults))",
        "hostgroup_id"));
    out.push_back(table_of(
        "pgsql_ha_servers", servers, "What high availability has to know of a server.",
        &settings::ha_servers, {},
        ", PRIMARY KEY (hostname, port), CHECK (tags = '' OR JSON_VALID(tags))", "hostname, port"));
    out.push_back(table_of(
        "pgsql_users", users, "Who may log in.", &settings::users,
        {{"default_hostgroup",
          idle("transaction_persistent",
               "INT NOT NULL DEFAULT 1 CHECK (transaction_persistent IN (0, 1))", "1")},
         {"default_hostgroup",
          idle("fast_forward", "INT NOT NULL DEFAULT 0 CHECK (fast_forward IN (0, 1))", "0")},
         {"default_hostgroup",
          idle("backend", "INT NOT NULL DEFAULT 1 CHECK (backend IN (0, 1))", "1")},
         {"default_hostgroup",
          idle("frontend", "INT NOT NULL DEFAULT 1 CHECK (frontend IN (0, 1))", "1")},
         {"max_connections",
          idle("attributes",
               "VARCHAR NOT NULL DEFAULT '' CHECK (attributes = '' OR JSON_VALID(attributes))", "",
               column_type::text)}},
        ", PRIMARY KEY (username, backend), UNIQUE (username, frontend)", "username"));
    out.push_back(table_of("pgsql_databases", users, "What holds for the clients of one database.",
                           &settings::databases, {}, ", PRIMARY KEY (name)", "name"));
    out.push_back(
        table_of("pgsql_hba_rules", users, "Who may come from where, as in pg_hba.conf.",
                 &settings::hba_rules,
                 {{"", idle("rule_id", "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", "rowid")}}, "",
                 "rule_id"));
    out.push_back(
        table_of("pgsql_user_maps", users, "Who may log in as whom, as in pg_ident.conf.",
                 &settings::user_maps,
                 {{"", idle("map_id", "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", "rowid")}}, "",
                 "map_id"));
    out.push_back(table_of("pgsql_query_rules", rules, "Where statements go.",
                           &settings::query_rules, {}, ", PRIMARY KEY (rule_id)", "rule_id"));
    out.push_back(table_of("pgsql_query_rules_fast_routing", rules,
                           "Where statements go that no rule sends anywhere.",
                           &settings::fast_routes, {}, ", PRIMARY KEY (username, database, flagIN)",
                           "username, database, flagIN"));
    out.push_back(table_of("pgsql_firewall_whitelist_users", firewall,
                           "Whose statements the firewall looks at.", &settings::firewall_users, {},
                           ", PRIMARY KEY (username, client_address)", "username, client_address"));
    out.push_back(table_of("pgsql_firewall_whitelist_rules", firewall,
                           "Statements that the firewall lets pass.", &settings::firewall_rules, {},
                           ", PRIMARY KEY (username, client_address, database, flagIN, digest)",
                           "username, client_address, database, flagIN, digest"));
    for (const std::string_view module : variable_modules)
        out.push_back(variables_table(module));
    return out;
}

}  // namespace

std::string variable_name(std::string_view option) {
    for (const std::string_view prefix : {"admin", "ha"})
        if (option.starts_with(prefix) && option.substr(prefix.size()).starts_with('_'))
            return std::string(prefix) + "-" + std::string(option.substr(prefix.size() + 1));
    return "pgsql-" + std::string(option);
}

std::string_view module_of(std::string_view variable) {
    if (variable.starts_with("admin-")) return variable_modules[1];
    if (variable.starts_with("ha-")) return variable_modules[2];
    return variable_modules[0];
}

std::string config_table::create(std::string_view schema) const {
    std::string out =
        "CREATE TABLE IF NOT EXISTS " + std::string(schema) + "." + std::string(name) + " (";
    for (const config_column& c : columns)
        out += (&c == columns.data() ? "" : ", ") + quoted_name(c.name) + " " + c.declaration;
    return out + constraints + ")";
}

std::string config_table::select_all(std::string_view schema) const {
    std::string out = "SELECT ";
    for (const config_column& c : columns)
        out += (&c == columns.data() ? "" : ", ") + quoted_name(c.name);
    return out + " FROM " + std::string(schema) + "." + std::string(name) + " ORDER BY " +
           std::string(order);
}

const std::vector<config_table>& config_tables() {
    static const std::vector<config_table> all = make_tables();
    return all;
}

const std::vector<std::string_view>& config_modules() {
    static const std::vector<std::string_view> all = [] {
        std::vector<std::string_view> out;
        for (const config_table& t : config_tables())
            if (std::find(out.begin(), out.end(), t.module) == out.end()) out.push_back(t.module);
        return out;
    }();
    return all;
}

}  // namespace howdah::admin
