#include "ha/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ha/conninfo.hpp"
#include "ha/other_manager.hpp"

namespace howdah::ha {
namespace {

constexpr std::array<std::string_view, 5> rule_names{"must", "prefer", "neutral", "prefer_not",
                                                     "must_not"};

std::string lowered(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return text;
}

/// A name that means something else on every machine.
bool is_local(const std::string& host) {
    return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" ||
           host == "::1" || host.starts_with("127.");
}

/// Compares names of servers, with what is known of their addresses.
class name_matcher {
public:
    explicit name_matcher(const address_book& book) : book_(book) {}

    bool same_host(const std::string& a, const std::string& b) const {
        const auto first = addresses(a);
        const auto second = addresses(b);
        return std::ranges::any_of(first, [&](const auto& one) { return second.contains(one); });
    }
    /// `called`: what `from` calls its upstream.
    bool is_called(const server& subject, endpoint called, const server& from) const {
        if (is_local(called.host)) called.host = from.at().host;
        const auto matches = [&](const endpoint& name) {
            return name.port == called.port && same_host(name.host, called.host);
        };
        if (std::ranges::any_of(subject.names, matches)) return true;
        const auto& own = subject.facts.own_address;
        return own && !is_local(own->host) && matches(*own);
    }
    bool has_address(const server& subject, const std::string& address) const {
        const auto& own = subject.facts.own_address;
        return (own && own->host == address) ||
               std::ranges::any_of(subject.names, [&](const endpoint& name) {
                   return same_host(name.host, address);
               });
    }

private:
    std::set<std::string> addresses(const std::string& host) const {
        std::set<std::string> out{lowered(host)};
        if (const auto known = book_.find(host); known != book_.end())
            out.insert(known->second.begin(), known->second.end());
        return out;
    }

    const address_book& book_;
};

class builder {
public:
    explicit builder(const topology_input& input) : input_(input), names_(input.addresses) {}

    topology run() {
        for (const auto& config : input_.clusters)
            add_configured(config);
        for (const auto& [at, facts] : input_.facts)
            if (!placed_.contains(at)) add_unconfigured(at, facts);
        for (auto& one : out_.clusters) {
            for (auto& member : one.servers)
                member.foreign = one.system_identifier && member.facts.system_identifier &&
                                 member.facts.system_identifier != one.system_identifier;
            for (auto& member : one.servers)
                if (const auto* found =
                        manager_in_charge(member.facts.managers, input_.ignored_managers))
                    member.manager = *found;
            link(one);
            discover(one);
        }
        return std::move(out_);
    }

private:
    void add_configured(const cluster_config& config) {
        cluster one;
        one.name = config.name;
        if (one.name.empty() && !config.servers.empty())
            one.name = to_string(config.servers.front().at);
        one.alias = config.alias;
        one.writer_hostgroup = config.writer_hostgroup;
        one.now_us = input_.now_us;
        for (const auto& row : config.servers) {
            server next = make_server(row);
            const auto twin = std::ranges::find_if(one.servers, [&](const server& other) {
                return other.is(row.at) || same_instance(other.facts, next.facts);
            });
            if (twin == one.servers.end())
                one.servers.push_back(std::move(next));
            else
                merge(*twin, next);
        }
        one.system_identifier = identifier_of(one);
        out_.clusters.push_back(std::move(one));
    }

    void add_unconfigured(const endpoint& at, const server_facts& facts) {
        placed_.insert(at);
        if (!facts.system_identifier) return;  // nothing says where it belongs
        const auto home =
            std::ranges::find(out_.clusters, facts.system_identifier, &cluster::system_identifier);
        server_config row;
        row.at = at;
        server next = make_server(row);
        if (home == out_.clusters.end()) {
            cluster one;
            one.name = fmt::format("cluster-{}", facts.system_identifier);
            one.system_identifier = facts.system_identifier;
            one.now_us = input_.now_us;
            one.servers.push_back(std::move(next));
            out_.clusters.push_back(std::move(one));
            return;
        }
        const auto twin = std::ranges::find_if(
            home->servers, [&](const server& other) { return same_instance(other.facts, facts); });
        if (twin == home->servers.end())
            home->servers.push_back(std::move(next));
        else
            merge(*twin, next);
    }

