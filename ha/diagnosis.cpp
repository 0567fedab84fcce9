#include "ha/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ha/lsn.hpp"
#include "ha/sync_set.hpp"
#include "ha/testimony.hpp"

namespace howdah::ha {
namespace {

using state = cluster_view::primary_state;

constexpr std::array<problem_info, 16> table{{
    {problem::none, "NoProblem", "NoProblem", severity::ok, false, "Nothing is wrong."},
    {problem::monitor_blind, "MonitorBlind", "", severity::critical, false,
     "No server answers and nothing else does: Howdah lost its own network. Nothing is done."},
    {problem::split_brain, "SplitBrain", "", severity::critical, false,
     "Several servers accept writes and none of the others is outdated for certain. Only the "
     "recorded writer that Howdah watched all the time keeps its clients; else nobody writes."},
    {problem::dead_primary_without_standbys, "DeadPrimaryWithoutStandbys",
     "DeadMasterWithoutReplicas", severity::critical, false,
     "The primary is dead and there is nobody to promote."},
    {problem::unreachable_primary, "UnreachablePrimary", "UnreachablePrimary", severity::critical,
     false,
     "Howdah cannot use the primary, and it lives or nobody has shown that it is dead: it refuses "
     "us "
     "or starts up, or a standby still streams from it or has not noticed. Never promoted."},
    {problem::dead_primary_and_some_standbys, "DeadPrimaryAndSomeStandbys",
     "DeadPrimaryAndSomeStandbys", severity::critical, true,
     "The primary is dead, and so are some standbys, or all of them; the others do not stream."},
    {problem::dead_primary, "DeadPrimary", "DeadPrimary", severity::critical, true,
     "The primary is dead; every standby answers and none streams from it any more."},
    {problem::no_writable_primary, "NoWritablePrimary", "", severity::critical, false,
     "No server accepts writes, and none that is known to be in charge died: somebody made the "
     "primary a standby, or is in the middle of something."},
    {problem::sync_set_unsatisfied, "SyncSetUnsatisfied", "", severity::critical, false,
     "Fewer synchronous standbys stream than synchronous_standby_names waits for: commits hang."},
    {problem::all_standbys_not_replicating, "AllStandbysNotReplicating", "AllStandbyNotReplicating",
     severity::warning, false, "The primary writes, and no standby receives."},
    {problem::returned_old_primary, "ReturnedOldPrimary", "", severity::critical, false,
     "A server that was replaced accepts writes again. It gets no clients and is fenced."},
    {problem::foreign_server, "ForeignServer", "", severity::critical, false,
     "A different cluster listens where a member is configured. It gets no clients."},
    {problem::diverged_standby, "DivergedStandby", "", severity::critical, false,
     "A standby has WAL that the writer's history does not have. It gets no clients until it is "
     "rewound or copied anew."},
    {problem::standby_not_replicating, "StandbyNotReplicating", "StandbyNotReplicating",
     severity::warning, false, "A standby answers and does not receive."},
    {problem::slot_missing, "SlotMissing", "", severity::warning, false,
     "A standby's primary_slot_name does not exist on its upstream, or has lost its WAL."},
    {problem::lagging_standby, "LaggingStandby", "", severity::info, false,
     "A standby receives and is far behind with replaying."},
}};

/// One row: when it is this problem. The first that matches wins.
struct rule {
    problem what;
    bool (*matches)(const cluster_view&);
};

constexpr std::array cluster_rules{
    // Seen from the dark, everything looks dead: before any conclusion from silence.
    rule{problem::monitor_blind, [](const cluster_view& v) { return v.blind; }},
    // Two writers are worse than none, so this stands above whatever else is wrong.
    rule{problem::split_brain, [](const cluster_view& v) { return v.rivals; }},
    rule{problem::dead_primary_without_standbys,
         [](const cluster_view& v) { return v.primary == state::dead && v.standbys == 0; }},
    // It answers, whatever it says: alive.
    rule{problem::unreachable_primary,
         [](const cluster_view& v) { return v.primary == state::unusable; }},
    // One witness that it lives is enough, and a quiet one must be asked again first.
    rule{problem::unreachable_primary,
         [](const cluster_view& v) {
             return v.primary == state::dead && (v.streaming > 0 || v.quiet > 0);
         }},
    // Standbys answer, and none is near enough to the primary to know.
    rule{problem::unreachable_primary,
         [](const cluster_view& v) {
             return v.primary == state::dead && v.reachable > 0 && v.cut == 0;
         }},
    // Those that do not answer may still stream from it: the choice of the candidate has to be
    // sure without them.
    rule{
        problem::dead_primary_and_some_standbys,
        [](const cluster_view& v) { return v.primary == state::dead && v.reachable < v.standbys; }},
    rule{problem::dead_primary, [](const cluster_view& v) { return v.primary == state::dead; }},
    rule{problem::no_writable_primary,
         [](const cluster_view& v) { return v.primary == state::none; }},
    // Commits hang: graver than a standby that is away.
    rule{problem::sync_set_unsatisfied, [](const cluster_view& v) { return v.sync_unsatisfied; }},
    rule{problem::all_standbys_not_replicating,
         [](const cluster_view& v) { return v.standbys > 0 && v.replicating == 0; }},
};

class observer {
public:
    observer(const cluster& subject, const judgement& judged, const diagnosis_options& options)
        : cluster_(subject), judged_(judged), options_(options) {}

