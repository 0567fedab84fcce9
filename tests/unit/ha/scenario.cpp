#include "tests/unit/ha/scenario.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

#include "ha/intent.hpp"
#include "ha/lsn.hpp"

namespace howdah::ha::test {
namespace {

using word_map = std::map<std::string, std::string>;

word_map keyed(const std::vector<std::string>& words, std::size_t from) {
    word_map out;
    for (auto i = from; i < words.size(); ++i) {
        const auto equals = words[i].find('=');
        out[words[i].substr(0, equals)] =
            equals == std::string::npos ? "" : words[i].substr(equals + 1);
    }
    return out;
}

/// Takes values out of the words of a line and complains about what nobody took.
class fields {
public:
    explicit fields(word_map words) : words_(std::move(words)) {}

    bool has(const std::string& key) { return words_.contains(key); }
    bool take(const std::string& key) { return words_.erase(key) != 0; }
    std::string text(const std::string& key, std::string otherwise = "") {
        const auto found = words_.find(key);
        if (found == words_.end()) return otherwise;
        auto out = found->second;
        words_.erase(found);
        return out;
    }
    std::int64_t number(const std::string& key, std::int64_t otherwise) {
        return has(key) ? std::stoll(text(key)) : otherwise;
    }
    std::uint64_t lsn(const std::string& key, std::uint64_t otherwise = 0) {
        if (!has(key)) return otherwise;
        const auto value = text(key);
        const auto out = parse_lsn(value);
        if (!out) throw std::runtime_error("no LSN: " + value);
        return *out;
    }
    void finish() const {
        if (!words_.empty()) throw std::runtime_error("what is " + words_.begin()->first + "?");
    }

private:
    word_map words_;
};

std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, by);)
        out.push_back(part);
    return out;
}

void read_reach(fields& words, server_facts& facts, time_us now) {
    const auto since = now - words.number("since", 2000) * 1000;
    facts.reach = reachability::up;
    const auto state = [&](const char* word, reachability value) {
        if (!words.take(word)) return;
        facts.reach = value;
        facts.reach_since_us = since;
        facts.read_at_us = since - second;
    };
    state("dead", reachability::dead);
    state("refusing", reachability::refusing);
    state("starting", reachability::starting);
    state("unseen", reachability::unknown);
    facts.refused = words.take("refused");
    facts.reach_detail = words.text("detail");
    if (words.has("read")) facts.read_at_us = now - words.number("read", 0) * 1000;
}

void read_standby(fields& words, const std::string& name, server_facts& facts, time_us now) {
    auto& settings = facts.settings;
    facts.in_recovery = true;
    facts.receive_lsn = words.lsn("at");
    facts.replay_lsn = words.lsn("replay", *facts.receive_lsn);
    if (words.take("no_position")) facts.receive_lsn = facts.replay_lsn = std::nullopt;
    const auto upstream = words.text("of", "pg1");
    settings.primary_conninfo =
        fmt::format("host={} port=5432 user=replicator password=secret application_name={}",
                    upstream, words.text("app", name));
    settings.primary_conninfo = words.text("conninfo", settings.primary_conninfo);
    settings.primary_slot_name = words.text("slot");
    if (words.take("frozen")) {
        facts.conninfo_before_freeze = settings.primary_conninfo;
        settings.primary_conninfo.clear();
        return;
    }
    if (words.has("streams") || words.has("heard")) {
        words.take("streams");
        wal_receiver receiver;
        receiver.streaming = true;
        receiver.sender_host = words.text("sender", upstream);
        receiver.timeline = facts.timeline;
        receiver.last_message_us = now - words.number("heard", 100) * 1000;
        facts.receiver = receiver;
    }
    if (words.has("grew")) facts.receive_grew_after_us = now - words.number("grew", 0) * 1000;
}

}  // namespace

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> out;
    bool quoted = false;
    bool open = false;
    for (const char c : line) {
        if (c == '#' && !quoted) break;
        if (c == '"') {
            quoted = !quoted;
            if (!open) out.emplace_back();
            open = true;
        } else if (c == ' ' && !quoted) {
            open = false;
        } else {
            if (!open) out.emplace_back();
            open = true;
            out.back() += c;
        }
    }
    return out;
}

scenario::scenario() {
    input.now_us = 1000 * second;
    cluster_config config;
    config.name = "main";
    config.writer_hostgroup = 10;
    input.clusters.push_back(config);
    allowed.mode = mode::automatic;
    allowed.cluster_filters = {"*"};
    judging.watched = true;
}

server_facts& scenario::facts(const std::string& name) {
    return input.facts[{name, 5432}];
}

server_config& scenario::config(const std::string& name) {
    for (auto& one : input.clusters.front().servers)
        if (one.name == name) return one;
    auto& one = input.clusters.front().servers.emplace_back();
    one.name = name;
    one.at = {name, 5432};
    return one;
}

