#include "ha/supervisor.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "ha/news.hpp"
#include "ha/supervisor_impl.hpp"
#include "ha/unfence_plan.hpp"
#include "protocol/io/offload.hpp"

namespace howdah::ha {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using std::chrono::milliseconds;

constexpr auto never = boost::asio::steady_timer::time_point::max();
/// While something is wrong, servers are read this often.
constexpr milliseconds hurried{50};
/// A cycle without news: time alone changes what is right, too.
constexpr std::chrono::seconds slowest_cycle{1};
/// How often a position that moved is written down.
constexpr time_us position_interval_us = 5'000'000;
constexpr time_us resolve_interval_us = 1'000'000;  // the cache knows how old is too old
constexpr time_us forget_interval_us = 3'600'000'000;
/// Facts older than this are memory; more than two readings that fail.
constexpr time_us stale_after_us = 5'000'000;
/// Quiet standbys are not asked again sooner.
constexpr time_us confirm_pause_us = 5'000'000;
/// Nor is a server fenced or rewired, or a failover tried, that did not work.
constexpr time_us attempt_pause_us = 10'000'000;
/// Nor is an interrupted failover gone on with, if that did not end it.
constexpr time_us resume_pause_us = 1'000'000;

/// What may be written down a little later.
bool same_but_for_positions(cluster_record a, const cluster_record& b) {
    a.flush_lsn = b.flush_lsn;
    a.sync_changed_at = b.sync_changed_at;
    return a == b;
}

/// Whoever has the right to act would begin a failover.
bool would_follow(const decision& made) {
    return made.problems.headline.info().calls_for_failover &&
           std::ranges::all_of(
               made.gates, [](const gate& one) { return one.open || one.name == "right to act"; });
}

bool in_doubt(const decision& made) {
    using enum problem;
    const auto what = made.problems.headline.what;
    return what == unreachable_primary || what == dead_primary ||
           what == dead_primary_and_some_standbys || what == no_writable_primary ||
           what == split_brain;
}

}  // namespace

const cluster_state* ha_view::find(std::string_view hint) const {
    topology all;
    for (const auto& one : clusters)
        all.clusters.push_back(one.subject);
    const auto* found = all.find(hint);
    if (!found) return nullptr;
    return &clusters[static_cast<std::size_t>(found - all.clusters.data())];
}

supervisor::impl::impl(boost::asio::io_context& io, boost::asio::thread_pool& threads, store& kept,
                       std::shared_ptr<const conf::settings> settings, supervisor_hooks hooks)
    : io_(io),
      threads_(threads),
      store_(kept),
      settings_(std::move(settings)),
      hooks_(std::move(hooks)),
      names_(std::make_shared<monitor::resolver_cache>(io)),
      tasks_(io,
             [](std::exception_ptr error) {
                 try {
                     std::rethrow_exception(error);
                 } catch (const std::exception& e) {
                     spdlog::error("ha: a task ended with {}", e.what());
                 }
             }),
      links_(io, names_, [this](const endpoint& at) { return login_of(*settings_, at); }),
      watcher_(io, tasks_, names_, [this](const endpoint&) { wake(); }),
      coordinated_(io),
      news_(io, never),
      cycled_(io, never),
      view_(std::make_shared<const ha_view>()) {
    names_->on_change([this](const std::string& host, const monitor::resolver_cache::addresses&) {
        links_.clear();
        watcher_.reconnect(host);
    });
}

void supervisor::impl::start() {
    if (started_ || stopped_) return;
    notes_ = store_.notes();
    for (auto& one : store_.servers())
        memories_[one.at] = one;
    for (auto& [name, record] : store_.records())
        clusters_[name].record = record;
    for (auto& [name, intent] : store_.intents())
        clusters_[name].intent = intent;
    history_filter recent;
    recent.since = unix_now_us() - std::chrono::duration_cast<std::chrono::microseconds>(
                                       settings_->vars.ha_recovery_block)
                                       .count();
    auto rows = store_.recoveries(recent);
    // Howdah may have been away for longer than that.
    history_filter open;
    open.only_active = true;
    for (auto& row : store_.recoveries(open))
        if (std::ranges::find(rows, row.id, &recovery::id) == rows.end())
            rows.push_back(std::move(row));
    take_up_history(std::move(rows));
    for (auto& [name, w] : clusters_) {
        w.holding = w.intent.has_value() && !epoch_begun(w);
        if (w.intent)
            spdlog::warn("ha: {}: a failover from {} was under way when Howdah ended", name,
                         to_string(w.intent->from));
    }
    begin_coordination();
    started_ = true;
    follow_servers();
    spawn(run_cycles());
    spawn(run_coordination());
}

