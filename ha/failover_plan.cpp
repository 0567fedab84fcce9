#include <fmt/format.h>

#include <algorithm>

#include "ha/intent.hpp"
#include "ha/lsn.hpp"
#include "ha/plan_steps.hpp"

namespace howdah::ha {
namespace {

/// A receiver that is to ask the primary leaves it so long for the answer.
constexpr time_us least_patience_us = 1'000'000;

/// wal_receiver_timeout with which a receiver asks the primary soon, and does not give up before
/// that: it asks after half of the time without a message, and gives up, asked or not, after all
/// of it. In ms.
std::int64_t asking_timeout_ms(time_us silence_us, std::int64_t current_ms) {
    const auto wanted_ms = std::max(2 * silence_us, silence_us + least_patience_us) / 1000;
    return current_ms > 0 ? std::min(wanted_ms, current_ms) : wanted_ms;
}

/// Puts steps into stages: `next()` begins a new one.
class stages {
public:
    explicit stages(plan& into) : plan_(into) {}
    void next() { ++stage_; }
    step& add(step one) {
        one.stage = stage_;
        return plan_.steps.emplace_back(std::move(one));
    }

private:
    plan& plan_;
    int stage_ = 1;
};

class promotion {
public:
    promotion(const cluster& subject, std::size_t old_primary, const candidate_choice& choice,
              const cluster_record& record, const plan_options& options, plan& into)
        : cluster_(subject),
          old_(subject.servers[old_primary]),
          choice_(choice),
          candidate_(subject.servers[*choice.chosen]),
          record_(record),
          options_(options),
          plan_(into),
          stages_(into),
          slots_(subject, candidate_, options.slots_for_all) {}

    void run() {
        sort_survivors();
        catch_up();
        prepare();
        promote();
        rewire();
    }

private:
    /// Who follows the new primary, who keeps its upstream, who cannot follow at all.
    void sort_survivors() {
        for (const auto& one : cluster_.servers) {
            if (&one == &candidate_ || &one == &old_ || !one.standing_by() || one.foreign) continue;
            const auto position = one.facts.position();
            const bool off_history = relate(position, candidate_.facts.timeline,
                                            candidate_.history()) == lineage::diverged;
            if (is_before(choice_.target, position) || off_history) {
                plan_.notes.push_back(fmt::format(
                    "{} is at {} and {} takes over at {}: it diverges, gets no clients and must be "
                    "rewound",
                    one.name(), to_string(position), candidate_.name(), to_string(choice_.target)));
                continue;
            }
            const auto* upstream = one.upstream ? &cluster_.servers[*one.upstream] : nullptr;
            if (upstream && upstream != &old_ && upstream->standing_by()) {
                keeping_.push_back(&one);
            } else if (!conninfo::parse(one.facts.upstream_conninfo()) ||
                       one.facts.upstream_conninfo().empty()) {
                plan_.notes.push_back(fmt::format(
                    "{} has no primary_conninfo that could be rewritten: it stays behind",
                    one.name()));
            } else if (!one.facts.may.alter_conninfo) {
                plan_.notes.push_back(fmt::format(
                    "Howdah may not set primary_conninfo on {}: it stays behind", one.name()));
            } else {
                following_.push_back({&one, slots_.take(one)});
            }
        }
    }

    void catch_up() {
        if (!choice_.catch_up_from) return;
        const auto& source = cluster_.servers[*choice_.catch_up_from];
        auto follow = steps::follow(candidate_, &source, false, "", 1, options_.rewire_timeout_us);
        follow.what = fmt::format("{} takes what it lacks from {}, up to {}", candidate_.name(),
                                  source.name(), format_lsn(choice_.target.lsn));
        follow.done_when = fmt::format(
            "SELECT greatest(pg_catalog.pg_last_wal_receive_lsn(), "
            "pg_catalog.pg_last_wal_replay_lsn()) >= {}::pg_catalog.pg_lsn",
            quote_literal(format_lsn(choice_.target.lsn)));
        follow.failing = choice_.must_catch_up ? on_failure::undo : on_failure::go_on;
        stages_.add(std::move(follow));
        stages_.next();
        auto again = steps::freeze(candidate_);
        again.failing = on_failure::undo;
        stages_.add(std::move(again));
        stages_.next();
    }

