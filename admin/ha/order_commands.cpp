#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "admin/ha/commands.hpp"
#include "admin/ha/names.hpp"
#include "admin/ha/values.hpp"
#include "admin/ha/waiting.hpp"
#include "admin/sql/sqlite.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;
using ha::cluster_state;

/// What all orders need. Copied into each command.
struct desk {
    ha_orders orders;
    ha_view_source view;
    ha::store& kept;
    std::chrono::milliseconds patience;
    std::shared_ptr<std::atomic<int>> waiting = std::make_shared<std::atomic<int>>(0);
};

/// Orders that wait hold an admin thread each: some have to be left for those who look.
constexpr int most_waiting = 2;

/// One of those threads, as long as it lives.
class seat {
public:
    explicit seat(const desk& of) : taken_(*of.waiting), number_(++taken_) {}
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;
    ~seat() { --taken_; }
    [[nodiscard]] bool is_there() const { return number_ <= most_waiting; }

private:
    std::atomic<int>& taken_;
    const int number_;
};

command_result result_of(std::string_view tag, const ha::order_answer& said) {
    command_result r;
    r.tag = tag;
    r.columns = {{"answer", column_type::text},
                 {"successor", column_type::text},
                 {"recovery_id", column_type::integer}};
    r.rows = {{said.sentence, server_value(said.successor),
               said.recovery_id == 0 ? value() : value(said.recovery_id)}};
    return r;
}

sql_result<command_result> ended(std::string_view tag, const desk& with, const std::string& hint,
                                 const std::function<void(ha_orders::answer)>& begin) {
    const seat here(with);
    if (!here.is_there())
        return sql_error(sqlstate::object_not_in_prerequisite_state,
                         fmt::format("{} orders are being carried out already", most_waiting),
                         "SHOW HA says which; order again when one has ended.");
    const auto said = carry_out(begin, with.patience, with.orders.stopping, hint);
    if (!said) return said.error();
    return result_of(tag, *said);
}

command_result lines_of(std::string_view tag, std::string_view text) {
    command_result r;
    r.tag = tag;
    r.columns = {{"plan", column_type::text}};
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        r.rows.push_back({std::string(text.substr(0, end))});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return r;
}

/// [TO <candidate>] [ALLOW DATA LOSS], for this cluster.
sql_result<ha::recovery_order> order_of(const ha::ha_view& view, const cluster_state& cluster,
                                        const command_call& call) {
    ha::recovery_order out;
    out.by = call.user;
    out.allow_data_loss = call.has("loss");
    if (!call.has("candidate")) return out;
    const auto to = find_server(view, call["candidate"]);
    if (!to) return to.error();
    if (to->state != &cluster)
        return sql_error(sqlstate::invalid_parameter_value,
                         to_string(to->at()) + " is a server of cluster " +
                             to->state->subject.name + ", not of " + cluster.subject.name);
    out.to = to->at();
    return out;
}

sql_result<command_result> replace_primary(std::string_view tag, bool planned, const desk& with,
                                           const ha::ha_view& view, const cluster_state& cluster,
                                           const command_call& call) {
    const auto order = order_of(view, cluster, call);
    if (!order) return order.error();
    const std::string& name = cluster.subject.name;
    if (call.has("dry")) return lines_of(tag, with.orders.dry_run(name, planned, *order));
    const auto& begin = planned ? with.orders.switch_over : with.orders.fail_over;
    return ended(tag, with, "SHOW HA WHY " + quoted_name(name) + " has the whole reason.",
                 [&](ha_orders::answer done) { begin(name, *order, std::move(done)); });
}

/// The last act on the server, if it is that it was replaced.
std::optional<ha::recovery> replaced(const desk& with, const named_server& dead) {
    ha::history_filter last;
    last.cluster = dead.state->subject.name;
    last.server = dead.at();
    for (const ha::recovery& r : with.kept.recoveries(last)) {
        if (!r.successful || !r.successor || (r.kind != "failover" && r.kind != "switchover"))
            continue;
        if (r.failed == dead.at()) return r;
        break;
    }
    return std::nullopt;
}

sql_result<command_result> recover(const desk& with, const command_call& call) {
    const auto now = with.view();
    const auto dead = find_server(*now, call["server"]);
    if (!dead) return dead.error();
    const auto& primary = dead->state->decided.writers.primary;
    const std::string& name = dead->state->subject.name;
    if (primary && *primary != dead->index) {
        // The cluster's present primary is not what was meant.
        if (const auto done = replaced(with, *dead))
            return result_of(
                "RECOVER",
                {true,
                 fmt::format("{} was replaced by {} at {} already", to_string(dead->at()),
                             to_string(*done->successor), to_text(time_value(done->started_at))),
                 done->successor, done->id});
        return sql_error(
            sqlstate::object_not_in_prerequisite_state,
            fmt::format("{} is not the primary of {}: {} is", to_string(dead->at()), name,
                        to_string(dead->state->subject.servers[*primary].at())),
            "A standby needs no recovery. FAILOVER and SWITCHOVER replace the primary.");
    }
    return replace_primary("RECOVER", false, with, *now, *dead->state, call);
}