bool supervisor::impl::epoch_begun(const watched_cluster& w) {
    return w.intent && w.record && w.record->epoch >= w.intent->epoch;
}

void supervisor::impl::stop() {
    if (std::exchange(stopped_, true)) return;
    agents_.request_stop();
    watcher_.stop();
    links_.abort();
    names_->stop();
    coordinated_.cancel();
    if (coordinator_) coordinator_->resign();
    news_.cancel();
    cycled_.cancel();
}

void supervisor::impl::reload(std::shared_ptr<const conf::settings> settings) {
    const auto before = std::exchange(settings_, std::move(settings));
    links_.clear();
    if (!started_ || stopped_) return;
    reload_coordination(before->vars);
    follow_servers();
    wake();
}

void supervisor::impl::server_dead(const endpoint& at) {
    if (stopped_) return;
    watcher_.look(at);
    // What its standbys say counts from now on only.
    watcher_.look();
}

void supervisor::impl::follow_servers() {
    std::map<endpoint, monitor::pq_parameters> servers;
    if (settings_->vars.monitor_enabled)
        for (const auto& one : configured_clusters(*settings_))
            for (const auto& row : one.servers)
                servers[row.at] = login_of(*settings_, row.at);
    watcher_.follow(servers);
    for (const auto& [at, one] : memories_)
        watcher_.recall(one);
    watcher_.pace(settings_->vars.ha_check_interval, settings_->vars.ha_check_timeout);
    names_->set_time_to_live(settings_->vars.monitor_local_dns_cache_ttl);
    for (const auto& [name, w] : clusters_)
        if (w.intent)
            for (const auto& [at, text] : w.intent->conninfo_before_freeze)
                watcher_.remember_conninfo(at, text);
    resolve_names();
}

void supervisor::impl::resolve_names() {
    resolved_us_ = now_us();
    for (const auto& one : configured_clusters(*settings_))
        for (const auto& row : one.servers)
            names_->resolve(row.at.host, [this, host = row.at.host](
                                             const monitor::resolver_cache::addresses& found,
                                             const std::string&) {
                if (!found.empty()) addresses_[host] = {found.begin(), found.end()};
            });
}

void supervisor::impl::wake() {
    wanted_ = true;
    news_.cancel();
}

awaitable<void> supervisor::impl::next_cycle() {
    const auto number = begun_ + 1;
    wake();
    while (!stopped_ && ended_ < number)
        co_await cycled_.async_wait(as_tuple(use_awaitable));
}

awaitable<std::string> supervisor::impl::keep(const std::function<void()>& work) {
    std::string error;
    const std::function<void()> guarded = [&work, &error] {
        try {
            work();
        } catch (const std::exception& e) {
            error = e.what();
            if (error.empty()) error = "unknown error";
        }
    };
    co_await protocol::offload(threads_, io_, guarded);
    co_return error;
}

topology supervisor::impl::look_at_facts() const {
    topology_input input;
    input.now_us = now_us();
    input.facts = watcher_.facts();
    for (const auto& [name, w] : clusters_)
        if (w.record) input.records[name] = *w.record;
    input.clusters = configured_clusters(
        *settings_, known_so_far{notes_, input.records, unix_now_us(), input.now_us});
    input.addresses = addresses_;
    input.stale_after_us = stale_after_us;
    input.ignored_managers = ignored_managers(settings_->vars);
    return build_topology(input);
}

std::optional<cluster> supervisor::impl::cluster_now(const std::string& name) const {
    auto seen = look_at_facts();
    for (auto& one : seen.clusters)
        if (one.name == name) return std::move(one);
    return std::nullopt;
}