    void prepare() {
        for (const auto& [standby, slot] : following_)
            if (!slot.empty()) stages_.add(steps::slot(candidate_, slot, *standby));
        if (auto undo = steps::unfence(candidate_)) stages_.add(std::move(*undo));
        set_sync_names();
        stages_.next();
    }

    /// Before the promotion, so that the first commit already waits for whom it has to.
    void set_sync_names() {
        const auto& text = record_.sync_sets.empty() ? old_.facts.settings.synchronous_standby_names
                                                     : record_.sync_sets.front();
        const auto& before = candidate_.facts.settings.synchronous_standby_names;
        const auto old_set = parse_sync_spec(text);
        if (!old_set) {
            plan_.notes.push_back(fmt::format(
                "synchronous_standby_names \"{}\" is not understood and left as it is", text));
            return;
        }
        auto set = succeed(*old_set, candidate_.replication_name(), name_of_old());
        const bool strict = options_.promise == durability::strict;
        if (!strict) set = relax(set, followers());
        const auto wanted = to_string(set);
        if (!strict && set.how == sync_spec::method::none &&
            old_set->how != sync_spec::method::none)
            plan_.notes.push_back(
                "no synchronous standby is left: commits are confirmed by the new primary alone");
        const auto current = parse_sync_spec(before);
        if (current && to_string(*current) == wanted) return;
        auto set_names =
            steps::setting(candidate_, "synchronous_standby_names", before, wanted,
                           wanted.empty() ? "commits wait for no standby"
                                          : fmt::format("commits wait for {}", wanted));
        if (!strict) set_names.failing = on_failure::go_on;
        stages_.add(std::move(set_names));
    }

    std::string name_of_old() const {
        const auto name = old_.replication_name();
        if (name != "walreceiver") return name;
        return old_.config.name.empty() ? old_.at().host : old_.config.name;
    }
    std::vector<std::string> followers() const {
        std::vector<std::string> out;
        for (const auto& [standby, slot] : following_)
            out.push_back(standby->replication_name());
        return out;
    }

    void promote() {
        auto& one = stages_.add(steps::at(candidate_, step_kind::promote,
                                          fmt::format("promote {}", candidate_.name())));
        // After a crash it may have been promoted already.
        const auto base = candidate_.writable()
                              ? candidate_.facts.timeline - 1
                              : std::max(record_.timeline, candidate_.facts.timeline);
        one.guard = steps::is_standby_of(cluster_) +
                    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver)";
        one.sql = {plain("SELECT pg_catalog.pg_promote(false)")};
        one.done_when = fmt::format(
            "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN false ELSE {} > {} END",
            written_timeline_sql, base);
        one.timeout_us = options_.promote_timeout_us;
        one.failing = on_failure::unknown;
        one.no_return = true;
        stages_.next();
        auto& publish = stages_.add(steps::here(
            step_kind::publish,
            fmt::format("store epoch {} with {} as its writer, publish it, release the writers",
                        record_.epoch + 1, candidate_.name())));
        publish.at = candidate_.at();
        stages_.next();
    }

