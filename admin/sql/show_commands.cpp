#include "admin/sql/show_commands.hpp"

#include <algorithm>
#include <map>

#include "admin/config/layers.hpp"
#include "admin/sql/sql_session.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;

sql_result<command_result> rows_of(const command_call& call, std::vector<column> columns,
                                   std::string_view sql, std::vector<value> parameters = {}) {
    auto rows = call.db.query(sql, parameters);
    if (!rows) return rows.error();
    command_result r;
    r.tag = "SHOW";
    r.columns = std::move(columns);
    r.rows = std::move(*rows);
    return r;
}

std::vector<column> texts(std::initializer_list<const char*> names) {
    std::vector<column> out;
    for (const char* name : names)
        out.push_back({name, column_type::text});
    return out;
}

/// Who reads statistics sees only their schemas.
std::string schema_of(const command_call& call) {
    if (call.has("schema")) return lower(call["schema"]);
    return call.who == role::admin ? "main" : "stats";
}

sql_result<command_result> show_tables(const command_call& call) {
    const std::string schema = schema_of(call);
    const auto known = call.db.query("SELECT name FROM pragma_database_list");
    if (!known) return known.error();
    const bool exists = std::any_of(known->begin(), known->end(),
                                    [&](const row& r) { return to_text(r[0]) == schema; });
    const bool allowed = call.who == role::admin || schema == "stats" || schema == "monitor";
    if (!exists || !allowed)
        return sql_error(sqlstate::invalid_catalog_name, "schema \"" + schema + "\" does not exist",
                         "SHOW DATABASES lists them.");
    return rows_of(call, texts({"tables"}),
                   "SELECT name FROM " + quoted_name(schema) +
                       ".sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE "
                       "'sqlite\\_%' ESCAPE '\\' AND (?1 = '' OR name LIKE ?1) ORDER BY name",
                   {std::string(call["pattern"])});
}

sql_result<command_result> show_create_table(const command_call& call) {
    std::string schema = schema_of(call);
    std::string name(call["rest"]);
    while (!name.empty() && name.back() == ' ')
        name.pop_back();
    const std::vector<token> tokens = tokens_of(name);
    if (tokens.size() == 3 && tokens[1].is(".")) {
        schema = lower(content_of(tokens[0]));
        name = content_of(tokens[2]);
    } else if (tokens.size() == 1) {
        name = content_of(tokens[0]);
    }
    const auto found = call.db.query(
        "SELECT name, sql FROM " + quoted_name(schema) + ".sqlite_schema WHERE lower(name) = ?1",
        std::vector<value>{lower(name)});
    if (!found || found->empty() ||
        (call.who != role::admin && schema != "stats" && schema != "monitor"))
        return sql_error(sqlstate::undefined_table, "no such table: " + schema + "." + name,
                         "SHOW TABLES lists what there is.");
    command_result r;
    r.tag = "SHOW";
    r.columns = texts({"table", "Create Table"});
    r.rows = *found;
    return r;
}

sql_result<command_result> show_variables(const command_call& call) {
    std::string pattern(call["pattern"]);
    const std::string_view scope = call["scope"];
    const std::string prefix = scope == "PGSQL"   ? "pgsql-%"
                               : scope == "ADMIN" ? "admin-%"
                               : scope == "HA"    ? "ha-%"
                                                  : "%";
    return rows_of(call, texts({"Variable_name", "Value"}),
                   "SELECT variable_name, variable_value FROM main.global_variables WHERE "
                   "variable_name LIKE ?1 AND (?2 = '' OR variable_name LIKE ?2) ORDER BY 1",
                   {prefix, pattern});
}

/// SHOW of a parameter of PostgreSQL, which drivers ask for.
sql_result<command_result> show_parameter(const command_call& call) {
    const auto& known = server_parameters();
    std::string name = lower(call["rest"]);
    while (!name.empty() && name.back() == ' ')
        name.pop_back();
    if (name == "transaction isolation level") name = "transaction_isolation";
    const auto found = known.find(name);
    if (found == known.end())
        return sql_error(sqlstate::undefined_object,
                         "unrecognized command or parameter \"" + name + "\"",
                         "HELP SHOW lists what can be shown.");
    command_result r;
    r.tag = "SHOW";
    r.columns = texts({found->first.c_str()});
    r.rows = {{found->second}};
    return r;
}

sql_result<command_result> set(const command_call& call) {
    const std::string name(call["name"]);
    std::string text(call["rest"]);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n'))
        text.pop_back();
    const std::vector<token> tokens = tokens_of(text);
    if (tokens.size() == 1) text = content_of(tokens.front());
    command_result r;
    r.tag = "SET";
    const bool variable = name.find('-') != name.npos;
    // Parameters of PostgreSQL that drivers set at login mean nothing here.
    if (!variable) return r;
    if (call.who != role::admin)
        return sql_error(sqlstate::insufficient_privilege,
                         "permission denied: this is for administrators");
    if (auto done = config_layers::set_variable(call.db, lower(name), text); !done)
        return done.error();
    return r;
}