decision supervisor::impl::decide_now(const watched_cluster& w, const cluster& subject,
                                      const std::optional<recovery_order>& what) const {
    auto allowed = policy_of(settings_->vars, notes_);
    // Another cluster that answers shows that our own network works.
    for (const auto& [at, facts] : watcher_.facts())
        if (facts.reach == reachability::up && !subject.find(at))
            allowed.diagnoses.network_works = true;
    circumstances around;
    around.order = what;
    around.recovery_under_way = w.busy || w.intent;
    around.may_not_act_because = may_not_act(w);
    const auto offset = unix_now_us() - subject.now_us;
    for (const auto& one : w.past)
        // One that promoted nobody must not spend the only one that there is within the block.
        if ((one.kind == "failover" || one.kind == "switchover") && one.successful)
            around.past.push_back({std::max<time_us>(1, one.ended_at - offset), one.acknowledged,
                                   to_string(one.failed)});
    judge_options judging;
    judging.all_looked_at = watcher_.looked_at_all();
    judging.watched = w.writer_seen;
    judging.under_way = w.holding;
    return decide(subject, w.record, allowed, around, judging);
}

awaitable<void> supervisor::impl::run_cycles() {
    while (!stopped_) {
        if (!wanted_) {
            news_.expires_after(slowest_cycle);
            co_await news_.async_wait(as_tuple(use_awaitable));
        }
        if (stopped_) co_return;
        co_await cycle();
        cycled_.cancel();
    }
}

awaitable<void> supervisor::impl::cycle() {
    wanted_ = false;
    const auto number = ++begun_;
    if (now_us() - resolved_us_ > resolve_interval_us) resolve_names();
    if (!forgot_us_ || now_us() - forgot_us_ > forget_interval_us) {
        forgot_us_ = now_us();
        spawn(forget_history());
    }
    remember_servers();
    const auto seen = look_at_facts();
    monitor::ruling ruled;
    bool hurry = false;
    for (const auto& subject : seen.clusters) {
        if (subject.writer_hostgroup == 0) continue;
        auto& w = clusters_[subject.name];
        co_await agree(w, subject);
        if (stopped_) co_return;
        if (auto who = who_acts(w); std::exchange(w.said_leader, who) != who && !who.empty())
            spdlog::info("ha: {}: {}", subject.name, who);
        auto made = decide_now(w, subject, std::nullopt);
        co_await settle(w, subject, made);
        if (stopped_) co_return;
        hurry |= in_doubt(made) || w.busy || w.confirming || w.intent;
        add_ruling(ruled, w, subject, made);
        w.writer_seen = made.writers.writer && w.record &&
                        subject.servers[*made.writers.writer].is(w.record->primary);
        w.to_confirm = made.problems.to_confirm.size();
        note_problem(w, subject, made);
        w.last = std::move(made);
    }
    if (ruled != ruling_) {
        ruling_ = ruled;
        hooks_.rule(std::move(ruled));
    }
    for (const auto& subject : seen.clusters)
        if (subject.writer_hostgroup)
            act_on(clusters_[subject.name], subject, *clusters_[subject.name].last);
    watcher_.pace(hurry ? std::min(hurried, settings_->vars.ha_check_interval)
                        : settings_->vars.ha_check_interval,
                  settings_->vars.ha_check_timeout);
    show(seen);
    ended_ = number;
}

/// The record has to be on disk before anything that rests on it is published.
awaitable<void> supervisor::impl::settle(watched_cluster& w, const cluster& subject,
                                         decision& made) {
    const auto& fresh = made.writers.record;
    if (w.busy || w.holding || w.intent || !made.writers.changed || fresh.epoch == 0) co_return;
    const bool light = w.record && same_but_for_positions(*w.record, fresh);
    if (light && now_us() - w.record_kept_us < position_interval_us) {
        w.record = fresh;
        co_return;
    }
    std::string error;
    const bool epoch_changes = !w.record || w.record->epoch != fresh.epoch;
    bool waits = false;
    if (!light && (coordinator_ || !coordination_error_.empty())) {
        // Another one tells, and it is taken over from him.
        waits = another_acts(w);
        error = may_not_act(w);
        shared_state ours{fresh, std::nullopt};
        if (error.empty()) error = co_await share(w, std::move(ours));
        if (!error.empty() && !epoch_changes) co_return;
    }
    const std::function<void()> write = [this, &fresh] { store_.save(fresh); };
    if (error.empty()) error = co_await keep(write);
    if (error.empty()) {
        if (!w.record || w.record->epoch != fresh.epoch)
            spdlog::info("ha: {}: {}", subject.name, made.writers.sentence);
        w.record = fresh;
        w.record_kept_us = now_us();
        w.said_held.clear();
        co_return;
    }
    if (std::exchange(w.said_held, error) != error)
        spdlog::log(waits ? spdlog::level::info : spdlog::level::err,
                    "ha: {}: the record cannot be written, the writer stays as it is: {}",
                    subject.name, error);
    if (light) co_return;
    // As if nothing had been seen: nobody new writes on a record that does not last.
    made.what = action::none;
    made.to_fence.clear();
    if (made.writers.record.epoch != (w.record ? w.record->epoch : 0)) made.writers.writer.reset();
    made.sentence = fmt::format("the record cannot be written: {}", error);
}

