#include "ha/epoch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ha/sync_set.hpp"
#include "ha/timeline.hpp"

namespace howdah::ha {
namespace {

class judge {
public:
    judge(const cluster& subject, const std::optional<cluster_record>& record,
          const judge_options& options)
        : cluster_(subject), before_(record), options_(options) {
        if (record) out_.record = *record;
        out_.standings.resize(subject.servers.size());
    }

    judgement run() {
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i)
            out_.standings[i] = first_look(cluster_.servers[i]);
        if (before_ && before_->epoch)
            choose_with_record();
        else
            choose_without_record();
        out_.undecided = options_.under_way || !options_.all_looked_at;
        if (options_.under_way && out_.writer) {
            out_.standings[*out_.writer] = standing::rival;
            out_.writer.reset();
            out_.record = before_.value_or(cluster_record{});
            say("a failover is under way: nobody writes until it ends");
        }
        out_.primary = in_charge();
        compare_standbys();
        settle_record();
        fence();
        out_.changed = !before_ || out_.record != *before_;
        return std::move(out_);
    }

private:
    const server& at(std::size_t i) const { return cluster_.servers[i]; }
    standing& of(std::size_t i) { return out_.standings[i]; }
    void say(std::string sentence) { out_.sentence = std::move(sentence); }

    standing first_look(const server& one) const {
        if (one.foreign) return standing::foreign;
        if (one.standing_by()) return standing::standby;
        if (!one.writable()) return standing::unknown;
        if (!before_ || !before_->epoch) return standing::rival;
        return is_outdated(one) ? standing::outdated : standing::rival;
    }

    bool is_outdated(const server& one) const {
        const auto& facts = one.facts;
        if (!facts.timeline) return false;
        if (facts.timeline < before_->timeline) return true;
        return facts.timeline == before_->timeline && one.is(before_->primary) && facts.flush_lsn &&
               *facts.flush_lsn < before_->flush_lsn;
    }

