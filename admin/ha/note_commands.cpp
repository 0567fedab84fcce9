#include <fmt/format.h>

#include "admin/ha/commands.hpp"
#include "admin/ha/names.hpp"
#include "admin/ha/values.hpp"
#include "admin/ha/waiting.hpp"
#include "conf/value.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;

struct notebook {
    ha_orders orders;
    ha_view_source view;
    std::chrono::milliseconds patience;
};

sql_result<command_result> noted(std::string_view tag, const notebook& in, const command_call& call,
                                 ha::audit_entry entry, ha_orders::notes_change change) {
    entry.at = ha::unix_now_us();
    entry.by = call.user;
    const auto said = carry_out(
        [&](ha_orders::answer done) {
            in.orders.note(std::move(change), std::move(entry), std::move(done));
        },
        in.patience, in.orders.stopping, {});
    if (!said) return said.error();
    command_result r = tagged(tag);
    r.notices.push_back(said->sentence);
    return r;
}

ha::audit_entry entry_about(const named_server& one, std::string_view type, std::string message) {
    ha::audit_entry out;
    out.type = type;
    out.server = one.at();
    out.cluster = one.state->subject.name;
    out.message = std::move(message);
    return out;
}

/// "90s", "10m", "10min", "2h", "1d", or seconds.
sql_result<std::int64_t> seconds_of(std::string_view text) {
    std::string spelled(text);
    // What others write for minutes.
    if (spelled.size() > 1 && spelled.back() == 'm') spelled += "in";
    constexpr conf::limits range{1, 10 * 365 * 86'400};
    std::int64_t out = 0;
    if (const auto wrong = conf::parse_number(spelled, conf::value_kind::seconds, range, out))
        return sql_error(sqlstate::invalid_parameter_value,
                         "\"" + std::string(text) + "\" " + *wrong, "For example 10m or 2h.");
    return out;
}

sql_result<command_result> downtime(const notebook& in, const command_call& call) {
    const auto now = in.view();
    const auto one = find_server(*now, call["server"]);
    if (!one) return one.error();
    const auto seconds = seconds_of(call["duration"]);
    if (!seconds) return seconds.error();
    ha::downtime_note note;
    note.owner = call.user;
    note.reason = std::string(call["reason"]);
    note.since = ha::unix_now_us();
    note.until = note.since + *seconds * 1'000'000;
    auto entry = entry_about(*one, "begin-downtime",
                             fmt::format("{} is in downtime until {}: {}", to_string(one->at()),
                                         to_text(time_value(note.until)), note.reason));
    return noted("DOWNTIME", in, call, std::move(entry),
                 [at = one->at(), note](ha::operator_notes& n) { n.downtimes[at] = note; });
}

sql_result<command_result> end_downtime(const notebook& in, const command_call& call) {
    const auto now = in.view();
    const auto one = find_server(*now, call["server"]);
    if (!one) return one.error();
    const auto there = now->notes.downtimes.find(one->at());
    if (there == now->notes.downtimes.end() || there->second.until <= ha::unix_now_us())
        return sql_error(sqlstate::object_not_in_prerequisite_state,
                         to_string(one->at()) + " is not in downtime",
                         "ha.downtimes lists those that are.");
    auto entry =
        entry_about(*one, "end-downtime", to_string(one->at()) + " is not in downtime any more");
    return noted("END DOWNTIME", in, call, std::move(entry),
                 [at = one->at()](ha::operator_notes& n) { n.downtimes.erase(at); });
}

sql_result<command_result> recoveries(const notebook& in, const command_call& call, bool enabled) {
    ha::audit_entry entry;
    entry.type = enabled ? "enable-global-recoveries" : "disable-global-recoveries";
    entry.message = enabled ? "recoveries are enabled"
                            : "recoveries are disabled: none begins without an order";
    return noted(enabled ? "ENABLE RECOVERIES" : "DISABLE RECOVERIES", in, call, std::move(entry),
                 [enabled](ha::operator_notes& n) { n.global_recoveries = enabled; });
}

sql_result<command_result> set_rule(const notebook& in, const command_call& call) {
    const auto now = in.view();
    const auto one = find_server(*now, call["server"]);
    if (!one) return one.error();
    const std::string rule = lower(call["rule"]);
    const auto parsed = ha::parse_promotion_rule(rule);
    if (!parsed) return sql_error(sqlstate::invalid_parameter_value, "no rule " + rule);
    auto entry = entry_about(*one, "promotion-rule",
                             fmt::format("promotion rule of {}: {}", to_string(one->at()), rule));
    return noted("SET PROMOTION RULE", in, call, std::move(entry),
                 [at = one->at(), parsed](ha::operator_notes& n) {
                     n.promotion_rules[at] = {*parsed, 0};
                 });
}

sql_result<command_result> tag(const notebook& in, const command_call& call) {
    const auto now = in.view();
    const auto one = find_server(*now, call["server"]);
    if (!one) return one.error();
    const std::string_view written = call["tag"];
    const std::size_t equals = std::min(written.find('='), written.size());
    const std::string name(written.substr(0, equals));
    const std::string what(written.substr(std::min(equals + 1, written.size())));
    if (name.empty())
        return sql_error(sqlstate::invalid_parameter_value,
                         "\"" + std::string(written) + "\" has no name before the '='");
    auto entry =
        entry_about(*one, "tag", fmt::format("tag of {}: {}", to_string(one->at()), written));
    return noted("TAG", in, call, std::move(entry),
                 [at = one->at(), name, what](ha::operator_notes& n) { n.tags[at][name] = what; });
}

sql_result<command_result> untag(const notebook& in, const command_call& call) {
    const auto now = in.view();
    const auto one = find_server(*now, call["server"]);
    if (!one) return one.error();
    const std::string name(call["tag"]);
    const auto there = now->notes.tags.find(one->at());
    if (there == now->notes.tags.end() || !there->second.contains(name))
        return sql_error(sqlstate::undefined_object,
                         fmt::format("{} has no tag \"{}\"", to_string(one->at()), name),
                         "ha.servers.tags has them all; those of the configuration stay.");
    auto entry = entry_about(*one, "untag",
                             fmt::format("{} has no tag {} any more", to_string(one->at()), name));
    return noted("UNTAG", in, call, std::move(entry),
                 [at = one->at(), name](ha::operator_notes& n) {
                     const auto found = n.tags.find(at);
                     if (found == n.tags.end()) return;
                     found->second.erase(name);
                     if (found->second.empty()) n.tags.erase(found);
                 });
}

}  // namespace

