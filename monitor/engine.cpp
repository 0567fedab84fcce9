#include "monitor/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "conf/hostgroup_values.hpp"
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

member make_member(int hostgroup, const conf::server& row, status found, const observation& seen,
                   std::string reason) {
    const status state = combine(row, found);
    if (row.status != conf::server_status::online) reason = "it is configured so";
    if (state == status::online) reason.clear();
    return {
        .hostgroup = hostgroup,
        .at = {row.hostname, row.port},
        .state = state,
        .weight = row.weight,
        .max_connections = row.max_connections,
        .max_replication_lag = row.max_replication_lag,
        .use_ssl = row.use_ssl,
        .max_latency_ms = row.max_latency_ms,
        .slow = row.max_latency_ms != 0 && seen.ping_us > std::int64_t{row.max_latency_ms} * 1000,
        .comment = row.comment,
        .share = seen.share,
        .reason = std::move(reason),
        .address = seen.address};
}

constexpr const char* fenced_reason = "it is fenced";

const conf::hostgroup_attributes* attributes_of(const conf::settings& settings, int hostgroup) {
    const auto& all = settings.hostgroup_attributes;
    const auto found = std::ranges::find(all, hostgroup, &conf::hostgroup_attributes::hostgroup_id);
    return found == all.end() ? nullptr : &*found;
}

/// The row of a server as it counts in a hostgroup, which need not be the row's own.
conf::server row_in(const conf::settings& settings, int hostgroup, conf::server row) {
    if (row.hostgroup_id == hostgroup) return row;
    const auto* attributes = attributes_of(settings, hostgroup);
    if (attributes == nullptr) return row;
    const conf::server_defaults given = conf::parse_servers_defaults(attributes->servers_defaults);
    row.weight = given.weight.value_or(row.weight);
    row.max_connections = given.max_connections.value_or(row.max_connections);
    row.use_ssl = given.use_ssl.value_or(row.use_ssl);
    return row;
}

/// Of a hostgroup that must not have so many (two writers, say) nobody is used: nothing tells which
/// of them should be.
void empty_overfull(const conf::settings& settings, std::vector<member>& members) {
    for (const auto& a : settings.hostgroup_attributes) {
        const auto takes_work = [&](const member& m) {
            return m.hostgroup == a.hostgroup_id && m.serves();
        };
        const auto online = std::ranges::count_if(members, takes_work);
        if (online <= std::int64_t{a.max_num_online_servers}) continue;
        const std::string reason = fmt::format(
            "{} servers of hostgroup {} are online, more than its "
            "max_num_online_servers ({}): none takes work",
            online, a.hostgroup_id, a.max_num_online_servers);
        for (member& m : members) {
            if (!takes_work(m)) continue;
            m.state = status::shunned;
            m.overfull = true;
            m.stale_allowed = false;
            m.reason = reason;
        }
    }
}

