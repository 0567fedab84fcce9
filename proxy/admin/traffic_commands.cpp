#include "proxy/admin/traffic_commands.hpp"

#include <future>
#include <memory>

#include "protocol/wire/sqlstate.hpp"
#include "proxy/on_control.hpp"
#include "proxy/operations.hpp"
#include "proxy/process.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

namespace sqlstate = protocol::sqlstate;
using admin::command_call;
using admin::command_result;
using admin::sql_error;
using admin::sql_result;
using admin::tagged;

/// How long a pause waits for transactions to end before it is taken back.
constexpr std::chrono::seconds pause_time{30};

/// [database|USER user|SERVER host:port]; nothing: everything.
traffic_scope scope_of(const command_call& call) {
    if (call.has("database")) return {traffic_scope::kind::database, std::string(call["database"])};
    if (call.has("user")) return {traffic_scope::kind::user, std::string(call["user"])};
    if (call.has("server")) return {traffic_scope::kind::server, std::string(call["server"])};
    return {};
}

sql_result<command_result> answered(const std::string& error, std::string_view tag) {
    if (!error.empty()) return sql_error(sqlstate::object_not_in_prerequisite_state, error);
    return tagged(tag);
}

sql_result<command_result> pause(boost::asio::io_context& control, operations& traffic,
                                 const command_call& call) {
    auto answer = std::make_shared<std::promise<std::string>>();
    std::future<std::string> done = answer->get_future();
    boost::asio::post(control, [&traffic, scope = scope_of(call), answer] {
        traffic.pause(scope, pause_time,
                      [answer](const std::string& error) { answer->set_value(error); });
    });
    // It always answers, with an error where its time is over.
    if (done.wait_for(pause_time + answer_time) != std::future_status::ready)
        return sql_error(sqlstate::internal_error, "the pause does not answer");
    try {
        return answered(done.get(), "PAUSE");
    } catch (const std::future_error&) {
        return sql_error(sqlstate::admin_shutdown, "Howdah is shutting down");
    }
}

sql_result<command_result> cancel_client(process& shared, const command_call& call, bool end) {
    const std::string id(call["id"]);
    std::int32_t pid = 0;
    try {
        pid = std::stoi(id);
    } catch (const std::exception&) {
        return sql_error(sqlstate::invalid_parameter_value, "\"" + id + "\" is no number",
                         "stats_pgsql_processlist.SessionID has the numbers.");
    }
    std::vector<std::future<bool>> answers;
    for (worker* w : shared.workers) {
        auto answer = std::make_shared<std::promise<bool>>();
        answers.push_back(answer->get_future());
        w->end_client(pid, end, [answer](bool found) { answer->set_value(found); });
    }
    bool found = false;
    for (std::future<bool>& answer : answers)
        found = await_answer(answer, "a worker") || found;
    if (!found)
        return sql_error(sqlstate::undefined_object, "there is no client " + id,
                         "stats_pgsql_processlist.SessionID has their numbers.");
    return tagged("KILL");
}

}  // namespace

std::vector<admin::command> traffic_commands(boost::asio::io_context& control, process& shared,
                                             operations& traffic) {
    using admin::role;
    constexpr std::string_view group = "Clients and servers";
    constexpr std::string_view process_group = "The process";
    const auto quick = [&control, &traffic](auto what, std::string_view tag) {
        return [&control, &traffic, what, tag](const command_call& call) {
            const traffic_scope scope = scope_of(call);
            return answered(run_on(control, [&] { return what(traffic, scope); }), tag);
        };
    };
    const auto resume =
        quick([](operations& t, const traffic_scope& scope) { return t.resume(scope); }, "RESUME");
    return {
        {"PAUSE [USER <user>|SERVER <server>|<database>]",
         "Clients get no server any more; answers when none is held, at most after 30 s, with an "
         "error then.",
         role::admin,
         [&control, &traffic](const command_call& call) { return pause(control, traffic, call); },
         group},
        {"RESUME [USER <user>|SERVER <server>|<database>]", "Ends a pause.", role::admin, resume,
         group},
        {"RECONNECT [USER <user>|SERVER <server>|<database>]",
         "New server connections take the place of those of today, each when it is free.",
         role::admin,
         quick(
             [](operations& t, const traffic_scope& scope) {
                 t.reconnect(scope);
                 return std::string();
             },
             "RECONNECT"),
         group},
        {"DISABLE {USER <user>|<database>}", "Nobody may log in; who is there stays.", role::admin,
         quick([](operations& t, const traffic_scope& scope) { return t.disable(scope); },
               "DISABLE"),
         group},
        {"ENABLE {USER <user>|<database>}", "Ends DISABLE.", role::admin,
         quick([](operations& t, const traffic_scope& scope) { return t.enable(scope); }, "ENABLE"),
         group},
        {"KILL CONNECTION <id>", "Ends a client (stats_pgsql_processlist.SessionID).", role::admin,
         [&shared](const command_call& call) { return cancel_client(shared, call, true); }, group},
        {"KILL QUERY <id>", "Cancels what a client runs.", role::admin,
         [&shared](const command_call& call) { return cancel_client(shared, call, false); }, group},
        {"KILL [USER <user>|SERVER <server>|<database>]",
         "Ends the clients of a database, a user, a server, or all of them.", role::admin,
         quick(
             [](operations& t, const traffic_scope& scope) {
                 t.kill(scope);
                 return std::string();
             },
             "KILL"),
         group},
        {"PROXYSQL PAUSE", "As PAUSE.", role::admin,
         [&control, &traffic](const command_call& call) { return pause(control, traffic, call); },
         process_group},
        {"PROXYSQL RESUME", "As RESUME.", role::admin, resume, process_group},
    };
}

}  // namespace howdah::proxy
