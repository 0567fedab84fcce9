#include <algorithm>
#include <array>

#include "admin/config/config_table.hpp"
#include "admin/pgbouncer/hba_file.hpp"
#include "admin/pgbouncer/translator.hpp"
#include "admin/pgbouncer/userlist.hpp"
#include "admin/sql/text.hpp"
#include "conf/columns.hpp"
#include "conf/options.hpp"
#include "conf/secrets.hpp"

// Who may log in, and how: auth_..., the section [users] and the users of the console.
namespace howdah::admin::pgbouncer {
namespace {

using conf::password_form;

constexpr std::int64_t most_clients = 1'000'000;

std::string_view name_of(password_form form, bool empty) {
    if (empty) return "(no password)";
    switch (form) {
        case password_form::plain:
            return "(plain text)";
        case password_form::md5_hash:
            return "(md5 hash)";
        case password_form::scram_verifier:
            return "(SCRAM verifier)";
        case password_form::malformed_verifier:
            return "(malformed SCRAM verifier)";
    }
    return "";
}

/// PgBouncer's default of auth_query, in any of its versions.
bool is_own_query(std::string_view query) {
    std::string text;
    for (const char c : lower(query)) {
        const bool blank = c == ' ' || c == '\t';
        if (!blank) text += c;
    }
    constexpr std::array<std::string_view, 3> own{
        "selectusename,passwdfrompg_shadowwhereusename=$1",
        "selectrolname,casewhenrolvaliduntil<now()thennullelserolpasswordendfrompg_authidwhere"
        "rolname=$1androlcanlogin",
        "selectrolname,casewhenrolvaliduntil<pg_catalog.now()thennullelserolpasswordendfrom"
        "pg_authidwhererolname=$1androlcanlogin"};
    return std::ranges::find(own, text) != own.end();
}

/// "a:x;b:y" with the account, in place of one of the same name.
std::string with_account(std::string_view accounts, const std::string& user,
                         const std::string& password) {
    std::string out;
    while (!accounts.empty()) {
        const std::string_view one = accounts.substr(0, accounts.find(';'));
        accounts.remove_prefix(std::min(accounts.size(), one.size() + 1));
        if (!one.empty() && one.substr(0, one.find(':')) != user) out.append(one).append(";");
    }
    return out + user + ":" + password;
}

}  // namespace

const user_entry* translator::listed_user(std::string_view name) const {
    const auto found = users_.find(name);
    return found == users_.end() || !found->second.listed ? nullptr : &found->second;
}

void translator::read_users() {
    const setting* file = general("auth_file");
    if (file == nullptr) return;
    const std::string path = beside(file->where.file, file->value);
    const conf::text_file content = read_(path);
    if (!content.error.empty()) return;  // auth_file() says so
    const userlist list = parse_userlist(content.text, path);
    for (const problem& p : list.problems)
        impossible(further(p.where, "auth_file"), p.message + ".");
    const std::int64_t clients = amount_of("max_user_client_connections", 0);
    std::map<std::string_view, place> last;
    for (const userlist_line& u : list.users)
        last[u.name] = u.where;
    for (const userlist_line& u : list.users) {
        const setting s = further(u.where, "user \"" + u.name + "\"");
        if (last[u.name].line != u.where.line) {
            report(s, outcome::ignored, {}, "Replaced at " + last[u.name].to_string() + ".");
            continue;
        }
        const password_form form = conf::form_of(u.password);
        if (form == password_form::malformed_verifier) {
            impossible(s, "The password begins like a SCRAM verifier but is none.");
            continue;
        }
        user_entry& entry = users_[u.name];
        entry.listed = true;
        entry.row.username = u.name;
        entry.row.password = u.password;
        if (clients > 0 && clients <= most_clients)
            entry.row.max_connections = static_cast<std::uint32_t>(clients);
        report(s, outcome::translated, "pgsql_users",
               std::string(name_of(form, u.password.empty())));
    }
}

void translator::auth_file(const setting& s) {
    const std::string path = beside(s.where.file, s.value);
    if (const conf::text_file content = read_(path); !content.error.empty())
        return impossible(s, "cannot read \"" + path + "\": " + content.error + ".");
    const auto listed =
        std::ranges::count_if(users_, [](const auto& named) { return named.second.listed; });
    report(s, outcome::translated, "pgsql_users: " + std::to_string(listed) + " users");
}

void translator::auth_type(const setting& s) {
    const std::string& type = s.value;
    if (type == "any")
        return impossible(s,
                          "Howdah lets nobody in whom the servers do not know. List the users and "
                          "take trust.");
    if (type == "pam" || type == "ldap")
        return impossible(s, "Howdah does not ask " + type +
                                 ". List the users in pgsql_users, or take them from the servers "
                                 "by auth_query.");
    if (type == "hba") {
        hba_ = true;
        if (general("auth_hba_file") == nullptr) return impossible(s, "There is no auth_hba_file.");
        return report(s, outcome::translated, "pgsql_hba_rules", "");
    }
    const std::string method = type == "plain" ? "password" : type;
    conf::hba_rule rule;
    const auto table_of_rules = conf::columns<conf::hba_rule>();
    const auto field =
        std::ranges::find(table_of_rules, "method", &conf::field<conf::hba_rule>::name);
    if (field->set(rule, method) || type == "peer" || type == "reject")
        return impossible(s, "PgBouncer has no such authentication.");
    method_ = rule.method;
    if (type == "cert")
        return report(s, outcome::translated, "pgsql_hba_rules: hostssl ... cert", "");
    const conf::option& option = *conf::find_option("authentication_method");
    (void)option.set(out_.vars, method);
    report(s, outcome::translated, variable_name(option.name) + " = " + method);
}

void translator::auth_hba_file(const setting& s) {
    if (value_of("auth_type", "md5") != "hba")
        return report(s, outcome::ignored, {}, std::string(s.known->note));
    const std::string path = beside(s.where.file, s.value);
    const conf::text_file content = read_(path);
    if (!content.error.empty())
        return impossible(s, "cannot read \"" + path + "\": " + content.error + ".");
    for (const auto& line : parse_hba(content.text, path)) {
        const setting row = further(line.where, "rule " + line.shown);
        if (!line.record) {
            impossible(row, line.error + ".");
            continue;
        }
        out_.hba_rules.push_back(*line.record);
        report(row, outcome::translated, "pgsql_hba_rules");
    }
    report(s, outcome::translated, std::string(s.known->target));
}

void translator::auth_ident_file(const setting& s) {
    if (value_of("auth_type", "md5") != "hba")
        return report(s, outcome::ignored, {}, std::string(s.known->note));
    const std::string path = beside(s.where.file, s.value);
    const conf::text_file content = read_(path);
    if (!content.error.empty())
        return impossible(s, "cannot read \"" + path + "\": " + content.error + ".");
    for (const auto& line : parse_ident(content.text, path)) {
        const setting row = further(line.where, "map " + line.shown);
        if (!line.record) {
            impossible(row, line.error + ".");
            continue;
        }
        out_.user_maps.push_back(*line.record);
        report(row, outcome::translated, "pgsql_user_maps");
    }
    report(s, outcome::translated, std::string(s.known->target));
}

void translator::auth_user(const setting& s) {
    if (s.value.empty()) return report(s, outcome::ignored, {}, "Nobody.");
    conf::variables& vars = out_.vars;
    vars.auth_user = s.value;
    vars.auth_password.clear();
    std::string note(s.known->note);
    if (general("auth_dbname") == nullptr) {
        vars.auth_hostgroup = home();
        const auto named = std::ranges::find_if(
            databases_, [](const database_entry& d) { return !d.fallback && d.hostgroup >= 0; });
        if (named != databases_.end()) {
            vars.auth_database = named->row.name;
            vars.auth_hostgroup = named->hostgroup;
        }
        note += " PgBouncer asks in the client's database, Howdah in auth_database (" +
                vars.auth_database + ").";
    }
    const user_entry* listed = listed_user(s.value);
    if (listed != nullptr && !listed->row.password.empty()) {
        if (conf::form_of(listed->row.password) != password_form::plain)
            return impossible(s,
                              "Howdah needs the password itself, not its hash: set "
                              "pgsql-auth_password.");
        vars.auth_password = listed->row.password;
    }
    report(s, outcome::translated, variable_name("auth_user") + " = " + s.value, note);
}

void translator::auth_query(const setting& s) {
    if (value_of("auth_user", "").empty())
        return report(s, outcome::ignored, {}, "Not used without auth_user.");
    out_.vars.auth_query.clear();
    if (s.value.empty() || is_own_query(s.value))
        return report(s, outcome::translated, variable_name("auth_query") + " = ''",
                      "Howdah's built-in query does the same.");
    out_.vars.auth_query = s.value;
    report(s, outcome::translated, variable_name("auth_query"), std::string(s.known->note));
}

void translator::auth_dbname(const setting& s) {
    const auto named = std::ranges::find_if(databases_, [&](const database_entry& d) {
        return d.entry.name == "[databases] " + s.value;
    });
    const auto others = std::ranges::find_if(databases_, &database_entry::fallback);
    const auto found = named != databases_.end() ? named : others;
    if (found == databases_.end() || found->hostgroup < 0)
        return impossible(s, "There is no such database in [databases].");
    out_.vars.auth_database = found->fallback ? s.value : found->row.name;
    out_.vars.auth_hostgroup = found->hostgroup;
    report(s, outcome::translated,
           variable_name("auth_database") + " = " + out_.vars.auth_database + ", " +
               variable_name("auth_hostgroup") + " = " + std::to_string(found->hostgroup));
}

void translator::add_console_users(const setting& s, std::string& credentials,
                                   std::string_view variable) {
    std::string added, missing;
    for (const std::string& name : list_of(s.value)) {
        const user_entry* user = listed_user(name);
        const bool usable = user != nullptr && !user->row.password.empty() &&
                            conf::form_of(user->row.password) != password_form::md5_hash &&
                            (name + user->row.password).find(';') == std::string::npos &&
                            name.find(':') == std::string::npos;
        if (usable) credentials = with_account(credentials, name, user->row.password);
        std::string& list = usable ? added : missing;
        list.append(list.empty() ? "" : ", ").append(name);
    }
    const std::string becomes =
        added.empty() ? std::string() : variable_name(variable) + ": " + added;
    if (missing.empty()) return report(s, outcome::translated, becomes, std::string(s.known->note));
    report(s, outcome::impossible, becomes,
           "There is no plain password (without ';') and no SCRAM verifier of " + missing +
               " in auth_file: add them to " + variable_name(variable) + ".");
}

void translator::admin_users(const setting& s) {
    add_console_users(s, out_.vars.admin_admin_credentials, "admin_admin_credentials");
}

void translator::stats_users(const setting& s) {
    add_console_users(s, out_.vars.admin_stats_credentials, "admin_stats_credentials");
}

void translator::user_clients(const setting& s) {
    const auto n = integer_of(s.value);
    if (!n || *n < 0 || *n > most_clients) return impossible(s, "is no number of clients.");
    if (!s.user->listed)
        return impossible(s,
                          "The user is not in auth_file: give a row of pgsql_users with the "
                          "password.");
    s.user->row.max_connections = static_cast<std::uint32_t>(*n == 0 ? most_clients : *n);
    report(s, outcome::translated,
           std::string(s.known->target) + " = " + std::to_string(s.user->row.max_connections));
}

void translator::finish_users() {
    const int usual = std::max(0, home());
    for (auto& [name, entry] : users_) {
        if (!entry.listed) continue;
        entry.row.default_hostgroup = usual;
        entry.row.comment = "from pgbouncer.ini";
        out_.users.push_back(entry.row);
    }
    conf::variables& vars = out_.vars;
    if (general("auth_user") != nullptr || vars.auth_user.empty()) return;
    vars.auth_user.clear();
    vars.auth_password.clear();
    vars.auth_query.clear();
    vars.auth_hostgroup = -1;
    report(further({}, "auth_user"), outcome::translated, variable_name("auth_user") + " = ''",
           "Nobody may log in who is not listed, as in PgBouncer.");
}

std::optional<std::string> translator::database_list() const {
    std::string list;
    for (const database_entry& d : databases_) {
        if (d.fallback) return "all";
        const auto name = as_hba_name(d.row.name);
        if (!name) return std::nullopt;
        list.append(list.empty() ? "" : ";").append(*name);
    }
    return list.empty() ? "all" : list;
}

void translator::finish_access() {
    const std::optional<std::string> list = database_list();
    const setting s =
        further({ini_.entries.empty() ? std::string() : ini_.entries.front().where.file, 0},
                "[databases] without *");
    if (list != "all" && (hba_ || method_)) {
        if (list)
            report(s, outcome::translated, "pgsql_hba_rules",
                   "Only the listed databases, as in PgBouncer: " + *list +
                       ". Without rules Howdah serves every database that the servers have.");
        else
            impossible(s,
                       "A database has a name that no rule can hold: Howdah serves every "
                       "database that the servers have.");
    }
    const std::string databases = list.value_or("all");
    for (conf::hba_rule& rule : out_.hba_rules)
        if (rule.database == "all") rule.database = databases;
    if (hba_ || !method_) return;
    if (*method_ != conf::hba_method::cert && databases == "all") return;
    conf::hba_rule rule;
    rule.database = databases;
    rule.method = *method_;
    rule.comment = "from pgbouncer.ini";
    rule.type = conf::hba_type::local;
    if (*method_ != conf::hba_method::cert) out_.hba_rules.push_back(rule);
    rule.type = *method_ == conf::hba_method::cert ? conf::hba_type::hostssl : conf::hba_type::host;
    rule.address = "all";
    out_.hba_rules.push_back(rule);
}

}  // namespace howdah::admin::pgbouncer
