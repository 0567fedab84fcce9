#include "ha/unfence_plan.hpp"

#include <fmt/format.h>

#include "ha/plan_steps.hpp"

namespace howdah::ha {

plan plan_unfence(const cluster& subject, std::size_t server_index) {
    const auto& one = subject.servers[server_index];
    plan out;
    out.title = fmt::format("unfence {}", one.name());
    if (one.facts.settings.synchronous_standby_names != steps::fence_name)
        out.impossible = fmt::format("{} is not fenced", one.name());
    else if (!one.facts.may.alter_fence || !one.facts.may.alter_sync || !one.facts.may.reload)
        out.impossible = fmt::format(
            "{} may write, and Howdah may not end its fence: ALTER SYSTEM RESET "
            "default_transaction_read_only and synchronous_standby_names there",
            one.name());
    if (!out.possible()) return out;
    auto& undo = out.steps.emplace_back(steps::at(
        one, step_kind::configure, fmt::format("{} may write: end its fence", one.name())));
    undo.stage = 1;
    undo.sql = {reset_system("default_transaction_read_only"),
                reset_system("synchronous_standby_names"), reload_conf()};
    undo.done_when =
        fmt::format("SELECT pg_catalog.current_setting('synchronous_standby_names') <> '{}'",
                    steps::fence_name);
    undo.failing = on_failure::go_on;
    return out;
}

}  // namespace howdah::ha
