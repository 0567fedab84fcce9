#include "ha/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "ha/conninfo.hpp"

namespace howdah::ha {
namespace {

struct asked {
    const cluster& subject;
    const judgement& judged;
    const server& one;
    bool is_writer;

    const server_settings& settings() const { return one.facts.settings; }
    const privileges& may() const { return one.facts.may; }
    const server* writer() const {
        return judged.writer ? &subject.servers[*judged.writer] : nullptr;
    }
    std::size_t others() const { return subject.servers.size() - 1; }
};

/// One row: a sentence if it is an obstacle, "" if not.
struct row {
    std::string_view reason;
    bool blocking;
    std::string (*ask)(const asked&);
};

std::string grant(bool there, const asked& a, std::string_view what) {
    return there ? "" : fmt::format("on {}: {}", a.one.name(), what);
}

bool fixed(const asked& a, std::string_view setting) {
    return std::ranges::find(a.settings().fixed_by_command_line, setting) !=
           a.settings().fixed_by_command_line.end();
}

constexpr std::array<row, 25> rows{{
    {"version", true,
     [](const asked& a) {
         return a.one.facts.version_num < 130000
                    ? fmt::format("{} is older than PostgreSQL 13", a.one.name())
                    : std::string();
     }},
    {"other_manager", true,
     [](const asked& a) {
         return a.one.manager ? fmt::format(
                                    "{} manages {} ({}): Howdah only observes (a false alarm: "
                                    "ha_ignore_managers)",
                                    a.one.manager->name, a.one.name(), a.one.manager->sign)
                              : std::string();
     }},
    {"ignored_manager", false,
     [](const asked& a) {
         if (a.one.manager || a.one.facts.managers.empty()) return std::string();
         const auto& found = a.one.facts.managers.front();
         return fmt::format("{} is ignored on {} (ha_ignore_managers): {}", found.name,
                            a.one.name(), found.sign);
     }},
    {"grant_promote", true,
     [](const asked& a) {
         return grant(a.may().promote, a,
                      "GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer)");
     }},
    {"grant_reload", true,
     [](const asked& a) {
         return grant(a.may().reload, a, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf()");
     }},
    {"grant_conninfo", true,
     [](const asked& a) {
         return grant(a.may().alter_conninfo, a,
                      "GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name "
                      "(before PostgreSQL 15: a superuser)");
     }},
    {"grant_sync", false,
     [](const asked& a) {
         return grant(a.may().alter_sync, a,
                      "GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names");
     }},
    {"grant_fence", false,
     [](const asked& a) {
         return grant(a.may().alter_fence && a.may().signal_backend, a,
                      "GRANT ALTER SYSTEM ON PARAMETER default_transaction_read_only, and "
                      "pg_signal_backend: without them a returned old primary is not fenced");
     }},
    {"grant_timeout", false,
     [](const asked& a) {
         return grant(a.may().alter_timeout, a,
                      "GRANT ALTER SYSTEM ON PARAMETER wal_receiver_timeout: without it a host "
                      "that vanishes silently is only found dead after half of that time-out");
     }},
    {"grant_replication", true,
     [](const asked& a) {
         return grant(a.may().replication, a, "ALTER ROLE ... REPLICATION, for slots");
     }},
    {"alter_system", true,
     [](const asked& a) {
         return a.settings().allow_alter_system
                    ? ""
                    : fmt::format("allow_alter_system is off on {}", a.one.name());
     }},
    {"command_line", true,
     [](const asked& a) {
         return fixed(a, "primary_conninfo") || fixed(a, "primary_slot_name")
                    ? fmt::format(
                          "primary_conninfo of {} is given on its command line, where "
                          "nobody can change it",
                          a.one.name())
                    : std::string();
     }},
    {"hot_standby", true,
     [](const asked& a) {
         return a.settings().hot_standby ? ""
                                         : fmt::format("hot_standby is off on {}", a.one.name());
     }},
    {"timeline_target", true,
     [](const asked& a) {
         const auto& target = a.settings().recovery_target_timeline;
         return target == "latest" || target.empty()
                    ? ""
                    : fmt::format(
                          "recovery_target_timeline of {} is {}: it would not follow a new "
                          "primary (latest; needs a restart)",
                          a.one.name(), target);
     }},
    {"max_wal_senders", true,
     [](const asked& a) {
         // One for each of the others, and one for a copy.
         return a.settings().max_wal_senders > static_cast<int>(a.others())
                    ? ""
                    : fmt::format("max_wal_senders of {} is {}, {} are needed", a.one.name(),
                                  a.settings().max_wal_senders, a.others() + 1);
     }},
    {"slot_room", true,
     [](const asked& a) {
         const auto used = a.one.facts.slots.size();
         const auto limit =
             static_cast<std::size_t>(std::max(a.settings().max_replication_slots, 0));
         const auto needed = a.is_writer ? used : used + a.others() - 1;
         return needed <= limit
                    ? ""
                    : fmt::format("max_replication_slots of {} is {}, {} would be needed",
                                  a.one.name(), limit, needed);
     }},
    {"slot_lost", true,
     [](const asked& a) {
         for (const auto& slot : a.one.facts.slots)
             if (slot.wal_status == "lost")
                 return fmt::format(
                     "the slot {} on {} has lost its WAL: drop it and copy its "
                     "standby anew",
                     slot.name, a.one.name());
         return std::string();
     }},
    {"rewind", false,
     [](const asked& a) {
         return a.settings().wal_log_hints || a.settings().data_checksums
                    ? ""
                    : fmt::format(
                          "{} has neither wal_log_hints nor data checksums: after a "
                          "failover it must be copied, not rewound",
                          a.one.name());
     }},
    {"conninfo", true,
     [](const asked& a) {
         if (a.is_writer) return std::string();
         std::string why;
         if (a.one.facts.upstream_conninfo().empty())
             return fmt::format("{} has no primary_conninfo", a.one.name());
         return conninfo::parse(a.one.facts.upstream_conninfo(), &why)
                    ? ""
                    : fmt::format("primary_conninfo of {} is not understood: {}", a.one.name(),
                                  why);
     }},
    {"credentials", false,
     [](const asked& a) {
         if (!a.is_writer || !a.others()) return std::string();
         const auto way = conninfo::parse(a.one.facts.upstream_conninfo());
         return way && !way->get("user").empty()
                    ? ""
                    : fmt::format(
                          "{} has no primary_conninfo: when it is rejoined, that of another "
                          "standby is taken",
                          a.one.name());
     }},
    {"max_connections", true,
     [](const asked& a) {
         const auto* writer = a.writer();
         return a.is_writer || !writer ||
                        a.settings().max_connections >= writer->facts.settings.max_connections
                    ? ""
                    : fmt::format(
                          "max_connections of {} is {}, lower than the primary's {}: replay "
                          "stops",
                          a.one.name(), a.settings().max_connections,
                          writer->facts.settings.max_connections);
     }},
    {"major_version", true,
     [](const asked& a) {
         const auto* writer = a.writer();
         return !writer || a.one.facts.version_num / 10000 == writer->facts.version_num / 10000
                    ? ""
                    : fmt::format("{} and {} are of different major versions", a.one.name(),
                                  writer->name());
     }},
    {"application_name", true,
     [](const asked& a) {
         const auto* writer = a.writer();
         if (!writer) return std::string();
         const auto spec = parse_sync_spec(writer->facts.settings.synchronous_standby_names);
         if (!spec || spec->how == sync_spec::method::none || a.is_writer) return std::string();
         const auto name = a.one.replication_name();
         const auto same = std::ranges::count_if(a.subject.servers, [&](const server& other) {
             return &other != writer && other.replication_name() == name;
         });
         return same <= 1 ? ""
                          : fmt::format(
                                "the application_name {} is that of {} standbys: who "
                                "confirmed a commit cannot be told",
                                name, same);
     }},
    {"sync_names", false,
     [](const asked& a) {
         if (!a.is_writer) return std::string();
         std::string why;
         const auto spec = parse_sync_spec(a.settings().synchronous_standby_names, &why);
         if (!spec) return fmt::format("synchronous_standby_names of {}: {}", a.one.name(), why);
         for (const auto& name : spec->names) {
             const auto known = std::ranges::any_of(a.subject.servers, [&](const server& other) {
                 return sync_spec{spec->how, 1, {name}}.names_standby(other.replication_name()) ||
                        name == other.config.name || name == other.at().host;
             });
             if (!known)
                 return fmt::format("synchronous_standby_names names {}, which no server bears",
                                    name);
         }
         return std::string();
     }},
    {"receiver_timeout", false,
     [](const asked& a) {
         const auto timeout = a.settings().wal_receiver_timeout_ms;
         return a.is_writer || (timeout > 0 && timeout <= 10'000) || a.may().alter_timeout
                    ? ""
                    : fmt::format(
                          "wal_receiver_timeout of {} is {} ms: 5 s would find a vanished "
                          "primary sooner",
                          a.one.name(), timeout);
     }},
}};

}  // namespace

preflight_report check_preflight(const cluster& subject, const judgement& judged,
                                 const candidate_options& options) {
    preflight_report out;
    for (std::size_t i = 0; i < subject.servers.size(); ++i) {
        const auto& one = subject.servers[i];
        if (!one.current) {
            out.obstacles.push_back(
                {i, "not_reachable", true, fmt::format("{} does not answer", one.name())});
            continue;
        }
        if (one.foreign) {
            out.obstacles.push_back(
                {i, "foreign", true, fmt::format("{} belongs to another cluster", one.name())});
            continue;
        }
        const asked question{subject, judged, one, judged.writer == i};
        for (const auto& row : rows)
            if (auto sentence = row.ask(question); !sentence.empty())
                out.obstacles.push_back({i, row.reason, row.blocking, std::move(sentence)});
    }
    auto forecast = options;
    forecast.frozen_at_us = 0;
    const auto choice = choose_candidate(subject, judged.primary, judged.record, forecast);
    std::set<std::size_t> blocked;
    for (const auto& one : out.obstacles)
        if (one.blocking) blocked.insert(one.server);
    const auto managed = subject.managed_by_another();
    out.ready = choice.chosen && !blocked.contains(*choice.chosen) && managed.empty();
    out.sentence = out.ready          ? fmt::format("ready: {}", choice.sentence)
                   : !managed.empty() ? "not ready: " + managed
                   : choice.chosen
                       ? fmt::format("not ready: {} would take over, but {}",
                                     subject.servers[*choice.chosen].name(),
                                     std::ranges::find_if(out.obstacles,
                                                          [&](const obstacle& one) {
                                                              return one.blocking &&
                                                                     one.server == *choice.chosen;
                                                          })
                                         ->sentence)
                       : "not ready: " + choice.sentence;
    return out;
}

}  // namespace howdah::ha