    void rewire() {
        const auto timeline = candidate_.writable()
                                  ? candidate_.facts.timeline
                                  : std::max(record_.timeline, candidate_.facts.timeline) + 1;
        for (const auto& [standby, slot] : following_)
            stages_.add(steps::follow(*standby, &candidate_, true, slot, timeline,
                                      options_.rewire_timeout_us));
        for (const auto* standby : keeping_)
            stages_.add(steps::follow(*standby, nullptr, false,
                                      standby->facts.settings.primary_slot_name, timeline,
                                      options_.rewire_timeout_us));
        // pg_rewind reads the source's control file, which has the new timeline after a checkpoint.
        auto& checkpoint =
            stages_.add(steps::at(candidate_, step_kind::configure,
                                  "checkpoint, so that others can be rewound to the new timeline"));
        checkpoint.sql = {plain("CHECKPOINT")};
        checkpoint.failing = on_failure::go_on;
        checkpoint.timeout_us = 600'000'000;
        plan_.notes.push_back(
            fmt::format("{} is remembered as replaced: it gets no clients, is fenced where it "
                        "accepts writes again, and has to be rejoined",
                        old_.name()));
    }

    struct follower {
        const server* standby;
        std::string slot;
    };

    const cluster& cluster_;
    const server& old_;
    const candidate_choice& choice_;
    const server& candidate_;
    const cluster_record& record_;
    const plan_options& options_;
    plan& plan_;
    stages stages_;
    steps::slot_names slots_;
    std::vector<follower> following_;
    std::vector<const server*> keeping_;
};

void freeze_all(const cluster& subject, std::size_t except, std::optional<std::size_t> also_except,
                plan& out, stages& at) {
    for (std::size_t i = 0; i < subject.servers.size(); ++i) {
        const auto& one = subject.servers[i];
        if (i == except || i == also_except || !one.standing_by() || one.foreign) continue;
        if (one.facts.may.alter_conninfo && one.facts.may.reload)
            at.add(steps::freeze(one));
        else
            out.notes.push_back(fmt::format(
                "Howdah may not stop the receiver of {}: it is not promoted and does not count as "
                "asked",
                one.name()));
    }
}

}  // namespace

plan plan_confirmation(const cluster& subject, const std::vector<std::size_t>& quiet) {
    plan out;
    out.title = fmt::format("{}: ask the standbys whether the primary lives", subject.name);
    stages at(out);
    for (const auto i : quiet) {
        const auto& one = subject.servers[i];
        if (!one.facts.may.alter_timeout || !one.facts.may.reload) {
            out.notes.push_back(
                fmt::format("Howdah may not set wal_receiver_timeout on {}: it "
                            "notices by itself after {} s",
                            one.name(), one.facts.settings.wal_receiver_timeout_ms / 1000));
            continue;
        }
        const auto before = one.facts.settings.wal_receiver_timeout_ms;
        const auto heard = one.facts.receiver ? one.facts.receiver->last_message_us : 0;
        const auto timeout =
            asking_timeout_ms(std::max<time_us>(0, subject.now_us - heard), before);
        auto& ask = at.add(steps::setting(
            one, "wal_receiver_timeout", fmt::format("{}ms", before), fmt::format("{}ms", timeout),
            fmt::format("the receiver of {} asks the primary whether it lives", one.name())));
        // Where this comes late it would give up without having asked.
        ask.guard = fmt::format(
            "SELECT pg_catalog.clock_timestamp() - last_msg_receipt_time < interval '{} ms' FROM "
            "pg_catalog.pg_stat_wal_receiver",
            timeout - least_patience_us / 2000);
        ask.done_when = fmt::format(
            "SELECT setting = '{}' FROM pg_catalog.pg_settings WHERE name = 'wal_receiver_timeout'",
            timeout);
        ask.failing = on_failure::go_on;
    }
    if (out.steps.empty()) out.impossible = "no standby can be asked";
    return out;
}

plan plan_freeze(const cluster& subject, std::size_t old_primary) {
    const auto& old = subject.servers[old_primary];
    plan out;
    out.title = fmt::format("failover of {}, part 1: make the standbys comparable", subject.name);
    stages at(out);
    at.add(steps::here(step_kind::hold_writers, "hold writers"));
    at.add(steps::here(step_kind::close_connections,
                       fmt::format("close every server connection to {}", old.name())))
        .at = old.at();
    at.next();
    freeze_all(subject, old_primary, std::nullopt, out, at);
    return out;
}

