#include "admin/orchestrator/server_state.hpp"

namespace howdah::admin::orchestrator {
namespace {

std::optional<ha::downtime_note> downtime_of(const ha::ha_view& view, const ha::server& one) {
    for (const auto& name : one.names) {
        const auto found = view.notes.downtimes.find(name);
        if (found != view.notes.downtimes.end() && found->second.until > view.seen_at)
            return found->second;
    }
    if (!one.config.down || one.config.down->until_us <= view.clock_us) return std::nullopt;
    ha::downtime_note out;
    out.owner = one.config.down->owner;
    out.reason = one.config.down->reason;
    out.since = view.seen_at;
    out.until = view.seen_at + (one.config.down->until_us - view.clock_us);
    return out;
}

ha::promotion_rule rule_of(const ha::ha_view& view, const ha::server& one) {
    for (const auto& name : one.names) {
        const auto found = view.notes.promotion_rules.find(name);
        if (found != view.notes.promotion_rules.end() &&
            (found->second.until == 0 || found->second.until > view.seen_at))
            return found->second.rule;
    }
    return one.config.rule;
}

std::optional<std::int64_t> lag_of(const server_state& now, const ha::server_facts& facts) {
    if (!now.valid || !now.recent) return std::nullopt;
    if (now.astray) return std::nullopt;
    if (now.primary) return 0;
    if (!now.replicates()) return std::nullopt;
    if (facts.replay_lsn && facts.replay_backlog() == 0) return 0;
    if (!facts.replay_lag_ms) return std::nullopt;
    return *facts.replay_lag_ms / 1000;
}

}  // namespace

std::string version_text(int version_num) {
    if (version_num <= 0) return {};
    return std::to_string(version_num / 10000) + "." + std::to_string(version_num % 10000);
}

std::string_view server_state::status() const {
    if (!valid) return recent ? "invalid" : "unchecked";
    if (!recent) return "unchecked";
    if (astray || (!primary && !replicates())) return "nonreplicating";
    return lags ? "lag" : "ok";
}

server_state state_of(const ha::ha_view& view, const place& which) {
    const auto& one = which.server();
    const auto& facts = one.facts;
    server_state out;
    out.valid = facts.reach == ha::reachability::up;
    // A check that failed is a recent one, too; facts that grew old while it is up are not.
    out.recent = out.valid ? one.current : facts.reach != ha::reachability::unknown;
    out.primary = facts.in_recovery ? !*facts.in_recovery : primary_of(*which.in) == which.index;
    out.astray = out.primary && primary_of(*which.in).value_or(which.index) != which.index;
    out.read_only = !out.primary || facts.settings.default_transaction_read_only;
    if (!out.primary) {
        if (one.upstream)
            out.upstream = which.in->subject.servers[*one.upstream].at();
        else
            out.upstream = parse_endpoint(one.upstream_text);
        out.receives = one.current && facts.receiver && facts.receiver->streaming;
        out.replays = one.current && !facts.replay_paused;
    }
    out.lag_seconds = lag_of(out, facts);
    out.lags = out.lag_seconds && *out.lag_seconds * 1000 > view.allowed.diagnoses.lagging_after_ms;
    out.version = version_text(facts.version_num);
    out.downtime = downtime_of(view, one);
    out.rule = rule_of(view, one);
    if (facts.read_at_us) out.seen_at = view.seen_at - (view.clock_us - facts.read_at_us);
    return out;
}

std::map<std::string, std::string> tags_of(const ha::ha_view& view, const place& which) {
    auto out = which.server().config.tags;
    for (const auto& name : which.server().names) {
        const auto found = view.notes.tags.find(name);
        if (found == view.notes.tags.end()) continue;
        for (const auto& [tag, value] : found->second)
            out[tag] = value;
    }
    return out;
}

}  // namespace howdah::admin::orchestrator
