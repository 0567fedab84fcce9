#include "conf/validate_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tuple>

#include "conf/diagnostic.hpp"
#include "conf/duplicates.hpp"
#include "conf/rule_values.hpp"

namespace howdah::conf {
namespace {

constexpr auto unknown_hostgroup = "{}: {} {} has no server and is in no replication hostgroup";

std::string name_of(const query_rule& r) {
    return fmt::format("query rule {}", r.rule_id);
}
std::string name_of(const fast_route& f) {
    return fmt::format("fast route of user {} in database {} with flagIN {}", quoted(f.username),
                       quoted(f.database), f.flag_in);
}
std::string name_of(const firewall_user& u) {
    return fmt::format("firewall user {} at {}", quoted(u.username), quoted(u.client_address));
}
std::string name_of(const firewall_rule& r) {
    return fmt::format("firewall rule of user {} at {} in database {} with flagIN {} for {}",
                       quoted(r.username), quoted(r.client_address), quoted(r.database), r.flag_in,
                       r.digest);
}

void check_duplicates(const document& config, problem_list& problems) {
    const auto name = [](const auto& record) { return name_of(record); };
    report_duplicates(
        config.query_rules, [](const query_rule& r) { return r.rule_id; }, name, problems);
    report_duplicates(
        config.fast_routes,
        [](const fast_route& f) { return std::tuple(f.username, f.database, f.flag_in); }, name,
        problems);
    report_duplicates(
        config.firewall_users,
        [](const firewall_user& u) { return std::tuple(u.username, u.client_address); }, name,
        problems);
    report_duplicates(
        config.firewall_rules,
        [](const firewall_rule& r) {
            return std::tuple(r.username, r.client_address, r.database, r.flag_in,
                              parse_digest(r.digest));
        },
        name, problems);
}

/// Flags that somebody looks at.
std::set<int> flags_looked_at(const document& config) {
    std::set<int> flags{0};
    for (const auto& r : config.query_rules)
        if (r.value.active) flags.insert(r.value.flag_in);
    for (const auto& f : config.fast_routes)
        flags.insert(f.value.flag_in);
    for (const auto& f : config.firewall_rules)
        flags.insert(f.value.flag_in);
    return flags;
}

void check_flag(const located<query_rule>& r, std::string_view column, std::optional<int> flag,
                const std::set<int>& flags, problem_list& problems) {
    if (flag && !flags.contains(*flag))
        problems.warn(r.line_of(column),
                      fmt::format("{}: {} {} leads nowhere: no active rule has it as its flagIN",
                                  name_of(r.value), column, *flag));
}

void check_effects(const located<query_rule>& r, problem_list& problems) {
    std::vector<std::string_view> idle;
    for (const std::string_view column : {"cache_timeout", "reconnect", "sticky_conn"})
        if (r.given(column)) idle.push_back(column);
    if (!idle.empty())
        problems.warn(r.line_of(idle.front()),
                      fmt::format("{}: has no effect in Howdah: {}", name_of(r.value),
                                  fmt::join(idle, ", ")));
}

void check_rules(const document& config, const std::set<int>& known, problem_list& problems) {
    const std::set<int> flags = flags_looked_at(config);
    for (const auto& r : config.query_rules) {
        const query_rule& value = r.value;
        if (value.replace_pattern && !value.match_pattern)
            problems.error(
                r.line_of("replace_pattern"),
                fmt::format("{}: replace_pattern needs a match_pattern", name_of(value)));
        const auto check_hostgroup = [&](std::string_view column, std::optional<int> to) {
            if (to && !known.contains(*to))
                problems.error(r.line_of(column),
                               fmt::format(unknown_hostgroup, name_of(value), column, *to));
        };
        check_hostgroup("destination_hostgroup", value.destination_hostgroup);
        check_hostgroup("mirror_hostgroup", value.mirror_hostgroup);
        check_effects(r, problems);
        if (!value.active) continue;
        if (!value.apply) {
            check_flag(r, "flagOUT", value.flag_out, flags, problems);
            const auto drawn = parse_weighted_flags(value.attributes);
            for (const weighted_flag& f : drawn.value_or(std::vector<weighted_flag>()))
                check_flag(r, "attributes", f.flag, flags, problems);
        }
        check_flag(r, "mirror_flagOUT", value.mirror_flag_out, flags, problems);
        check_flag(r, "next_query_flagIN", value.next_query_flag_in, flags, problems);
    }
    for (const auto& f : config.fast_routes)
        if (!known.contains(f.value.destination_hostgroup))
            problems.error(f.line_of("destination_hostgroup"),
                           fmt::format(unknown_hostgroup, name_of(f.value), "destination_hostgroup",
                                       f.value.destination_hostgroup));
}

}  // namespace

void validate_rules(const document& config, const std::set<int>& known, problem_list& problems) {
    check_duplicates(config, problems);
    check_rules(config, known, problems);
}

}  // namespace howdah::conf