void supervisor::impl::add_ruling(monitor::ruling& out, const watched_cluster& w,
                                  const cluster& subject, const decision& made) const {
    if (settings_->vars.ha_mode == conf::ha_mode::observe && !w.busy && !w.intent) return;
    // Nothing is known yet, and nothing ever was: the monitor's view has to do.
    if (!w.record && !made.writers.writer) return;
    add_to_ruling(out, subject, made.writers);
    // From the first doubt, so that no statement fails that the new writer could answer.
    const bool may_follow =
        settings_->vars.ha_mode == conf::ha_mode::automatic &&
        (w.confirming || made.what != action::none || (another_acts(w) && would_follow(made)));
    const bool planned = w.under_way && w.under_way->kind == "switchover";
    if (w.holding || may_follow)
        out.held[subject.writer_hostgroup] = fmt::format(
            "a {} of {} is under way", planned ? "switchover" : "failover", subject.name);
    // It becomes a primary by our own doing: its sessions stay.
    if (w.holding && w.intent && w.intent->candidate) out.fenced.erase(*w.intent->candidate);
    if (made.writers.writer || w.holding) return;
    // Nothing shows that it is dead, and nobody was promoted: no reason to take its clients away.
    // The monitor sees by itself whether it can be used.
    const auto primary = subject.find(w.record->primary);
    const auto before = ruling_.writers.find(subject.writer_hostgroup);
    if (!primary || before == ruling_.writers.end()) return;
    const auto& one = subject.servers[*primary];
    const bool lives = one.facts.reach == reachability::up ||
                       one.facts.reach == reachability::refusing ||
                       made.problems.headline.what == problem::unreachable_primary;
    if (one.is(before->second) && !one.writable() && lives &&
        made.writers.standings[*primary] == standing::unknown)
        out.writers[subject.writer_hostgroup] = before->second;
}

void supervisor::impl::note_problem(watched_cluster& w, const cluster& subject,
                                    const decision& made) {
    const auto& headline = made.problems.headline;
    // What only grows by itself (seconds, bytes) is not said again and again.
    if (auto news = without_quantities(made.sentence); w.said != news) {
        w.said = std::move(news);
        const auto weight = headline.info().weight;
        spdlog::log(weight == severity::critical  ? spdlog::level::err
                    : weight == severity::warning ? spdlog::level::warn
                                                  : spdlog::level::info,
                    "ha: {}: {}", subject.name, made.sentence);
    }
    // Before all servers were looked at, what is missing is no finding.
    if (made.writers.undecided) return;
    if (std::exchange(w.known_problem, headline.what) == headline.what ||
        headline.what == problem::none)
        return;
    detection row;
    row.cluster = subject.name;
    row.alias = subject.alias;
    row.problem = headline.info().name;
    if (headline.subject) row.server = subject.servers[*headline.subject].at();
    row.at = unix_now_us();
    row.sentence = headline.sentence;
    spdlog::warn("ha: Detected {} on {}", row.problem,
                 row.server.host.empty() ? row.cluster : to_string(row.server));
    auto occasion = occasion_of(row);
    add_cluster(occasion, subject);
    spawn(keep_detection(std::move(row), std::move(occasion)));
}

hook_occasion supervisor::impl::occasion_now(const recovery& what) const {
    auto out = occasion_of(what);
    if (const auto subject = cluster_now(what.cluster)) add_cluster(out, *subject);
    return out;
}

awaitable<std::string> supervisor::impl::run_hook(std::string name, std::string command,
                                                  hook_occasion what) {
    if (command.empty()) co_return std::string();
    command_result result;
    const auto environment = hook_environment(what, own_host_name());
    const auto& vars = settings_->vars;
    const std::function<void()> run = [&result, &command, &environment, shell = vars.ha_hook_shell,
                                       timeout = vars.ha_hook_timeout] {
        result = run_command(command, shell, environment, timeout);
    };
    auto error = co_await keep(run);
    if (error.empty() && !result.ok()) error = result.sentence();
    if (error.empty()) {
        spdlog::info("ha: {} succeeded", name);
    } else {
        if (!result.output.empty()) error += "; it wrote: " + result.output;
        spdlog::error("ha: {} failed: {}", name, error);
    }
    co_return error;
}

