#include "ha/candidate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "ha/lsn.hpp"
#include "ha/timeline.hpp"

namespace howdah::ha {
namespace {

constexpr int oldest_version = 130000;  // 12 cannot reload primary_conninfo

/// Whether the operator's wish stands against promoting, beside what the server is able to.
struct finding {
    std::string reason;
    /// Its WAL is good, it is only not to be promoted: others may take it from there.
    bool has_good_wal = false;
};

class chooser {
public:
    chooser(const cluster& subject, std::optional<std::size_t> primary,
            const cluster_record& record, const candidate_options& options)
        : cluster_(subject), primary_(primary), record_(record), options_(options) {
        for (const auto& one : cluster_.servers) {
            if (!one.foreign) timeline_ = std::max(timeline_, one.facts.timeline);
            must_ |= one.config.rule == promotion_rule::must;
        }
        timeline_ = std::max(timeline_, record_.timeline);
    }

    candidate_choice run() {
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i)
            examine(i);
        ask_sync_sets();
        sort();
        choose();
        return std::move(out_);
    }

private:
    const server& at(std::size_t i) const { return cluster_.servers[i]; }

    void examine(std::size_t i) {
        const auto& one = at(i);
        candidate_verdict verdict;
        verdict.server = i;
        verdict.at = one.facts.position();
        auto found = unable(i);
        if (found.reason.empty()) {
            good_.push_back(i);
            found = unwanted(one);
        }
        verdict.eligible = found.reason.empty();
        verdict.reason = std::move(found.reason);
        out_.servers.push_back(std::move(verdict));
    }

    /// Why its WAL cannot be relied on, or it cannot be reached.
    finding unable(std::size_t i) const {
        const auto& one = at(i);
        const auto& facts = one.facts;
        if (i == primary_) return {"it is the primary to be replaced"};
        if (one.foreign) return {"it belongs to another cluster"};
        if (was_replaced(one))
            return {"it was replaced, or promoted beside the writer, and has not been rejoined"};
        if (!one.current) return {"it does not answer"};
        if (one.writable()) return {"it accepts writes: it is no standby"};
        if (!facts.system_identifier) return {"its system identifier could not be read"};
        if (facts.version_num && facts.version_num < oldest_version)
            return {"its PostgreSQL is older than 13"};
        if (!facts.timeline || !facts.wal_end()) return {"its WAL position could not be read"};
        if (facts.timeline < timeline_)
            return {fmt::format("it is on timeline {}, the cluster is on {}", facts.timeline,
                                timeline_)};
        if (record_.epoch && facts.timeline > record_.timeline)
            return {
                fmt::format("it follows timeline {}, and the recorded one is {}: somebody else "
                            "promoted a server",
                            facts.timeline, record_.timeline)};
        if (options_.frozen_at_us && facts.receiver)
            return {"its WAL receiver is not stopped: its position may still move"};
        if (options_.frozen_at_us && !facts.settings.primary_conninfo.empty())
            return {"Howdah did not stop its WAL receiver: it may start again"};
        if (facts.read_at_us < options_.frozen_at_us)
            return {"it was not read since the receivers were stopped"};
        return {};
    }

    bool was_replaced(const server& one) const {
        return std::ranges::any_of(record_.fenced, [&](const auto& old) { return one.is(old.at); });
    }

    /// Why it is not to be promoted, good as its WAL may be.
    finding unwanted(const server& one) const {
        const auto& facts = one.facts;
        const auto no = [](std::string reason) { return finding{std::move(reason), true}; };
        if (one.downtimed) return no(fmt::format("it is in downtime: {}", one.config.down->reason));
        if (one.config.rule == promotion_rule::must_not)
            return no("its promotion rule is must_not");
        if (const auto tag = one.config.tags.find("nofailover");
            tag != one.config.tags.end() && tag->second != "false")
            return no("it has the tag nofailover");
        if (must_ && one.config.rule != promotion_rule::must)
            return no("another server has the promotion rule must");
        if (options_.same_data_center && primary_ &&
            one.config.data_center != at(*primary_).config.data_center)
            return no(fmt::format("it is in the data center {}, the primary in {}",
                                  shown(one.config.data_center),
                                  shown(at(*primary_).config.data_center)));
        if (facts.settings.recovery_min_apply_delay_ms > 0)
            return no(fmt::format("it replays with a delay of {} ms",
                                  facts.settings.recovery_min_apply_delay_ms));
        if (facts.replay_paused) return no("its replay is paused");
        if (!facts.may.promote) return no("Howdah may not execute pg_promote there");
        if (options_.wanted && !one.is(*options_.wanted))
            return no(fmt::format("{} is wanted", to_string(*options_.wanted)));
        return {};
    }

