#include "monitor/hostgroups.hpp"

#include <algorithm>
#include <tuple>

namespace howdah::monitor {

std::string_view to_string(status value) noexcept {
    switch (value) {
        case status::online:
            return "ONLINE";
        case status::shunned:
            return "SHUNNED";
        case status::offline_soft:
            return "OFFLINE_SOFT";
        case status::offline_hard:
            return "OFFLINE_HARD";
        case status::shunned_replication_lag:
            return "SHUNNED_REPLICATION_LAG";
    }
    return "SHUNNED";
}

std::string to_string(const endpoint& at) {
    const bool v6 = at.host.find(':') != std::string::npos && at.host.front() != '/';
    return (v6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

std::span<const member> hostgroups::in(int hostgroup) const noexcept {
    const auto range = std::ranges::equal_range(members, hostgroup, {}, &member::hostgroup);
    return {range.begin(), range.end()};
}

const member* hostgroups::find(int hostgroup, const endpoint& at) const noexcept {
    const auto group = in(hostgroup);
    const auto found = std::ranges::find(group, at, &member::at);
    return found == group.end() ? nullptr : &*found;
}

bool hostgroups::any_online(int hostgroup) const noexcept {
    return std::ranges::any_of(in(hostgroup), &member::serves);
}

std::optional<int> hostgroups::reader_of(int writer_hostgroup) const noexcept {
    const auto found = std::ranges::find(pairs, writer_hostgroup, &hostgroup_pair::writer);
    return found == pairs.end() ? std::nullopt : std::optional(found->reader);
}

std::optional<int> hostgroups::writer_of(int reader_hostgroup) const noexcept {
    const auto found = std::ranges::find(pairs, reader_hostgroup, &hostgroup_pair::reader);
    return found == pairs.end() ? std::nullopt : std::optional(found->writer);
}

bool hostgroups::is_writer(int hostgroup) const noexcept {
    return std::ranges::find(pairs, hostgroup, &hostgroup_pair::writer) != pairs.end();
}

bool hostgroups::exists(int hostgroup) const noexcept {
    return std::ranges::binary_search(known, hostgroup);
}

bool hostgroups::refuses(int hostgroup) const noexcept {
    return std::ranges::binary_search(refusing, hostgroup);
}

const std::string* hostgroups::held_because(int hostgroup) const noexcept {
    const auto found = std::ranges::find(held, hostgroup, &held_hostgroup::hostgroup);
    return found == held.end() ? nullptr : &found->why;
}

bool hostgroups::same_as(const hostgroups& other) const noexcept {
    return settled == other.settled && members == other.members && pairs == other.pairs &&
           known == other.known && refusing == other.refusing && split == other.split &&
           held == other.held;
}

}  // namespace howdah::monitor
