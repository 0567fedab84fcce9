#pragma once
#include <map>
#include <string>
#include <string_view>

#include "conf/settings.hpp"
#include "monitor/engine.hpp"

namespace howdah::monitor::test {

inline constexpr int writer_hg = 10;
inline constexpr int reader_hg = 20;
inline constexpr std::uint64_t our_cluster = 777;

inline endpoint at(const std::string& host) {
    return {host, 5432};
}

inline observation seen(role as, std::uint32_t timeline = 1,
                        std::uint64_t system_identifier = our_cluster) {
    observation out;
    out.as = as;
    out.settled = true;
    out.timeline = timeline;
    out.system_identifier = system_identifier;
    return out;
}

inline observation in_health(observation one, health value) {
    one.health = value;
    return one;
}

/// A pair 10/20 with pg1 configured as writer, pg2 and pg3 as readers, and what is known of them.
/// Remembers the incumbents from one composition to the next, as the monitor does.
struct world {
    conf::settings settings;
    std::map<endpoint, observation> observed;
    ruling decision;
    std::map<int, incumbent> incumbents;
    composition last;

    world() {
        settings.replication_hostgroups = {{writer_hg, reader_hg, ""}};
        add(writer_hg, "pg1");
        add(reader_hg, "pg2");
        add(reader_hg, "pg3");
    }

    conf::server& add(int hostgroup, const std::string& host) {
        conf::server row;
        row.hostgroup_id = hostgroup;
        row.hostname = host;
        return settings.servers.emplace_back(row);
    }

    observation& operator[](const std::string& host) { return observed[at(host)]; }

    /// pg1 primary, pg2 and pg3 standbys, all seen.
    world& healthy() {
        (*this)["pg1"] = seen(role::primary);
        (*this)["pg2"] = seen(role::standby);
        (*this)["pg3"] = seen(role::standby);
        return *this;
    }

    /// "10 pg1 ONLINE, 20 pg2 ONLINE"
    std::string compose() {
        last = monitor::compose(settings, observed, decision, incumbents);
        incumbents = last.incumbents;
        std::string out;
        for (const auto& one : last.groups.members)
            out += (out.empty() ? "" : ", ") + std::to_string(one.hostgroup) + " " + one.at.host +
                   " " + std::string(to_string(one.state));
        return out;
    }

    /// The reason shown with a server that is not online, or "".
    std::string shown(const std::string& host) const {
        for (const auto& one : last.groups.members)
            if (one.at == at(host) && !one.reason.empty()) return one.reason;
        return "";
    }

    /// Why a server is kept out, or "".
    std::string reason(const std::string& host) const {
        for (const auto& one : last.conflicts)
            if (one.at == at(host)) return one.reason;
        return "";
    }
};

}  // namespace howdah::monitor::test
