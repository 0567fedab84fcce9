#include "monitor/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "conf/settings.hpp"

namespace howdah::monitor {
namespace {

status as_configured(conf::server_status value) {
    switch (value) {
        case conf::server_status::online:
            return status::online;
        case conf::server_status::shunned:
            return status::shunned;
        case conf::server_status::offline_soft:
            return status::offline_soft;
        case conf::server_status::offline_hard:
            return status::offline_hard;
    }
    return status::shunned;
}

/// What is found counts only where the operator has not decided.
status combine(const conf::server& row, status found) {
    return row.status == conf::server_status::online ? found : as_configured(row.status);
}

member make_member(int hostgroup, const conf::server& row, status found, const observation& seen) {
    return {
        .hostgroup = hostgroup,
        .at = {row.hostname, row.port},
        .state = combine(row, found),
        .weight = row.weight,
        .max_connections = row.max_connections,
        .max_replication_lag = row.max_replication_lag,
        .use_ssl = row.use_ssl,
        .max_latency_ms = row.max_latency_ms,
        .slow = row.max_latency_ms != 0 && seen.ping_us > std::int64_t{row.max_latency_ms} * 1000,
        .comment = row.comment};
}

/// One server of a pair, with its configured rows.
struct candidate {
    endpoint at;
    const conf::server* writer_row = nullptr;
    const conf::server* reader_row = nullptr;
    observation seen;
    bool fenced = false;

    const conf::server& row_for_writer() const { return writer_row ? *writer_row : *reader_row; }
    const conf::server& row_for_reader() const { return reader_row ? *reader_row : *writer_row; }
    bool usable() const { return seen.health == health::up && !fenced; }
    bool may_write() const {
        return usable() && seen.as == role::primary &&
               row_for_writer().status == conf::server_status::online;
    }
};

bool both_known_and_differ(std::uint64_t a, std::uint64_t b) {
    return a && b && a != b;
}

/// Composes one writer/reader pair.
class pair_composer {
public:
    pair_composer(const conf::settings& settings, const std::map<endpoint, observation>& observed,
                  const ruling& decision, hostgroup_pair pair, std::optional<incumbent> before,
                  composition& out)
        : settings_(settings), pair_(pair), incumbent_(std::move(before)), out_(out) {
        collect(observed, decision);
        if (const auto ruled = decision.writers.find(pair_.writer); ruled != decision.writers.end())
            ruled_ = ruled->second;
    }

    void run() {
        choose_writer();
        for (const auto& one : servers_)
            place(one);
        remember_writer();
    }

private:
    void collect(const std::map<endpoint, observation>& observed, const ruling& decision) {
        for (const auto& row : settings_.servers) {
            if (row.hostgroup_id != pair_.writer && row.hostgroup_id != pair_.reader) continue;
            const endpoint at{row.hostname, row.port};
            auto found = std::ranges::find(servers_, at, &candidate::at);
            if (found == servers_.end()) {
                servers_.emplace_back().at = at;
                found = std::prev(servers_.end());
            }
            (row.hostgroup_id == pair_.writer ? found->writer_row : found->reader_row) = &row;
            found->fenced = decision.fenced.contains(at);
            if (const auto seen = observed.find(at); seen != observed.end())
                found->seen = seen->second;
            else if (row.status == conf::server_status::offline_hard)
                found->seen.settled = true;  // never checked
        }
    }

    void choose_writer() {
        if (ruled_) {
            const auto found = std::ranges::find(servers_, *ruled_, &candidate::at);
            if (found != servers_.end() && found->usable()) writer_ = &*found;
            return;
        }
        std::vector<const candidate*> admitted;
        for (const auto& one : servers_)
            if (one.may_write() && !stale_reason(one)) admitted.push_back(&one);
        if (admitted.size() <= 1) {
            writer_ = admitted.empty() ? nullptr : admitted.front();
            return;
        }
        if (incumbent_) {
            const auto found = std::ranges::find(admitted, incumbent_->at, &candidate::at);
            if (found != admitted.end()) {
                writer_ = *found;
                return;
            }
        }
        writer_ = on_highest_timeline(admitted);
        if (!writer_) writer_ = only_configured_writer(admitted);
    }

