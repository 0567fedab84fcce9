#include "admin/pgbouncer/import_command.hpp"

#include <algorithm>
#include <array>

#include "admin/config/layers.hpp"
#include "admin/pgbouncer/setting_table.hpp"
#include "admin/pgbouncer/translation.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

using namespace pgbouncer;

constexpr std::size_t largest_file = 16 << 20;
constexpr std::size_t most_lines = 100;

/// Modules that an import makes anew, in the order in which they can be loaded.
constexpr std::array<std::string_view, 5> modules{"PGSQL SERVERS", "PGSQL VARIABLES", "PGSQL USERS",
                                                  "PGSQL QUERY RULES", "ADMIN VARIABLES"};
/// Those whose content it keeps where PgBouncer has no say.
constexpr std::array<std::string_view, 3> kept{"PGSQL VARIABLES", "ADMIN VARIABLES",
                                               "PGSQL FIREWALL"};

std::string_view name_of(outcome what) {
    switch (what) {
        case outcome::translated:
            return "translated";
        case outcome::ignored:
            return "ignored";
        case outcome::impossible:
            return "impossible";
    }
    return "";
}

command_result table_of(const std::vector<report_row>& rows) {
    command_result r;
    r.tag = "IMPORT";
    for (const char* name : {"location", "setting", "value", "outcome", "becomes", "note"})
        r.columns.push_back({name, column_type::text});
    for (const report_row& one : rows)
        r.rows.push_back({one.where, one.setting, one.value, std::string(name_of(one.what)),
                          one.becomes, one.note});
    return r;
}

sql_error listing(std::string message, std::string hint, const std::vector<std::string>& lines) {
    sql_error e(protocol::sqlstate::config_file_error, std::move(message), std::move(hint));
    for (std::size_t i = 0; i < lines.size() && i < most_lines; ++i)
        e.detail.append(i == 0 ? "" : "\n").append(lines[i]);
    if (lines.size() > most_lines)
        e.detail += "\n... and " + std::to_string(lines.size() - most_lines) + " more";
    return e;
}

sql_error refused(const std::string& path, const std::vector<report_row>& rows) {
    std::vector<std::string> lines;
    for (const report_row& r : rows)
        if (r.what == outcome::impossible)
            lines.push_back((r.where.empty() ? "" : r.where + ": ") + r.setting + ": " + r.note);
    return listing(
        std::to_string(lines.size()) + " settings of \"" + path +
            "\" cannot be imported; nothing has changed",
        "DRY RUN shows what becomes of each setting; IGNORE WARNINGS imports the others.", lines);
}

sql_result<command_result> import(const command_call& call) {
    const std::string path(call["path"]);
    if (!path.starts_with('/'))
        return sql_error(protocol::sqlstate::invalid_parameter_value,
                         "the path must begin with '/'",
                         "The file is read on the machine that Howdah runs on.");
    const file_reader read = [](const std::string& file) {
        return conf::read_text_file(file, largest_file);
    };
    const ini_file ini = read_ini(path, read);
    if (!ini.problems.empty()) {
        std::vector<std::string> lines;
        for (const problem& p : ini.problems)
            lines.push_back(p.where.to_string() + ": " + p.message);
        return listing("\"" + path + "\" cannot be read", {}, lines);
    }
    conf::settings base;
    if (auto got = config_layers::read_memory(call.db, kept, base); !got) return got.error();
    const translation t = translate(ini, read, std::move(base));
    const bool whole = std::ranges::none_of(
        t.rows, [](const report_row& r) { return r.what == outcome::impossible; });
    const bool dry = call.has("dry");
    if (!whole && !dry && !call.has("ignore")) return refused(path, t.rows);
    command_result out = table_of(t.rows);
    out.notices = t.notices;
    if (dry) return out;
    if (auto put = config_layers::write_memory(call.db, modules, t.result); !put)
        return put.error();
    std::string next = "imported to MEMORY; to put it in force:";
    for (const std::string_view module : modules)
        next.append(" LOAD ").append(module).append(" TO RUNTIME;");
    out.notices.push_back(std::move(next));
    return out;
}

sql_result<command_result> settings_table(const command_call&) {
    command_result r;
    r.tag = "SHOW";
    for (const char* name : {"section", "setting", "becomes", "note"})
        r.columns.push_back({name, column_type::text});
    for (const known_setting& k : known_settings()) {
        const bool column =
            k.how == treatment::seconds || k.how == treatment::number || k.how == treatment::text;
        std::string becomes(column ? (k.where == scope::general    ? "pgsql-"
                                      : k.where == scope::database ? "pgsql_databases."
                                                                   : "pgsql_users.")
                                   : "");
        becomes += k.target;
        if (becomes.empty()) becomes = k.how == treatment::ignored ? "nothing" : "not possible";
        std::string note;
        if (k.how == treatment::neutral && k.usual.find_first_not_of('|') != k.usual.npos) {
            note = "Only " + std::string(k.usual.substr(0, k.usual.find_last_not_of('|') + 1));
            std::ranges::replace(note, '|', '/');
            note += " can be imported. ";
        }
        r.rows.push_back({std::string(section_of(k.where)), std::string(k.name), becomes,
                          note + std::string(k.note)});
    }
    return r;
}

}  // namespace

std::vector<command> import_commands() {
    constexpr std::string_view group = "Configuration layers";
    return {
        {"IMPORT PGBOUNCER CONFIG FROM <path> [dry:{DRY RUN}] [ignore:{IGNORE WARNINGS}]",
         "Puts what a pgbouncer.ini on Howdah's machine means into MEMORY, or says what cannot be "
         "imported; DRY RUN only shows it, IGNORE WARNINGS imports the rest.",
         role::admin, import, group},
        {"SHOW PGBOUNCER SETTINGS", "What IMPORT makes of each setting of PgBouncer.", role::stats,
         settings_table, group},
    };
}

}  // namespace howdah::admin
