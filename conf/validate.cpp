#include "conf/validate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "conf/duplicates.hpp"
#include "conf/hba_names.hpp"
#include "conf/names.hpp"
#include "conf/nearest.hpp"
#include "conf/options.hpp"
#include "conf/passfile.hpp"
#include "conf/secrets.hpp"
#include "conf/text_file.hpp"
#include "conf/validate_hba.hpp"
#include "conf/validate_rules.hpp"

namespace howdah::conf {
namespace {

void check_duplicates(const document& config, problem_list& problems) {
    report_duplicates(
        config.servers,
        [](const server& s) { return std::tuple(s.hostgroup_id, s.hostname, s.port); },
        [](const server& s) {
            return fmt::format("server {}:{} in hostgroup {}", s.hostname, s.port, s.hostgroup_id);
        },
        problems);
    report_duplicates(
        config.hostgroup_attributes, [](const hostgroup_attributes& a) { return a.hostgroup_id; },
        [](const hostgroup_attributes& a) {
            return fmt::format("attributes of hostgroup {}", a.hostgroup_id);
        },
        problems);
    report_duplicates(
        config.ha_servers, [](const ha_server& h) { return std::tuple(h.hostname, h.port); },
        [](const ha_server& h) { return fmt::format("ha server {}:{}", h.hostname, h.port); },
        problems);
    report_duplicates(
        config.users, [](const user& u) { return u.username; },
        [](const user& u) { return fmt::format("user {}", quoted(u.username)); }, problems);
    report_duplicates(
        config.databases, [](const database& d) { return d.name; },
        [](const database& d) { return fmt::format("database {}", quoted(d.name)); }, problems);
}

std::set<int> check_hostgroups(const document& config, problem_list& problems) {
    std::set<int> known;
    for (const auto& s : config.servers)
        known.insert(s.value.hostgroup_id);

    std::map<int, int> first_line;
    for (const auto& pair : config.replication_hostgroups) {
        const auto& [writer, reader, comment] = pair.value;
        if (writer == reader)
            problems.error(pair.line, fmt::format("replication hostgroup: writer_hostgroup and "
                                                  "reader_hostgroup are both {}",
                                                  writer));
        for (const int hostgroup : std::set{writer, reader}) {
            const auto [first, is_new] = first_line.emplace(hostgroup, pair.line);
            if (!is_new)
                problems.error(pair.line, fmt::format("hostgroup {} is in two replication "
                                                      "hostgroups (first on line {})",
                                                      hostgroup, first->second));
            known.insert(hostgroup);
        }
    }
    return known;
}

void check_references(const document& config, const std::set<int>& known, problem_list& problems) {
    constexpr auto unknown = "hostgroup {} has no server and is in no replication hostgroup";
    for (const auto& u : config.users)
        if (!known.contains(u.value.default_hostgroup))
            problems.error(u.line_of("default_hostgroup"),
                           fmt::format("user {}: default_", quoted(u.value.username)) +
                               fmt::format(unknown, u.value.default_hostgroup));
    for (const auto& a : config.hostgroup_attributes)
        if (!known.contains(a.value.hostgroup_id))
            problems.error(a.line_of("hostgroup_id"),
                           "hostgroup attributes: " + fmt::format(unknown, a.value.hostgroup_id));
    const auto& vars = config.vars.value;
    if (!vars.auth_user.empty() && vars.auth_hostgroup >= 0 && !known.contains(vars.auth_hostgroup))
        problems.error(config.vars.line_of("auth_hostgroup"),
                       "auth_" + fmt::format(unknown, vars.auth_hostgroup));
}

void check_servers(const document& config, problem_list& problems) {
    if (config.servers.empty()) problems.warn(0, "no server is configured");
    for (const auto& s : config.servers) {
        const auto& host = s.value.hostname;
        if (s.given("hostname") && host.empty())
            problems.error(s.line_of("hostname"), "server: 'hostname' is empty");
        else if (host.find_first_of(" \t\r\n,") != host.npos)
            problems.error(s.line_of("hostname"),
                           fmt::format("server hostname: {} must be one name, without spaces and "
                                       "commas",
                                       quoted(host)));
        if (host.starts_with('/') && s.value.use_ssl != 0)
            problems.error(s.line_of("use_ssl"),
                           "server use_ssl: there is no TLS on a unix socket");
    }
}

void check_ha_servers(const document& config, problem_list& problems) {
    std::vector<std::string> known;
    for (const auto& s : config.servers)
        known.push_back(fmt::format("{}:{}", s.value.hostname, s.value.port));
    const std::vector<std::string_view> names(known.begin(), known.end());
    for (const auto& h : config.ha_servers) {
        const auto name = fmt::format("{}:{}", h.value.hostname, h.value.port);
        if (std::ranges::find(names, name) != names.end()) continue;
        const auto best = nearest(name, names);
        problems.error(h.line_of("hostname"),
                       fmt::format("ha server {} is not among the servers{}", quoted(name),
                                   best ? fmt::format(" (did you mean '{}'?)", *best) : ""));
    }
}

bool offers_tls(const variables& vars) {
    return vars.client_sslmode != client_sslmode::disable && !vars.ssl_cert.empty();
}

void check_user(const located<user>& u, const document& config, problem_list& problems) {
    const auto& value = u.value;
    const auto& vars = config.vars.value;
    const std::string who = fmt::format("user {}", quoted(value.username));
    if (u.given("username") && value.username.empty())
        problems.error(u.line_of("username"), "user: 'username' is empty");
    if (value.use_ssl && !offers_tls(vars))
        problems.error(u.line_of("use_ssl"),
                       who + ": use_ssl needs ssl_cert and a client_sslmode other than disable");
    if (value.server_password && form_of(*value.server_password) != password_form::plain)
        problems.error(u.line_of("server_password"), who + ": server_password must be plain text");

    const auto form = form_of(value.password);
    if (form == password_form::malformed_verifier)
        problems.error(u.line_of("password"),
                       who + ": the password begins like a SCRAM verifier but is none");
    // With rules, who has to prove what depends on where the client comes from.
    if (!value.active || !config.hba_rules.empty()) return;
    if (vars.authentication_method == authentication_method::trust) return;
    if (value.password.empty())
        problems.warn(u.line_of("password"), who + ": has no password and cannot log in");
    if (form == password_form::md5_hash) {
        if (vars.authentication_method == authentication_method::scram_sha_256) {
            problems.warn(u.line_of("password"),
                          who +
                              ": the password is an md5 hash, with which nobody can log in by "
                              "scram-sha-256; give a SCRAM verifier or the plain password");
        } else if (!value.server_password) {
            problems.warn(u.line_of("password"),
                          who +
                              ": the password is an md5 hash: servers that ask for anything but "
                              "md5 need server_password");
        }
    }
    if (form == password_form::scram_verifier && !value.server_password)
        problems.warn(u.line_of("password"),
                      who +
                          ": the password is a SCRAM verifier: servers that have another one, or "
                          "ask for md5 or the plain password, need server_password");
}

void check_users(const document& config, problem_list& problems) {
    if (config.users.empty() && config.vars.value.auth_user.empty())
        problems.warn(0, "no user is configured: nobody can log in");
    for (const auto& u : config.users)
        check_user(u, config, problems);
}

void check_databases(const document& config, problem_list& problems) {
    for (const auto& d : config.databases)
        if (d.given("name") && d.value.name.empty())
            problems.error(d.line_of("name"), "database: 'name' is empty");
}

void check_tls(const located<variables>& config, problem_list& problems) {
    const auto& vars = config.value;
    const auto check_pair = [&](std::string_view cert, std::string_view key, bool has_cert,
                                bool has_key) {
        if (has_cert && !has_key)
            problems.error(config.line_of(cert),
                           fmt::format("{} is set, but {} is not", cert, key));
        if (has_key && !has_cert)
            problems.error(config.line_of(key), fmt::format("{} is set, but {} is not", key, cert));
    };
    check_pair("ssl_cert", "ssl_key", !vars.ssl_cert.empty(), !vars.ssl_key.empty());
    check_pair("ssl_p2s_cert", "ssl_p2s_key", !vars.ssl_p2s_cert.empty(),
               !vars.ssl_p2s_key.empty());

    const auto needs = [&](client_sslmode from, std::string_view option, const std::string& value) {
        if (vars.client_sslmode >= from && value.empty())
            problems.error(config.line_of("client_sslmode"),
                           fmt::format("client_sslmode is {}, but {} is not set",
                                       to_string(vars.client_sslmode), option));
    };
    needs(client_sslmode::require, "ssl_cert", vars.ssl_cert);
    needs(client_sslmode::verify_ca, "ssl_ca", vars.ssl_ca);
    if (!vars.ssl_crl.empty() && vars.ssl_ca.empty())
        problems.error(config.line_of("ssl_crl"), "ssl_crl is set, but ssl_ca is not");
    if (vars.server_sslmode >= server_sslmode::verify_ca && vars.ssl_p2s_ca.empty())
        problems.error(config.line_of("server_sslmode"),
                       fmt::format("server_sslmode is {}, but ssl_p2s_ca is not set",
                                   to_string(vars.server_sslmode)));
}

void check_files(const located<variables>& config, problem_list& problems) {
    for (const auto& row : options()) {
        if (!row.is_file) continue;
        const auto path = row.get(config.value).value_or("");
        if (path.empty()) continue;
        if (const auto why = why_unreadable(path); !why.empty())
            problems.error(config.line_of(row.name),
                           fmt::format("{}: cannot read {}: {}", row.name, quoted(path), why));
    }
}

/// As ha/other_manager.cpp calls them.
constexpr std::string_view manager_names[] = {
    "Patroni", "repmgr", "pg_auto_failover", "Stolon", "CloudNativePG", "EFM", "Pgpool-II", "*"};

void check_managers(const located<variables>& config, problem_list& problems) {
    for (const auto name : split_hba_names(config.value.ha_ignore_managers)) {
        if (std::ranges::any_of(manager_names, [&](std::string_view known) {
                return equal_ignoring_case(known, name);
            }))
            continue;
        const auto best = nearest(name, manager_names);
        problems.error(config.line_of("ha_ignore_managers"),
                       fmt::format("ha_ignore_managers: {} is none of {}{}", quoted(name),
                                   fmt::join(manager_names, ", "),
                                   best ? fmt::format(" (did you mean '{}'?)", *best) : ""));
    }
}

void check_variables(const document& all, problem_list& problems) {
    const auto& config = all.vars;
    const auto& vars = config.value;
    check_tls(config, problems);
    check_files(config, problems);
    check_managers(config, problems);
    if (vars.interfaces.empty())
        problems.error(config.line_of("interfaces"), "interfaces names no address");
    if (vars.connect_timeout_server > vars.connect_timeout_server_max)
        problems.warn(config.line_of("connect_timeout_server"),
                      "connect_timeout_server is longer than connect_timeout_server_max");
    if (vars.reserved_connections >= vars.max_connections)
        problems.error(config.line_of("reserved_connections"),
                       fmt::format("reserved_connections is {}, which leaves none of the {} "
                                   "max_connections for others",
                                   vars.reserved_connections, vars.max_connections));
    if (vars.authentication_method != authentication_method::trust || !all.hba_rules.empty())
        return;
    for (const auto& address : vars.interfaces)
        if (!address.is_unix() && !address.host.starts_with("127.") && address.host != "::1")
            problems.warn(config.line_of("authentication_method"),
                          fmt::format("authentication_method is trust: whoever reaches {} can log "
                                      "in as anybody",
                                      address.to_string()));
}

/// The one password that the file has for the role on the configured servers.
std::optional<std::string> look_up(const passfile& file, const document& config,
                                   std::optional<std::string_view> database,
                                   const std::string& username, int line, problem_list& problems) {
    std::optional<std::string> password;
    const server* owner = nullptr;
    for (const auto& s : config.servers) {
        const auto found = file.find(s.value.hostname, s.value.port, database, username);
        if (!found) continue;
        if (password && *password != *found) {
            problems.error(line, fmt::format("passfile: different passwords for {} on {}:{} and "
                                             "{}:{}",
                                             quoted(username), owner->hostname, owner->port,
                                             s.value.hostname, s.value.port));
            return std::nullopt;
        }
        password = found;
        owner = &s.value;
    }
    return password;
}

}  // namespace

void apply_passfile(document& config, problem_list& problems) {
    constexpr std::size_t largest_passfile = 16 << 20;
    auto& vars = config.vars.value;
    if (vars.passfile.empty()) return;
    const int line = config.vars.line_of("passfile");
    const auto content = read_text_file(vars.passfile, largest_passfile);
    if (!content.error.empty()) return;  // reported by validate()
    if (content.world_readable)
        problems.warn(line, fmt::format("passfile: everybody may read {} (chmod 0600 it)",
                                        quoted(vars.passfile)));

    const auto file = passfile::parse(content.text);
    if (vars.monitor_password.empty()) {
        const auto found =
            look_up(file, config, vars.monitor_dbname, vars.monitor_username, line, problems);
        if (found) vars.monitor_password = *found;
    }
    if (!vars.auth_user.empty() && vars.auth_password.empty())
        vars.auth_password =
            look_up(file, config, vars.auth_database, vars.auth_user, line, problems).value_or("");
    for (auto& u : config.users) {
        if (!u.value.password.empty()) continue;
        if (const auto found =
                look_up(file, config, std::nullopt, u.value.username, line, problems))
            u.value.password = *found;
    }
}

void validate(const document& config, problem_list& problems) {
    check_variables(config, problems);
    check_duplicates(config, problems);
    check_servers(config, problems);
    check_ha_servers(config, problems);
    const auto known = check_hostgroups(config, problems);
    check_references(config, known, problems);
    check_users(config, problems);
    check_databases(config, problems);
    validate_rules(config, known, problems);
    validate_hba(config, problems);
}

}  // namespace howdah::conf