    /// Why a primary must not follow the last writer: it does not have that one's history.
    std::optional<std::string> stale_reason(const candidate& one) const {
        if (!incumbent_) return std::nullopt;
        if (both_known_and_differ(one.seen.system_identifier, incumbent_->system_identifier))
            return fmt::format(
                "it is a primary of another cluster (system identifier {}; the writer's is {}); "
                "restart Howdah if that is intended",
                one.seen.system_identifier, incumbent_->system_identifier);
        if (one.seen.timeline && one.seen.timeline < incumbent_->timeline)
            return fmt::format(
                "it is a primary on timeline {}, and {} has already written on timeline {}: "
                "its data is outdated, rejoin it as a standby",
                one.seen.timeline, to_string(incumbent_->at), incumbent_->timeline);
        return std::nullopt;
    }

    static const candidate* on_highest_timeline(const std::vector<const candidate*>& admitted) {
        const candidate* best = admitted.front();
        bool unique = true;
        for (const auto* one : admitted) {
            if (!one->seen.timeline || !one->seen.system_identifier ||
                one->seen.system_identifier != best->seen.system_identifier)
                return nullptr;
            if (one == best) continue;
            if (one->seen.timeline == best->seen.timeline) unique = false;
            if (one->seen.timeline > best->seen.timeline) {
                best = one;
                unique = true;
            }
        }
        return unique ? best : nullptr;
    }

    static const candidate* only_configured_writer(const std::vector<const candidate*>& admitted) {
        const candidate* only = nullptr;
        for (const auto* one : admitted) {
            if (!one->writer_row) continue;
            if (only) return nullptr;
            only = one;
        }
        return only;
    }

    void place(const candidate& one) {
        if (&one == writer_) return add_writer(one, status::online);
        if (one.fenced) {
            keep_out(one, "it is fenced");
            return add_reader(one, status::shunned);
        }
        if (one.seen.health != health::up) return add_reader(one, status::shunned);
        switch (one.seen.as) {
            case role::primary:
                return place_other_primary(one);
            case role::standby:
                return place_standby(one);
            case role::unknown:
                return place_unknown(one);
        }
    }

    void place_other_primary(const candidate& one) {
        if (one.row_for_writer().status != conf::server_status::online && !writer_ && !ruled_)
            return add_writer(one, status::online);
        if (ruled_) {
            keep_out(one, "it is a primary, and " + to_string(*ruled_) + " was made the writer");
        } else if (const auto stale = stale_reason(one)) {
            keep_out(one, *stale);
        } else if (writer_) {
            keep_out(one, fmt::format("it is a second primary (timeline {}) beside the writer {} "
                                      "(timeline {}): two servers accept writes, stop one of them",
                                      one.seen.timeline, to_string(writer_->at),
                                      writer_->seen.timeline));
        } else {
            keep_out(one, fmt::format("several servers of hostgroup {} are primaries and nothing "
                                      "tells which is the right one: stop all but one",
                                      pair_.writer));
        }
        add_reader(one, status::shunned);
    }

    void place_standby(const candidate& one) {
        const auto cluster = incumbent_           ? incumbent_->system_identifier
                             : writer_ && !ruled_ ? writer_->seen.system_identifier
                                                  : 0;
        if (both_known_and_differ(one.seen.system_identifier, cluster)) {
            keep_out(one, fmt::format("it is a standby of another cluster (system identifier {}; "
                                      "the writer's is {})",
                                      one.seen.system_identifier, cluster));
            return add_reader(one, status::shunned);
        }
        const auto limit_ms = std::int64_t{one.row_for_reader().max_replication_lag} * 1000;
        const bool late = limit_ms != 0 && one.seen.replay_lag_ms.value_or(0) > limit_ms;
        add_reader(one, late ? status::shunned_replication_lag : status::online);
    }

    /// Never observed: as configured, unless that could make a second writer.
    void place_unknown(const candidate& one) {
        const bool writer_is_another =
            ruled_ || writer_ || (incumbent_ && incumbent_->at != one.at);
        if (one.writer_row && !writer_is_another) {
            add(pair_.writer, *one.writer_row, status::online, one);
            if (one.reader_row) add_reader(one, status::online);
            return;
        }
        if (one.reader_row) return add_reader(one, status::online);
        if (one.seen.settled)
            keep_out(one, "its role could not be read, and another server writes");
        add_reader(one, status::shunned);
    }

