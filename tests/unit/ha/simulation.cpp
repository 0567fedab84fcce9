#include "tests/unit/ha/simulation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace howdah::ha::test {
namespace {

constexpr time_us second = 1'000'000;
constexpr std::uint64_t identifier = 777;
constexpr std::uint64_t record_size = 100;
constexpr std::int64_t receiver_timeout_ms = 4000;

std::uint64_t lsn_of(std::size_t commits) {
    return 0x1000000 + commits * record_size;
}

}  // namespace

simulation::simulation(unsigned seed, odds chances) : random_(seed), odds_(chances) {
    policy_.mode = mode::automatic;
    policy_.cluster_filters = {"*"};
    policy_.block_after_recovery_us = 0;
    policy_.candidates.max_lag_bytes = 3 * record_size;
    if (odds_.sync) policy_.candidates.promise = durability::strict;
    nodes_.resize(count);
    nodes_[0].primary = true;
    for (std::size_t i = 0; i < count; ++i) {
        if (i) nodes_[i].upstream = 0;
        std::string others;
        for (std::size_t j = 0; j < count; ++j)
            if (odds_.sync && i != j) others += (others.empty() ? "" : ", ") + name(j);
        if (odds_.sync) nodes_[i].sync_names = fmt::format("ANY {} ({})", 1 + seed % 2, others);
    }
    nodes_[3].upstream = seed % 3 ? 0 : 2;  // now and then a cascade
}

void simulation::tell(const std::string& what) {
    story_ += fmt::format("{}: {}\n", now_ / second - 1000, what);
}

void simulation::fail(const std::string& what) {
    if (broken_law_.empty()) broken_law_ = what;
    tell("BROKEN: " + what);
}

void simulation::tick() {
    now_ += second;
    happen();
    replicate();
    write();
    replicate();
    run_howdah();
}

/// Fate: rarely enough that Howdah comes to act in between.
void simulation::happen() {
    const auto i = random_() % count;
    if (chance(8)) {
        auto& one = nodes_[i];
        one.alive = !one.alive || chance(2);
        one.receiving = false;
        tell(name(i) + (one.alive ? " lives" : " dies"));
    }
    if (chance(10)) {
        const auto j = random_() % (count + 1);
        if (i != j) {
            const auto link = std::minmax<std::size_t>(i, j);
            if (!cut_.erase(link)) cut_.insert(link);
            tell(fmt::format("link {} {} {}", name(i), j == here ? "howdah" : name(j),
                             cut_.contains(link) ? "breaks" : "heals"));
        }
    }
    if (chance(40)) {
        cut_.clear();
        tell("all links heal");
    }
    if (odds_.others_promote && chance(60) && nodes_[i].alive && !nodes_[i].primary) {
        tell("somebody promotes " + name(i));
        promote(i);
    }
    // A change that Howdah sees before the primary can die: what it never saw it cannot know.
    if (odds_.sync && chance(6) && nodes_[i].alive && nodes_[i].primary && linked(i, here) &&
        !intent_) {
        std::vector<std::string> members;
        for (std::size_t j = 0; j < count; ++j)
            if (j != i && !chance(3)) members.push_back(name(j));
        if (!members.empty())
            nodes_[i].sync_names = fmt::format("ANY {} ({})", 1 + random_() % members.size(),
                                               fmt::join(members, ", "));
        tell(name(i) + " waits for " + nodes_[i].sync_names);
    }
    if (odds_.observe_restarts && chance(30)) {
        tell("howdah restarts");
        memory_.clear();
        watched_ = false;
    }
}

bool simulation::follows(const node& standby, const node& upstream) const {
    if (standby.timeline > upstream.timeline || standby.log.size() > upstream.log.size())
        return false;
    return std::ranges::equal(standby.log, std::span(upstream.log).first(standby.log.size()));
}

void simulation::replicate() {
    for (std::size_t round = 0; round < count; ++round)
        for (std::size_t i = 0; i < count; ++i) {
            auto& one = nodes_[i];
            if (!one.alive || one.primary || !one.upstream) {
                one.receiving = false;
                continue;
            }
            const auto& up = nodes_[*one.upstream];
            const bool reached = up.alive && linked(i, *one.upstream) && follows(one, up);
            if (reached) {
                one.log = up.log;
                one.timeline = up.timeline;
                one.history = up.history;
                one.receiving = true;
                one.heard_us = now_;
            } else if (!up.alive && linked(i, *one.upstream)) {
                one.receiving = false;  // the connection is reset
            } else if (now_ - one.heard_us > receiver_timeout_ms * 1000) {
                one.receiving = false;
            }
        }
}

