#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.hpp"
#include "conf/settings.hpp"

// A configuration between reading and checking: values together with where they stand.
namespace howdah::conf {

template <class T>
struct located {
    T value;
    int line = 0;
    std::map<std::string, int, std::less<>> lines;  ///< Of the members that were given.

    /// Of the member, or else of the record.
    int line_of(std::string_view member) const {
        const auto found = lines.find(member);
        return found == lines.end() ? line : found->second;
    }
    bool given(std::string_view member) const { return lines.contains(member); }
};

struct document {
    located<variables> vars;
    std::vector<located<server>> servers;
    std::vector<located<replication_hostgroup>> replication_hostgroups;
    std::vector<located<conf::hostgroup_attributes>> hostgroup_attributes;
    std::vector<located<ha_server>> ha_servers;
    std::vector<located<user>> users;
    std::vector<located<database>> databases;
    std::vector<located<query_rule>> query_rules;
    std::vector<located<fast_route>> fast_routes;
    std::vector<located<firewall_user>> firewall_users;
    std::vector<located<firewall_rule>> firewall_rules;
    std::vector<located<hba_rule>> hba_rules;
    std::vector<located<user_map>> user_maps;
};

/// Collects the problems of one file.
struct problem_list {
    std::string file;
    std::vector<diagnostic> errors{};
    std::vector<diagnostic> warnings{};

    void error(int line, std::string message) {
        errors.push_back({file, line, std::move(message)});
    }
    void warn(int line, std::string message) {
        warnings.push_back({file, line, std::move(message)});
    }
    void sort() {
        std::ranges::stable_sort(errors, {}, &diagnostic::line);
        std::ranges::stable_sort(warnings, {}, &diagnostic::line);
    }
};

}  // namespace howdah::conf
