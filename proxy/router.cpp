#include "proxy/router.hpp"

#include "proxy/sql/digest.hpp"

namespace howdah::proxy {

int reader_or_writer(const monitor::hostgroups& hostgroups, int writer) {
    const std::optional<int> reader = hostgroups.reader_of(writer);
    const bool stays = reader && (hostgroups.any_online(*reader) || hostgroups.refuses(*reader));
    return stays ? *reader : writer;
}

route route_statement(const sql::traits& t, const route_context& context) {
    const bool harmless = t.parsed && t.read_only && context.safe_lexing &&
                          sql::harmless_on_standby(t, context.functions);
    route r;
    r.hostgroup = context.default_hostgroup;
    r.repeatable = harmless;
    if (context.verdict != nullptr && context.verdict->destination_hostgroup) {
        r.hostgroup = *context.verdict->destination_hostgroup;
        r.reason = route_reason::rule;
        return r;
    }
    if (const auto hint = sql::hostgroup_hint(context.query);
        hint && context.hostgroups.exists(*hint)) {
        r.hostgroup = *hint;
        r.reason = route_reason::hint;
        return r;
    }
    if (!context.split || !context.hostgroups.is_writer(context.default_hostgroup)) {
        r.reason = route_reason::no_split;
        return r;
    }
    if (!t.parsed || !context.safe_lexing) {
        r.reason = route_reason::unparsed;
        return r;
    }
    if (harmless) {
        r.reason = route_reason::read;
        r.hostgroup = reader_or_writer(context.hostgroups, context.default_hostgroup);
        return r;
    }
    // A string that only opens a read-only transaction; what follows stays on that server.
    if (t.begins_transaction && t.statements == 1 && !t.begin_needs_writer &&
        (t.begin_read_only || context.read_only_mode)) {
        r.reason = route_reason::read_only_mode;
        r.hostgroup = reader_or_writer(context.hostgroups, context.default_hostgroup);
        return r;
    }
    r.reason = t.read_only ? route_reason::functions : route_reason::write;
    return r;
}

route combine(const route& a, const route& b, const route_context& context) {
    if (a.hostgroup == b.hostgroup) {
        route r = a.reason == route_reason::read ? b : a;
        r.repeatable = a.repeatable && b.repeatable;
        return r;
    }
    // They differ: one of them needs another hostgroup than the reader.
    const std::optional<int> reader = context.hostgroups.reader_of(context.default_hostgroup);
    route r = reader && a.hostgroup == *reader ? b : a;
    r.repeatable = a.repeatable && b.repeatable;
    return r;
}

}  // namespace howdah::proxy
