#include "ha/configured.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "conf/hba_names.hpp"
#include "conf/tag_values.hpp"
#include "conf/text_list.hpp"
#include "monitor/login.hpp"

namespace howdah::ha {
namespace {

server_config described(const endpoint& at, const conf::settings& settings,
                        const known_so_far& known) {
    const auto& [notes, records, now, clock] = known;
    server_config out;
    out.at = at;
    const auto row = std::ranges::find_if(settings.ha_servers, [&](const conf::ha_server& one) {
        return endpoint{one.hostname, one.port} == at;
    });
    if (row != settings.ha_servers.end()) {
        out.rule = static_cast<promotion_rule>(row->promotion_rule);
        out.data_center = row->data_center;
        out.tags = conf::parse_tags(row->tags);
    }
    if (const auto found = notes.promotion_rules.find(at);
        found != notes.promotion_rules.end() &&
        (found->second.until == 0 || found->second.until > now))
        out.rule = found->second.rule;
    if (const auto found = notes.tags.find(at); found != notes.tags.end())
        for (const auto& [name, value] : found->second)
            out.tags[name] = value;
    if (const auto found = notes.downtimes.find(at);
        found != notes.downtimes.end() && found->second.until > now)
        out.down = downtime{found->second.owner, found->second.reason,
                            clock + (found->second.until - now)};
    return out;
}

std::string name_of(const cluster_config& one,
                    const std::map<std::string, cluster_record>& records) {
    auto first = to_string(one.servers.front().at);
    if (records.contains(first)) return first;
    for (const auto& [name, record] : records)
        if (std::ranges::find(one.servers, record.primary, &server_config::at) != one.servers.end())
            return name;
    return first;
}

time_us micros(std::chrono::milliseconds value) {
    return std::chrono::duration_cast<std::chrono::microseconds>(value).count();
}

}  // namespace

std::vector<cluster_config> configured_clusters(const conf::settings& settings,
                                                const known_so_far& known) {
    std::vector<cluster_config> out;
    for (const auto& pair : settings.replication_hostgroups) {
        cluster_config one;
        one.writer_hostgroup = pair.writer_hostgroup;
        one.alias = pair.comment;
        std::set<endpoint> seen;
        for (const auto& row : settings.servers) {
            const endpoint at{row.hostname, row.port};
            if ((row.hostgroup_id != pair.writer_hostgroup &&
                 row.hostgroup_id != pair.reader_hostgroup) ||
                row.status == conf::server_status::offline_hard || !seen.insert(at).second)
                continue;
            one.servers.push_back(described(at, settings, known));
        }
        if (one.servers.empty()) continue;
        one.name = name_of(one, known.records);
        if (const auto given = known.notes.aliases.find(one.name);
            given != known.notes.aliases.end())
            one.alias = given->second;
        out.push_back(std::move(one));
    }
    return out;
}

policy policy_of(const conf::variables& vars, const operator_notes& notes) {
    policy out;
    out.mode = static_cast<mode>(vars.ha_mode);
    out.global_recoveries = notes.global_recoveries;
    out.cluster_filters = conf::split_text_list(vars.ha_recover_cluster_filters);
    out.block_after_recovery_us = vars.ha_recovery_block.count() * 1'000'000;
    out.candidates.promise = static_cast<durability>(vars.ha_durability);
    out.candidates.max_lag_bytes = vars.ha_max_lag_bytes;
    out.candidates.same_data_center = vars.ha_same_data_center;
    out.diagnoses.start_timeout_us = micros(vars.ha_start_timeout);
    return out;
}

std::vector<std::string> ignored_managers(const conf::variables& vars) {
    const auto names = conf::split_hba_names(vars.ha_ignore_managers);
    return {names.begin(), names.end()};
}

plan_options plan_options_of(const conf::variables& vars) {
    plan_options out;
    out.promise = static_cast<durability>(vars.ha_durability);
    out.slots_for_all = vars.ha_slots_for_all;
    out.has_agent = !vars.ha_agent.empty();
    out.promote_timeout_us = micros(vars.ha_promote_timeout);
    out.rewire_timeout_us = micros(vars.ha_rewire_timeout);
    out.drain_timeout_us = micros(vars.ha_drain_timeout);
    return out;
}

monitor::pq_parameters login_of(const conf::settings& settings, const endpoint& at) {
    const auto& vars = settings.vars;
    const bool own = !vars.ha_username.empty();
    const monitor::server_login as{own ? vars.ha_username : vars.monitor_username,
                                   own ? vars.ha_password : vars.monitor_password, "howdah-ha"};
    return monitor::login_parameters(vars, as, monitor::requires_tls(settings, at),
                                     vars.monitor_dbname);
}

}  // namespace howdah::ha