std::vector<command> ha_note_commands(const ha_orders& orders, const ha_view_source& view,
                                      std::chrono::milliseconds patience) {
    const notebook in{orders, view, patience};
    const auto bound = [in](auto what) {
        return [in, what](const command_call& call) { return what(in, call); };
    };
    return {
        {"DOWNTIME <server> FOR <duration> REASON <reason>",
         "Nothing is done about the server, and it is not promoted: for 90s, 10m, 2h, 1d.",
         role::admin, bound(downtime), ha_group},
        {"END DOWNTIME <server>", "Ends DOWNTIME before its time.", role::admin,
         bound(end_downtime), ha_group},
        {"ENABLE RECOVERIES", "Ends DISABLE RECOVERIES.", role::admin,
         bound([](const notebook& n, const command_call& c) { return recoveries(n, c, true); }),
         ha_group},
        {"DISABLE RECOVERIES", "Nothing is recovered without an order, in any cluster.",
         role::admin,
         bound([](const notebook& n, const command_call& c) { return recoveries(n, c, false); }),
         ha_group},
        {"SET PROMOTION RULE rule:{MUST|PREFER|NEUTRAL|PREFER_NOT|MUST_NOT} FOR <server>",
         "Whether the server should become the primary, until it is set anew.", role::admin,
         bound(set_rule), ha_group},
        {"TAG <server> <tag>",
         "Gives it a tag, name or name=value; nofailover keeps it from being promoted.",
         role::admin, bound(tag), ha_group},
        {"UNTAG <server> <tag>", "Takes a tag away, by its name.", role::admin, bound(untag),
         ha_group},
    };
}

}  // namespace howdah::admin
