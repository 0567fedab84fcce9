#include "conf/reload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "conf/columns.hpp"
#include "conf/options.hpp"

namespace howdah::conf {
namespace {

auto key_of(const server& s) {
    return std::tie(s.hostgroup_id, s.hostname, s.port);
}
auto key_of(const replication_hostgroup& r) {
    return std::tie(r.writer_hostgroup);
}
auto key_of(const hostgroup_attributes& a) {
    return std::tie(a.hostgroup_id);
}
auto key_of(const ha_server& h) {
    return std::tie(h.hostname, h.port);
}
auto key_of(const user& u) {
    return std::tie(u.username);
}
auto key_of(const database& d) {
    return std::tie(d.name);
}
auto key_of(const query_rule& r) {
    return std::tie(r.rule_id);
}

auto key_of(const fast_route& f) {
    return std::tie(f.username, f.database, f.flag_in);
}
auto key_of(const firewall_user& u) {
    return std::tie(u.username, u.client_address);
}
auto key_of(const firewall_rule& r) {
    return std::tie(r.username, r.client_address, r.database, r.flag_in, r.digest);
}

template <class Record>
const Record* find_same(const std::vector<Record>& records, const Record& wanted) {
    const auto found =
        std::ranges::find_if(records, [&](const Record& r) { return key_of(r) == key_of(wanted); });
    return found == records.end() ? nullptr : &*found;
}

template <class Record>
void compare_list(const std::vector<Record>& running, const std::vector<Record>& fresh,
                  reload_report& report) {
    int added = 0, changed = 0;
    for (const auto& record : fresh) {
        const auto* before = find_same(running, record);
        if (!before)
            ++added;
        else if (*before != record)
            ++changed;
    }
    const auto removed = std::ranges::count_if(
        running, [&](const Record& record) { return !find_same(fresh, record); });

    std::vector<std::string> parts;
    if (added) parts.push_back(fmt::format("{} added", added));
    if (removed) parts.push_back(fmt::format("{} removed", removed));
    if (changed) parts.push_back(fmt::format("{} changed", changed));
    if (!parts.empty())
        report.changed.push_back(
            fmt::format("{}: {}", section_name<Record>, fmt::join(parts, ", ")));
}

/// Records without a key, whose order matters.
template <class Record>
void compare_whole(const std::vector<Record>& running, const std::vector<Record>& fresh,
                   reload_report& report) {
    if (running != fresh)
        report.changed.push_back(fmt::format("{}: changed ({} before, {} now)",
                                             section_name<Record>, running.size(), fresh.size()));
}

}  // namespace

reload_report compare(const settings& running, const settings& fresh) {
    reload_report report;
    for (const auto& row : options()) {
        const auto before = row.get(running.vars).value_or("");
        const auto after = row.get(fresh.vars).value_or("");
        if (before == after) continue;
        const auto line =
            row.secret ? fmt::format("{}: changed", row.name)
                       : fmt::format("{}: {} -> {}", row.name, before.empty() ? "(empty)" : before,
                                     after.empty() ? "(empty)" : after);
        report.changed.push_back(line);
        if (!row.reloadable) report.needs_restart.push_back(line);
    }
    compare_list(running.servers, fresh.servers, report);
    compare_list(running.replication_hostgroups, fresh.replication_hostgroups, report);
    compare_list(running.hostgroup_attributes, fresh.hostgroup_attributes, report);
    compare_list(running.ha_servers, fresh.ha_servers, report);
    compare_list(running.users, fresh.users, report);
    compare_list(running.databases, fresh.databases, report);
    compare_list(running.query_rules, fresh.query_rules, report);
    compare_list(running.fast_routes, fresh.fast_routes, report);
    compare_list(running.firewall_users, fresh.firewall_users, report);
    compare_list(running.firewall_rules, fresh.firewall_rules, report);
    compare_whole(running.hba_rules, fresh.hba_rules, report);
    compare_whole(running.user_maps, fresh.user_maps, report);
    return report;
}

std::shared_ptr<const settings> in_force_after_reload(const settings& running,
                                                      const settings& fresh) {
    auto result = std::make_shared<settings>(fresh);
    for (const auto& row : options())
        if (!row.reloadable) row.set(result->vars, row.get(running.vars).value_or(""));
    return result;
}

}  // namespace howdah::conf