    /// Those that could be the writer. A server that was replaced, or that was promoted beside a
    /// writer, lacks what was written since, whatever its timeline: it stays a rival for good.
    std::vector<std::size_t> claimants() const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < out_.standings.size(); ++i)
            if (out_.standings[i] == standing::rival && !is_remembered(at(i))) out.push_back(i);
        return out;
    }
    bool is_remembered(const server& one) const {
        return std::ranges::any_of(out_.record.fenced,
                                   [&](const auto& old) { return one.is(old.at); });
    }

    void choose_with_record() {
        const auto& record = *before_;
        const auto claims = claimants();
        const auto incumbent = std::ranges::find_if(claims, [&](std::size_t i) {
            return at(i).is(record.primary) && at(i).facts.timeline == record.timeline &&
                   proves_its_cluster(at(i));
        });
        if (incumbent != claims.end()) {
            if (claims.size() > 1 && !options_.watched)
                return say(fmt::format(
                    "{} servers accept writes ({}), and Howdah has not seen which of them was the "
                    "writer last: nobody writes until all but one are stopped",
                    claims.size(), list(claims)));
            if (const auto* later = on_unknown_timeline())
                return say(fmt::format(
                    "{} is on timeline {}, which began unseen: {}, the writer of epoch {}, may "
                    "have "
                    "been replaced, and nobody writes",
                    later->name(), later->facts.timeline, at(*incumbent).name(), record.epoch));
            accept(*incumbent);
            return say(claims.size() == 1
                           ? fmt::format("{} is the writer of epoch {} on timeline {}",
                                         at(*incumbent).name(), record.epoch, record.timeline)
                           : fmt::format("{} stays the writer of epoch {}; others accept writes, "
                                         "too, and get none: {}",
                                         at(*incumbent).name(), record.epoch,
                                         list(without(claims, *incumbent))));
        }
        const auto best = highest(claims);
        if (best.empty())
            return say(fmt::format("{}, the writer of epoch {}, does not accept writes{}",
                                   to_string(record.primary), record.epoch, outdated_remark()));
        if (best.size() > 1 || !at(best.front()).facts.timeline)
            return say(fmt::format("{} accept writes and nothing says which of them is right",
                                   list(best)));
        const auto& heir = at(best.front());
        if (heir.facts.timeline <= record.timeline)
            return say(
                fmt::format("{} accepts writes on timeline {}, which is that of {}: it was "
                            "not promoted, and nothing says how it came to write",
                            heir.name(), heir.facts.timeline, to_string(record.primary)));
        if (!options_.all_looked_at)
            return say(
                fmt::format("{} accepts writes on timeline {}; others are still to be looked "
                            "at",
                            heir.name(), heir.facts.timeline));
        if (!proves_its_cluster(heir) || !descends(heir))
            return say(
                fmt::format("{} accepts writes on timeline {}, which does not come from timeline "
                            "{}: not adopted",
                            heir.name(), heir.facts.timeline, record.timeline));
        for (const auto i : without(claims, best.front()))
            of(i) = standing::outdated;
        accept(best.front());
        const bool again = heir.is(record.primary);
        out_.record =
            next_epoch(record, heir.at(), heir.facts.timeline, heir.facts.flush_lsn.value_or(0),
                       fmt::format("{} was promoted by somebody else", heir.name()));
        say(fmt::format(
            "{} was promoted {}by somebody else to timeline {} and is the writer of "
            "epoch {}",
            heir.name(), again ? "again " : "", heir.facts.timeline, out_.record.epoch));
    }

    void choose_without_record() {
        if (!options_.all_looked_at)
            return say(
                "not every server has been looked at yet, and there is no record of a writer");
        const auto claims = claimants();
        if (claims.empty()) return say("no server accepts writes");
        const auto best = highest(claims);
        std::uint32_t seen = 0;
        for (const auto& one : cluster_.servers)
            if (!one.foreign) seen = std::max(seen, one.facts.timeline);
        for (const auto i : claims)
            if (at(i).facts.timeline && at(i).facts.timeline < seen) of(i) = standing::outdated;
        if (best.size() > 1)
            return say(
                fmt::format("{} accept writes on one timeline and nothing says which of "
                            "them is right",
                            list(best)));
        const auto& only = at(best.front());
        if (of(best.front()) == standing::outdated)
            return say(
                fmt::format("{} accepts writes on timeline {}, and timeline {} exists: it "
                            "is outdated",
                            only.name(), only.facts.timeline, seen));
        if (!only.facts.timeline && claims.size() > 1)
            return say(
                fmt::format("{} accept writes, and their timelines cannot be read", list(claims)));
        accept(best.front());
        out_.record.cluster = cluster_.name;
        out_.record.system_identifier = cluster_.system_identifier;
        out_.record.epoch = 1;
        out_.record.primary = only.at();
        out_.record.timeline = only.facts.timeline;
        say(
            fmt::format("{} is the only server that accepts writes on the highest timeline, {}: "
                        "the writer of epoch 1",
                        only.name(), only.facts.timeline));
    }

    void accept(std::size_t i) {
        of(i) = standing::writer;
        out_.writer = i;
    }

    /// A server that proves a promotion which Howdah did not watch.
    const server* on_unknown_timeline() const {
        if (options_.watched) return nullptr;
        const auto known = std::max(before_->timeline, before_->known_timeline);
        const auto found = std::ranges::find_if(cluster_.servers, [&](const server& one) {
            return one.current && !one.foreign && one.facts.timeline > known;
        });
        return found == cluster_.servers.end() ? nullptr : &*found;
    }

    /// With a known cluster, a server has to say that it belongs to it before it may write.
    bool proves_its_cluster(const server& one) const {
        return !before_->system_identifier ||
               one.facts.system_identifier == before_->system_identifier;
    }
    /// Unknown counts as yes: reading the history needs a privilege that not everybody grants.
    bool descends(const server& one) const {
        return relate({before_->timeline, 0}, one.facts.timeline, one.history()) !=
               lineage::diverged;
    }

    std::vector<std::size_t> highest(const std::vector<std::size_t>& claims) const {
        std::vector<std::size_t> out;
        std::uint32_t best = 0;
        for (const auto i : claims) {
            const auto timeline = at(i).facts.timeline;
            if (timeline > best) out.clear();
            best = std::max(best, timeline);
            if (timeline == best) out.push_back(i);
        }
        return out;
    }

    static std::vector<std::size_t> without(std::vector<std::size_t> list, std::size_t one) {
        std::erase(list, one);
        return list;
    }
    std::string list(const std::vector<std::size_t>& servers) const {
        std::string out;
        for (const auto i : servers)
            out += fmt::format("{}{} (timeline {})", out.empty() ? "" : ", ", at(i).name(),
                               at(i).facts.timeline);
        return out;
    }
    std::string outdated_remark() const {
        std::string out;
        for (std::size_t i = 0; i < out_.standings.size(); ++i)
            if (out_.standings[i] == standing::outdated || out_.standings[i] == standing::rival)
                out += fmt::format("; {} does on timeline {} and lacks what was written before",
                                   at(i).name(), at(i).facts.timeline);
        return out;
    }

    /// The writer; else the record's primary unless it became a standby; else the one that most
    /// standbys follow or that was a primary when last seen.
    std::optional<std::size_t> in_charge() const {
        if (out_.writer) return out_.writer;
        if (before_ && before_->epoch) {
            const auto found = cluster_.find(before_->primary);
            if (!found || out_.standings[*found] == standing::standby ||
                out_.standings[*found] == standing::outdated)
                return std::nullopt;
            return found;
        }
        std::optional<std::size_t> best;
        std::size_t votes = 0;
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i) {
            const auto& one = at(i);
            if (one.foreign || one.standing_by() || out_.standings[i] == standing::outdated)
                continue;
            const bool was_primary = one.facts.in_recovery && !*one.facts.in_recovery;
            const auto mine = 2 * one.downstream.size() + was_primary;
            if (mine > votes) {
                votes = mine;
                best = i;
            }
        }
        return best;
    }

    void compare_standbys() {
        if (!out_.writer) return;
        const auto& writer = at(*out_.writer);
        const auto history = writer.history();
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i) {
            const auto where = at(i).facts.position();
            if (of(i) == standing::standby &&
                (is_beyond_fork(where) ||
                 relate(where, writer.facts.timeline, history) == lineage::diverged))
                of(i) = standing::diverged;
        }
    }
    /// It has what our own failover left behind.
    bool is_beyond_fork(const wal_position& where) const {
        const auto& record = out_.record;
        return record.fork_lsn && where.timeline == record.left_timeline &&
               where.lsn > record.fork_lsn;
    }

    /// What of the record changed without a change of the writer.
    void settle_record() {
        auto& record = out_.record;
        if (!record.epoch) return;
        if (out_.writer) {
            const auto& facts = at(*out_.writer).facts;
            record.flush_lsn = std::max(record.flush_lsn, facts.flush_lsn.value_or(0));
            record.timeline = std::max(record.timeline, facts.timeline);
            for (const auto& one : cluster_.servers)
                if (one.current && !one.foreign)
                    record.known_timeline = std::max(record.known_timeline, one.facts.timeline);
            if (!record.system_identifier) record.system_identifier = facts.system_identifier;
            note_sync_set(facts);
            std::erase_if(record.fenced,
                          [&](const auto& one) { return at(*out_.writer).is(one.at); });
        }
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i) {
            const auto& one = at(i);
            const auto remembered = std::ranges::find_if(
                record.fenced, [&](const auto& old) { return one.is(old.at); });
            if (remembered == record.fenced.end() && !one.is(record.primary) && is_wrong(i))
                record.fenced.push_back({one.at(), record.epoch, one.facts.timeline,
                                         of(i) == standing::rival ? "promoted beside the writer"
                                                                  : "outdated and writable"});
            if (of(i) == standing::standby && remembered != record.fenced.end() && rejoined(one))
                record.fenced.erase(remembered);
        }
    }

    /// For certain: it does not have what the writer wrote.
    bool is_wrong(std::size_t i) const {
        return out_.standings[i] == standing::outdated ||
               (out_.standings[i] == standing::rival && out_.writer);
    }

    void note_sync_set(const server_facts& writer) {
        auto& record = out_.record;
        const auto& now = writer.settings.synchronous_standby_names;
        if (record.sync_sets.empty() || record.sync_sets.front() != now) {
            std::erase(record.sync_sets, now);
            record.sync_sets.insert(record.sync_sets.begin(), now);
            record.sync_changed_at = record.flush_lsn;
        }
        if (record.sync_sets.size() > 1 && is_settled(now, writer.senders))
            record.sync_sets = {now};
    }
    /// What was confirmed before the change is on as many members of the new set as it waits for,
    /// or, where it waits for none, on every standby.
    bool is_settled(const std::string& names, const std::vector<wal_sender>& senders) const {
        const auto spec = parse_sync_spec(names);
        if (!spec) return false;
        const bool waits = spec->how != sync_spec::method::none;
        std::size_t holding = 0;
        std::size_t all = 0;
        for (const auto& one : senders) {
            if (!one.streaming || (waits && !spec->names_standby(one.application_name))) continue;
            ++all;
            holding += one.flush_lsn >= out_.record.sync_changed_at;
        }
        return all > 0 && holding >= (waits ? spec->count : all);
    }

    /// It streams on the writer's own timeline: what it had beyond the fork is gone.
    bool rejoined(const server& one) const {
        const auto& receiver = one.facts.receiver;
        return out_.writer && receiver && receiver->streaming &&
               one.facts.timeline == at(*out_.writer).facts.timeline;
    }

    void fence() {
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i) {
            const auto& one = at(i);
            const bool bad = of(i) == standing::outdated || of(i) == standing::rival ||
                             of(i) == standing::diverged || of(i) == standing::foreign;
            if (bad || is_remembered(one)) out_.fenced.insert(one.names.begin(), one.names.end());
        }
        for (const auto& old : out_.record.fenced)
            out_.fenced.insert(old.at);
    }

    const cluster& cluster_;
    const std::optional<cluster_record>& before_;
    judge_options options_;
    judgement out_;
};

}  // namespace