std::vector<endpoint> not_seen_frozen(const cluster& subject, const plan& freeze,
                                      const std::vector<endpoint>& failed) {
    std::vector<endpoint> out;
    for (const auto& one : freeze.steps) {
        if (one.kind != step_kind::freeze || std::ranges::find(failed, *one.at) != failed.end())
            continue;
        const auto found = subject.find(*one.at);
        if (!found || !subject.servers[*found].current) continue;
        const auto& facts = subject.servers[*found].facts;
        if (facts.receiver || !facts.settings.primary_conninfo.empty()) out.push_back(*one.at);
    }
    return out;
}

plan plan_promotion(const cluster& subject, std::size_t old_primary, const candidate_choice& choice,
                    const cluster_record& record, const plan_options& options) {
    plan out;
    out.title = fmt::format("failover of {}, part 2", subject.name);
    if (!choice.chosen) {
        out.impossible = choice.sentence;
        return out;
    }
    out.title += fmt::format(": {} -> {}", subject.servers[old_primary].name(),
                             subject.servers[*choice.chosen].name());
    promotion(subject, old_primary, choice, record, options, out).run();
    return out;
}

plan plan_unfreeze(const cluster& subject, const failover_intent& given_up) {
    plan out;
    out.title = fmt::format("{}: the standbys follow again", subject.name);
    stages at(out);
    const auto old = subject.find(given_up.from);
    const bool replaced = std::ranges::any_of(subject.servers, [&](const server& one) {
        return one.writable() && !one.is(given_up.from);
    });
    if (given_up.stopped && old && !replaced) {
        const auto& one = subject.servers[*old];
        const auto agent = [&](const char* action, std::string what) {
            const auto where = steps::shell_directory(one);
            at.add(steps::agent(one, action, std::move(what),
                                fmt::format("pg_ctl {} -D {}", action, where)))
                .failing = on_failure::go_on;
            at.next();
        };
        // A stop that Howdah did not live to see the end of may still be at work.
        agent("stop", fmt::format("{} is down", one.name()));
        agent("start", fmt::format("start {} again", one.name()));
    }
    for (const auto& one : subject.servers)
        if (one.standing_by() && one.facts.settings.primary_conninfo.empty() &&
            !one.facts.conninfo_before_freeze.empty())
            at.add(steps::unfreeze(one));
        else if (one.is(given_up.from) && one.writable())
            if (auto undo = steps::unfence(one)) at.add(std::move(*undo));
    return out;
}

