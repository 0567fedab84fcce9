#include <fmt/format.h>

#include "ha/plan.hpp"

namespace howdah::ha {
namespace {

std::string_view on_failure_text(on_failure value) {
    switch (value) {
        case on_failure::undo:
            return "undo everything";
        case on_failure::go_on:
            return "go on without";
        case on_failure::unknown:
            return "unknown: keep asking";
    }
    return {};
}

}  // namespace

std::string to_text(const plan& one) {
    auto out = one.title + "\n";
    if (!one.possible()) return out + "  impossible: " + one.impossible + "\n";
    int number = 0;
    for (const auto& step : one.steps) {
        out += fmt::format("{}. [{}] {}: {}\n", ++number, step.stage,
                           step.server.empty() ? "howdah" : step.server, step.what);
        if (!step.guard.empty()) out += "     only if: " + step.guard + ";\n";
        for (const auto& statement : step.sql)
            out += "     " + statement.shown + ";" +
                   (step.captured_as.empty() ? "" : "  -- as {" + step.captured_as + "}") + "\n";
        if (!step.command.empty()) out += "     $ " + step.command + "\n";
        if (!step.done_when.empty())
            out += fmt::format("     until: {}; ({} s, then {})\n", step.done_when,
                               step.timeout_us / 1'000'000, on_failure_text(step.failing));
        if (step.no_return) out += "     from here on nothing is undone\n";
    }
    for (const auto& note : one.notes)
        out += "note: " + note + "\n";
    return out;
}

}  // namespace howdah::ha
