#include <algorithm>
#include <nlohmann/json.hpp>

#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/route.hpp"
#include "admin/orchestrator/server_state.hpp"
#include "conf/names.hpp"

namespace howdah::admin::orchestrator {
namespace {

using ha::endpoint;
using ha::operator_notes;
using ha::order_answer;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t default_downtime = 600 * second;
/// Orchestrator's CandidateInstanceExpireMinutes.
constexpr std::int64_t default_candidacy = 3600 * second;
/// Orchestrator's MaintenanceExpireMinutes.
constexpr std::int64_t longest_maintenance = 600 * 60 * second;

/// What the change is, for the audit, and the answer when it is done.
struct noting {
    std::string type;
    endpoint server;
    std::string cluster;
    std::string message;  ///< of the answer
    std::string detail;   ///< for the audit, behind the message
    json details;
};

void change(const call_ptr& call, const noting& what, std::function<void(operator_notes&)> how) {
    ha::audit_entry entry;
    entry.at = call->does->now();
    entry.type = what.type;
    entry.server = what.server;
    entry.cluster = what.cluster;
    entry.by = call->by;
    entry.message = what.message + (what.detail.empty() ? "" : ": " + what.detail);
    call->does->note(std::move(how), entry, guarded(call, [call, what](const order_answer& given) {
                         call->respond(given.done ? ok_answer(what.message, what.details)
                                                  : error_answer(given.sentence, 500));
                     }));
}

noting about(const place& which, std::string type, std::string message) {
    noting out;
    out.type = std::move(type);
    out.server = which.at();
    out.cluster = which.in->subject.name;
    out.message = std::move(message);
    out.details = key_object(which.at());
    return out;
}

/// Everything that was noted under any of a server's names.
template <class Map>
void erase_all(Map& from, const std::vector<endpoint>& names) {
    for (const auto& one : names)
        from.erase(one);
}

std::int64_t duration(const api_call& call, std::int64_t otherwise) {
    const std::string text = call.has("duration") ? call.place("duration") : call.param("duration");
    if (text.empty()) return otherwise;
    const auto out = parse_duration(text);
    if (!out) throw api_error(text + " is no duration: 10s, 5m, 2h, 1d, 1w");
    return *out * second;
}

void begin_downtime(const call_ptr& call) {
    const place which = call->server();
    ha::downtime_note note;
    note.owner = call->place("owner");
    note.reason = call->place("reason");
    note.since = call->does->now();
    note.until = note.since + duration(*call, default_downtime);
    auto what = about(which, "begin-downtime", "Downtime begun: " + to_string(which.at()));
    what.detail = note.owner + ", until " + time_text(note.until) + ": " + note.reason;
    change(call, what, [names = which.server().names, at = which.at(), note](operator_notes& all) {
        erase_all(all.downtimes, names);
        all.downtimes[at] = note;
    });
}

void end_downtime(const call_ptr& call) {
    const place which = call->server();
    change(
        call, about(which, "end-downtime", "Downtime ended: " + to_string(which.at())),
        [names = which.server().names](operator_notes& all) { erase_all(all.downtimes, names); });
}

void begin_maintenance(const call_ptr& call) {
    const place which = call->server();
    ha::maintenance_note note;
    note.owner = call->place("owner");
    note.reason = call->place("reason");
    note.since = call->does->now();
    note.until = note.since + longest_maintenance;
    const auto found = call->view->notes.maintenance.find(which.at());
    if (found != call->view->notes.maintenance.end() && found->second.until > note.since)
        throw api_error("Cannot begin maintenance: " + to_string(which.at()) +
                        " is in maintenance already, by " + found->second.owner);
    auto what = about(which, "begin-maintenance", "Maintenance begun: " + to_string(which.at()));
    what.detail = note.owner + ": " + note.reason;
    change(call, what,
           [at = which.at(), note](operator_notes& all) { all.maintenance[at] = note; });
}

void end_maintenance(const call_ptr& call) {
    const place which = call->server();
    change(
        call, about(which, "end-maintenance", "Maintenance ended: " + to_string(which.at())),
        [names = which.server().names](operator_notes& all) { erase_all(all.maintenance, names); });
}

void end_maintenance_by_id(const call_ptr& call) {
    const std::string& id = call->place("id");
    for (const auto& [at, note] : call->view->notes.maintenance) {
        if (std::to_string(note.since) != id) continue;
        noting what;
        what.type = "end-maintenance";
        what.server = at;
        what.message = "Maintenance ended: " + to_string(at);
        what.details = key_object(at);
        change(call, what, [name = at](operator_notes& all) { all.maintenance.erase(name); });
        return;
    }
    throw api_error("there is no maintenance " + id);
}

void register_candidate(const call_ptr& call) {
    const place which = call->server();
    const auto rule = ha::parse_promotion_rule(call->place("rule"));
    if (!rule)
        throw api_error(call->place("rule") +
                        " is no promotion rule: must, prefer, neutral, prefer_not, must_not");
    ha::promotion_note note;
    note.rule = *rule;
    const auto lasts = duration(*call, default_candidacy);
    note.until = lasts ? call->does->now() + lasts : 0;
    auto what = about(which, "register-candidate", "Registered candidate");
    what.detail = std::string(to_string(*rule)) +
                  (note.until ? " until " + time_text(note.until) : std::string());
    change(call, what, [names = which.server().names, at = which.at(), note](operator_notes& all) {
        erase_all(all.promotion_rules, names);
        all.promotion_rules[at] = note;
    });
}

/// "name" or "name=value".
std::pair<std::string, std::string> tag_of(const api_call& call) {
    std::string text;
    if (call.has("tag"))
        text = call.place("tag") + (call.has("value") ? "=" + call.place("value") : "");
    else
        text = call.param("tag");
    const std::size_t equals = std::min(text.find('='), text.size());
    if (equals == 0) throw api_error("no tag given: name or name=value");
    return {text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
}

void tag(const call_ptr& call) {
    const place which = call->server();
    const auto [name, value] = tag_of(*call);
    auto what = about(which, "tag", to_string(which.at()) + " tagged with " + name);
    what.detail = value;
    change(call, what,
           [at = which.at(), n = name, v = value](operator_notes& all) { all.tags[at][n] = v; });
}

/// With a value only where the tag has it.
void untag_from(const call_ptr& call, const std::vector<place>& from) {
    const auto [name, value] = tag_of(*call);
    std::vector<endpoint> names;
    std::vector<endpoint> found;
    for (const place& one : from) {
        const auto all = tags_of(*call->view, one);
        const auto tag_there = all.find(name);
        if (tag_there == all.end() || (!value.empty() && tag_there->second != value)) continue;
        // The configuration's tags have the operators' among them.
        const bool noted = std::ranges::any_of(one.server().names, [&](const endpoint& at) {
            const auto tags = call->view->notes.tags.find(at);
            return tags != call->view->notes.tags.end() && tags->second.contains(tag_there->first);
        });
        if (!noted)
            throw api_error("tag " + name + " of " + to_string(one.at()) +
                            " is in the configuration");
        found.push_back(one.at());
        names.insert(names.end(), one.server().names.begin(), one.server().names.end());
    }
    noting what;
    what.type = "untag";
    if (found.size() == 1) what.server = found.front();
    what.message = name + " removed from " + std::to_string(found.size()) + " instances";
    what.details = keys_object(found);
    change(call, what, [names, n = name](operator_notes& all) {
        for (const auto& at : names) {
            const auto tags = all.tags.find(at);
            if (tags == all.tags.end()) continue;
            tags->second.erase(n);
            if (tags->second.empty()) all.tags.erase(tags);
        }
    });
}

void untag(const call_ptr& call) {
    untag_from(call, {call->server()});
}

void untag_all(const call_ptr& call) {
    std::vector<place> all;
    for (const auto& one : call->view->clusters)
        for (std::size_t i = 0; i < one.subject.servers.size(); ++i)
            all.push_back({&one, i});
    untag_from(call, all);
}

void set_alias(const call_ptr& call) {
    const auto& one = call->cluster();
    const std::string alias = call->param("alias");
    if (alias.empty()) throw api_error("no alias given");
    const auto* taken = find_cluster(*call->view, alias);
    if (taken && taken != &one)
        throw api_error(alias + " means the cluster " + taken->subject.name + " already");
    noting what;
    what.type = "set-cluster-alias";
    what.cluster = one.subject.name;
    what.message = "Cluster " + cluster_name(one) + " has now alias '" + alias + "'";
    change(call, what,
           [name = one.subject.name, alias](operator_notes& all) { all.aliases[name] = alias; });
}

void set_global(const call_ptr& call, bool on) {
    noting what;
    what.type = on ? "enable-global-recoveries" : "disable-global-recoveries";
    what.message = on ? "Globally enabled recoveries" : "Globally disabled recoveries";
    what.details = on ? "enabled" : "disabled";
    change(call, what, [on](operator_notes& all) { all.global_recoveries = on; });
}
void enable_global(const call_ptr& call) {
    set_global(call, true);
}
void disable_global(const call_ptr& call) {
    set_global(call, false);
}

void set_mode(const call_ptr& call) {
    const std::string& wanted = call->place("mode");
    const auto mode = conf::from_string<conf::ha_mode>(wanted);
    if (!mode) throw api_error(wanted + " is no mode: observe, manual or automatic");
    const std::string problem = call->does->set_mode(*mode);
    if (!problem.empty()) throw api_error("ha_mode stays as it was: " + problem);
    noting what;
    what.type = "ha-mode";
    what.message = "ha_mode is " + wanted;
    what.details = wanted;
    change(call, what, [](operator_notes&) {});
}

bool is_discovered(const ha::ha_view& view, const endpoint& at) {
    return std::ranges::find(view.discovered, at, &ha::discovered_server::at) !=
           view.discovered.end();
}

/// Servers are configured, or found as members of configured clusters: looking at one cannot add
/// an unknown one.
void discover(const call_ptr& call) {
    const endpoint at = call->key();
    const auto known = find_server(*call->view, at);
    if (!known && !is_discovered(*call->view, at))
        throw api_error("Cannot discover " + to_string(at) +
                        ": no cluster knows it; add it to pgsql_servers (admin interface) or to "
                        "servers in the configuration");
    const auto look = [call, at] {
        if (call->place("") == "async-discover") {
            call->does->look([] {});
            json details;
            details["Key"] = key_object(at);
            call->respond(ok_answer(
                "Asynchronous discovery initiated for instance: " + to_string(at), details));
            return;
        }
        call->does->look(guarded(call, [call, at] {
            const auto now = call->does->view();
            const auto found = find_server(*now, at);
            json details;
            details["Key"] = key_object(at);
            if (found) details = instance_object(*now, *found);
            call->respond(ok_answer("Instance discovered: " + to_string(at), details));
        }));
    };
    if (!call->view->notes.forgotten.contains(at)) {
        look();
        return;
    }
    ha::audit_entry entry;
    entry.at = call->does->now();
    entry.type = "discover";
    entry.server = at;
    entry.by = call->by;
    entry.message = "Instance is no longer forgotten: " + to_string(at);
    call->does->note([at](operator_notes& all) { all.forgotten.erase(at); }, entry,
                     guarded(call, [look, call](const order_answer& given) {
                         if (given.done)
                             look();
                         else
                             call->respond(error_answer(given.sentence, 500));
                     }));
}

void refresh(const call_ptr& call) {
    const endpoint at = call->server().at();
    call->does->look(guarded(call, [call, at] {
        call->respond(ok_answer("Instance refreshed: " + to_string(at), key_object(at)));
    }));
}

void forget(const call_ptr& call) {
    const endpoint at = call->key();
    if (!is_discovered(*call->view, at)) {
        if (find_server(*call->view, at))
            throw api_error("Cannot forget " + to_string(at) +
                            ": it is configured; remove it from pgsql_servers (admin interface) "
                            "or from servers in the configuration");
        throw api_error("Cannot forget " + to_string(at) + ": it is not known");
    }
    noting what;
    what.type = "forget";
    what.server = at;
    what.message = "Instance forgotten: " + to_string(at);
    what.details = key_object(at);
    change(call, what, [at](operator_notes& all) { all.forgotten.insert(at); });
}

void forget_cluster(const call_ptr& call) {
    const auto& one = call->cluster();
    if (one.subject.writer_hostgroup != 0)
        throw api_error("Cannot forget cluster " + cluster_name(one) +
                        ": it is configured; remove its servers from pgsql_servers (admin "
                        "interface) or from the configuration");
    std::vector<endpoint> all_of_it;
    for (const auto& member : one.subject.servers)
        all_of_it.insert(all_of_it.end(), member.names.begin(), member.names.end());
    noting what;
    what.type = "forget-cluster";
    what.cluster = one.subject.name;
    what.message = "Cluster forgotten: " + cluster_name(one);
    change(call, what, [all_of_it](operator_notes& all) {
        all.forgotten.insert(all_of_it.begin(), all_of_it.end());
    });
}

http_answer check_global(const api_call& call) {
    const bool on = call.view->notes.global_recoveries;
    return ok_answer(on ? "Global recoveries enabled" : "Global recoveries disabled",
                     on ? "enabled" : "disabled");
}

http_answer shown_mode(const api_call& call) {
    const std::string mode(conf::to_string(call.does->mode()));
    return ok_answer("ha_mode is " + mode, mode);
}

}  // namespace

std::vector<route> note_routes() {
    const auto row = changing;
    return {
        row("begin-downtime/:host/:port/:owner/:reason/:duration",
            "Nothing is done about the server for so long, and it is not promoted.",
            begin_downtime),
        row("begin-downtime/:host/:port/:owner/:reason", "The same, for ten minutes.",
            begin_downtime),
        row("end-downtime/:host/:port", "Ends it.", end_downtime),
        row("begin-maintenance/:host/:port/:owner/:reason",
            "Says that somebody works on the server; nothing follows from it. Ends after ten "
            "hours.",
            begin_maintenance),
        row("end-maintenance/:host/:port", "Ends it.", end_maintenance),
        row("end-maintenance/:id", "The same, by MaintenanceId.", end_maintenance_by_id),
        row("register-candidate/:host/:port/:rule",
            "Sets the promotion rule for an hour, or for `duration`; 0 is for good.",
            register_candidate),
        row("tag/:host/:port", "Tags a server with `tag`: name or name=value.", tag),
        row("tag/:host/:port/:tag/:value", "The same.", tag),
        row("untag/:host/:port", "Removes the tag `tag`.", untag),
        row("untag/:host/:port/:tag", "The same.", untag),
        row("untag-all", "Removes it from all servers.", untag_all),
        row("untag-all/:tag", "The same.", untag_all),
        row("untag-all/:tag/:value", "The same.", untag_all),
        row("set-cluster-alias/:cluster", "Gives a cluster the alias `alias`.", set_alias),
        row("enable-global-recoveries", "Howdah may fail over by itself, where configured.",
            enable_global),
        row("disable-global-recoveries", "Howdah does nothing by itself.", disable_global),
        {"check-global-recoveries", "Whether it may.", check_global},
        row("ha-mode/:mode",
            "Sets ha_mode to observe, manual or automatic, as SET ha-mode and LOAD do; SAVE HA "
            "VARIABLES keeps it.",
            set_mode),
        {"ha-mode", "What it is.", shown_mode},
        row("discover|async-discover/:host/:port",
            "Looks at all servers now, and no longer hides this one if it was forgotten.",
            discover),
        row("refresh|async-refresh/:host/:port", "Looks at all servers now.", refresh),
        row("forget/:host/:port", "Hides a server that was discovered and is not configured.",
            forget),
        row("forget-cluster/:cluster", "The same for a cluster that is not configured.",
            forget_cluster),
    };
}

}  // namespace howdah::admin::orchestrator
