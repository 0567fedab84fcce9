#include "proxy/ha_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <map>
#include <optional>
#include <vector>

#include "ha/candidate.hpp"
#include "ha/configured.hpp"
#include "ha/decision.hpp"
#include "ha/fact_reader.hpp"
#include "ha/lsn.hpp"
#include "ha/plan.hpp"
#include "ha/preflight.hpp"
#include "ha/tree_order.hpp"
#include "protocol/io/task_gate.hpp"

namespace howdah::proxy {
namespace {

using ha::endpoint;

boost::asio::awaitable<void> read_into(ha::server_facts& facts, ha::fact_reader& reader,
                                       std::chrono::milliseconds deadline) {
    auto read = co_await reader.read(deadline);
    facts = std::move(read);
    reader.close();
}

/// Every server at the same time. What is older than the beginning is not of
/// now: nothing is.
ha::topology look(const conf::settings& settings) {
    ha::topology_input input;
    input.clusters = ha::configured_clusters(settings);
    boost::asio::io_context io;
    const auto names = std::make_shared<monitor::resolver_cache>(io);
    protocol::task_gate tasks(io, [](std::exception_ptr error) { std::rethrow_exception(error); });
    std::map<endpoint, ha::fact_reader> readers;
    for (const auto& cluster : input.clusters)
        for (const auto& one : cluster.servers)
            readers.try_emplace(one.at, io, names, one.at, ha::login_of(settings, one.at));
    const auto began = ha::now_us();
    for (auto& [at, reader] : readers)
        tasks.spawn(read_into(input.facts[at], reader, settings.vars.ha_check_timeout));
    tasks.when_idle([&io] { io.stop(); });
    io.run();
    input.now_us = ha::now_us();
    input.stale_after_us = input.now_us - began + 1;
    input.ignored_managers = ha::ignored_managers(settings.vars);
    return ha::build_topology(input);
}

/// No server accepts writes and no record says who did: the one that every
/// standby follows, or would. Only to show what would follow; nobody may act on
/// it.
std::optional<ha::cluster_record> presumed_record(const ha::cluster& subject) {
    std::optional<std::size_t> primary;
    ha::cluster_record out;
    for (const auto& one : subject.servers) {
        if (one.writable()) return std::nullopt;
        if (!one.standing_by() || one.foreign) continue;
        out.timeline = std::max(out.timeline, one.facts.timeline);
        if (!one.upstream) return std::nullopt;
        auto top = *one.upstream;
        for (std::size_t i = 0; i < subject.servers.size() && subject.servers[top].upstream; ++i)
            top = *subject.servers[top].upstream;
        if (primary && *primary != top) return std::nullopt;
        primary = top;
    }
    if (!primary || subject.servers[*primary].standing_by()) return std::nullopt;
    out.cluster = subject.name;
    out.system_identifier = subject.system_identifier;
    out.epoch = 1;
    out.primary = subject.servers[*primary].at();
    out.known_timeline = out.timeline;
    return out;
}

struct looked {
    const ha::cluster& subject;
    std::optional<ha::cluster_record> presumed;
    ha::policy allowed;
    ha::decision decided;
};

std::string_view word(ha::reachability value) {
    switch (value) {
        case ha::reachability::up:
            return "up";
        case ha::reachability::refusing:
            return "refuses us";
        case ha::reachability::starting:
            return "starting";
        case ha::reachability::dead:
            return "dead";
        case ha::reachability::unknown:
            break;
    }
    return "unknown";
}

std::string describe(const looked& it, std::size_t index) {
    const auto& one = it.subject.servers[index];
    const auto& facts = one.facts;
    auto out = one.name();
    if (!one.current)
        return fmt::format("{}: {}{}{}", out, word(facts.reach),
                           facts.reach_detail.empty() ? "" : ": ", facts.reach_detail);
    if (!facts.settings.cluster_name.empty())
        out += fmt::format(" ({})", facts.settings.cluster_name);
    out += fmt::format(": {}, timeline {}, WAL up to {}",
                       ha::to_string(it.decided.writers.standings[index]), facts.timeline,
                       facts.wal_end() ? ha::format_lsn(*facts.wal_end()) : "unknown");
    if (!facts.in_recovery.value_or(false)) return out;
    out += facts.replay_lag_ms ? fmt::format(", replay lag {} ms", *facts.replay_lag_ms)
                               : std::string(", replay lag unknown");
    if (facts.replay_paused) out += ", replay paused";
    return out + (!facts.receiver             ? ", no receiver"
                  : facts.receiver->streaming ? ", streaming from " + one.upstream_text
                                              : ", receiver not streaming");
}

void print_topology(const looked& it) {
    for (const auto& place : ha::tree_order(it.subject)) {
        const std::size_t depth = it.subject.servers[place.server].depth;
        std::cout << std::string(2 + 2 * depth, ' ') << describe(it, place.server) << '\n';
    }
    for (const auto& name : it.subject.unknown_senders)
        std::cout << "  a standby that is not configured: " << name << '\n';
}

void print_diagnosis(const looked& it) {
    for (const auto& one : it.decided.problems.all)
        std::cout << "  " << to_string(one.info().weight) << ' ' << one.info().name << ": "
                  << one.sentence << '\n';
    for (const auto i : it.decided.problems.to_confirm)
        std::cout << "  " << it.subject.servers[i].name()
                  << " heard nothing from the primary since, which proves neither "
                     "life nor death\n";
}

bool print_check(const looked& it) {
    print_diagnosis(it);
    const auto report = ha::check_preflight(it.subject, it.decided.writers, it.allowed.candidates);
    for (const auto& one : report.obstacles)
        std::cout << "  " << (one.blocking ? "blocking" : "worse") << ' ' << one.reason << " on "
                  << it.subject.servers[one.server].name() << ": " << one.sentence << '\n';
    std::cout << "  " << report.sentence << '\n';
    return report.ready;
}

void print_why(const looked& it) {
    print_diagnosis(it);
    std::cout << "  " << it.decided.sentence << '\n';
    for (const auto& one : it.decided.gates)
        std::cout << "  " << (one.open ? "open  " : "closed") << ' ' << one.name << ": "
                  << one.reason << '\n';
    std::cout << "  " << it.decided.writers.sentence << '\n';
}

bool print_failover(const looked& it) {
    const auto& writers = it.decided.writers;
    if (!writers.primary) {
        std::cout << "  impossible: no server is known to be the primary: " << writers.sentence
                  << '\n';
        return false;
    }
    if (!it.decided.problems.headline.info().calls_for_failover)
        std::cout << "  This is what it would be; now it is not called for.\n";
    auto choice = it.decided.forecast;
    if (it.presumed && !choice.chosen) {
        std::cout << "  By itself Howdah would not: " << choice.sentence
                  << ". This is what an operator who accepts a loss would get.\n";
        auto options = it.allowed.candidates;
        options.allow_data_loss = true;
        choice = ha::choose_candidate(it.subject, writers.primary, writers.record, options);
    }
    const auto promotion = ha::plan_promotion(it.subject, *writers.primary, choice, writers.record);
    if (promotion.possible())
        std::cout << to_text(ha::plan_freeze(it.subject, *writers.primary))
                  << "then all is read again, the candidate is chosen anew, and, "
                     "if it is the "
                     "same:\n";
    std::cout << to_text(promotion);
    return promotion.possible();
}

/// False: there is no such server.
bool want(looked& it, const std::string& name) {
    for (const auto& one : it.subject.servers)
        if (one.name() == name || to_string(one.at()) == name || one.at().host == name) {
            it.allowed.candidates.wanted = one.at();
            return true;
        }
    return false;
}

}  // namespace

int run_ha_command(const conf::settings& settings, const ha_client::request& asked) {
    const auto& what = asked.what;
    const auto seen = look(settings);
    const auto* only = asked.subject.empty() ? nullptr : seen.find(asked.subject);
    bool good = !seen.clusters.empty();
    if (!good)
        std::cerr << "howdah: replication_hostgroups names no hostgroup that has "
                     "servers: there is "
                     "nothing to look at\n";
    if (good && !asked.subject.empty() && !only) {
        std::cerr << "howdah: no cluster is, or has, " << asked.subject << '\n';
        return 1;
    }
    for (const auto& subject : seen.clusters) {
        if (only && only != &subject) continue;
        looked it{subject, presumed_record(subject), ha::policy_of(settings.vars), {}};
        if (!asked.to.empty() && !want(it, asked.to)) {
            std::cerr << "howdah: no server of " << subject.name << " is " << asked.to << '\n';
            return 1;
        }
        it.allowed.candidates.allow_data_loss |= asked.allow_data_loss;
        it.decided = ha::decide(subject, it.presumed, it.allowed);
        std::cout << "cluster " << subject.name << '\n';
        if (it.presumed)
            std::cout << "  No server accepts writes. " << to_string(it.presumed->primary)
                      << " is taken for the primary, since the standbys name it; "
                         "whom it waited "
                         "for (synchronous_standby_names) is not known.\n";
        if (what == "topology") print_topology(it);
        if (what == "check") good &= print_check(it);
        if (what == "why") print_why(it);
        if (what == "failover") good &= print_failover(it);
    }
    return good ? 0 : 1;
}

}  // namespace howdah::proxy
