#include <algorithm>
#include <nlohmann/json.hpp>

#include "admin/orchestrator/objects.hpp"
#include "admin/orchestrator/route.hpp"

namespace howdah::admin::orchestrator {
namespace {

using ha::endpoint;
using ha::order_answer;

/// A recovery that is asked for again within this time is answered and not repeated:
/// orchestrator-client sends it twice, always.
constexpr ha::unix_us same_recovery = 300'000'000;

/// The destination in the places dhost and dport, by the name under which the server is known.
std::optional<endpoint> destination(const api_call& call) {
    if (!call.has("dhost")) return std::nullopt;
    return call.server("d").at();
}

std::string and_not(const std::optional<endpoint>& wanted, const endpoint& successor) {
    if (!wanted || *wanted == successor) return {};
    return "; " + to_string(*wanted) + " was not used, since " + to_string(successor) +
           " has been promoted";
}

/// The last change of the cluster's writer, if it replaced `failed` a moment ago.
std::optional<ha::recovery> just_replaced(const api_functions& does, const std::string& cluster,
                                          const ha::server& failed) {
    ha::history_filter which;
    which.cluster = cluster;
    which.since = does.now() - same_recovery;
    for (const auto& row : does.recoveries(which)) {
        if (row.kind != "failover" && row.kind != "switchover") continue;
        if (!row.successful || !row.successor) continue;
        return failed.is(row.failed) ? std::optional(row) : std::nullopt;
    }
    return std::nullopt;
}

void answer_recovery(const call_ptr& call, const endpoint& failed,
                     const std::optional<endpoint>& wanted, const order_answer& given) {
    if (given.done && given.successor) {
        call->respond(ok_answer(
            "Recovery executed on " + to_string(failed) + and_not(wanted, *given.successor),
            key_object(*given.successor)));
        return;
    }
    const std::string begin = given.recovery_id ? "Recovery attempted but no instance promoted: "
                                                : "Recovery not attempted: ";
    call->respond(error_answer(begin + given.sentence, key_object(failed), 500));
}

void recover(const call_ptr& call) {
    if (call->param("skipProcesses") == "true")
        throw api_error("Recovery not attempted: hooks cannot be left out");
    const place which = call->server();
    const auto wanted = destination(*call);
    call->does->offload(guarded(call, [call, which, wanted] {
        const auto before = just_replaced(*call->does, which.in->subject.name, which.server());
        call->does->control(guarded(call, [call, which, wanted, before] {
            const endpoint failed = which.at();
            if (before) {
                order_answer same;
                same.done = true;
                same.successor = before->successor;
                answer_recovery(call, failed, wanted, same);
                return;
            }
            if (primary_of(*which.in) != which.index)
                throw api_error("Recovery not attempted: " + to_string(failed) +
                                " is not the primary of its cluster, which is " +
                                cluster_name(*which.in));
            const std::string cluster = which.in->subject.name;
            ha::recovery_order order;
            order.to = wanted;
            order.by = call->by;
            call->orders->run(
                "failover of " + cluster,
                [&](order_book::answer done) {
                    // By its own name: the supervisor, too, knows whom it replaced a moment ago.
                    call->does->fail_over(to_string(failed), order, std::move(done));
                },
                guarded(call, [call, failed, wanted](const order_answer& given) {
                    answer_recovery(call, failed, wanted, given);
                }));
        }));
    }));
}

/// With the recovery as Details, read back from the history.
void answer_takeover(const call_ptr& call, const std::string& good, const std::string& bad,
                     const ha::recovery& otherwise, const order_answer& given) {
    if (!given.done || !given.successor) {
        call->respond(error_answer(bad + ": " + given.sentence, 500));
        return;
    }
    call->does->offload(guarded(call, [call, good, otherwise, given] {
        ha::recovery row = otherwise;
        row.successor = given.successor;
        row.successful = true;
        row.sentence = given.sentence;
        row.id = given.recovery_id;
        if (given.recovery_id) {
            ha::history_filter which;
            which.id = given.recovery_id;
            const auto found = call->does->recoveries(which);
            if (!found.empty()) row = found.front();
        }
        // The successor that the order named, also where the history is not yet written.
        row.successor = given.successor;
        call->respond(ok_answer(good, recovery_object(*call->view, row)));
    }));
}

ha::recovery outline(const api_call& call, const ha::cluster_state& one, std::string kind) {
    ha::recovery out;
    out.kind = std::move(kind);
    out.cluster = one.subject.name;
    if (const auto primary = primary_of(one)) out.failed = one.subject.servers[*primary].at();
    for (const auto& member : one.subject.servers)
        out.participants.push_back(member.at());
    out.started_at = out.ended_at = call.does->now();
    out.ordered_by = call.by;
    return out;
}

void switch_over(const call_ptr& call) {
    const auto& one = call->cluster();
    const std::string cluster = one.subject.name;
    const auto outlined = outline(*call, one, "switchover");
    const std::string word = call->place("");
    ha::recovery_order order;
    order.to = destination(*call);
    order.by = call->by;
    call->orders->run(
        "switchover of " + cluster,
        [&](order_book::answer done) { call->does->switch_over(cluster, order, std::move(done)); },
        guarded(call, [call, outlined, word](const order_answer& given) {
            answer_takeover(call, word + ": successor promoted", word + ": no successor promoted",
                            outlined, given);
        }));
}

/// "Even if nothing is wrong": a primary that lives is switched over, never just replaced; with a
/// dead one the operator accepts the loss that an ordinary recovery refuses.
void force_failover(const call_ptr& call) {
    const auto& one = call->cluster();
    const std::string cluster = one.subject.name;
    const bool lives = one.decided.writers.writer.has_value();
    const auto outlined = outline(*call, one, lives ? "switchover" : "failover");
    ha::recovery_order order;
    order.to = destination(*call);
    order.allow_data_loss = !lives;
    order.by = call->by;
    call->orders->run((lives ? "switchover of " : "failover of ") + cluster,
                      [&](order_book::answer done) {
                          if (lives)
                              call->does->switch_over(cluster, order, std::move(done));
                          else
                              call->does->fail_over(cluster, order, std::move(done));
                      },
                      guarded(call, [call, outlined](const order_answer& given) {
                          answer_takeover(call, "Master failed over", "Master not failed over",
                                          outlined, given);
                      }));
}

void adopt(const call_ptr& call) {
    const endpoint writer = call->server().at();
    call->does->adopt(writer, call->by, guarded(call, [call, writer](const order_answer& given) {
                          call->respond(given.done ? ok_answer(given.sentence, key_object(writer))
                                                   : error_answer(given.sentence, 500));
                      }));
}

void rejoin(const call_ptr& call) {
    const endpoint server = call->server().at();
    call->does->rejoin(server, call->by, guarded(call, [call, server](const order_answer& given) {
                           call->respond(given.done ? ok_answer(given.sentence, key_object(server))
                                                    : error_answer(given.sentence, 500));
                       }));
}

http_answer acknowledged(const order_answer& given, std::string_view what, const json& details) {
    if (!given.done) return error_answer(given.sentence, 500);
    return ok_answer(what, details);
}

void acknowledge(const call_ptr& call, const ha::history_filter& which, std::string_view what,
                 const json& details) {
    const std::string comment = call->param("comment");
    if (comment.empty()) throw api_error("No acknowledge comment given");
    call->does->acknowledge(
        which, call->by, comment,
        guarded(call, [call, what = std::string(what), details](const order_answer& given) {
            call->respond(acknowledged(given, what, details));
        }));
}

void ack_all(const call_ptr& call) {
    acknowledge(call, {}, "Acknowledged all recoveries", call->param("comment"));
}

void ack_cluster(const call_ptr& call) {
    const auto& one = call->cluster();
    ha::history_filter which;
    which.cluster = one.subject.name;
    acknowledge(call, which, "Acknowledged cluster recoveries", cluster_name(one));
}

void ack_server(const call_ptr& call) {
    ha::history_filter which;
    which.server = call->server().at();
    acknowledge(call, which, "Acknowledged instance recoveries", key_object(*which.server));
}

void ack_one(const call_ptr& call) {
    ha::history_filter which;
    if (call->has("uid")) {
        which.uid = call->place("uid");
    } else {
        const std::string& id = call->place("id");
        if (id.empty() || id.size() > 18 || id.find_first_not_of("0123456789") != id.npos)
            throw api_error(id + " is no recovery's id");
        which.id = std::stoll(id);
    }
    acknowledge(call, which, "Acknowledged recovery",
                call->has("uid") ? call->place("uid") : call->place("id"));
}

struct move {
    endpoint standby;
    endpoint upstream;
};

/// Answers with the standbys as they are then, or with the one that is to be shown; with the error
/// where none was moved.
void finish_moves(const call_ptr& call, const std::vector<endpoint>& moved,
                  const std::string& trouble, const std::optional<endpoint>& show) {
    if (moved.empty()) throw api_error(trouble.empty() ? "there is no standby to move" : trouble);
    call->does->look(guarded(call, [call, moved, trouble, show] {
        const auto now = call->does->view();
        json all = json::array();
        for (const auto& at : moved)
            all.push_back(instance_object(*now, the_server(*now, at)));
        const auto& first = all.front()["MasterKey"];
        const std::string below = " relocated below " + first["Hostname"].get<std::string>() + ":" +
                                  std::to_string(first["Port"].get<int>());
        const std::string what = moved.size() == 1 ? "Instance " + to_string(moved.front())
                                                   : std::to_string(moved.size()) + " instances";
        const std::string not_all = trouble.empty() ? "" : "; not all: " + trouble;
        call->respond(ok_answer(what + below + not_all,
                                show ? instance_object(*now, the_server(*now, *show)) : all));
    }));
}

/// One after the other: each of them reloads a server.
void carry_out(const call_ptr& call, std::vector<move> moves, const std::vector<endpoint>& moved,
               const std::string& trouble, const std::optional<endpoint>& show) {
    if (moves.empty()) {
        finish_moves(call, moved, trouble, show);
        return;
    }
    const move next = moves.back();
    moves.pop_back();
    call->does->rewire(
        next.standby, next.upstream, call->by,
        guarded(call, [call, moves, moved, trouble, show, next](const order_answer& given) {
            auto so_far = moved;
            auto errors = trouble;
            if (given.done)
                so_far.push_back(next.standby);
            else
                errors += (errors.empty() ? "" : "; ") + given.sentence;
            carry_out(call, moves, so_far, errors, show);
        }));
}

void move_one(const call_ptr& call, const endpoint& standby, const endpoint& upstream) {
    if (standby == upstream) throw api_error(to_string(standby) + " cannot follow itself");
    carry_out(call, {{standby, upstream}}, {}, {}, standby);
}

void move_all(const call_ptr& call, const place& of, const endpoint& to,
              const std::optional<endpoint>& show = std::nullopt) {
    std::vector<move> moves;
    for (const std::size_t i : of.server().downstream)
        if (of.in->subject.servers[i].at() != to)
            moves.push_back({of.in->subject.servers[i].at(), to});
    // The last is taken first.
    std::ranges::sort(moves, std::greater{}, &move::standby);
    carry_out(call, moves, {}, {}, show);
}

/// Whom it follows. Throws api_error.
place upstream_of(const place& which) {
    const auto up = which.server().upstream;
    if (!up) throw api_error(to_string(which.at()) + " follows no server that is known");
    return {which.in, *up};
}

void relocate(const call_ptr& call) {
    move_one(call, call->server().at(), call->server("d").at());
}

void move_up(const call_ptr& call) {
    const place standby = call->server();
    move_one(call, standby.at(), upstream_of(upstream_of(standby)).at());
}

void start_replica(const call_ptr& call) {
    const place standby = call->server();
    const auto writer = standby.in->decided.writers.writer;
    const auto up = standby.server().upstream ? standby.server().upstream : writer;
    if (!up || *up == standby.index)
        throw api_error(to_string(standby.at()) + " has nobody to follow");
    move_one(call, standby.at(), place{standby.in, *up}.at());
}

void relocate_replicas(const call_ptr& call) {
    move_all(call, call->server(), call->server("d").at());
}

void move_up_replicas(const call_ptr& call) {
    const place which = call->server();
    move_all(call, which, upstream_of(which).at());
}

void repoint_replicas(const call_ptr& call) {
    const place which = call->server();
    move_all(call, which, which.at());
}

void take_siblings(const call_ptr& call) {
    const place which = call->server();
    move_all(call, upstream_of(which), which.at(), which.at());
}

void dry_run(const call_ptr& call) {
    ha::recovery_order order;
    order.to = destination(*call);
    order.by = call->by;
    const bool planned = call->place("kind") == "switchover";
    if (!planned && call->place("kind") != "failover")
        throw api_error("dry-run of what: failover or switchover?");
    call->respond(ok_answer("Nothing was done",
                            call->does->dry_run(call->cluster().subject.name, planned, order)));
}

}  // namespace

std::vector<route> order_routes() {
    const auto row = changing;
    return {
        row("recover/:host/:port",
            "Replaces a dead primary. Asked again within five minutes it answers with the same "
            "successor.",
            recover),
        row("recover/:host/:port/:dhost/:dport", "The same, with the wanted successor.", recover),
        row("graceful-master-takeover|graceful-master-takeover-auto/:cluster",
            "Planned switchover to the best standby.", switch_over),
        row("graceful-master-takeover|graceful-master-takeover-auto/:host/:port", "The same.",
            switch_over),
        row("graceful-master-takeover|graceful-master-takeover-auto/:cluster/:dhost/:dport",
            "The same, to this standby.", switch_over),
        row("graceful-master-takeover|graceful-master-takeover-auto/:host/:port/:dhost/:dport",
            "The same.", switch_over),
        row("force-master-failover/:cluster",
            "Replaces the primary: a dead one even if confirmed commits or more than "
            "`ha_max_lag_bytes` are lost, a living one by a switchover.",
            force_failover),
        row("force-master-failover/:host/:port", "The same.", force_failover),
        row("force-master-takeover/:cluster/:dhost/:dport", "The same, to this standby.",
            force_failover),
        row("force-master-takeover/:host/:port/:dhost/:dport", "The same.", force_failover),
        row("adopt/:host/:port",
            "An operator says who is right, where nobody may write: this server.", adopt),
        row("rejoin/:host/:port",
            "Makes an old primary, or a standby that was left behind, a streaming standby again; "
            "by SQL, else by `ha_agent`.",
            rejoin),
        row("dry-run/:kind/:cluster",
            "What a `failover` or `switchover` would do; nothing is done.", dry_run),
        row("dry-run/:kind/:cluster/:dhost/:dport", "The same, to this standby.", dry_run),
        row("ack-all-recoveries", "Acknowledges all recoveries; `comment`.", ack_all),
        row("ack-recovery/cluster/alias/:cluster", "Acknowledges those of a cluster.", ack_cluster),
        row("ack-recovery/cluster/:cluster", "The same.", ack_cluster),
        row("ack-recovery/instance/:host/:port", "Acknowledges those of a server.", ack_server),
        row("ack-recovery/uid/:uid", "Acknowledges one.", ack_one),
        row("ack-recovery/:id", "The same.", ack_one),
        row("relocate|move-below|move-equivalent|move-gtid|repoint|match|match-below/"
            ":host/:port/:dhost/:dport",
            "Lets a standby follow another server.", relocate),
        row("move-up|match-up/:host/:port", "Lets it follow its upstream's upstream.", move_up),
        row("start-replica|start-slave/:host/:port",
            "Lets a standby follow its upstream again, else the writer.", start_replica),
        row("relocate-replicas|relocate-slaves|move-replicas-gtid|move-slaves-gtid|"
            "match-replicas|match-slaves/:host/:port/:dhost/:dport",
            "Lets all standbys of the first follow the second.", relocate_replicas),
        row("repoint-replicas|repoint-slaves/:host/:port",
            "Lets all standbys of a server follow it again.", repoint_replicas),
        row("repoint-replicas|repoint-slaves/:host/:port/:dhost/:dport", "The same, another one.",
            relocate_replicas),
        row("move-up-replicas|move-up-slaves|match-up-replicas|match-up-slaves/:host/:port",
            "Lets all standbys of a server follow its upstream.", move_up_replicas),
        row("take-siblings|enslave-siblings/:host/:port",
            "Lets all other standbys of its upstream follow this one.", take_siblings),
    };
}

}  // namespace howdah::admin::orchestrator