    void add(int hostgroup, const conf::server& row, status found, const candidate& one) {
        out_.groups.members.push_back(make_member(hostgroup, row, found, one.seen));
    }
    void add_writer(const candidate& one, status found) {
        add(pair_.writer, one.row_for_writer(), found, one);
        if (settings_.vars.monitor_writer_is_also_reader) add_reader(one, found);
    }
    void add_reader(const candidate& one, status found) {
        add(pair_.reader, one.row_for_reader(), found, one);
    }
    void keep_out(const candidate& one, std::string reason) {
        out_.conflicts.push_back({one.at, std::move(reason)});
    }

    /// Only after all have been looked at once: the first one seen at start need not be the right
    /// one.
    void remember_writer() {
        const bool settled =
            std::ranges::all_of(servers_, [](const candidate& one) { return one.seen.settled; });
        if (writer_ && writer_->seen.as == role::primary && (settled || ruled_ || incumbent_)) {
            const auto& seen = writer_->seen;
            const auto floor = incumbent_.value_or(incumbent{});
            const bool same_cluster =
                !both_known_and_differ(seen.system_identifier, floor.system_identifier);
            incumbent_ =
                incumbent{writer_->at,
                          seen.system_identifier ? seen.system_identifier : floor.system_identifier,
                          same_cluster ? std::max(seen.timeline, floor.timeline) : seen.timeline};
        }
        if (incumbent_) out_.incumbents[pair_.writer] = *incumbent_;
    }

    const conf::settings& settings_;
    hostgroup_pair pair_;
    std::optional<incumbent> incumbent_;
    std::optional<endpoint> ruled_;
    std::vector<candidate> servers_;
    const candidate* writer_ = nullptr;
    composition& out_;
};

void add_outside_pairs(const conf::settings& settings,
                       const std::map<endpoint, observation>& observed, const ruling& decision,
                       composition& out) {
    for (const auto& row : settings.servers) {
        const auto hostgroup = row.hostgroup_id;
        if (out.groups.is_writer(hostgroup) || out.groups.writer_of(hostgroup)) continue;
        const endpoint at{row.hostname, row.port};
        const auto found = observed.find(at);
        const auto seen = found == observed.end() ? observation{} : found->second;
        const bool usable = seen.health == health::up && !decision.fenced.contains(at);
        out.groups.members.push_back(
            make_member(hostgroup, row, usable ? status::online : status::shunned, seen));
    }
}

bool all_settled(const conf::settings& settings, const std::map<endpoint, observation>& observed) {
    return !settings.vars.monitor_enabled ||
           std::ranges::all_of(settings.servers, [&](const conf::server& row) {
               if (row.status == conf::server_status::offline_hard) return true;
               const auto found = observed.find({row.hostname, row.port});
               return found != observed.end() && found->second.settled;
           });
}

}  // namespace

composition compose(const conf::settings& settings, const std::map<endpoint, observation>& observed,
                    const ruling& decision, const std::map<int, incumbent>& incumbents) {
    composition out;
    for (const auto& pair : settings.replication_hostgroups) {
        out.groups.pairs.push_back({pair.writer_hostgroup, pair.reader_hostgroup});
        out.groups.known.push_back(pair.writer_hostgroup);
        out.groups.known.push_back(pair.reader_hostgroup);
    }
    for (const auto& row : settings.servers)
        out.groups.known.push_back(row.hostgroup_id);
    std::ranges::sort(out.groups.known);
    const auto repeated = std::ranges::unique(out.groups.known);
    out.groups.known.erase(repeated.begin(), repeated.end());

    for (const auto& pair : out.groups.pairs) {
        const auto before = incumbents.find(pair.writer);
        pair_composer(settings, observed, decision, pair,
                      before == incumbents.end() ? std::nullopt : std::optional(before->second),
                      out)
            .run();
    }
    add_outside_pairs(settings, observed, decision, out);
    std::ranges::sort(out.groups.members, {},
                      [](const member& m) { return std::tie(m.hostgroup, m.at); });
    std::ranges::sort(out.conflicts, {}, &kept_out::at);
    out.groups.settled = all_settled(settings, observed);
    return out;
}

}  // namespace howdah::monitor