    server make_server(const server_config& row) {
        server out;
        out.config = row;
        out.names = {row.at};
        take_facts(out, row.at);
        for (const auto& name : row.also_known_as)
            if (!out.is(name)) {
                out.names.push_back(name);
                take_facts(out, name);
            }
        out.downtimed = row.down && row.down->until_us > input_.now_us;
        return out;
    }

    /// The most telling facts that any of its names brought: those of now, else the latest.
    void take_facts(server& into, const endpoint& name) {
        placed_.insert(name);
        const auto found = input_.facts.find(name);
        if (found != input_.facts.end()) take_facts(into, found->second);
    }
    void take_facts(server& into, const server_facts& facts) {
        const auto read_now = is_current(facts);
        if (std::pair(read_now, facts.read_at_us) >=
            std::pair(into.current, into.facts.read_at_us)) {
            into.facts = facts;
            into.current = read_now;
        }
    }
    void merge(server& into, const server& twin) {
        for (const auto& name : twin.names)
            if (!into.is(name)) into.names.push_back(name);
        take_facts(into, twin.facts);
        into.downtimed |= twin.downtimed;
    }

    bool is_current(const server_facts& facts) const {
        return facts.reach == reachability::up && facts.in_recovery && facts.read_at_us &&
               input_.now_us - facts.read_at_us <= input_.stale_after_us;
    }

    /// The record's; without one that of most servers, of a writable one before others.
    std::uint64_t identifier_of(const cluster& one) const {
        const auto record = input_.records.find(one.name);
        if (record != input_.records.end() && record->second.system_identifier)
            return record->second.system_identifier;
        std::map<std::uint64_t, std::pair<std::size_t, bool>> votes;
        for (const auto& member : one.servers)
            if (const auto id = member.facts.system_identifier) {
                ++votes[id].first;
                votes[id].second |= member.writable();
            }
        const auto best =
            std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
        return best == votes.end() ? 0 : best->first;
    }

    void link(cluster& one) {
        for (std::size_t i = 0; i < one.servers.size(); ++i) {
            auto& member = one.servers[i];
            // A known primary has none, whatever its settings keep from earlier.
            if (!member.facts.in_recovery.value_or(false)) continue;
            const auto called = upstream_names(member);
            if (called.empty()) continue;
            member.upstream_text = to_string(called.front());
            for (const auto& name : called) {
                const auto found = std::ranges::find_if(one.servers, [&](const server& other) {
                    return &other != &member && names_.is_called(other, name, member);
                });
                if (found == one.servers.end()) continue;
                member.upstream = static_cast<std::size_t>(found - one.servers.begin());
                member.upstream_text = to_string(found->at());
                found->downstream.push_back(i);
                break;
            }
        }
        for (auto& member : one.servers)
            member.depth = depth_of(one, member);
    }

    /// Where it streams from; else where it would.
    static std::vector<endpoint> upstream_names(const server& member) {
        const auto& receiver = member.facts.receiver;
        if (receiver && receiver->streaming && !receiver->sender_host.empty())
            return {{receiver->sender_host, receiver->sender_port}};
        const auto configured = conninfo::parse(member.facts.upstream_conninfo());
        return configured ? configured->endpoints() : std::vector<endpoint>{};
    }

    static unsigned depth_of(const cluster& one, const server& member) {
        if (!member.upstream) return member.upstream_text.empty() ? 0 : 1;
        unsigned depth = 0;
        for (const auto* at = &member; at->upstream && depth < one.servers.size(); ++depth)
            at = &one.servers[*at->upstream];
        return depth;
    }

