#include "conf/render.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conf/columns.hpp"
#include "conf/options.hpp"

namespace howdah::conf {
namespace {

std::string_view kind_name(value_kind kind) {
    switch (kind) {
        case value_kind::boolean:
            return "boolean";
        case value_kind::integer:
            return "integer";
        case value_kind::size:
            return "size (bytes)";
        case value_kind::milliseconds:
            return "time (ms)";
        case value_kind::seconds:
            return "time (s)";
        case value_kind::enumeration:
            return "enumeration";
        case value_kind::text:
            return "text";
        case value_kind::list:
            return "list";
        case value_kind::map:
            return "map";
    }
    return "";
}

/// "0 to 1024", "a, b, c", "a file", or nothing.
template <class Record>
std::string allowed(const field<Record>& row) {
    switch (row.kind) {
        case value_kind::enumeration:
            return fmt::format("{}", fmt::join(row.choices, ", "));
        case value_kind::integer:
        case value_kind::size:
        case value_kind::milliseconds:
        case value_kind::seconds:
            return describe(row.range, row.kind);
        default:
            return row.is_file ? "a file" : "";
    }
}

template <class Record>
std::string default_text(const field<Record>& row) {
    return row.get(Record{}).value_or("");
}

/// The default as it is written in YAML.
std::string yaml_default(const option& row) {
    const auto text = default_of(row);
    if (row.kind == value_kind::list) return fmt::format("[\"{}\"]", text);
    return row.kind == value_kind::text ? fmt::format("\"{}\"", text) : text;
}

/// Comment lines of at most 100 columns; `first` and `rest` begin the first and the other lines.
std::string comment(std::string_view first, std::string_view rest, std::string text) {
    constexpr std::size_t width = 100;
    std::string result;
    std::string_view prefix = first;
    while (!text.empty()) {
        std::size_t end = text.size();
        if (prefix.size() + end > width) end = text.rfind(' ', width - prefix.size());
        result += fmt::format("{}{}\n", prefix, text.substr(0, end));
        text.erase(0, end == text.size() ? end : end + 1);
        prefix = rest;
    }
    return result;
}

std::string variables_yaml() {
    std::string result = "variables:\n";
    std::string_view group;
    for (const auto& row : options()) {
        if (row.group != group) result += fmt::format("\n  # {}\n", group = row.group);
        std::string text(row.doc);
        if (const auto range = allowed(row); !range.empty() && !row.is_file)
            text += fmt::format(" Allowed: {}.", range);
        if (!row.reloadable) text += " A change needs a restart.";
        result += "\n" + comment("  # ", "  # ", text) +
                  fmt::format("  #{}: {}\n", row.name, yaml_default(row));
    }
    return result;
}

template <class Record>
std::string list_yaml(std::string_view introduction, std::string_view example) {
    std::string result = "\n" + comment("# ", "# ", std::string(introduction));
    for (const auto& column : columns<Record>()) {
        std::string text = fmt::format("{}: {}", column.name, column.doc);
        if (const auto range = allowed(column); !range.empty())
            text += fmt::format(" Allowed: {}.", range);
        if (column.required)
            text += " Required.";
        else if (const auto value = default_text(column); !value.empty())
            text += fmt::format(" Default: {}.", value);
        result += comment("#   ", "#     ", text);
    }
    return result + fmt::format("{}:\n{}", section_name<Record>, example);
}

template <class Record>
std::string list_markdown(std::string_view introduction) {
    std::string result = fmt::format(
        "\n## `{}`\n\n{}\n\n| Key | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n",
        section_name<Record>, introduction);
    for (const auto& column : columns<Record>()) {
        const auto value = default_text(column);
        result += fmt::format("| `{}` | {} | {} | {} | {} |\n", column.name, kind_name(column.kind),
                              column.required ? "(required)"
                              : value.empty() ? ""
                                              : fmt::format("`{}`", value),
                              allowed(column), column.doc);
    }
    return result;
}

constexpr std::string_view servers_intro =
    "The servers, each in the hostgroup it belongs to; the monitor moves them inside a replication "
    "pair.";
constexpr std::string_view pairs_intro =
    "Pairs of hostgroups. A server of either hostgroup is moved to the one that fits its role.";
constexpr std::string_view attributes_intro =
    "What holds for the servers of one hostgroup and the connections to them; for a hostgroup "
    "without an entry nothing of it does.";
constexpr std::string_view ha_servers_intro =
    "What high availability has to know of a server beside its hostgroups. Operators may say "
    "otherwise while Howdah runs (SET PROMOTION RULE, TAG): that counts first.";
constexpr std::string_view users_intro =
    "Who may log in, and with what password Howdah logs in to the servers for them.";
constexpr std::string_view databases_intro =
    "What holds for the clients of a database; others are served, too. For a client, the value of "
    "its user counts first, then that of its database, then the variable.";
constexpr std::string_view rules_intro =
    "Rules that send statements elsewhere than read_write_split would, rewrite, refuse or limit "
    "them. In the order of rule_id; what a later rule says replaces what an earlier one has said.";
constexpr std::string_view routes_intro =
    "Where the statements of a user in a database go, if no rule with apply has matched.";
constexpr std::string_view firewall_users_intro =
    "Users whose statements have to be on the list below.";
constexpr std::string_view firewall_rules_intro = "Statements that those users may run.";
constexpr std::string_view hba_intro =
    "Who may log in from where and how, as in pg_hba.conf: the first rule that matches decides, "
    "and "
    "who matches none is refused. Without any rule authentication_method is for everybody.";
constexpr std::string_view maps_intro =
    "Which database users the owner of a certificate or an OS user may be, as in pg_ident.conf. "
    "Without a map the names must be equal.";

}  // namespace

std::string render_annotated_yaml() {
    std::string result =
        "# Configuration of Howdah. Every option is shown with its default; remove the '#' "
        "directly\n"
        "# before a name to change it. Check with: howdah --config FILE --check\n"
        "#\n"
        "# Numbers may have a unit: ms, s, min, h, d; kB, MB, GB. A value \"${NAME}\" is taken "
        "from\n"
        "# the environment. A password may also be {file: /path/of/a/file}. SIGHUP reads the file\n"
        "# again.\n\n";
    result += variables_yaml();
    result += list_yaml<server>(servers_intro,
                                "  #- {hostgroup_id: 10, hostname: pg1, port: 5432}\n"
                                "  #- {hostgroup_id: 20, hostname: pg2, port: 5432}\n"
                                "  #- {hostgroup_id: 20, hostname: pg3, port: 5432, weight: 2}\n");
    result += list_yaml<replication_hostgroup>(
        pairs_intro, "  #- {writer_hostgroup: 10, reader_hostgroup: 20, comment: main cluster}\n");
    result += list_yaml<hostgroup_attributes>(
        attributes_intro,
        "  #- {hostgroup_id: 20, init_connect: \"SET statement_timeout TO '1min'\", "
        "multiplex: false}\n");
    result += list_yaml<ha_server>(
        ha_servers_intro,
        "  #- {hostname: pg2, promotion_rule: prefer, data_center: east}\n"
        "  #- {hostname: pg3, promotion_rule: prefer_not, data_center: west, tags: {role: "
        "reports}}\n");
    result +=
        list_yaml<user>(users_intro,
                        "  #- {username: appuser, password: \"change me\", default_hostgroup: 10}\n"
                        "  #- {username: report, password: \"change me\", default_hostgroup: 20, "
                        "pool_mode: session}\n");
    result += list_yaml<database>(
        databases_intro, "  #- {name: reports, max_connections: 50, query_timeout: 10min}\n");
    result += list_yaml<query_rule>(
        rules_intro,
        "  #- {rule_id: 1, match_pattern: \"^SELECT .* FROM queue\", destination_hostgroup: 10, "
        "apply: true}\n");
    result += list_yaml<fast_route>(
        routes_intro, "  #- {username: report, database: reports, destination_hostgroup: 20}\n");
    result += list_yaml<firewall_user>(
        firewall_users_intro, "  #- {username: appuser, client_address: \"\", mode: \"OFF\"}\n");
    result += list_yaml<firewall_rule>(
        firewall_rules_intro,
        "  #- {username: appuser, client_address: \"\", database: shop, digest: "
        "\"0x1CE8BE6B2C2C1A1D\"}\n");
    result += list_yaml<hba_rule>(
        hba_intro,
        "  #- {type: local, method: peer, map: admins}\n"
        "  #- {type: host, database: [app, shop], user: appuser, address: 10.0.0.0/8, method: "
        "scram-sha-256}\n"
        "  #- {type: host, address: all, method: reject}\n");
    result += list_yaml<user_map>(
        maps_intro,
        "  #- {map: admins, system_user: root, database_user: all}\n"
        "  #- {map: admins, system_user: '/^(.*)_admin$', database_user: '\\1'}\n");
    return result;
}

std::string render_markdown() {
    std::string result =
        "# Configuration reference\n\n"
        "Generated from the option table by `howdah --print-options-markdown`. The file is YAML "
        "with "
        "the sections below;\nProxySQL's names (`pgsql_servers`, `pgsql_users`, ...) are accepted "
        "for them, too.\n\n"
        "- Numbers may have a unit: `ms`, `s`, `min`, `h`, `d`; `B`, `kB`, `MB`, `GB`.\n"
        "- A value that is `${NAME}` as a whole is taken from the environment; `$${NAME}` means "
        "the "
        "text itself.\n"
        "- A password may be `{file: /path}`: the file's content without its last line end.\n"
        "- Reload: *yes* means that SIGHUP is enough.\n\n"
        "## `variables`\n";
    std::string_view group;
    for (const auto& row : options()) {
        if (row.group != group)
            result += fmt::format(
                "\n### {}\n\n| Name | Type | Default | Allowed | Reload | Meaning |\n"
                "|---|---|---|---|---|---|\n",
                group = row.group);
        const auto value = default_of(row);
        result += fmt::format("| `{}` | {}{} | {} | {} | {} | {} |\n", row.name,
                              kind_name(row.kind), row.secret ? ", secret" : "",
                              value.empty() ? "" : fmt::format("`{}`", value), allowed(row),
                              row.reloadable ? "yes" : "restart", row.doc);
    }
    return result + list_markdown<server>(servers_intro) +
           list_markdown<replication_hostgroup>(pairs_intro) +
           list_markdown<hostgroup_attributes>(attributes_intro) +
           list_markdown<ha_server>(ha_servers_intro) + list_markdown<user>(users_intro) +
           list_markdown<database>(databases_intro) + list_markdown<query_rule>(rules_intro) +
           list_markdown<fast_route>(routes_intro) +
           list_markdown<firewall_user>(firewall_users_intro) +
           list_markdown<firewall_rule>(firewall_rules_intro) + list_markdown<hba_rule>(hba_intro) +
           list_markdown<user_map>(maps_intro);
}

}  // namespace howdah::conf
