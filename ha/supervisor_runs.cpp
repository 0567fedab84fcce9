#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

#include "ha/supervisor_hands.hpp"

namespace howdah::ha {
namespace {

using boost::asio::awaitable;

std::string name_of(const recovery_order& what, bool ordered) {
    if (!ordered) return {};
    return what.by.empty() ? "operator" : what.by;
}

// Texts are made outside of coroutines: there g++ 12 destroys temporaries of ?: twice.

/// How a failover or switchover ended, for the history.
std::string ending(const recovery& row, bool promoted, const std::string& why) {
    const auto failed = to_string(row.failed);
    if (!promoted) return fmt::format("Failed: {}; nobody was promoted: {}", failed, why);
    auto out = fmt::format("Failed: {}; Promoted: {}", failed, to_string(*row.successor));
    if (!why.empty()) out += "; afterwards: " + why;
    return out;
}

std::string ending(const plan& what, const std::string& why) {
    return why.empty() ? what.title : what.title + ": " + why;
}

std::string new_uid() {
    std::random_device random;
    return fmt::format("{}:{:08x}{:08x}", unix_now_us(), random(), random());
}

}  // namespace

recovery supervisor::impl::row_for(const watched_cluster& w, const cluster& subject,
                                   std::string kind, const std::string& by) const {
    recovery row;
    row.uid = new_uid();
    row.kind = std::move(kind);
    row.cluster = subject.name;
    row.alias = subject.alias;
    if (w.record) row.failed = w.record->primary;
    row.automatic = by.empty();
    row.ordered_by = by;
    row.started_at = unix_now_us();
    for (const auto& one : subject.servers)
        row.participants.push_back(one.at());
    return row;
}

awaitable<bool> supervisor::impl::open_row(recovery& row) {
    const std::function<void()> write = [this, &row] { row.id = store_.save(row); };
    const auto error = co_await keep(write);
    if (!error.empty())
        spdlog::error("ha: {}: nothing is begun, the history cannot be written: {}", row.cluster,
                      error);
    co_return error.empty();
}

awaitable<void> supervisor::impl::close_row(recovery& row, bool successful, std::string sentence) {
    row.ended_at = unix_now_us();
    row.successful = successful;
    row.sentence = std::move(sentence);
    const auto copy = row;
    const std::function<void()> write = [this, &copy] { store_.save(copy); };
    const auto error = co_await keep(write);
    if (!error.empty())
        spdlog::error("ha: {}: the history cannot be written: {}", copy.cluster, error);
    count_recovery(clusters_[copy.cluster].ended, copy);
    spdlog::log(successful ? spdlog::level::info : spdlog::level::err, "ha: {}: {} {}: {}",
                copy.cluster, copy.kind, successful ? "complete" : "failed", copy.sentence);
}

awaitable<bool> supervisor::impl::open_recovery(watched_cluster& w, recovery row) {
    const bool open = co_await open_row(row);
    if (open) w.under_way = std::move(row);
    co_return open;
}

awaitable<void> supervisor::impl::close_recovery(watched_cluster& w, bool successful,
                                                 std::string sentence) {
    if (!w.under_way) co_return;
    co_await close_row(*w.under_way, successful, std::move(sentence));
    const auto& row = *w.under_way;
    w.past.push_back(row);
    // What was read before it ended is no reason to do it again.
    for (const auto& at : row.participants)
        if (at != row.failed) w.tended[at] = now_us();
}

void supervisor::impl::answer_order(const answer& done, const recovery& row) {
    if (done) done({row.successful, row.sentence, row.successor, row.id});
}

awaitable<bool> supervisor::impl::keep_intent(watched_cluster& w, failover_intent intent) {
    shared_state ours{w.record.value_or(cluster_record{}), intent};
    const std::function<void()> write = [this, &intent] { store_.save(intent); };
    const auto error = co_await keep_agreed(w, std::move(ours), write);
    if (!error.empty()) {
        spdlog::error("ha: {}: the journal cannot be written: {}", intent.cluster, error);
        co_return false;
    }
    w.intent = std::move(intent);
    co_return true;
}

awaitable<void> supervisor::impl::confirm(std::string name, std::vector<std::size_t> quiet) {
    auto& w = clusters_[name];
    const auto subject = cluster_now(name);
    if (!subject) {
        w.confirming = false;
        co_return;
    }
    run_hands hands(*this, w, name);
    hands.always();
    executor steps(io_, hands);
    const auto what = plan_confirmation(*subject, quiet);
    const auto until = now_us() + confirm_time_us;
    if (what.possible()) {
        co_await steps.carry_out(what);
        // Whether a standby is quiet hangs on when it heard last, and may change with every
        // reading: those that were asked get the time to find out.
        const auto asked_until = now_us() + answer_time_us;
        const auto goes_on = [&] {
            const bool silent = w.known_problem == problem::unreachable_primary && !w.busy;
            return w.to_confirm > 0 || (silent && now_us() < asked_until);
        };
        while (!stopped_ && now_us() < until && goes_on())
            co_await next_cycle();
        co_await steps.undo_all();
    }
    w.confirmed_us = now_us();
    w.confirming = false;
    wake();
}

awaitable<bool> supervisor::impl::begin_journal(watched_cluster& w, const cluster& subject,
                                                std::size_t old_primary) {
    failover_intent intent;
    intent.cluster = subject.name;
    intent.epoch = w.record->epoch + 1;
    intent.from = subject.servers[old_primary].at();
    intent.base_timeline = w.record->timeline;
    for (const auto& one : subject.servers)
        if (one.standing_by() && !one.foreign)
            intent.conninfo_before_freeze[one.at()] = one.facts.upstream_conninfo();
    const auto before = intent.conninfo_before_freeze;
    if (!co_await keep_intent(w, std::move(intent))) co_return false;
    for (const auto& [at, text] : before)
        watcher_.remember_conninfo(at, text);
    co_return true;
}

awaitable<std::string> supervisor::impl::freeze(watched_cluster& w, const cluster& subject,
                                                std::size_t old_primary, executor& hands) {
    if (!co_await begin_journal(w, subject, old_primary))
        co_return "the journal cannot be written, and without it nothing is begun";
    const auto what = plan_freeze(subject, old_primary);
    const auto report = co_await hands.carry_out(what);
    if (report.sentence.empty()) co_await see_frozen(subject.name, what, report.lost);
    co_return report.sentence;
}

awaitable<void> supervisor::impl::see_frozen(const std::string& name, const plan& frozen,
                                             const std::vector<endpoint>& failed) {
    const auto until = now_us() + step{}.timeout_us;
    do {
        const auto subject = cluster_now(name);
        if (!subject) co_return;
        auto left = not_seen_frozen(*subject, frozen, failed);
        if (left.empty()) co_return;
        co_await watcher_.refresh(std::move(left));
    } while (now_us() < until);
}

awaitable<sql_answer> supervisor::impl::begin_epoch(watched_cluster& w, const std::string& name,
                                                    endpoint promoted) {
    std::vector<endpoint> which{promoted};
    co_await watcher_.refresh(std::move(which));
    const auto subject = cluster_now(name);
    const auto found = subject ? subject->find(promoted) : std::nullopt;
    if (!found || !subject->servers[*found].writable())
        co_return failed_answer("the new primary does not answer");
    const auto& one = subject->servers[*found];
    auto record =
        next_epoch(*w.record, one.at(), one.facts.timeline, one.facts.flush_lsn.value_or(0),
                   w.under_way ? std::string_view(w.under_way->kind) : std::string_view(),
                   w.intent ? w.intent->fork_lsn : 0);
    record.known_timeline = std::max(record.known_timeline, record.timeline);
    record.sync_sets = {one.facts.settings.synchronous_standby_names};
    record.sync_changed_at = 0;
    shared_state ours{record, std::nullopt};
    const std::function<void()> write = [this, &record] { store_.save(record); };
    const auto error = co_await keep_agreed(w, std::move(ours), write);
    if (!error.empty()) co_return failed_answer("the new epoch cannot be written: " + error);
    w.record = std::move(record);
    w.record_kept_us = now_us();
    if (w.intent && w.intent->stopped)
        w.to_rejoin[w.intent->from] = w.under_way ? w.under_way->ordered_by : std::string();
    w.intent.reset();
    w.holding = false;
    w.writer_seen = true;
    co_await next_cycle();
    if (w.under_way) {
        w.under_way->successor = promoted;
        w.under_way->epoch = w.record->epoch;
        w.under_way->writable_at = unix_now_us();
    }
    co_return sql_answer{};
}

awaitable<std::string> supervisor::impl::promote(watched_cluster& w, const std::string& name,
                                                 const recovery_order& what, time_us frozen_at,
                                                 executor& hands) {
    auto subject = cluster_now(name);
    if (!subject) co_return "the cluster is no longer configured";
    std::vector<endpoint> standbys;
    for (const auto& one : subject->servers)
        if (w.intent->conninfo_before_freeze.contains(one.at())) standbys.push_back(one.at());
    co_await watcher_.refresh(std::move(standbys));
    subject = cluster_now(name);
    const auto old_primary = subject ? subject->find(w.intent->from) : std::nullopt;
    if (!old_primary) co_return "the cluster is no longer configured";
    const auto& old = subject->servers[*old_primary];
    // It was dead when this was decided.
    if (old.writable()) co_return fmt::format("{} answers again", old.name());
    if (auto managed = subject->managed_by_another(); !managed.empty()) co_return managed;

    auto options = policy_of(settings_->vars, notes_).candidates;
    options.frozen_at_us = frozen_at;
    options.wanted = what.to;
    options.allow_data_loss = what.allow_data_loss;
    const auto choice = choose_candidate(*subject, old_primary, *w.record, options);
    if (!choice.chosen) co_return choice.sentence;
    if (w.under_way) w.under_way->loss_bytes = choice.loss_bytes;
    spdlog::info("ha: {}: {}", name, choice.sentence);
    const auto plan =
        plan_promotion(*subject, *old_primary, choice, *w.record, plan_options_of(settings_->vars));
    if (!plan.possible()) co_return plan.impossible;
    for (const auto& note : plan.notes)
        spdlog::info("ha: {}: {}", name, note);

    const auto report = co_await hands.carry_out(plan);
    if (w.under_way) w.under_way->lost = report.lost;
    co_return report.sentence;
}

awaitable<void> supervisor::impl::give_up(watched_cluster& w, const std::string& name,
                                          executor& hands) {
    // Who acts now goes on with it; what was begun is in etcd. Nobody must be left to promote while
    // the others follow again.
    if (!may_not_act(w).empty()) co_return;
    shared_state frozen{w.record.value_or(cluster_record{}), w.intent};
    const auto refused = co_await share(w, std::move(frozen));
    if (!refused.empty()) co_return;
    std::vector<endpoint> standbys;
    for (const auto& [at, text] : w.intent->conninfo_before_freeze)
        standbys.push_back(at);
    std::vector<endpoint> old_primary{w.intent->from};
    const auto given_up = *w.intent;
    co_await watcher_.refresh(std::move(standbys));
    if (const auto subject = cluster_now(name)) {
        const auto back = plan_unfreeze(*subject, given_up);
        co_await hands.carry_out(back);
    }
    // What was read while it was stopped would be a reason to replace it.
    if (given_up.stopped) co_await watcher_.refresh(std::move(old_primary));
    shared_state ours{w.record.value_or(cluster_record{}), std::nullopt};
    const std::function<void()> write = [this, &name] { store_.remove_intent(name); };
    const auto error = co_await keep_agreed(w, std::move(ours), write);
    if (!error.empty()) {
        // It is tried again as long as the intent is there.
        spdlog::error("ha: {}: the journal cannot be written: {}", name, error);
        co_return;
    }
    w.intent.reset();
    w.holding = false;
    co_await next_cycle();
}

awaitable<void> supervisor::impl::end_journal(const std::string& name) {
    const std::function<void()> write = [this, &name] { store_.remove_intent(name); };
    const auto error = co_await keep(write);
    if (!error.empty()) spdlog::error("ha: {}: the journal cannot be written: {}", name, error);
}

/// Neither promoted nor not: the cycle asks on, with the intent that is on disk.
bool supervisor::impl::is_unknown(const watched_cluster& w, const std::string& name,
                                  const std::string& why) {
    if (!w.intent || w.intent->phase != intent_phase::promoting) return false;
    spdlog::error("ha: {}: it is not known whether {} was promoted: {}", name,
                  w.intent->candidate ? to_string(*w.intent->candidate) : "anybody", why);
    return true;
}

awaitable<void> supervisor::impl::fail_over(std::string name, recovery_order what, bool ordered,
                                            answer done) {
    auto& w = clusters_[name];
    std::string why;
    auto subject = cluster_now(name);
    const auto old_primary = subject && w.record ? subject->find(w.record->primary) : std::nullopt;
    if (!old_primary) {
        w.busy = false;
        if (done) done({false, "no server is known to be the primary", {}, 0});
        co_return;
    }
    auto row = row_for(w, *subject, "failover", name_of(what, ordered));
    if (w.last) row.problem = w.last->problems.headline.info().name;
    if (!co_await open_recovery(w, std::move(row))) {
        w.busy = false;
        if (done) done({false, "the history cannot be written: nothing was begun", {}, 0});
        co_return;
    }
    run_hands hands(*this, w, name);
    executor steps(io_, hands);
    const auto epoch = w.record->epoch;
    auto before = settings_->vars.ha_pre_failover;
    auto occasion = occasion_now(*w.under_way);
    why = co_await run_hook("ha_pre_failover", std::move(before), std::move(occasion));
    if (why.empty()) why = co_await freeze(w, *subject, *old_primary, steps);
    const auto frozen_at = now_us();
    if (why.empty() && w.intent) why = co_await promote(w, name, what, frozen_at, steps);
    const bool promoted = w.record->epoch > epoch;
    co_await hands.keep_steps();
    if (!promoted && is_unknown(w, name, why)) {
        if (done) done({false, why, {}, w.under_way->id});
        w.busy = false;
        co_return wake();
    }
    if (promoted) co_await end_journal(name);
    if (!promoted && w.intent) co_await give_up(w, name, steps);
    // Another Howdah may be going on with it.
    if (!promoted) w.holding = w.intent && !may_not_act(w).empty();
    auto sentence = ending(*w.under_way, promoted, why);
    co_await close_recovery(w, promoted, std::move(sentence));
    co_await hands.keep_steps();
    if (!promoted) w.failed_us = now_us();
    answer_order(done, *w.under_way);
    const auto ended = *w.under_way;
    w.under_way.reset();
    w.busy = false;
    wake();
    occasion = occasion_now(ended);
    std::string hook = "ha_post_unsuccessful_failover";
    auto after = settings_->vars.ha_post_unsuccessful_failover;
    if (promoted) {
        hook = "ha_post_failover";
        after = settings_->vars.ha_post_failover;
    }
    co_await run_hook(std::move(hook), std::move(after), std::move(occasion));
}

awaitable<void> supervisor::impl::go_on(std::string name, resumption how) {
    auto& w = clusters_[name];
    run_hands hands(*this, w, name);
    executor steps(io_, hands);
    std::string why;
    auto subject = cluster_now(name);
    if (!w.under_way && subject) {
        auto row = row_for(w, *subject, "failover", "");
        row.failed = w.intent->from;
        co_await open_recovery(w, std::move(row));
    }
    if (how == resumption::wait) {
        why = "the new primary is gone again";
        co_await end_journal(name);
        w.intent.reset();
        w.holding = false;
    } else if (how == resumption::undo || !w.record) {
        why = "the failover ended before anybody was promoted";
        co_await give_up(w, name, steps);
    } else {
        const auto candidate = subject ? subject->find(*w.intent->candidate) : std::nullopt;
        const auto old_primary = subject ? subject->find(w.intent->from) : std::nullopt;
        if (!candidate || !old_primary) {
            why = "the cluster is no longer configured as it was";
        } else {
            candidate_choice choice;
            choice.chosen = candidate;
            choice.target = subject->servers[*candidate].facts.position();
            const auto plan = plan_promotion(*subject, *old_primary, choice, *w.record,
                                             plan_options_of(settings_->vars));
            const auto report = co_await steps.carry_out(plan);
            why = report.sentence;
            if (w.under_way) w.under_way->lost = report.lost;
        }
    }
    co_await hands.keep_steps();
    const bool promoted = !w.intent && (how == resumption::promote || how == resumption::finish);
    if (promoted) co_await end_journal(name);
    if (!w.intent && w.under_way) {
        auto sentence = ending(*w.under_way, promoted, why);
        co_await close_recovery(w, promoted, std::move(sentence));
        w.under_way.reset();
    }
    w.busy = false;
    wake();
}

awaitable<void> supervisor::impl::switch_over(std::string name, recovery_order what, answer done) {
    auto& w = clusters_[name];
    const auto subject = cluster_now(name);
    const auto refuse = [&](std::string why) {
        w.busy = false;
        if (done) done({false, std::move(why), {}, 0});
    };
    if (!subject || !w.last || !w.record) co_return refuse("the cluster is not known well enough");
    w.busy = false;  // the gate looks at others' recoveries
    const auto made = decide_now(w, *subject, what);
    w.busy = true;
    if (!made.writers.writer) co_return refuse(made.writers.sentence);
    const auto allowed = policy_of(settings_->vars, notes_);
    circumstances around;
    around.order = what;
    around.may_not_act_because = may_not_act(w);
    for (const auto& one :
         check_switchover(*subject, made.problems, made.forecast, allowed, around))
        if (!one.open) co_return refuse(one.reason);
    const auto primary = *made.writers.writer;
    const auto plan = plan_switchover(*subject, primary, made.forecast, *w.record,
                                      plan_options_of(settings_->vars));
    if (!plan.possible()) co_return refuse(plan.impossible);
    auto row = row_for(w, *subject, "switchover", name_of(what, true));
    if (!co_await open_recovery(w, std::move(row)))
        co_return refuse("the history cannot be written: nothing was begun");

    run_hands hands(*this, w, name);
    executor steps(io_, hands);
    const auto epoch = w.record->epoch;
    std::string why;
    auto before = settings_->vars.ha_pre_switchover;
    auto occasion = occasion_now(*w.under_way);
    why = co_await run_hook("ha_pre_switchover", std::move(before), std::move(occasion));
    if (!why.empty()) {
        // Nothing was done yet.
    } else if (!co_await begin_journal(w, *subject, primary)) {
        why = "the journal cannot be written, and without it nothing is begun";
    } else {
        const auto report = co_await steps.carry_out(plan);
        why = report.sentence;
        w.under_way->lost = report.lost;
    }
    co_await hands.keep_steps();
    const bool promoted = w.record->epoch > epoch;
    if (!promoted && is_unknown(w, name, why)) {
        if (done) done({false, why, {}, w.under_way->id});
        w.busy = false;
        co_return wake();
    }
    if (promoted) co_await end_journal(name);
    if (!promoted && w.intent) co_await give_up(w, name, steps);
    // Another Howdah may be going on with it.
    if (!promoted) w.holding = w.intent && !may_not_act(w).empty();
    auto sentence = ending(*w.under_way, promoted, why);
    co_await close_recovery(w, promoted, std::move(sentence));
    co_await hands.keep_steps();
    answer_order(done, *w.under_way);
    const auto ended = *w.under_way;
    w.under_way.reset();
    w.busy = false;
    wake();
    if (!promoted) co_return;
    auto after = settings_->vars.ha_post_switchover;
    occasion = occasion_now(ended);
    co_await run_hook("ha_post_switchover", std::move(after), std::move(occasion));
}

awaitable<void> supervisor::impl::rejoin(std::string name, plan what, endpoint about,
                                         std::string by, answer done) {
    auto& w = clusters_[name];
    const auto subject = cluster_now(name);
    if (!subject) {
        w.rejoining.erase(about);
        if (done) done({false, "the cluster is no longer configured", {}, 0});
        co_return;
    }
    auto row = row_for(w, *subject, "rejoin", by);
    row.failed = about;
    if (!co_await open_row(row)) {
        w.rejoining.erase(about);
        if (done) done({false, "the history cannot be written: nothing was begun", {}, 0});
        co_return;
    }
    run_hands hands(*this, w, name, &row);
    executor steps(io_, hands);
    const auto why = co_await hands.work_through(steps, what);
    auto sentence = ending(what, why);
    co_await close_row(row, why.empty(), std::move(sentence));
    w.rejoining.erase(about);
    std::vector<endpoint> which{about};
    co_await watcher_.refresh(std::move(which));
    co_await next_cycle();
    answer_order(done, row);
}

awaitable<void> supervisor::impl::small_plan(std::string name, std::string kind, plan what,
                                             endpoint about, std::string by, answer done) {
    auto& w = clusters_[name];
    const auto subject = cluster_now(name);
    run_hands hands(*this, w, name);
    executor steps(io_, hands);
    std::string why = "the cluster is no longer configured";
    bool opened = false;
    if (subject) {
        auto row = row_for(w, *subject, std::move(kind), by);
        row.failed = about;
        opened = co_await open_recovery(w, std::move(row));
        why = "the history cannot be written: nothing was begun";
    }
    if (opened) {
        why = co_await hands.work_through(steps, what);
        auto sentence = ending(what, why);
        co_await close_recovery(w, why.empty(), std::move(sentence));
        answer_order(done, *w.under_way);
        w.under_way.reset();
    } else if (done) {
        done({false, why, {}, 0});
    }
    w.busy = false;
    wake();
}

}  // namespace howdah::ha
