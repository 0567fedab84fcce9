#include "conf/yaml_reader.hpp"

#include <fmt/format.h>

#include <functional>
#include <span>

#include "conf/columns.hpp"
#include "conf/nearest.hpp"
#include "conf/options.hpp"
#include "conf/secrets.hpp"
#include "conf/tag_values.hpp"

namespace howdah::conf {
namespace {

int line_of(const YAML::Node& node) {
    return node.Mark().line + 1;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
    const auto best = nearest(name, known);
    return best ? fmt::format(" (did you mean '{}'?)", *best) : "";
}

std::string_view without_prefix(std::string_view name) {
    for (const std::string_view prefix : {"pgsql_", "pgsql-", "mysql_", "mysql-"})
        if (name.starts_with(prefix)) return name.substr(prefix.size());
    return name;
}

/// Calls `visit(name, key, value)` for each entry; reports keys that are no text or come twice.
void for_each_entry(
    const YAML::Node& map, problem_list& problems,
    const std::function<void(const std::string&, const YAML::Node&, const YAML::Node&)>& visit) {
    std::map<std::string, int> seen;
    for (const auto& entry : map) {
        const int line = line_of(entry.first);
        if (!entry.first.IsScalar()) {
            problems.error(line, "a key must be a name");
            continue;
        }
        const std::string& name = entry.first.Scalar();
        const auto [first, is_new] = seen.emplace(name, line);
        if (!is_new)
            problems.error(line, fmt::format("duplicate key {} (first on line {})", quoted(name),
                                             first->second));
        else
            visit(name, entry.first, entry.second);
    }
}

/// The text of a value: a scalar, "${NAME}", {file: path} for secrets, a sequence for lists.
template <class Record>
std::optional<resolved_value> text_of(const field<Record>& target, const YAML::Node& node,
                                      const std::string& label, problem_list& problems) {
    const int line = line_of(node);
    if (node.IsScalar()) return resolve_environment(node.Scalar());
    if (node.IsSequence() && target.kind == value_kind::list) {
        resolved_value all;
        for (const auto& item : node) {
            const auto part = item.IsScalar() ? resolve_environment(item.Scalar())
                                              : resolved_value{{}, "an entry is not a text", {}};
            if (!part.error.empty()) return part;
            all.text += part.text + ";";
            all.from_elsewhere = all.from_elsewhere || part.from_elsewhere;
        }
        if (!all.text.empty()) all.text.pop_back();
        return all;
    }
    if (node.IsMap() && target.kind == value_kind::map) {
        resolved_value all;
        tag_map tags;
        for_each_entry(node, problems,
                       [&](const std::string& name, const YAML::Node&, const YAML::Node& value) {
                           if (value.IsNull()) {
                               tags[name];
                               return;
                           }
                           auto part = value.IsScalar()
                                           ? resolve_environment(value.Scalar())
                                           : resolved_value{{}, "a value is not a text", {}};
                           if (!part.error.empty()) all.error = std::move(part.error);
                           all.from_elsewhere = all.from_elsewhere || part.from_elsewhere;
                           tags[name] = std::move(part.text);
                       });
        all.text = format_tags(tags);
        return all;
    }
    if (node.IsMap() && target.secret) {
        if (node.size() == 1 && node["file"] && node["file"].IsScalar()) {
            const auto path = resolve_environment(node["file"].Scalar());
            return path.error.empty() ? read_secret_file(path.text) : path;
        }
        problems.error(line,
                       fmt::format("{}: must be a text, '${{NAME}}' or {{file: path}}", label));
        return std::nullopt;
    }
    problems.error(line,
                   fmt::format("{}: must be {}", label,
                               target.kind == value_kind::map ? "names with values, as {zone: a}"
                                                              : "a single value"));
    return std::nullopt;
}

/// Sets one member from its node. `label` is how messages name the member.
template <class Record>
void read_member(located<Record>& record, const field<Record>& target, const YAML::Node& node,
                 const std::string& label, problem_list& problems) {
    const int line = line_of(node);
    if (node.IsNull()) {
        // "password:" with nothing behind it leaves a text empty and an optional member unset.
        if (target.kind != value_kind::text && !target.optional)
            problems.error(line, fmt::format("{}: has no value", label));
        return;
    }
    const auto value = text_of(target, node, label, problems);
    if (!value) return;
    if (!value->warning.empty()) problems.warn(line, fmt::format("{}: {}", label, value->warning));
    if (!value->error.empty()) {
        problems.error(line, fmt::format("{}: {}", label, value->error));
        return;
    }
    record.lines.emplace(target.name, line);
    if (const auto error = target.set(record.value, value->text)) {
        const bool hidden = target.secret || value->from_elsewhere;
        problems.error(line, fmt::format("{}: {} {}", label,
                                         hidden ? "the value" : quoted(value->text), *error));
    }
}

void read_variables(const YAML::Node& node, located<variables>& vars, problem_list& problems) {
    vars.line = line_of(node);
    if (node.IsNull()) return;
    if (!node.IsMap()) {
        problems.error(vars.line, "variables: must be entries such as 'threads: 4'");
        return;
    }
    for_each_entry(node, problems,
                   [&](const std::string& name, const YAML::Node& key, const YAML::Node& value) {
                       if (const auto* row = find_option(name)) {
                           read_member<variables>(vars, *row, value, name, problems);
                           return;
                       }
                       const auto names = option_names();
                       problems.error(line_of(key),
                                      fmt::format("unknown variable {}{}", quoted(name),
                                                  did_you_mean(without_prefix(name), names)));
                   });
}

template <class Record>
void read_record(const YAML::Node& node, std::vector<located<Record>>& out,
                 problem_list& problems) {
    constexpr auto kind = record_name<Record>;
    located<Record> record;
    record.line = line_of(node);
    const auto errors_before = problems.errors.size();
    const auto table = columns<Record>();
    for_each_entry(
        node, problems,
        [&](const std::string& name, const YAML::Node& key, const YAML::Node& value) {
            for (const auto& column : table)
                if (column.name == name)
                    return read_member(record, column, value, fmt::format("{} {}", kind, name),
                                       problems);
            if (is_unsupported_column(section_name<Record>, name)) {
                problems.error(line_of(key), fmt::format("{}: {} of ProxySQL is not supported",
                                                         kind, quoted(name)));
                return;
            }
            std::vector<std::string_view> names;
            for (const auto& column : table)
                names.push_back(column.name);
            problems.error(line_of(key), fmt::format("{}: unknown key {}{}", kind, quoted(name),
                                                     did_you_mean(name, names)));
        });
    // A misspelt or malformed column is reported once, not again as missing.
    const bool intact = problems.errors.size() == errors_before;
    for (const auto& column : table)
        if (intact && column.required && !record.given(column.name))
            problems.error(record.line, fmt::format("{}: '{}' is missing", kind, column.name));
    out.push_back(std::move(record));
}

template <class Record>
void read_list(const YAML::Node& node, std::vector<located<Record>>& out, problem_list& problems) {
    constexpr auto section = section_name<Record>;
    if (node.IsNull()) return;
    if (!node.IsSequence()) {
        problems.error(line_of(node),
                       fmt::format("{}: must be a list of entries such as '- {{{}: ...}}'", section,
                                   columns<Record>().front().name));
        return;
    }
    for (const auto& item : node) {
        if (item.IsMap())
            read_record(item, out, problems);
        else
            problems.error(line_of(item), fmt::format("{}: an entry must look like '- {{{}: ...}}'",
                                                      section, columns<Record>().front().name));
    }
}

}  // namespace

document read_document(const YAML::Node& root, problem_list& problems) {
    document result;
    using reader = std::function<void(const YAML::Node&)>;
    const std::vector<std::pair<std::string_view, reader>> sections{
        {"variables", [&](const auto& node) { read_variables(node, result.vars, problems); }},
        {section_name<server>,
         [&](const auto& node) { read_list(node, result.servers, problems); }},
        {section_name<replication_hostgroup>,
         [&](const auto& node) { read_list(node, result.replication_hostgroups, problems); }},
        {section_name<hostgroup_attributes>,
         [&](const auto& node) { read_list(node, result.hostgroup_attributes, problems); }},
        {section_name<ha_server>,
         [&](const auto& node) { read_list(node, result.ha_servers, problems); }},
        {section_name<user>, [&](const auto& node) { read_list(node, result.users, problems); }},
        {section_name<database>,
         [&](const auto& node) { read_list(node, result.databases, problems); }},
        {section_name<query_rule>,
         [&](const auto& node) { read_list(node, result.query_rules, problems); }},
        {section_name<fast_route>,
         [&](const auto& node) { read_list(node, result.fast_routes, problems); }},
        {section_name<firewall_user>,
         [&](const auto& node) { read_list(node, result.firewall_users, problems); }},
        {section_name<firewall_rule>,
         [&](const auto& node) { read_list(node, result.firewall_rules, problems); }},
        {section_name<hba_rule>,
         [&](const auto& node) { read_list(node, result.hba_rules, problems); }},
        {section_name<user_map>,
         [&](const auto& node) { read_list(node, result.user_maps, problems); }},
    };
    if (!root.IsMap()) {
        problems.error(line_of(root), "must be sections such as 'variables:' and 'servers:'");
        return result;
    }
    std::map<std::string_view, std::pair<std::string, int>> seen;
    for_each_entry(
        root, problems,
        [&](const std::string& name, const YAML::Node& key, const YAML::Node& value) {
            const std::string_view plain =
                name.starts_with("pgsql_") ? std::string_view(name).substr(6) : name;
            for (const auto& [section, read] : sections) {
                if (section != plain) continue;
                const auto [first, is_new] = seen.emplace(section, std::pair(name, line_of(key)));
                if (is_new) return read(value);
                problems.error(line_of(key),
                               fmt::format("{} and {} (line {}) are the same section", quoted(name),
                                           quoted(first->second.first), first->second.second));
                return;
            }
            if (find_option(name)) {
                problems.error(line_of(key),
                               fmt::format("{} must stand under 'variables:'", quoted(name)));
                return;
            }
            std::vector<std::string_view> names;
            for (const auto& section : sections)
                names.push_back(section.first);
            problems.error(line_of(key), fmt::format("unknown section {}{}", quoted(name),
                                                     did_you_mean(plain, names)));
        });
    return result;
}

}  // namespace howdah::conf