/// Clients that do not go through Howdah write wherever they can.
void simulation::write() {
    for (std::size_t i = 0; i < count; ++i) {
        auto& one = nodes_[i];
        if (!one.alive || !one.primary) continue;
        const auto commit = next_commit_++;
        one.log.push_back(commit);
        replicate();
        const auto spec = parse_sync_spec(one.sync_names);
        if (!odds_.sync || !spec || spec->how == sync_spec::method::none) continue;
        std::size_t holding = 0;
        for (std::size_t j = 0; j < count; ++j) {
            const auto& other = nodes_[j];
            holding += j != i && other.alive && !other.primary && other.upstream == i &&
                       linked(i, j) && spec->names_standby(name(j)) && !other.log.empty() &&
                       other.log.back() == commit;
        }
        if (holding >= spec->count) confirmed_.insert(commit);
    }
}

void simulation::promote(std::size_t i) {
    auto& one = nodes_[i];
    one.history.push_back({one.timeline, lsn_of(one.log.size()), "promoted"});
    ++one.timeline;
    highest_timeline_ = std::max(highest_timeline_, one.timeline);
    one.primary = true;
    one.receiving = false;
    one.upstream.reset();
    one.before_freeze.reset();
}

cluster simulation::look() {
    for (std::size_t i = 0; i < count; ++i) {
        const auto& one = nodes_[i];
        auto& facts = memory_[at(i)];
        if (!one.alive || !linked(i, here)) {
            if (facts.reach != reachability::dead) facts.reach_since_us = now_;
            facts.reach = reachability::dead;
            facts.refused = !one.alive && linked(i, here);
            continue;
        }
        const auto before = facts;
        facts = {};
        facts.reach = reachability::up;
        facts.read_at_us = now_;
        facts.system_identifier = identifier;
        facts.version_num = 170000;
        facts.in_recovery = !one.primary;
        facts.timeline = one.timeline;
        for (const auto& old : one.history)
            facts.timeline_history +=
                fmt::format("{}\t{}\t{}\n", old.timeline, format_lsn(old.end_lsn), old.reason);
        facts.may = privileges::all();
        facts.settings.synchronous_standby_names = one.sync_names;
        facts.settings.wal_receiver_timeout_ms = receiver_timeout_ms;
        const auto end = lsn_of(one.log.size());
        const auto way = [](std::size_t to, const std::string& as) {
            return fmt::format("host={} user=r application_name={}", name(to), as);
        };
        if (one.primary) {
            facts.flush_lsn = end;
            for (std::size_t j = 0; j < count; ++j)
                if (nodes_[j].receiving && nodes_[j].upstream == i && linked(i, j))
                    facts.senders.push_back({name(j), "", true, lsn_of(nodes_[j].log.size()), ""});
            continue;
        }
        facts.receive_lsn = facts.replay_lsn = end;
        if (one.upstream) facts.settings.primary_conninfo = way(*one.upstream, name(i));
        if (one.before_freeze) facts.conninfo_before_freeze = way(*one.before_freeze, name(i));
        if (before.receive_lsn && *before.receive_lsn < end)
            facts.receive_grew_after_us = before.read_at_us;
        if (one.receiving)
            facts.receiver =
                wal_receiver{true, name(*one.upstream), 5432, "", one.timeline, one.heard_us};
    }
    topology_input input;
    cluster_config config;
    config.name = "main";
    config.writer_hostgroup = 10;
    for (std::size_t i = 0; i < count; ++i) {
        server_config row;
        row.at = at(i);
        row.name = name(i);
        config.servers.push_back(row);
    }
    input.clusters.push_back(config);
    input.facts = memory_;
    if (record_) input.records["main"] = *record_;
    input.now_us = now_;
    return build_topology(input).clusters.front();
}

void simulation::run_howdah() {
    const auto seen = look();
    if (intent_) return go_on(seen);
    judge_options judging;
    judging.watched = watched_;
    const auto decided = decide(seen, record_, policy_, {}, judging);
    check_routing(seen, decided.writers);
    watched_ = decided.writers.writer.has_value();
    if (decided.writers.record.epoch) record_ = decided.writers.record;
    if (decided.what == action::failover) begin_failover(seen, decided);
}

