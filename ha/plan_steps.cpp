#include "ha/plan_steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::ha::steps {
namespace {

/// Without superuser rights the sessions of superusers cannot be ended, and trying is an error.
constexpr std::string_view within_reach =
    "((SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) OR NOT (SELECT "
    "r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = a.usesysid))";

}  // namespace

std::string ended_when(std::string_view settings, std::string_view sessions) {
    return fmt::format(
        "(CASE WHEN {} THEN (SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid)) "
        "FROM pg_catalog.pg_stat_activity a WHERE {} AND a.pid <> pg_catalog.pg_backend_pid() AND "
        "a.usename IS DISTINCT FROM current_user AND a.backend_start < "
        "pg_catalog.pg_conf_load_time() AND {}) = 0 ELSE false END)",
        settings, sessions, within_reach);
}

step at(const server& one, step_kind kind, std::string what) {
    step out;
    out.kind = kind;
    out.server = one.name();
    out.at = one.at();
    out.what = std::move(what);
    return out;
}

step here(step_kind kind, std::string what) {
    step out;
    out.kind = kind;
    out.what = std::move(what);
    return out;
}

step agent(const server& one, std::string action, std::string what, std::string command) {
    auto out = at(one, step_kind::agent, std::move(what));
    out.command = std::move(command);
    out.environment = {{"HOWDAH_ACTION", std::move(action)},
                       {"HOWDAH_DATA_DIRECTORY", one.facts.data_directory}};
    return out;
}

std::string shell_directory(const server& one) {
    if (one.facts.data_directory.empty()) return "$PGDATA";
    std::string out = "'";
    for (const char c : one.facts.data_directory)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

step freeze(const server& one) {
    auto out = at(one, step_kind::freeze, fmt::format("stop the WAL receiver of {}", one.name()));
    out.sql = {alter_system("primary_conninfo", ""), reload_conf()};
    out.done_when =
        "SELECT pg_catalog.current_setting('primary_conninfo') = '' AND NOT EXISTS (SELECT FROM "
        "pg_catalog.pg_stat_wal_receiver)";
    out.undo = {alter_conninfo_raw(one.facts.upstream_conninfo()), reload_conf()};
    out.failing = on_failure::go_on;
    return out;
}

step unfreeze(const server& one) {
    auto out = at(one, step_kind::rewire,
                  fmt::format("{} follows {} again", one.name(), one.upstream_text));
    out.sql = {alter_conninfo_raw(one.facts.upstream_conninfo()), reload_conf()};
    out.done_when = "SELECT pg_catalog.current_setting('primary_conninfo') <> ''";
    out.failing = on_failure::go_on;
    return out;
}

step slot(const server& upstream, const std::string& name, const server& of) {
    auto out = at(upstream, step_kind::configure,
                  fmt::format("create the slot {} for {}", name, of.name()));
    out.sql = {create_slot(name)};
    out.done_when = fmt::format(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {} AND "
        "slot_type = 'physical')",
        quote_literal(name));
    out.failing = on_failure::go_on;
    return out;
}

step setting(const server& one, std::string_view name, const std::string& before,
             const std::string& value, std::string what) {
    auto out = at(one, step_kind::configure, std::move(what));
    out.sql = {alter_system(name, value), reload_conf()};
    out.undo = {alter_system(name, before), reload_conf()};
    out.done_when = fmt::format("SELECT pg_catalog.current_setting({}) = {}", quote_literal(name),
                                quote_literal(value));
    return out;
}

step follow(const server& standby, const server* upstream, bool upstream_is_primary,
            const std::string& slot_name, std::uint32_t timeline, time_us timeout_us) {
    const auto& before = standby.facts.upstream_conninfo();
    std::string where;
    auto out = at(standby, step_kind::rewire, {});
    if (upstream) {
        const auto& to = upstream->replicate_from();
        out.what = fmt::format("{} follows {}", standby.name(), upstream->name());
        const auto parsed = conninfo::parse(before).value_or(conninfo{});
        out.sql.push_back(alter_conninfo(parsed.pointing_at(to, upstream_is_primary)));
        where = fmt::format(" AND sender_host = {} AND sender_port = {}", quote_literal(to.host),
                            to.port);
    } else {
        out.what = fmt::format("{} follows {} again", standby.name(), standby.upstream_text);
        out.sql.push_back(alter_conninfo_raw(before));
    }
    if (slot_name != standby.facts.settings.primary_slot_name)
        out.sql.push_back(alter_system("primary_slot_name", slot_name));
    out.sql.push_back(reload_conf());
    out.done_when = fmt::format(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming' AND "
        "received_tli >= {}{})",
        timeline, where);
    out.timeout_us = timeout_us;
    out.failing = on_failure::go_on;
    return out;
}

std::optional<step> unfence(const server& one) {
    if (!one.facts.settings.default_transaction_read_only) return std::nullopt;
    auto out = at(one, step_kind::configure,
                  fmt::format("undo the fence that {} kept from earlier", one.name()));
    out.sql = {alter_system("default_transaction_read_only", "off"), reload_conf()};
    out.done_when = "SELECT pg_catalog.current_setting('default_transaction_read_only') = 'off'";
    return out;
}

step fence(const server& one, const std::string& guard) {
    auto out = at(one, step_kind::fence,
                  fmt::format("fence {}: read-only by default, no commit confirmed, sessions ended",
                              one.name()));
    out.guard = guard;
    out.sql = {alter_system("default_transaction_read_only", "on"),
               alter_system("synchronous_standby_names", fence_name), reload_conf()};
    out.done_when =
        "SELECT " +
        ended_when(
            fmt::format("pg_catalog.current_setting('default_transaction_read_only') = 'on' AND "
                        "pg_catalog.current_setting('synchronous_standby_names') = '{}'",
                        fence_name),
            "a.backend_type IN ('client backend', 'walsender')");
    out.undo = {
        alter_system("default_transaction_read_only",
                     one.facts.settings.default_transaction_read_only ? "on" : "off"),
        alter_system("synchronous_standby_names", one.facts.settings.synchronous_standby_names),
        reload_conf()};
    return out;
}

std::string is_standby_of(const cluster& subject) {
    return fmt::format(
        "SELECT pg_catalog.pg_is_in_recovery() AND (SELECT system_identifier FROM "
        "pg_catalog.pg_control_system()) = {}",
        subject.system_identifier);
}

std::string slot_names::take(const server& standby) {
    const auto& own = standby.facts.settings.primary_slot_name;
    if (own.empty() && !for_all_) return {};
    const auto free = [&](const std::string& name) {
        if (std::ranges::find(taken_, name) != taken_.end()) return false;
        const auto there = std::ranges::find(upstream_.facts.slots, name, &replication_slot::name);
        if (there == upstream_.facts.slots.end()) return true;
        // One that is in use belongs to somebody; its own is active while it still streams there.
        const bool own_upstream =
            standby.upstream && &subject_.servers[*standby.upstream] == &upstream_;
        return there->physical && (!there->active || own_upstream);
    };
    auto name = own;
    if (name.empty() || !free(name)) {
        const auto base = slot_name_for(standby.name());
        name = base;
        for (int number = 2; !free(name) && number < 100; ++number)
            name = fmt::format("{}_{}", base.substr(0, 60), number);
    }
    taken_.push_back(name);
    return name;
}

}  // namespace howdah::ha::steps