std::string_view to_string(standing value) noexcept {
    constexpr std::array<std::string_view, 7> words{"unknown",  "standby", "diverged", "writer",
                                                    "outdated", "rival",   "foreign"};
    return words[static_cast<std::size_t>(value)];
}

judgement judge_writers(const cluster& subject, const std::optional<cluster_record>& record,
                        const judge_options& options) {
    return judge(subject, record, options).run();
}

cluster_record next_epoch(const cluster_record& before, const endpoint& promoted,
                          std::uint32_t timeline, std::uint64_t flush_lsn, std::string_view reason,
                          std::uint64_t fork_lsn) {
    auto out = before;
    ++out.epoch;
    out.left_timeline = fork_lsn ? before.timeline : 0;
    out.fork_lsn = fork_lsn;
    out.primary = promoted;
    out.timeline = timeline;
    out.flush_lsn = flush_lsn;
    std::erase_if(out.fenced, [&](const auto& one) { return one.at == promoted; });
    if (before.primary != promoted && !before.primary.host.empty()) {
        std::erase_if(out.fenced, [&](const auto& one) { return one.at == before.primary; });
        out.fenced.push_back({before.primary, out.epoch, before.timeline, std::string(reason)});
    }
    return out;
}

cluster_record adopt(const cluster& subject, std::size_t chosen,
                     const std::optional<cluster_record>& before, std::string_view by) {
    const auto& one = subject.servers[chosen];
    auto out = next_epoch(before.value_or(cluster_record{}), one.at(), one.facts.timeline,
                          one.facts.flush_lsn.value_or(0), fmt::format("replaced by {}", by));
    out.cluster = subject.name;
    out.system_identifier = one.facts.system_identifier;
    out.sync_sets = {one.facts.settings.synchronous_standby_names};
    std::erase_if(out.fenced, [&](const auto& old) { return one.is(old.at); });
    for (std::size_t i = 0; i < subject.servers.size(); ++i) {
        const auto& other = subject.servers[i];
        if (other.foreign) continue;
        out.known_timeline = std::max(out.known_timeline, other.facts.timeline);
        const bool known =
            std::ranges::any_of(out.fenced, [&](const auto& old) { return other.is(old.at); });
        if (i != chosen && other.writable() && !known)
            out.fenced.push_back({other.at(), out.epoch, other.facts.timeline,
                                  fmt::format("{} took over by order of {}", one.name(), by)});
    }
    return out;
}

void add_to_ruling(monitor::ruling& out, const cluster& subject, const judgement& judged) {
    if (subject.writer_hostgroup)
        out.writers[subject.writer_hostgroup] =
            judged.writer ? subject.servers[*judged.writer].at() : endpoint{"", 0};
    out.fenced.insert(judged.fenced.begin(), judged.fenced.end());
}

}  // namespace howdah::ha
