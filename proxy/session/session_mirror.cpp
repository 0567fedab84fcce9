#include <algorithm>

#include "protocol/wire/messages.hpp"
#include "proxy/session/session.hpp"

// Mirroring: a statement whose rule has a mirror_hostgroup or mirror_flagOUT is handed to the
// worker's mirror when it is run, and forgotten.
namespace howdah::proxy {

namespace {

/// A larger one is not kept for others than its client.
constexpr std::size_t most_bytes = 1 << 20;

/// Where neither a rule nor query_timeout limits a mirrored statement.
constexpr std::chrono::milliseconds longest_run{60000};

/// It neither leaves anything behind in its session nor belongs to a transaction of several
/// statements, and asks the client for nothing.
bool stands_alone(const sql::traits& t) {
    const auto does_data = [](sql::verb v) {
        using sql::verb;
        return v == verb::select || v == verb::insert || v == verb::update || v == verb::delete_ ||
               v == verb::merge || v == verb::call;
    };
    return t.parsed && t.pins == 0 && t.settings.empty() && t.parts.empty() &&
           !t.begins_transaction && !t.ends_transaction && !t.sets_transaction_mode &&
           does_data(t.first) && does_data(t.last);
}

}  // namespace

void session::mirror(const statement_plan& plan, std::string_view text,
                     const std::string_view* oids, std::string_view bind_tail) {
    if (!plan.verdict || (!plan.verdict->mirror_hostgroup && !plan.verdict->mirror_flag_out))
        return;
    // In a failed transaction the original is refused, too.
    if (repeats_ > 0 || mends_ > 0 || status() == 'E' || !safe_lexing_ || !stands_alone(*plan.what))
        return;
    const rule_verdict& v = *plan.verdict;
    if (text.size() + bind_tail.size() > most_bytes || (oids != nullptr && bind_tail.empty()))
        return w_.mirrors.drop();
    mirrored_statement copy;
    copy.hostgroup = v.mirror_hostgroup.value_or(who_.user->default_hostgroup);
    verdict_ptr further;
    if (v.mirror_flag_out) {
        further = judge(text, w_.statements.find(text).id, *v.mirror_flag_out);
        if (further && further->error_msg) return;
        if (further && further->destination_hostgroup)
            copy.hostgroup = *further->destination_hostgroup;
        if (further && further->rewritten) text = *further->rewritten;
    }
    copy.login = who_.login;
    copy.settings = settings_;
    copy.extended = oids != nullptr;
    const auto ruled = v.timeout.value_or(std::chrono::milliseconds(0));
    const auto general = limit(conf::in_force_of::query_timeout);
    copy.limit = ruled.count() > 0 ? ruled : general.count() > 0 ? general : longest_run;
    std::string& out = copy.messages;
    if (!copy.extended) {
        protocol::append_query(out, text);
    } else {
        protocol::append_parse_raw(out, {}, text, *oids);
        protocol::append_bind_prefix(out, {}, {}, bind_tail.size());
        out += bind_tail;
        protocol::append_execute(out, {}, 0);
        protocol::append_close(out, 'S', {});
        protocol::append_sync(out);
    }
    w_.mirrors.add(std::move(copy));
}

}  // namespace howdah::proxy
