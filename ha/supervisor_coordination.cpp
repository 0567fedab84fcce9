#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>

#include "ha/coordination/shared_state.hpp"
#include "ha/supervisor_impl.hpp"

// Several Howdahs: who acts, and what all of them go by. The cycle takes over what another Howdah
// has written, so that nothing else changes the record meanwhile.
namespace howdah::ha {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

bool same_coordination(const conf::variables& a, const conf::variables& b) {
    return a.ha_etcd_endpoints == b.ha_etcd_endpoints && a.ha_etcd_prefix == b.ha_etcd_prefix &&
           a.ha_etcd_username == b.ha_etcd_username && a.ha_etcd_password == b.ha_etcd_password &&
           a.ha_etcd_ca_file == b.ha_etcd_ca_file && a.ha_etcd_cert_file == b.ha_etcd_cert_file &&
           a.ha_etcd_key_file == b.ha_etcd_key_file && a.ha_etcd_timeout == b.ha_etcd_timeout &&
           a.ha_lease == b.ha_lease && a.ha_name == b.ha_name;
}

/// What another Howdah did, for the block that follows a recovery.
recovery by_another(const cluster_record& before, const cluster_record& now, std::string who) {
    recovery out;
    out.kind = "failover";
    out.cluster = now.cluster;
    out.failed = before.primary;
    out.successor = now.primary;
    out.epoch = now.epoch;
    out.ordered_by = "Howdah " + std::move(who);
    out.ended_at = unix_now_us();
    out.successful = true;
    return out;
}

}  // namespace

void supervisor::impl::begin_coordination() {
    if (!settings_->vars.ha_etcd_endpoints.empty())
        coordinator_ = std::make_shared<coordinator>(io_, names_, settings_->vars);
}

void supervisor::impl::reload_coordination(const conf::variables& before) {
    if (same_coordination(before, settings_->vars)) return;
    if (coordinator_) coordinator_->resign();
    coordinator_.reset();
    coordination_error_.clear();
    for (auto& [name, w] : clusters_) {
        w.agreed_token = 0;
        w.agreed_revision = -1;
    }
    try {
        begin_coordination();
    } catch (const std::runtime_error& e) {
        coordination_error_ = e.what();
        spdlog::error("ha: nobody may act: {}", coordination_error_);
    }
}

awaitable<void> supervisor::impl::run_coordination() {
    while (!stopped_) {
        // It may be replaced meanwhile.
        const auto with = coordinator_;
        if (with) {
            std::set<std::uint64_t> all, fit;
            for (const auto& [name, w] : clusters_) {
                if (!w.system_identifier) continue;
                all.insert(w.system_identifier);
                // Who cannot see, or must not act, leaves it to others.
                const bool blind = w.known_problem == problem::monitor_blind && !w.busy;
                if (settings_->vars.ha_mode != conf::ha_mode::observe && !blind)
                    fit.insert(w.system_identifier);
            }
            if (co_await with->round(std::move(all), std::move(fit))) wake();
        }
        if (stopped_) co_return;
        coordinated_.expires_after(settings_->vars.ha_check_interval);
        co_await coordinated_.async_wait(as_tuple(use_awaitable));
    }
}

std::string supervisor::impl::may_not_act(const watched_cluster& w) const {
    if (!coordinator_) return coordination_error_;
    if (w.system_identifier == 0) return "the cluster's system identifier is not known yet";
    auto why = coordinator_->may_not_act(w.system_identifier);
    if (!why.empty()) return why;
    const auto* seat = coordinator_->seat(w.system_identifier);
    if (seat && seat->token == w.agreed_token) return {};
    return w.disagreement.empty() ? "what etcd has of this cluster was not taken over yet"
                                  : w.disagreement;
}

std::string supervisor::impl::who_acts(const watched_cluster& w) const {
    if (!coordinator_) return coordination_error_;
    auto why = may_not_act(w);
    return why.empty() ? coordinator_->sentence(w.system_identifier) : why;
}

bool supervisor::impl::another_acts(const watched_cluster& w) const {
    const auto* seat = coordinator_ ? coordinator_->seat(w.system_identifier) : nullptr;
    return seat && !seat->leader.empty() && !seat->token;
}

awaitable<std::string> supervisor::impl::share(watched_cluster& w, shared_state state) {
    // Also where the lead was lost and won again: what was begun before it rests on old knowledge.
    if (auto why = may_not_act(w); !coordinator_ || !why.empty()) co_return why;
    const auto with = coordinator_;
    auto error = co_await with->write(w.system_identifier, to_json(state));
    if (error.empty()) w.agreed_revision = with->seat(w.system_identifier)->revision;
    co_return error;
}

