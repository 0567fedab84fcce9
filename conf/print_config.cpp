#include "conf/print_config.hpp"

#include <yaml-cpp/yaml.h>

#include "conf/columns.hpp"
#include "conf/options.hpp"
#include "conf/secrets.hpp"
#include "conf/tag_values.hpp"

namespace howdah::conf {
namespace {

void print_value(YAML::Emitter& out, value_kind kind, bool masked, const std::string& text) {
    switch (kind) {
        case value_kind::text:
            out << YAML::DoubleQuoted
                << (masked && !text.empty() ? masked_secret : escape_environment(text));
            break;
        case value_kind::list: {
            out << YAML::Flow << YAML::BeginSeq;
            for (std::size_t begin = 0; begin <= text.size();) {
                const auto end = std::min(text.find(';', begin), text.size());
                out << YAML::DoubleQuoted << text.substr(begin, end - begin);
                begin = end + 1;
            }
            out << YAML::EndSeq;
            break;
        }
        case value_kind::map:
            out << YAML::Flow << YAML::BeginMap;
            for (const auto& [name, value] : parse_tags(text))
                out << YAML::Key << YAML::DoubleQuoted << name << YAML::Value << YAML::DoubleQuoted
                    << escape_environment(value);
            out << YAML::EndMap;
            break;
        default:
            out << text;
    }
}

template <class Record>
void print_list(YAML::Emitter& out, const std::vector<Record>& records, secrets how) {
    if (records.empty()) return;
    const Record defaults{};
    out << YAML::Key << std::string(section_name<Record>) << YAML::Value << YAML::BeginSeq;
    for (const auto& record : records) {
        out << YAML::BeginMap;
        for (const auto& column : columns<Record>()) {
            const auto text = column.get(record);
            if (!text || (!column.required && text == column.get(defaults))) continue;
            out << YAML::Key << std::string(column.name) << YAML::Value;
            print_value(out, column.kind, column.secret && how == secrets::masked, *text);
        }
        out << YAML::EndMap;
    }
    out << YAML::EndSeq;
}

}  // namespace

std::string print_config(const settings& config, secrets how) {
    YAML::Emitter out;
    out << YAML::BeginMap << YAML::Key << "variables" << YAML::Value << YAML::BeginMap;
    for (const auto& row : options()) {
        out << YAML::Key << std::string(row.name) << YAML::Value;
        print_value(out, row.kind, row.secret && how == secrets::masked,
                    row.get(config.vars).value_or(""));
    }
    out << YAML::EndMap;
    print_list(out, config.servers, how);
    print_list(out, config.replication_hostgroups, how);
    print_list(out, config.hostgroup_attributes, how);
    print_list(out, config.ha_servers, how);
    print_list(out, config.users, how);
    print_list(out, config.databases, how);
    print_list(out, config.query_rules, how);
    print_list(out, config.fast_routes, how);
    print_list(out, config.firewall_users, how);
    print_list(out, config.firewall_rules, how);
    print_list(out, config.hba_rules, how);
    print_list(out, config.user_maps, how);
    out << YAML::EndMap;
    return std::string(out.c_str()) + "\n";
}

}  // namespace howdah::conf