sql_result<command_result> help(const sql_environment& all, const command_call& call) {
    command_result r;
    r.tag = "HELP";
    r.columns = texts({"command", "what it does"});
    const std::string about = upper(call["rest"]);
    for (const command& c : all.commands.all()) {
        if (c.needs == role::admin && call.who != role::admin) continue;
        const std::string syntax = command_pattern::readable(c.syntax);
        if (syntax.find(about) == syntax.npos) continue;
        r.rows.push_back({syntax, std::string(c.doc)});
    }
    if (about.empty())
        r.rows.push_back({"SELECT, INSERT, UPDATE, DELETE, REPLACE ...",
                          "As in SQLite, on the tables that SHOW TABLES lists."});
    if (r.rows.empty())
        return sql_error(sqlstate::undefined_object, "no command contains \"" + about + "\"",
                         "HELP lists all commands.");
    return r;
}

sql_result<command_result> nothing(std::string_view tag) {
    command_result r;
    r.tag = tag;
    return r;
}

}  // namespace

sql_result<command_result> select(const command_call& call, std::string_view sql) {
    auto prepared = statement::prepare(call.db.handle(), sql);
    if (!prepared) return prepared.error();
    command_result r;
    r.tag = "SHOW";
    r.columns = declared_columns(*prepared);
    for (;;) {
        const auto more = prepared->step();
        if (!more) return more.error();
        if (!*more) return r;
        r.rows.push_back(prepared->current());
    }
}

const std::map<std::string, std::string, std::less<>>& server_parameters() {
    static const std::map<std::string, std::string, std::less<>> known{
        {"server_version", "15.0"},
        {"server_version_num", "150000"},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"standard_conforming_strings", "on"},
        {"transaction_isolation", "serializable"},
        {"transaction_read_only", "off"},
        {"search_path", "main"},
        {"timezone", "UTC"},
        {"datestyle", "ISO, MDY"},
        {"is_superuser", "on"},
        {"max_identifier_length", "63"},
        {"max_index_keys", "32"},
        {"lc_collate", "C"},
        {"bytea_output", "hex"},
        {"application_name", ""}};
    return known;
}

std::vector<command> show_commands(const sql_environment& all) {
    constexpr std::string_view show = "Looking around";
    constexpr std::string_view client = "What clients send by themselves";
    std::vector<command> out{
        {"SHOW TABLES [{FROM|IN} <schema>] [LIKE <pattern>]", "Tables of a schema.", role::stats,
         show_tables, show},
        {"SHOW CREATE TABLE ...", "How a table is declared.", role::stats, show_create_table, show},
        {"SHOW {SCHEMAS|ADMIN DATABASES}", "Schemas of the administration.", role::stats,
         [](const command_call& call) {
             return rows_of(call, texts({"seq", "name", "file"}),
                            "SELECT seq, name, file FROM pragma_database_list ORDER BY seq");
         },
         show},
        {"SHOW [scope:{GLOBAL|ALL|PGSQL|ADMIN|HA}] VARIABLES [LIKE <pattern>]",
         "Variables in MEMORY.", role::admin, show_variables, show},
        {"SHOW [FULL] [PGSQL] PROCESSLIST", "What every client is doing.", role::stats,
         [](const command_call& call) {
             return select(call,
                           "SELECT SessionID, user, database, hostgroup, backend_pid, "
                           "backend_state, command, time_ms, info FROM "
                           "stats.stats_pgsql_processlist");
         },
         show},
        {"SHOW [FULL] PGSQL ACTIVITY", "The same, under pg_stat_activity's names.", role::stats,
         [](const command_call& call) {
             return select(call,
                           "SELECT datname, pid, usename, hostgroup, backend_pid, state, command, "
                           "duration_ms, query FROM stats.stats_pgsql_stat_activity");
         },
         show},
        {"SHOW PGSQL STATUS", "Counters since the start.", role::stats,
         [](const command_call& call) {
             return select(call, "SELECT * FROM stats.stats_pgsql_global");
         },
         show},
        {"HELP [...]", "Commands, or those that contain these words.", role::stats,
         [&all](const command_call& call) { return help(all, call); }, show},
        {"SET <name> {=|TO} ...", "Changes a variable in MEMORY.", role::stats, set,
         "Configuration layers"},
        {"SET {SESSION|LOCAL} ...", "Taken without effect.", role::stats,
         [](const command_call&) { return nothing("SET"); }, client},
        {"RESET ...", "Taken without effect.", role::stats,
         [](const command_call&) { return nothing("RESET"); }, client},
        {"DISCARD ALL", "Taken without effect.", role::stats,
         [](const command_call&) { return nothing("DISCARD ALL"); }, client},
        {"DEALLOCATE ALL", "Taken without effect.", role::stats,
         [](const command_call&) { return nothing("DEALLOCATE ALL"); }, client},
    };
    return out;
}

command show_anything() {
    return {"SHOW ...", "A parameter of PostgreSQL that drivers ask for.", role::stats,
            show_parameter, "What clients send by themselves"};
}

}  // namespace howdah::admin
