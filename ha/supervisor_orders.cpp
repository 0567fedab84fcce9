#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <utility>

#include "ha/supervisor_impl.hpp"

// What operators order. Orders for a cluster wait until a cycle begins what they ask for.
namespace howdah::ha {
namespace {

using boost::asio::awaitable;

/// The same order again within this time is answered with what was done.
constexpr unix_us repeat_time_us = 120'000'000;

/// An order that was carried out, unless there was an error.
order_answer answered(const std::string& error, std::string sentence) {
    if (error.empty()) return {true, std::move(sentence), {}, 0};
    return {false, error, {}, 0};
}

bool needs_agent(const plan& what) {
    return std::ranges::any_of(what.steps,
                               [](const step& one) { return one.kind == step_kind::agent; });
}

void take_acknowledgement(recovery& into, const recovery& from) {
    into.acknowledged = from.acknowledged;
    into.acknowledged_by = from.acknowledged_by;
    into.acknowledge_comment = from.acknowledge_comment;
    into.acknowledged_at = from.acknowledged_at;
}

}  // namespace

void supervisor::impl::order(order_kind kind, std::string hint, recovery_order what, answer done) {
    struct ordering {
        static awaitable<void> run(impl* self, order_kind kind, std::string hint,
                                   recovery_order what, answer done) {
            const auto seen = self->look_at_facts();
            const auto* subject = seen.find(hint);
            if (!subject || !subject->writer_hostgroup) {
                done({false, fmt::format("no cluster is, or has, {}", hint), {}, 0});
                co_return;
            }
            const auto name = subject->name;
            if (kind == order_kind::failover)
                if (const auto again = self->done_before(name, hint, *subject)) {
                    done(*again);
                    co_return;
                }
            std::vector<endpoint> all;
            for (const auto& one : subject->servers)
                all.push_back(one.at());
            co_await self->watcher_.refresh(std::move(all));
            co_await self->next_cycle();
            self->orders_.push_back(
                {kind, name, std::move(what), std::move(done), now_us() + 2 * confirm_time_us});
            self->wake();
        }
    };
    spawn(ordering::run(this, kind, std::move(hint), std::move(what), std::move(done)));
}

std::optional<order_answer> supervisor::impl::done_before(const std::string& name,
                                                          const std::string& hint,
                                                          const cluster& subject) const {
    const auto known = clusters_.find(name);
    if (known == clusters_.end()) return std::nullopt;
    for (auto row = known->second.past.rbegin(); row != known->second.past.rend(); ++row) {
        if (row->kind != "failover" || !row->successful || !row->successor) continue;
        if (unix_now_us() - row->ended_at > repeat_time_us) break;
        const auto failed = subject.find(row->failed);
        const bool same = hint == to_string(row->failed) || hint == row->failed.host ||
                          (failed && hint == subject.servers[*failed].name());
        if (!same || !known->second.record || known->second.record->primary != *row->successor)
            break;
        return order_answer{true,
                            fmt::format("{} was replaced by {} a moment ago",
                                        to_string(row->failed), to_string(*row->successor)),
                            row->successor, row->id};
    }
    return std::nullopt;
}

void supervisor::impl::rewire(endpoint standby, endpoint upstream, std::string by, answer done) {
    const auto seen = look_at_facts();
    for (const auto& subject : seen.clusters) {
        const auto one = subject.find(standby);
        const auto to = subject.find(upstream);
        if (!one || !to || !subject.writer_hostgroup) continue;
        auto& w = clusters_[subject.name];
        if (w.busy || w.intent)
            return done({false, "a recovery of this cluster is under way", {}, 0});
        if (settings_->vars.ha_mode == conf::ha_mode::observe)
            return done({false, "ha_mode is observe: nothing is done", {}, 0});
        if (auto managed = subject.managed_by_another(); !managed.empty())
            return done({false, std::move(managed), {}, 0});
        if (auto why = may_not_act(w); !why.empty()) return done({false, std::move(why), {}, 0});
        auto what = plan_rewire(subject, *one, *to, plan_options_of(settings_->vars));
        if (!what.possible()) return done({false, what.impossible, {}, 0});
        w.busy = true;
        return spawn(small_plan(subject.name, "rewire", std::move(what), subject.servers[*one].at(),
                                by.empty() ? "operator" : std::move(by), std::move(done)));
    }
    done({false,
          fmt::format("{} and {} are not of one cluster", to_string(standby), to_string(upstream)),
          {},
          0});
}

void supervisor::impl::adopt(endpoint writer, std::string by, answer done) {
    struct adopting {
        static awaitable<void> run(impl* self, endpoint writer, std::string by, answer done) {
            std::vector<endpoint> which{writer};
            co_await self->watcher_.refresh(std::move(which));
            const auto seen = self->look_at_facts();
            for (const auto& subject : seen.clusters) {
                const auto found = subject.find(writer);
                if (!found || !subject.writer_hostgroup) continue;
                auto& w = self->clusters_[subject.name];
                if (w.busy || w.intent) {
                    done({false, "a recovery of this cluster is under way", {}, 0});
                    co_return;
                }
                if (!subject.servers[*found].writable()) {
                    done({false,
                          fmt::format("{} does not accept writes", to_string(writer)),
                          {},
                          0});
                    co_return;
                }
                if (auto why = self->may_not_act(w); !why.empty()) {
                    done({false, std::move(why), {}, 0});
                    co_return;
                }
                w.busy = true;
                const auto record = ha::adopt(subject, *found, w.record, by);
                shared_state ours{record, std::nullopt};
                const std::function<void()> write = [self, &record] { self->store_.save(record); };
                const auto error = co_await self->keep_agreed(w, std::move(ours), write);
                if (error.empty()) w.record = record;
                w.busy = false;
                audit_entry entry;
                entry.type = "adopt";
                entry.server = writer;
                entry.cluster = subject.name;
                entry.by = by;
                auto result = answered(error, fmt::format("{} is the writer of epoch {}",
                                                          to_string(writer), record.epoch));
                result.successor = writer;
                entry.message = result.sentence;
                co_await self->audit(std::move(entry));
                co_await self->next_cycle();
                done(std::move(result));
                co_return;
            }
            done({false, fmt::format("{} is no server of a cluster", to_string(writer)), {}, 0});
        }
    };
    spawn(adopting::run(this, std::move(writer), std::move(by), std::move(done)));
}

plan supervisor::impl::plan_rejoin_now(const topology& seen, const endpoint& server) const {
    plan none;
    for (const auto& subject : seen.clusters) {
        const auto found = subject.find(server);
        const auto known = clusters_.find(subject.name);
        if (!found || !subject.writer_hostgroup || known == clusters_.end()) continue;
        none.impossible = subject.managed_by_another();
        if (!none.possible()) return none;
        const auto made = decide_now(known->second, subject, std::nullopt);
        return plan_rejoin(subject, *found, made.writers, plan_options_of(settings_->vars));
    }
    none.impossible = fmt::format("{} is no server of a cluster", to_string(server));
    return none;
}

void supervisor::impl::begin_rejoin(endpoint server, std::string by, answer done) {
    struct beginning {
        static awaitable<void> run(impl* self, endpoint server, std::string by, answer done) {
            std::vector<endpoint> all;
            std::string name;
            const auto before = self->look_at_facts();
            for (const auto& subject : before.clusters) {
                if (!subject.find(server) || !subject.writer_hostgroup) continue;
                name = subject.name;
                for (const auto& one : subject.servers)
                    all.push_back(one.at());
            }
            co_await self->watcher_.refresh(std::move(all));
            const auto seen = self->look_at_facts();
            auto what = self->plan_rejoin_now(seen, server);
            const auto why = self->refuses_rejoin(name, server, what);
            if (!why.empty()) {
                if (done) done({false, why, {}, 0});
                if (!done)
                    spdlog::warn("ha: {}: {} is not rejoined: {}", name, to_string(server), why);
                co_return;
            }
            auto& w = self->clusters_[name];
            if (!needs_agent(what)) {
                // It changes whom a standby follows: never while a failover stops receivers.
                w.busy = true;
                co_await self->small_plan(std::move(name), "rejoin", std::move(what),
                                          std::move(server), std::move(by), std::move(done));
                co_return;
            }
            w.rejoining.insert(server);
            co_await self->rejoin(std::move(name), std::move(what), std::move(server),
                                  std::move(by), std::move(done));
        }
    };
    spawn(beginning::run(this, std::move(server), std::move(by), std::move(done)));
}

std::string supervisor::impl::refuses_rejoin(const std::string& name, const endpoint& server,
                                             const plan& what) const {
    if (!what.possible()) return what.impossible;
    const auto& w = clusters_.at(name);
    if (settings_->vars.ha_mode == conf::ha_mode::observe)
        return "ha_mode is observe: nothing is done";
    if (w.busy || w.intent) return "a recovery of this cluster is under way";
    if (auto why = may_not_act(w); !why.empty()) return why;
    if (w.rejoining.contains(server))
        return fmt::format("{} is being rejoined already", to_string(server));
    if (needs_agent(what) && settings_->vars.ha_agent.empty())
        return fmt::format(
            "{} has to be stopped, rewound or copied, and started, and no agent is configured "
            "(ha_agent): REJOIN ... DRY RUN shows the commands for it",
            to_string(server));
    return {};
}

std::string supervisor::impl::dry_run_rejoin(const endpoint& server) const {
    return to_text(plan_rejoin_now(look_at_facts(), server));
}

void supervisor::impl::acknowledge(history_filter which, std::string by, std::string comment,
                                   answer done) {
    struct acknowledging {
        static awaitable<void> run(impl* self, history_filter which, std::string by,
                                   std::string comment, answer done) {
            std::size_t count = 0;
            std::map<std::string, std::vector<recovery>> fresh;
            const std::function<void()> write = [&] {
                count = self->store_.acknowledge(which, by, comment, unix_now_us());
                audit_entry entry;
                entry.at = unix_now_us();
                entry.type = "ack";
                entry.cluster = which.cluster;
                entry.by = by;
                entry.message = fmt::format("{} recoveries: {}", count, comment);
                self->store_.add(entry);
                auto rows = self->store_.recoveries({});
                std::ranges::reverse(rows);
                for (auto& row : rows)
                    fresh[row.cluster].push_back(std::move(row));
            };
            const auto error = co_await self->keep(write);
            if (error.empty())
                for (auto& [name, w] : self->clusters_) {
                    // What other Howdahs did is in none of the rows.
                    for (auto& row : w.past)
                        if (row.id == 0 && (which.cluster.empty() || which.cluster == name))
                            row.acknowledged = true;
                    for (const auto& now : fresh[name]) {
                        for (auto& row : w.past)
                            if (now.id == row.id) row = now;
                        if (w.under_way && w.under_way->id == now.id)
                            take_acknowledgement(*w.under_way, now);
                    }
                }
            self->wake();
            done(answered(error, fmt::format("{} recoveries acknowledged", count)));
        }
    };
    spawn(acknowledging::run(this, std::move(which), std::move(by), std::move(comment),
                             std::move(done)));
}

void supervisor::impl::note(std::function<void(operator_notes&)> change, audit_entry entry,
                            answer done) {
    struct noting {
        static awaitable<void> run(impl* self, std::function<void(operator_notes&)> change,
                                   audit_entry entry, answer done) {
            const auto before = self->notes_;
            change(self->notes_);
            const auto message = entry.message;
            std::string error;
            // Until what is on the disk is what is in force: others may note something meanwhile.
            for (bool kept = false; !kept && error.empty();) {
                const auto fresh = self->notes_;
                const std::function<void()> write = [self, &fresh] { self->store_.save(fresh); };
                error = co_await self->keep(write);
                kept = fresh == self->notes_;
            }
            if (error.empty())
                co_await self->audit(std::move(entry));
            else
                self->notes_ = before;
            co_await self->next_cycle();
            done(answered(error, message));
        }
    };
    spawn(noting::run(this, std::move(change), std::move(entry), std::move(done)));
}

std::string supervisor::impl::dry_run(const std::string& hint, bool planned,
                                      const recovery_order& what) const {
    const auto seen = look_at_facts();
    const auto* subject = seen.find(hint);
    const auto known = subject ? clusters_.find(subject->name) : clusters_.end();
    if (known == clusters_.end() || !known->second.record)
        return fmt::format("no cluster is, or has, {}, or its writer is not known yet\n", hint);
    const auto& w = known->second;
    const auto made = decide_now(w, *subject, what);
    const auto& primary = made.writers.primary;
    if (!primary) return made.writers.sentence + "\n";
    const auto options = plan_options_of(settings_->vars);
    if (planned)
        return to_text(plan_switchover(*subject, *primary, made.forecast, *w.record, options));
    std::string out;
    if (made.what != action::failover)
        out = fmt::format("not called for now: {}\nthis is what it would be:\n", made.sentence);
    return out + to_text(plan_freeze(*subject, *primary)) +
           "then all is read again and the candidate is chosen anew; if it is the same:\n" +
           to_text(plan_promotion(*subject, *primary, made.forecast, *w.record, options));
}

}  // namespace howdah::ha