/// Starts what follows from the decision; at most one thing per cluster at a time.
void supervisor::impl::act_on(watched_cluster& w, const cluster& subject, const decision& made) {
    std::erase_if(orders_, [&](waiting_order& one) {
        if (one.cluster != subject.name) return false;
        if (one.kind == order_kind::switchover) {
            if (w.busy || w.intent) {
                one.done({false, "a recovery of this cluster is under way", {}, 0});
                return true;
            }
            w.busy = true;
            spawn(switch_over(subject.name, one.what, one.done));
            return true;
        }
        const auto ordered = decide_now(w, subject, one.what);
        if (ordered.what == action::failover && !w.busy) {
            w.busy = true;
            spawn(fail_over(subject.name, one.what, true, one.done));
            return true;
        }
        const bool may_become = ordered.what == action::confirm || w.confirming;
        if (may_become && now_us() < one.until_us) return false;
        one.done({false, ordered.sentence, {}, 0});
        return true;
    });
    if (w.intent && !w.busy) {
        if (!watcher_.looked_at_all() || !may_not_act(w).empty()) return;
        const auto next = resume(subject, *w.intent);
        if (std::exchange(w.said_held, next.sentence) != next.sentence)
            spdlog::warn("ha: {}: {}", subject.name, next.sentence);
        // Once its epoch has begun it was promoted, and may be replaced like any other.
        if (next.what == resumption::wait && !epoch_begun(w)) return;
        if (now_us() - w.resumed_us < resume_pause_us) return;
        w.resumed_us = now_us();
        w.busy = true;
        spawn(go_on(subject.name, next.what));
        return;
    }
    if (made.what == action::confirm && !w.confirming &&
        now_us() - w.confirmed_us > confirm_pause_us) {
        w.confirming = true;
        spawn(confirm(subject.name, made.problems.to_confirm));
    }
    if (w.busy) return;
    if (made.what == action::failover) {
        if (w.failed_us && now_us() - w.failed_us < attempt_pause_us) return;
        w.busy = true;
        spawn(fail_over(subject.name, {}, false, {}));
        return;
    }
    tend(w, subject, made);
}

/// Fences who must not write, also while nobody does; ends the fence of a writer; rejoins who is to
/// be; and takes along who was left behind.
void supervisor::impl::tend(watched_cluster& w, const cluster& subject, const decision& made) {
    if (settings_->vars.ha_mode == conf::ha_mode::observe ||
        !subject.managed_by_another().empty() || !may_not_act(w).empty())
        return;
    const auto due = [&](const endpoint& at) {
        auto& last = w.tended[at];
        if (last && now_us() - last < attempt_pause_us) return false;
        last = now_us();
        return true;
    };
    for (const auto i : made.to_fence) {
        const auto& one = subject.servers[i];
        if (one.facts.settings.default_transaction_read_only || !due(one.at())) continue;
        auto what = plan_fence(subject, i, made.writers.record);
        if (!what.possible()) {
            spdlog::warn("ha: {}: {}", subject.name, what.impossible);
            continue;
        }
        w.busy = true;
        spawn(small_plan(subject.name, "fence", std::move(what), one.at(), "", {}));
        return;
    }
    if (!made.writers.writer) return;
    const auto& writer = subject.servers[*made.writers.writer];
    if (auto what = plan_unfence(subject, *made.writers.writer);
        what.possible() && due(writer.at())) {
        w.busy = true;
        spawn(small_plan(subject.name, "unfence", std::move(what), writer.at(), "", {}));
        return;
    }
    for (auto& [at, by] : std::exchange(w.to_rejoin, {}))
        begin_rejoin(at, by, {});
    for (std::size_t i = 0; i < subject.servers.size(); ++i) {
        const auto& one = subject.servers[i];
        if (made.writers.standings[i] != standing::standby || !one.standing_by() || one.downtimed ||
            w.rejoining.contains(one.at()) || (one.facts.receiver && one.facts.receiver->streaming))
            continue;
        const auto* upstream = one.upstream ? &subject.servers[*one.upstream] : nullptr;
        const auto is_replaced = [&](const fenced_server& old) {
            return upstream ? upstream->is(old.at) : to_string(old.at) == one.upstream_text;
        };
        const bool left_frozen = one.facts.settings.primary_conninfo.empty() &&
                                 !one.facts.conninfo_before_freeze.empty();
        const bool left_behind =
            std::ranges::any_of(made.writers.record.fenced, is_replaced) || left_frozen;
        if (!left_behind || !due(one.at())) continue;
        auto what = plan_rewire(subject, i, *made.writers.writer, plan_options_of(settings_->vars));
        if (!what.possible()) {
            spdlog::warn("ha: {}: {} follows a server that was replaced, and cannot be rewired: {}",
                         subject.name, one.name(), what.impossible);
            continue;
        }
        w.busy = true;
        spawn(small_plan(subject.name, "rewire", std::move(what), one.at(), "", {}));
        return;
    }
}

