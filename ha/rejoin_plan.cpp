#include <fmt/format.h>

#include <algorithm>

#include "ha/plan_steps.hpp"

namespace howdah::ha {
namespace {

/// How the server is to reach the writer: its own settings, else another standby's under its name.
conninfo way_to(const cluster& subject, const server& one, const server& writer) {
    auto own = conninfo::parse(one.facts.upstream_conninfo()).value_or(conninfo{});
    if (own.get("user").empty()) {
        for (const auto& other : subject.servers)
            if (const auto way = conninfo::parse(other.facts.upstream_conninfo());
                way && !way->get("user").empty()) {
                own = *way;
                own.set("application_name", one.facts.settings.cluster_name.empty()
                                                ? one.config.name
                                                : one.facts.settings.cluster_name);
                break;
            }
    }
    return own.pointing_at(writer.replicate_from());
}

std::string still_accepts_writes(const cluster& subject, const server& one) {
    return fmt::format(
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN false ELSE (SELECT system_identifier "
        "FROM pg_catalog.pg_control_system()) = {} AND {} = {} END",
        subject.system_identifier, written_timeline_sql, one.facts.timeline);
}

/// Settings that the file of a stopped server gets.
std::string settings_lines(const conninfo& way, const std::string& slot) {
    const auto quoted = [](std::string text) {
        for (std::size_t i = 0; (i = text.find('\'', i)) != std::string::npos; i += 2)
            text.insert(i, 1, '\'');
        return "'" + text + "'";
    };
    return fmt::format(
        "primary_conninfo = {}; primary_slot_name = {}; "
        "synchronous_standby_names and default_transaction_read_only removed",
        quoted(way.text(false)), quoted(slot));
}

}  // namespace

plan plan_fence(const cluster& subject, std::size_t server_index, const cluster_record& record) {
    const auto& one = subject.servers[server_index];
    plan out;
    out.title = fmt::format("fence {}", one.name());
    if (!one.writable())
        out.impossible = fmt::format("{} does not accept writes", one.name());
    else if (record.epoch && one.is(record.primary) && one.facts.timeline == record.timeline &&
             one.facts.flush_lsn.value_or(0) >= record.flush_lsn)
        out.impossible = fmt::format("{} is the writer of epoch {}", one.name(), record.epoch);
    else if (!one.facts.may.alter_fence || !one.facts.may.reload)
        out.impossible =
            fmt::format("Howdah may not fence {}: it only keeps its own clients away", one.name());
    if (!out.possible()) return out;
    auto& fence = out.steps.emplace_back(steps::fence(one, still_accepts_writes(subject, one)));
    fence.stage = 1;
    fence.undo.clear();  // rejoining undoes it
    fence.failing = on_failure::go_on;
    return out;
}

plan plan_rewire(const cluster& subject, std::size_t standby, std::size_t upstream,
                 const plan_options& options) {
    const auto& one = subject.servers[standby];
    const auto& to = subject.servers[upstream];
    plan out;
    out.title = fmt::format("{} follows {}", one.name(), to.name());
    const auto refuse = [&](std::string reason) {
        out.impossible = std::move(reason);
        return out;
    };
    if (standby == upstream) return refuse("a server cannot follow itself");
    if (!one.standing_by()) return refuse(fmt::format("{} is no standby that answers", one.name()));
    if (!to.current) return refuse(fmt::format("{} does not answer", to.name()));
    if (one.foreign || to.foreign) return refuse("they are not of one cluster");
    if (!one.facts.may.alter_conninfo || !one.facts.may.reload)
        return refuse(fmt::format("Howdah may not set primary_conninfo on {}", one.name()));
    if (!conninfo::parse(one.facts.upstream_conninfo()) || one.facts.upstream_conninfo().empty())
        return refuse(
            fmt::format("{} has no primary_conninfo that could be rewritten", one.name()));
    for (auto up = to.upstream; up; up = subject.servers[*up].upstream) {
        if (*up == standby) return refuse(fmt::format("{} follows {}", to.name(), one.name()));
        if (*up == upstream) break;
    }
    if (relate(one.facts.position(), to.facts.timeline, to.history()) == lineage::diverged)
        return refuse(
            fmt::format("{} is at {}, which is not in the history of {}: it must be "
                        "rewound",
                        one.name(), to_string(one.facts.position()), to.name()));

    steps::slot_names names(subject, to, options.slots_for_all);
    const auto slot = names.take(one);
    if (!slot.empty()) out.steps.emplace_back(steps::slot(to, slot, one)).stage = 1;
    auto& follow = out.steps.emplace_back(
        steps::follow(one, &to, to.writable(), slot, to.facts.timeline, options.rewire_timeout_us));
    follow.stage = 2;
    follow.undo = {alter_conninfo_raw(one.facts.upstream_conninfo()),
                   alter_system("primary_slot_name", one.facts.settings.primary_slot_name),
                   reload_conf()};
    follow.failing = on_failure::undo;
    if (auto undo = steps::unfence(one)) out.steps.emplace_back(std::move(*undo)).stage = 3;
    return out;
}

plan plan_rejoin(const cluster& subject, std::size_t server_index, const judgement& judged,
                 const plan_options& options) {
    const auto& one = subject.servers[server_index];
    plan out;
    out.title = fmt::format("rejoin {}", one.name());
    if (!judged.writer) {
        out.impossible = "there is no writer to follow: " + judged.sentence;
        return out;
    }
    const auto& writer = subject.servers[*judged.writer];
    if (&one == &writer) out.impossible = fmt::format("{} is the writer", one.name());
    if (one.foreign)
        out.impossible = fmt::format(
            "{} belongs to another cluster; only a copy would make it a "
            "member",
            one.name());
    if (!out.possible()) return out;
    const auto stands = judged.standings[server_index];
    if (stands == standing::standby) {
        out = plan_rewire(subject, server_index, *judged.writer, options);
        out.title = fmt::format("rejoin {}", one.name());
        return out;
    }

    int stage = 1;
    if (one.writable() && one.facts.may.alter_fence && one.facts.may.reload) {
        auto fence = steps::fence(one, still_accepts_writes(subject, one));
        fence.stage = stage++;
        fence.undo.clear();
        fence.failing = on_failure::go_on;
        out.steps.push_back(std::move(fence));
    }
    steps::slot_names names(subject, writer, true);
    const auto slot = names.take(one);
    const auto way = way_to(subject, one, writer);
    auto& create = out.steps.emplace_back(steps::slot(writer, slot, one));
    create.stage = stage++;
    create.failing = on_failure::undo;

    const auto agent = [&](const char* act, std::string what, std::string command) {
        auto& next =
            out.steps.emplace_back(steps::agent(one, act, std::move(what), std::move(command)));
        next.environment["HOWDAH_SOURCE"] = way.text();
        next.environment["HOWDAH_SLOT"] = slot;
        next.stage = stage++;
        next.timeout_us = 3'600'000'000;
    };
    const auto where = steps::shell_directory(one);
    const auto source = way.text(false);
    agent("stop", fmt::format("stop {}", one.name()),
          fmt::format("pg_ctl stop -m fast -D {}", where));
    const auto copy = fmt::format(
        "mv {0} {0}.old && pg_basebackup -D {0} -d \"{1}\" -X stream -S {2} --checkpoint=fast",
        where, source, slot);
    const auto& settings = one.facts.settings;
    if ((settings.wal_log_hints || settings.data_checksums) && settings.full_page_writes) {
        // After a failed pg_rewind the data directory is of no use any more.
        agent("rewind",
              fmt::format("rewind {} to where {} left its history, or copy it anew", one.name(),
                          writer.name()),
              fmt::format("pg_rewind --target-pgdata={} --source-server=\"{} dbname=postgres\" "
                          "--progress || {{ {}; }}",
                          where, source, copy));
    } else {
        out.notes.push_back(fmt::format(
            "{} has neither wal_log_hints nor data checksums, or no full_page_writes: it cannot be "
            "rewound, only copied",
            one.name()));
        agent("copy", fmt::format("copy {} anew", one.name()), copy);
    }
    agent("configure",
          fmt::format("make it a standby: standby.signal, and in postgresql.auto.conf {}",
                      settings_lines(way, slot)),
          fmt::format("touch {}/standby.signal", where));
    agent("start", fmt::format("start {}", one.name()), fmt::format("pg_ctl start -D {}", where));

    auto& verify = out.steps.emplace_back(steps::at(
        one, step_kind::check, fmt::format("{} streams from {}", one.name(), writer.name())));
    verify.done_when = fmt::format(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming' AND "
        "received_tli >= {})",
        writer.facts.timeline);
    verify.stage = stage;
    verify.timeout_us = 60'000'000;
    verify.failing = on_failure::go_on;
    if (!options.has_agent)
        out.notes.push_back(
            "no agent is configured: the commands are for a person, Howdah does the SQL");
    return out;
}

}  // namespace howdah::ha