    static std::string shown(const std::string& text) { return text.empty() ? "\"\"" : text; }

    void ask_sync_sets() {
        std::vector<sync_member> standbys;
        for (std::size_t i = 0; i < cluster_.servers.size(); ++i) {
            if (i == primary_ || at(i).foreign) continue;
            const bool good = std::ranges::find(good_, i) != good_.end();
            standbys.push_back({at(i).replication_name(), good, at(i).facts.position()});
        }
        for (const auto& name : cluster_.unknown_senders)
            standbys.push_back({name, false, {}});
        const auto primary_name = primary_ ? name_of_primary(at(*primary_)) : std::string();
        auto sets = record_.sync_sets;
        if (primary_) {
            const auto& facts = at(*primary_).facts;
            const auto& last = facts.settings.synchronous_standby_names;
            if (facts.in_recovery && !*facts.in_recovery &&
                std::ranges::find(sets, last) == sets.end())
                sets.push_back(last);
        }
        for (const auto& text : sets) {
            std::string error;
            const auto spec = parse_sync_spec(text, &error);
            if (spec && spec->how == sync_spec::method::none) {
                some_async_ = true;
                continue;
            }
            if (spec) {
                out_.sync.push_back(check_sync_set(*spec, standbys, primary_name));
                specs_.push_back(*spec);
            } else {
                sync_answer unknown;
                unknown.certain = false;
                unknown.sentence = fmt::format(
                    "synchronous_standby_names was \"{}\", which Howdah does not understand: {}",
                    text, error);
                out_.sync.push_back(std::move(unknown));
            }
        }
    }

    /// By this name the set may mention the primary itself, with no effect. A server that never was
    /// a standby has no application_name; operators write its name or host then.
    std::string name_of_primary(const server& one) const {
        std::vector<std::string> names{one.replication_name(), one.facts.settings.cluster_name,
                                       one.config.name, one.at().host};
        for (const auto& text : record_.sync_sets)
            if (const auto spec = parse_sync_spec(text); spec && !spec->has_wildcard())
                for (const auto& name : names)
                    if (!name.empty() && spec->names_standby(name)) return name;
        return names.front();
    }

    bool is_sync_member(const server& one) const {
        return std::ranges::any_of(specs_, [&](const sync_spec& spec) {
            return spec.names_standby(one.replication_name());
        });
    }

    void sort() {
        const auto home = primary_ ? at(*primary_).config.data_center : std::string();
        const auto key = [&](const candidate_verdict& one) {
            const auto& member = at(one.server);
            return std::tuple(!one.eligible, ~one.at.timeline, ~one.at.lsn, member.config.rule,
                              member.config.data_center != home, !is_sync_member(member),
                              member.facts.replay_backlog(), member.name());
        };
        std::ranges::sort(out_.servers,
                          [&](const auto& a, const auto& b) { return key(a) < key(b); });
        wal_position best;
        for (const auto i : good_)
            if (is_before(best, at(i).facts.position())) best = at(i).facts.position();
        for (auto& one : out_.servers) {
            if (one.at.timeline == best.timeline && is_before(one.at, best))
                one.missing_bytes = best.lsn - one.at.lsn;
            if (!one.eligible) continue;
            one.reason = one.missing_bytes
                             ? fmt::format("at {}, {} behind the best", to_string(one.at),
                                           format_bytes(one.missing_bytes))
                             : fmt::format("at {}", to_string(one.at));
            if (const auto backlog = at(one.server).facts.replay_backlog())
                one.reason += fmt::format(", {} to replay", format_bytes(backlog));
        }
    }