awaitable<std::string> supervisor::impl::keep_agreed(watched_cluster& w, shared_state state,
                                                     const std::function<void()>& work) {
    auto error = co_await share(w, std::move(state));
    if (!error.empty()) co_return error;
    auto kept = co_await keep(work);
    co_return kept;
}

awaitable<void> supervisor::impl::agree(watched_cluster& w, const cluster& subject) {
    w.system_identifier = w.record && w.record->system_identifier ? w.record->system_identifier
                                                                  : subject.system_identifier;
    if (!coordinator_ || w.system_identifier == 0 || w.busy) co_return;
    const auto* seat = coordinator_->seat(w.system_identifier);
    if (!seat || !seat->read) co_return;
    const auto now = *seat;
    const bool leads = now.token && now.token == w.agreed_token;
    if (leads && (now.uncertain || now.revision == 0)) {
        // Others have to learn what we know.
        if (!w.record) co_return;
        shared_state ours{*w.record, w.intent};
        co_await share(w, std::move(ours));
        co_return;
    }
    if (leads && w.agreed_revision == now.revision) co_return;
    if (!now.token) w.agreed_token = 0;
    if (!now.token && w.agreed_revision == now.revision) co_return;
    const auto said = std::exchange(w.disagreement, {});
    if (now.revision == 0) {
        w.agreed_token = now.token;
        w.agreed_revision = 0;
        co_return;
    }
    auto read = state_from_json(now.state, subject.name);
    if (read.state && read.state->record.system_identifier != w.system_identifier)
        read.error = "it is of another cluster";
    if (!read.error.empty()) {
        w.disagreement = fmt::format("the record in etcd cannot be used: {}", read.error);
        w.agreed_revision = now.revision;
        if (said != w.disagreement) spdlog::error("ha: {}: {}", subject.name, w.disagreement);
        co_return;
    }
    const auto known = w.record ? w.record->epoch : 0;
    const auto told = read.state->record.epoch;
    // Nobody else can have written while this one leads.
    if (known > told || (leads && known == told)) {
        spdlog::warn(
            "ha: {}: etcd has epoch {}, this Howdah's record epoch {}: etcd was set back, "
            "or this Howdah was on its own; the later one is kept",
            subject.name, told, known);
        w.agreed_revision = now.revision;
        if (!now.token) co_return;
        w.agreed_token = now.token;
        shared_state ours{*w.record, w.intent};
        const auto error = co_await share(w, std::move(ours));
        if (!error.empty()) w.agreed_token = 0;
        co_return;
    }
    w.busy = true;
    co_await take_over(w, std::move(*read.state), now);
    w.busy = false;
}

awaitable<void> supervisor::impl::take_over(watched_cluster& w, shared_state state,
                                            cluster_seat from) {
    auto& fresh = state.record;
    const auto before = w.record;
    if (before && before->epoch == fresh.epoch && before->timeline == fresh.timeline)
        fresh.flush_lsn = std::max(fresh.flush_lsn, before->flush_lsn);
    const std::function<void()> write = [this, &state] {
        if (!state.intent) return store_.begin_epoch(state.record);
        store_.save(state.record);
        store_.save(*state.intent);
    };
    const auto error = co_await keep(write);
    if (!error.empty()) {
        w.disagreement = "what etcd has cannot be written to the disk: " + error;
        spdlog::error("ha: {}: {}", fresh.cluster, w.disagreement);
        co_return;
    }
    w.record = fresh;
    w.record_kept_us = now_us();
    w.intent = state.intent;
    w.holding = w.intent.has_value() && !epoch_begun(w);
    w.agreed_revision = from.revision;
    w.agreed_token = from.token;
    if (w.intent)
        for (const auto& [at, text] : w.intent->conninfo_before_freeze)
            watcher_.remember_conninfo(at, text);
    if (w.intent && !from.token)
        spdlog::info("ha: {}: Howdah {} replaces {}", fresh.cluster, from.leader,
                     to_string(w.intent->from));
    if (before && before->epoch < fresh.epoch) {
        w.past.push_back(by_another(*before, fresh, from.leader));
        w.writer_seen = true;
        if (before->primary != fresh.primary) hooks_.close_connections(before->primary);
    }
    const auto news = fmt::format("{} is the writer of epoch {}, as the Howdahs agreed in etcd",
                                  to_string(fresh.primary), fresh.epoch);
    if (!before || before->epoch != fresh.epoch) spdlog::info("ha: {}: {}", fresh.cluster, news);
    if (w.under_way && !w.intent) {
        co_await close_recovery(w, false, "another Howdah went on with it: " + news);
        w.under_way.reset();
    }
}

}  // namespace howdah::ha