    cluster_view view() {
        cluster_view out;
        out.primary = primary_state();
        out.blind = blind();
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i) {
            out.rivals |= judged_.standings[i] == standing::rival && !judged_.undecided;
            if (!is_standby(i)) continue;
            ++out.standbys;
            const auto& one = cluster_.servers[i];
            if (!one.standing_by()) continue;
            ++out.reachable;
            out.replicating += one.facts.receiver && one.facts.receiver->streaming;
            if (out.primary != state::dead) continue;
            const auto says = testify(one, *judged_.primary, primary().facts.reach_since_us);
            out.streaming += says == testimony::streams;
            out.quiet += says == testimony::quiet;
            out.cut += says == testimony::cut;
            if (says == testimony::quiet) quiet_.push_back(i);
        }
        out.sync_unsatisfied = sync_unsatisfied();
        return out;
    }

    const std::vector<std::size_t>& quiet() const { return quiet_; }

    std::string say(problem what, const cluster_view& v) const {
        switch (what) {
            case problem::monitor_blind:
                return "no server answers, and nothing proves that Howdah's own network works";
            case problem::split_brain:
                return judged_.sentence;
            case problem::dead_primary_without_standbys:
                return fmt::format("{} is dead ({}) and there is no standby", primary().name(),
                                   detail());
            case problem::unreachable_primary:
                if (v.primary == state::unusable)
                    return fmt::format("{} is alive and cannot be used: {}", primary().name(),
                                       detail());
                if (v.streaming)
                    return fmt::format(
                        "{} does not answer Howdah ({}), but {} of {} standbys that answer still "
                        "stream from it",
                        primary().name(), detail(), v.streaming, v.reachable);
                if (!v.quiet)
                    return fmt::format(
                        "{} does not answer Howdah ({}), and no standby that followed it directly "
                        "and was read since confirms that",
                        primary().name(), detail());
                return fmt::format(
                    "{} does not answer Howdah ({}), and the receivers of {} have not noticed yet: "
                    "they are to be asked again",
                    primary().name(), detail(), list(quiet_));
            case problem::dead_primary_and_some_standbys:
                return fmt::format("{} is dead ({}); {} of {} standbys answer{}", primary().name(),
                                   detail(), v.reachable, v.standbys,
                                   v.reachable ? ", and none of these streams from it" : "");
            case problem::dead_primary:
                return fmt::format(
                    "{} is dead ({}); {} of {} standbys answer, and none of these "
                    "streams from it",
                    primary().name(), detail(), v.reachable, v.standbys);
            case problem::no_writable_primary:
                return judged_.sentence;
            case problem::sync_set_unsatisfied:
                return fmt::format("commits on {} wait for {}, and too few of these stream",
                                   primary().name(),
                                   primary().facts.settings.synchronous_standby_names);
            case problem::all_standbys_not_replicating:
                return fmt::format("{} writes, and none of its {} standbys receives",
                                   primary().name(), v.standbys);
            default:
                return {};
        }
    }

