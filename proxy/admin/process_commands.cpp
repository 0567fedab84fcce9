#include "proxy/admin/process_commands.hpp"

#include <boost/asio/post.hpp>

#include "proxy/on_control.hpp"

namespace howdah::proxy {

using admin::command_call;
using admin::command_result;
using admin::role;
using admin::sql_result;

std::vector<admin::command> process_commands(boost::asio::io_context& control,
                                             process_control what) {
    constexpr std::string_view group = "The process";
    const auto call = [&control](auto f, std::string_view tag) {
        return [&control, f, tag](const command_call&) -> sql_result<command_result> {
            auto done = run_on(control, [&f] { return f(); });
            if (!done) return done.error();
            command_result r = admin::tagged(tag);
            r.notices = *done;
            return r;
        };
    };
    const auto stop =
        [&control, shut_down = what.shut_down](const command_call&) -> sql_result<command_result> {
        boost::asio::post(control, shut_down);
        return admin::tagged("PROXYSQL SHUTDOWN");
    };
    return {
        {"RELOAD", "Puts the configuration file in force and into MEMORY, as SIGHUP.", role::admin,
         call(what.reload, "RELOAD"), group},
        {"PROXYSQL RELOAD TLS", "Reads certificates and keys anew, for connections from now on.",
         role::admin, call(what.renew_resources, "PROXYSQL RELOAD TLS"), group},
        {"PROXYSQL FLUSH LOGS", "Opens the log file again, after it was moved away.", role::admin,
         call(what.renew_resources, "PROXYSQL FLUSH LOGS"), group},
        {"PROXYSQL {SHUTDOWN SLOW|SHUTDOWN|KILL|STOP}",
         "Ends Howdah: open transactions may finish within shutdown_timeout.", role::admin, stop,
         group},
        {"SHUTDOWN", "As PROXYSQL SHUTDOWN.", role::admin, stop, group},
    };
}

}  // namespace howdah::proxy