    void choose() {
        const auto& first = out_.servers;
        if (first.empty() || !first.front().eligible) {
            out_.sentence = "no server can be promoted";
            return;
        }
        const auto best = first.front();
        for (const auto& set : out_.sync)
            if (!set.certain && !options_.allow_data_loss) {
                out_.sentence = "nobody is promoted: " + set.sentence;
                return;
            }
        if (options_.promise == durability::strict && out_.sync.empty() &&
            !options_.allow_data_loss) {
            out_.sentence =
                "nobody is promoted: the cluster is to lose nothing (strict), and no "
                "synchronous_standby_names was seen in force";
            return;
        }
        out_.target = best.at;
        if (best.missing_bytes) {
            const auto source = std::ranges::max_element(good_, [&](std::size_t a, std::size_t b) {
                return is_before(at(a).facts.position(), at(b).facts.position());
            });
            out_.catch_up_from = *source;
            out_.target = at(*source).facts.position();
        }
        if (!options_.allow_data_loss) {
            if (const auto why = too_far_behind(out_.target); !why.empty()) {
                out_.sentence =
                    fmt::format("nobody is promoted: {} {}", at(best.server).name(), why);
                return;
            }
            out_.must_catch_up = out_.catch_up_from && !too_far_behind(best.at).empty();
        }
        if (record_.flush_lsn && record_.timeline == out_.target.timeline)
            out_.loss_bytes = lost_at(out_.target);
        out_.chosen = best.server;
        out_.sentence = fmt::format("{} takes over: {}", at(best.server).name(), best.reason);
        if (out_.catch_up_from)
            out_.sentence +=
                fmt::format("; it first takes the rest from {}", at(*out_.catch_up_from).name());
        if (out_.loss_bytes && *out_.loss_bytes)
            out_.sentence +=
                fmt::format("; up to {} of WAL are lost", format_bytes(*out_.loss_bytes));
    }

    std::uint64_t lost_at(const wal_position& place) const {
        return record_.flush_lsn - std::min(record_.flush_lsn, place.lsn);
    }

    /// Why too much would be lost with a new primary at this place; "" if not.
    std::string too_far_behind(const wal_position& place) const {
        for (const auto& set : out_.sync)
            if (set.floor && is_before(place, *set.floor))
                return fmt::format("would be at {}, and {}", to_string(place), set.sentence);
        // Where every commit waited for the set, what lies beyond the floor was not confirmed.
        if (!out_.sync.empty() && !some_async_) return {};
        if (!record_.epoch || !record_.flush_lsn || record_.timeline != place.timeline)
            return "cannot be compared: how far the primary was is not known";
        if (lost_at(place) <= options_.max_lag_bytes) return {};
        return fmt::format("lacks {} of what the primary had, the limit (ha_max_lag_bytes) is {}",
                           format_bytes(lost_at(place)), format_bytes(options_.max_lag_bytes));
    }

    const cluster& cluster_;
    std::optional<std::size_t> primary_;
    const cluster_record& record_;
    const candidate_options& options_;
    std::uint32_t timeline_ = 0;  ///< the highest that the cluster is known to have
    bool must_ = false;           ///< some server has the rule must
    std::vector<std::size_t> good_;
    std::vector<sync_spec> specs_;
    bool some_async_ = false;  ///< commits may have been confirmed without any standby
    candidate_choice out_;
};

}  // namespace

std::string_view to_string(durability value) noexcept {
    constexpr std::array<std::string_view, 3> words{"async", "sync", "strict"};
    return words[static_cast<std::size_t>(value)];
}

candidate_choice choose_candidate(const cluster& subject, std::optional<std::size_t> primary,
                                  const cluster_record& record, const candidate_options& options) {
    return chooser(subject, primary, record, options).run();
}

}  // namespace howdah::ha