    void discover(cluster& one) {
        for (const auto& member : one.servers) {
            if (member.foreign) continue;
            if (!member.upstream && member.facts.in_recovery.value_or(false))
                for (const auto& name : upstream_names(member))
                    note({name, one.name, "upstream of " + member.name()});
            for (const auto& sender : member.facts.senders)
                if (sender.streaming && !knows(one, member, sender)) {
                    one.unknown_senders.push_back(sender.application_name);
                    note({{sender.client_address, 5432},
                          one.name,
                          "pg_stat_replication of " + member.name() + ", port unknown"});
                }
        }
    }
    void note(discovered_server found) {
        if (!found.at.host.empty() &&
            std::ranges::find(out_.discovered, found.at, &discovered_server::at) ==
                out_.discovered.end())
            out_.discovered.push_back(std::move(found));
    }
    bool knows(const cluster& one, const server& upstream, const wal_sender& sender) const {
        return std::ranges::any_of(upstream.downstream, [&](std::size_t i) {
            const auto& standby = one.servers[i];
            return lowered(standby.replication_name()) == lowered(sender.application_name) ||
                   names_.has_address(standby, sender.client_address);
        });
    }

    const topology_input& input_;
    name_matcher names_;
    std::set<endpoint> placed_;
    topology out_;
};

}  // namespace

std::string_view to_string(promotion_rule rule) noexcept {
    return rule_names[static_cast<std::size_t>(rule)];
}

std::optional<promotion_rule> parse_promotion_rule(std::string_view text) noexcept {
    const auto found = std::ranges::find(rule_names, text);
    if (found == rule_names.end()) return std::nullopt;
    return static_cast<promotion_rule>(found - rule_names.begin());
}

bool server::is(const endpoint& name) const {
    return std::ranges::find(names, name) != names.end();
}

std::string server::name() const {
    return config.name.empty() ? to_string(config.at) : config.name;
}

std::optional<timeline_history> server::history() const {
    if (facts.timeline == 1) return timeline_history{};
    if (facts.timeline_history.empty()) return std::nullopt;
    return parse_timeline_history(facts.timeline_history);
}

std::string server::replication_name() const {
    if (const auto parsed = conninfo::parse(facts.upstream_conninfo())) {
        if (const auto& name = parsed->get("application_name"); !name.empty()) return name;
    }
    return facts.settings.cluster_name.empty() ? "walreceiver" : facts.settings.cluster_name;
}

std::optional<std::size_t> cluster::find(const endpoint& at) const {
    const auto found = std::ranges::find_if(servers, [&](const server& one) { return one.is(at); });
    if (found == servers.end()) return std::nullopt;
    return static_cast<std::size_t>(found - servers.begin());
}

std::string cluster::managed_by_another() const {
    const auto found =
        std::ranges::find_if(servers, [](const server& one) { return one.manager.has_value(); });
    if (found == servers.end()) return {};
    return fmt::format("{} manages {} ({}): Howdah only observes", found->manager->name,
                       found->name(), found->manager->sign);
}

const cluster* topology::find(std::string_view hint) const {
    if (hint.empty()) return nullptr;
    for (const auto& one : clusters)
        if (one.name == hint || one.alias == hint) return &one;
    const cluster* by_host = nullptr;
    bool ambiguous = false;
    for (const auto& one : clusters)
        for (const auto& member : one.servers)
            for (const auto& known : member.names) {
                if (to_string(known) == hint || member.config.name == hint) return &one;
                if (known.host != hint) continue;
                ambiguous |= by_host && by_host != &one;
                by_host = &one;
            }
    return ambiguous ? nullptr : by_host;
}

bool same_instance(const server_facts& a, const server_facts& b) {
    const auto differ = [](const auto& first, const auto& second) {
        return first != decltype(first){} && second != decltype(second){} && first != second;
    };
    if (!a.system_identifier || a.system_identifier != b.system_identifier) return false;
    if (!a.postmaster_start_us || a.postmaster_start_us != b.postmaster_start_us) return false;
    return !differ(a.data_directory, b.data_directory) &&
           !differ(a.own_address ? a.own_address->port : 0,
                   b.own_address ? b.own_address->port : 0);
}

topology build_topology(const topology_input& input) {
    return builder(input).run();
}

}  // namespace howdah::ha