    /// The problem of one server, the gravest first; first match wins here, too.
    diagnosis of_server(std::size_t i) const {
        const auto& one = cluster_.servers[i];
        const auto found = [&](problem what, std::string sentence) {
            return diagnosis{what, i, std::move(sentence)};
        };
        if (one.foreign)
            return found(
                problem::foreign_server,
                fmt::format("{} has the system identifier {}, the cluster has {}", one.name(),
                            one.facts.system_identifier, cluster_.system_identifier));
        if (judged_.standings[i] == standing::outdated)
            return found(
                problem::returned_old_primary,
                one.is(judged_.record.primary)
                    ? fmt::format(
                          "{} accepts writes at {} and was at {} before: it was put back to "
                          "an old state and gets no clients",
                          one.name(), format_lsn(one.facts.flush_lsn.value_or(0)),
                          format_lsn(judged_.record.flush_lsn))
                    : fmt::format("{} accepts writes on timeline {} and was replaced: it gets no "
                                  "clients, rejoin it as a standby",
                                  one.name(), one.facts.timeline));
        if (!one.standing_by() || one.downtimed) return {};
        if (judged_.standings[i] == standing::diverged)
            return found(
                problem::diverged_standby,
                fmt::format("{} has WAL up to {}, which is not in the history of {}: it "
                            "must be rewound",
                            one.name(), to_string(one.facts.position()), primary().name()));
        if (judged_.primary && primary_state() == state::dead) return {};  // nothing to stream from
        const bool streams = one.facts.receiver && one.facts.receiver->streaming;
        if (const auto slot = missing_slot(one); !slot.empty())
            return found(problem::slot_missing, slot);
        if (!streams)
            return found(problem::standby_not_replicating,
                         fmt::format("{} does not receive; its upstream is {}", one.name(),
                                     one.upstream_text.empty() ? "not set" : one.upstream_text));
        if (one.facts.replay_lag_ms.value_or(0) > options_.lagging_after_ms)
            return found(problem::lagging_standby,
                         fmt::format("{} is {} s behind, {} are received and not replayed",
                                     one.name(), *one.facts.replay_lag_ms / 1000,
                                     format_bytes(one.facts.replay_backlog())));
        return {};
    }

private:
    const server& primary() const { return cluster_.servers[*judged_.primary]; }

    state primary_state() const {
        if (!judged_.primary) return state::none;
        if (judged_.writer == judged_.primary) return state::writing;
        const auto& one = primary();
        switch (one.facts.reach) {
            case reachability::dead:
                return state::dead;
            case reachability::starting:
                return cluster_.now_us - one.facts.reach_since_us > options_.start_timeout_us
                           ? state::dead
                           : state::unusable;
            default:
                if (one.standing_by()) return state::none;
                return judged_.undecided && one.writable() ? state::writing : state::unusable;
        }
    }

    /// Nobody counts who is somebody else's, or accepts writes.
    bool is_standby(std::size_t i) const {
        const auto& one = cluster_.servers[i];
        return i != judged_.primary && !one.foreign && !one.writable() &&
               !(one.facts.in_recovery && !*one.facts.in_recovery && was_replaced(one));
    }
    bool was_replaced(const server& one) const {
        return std::ranges::any_of(judged_.record.fenced,
                                   [&](const auto& old) { return one.is(old.at); });
    }

    bool blind() const {
        return !options_.network_works && !cluster_.servers.empty() &&
               std::ranges::all_of(cluster_.servers, [](const server& one) {
                   return one.facts.reach == reachability::dead && !one.facts.refused;
               });
    }