std::string trouble_of(const observation& seen) {
    if (!seen.trouble.empty()) return seen.trouble;
    return seen.health == health::down ? "it does not answer" : "it takes no sessions";
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
        held_ = decision.held.contains(pair_.writer);
    }

    void run() {
        find_cluster();
        choose_writer();
        remember_writer();
        for (const auto& one : servers_)
            place(one);
        judge_readers();
        if (std::ranges::count_if(servers_, is_primary) > 1)
            out_.groups.split.push_back(pair_.writer);
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

    static bool is_primary(const candidate& one) {
        return one.seen.health == health::up && one.seen.as == role::primary;
    }

    /// The cluster that the pair belongs to: the last writer's, else that of most servers, else the
    /// configured writer's. A server that was initialised anew under an old address must not win.
    void find_cluster() {
        if (ruled_) {
            const auto found = std::ranges::find(servers_, *ruled_, &candidate::at);
            if (found != servers_.end()) cluster_ = found->seen.system_identifier;
        }
        if (!cluster_ && incumbent_) cluster_ = incumbent_->system_identifier;
        if (cluster_) return;
        std::map<std::uint64_t, int> votes;
        for (const auto& one : servers_)
            if (one.seen.system_identifier) ++votes[one.seen.system_identifier];
        int most = 0;
        for (const auto& [cluster, count] : votes)
            most = std::max(most, count);
        std::erase_if(votes, [most](const auto& vote) { return vote.second < most; });
        if (votes.size() == 1) {
            cluster_ = votes.begin()->first;
            return;
        }
        std::set<std::uint64_t> of_writers;
        for (const auto& one : servers_)
            if (one.writer_row && votes.contains(one.seen.system_identifier))
                of_writers.insert(one.seen.system_identifier);
        if (of_writers.size() == 1) cluster_ = *of_writers.begin();
        cluster_unclear_ = !cluster_ && !votes.empty();
    }

    void choose_writer() {
        if (ruled_) {
            const auto found = std::ranges::find(servers_, *ruled_, &candidate::at);
            if (found != servers_.end() && found->usable()) writer_ = &*found;
            return;
        }
        std::vector<const candidate*> admitted;
        for (const auto& one : servers_)
            if (one.may_write() && !stranger_reason(one) && !stale_reason(one))
                admitted.push_back(&one);
        keep_newest_timeline(admitted);
        writer_ = admitted.size() == 1 ? admitted.front() : nullptr;
        if (admitted.size() <= 1) return;
        if (incumbent_) {
            const auto found = std::ranges::find(admitted, incumbent_->at, &candidate::at);
            if (found != admitted.end()) {
                writer_ = *found;
                return;
            }
        }
        writer_ = only_configured_writer(admitted);
    }

    /// Why a server is none of this pair's cluster.
    std::optional<std::string> stranger_reason(const candidate& one) const {
        const char* what = one.seen.as == role::primary ? "primary" : "standby";
        if (cluster_unclear_ && one.seen.system_identifier)
            return fmt::format(
                "it is a {} of one cluster (system identifier {}), another server of "
                "hostgroups {} and {} belongs to another, and nothing tells which "
                "is the right one: take one of them out",
                what, one.seen.system_identifier, pair_.writer, pair_.reader);
        if (!both_known_and_differ(one.seen.system_identifier, cluster_)) return std::nullopt;
        return fmt::format(
            "it is a {} of another cluster (system identifier {}; that of hostgroup "
            "{} is {}){}",
            what, one.seen.system_identifier, pair_.writer, cluster_,
            incumbent_ ? "; restart Howdah if that is intended" : "");
    }

    /// Why a primary must not follow the last writer: it does not have that one's history.
    std::optional<std::string> stale_reason(const candidate& one) const {
        if (!incumbent_ || !one.seen.timeline || one.seen.timeline >= incumbent_->timeline)
            return std::nullopt;
        return fmt::format(
            "it is a primary on timeline {}, and {} has already written on timeline "
            "{}: its data is outdated, stop it and rejoin it as a standby",
            one.seen.timeline, to_string(incumbent_->at), incumbent_->timeline);
    }

    /// Of primaries of one cluster those on the newest timeline; all, where that is not known.
    static void keep_newest_timeline(std::vector<const candidate*>& admitted) {
        std::uint32_t newest = 0;
        for (const auto* one : admitted) {
            if (!one->seen.timeline || !one->seen.system_identifier ||
                one->seen.system_identifier != admitted.front()->seen.system_identifier)
                return;
            newest = std::max(newest, one->seen.timeline);
        }
        std::erase_if(admitted, [&](const auto* one) { return one->seen.timeline < newest; });
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
        if (one.fenced) return keep_out(one, fenced_reason);
        if (one.seen.health != health::up)
            return add_reader(one, status::shunned, trouble_of(one.seen));
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
        if (ruled_)
            return keep_out(
                one, ruled_->host.empty()
                         ? "it accepts writes, and nobody may write now: see SHOW HA"
                         : "it is a primary, and " + to_string(*ruled_) + " was made the writer");
        if (auto stranger = stranger_reason(one)) return keep_out(one, std::move(*stranger));
        if (auto stale = stale_reason(one)) return keep_out(one, std::move(*stale));
        if (writer_)
            return keep_out(one, fmt::format("split brain: it is a second primary (timeline {}) "
                                             "beside the writer {} (timeline {}): two servers "
                                             "accept writes, stop one of them",
                                             one.seen.timeline, to_string(writer_->at),
                                             writer_->seen.timeline));
        keep_out(one, fmt::format("split brain: several servers of hostgroup {} are primaries and "
                                  "nothing tells which is the right one: stop all but one",
                                  pair_.writer));
    }

    void place_standby(const candidate& one) {
        if (auto stranger = stranger_reason(one)) return keep_out(one, std::move(*stranger));
        if (const auto* source = old_primary_of(one))
            return keep_out(
                one, fmt::format("it is a standby on timeline {}, which {} still writes; "
                                 "the writer's is timeline {}: let it follow that",
                                 one.seen.timeline, to_string(source->at), newest_timeline()));
        if (writer_ && is_primary(*writer_) && writer_->seen.timeline &&
            one.seen.timeline > writer_->seen.timeline)
            return keep_out(
                one,
                fmt::format("it is a standby on timeline {}, newer than that of the "
                            "writer {} ({}): it follows another primary",
                            one.seen.timeline, to_string(writer_->at), writer_->seen.timeline));
        switch (one.seen.lag) {
            case lag_state::within:
                return add_reader(one, status::online);
            case lag_state::above:
                return add_reader(one, status::shunned_replication_lag,
                                  fmt::format("it is further behind than its max_replication_lag "
                                              "({} s)",
                                              one.row_for_reader().max_replication_lag));
            case lag_state::unmeasured:
                return add_reader(one, status::shunned_replication_lag,
                                  "it is back, and its replication lag is not measured yet");
        }
    }

    std::uint32_t newest_timeline() const {
        return std::max(incumbent_ ? incumbent_->timeline : 0,
                        writer_ ? writer_->seen.timeline : 0);
    }

    /// The primary on an older timeline than the writer's whose data this standby may be getting.
    const candidate* old_primary_of(const candidate& one) const {
        if (!one.seen.timeline || one.seen.timeline >= newest_timeline()) return nullptr;
        const auto found = std::ranges::find_if(servers_, [&](const candidate& other) {
            return &other != writer_ && is_primary(other) &&
                   other.seen.timeline == one.seen.timeline;
        });
        return found == servers_.end() ? nullptr : &*found;
    }

    /// Never observed: as configured, unless that could make a second writer.
    void place_unknown(const candidate& one) {
        const bool writer_is_another =
            ruled_ || writer_ || (incumbent_ && incumbent_->at != one.at);
        if (one.writer_row && !writer_is_another) {
            add(pair_.writer, *one.writer_row, status::online, one, {});
            if (one.reader_row) add_reader(one, status::online);
            return;
        }
        if (one.reader_row) return add_reader(one, status::online);
        if (one.seen.settled)
            return keep_out(one, "its role could not be read, and another server writes");
        add_reader(one, status::shunned, "its role is not known yet");
    }

    void add(int hostgroup, const conf::server& row, status found, const candidate& one,
             std::string reason) {
        out_.groups.members.push_back(make_member(hostgroup, row_in(settings_, hostgroup, row),
                                                  found, one.seen, std::move(reason)));
    }
    void add_writer(const candidate& one, status found) {
        add(pair_.writer, one.row_for_writer(), found, one, {});
        if (settings_.vars.monitor_writer_is_also_reader) add_reader(one, found);
    }
    void add_reader(const candidate& one, status found, std::string reason = {}) {
        add(pair_.reader, one.row_for_reader(), found, one, std::move(reason));
    }
    void keep_out(const candidate& one, std::string reason) {
        add_reader(one, status::shunned, reason);
        out_.conflicts.push_back({one.at, std::move(reason)});
    }

    /// What becomes of the reads when nobody but late readers is left.
    void judge_readers() {
        const auto readers = [&](const auto& what) {
            for (auto& one : out_.groups.members)
                if (one.hostgroup == pair_.reader) what(one);
        };
        bool any_online = false, any_late = false;
        readers([&](const member& one) {
            const auto found = std::ranges::find(servers_, one.at, &candidate::at);
            any_online |= one.state == status::online;
            // One that is not measured yet will be in a moment.
            any_late |=
                one.state == status::shunned_replication_lag && found->seen.lag == lag_state::above;
        });
        if (any_online || !any_late) return;
        switch (settings_.vars.monitor_all_readers_lagging) {
            case conf::lagging_reads::writer:
                return;
            case conf::lagging_reads::error:
                out_.groups.refusing.push_back(pair_.reader);
                return;
            case conf::lagging_reads::stale:
                readers([](member& one) {
                    one.stale_allowed = one.state == status::shunned_replication_lag;
                });
        }
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
    bool held_ = false;  ///< a failover or switchover is under way
    std::vector<candidate> servers_;
    std::uint64_t cluster_ = 0;     ///< system identifier; 0 = not known
    bool cluster_unclear_ = false;  ///< several are known, and none is the pair's
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
        const bool fenced = decision.fenced.contains(at);
        const bool usable = seen.health == health::up && !fenced;
        out.groups.members.push_back(make_member(hostgroup, row,
                                                 usable ? status::online : status::shunned, seen,
                                                 fenced ? fenced_reason : trouble_of(seen)));
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
        if (const auto held = decision.held.find(pair.writer); held != decision.held.end())
            out.groups.held.push_back({pair.writer, held->second});
    }
    add_outside_pairs(settings, observed, decision, out);
    empty_overfull(settings, out.groups.members);
    std::ranges::sort(out.groups.members, {},
                      [](const member& m) { return std::tie(m.hostgroup, m.at); });
    std::ranges::sort(out.conflicts, {}, &kept_out::at);
    std::ranges::sort(out.groups.refusing);
    std::ranges::sort(out.groups.split);
    std::ranges::sort(out.groups.held, {}, &held_hostgroup::hostgroup);
    out.groups.settled = all_settled(settings, observed);
    return out;
}

}  // namespace howdah::monitor