plan plan_switchover(const cluster& subject, std::size_t primary, const candidate_choice& choice,
                     const cluster_record& record, const plan_options& options) {
    const auto& old = subject.servers[primary];
    plan out;
    out.title = fmt::format("switchover of {}", subject.name);
    if (!choice.chosen) out.impossible = choice.sentence;
    if (!old.writable()) out.impossible = fmt::format("{} does not accept writes", old.name());
    if (!out.possible()) return out;
    const auto& candidate = subject.servers[*choice.chosen];
    if (!candidate.facts.receiver || !candidate.facts.receiver->streaming)
        out.impossible = fmt::format("{} does not stream", candidate.name());
    if (!candidate.facts.may.alter_conninfo)
        out.impossible = fmt::format("Howdah may not set primary_conninfo on {}", candidate.name());
    if (!options.has_agent && (!old.facts.may.alter_fence || !old.facts.may.signal_backend))
        out.impossible =
            fmt::format("Howdah may not fence {}, and no agent can stop it", old.name());
    if (!out.possible()) return out;
    out.title += fmt::format(": {} -> {}", old.name(), candidate.name());

    stages at(out);
    auto& checkpoint =
        at.add(steps::at(old, step_kind::configure, "checkpoint, so that the rest is quick"));
    checkpoint.sql = {plain("CHECKPOINT")};
    checkpoint.failing = on_failure::go_on;
    checkpoint.timeout_us = 600'000'000;
    at.next();
    at.add(steps::here(step_kind::hold_writers,
                       "hold writers, and wait for the transactions under way"))
        .timeout_us = options.drain_timeout_us;
    at.next();
    at.add(steps::here(step_kind::close_connections,
                       fmt::format("close every server connection to {}", old.name())))
        .at = old.at();
    at.next();

    std::string target = "{last_wal}";
    if (options.has_agent) {
        auto& capture = at.add(steps::agent(
            old, "stop",
            fmt::format("stop {} cleanly: it sends all of its WAL, and the agent reports the last "
                        "checkpoint",
                        old.name()),
            fmt::format("pg_ctl stop -m fast -D {0} && pg_controldata {0} | sed -n 's/^Latest "
                        "checkpoint location: *//p'",
                        steps::shell_directory(old))));
        capture.captured_as = "last_wal";
        capture.timeout_us = 60'000'000;
    } else {
        // The candidate has to stay connected, so only clients are cut off, not walsenders.
        auto quiet =
            steps::at(old, step_kind::fence,
                      fmt::format("{} is read-only by default, its clients are gone", old.name()));
        quiet.sql = {alter_system("default_transaction_read_only", "on"), reload_conf()};
        // What is beyond reach (a superuser's) may write as long as its transaction lasts.
        quiet.done_when =
            "SELECT " +
            steps::ended_when("pg_catalog.current_setting('default_transaction_read_only') = 'on'",
                              "a.backend_type = 'client backend'") +
            " AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client "
            "backend' AND pid <> pg_catalog.pg_backend_pid() AND usename IS DISTINCT FROM "
            "current_user AND xact_start < pg_catalog.pg_conf_load_time())";
        quiet.undo = {alter_system("default_transaction_read_only",
                                   old.facts.settings.default_transaction_read_only ? "on" : "off"),
                      reload_conf()};
        at.add(std::move(quiet));
        at.next();
        auto& capture = at.add(
            steps::at(old, step_kind::capture, fmt::format("how far {} has written", old.name())));
        capture.sql = {plain("SELECT pg_catalog.pg_current_wal_flush_lsn()")};
        capture.captured_as = "last_wal";
    }
    at.next();
    auto& caught_up = at.add(
        steps::at(candidate, step_kind::check, fmt::format("{} has everything", candidate.name())));
    caught_up.done_when = fmt::format(
        "SELECT pg_catalog.pg_last_wal_receive_lsn() >= '{0}'::pg_catalog.pg_lsn AND "
        "pg_catalog.pg_last_wal_replay_lsn() >= '{0}'::pg_catalog.pg_lsn",
        target);
    caught_up.timeout_us = options.drain_timeout_us;
    at.next();
    freeze_all(subject, primary, std::nullopt, out, at);
    for (auto& one : out.steps)
        if (one.kind == step_kind::freeze) one.failing = on_failure::undo;
    at.next();

    const auto first_stage = out.steps.back().stage;
    plan rest;
    auto choice_now = choice;
    choice_now.catch_up_from.reset();  // it streams from the primary, which has everything
    // All of them have what the primary had, or less.
    for (const auto& one : subject.servers)
        if (one.standing_by() && is_before(choice_now.target, one.facts.position()))
            choice_now.target = one.facts.position();
    promotion(subject, primary, choice_now, record, options, rest).run();
    for (auto& one : rest.steps) {
        one.stage += first_stage;
        out.steps.push_back(std::move(one));
    }
    out.notes = std::move(rest.notes);
    if (options.has_agent) return out;
    out.notes.push_back(fmt::format(
        "without an agent {} cannot be stopped: it keeps running, fenced, writes WAL of its own "
        "(checkpoints, vacuum), and has to be rewound before it can follow",
        old.name()));
    return out;
}

}  // namespace howdah::ha