    bool sync_unsatisfied() const {
        if (!judged_.writer) return false;
        const auto& facts = cluster_.servers[*judged_.writer].facts;
        const auto spec = parse_sync_spec(facts.settings.synchronous_standby_names);
        if (!spec || spec->how == sync_spec::method::none) return false;
        const auto confirming = std::ranges::count_if(facts.senders, [&](const wal_sender& one) {
            return one.streaming && spec->names_standby(one.application_name);
        });
        return static_cast<std::size_t>(confirming) < spec->count;
    }

    std::string missing_slot(const server& one) const {
        const auto& name = one.facts.settings.primary_slot_name;
        if (name.empty() || !one.upstream || !cluster_.servers[*one.upstream].current) return {};
        const auto& upstream = cluster_.servers[*one.upstream];
        const auto slot = std::ranges::find(upstream.facts.slots, name, &replication_slot::name);
        if (slot == upstream.facts.slots.end())
            return fmt::format("the slot {} of {} does not exist on {}", name, one.name(),
                               upstream.name());
        if (slot->wal_status == "lost")
            return fmt::format("the slot {} of {} on {} has lost its WAL: copy the standby anew",
                               name, one.name(), upstream.name());
        return {};
    }

    std::string detail() const {
        const auto& facts = primary().facts;
        if (!facts.reach_detail.empty()) return facts.reach_detail;
        switch (facts.reach) {
            case reachability::dead:
                return facts.refused ? "connection refused" : "no answer";
            case reachability::starting:
                return "it starts up";
            case reachability::refusing:
                return "it does not let Howdah in";
            default:
                return "it was not read in time";
        }
    }
    std::string list(const std::vector<std::size_t>& servers) const {
        std::string out;
        for (const auto i : servers)
            out += (out.empty() ? "" : ", ") + cluster_.servers[i].name();
        return out;
    }

    const cluster& cluster_;
    const judgement& judged_;
    const diagnosis_options& options_;
    std::vector<std::size_t> quiet_;
};

}  // namespace

std::span<const problem_info> problem_table() noexcept {
    return table;
}

const problem_info& info_of(problem what) noexcept {
    return table[static_cast<std::size_t>(what)];
}

std::string_view to_string(severity value) noexcept {
    constexpr std::array<std::string_view, 4> words{"ok", "info", "warning", "critical"};
    return words[static_cast<std::size_t>(value)];
}

problem judge_cluster(const cluster_view& view) noexcept {
    const auto found =
        std::ranges::find_if(cluster_rules, [&](const rule& one) { return one.matches(view); });
    return found == cluster_rules.end() ? problem::none : found->what;
}

cluster_view reduce(const cluster& subject, const judgement& judged,
                    const diagnosis_options& options) {
    return observer(subject, judged, options).view();
}

cluster_diagnosis diagnose(const cluster& subject, const judgement& judged,
                           const diagnosis_options& options) {
    observer eye(subject, judged, options);
    cluster_diagnosis out;
    out.view = eye.view();
    out.primary = judged.primary;
    out.headline.what = judge_cluster(out.view);
    if (out.headline.what == problem::unreachable_primary && !out.view.streaming)
        out.to_confirm = eye.quiet();
    if (out.headline.what != problem::none) {
        if (judged.primary) out.headline.subject = judged.primary;
        out.headline.sentence = eye.say(out.headline.what, out.view);
        out.all.push_back(out.headline);
    }
    // Seen from the dark, nothing about single servers is worth a word.
    if (out.headline.what == problem::monitor_blind) return out;
    for (std::size_t i = 0; i < subject.servers.size(); ++i)
        if (auto one = eye.of_server(i); one.what != problem::none)
            out.all.push_back(std::move(one));
    const auto servers = out.all.begin() + (out.headline.what != problem::none);
    std::stable_sort(servers, out.all.end(),
                     [](const diagnosis& a, const diagnosis& b) { return a.what < b.what; });
    if (out.headline.what == problem::none) {
        if (!out.all.empty())
            out.headline = out.all.front();
        else
            out.headline.sentence = judged.sentence;
    }
    return out;
}

}  // namespace howdah::ha