void scenario::read(const std::string& line) {
    const auto words = words_of(line);
    if (words.empty()) return;
    const auto& verb = words.front();
    const auto rest = words.size() > 1 ? words[1] : std::string();
    if (verb == "server") {
        fields more(keyed(words, 3));
        auto& row = config(rest);
        auto& what = facts(rest);
        const auto now = input.now_us;
        what.read_at_us = now - second / 10;
        what.system_identifier = static_cast<std::uint64_t>(more.number("cluster", our_cluster));
        what.version_num = static_cast<int>(more.number("version", 150004));
        what.timeline = static_cast<std::uint32_t>(more.number("tl", 1));
        what.timeline_history = more.text("history");
        for (auto& c : what.timeline_history)
            if (c == ';') c = '\n';
        what.may = privileges::all();
        read_reach(more, what, now);
        if (words.at(2) == "primary") {
            what.in_recovery = false;
            what.flush_lsn = more.lsn("at");
        } else if (words.at(2) == "standby") {
            read_standby(more, rest, what, now);
        } else if (words.at(2) == "unknown") {
            what = server_facts{};
            what.reach = reachability::dead;
            what.reach_since_us = now - 2 * second;
        } else {
            throw std::runtime_error("no role: " + words.at(2));
        }
        what.settings.synchronous_standby_names = more.text("sync");
        what.settings.recovery_min_apply_delay_ms = more.number("delay", 0);
        what.settings.wal_receiver_timeout_ms = more.number("receiver_timeout", 60'000);
        if (more.has("timeout_since"))
            what.receiver_timeout_since_us = now - more.number("timeout_since", 0) * 1000;
        what.settings.default_transaction_read_only = more.take("read_only");
        what.settings.wal_log_hints = more.take("hints");
        what.settings.cluster_name = more.text("cluster_name");
        what.replay_paused = more.take("paused");
        what.data_directory = more.text("dir");
        if (more.has("manager"))
            what.managers = {{more.text("manager"), "by a sign", what.read_at_us}};
        if (more.has("lag")) what.replay_lag_ms = more.number("lag", 0);
        if (more.take("may_nothing")) what.may = {};
        if (more.take("may_not_alter")) what.may.alter_conninfo = what.may.alter_timeout = false;
        for (const auto& sender : split(more.text("senders"), ',')) {
            const auto parts = split(sender, '@');
            what.senders.push_back({parts.at(0), "", true,
                                    parts.size() > 1 ? *parse_lsn(parts[1]) : *what.flush_lsn, ""});
        }
        for (const auto& slot : split(more.text("slots"), ','))
            what.slots.push_back({slot, true, false, "reserved"});
        row.rule = *parse_promotion_rule(more.text("rule", "neutral"));
        row.data_center = more.text("dc");
        if (more.has("tag")) row.tags[more.text("tag")] = "true";
        if (more.has("downtime")) row.down = downtime{"ann", more.text("downtime"), now + second};
        more.finish();
    } else if (verb == "record") {
        fields more(keyed(words, 1));
        cluster_record out;
        out.cluster = "main";
        out.system_identifier = our_cluster;
        out.epoch = static_cast<std::uint64_t>(more.number("epoch", 1));
        out.primary = {more.text("primary", "pg1"), 5432};
        out.timeline = static_cast<std::uint32_t>(more.number("tl", 1));
        out.flush_lsn = more.lsn("at");
        out.sync_sets = {more.text("sync")};
        if (more.has("sync_before")) out.sync_sets.push_back(more.text("sync_before"));
        out.sync_changed_at = more.lsn("sync_changed_at");
        out.fork_lsn = more.lsn("fork");
        out.left_timeline = out.fork_lsn ? out.timeline - 1 : 0;
        for (const auto& one : split(more.text("fenced"), ','))
            out.fenced.push_back({{one, 5432}, out.epoch, out.timeline - 1, "it was replaced"});
        more.finish();
        input.records["main"] = out;
    } else if (verb == "mode") {
        allowed.mode = *parse_mode(rest);
    } else if (verb == "filter") {
        allowed.cluster_filters = {rest};
    } else if (verb == "promise") {
        const auto value = rest == "strict" ? durability::strict
                           : rest == "sync" ? durability::sync
                                            : durability::async;
        allowed.candidates.promise = planning.promise = value;
    } else if (verb == "max_lag") {
        allowed.candidates.max_lag_bytes = std::stoull(rest);
    } else if (verb == "same_data_center") {
        allowed.candidates.same_data_center = true;
    } else if (verb == "ignore_manager") {
        input.ignored_managers.push_back(rest);
    } else if (verb == "agent") {
        planning.has_agent = true;
    } else if (verb == "disabled") {
        allowed.global_recoveries = false;
    } else if (verb == "restarted") {
        judging.watched = false;
    } else if (verb == "looking") {
        judging.all_looked_at = false;
    } else if (verb == "under_way") {
        around.recovery_under_way = judging.under_way = true;
    } else if (verb == "network_works") {
        allowed.diagnoses.network_works = true;
    } else if (verb == "may_not_act") {
        around.may_not_act_because = rest;
    } else if (verb == "order") {
        fields more(keyed(words, 1));
        recovery_order order;
        if (more.has("to")) order.to = endpoint{more.text("to"), 5432};
        order.allow_data_loss = more.take("allow_data_loss");
        order.by = more.text("by", "ann");
        more.finish();
        around.order = order;
    } else if (verb == "past") {
        fields more(keyed(words, 1));
        past_recovery past;
        past.ended_at_us = input.now_us - more.number("ago", 60) * second;
        past.failed = more.text("failed", "pg9");
        past.acknowledged = more.take("acknowledged");
        more.finish();
        around.past.push_back(past);
    } else if (verb == "address") {
        input.addresses[rest].insert(words.at(2));
    } else if (verb == "plan") {
        wanted_plans.emplace_back(words.begin() + 1, words.end());
    } else {
        throw std::runtime_error("what is " + verb + "?");
    }
}

std::optional<cluster_record> scenario::record() const {
    const auto found = input.records.find("main");
    if (found == input.records.end()) return std::nullopt;
    return found->second;
}

cluster scenario::the_cluster() const {
    return build_topology(input).clusters.front();
}

decision scenario::decide() const {
    return ha::decide(the_cluster(), record(), allowed, around, judging);
}

scenario parse_scenario(const std::string& text) {
    scenario out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        out.read(line);
    return out;
}

namespace {

std::string describe_record(const cluster_record& record) {
    std::string fenced;
    for (const auto& one : record.fenced)
        fenced += fmt::format("{}{} (timeline {})", fenced.empty() ? "" : ", ", to_string(one.at),
                              one.timeline);
    return fmt::format("epoch {}, {}, timeline {}, {}; fenced: {}", record.epoch,
                       to_string(record.primary), record.timeline, format_lsn(record.flush_lsn),
                       fenced.empty() ? "none" : fenced);
}

plan make_plan(const scenario& one, const cluster& subject, const decision& decided,
               const std::vector<std::string>& words) {
    const auto index = [&](std::size_t i) { return *subject.find({words.at(i), 5432}); };
    const auto& record = decided.writers.record;
    if (words[0] == "confirm") return plan_confirmation(subject, decided.problems.to_confirm);
    if (words[0] == "freeze") return plan_freeze(subject, *decided.writers.primary);
    if (words[0] == "failover")
        return plan_promotion(subject, *decided.writers.primary, decided.forecast, record,
                              one.planning);
    if (words[0] == "unfreeze") return plan_unfreeze(subject, {});
    if (words[0] == "switchover")
        return plan_switchover(subject, *decided.writers.primary, decided.forecast, record,
                               one.planning);
    if (words[0] == "fence") return plan_fence(subject, index(1), record);
    if (words[0] == "rejoin") return plan_rejoin(subject, index(1), decided.writers, one.planning);
    if (words[0] == "rewire") return plan_rewire(subject, index(1), index(2), one.planning);
    throw std::runtime_error("no plan: " + words[0]);
}

}  // namespace

std::string describe(const scenario& one) {
    const auto subject = one.the_cluster();
    const auto decided = one.decide();
    const auto name = [&](std::size_t i) { return subject.servers[i].name(); };
    auto out = "says: " + decided.sentence + "\n";
    out += "writer: " + (decided.writers.writer ? name(*decided.writers.writer) : "nobody") + "\n";
    std::string fenced;
    for (const auto& at : decided.writers.fenced)
        fenced += (fenced.empty() ? "" : ", ") + to_string(at);
    out += "kept out: " + (fenced.empty() ? "none" : fenced) + "\n";
    out += "record: " + describe_record(decided.writers.record) + "\n";
    for (const auto& found : decided.problems.all)
        out += fmt::format("{}: {} {}: {}\n", to_string(found.info().weight), found.info().name,
                           found.subject ? name(*found.subject) : "-", found.sentence);
    out += "candidates:\n";
    for (const auto& verdict : decided.forecast.servers)
        out += fmt::format("  {} {}: {}\n", verdict.eligible ? "yes" : "no ", name(verdict.server),
                           verdict.reason);
    out += "choice: " + decided.forecast.sentence + "\n";
    for (const auto& gate : decided.gates)
        if (!gate.open) out += fmt::format("closed: {}: {}\n", gate.name, gate.reason);
    out += fmt::format("action: {}\n", to_string(decided.what));
    for (const auto i : decided.to_fence)
        out += "fence by SQL: " + name(i) + "\n";
    for (const auto& words : one.wanted_plans)
        out += "\n" + to_text(make_plan(one, subject, decided, words));
    return out;
}

}  // namespace howdah::ha::test