void supervisor::impl::show(const topology& seen) {
    auto fresh = std::make_shared<ha_view>();
    fresh->seen_at = unix_now_us();
    fresh->clock_us = now_us();
    fresh->allowed = policy_of(settings_->vars, notes_);
    fresh->notes = notes_;
    fresh->looked_at_all = watcher_.looked_at_all();
    fresh->discovered = seen.discovered;
    for (const auto& subject : seen.clusters) {
        if (subject.writer_hostgroup == 0) continue;
        const auto& w = clusters_[subject.name];
        cluster_state one{subject, *w.last, {}, w.under_way, fresh->seen_at, w.ended};
        one.preflight = check_preflight(subject, one.decided.writers, fresh->allowed.candidates);
        if (w.under_way && w.under_way->ended_at) one.under_way.reset();
        fresh->clusters.push_back(std::move(one));
    }
    view_.store(std::move(fresh));
}

void supervisor::impl::look(std::function<void()> done) {
    struct looking {
        static awaitable<void> run(impl* self, std::function<void()> done) {
            std::vector<endpoint> all;
            for (const auto& one : configured_clusters(*self->settings_))
                for (const auto& row : one.servers)
                    all.push_back(row.at);
            co_await self->watcher_.refresh(std::move(all));
            co_await self->next_cycle();
            done();
        }
    };
    spawn(looking::run(this, std::move(done)));
}

supervisor::supervisor(boost::asio::io_context& io, boost::asio::thread_pool& threads, store& kept,
                       std::shared_ptr<const conf::settings> settings, supervisor_hooks hooks)
    : impl_(std::make_shared<impl>(io, threads, kept, std::move(settings), std::move(hooks))) {}

supervisor::~supervisor() {
    impl_->stop();
}

void supervisor::start() {
    impl_->start();
}
void supervisor::stop() {
    impl_->stop();
}
void supervisor::reload(std::shared_ptr<const conf::settings> settings) {
    impl_->reload(std::move(settings));
}
void supervisor::server_dead(const endpoint& at) {
    impl_->server_dead(at);
}
std::shared_ptr<const ha_view> supervisor::view() const {
    return impl_->view();
}
void supervisor::fail_over(const std::string& cluster, recovery_order order, answer done) {
    impl_->order(impl::order_kind::failover, cluster, std::move(order), std::move(done));
}
void supervisor::switch_over(const std::string& cluster, recovery_order order, answer done) {
    impl_->order(impl::order_kind::switchover, cluster, std::move(order), std::move(done));
}
void supervisor::rewire(const endpoint& standby, const endpoint& upstream, std::string by,
                        answer done) {
    impl_->rewire(standby, upstream, std::move(by), std::move(done));
}
void supervisor::adopt(const endpoint& writer, std::string by, answer done) {
    impl_->adopt(writer, std::move(by), std::move(done));
}
void supervisor::acknowledge(history_filter which, std::string by, std::string comment,
                             answer done) {
    impl_->acknowledge(std::move(which), std::move(by), std::move(comment), std::move(done));
}
void supervisor::note(std::function<void(operator_notes&)> change, audit_entry entry, answer done) {
    impl_->note(std::move(change), std::move(entry), std::move(done));
}
void supervisor::look(std::function<void()> done) {
    impl_->look(std::move(done));
}
void supervisor::rejoin(const endpoint& server, std::string by, answer done) {
    impl_->begin_rejoin(server, std::move(by), std::move(done));
}

std::string supervisor::dry_run_rejoin(const endpoint& server) const {
    return impl_->dry_run_rejoin(server);
}

std::string supervisor::dry_run(const std::string& cluster, bool planned,
                                const recovery_order& order) const {
    return impl_->dry_run(cluster, planned, order);
}

}  // namespace howdah::ha