/// As the executor does it, with a crash possible after each step.
void simulation::begin_failover(const cluster&, const decision& decided) {
    tell(decided.sentence);
    const auto old = *decided.writers.primary;
    const auto& primary = nodes_[old];
    if (primary.primary && primary.alive && linked(old, here))
        fail("a failover from a primary that answers");
    for (std::size_t j = 0; j < count; ++j)
        if (nodes_[j].alive && linked(j, here) && nodes_[j].upstream == old && primary.alive &&
            primary.primary && linked(j, old) && follows(nodes_[j], primary))
            fail(fmt::format("a failover while {} streams from the live {}", name(j), name(old)));
    failover_intent intent;
    intent.from = at(old);
    intent.base_timeline = record_->timeline;
    intent_ = intent;
    for (std::size_t i = 0; i < count; ++i) {
        auto& one = nodes_[i];
        if (!one.alive || one.primary || !linked(i, here)) continue;
        if (one.upstream) one.before_freeze = one.upstream;
        one.upstream.reset();
        one.receiving = false;
    }
    if (odds_.observe_restarts && chance(8)) return tell("howdah dies after the freeze");
    if (chance(3)) happen();
    replicate();
    write();

    const auto frozen_at = now_;
    const auto frozen = look();
    auto options = policy_.candidates;
    options.frozen_at_us = frozen_at;
    const auto choice = choose_candidate(frozen, old, *record_, options);
    if (!choice.chosen) {
        tell("given up: " + choice.sentence);
        return;
    }
    if (choice.catch_up_from) {
        auto& one = nodes_[*choice.chosen];
        const auto& source = nodes_[*choice.catch_up_from];
        if (!source.alive || !linked(*choice.chosen, *choice.catch_up_from)) return;
        one.log = source.log;
    }
    intent_->candidate = at(*choice.chosen);
    intent_->phase = intent_phase::promoting;
    if (odds_.observe_restarts && chance(8)) return tell("howdah dies before pg_promote");
    auto& one = nodes_[*choice.chosen];
    if (!one.alive || one.primary || !linked(*choice.chosen, here)) return;
    check_promotion(*choice.chosen);
    promote(*choice.chosen);
    tell("promoted " + name(*choice.chosen));
    if (odds_.observe_restarts && chance(4)) {
        tell("howdah dies after pg_promote");
        if (chance(2)) cut_.insert(std::minmax<std::size_t>(*choice.chosen, here));
        return;
    }
    finish(*choice.chosen);
}

void simulation::go_on(const cluster& seen) {
    judge_options judging;
    judging.under_way = true;
    check_routing(seen, judge_writers(seen, record_, judging));
    const auto answer = resume(seen, *intent_);
    tell(answer.sentence);
    switch (answer.what) {
        case resumption::wait:
            return;
        case resumption::promote: {
            const auto i = *seen.find(*intent_->candidate);
            check_promotion(i);
            return promote(i);
        }
        case resumption::finish:
            return finish(*seen.find(*intent_->candidate));
        case resumption::undo:
            for (std::size_t i = 0; i < count; ++i) {
                auto& one = nodes_[i];
                if (!one.alive || !linked(i, here) || !one.before_freeze) continue;
                one.upstream = one.before_freeze;
                one.before_freeze.reset();
            }
            intent_.reset();
    }
}

void simulation::finish(std::size_t promoted) {
    ++failovers_;
    const auto& one = nodes_[promoted];
    record_ = next_epoch(*record_, at(promoted), one.timeline, lsn_of(one.log.size()), "failover");
    record_->sync_sets = {one.sync_names};
    intent_.reset();
    watched_ = true;
    for (std::size_t i = 0; i < count; ++i) {
        auto& other = nodes_[i];
        if (!other.alive || other.primary || !linked(i, here)) continue;
        other.upstream = promoted;
        other.before_freeze.reset();
    }
}

void simulation::check_promotion(std::size_t i) {
    const auto& one = nodes_[i];
    if (!odds_.others_promote && one.timeline < highest_timeline_)
        fail(fmt::format("{} is promoted from timeline {}, {} exists", name(i), one.timeline,
                         highest_timeline_));
    if (odds_.sync && !odds_.others_promote)
        for (const auto commit : confirmed_)
            if (std::ranges::find(one.log, commit) == one.log.end())
                return fail(
                    fmt::format("{} is promoted without the confirmed commit {}", name(i), commit));
}

void simulation::check_routing(const cluster& seen, const judgement& judged) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto& one = seen.servers[i];
        if (!one.writable() || judged.writer == i) continue;
        if (!judged.fenced.contains(one.at()))
            fail(one.name() + " accepts writes, is not the writer and is not kept out");
    }
    if (!judged.writer) return;
    const auto& writer = seen.servers[*judged.writer];
    if (judged.fenced.contains(writer.at())) fail("the writer is kept out");
    if (!writer.writable()) fail("the writer does not accept writes");
    const auto [known, fresh] = writer_of_epoch_.emplace(judged.record.epoch, writer.at());
    if (!fresh && known->second != writer.at())
        fail(fmt::format("two writers in epoch {}: {} and {}", judged.record.epoch,
                         to_string(known->second), to_string(writer.at())));
    if (record_ && judged.record.epoch < record_->epoch) fail("the epoch went back");
    if (record_ && judged.record.timeline < record_->timeline) fail("the timeline went back");
}

}  // namespace howdah::ha::test