sql_result<command_result> by_cluster(std::string_view tag, bool planned, const desk& with,
                                      const command_call& call) {
    const auto now = with.view();
    const auto cluster = find_cluster(*now, call["cluster"]);
    if (!cluster) return cluster.error();
    return replace_primary(tag, planned, with, *now, **cluster, call);
}

sql_result<command_result> rewire(const desk& with, const command_call& call) {
    const auto now = with.view();
    const auto standby = find_server(*now, call["server"]);
    if (!standby) return standby.error();
    const auto upstream = find_server(*now, call["upstream"]);
    if (!upstream) return upstream.error();
    if (standby->state != upstream->state)
        return sql_error(sqlstate::invalid_parameter_value, to_string(standby->at()) + " and " +
                                                                to_string(upstream->at()) +
                                                                " are not of one cluster");
    if (standby->index == upstream->index)
        return sql_error(sqlstate::invalid_parameter_value,
                         to_string(standby->at()) + " cannot follow itself");
    return ended("REWIRE", with, "ha.servers has what is known of both.",
                 [&](ha_orders::answer done) {
                     with.orders.rewire(standby->at(), upstream->at(), call.user, std::move(done));
                 });
}

sql_result<command_result> rejoin(const desk& with, const command_call& call) {
    const auto now = with.view();
    const auto server = find_server(*now, call["server"]);
    if (!server) return server.error();
    if (call.has("dry")) return lines_of("REJOIN", with.orders.dry_run_rejoin(server->at()));
    return ended("REJOIN", with, "REJOIN ... DRY RUN shows the steps, ha.recoveries how it stands.",
                 [&](ha_orders::answer done) {
                     with.orders.rejoin(server->at(), call.user, std::move(done));
                 });
}

sql_result<command_result> adopt(const desk& with, const command_call& call) {
    const auto now = with.view();
    const auto writer = find_server(*now, call["server"]);
    if (!writer) return writer.error();
    return ended("ADOPT", with, "ha.servers has what is known of it.", [&](ha_orders::answer done) {
        with.orders.adopt(writer->at(), call.user, std::move(done));
    });
}

sql_result<command_result> acknowledge(const desk& with, const command_call& call) {
    if (call["comment"].find_first_not_of(" \t\n") == std::string_view::npos)
        return sql_error(sqlstate::invalid_parameter_value, "the comment is empty",
                         "Say what was found out: others will read it.");
    ha::history_filter which;
    if (call.has("cluster")) {
        const auto now = with.view();
        const auto cluster = find_cluster(*now, call["cluster"]);
        if (!cluster) return cluster.error();
        which.cluster = (*cluster)->subject.name;
    }
    const auto said = carry_out(
        [&](ha_orders::answer done) {
            with.orders.acknowledge(which, call.user, std::string(call["comment"]),
                                    std::move(done));
        },
        with.patience, with.orders.stopping, {});
    if (!said) return said.error();
    command_result r = tagged("ACK RECOVERIES");
    r.notices.push_back(said->sentence);
    return r;
}

}  // namespace

std::vector<command> ha_order_commands(const ha_orders& orders, const ha_view_source& view,
                                       ha::store& kept, std::chrono::milliseconds patience) {
    const desk with{orders, view, kept, patience};
    const auto bound = [with](auto what) {
        return [with, what](const command_call& call) { return what(with, call); };
    };
    return {
        {"FAILOVER <cluster> [TO <candidate>] loss:[ALLOW DATA LOSS] dry:[DRY RUN]",
         "Promotes a standby in the place of the dead primary; DRY RUN shows the steps. Cluster: "
         "name, alias, or one of its servers.",
         role::admin, bound([](const desk& d, const command_call& c) {
             return by_cluster("FAILOVER", false, d, c);
         }),
         ha_group},
        {"RECOVER <server> [TO <candidate>] loss:[ALLOW DATA LOSS] dry:[DRY RUN]",
         "As FAILOVER, by the dead primary: anybody else is not replaced.", role::admin,
         bound(recover), ha_group},
        {"SWITCHOVER <cluster> [TO <candidate>] dry:[DRY RUN]",
         "Planned: the primary answers and becomes a standby.", role::admin,
         bound([](const desk& d, const command_call& c) {
             return by_cluster("SWITCHOVER", true, d, c);
         }),
         ha_group},
        {"REWIRE <server> TO <upstream>", "Lets a standby follow another server of its cluster.",
         role::admin, bound(rewire), ha_group},
        {"REJOIN <server> dry:[DRY RUN]",
         "Makes an old primary, or a standby that was left behind, a streaming standby again: by "
         "SQL, "
         "else ha_agent rewinds it, or copies it anew.",
         role::admin, bound(rejoin), ha_group},
        {"ADOPT <server>",
         "Says that this one is right, where nobody may write; whoever else accepts writes is "
         "fenced.",
         role::admin, bound(adopt), ha_group},
        {"ACK RECOVERIES [FOR <cluster>] COMMENT <comment>",
         "They have been seen and block no further recovery.", role::admin, bound(acknowledge),
         ha_group},
    };
}

}  // namespace howdah::admin
