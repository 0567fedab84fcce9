#include "proxy/ha_client/run.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "proxy/ha_client/admin_session.hpp"
#include "proxy/ha_client/statements.hpp"
#include "proxy/ha_command.hpp"

namespace howdah::proxy::ha_client {
namespace {

void show_history(admin_session& howdah, const request& asked) {
    const auto found = howdah.ask(history_of(asked));
    if (asked.recovery == 0) {
        std::cout << (found.rows.empty() ? "Nothing was recovered yet.\n" : as_table(found));
        return;
    }
    if (found.rows.empty())
        throw refused(fmt::format("there is no recovery {} in the history", asked.recovery));
    const auto steps = howdah.ask(steps_of(asked));
    std::cout << as_facts(found) << '\n'
              << (steps.rows.empty() ? "It has no steps.\n" : as_table(steps));
}

void show_plans(admin_session& howdah, const request& asked) {
    if (!asked.subject.empty() || asked.what != "failover") {
        std::cout << as_lines(howdah.ask(order_of(asked, asked.subject)));
        return;
    }
    const auto all = howdah.ask("SELECT cluster FROM ha.clusters ORDER BY cluster");
    if (all.rows.empty()) throw refused("Howdah knows no cluster");
    for (const auto& row : all.rows) {
        const auto name = row.at(0).value_or("");
        std::cout << "cluster " << printable(name) << '\n'
                  << as_lines(howdah.ask(order_of(asked, name)));
    }
}

void carry_out(const request& asked, const conf::settings* settings) {
    admin_session howdah(login_of(asked, settings, [](const char* name) { return getenv(name); }));
    if (asked.what == "history")
        show_history(howdah, asked);
    else if (asked.dry_run)
        show_plans(howdah, asked);
    else
        std::cout << as_facts(howdah.ask(order_of(asked, asked.subject)));
    for (const auto& text : howdah.take_notices())
        std::cout << printable(text) << '\n';
}

}  // namespace

int run(const request& asked, const conf::settings* settings) {
    try {
        carry_out(asked, settings);
        return done;
    } catch (const refused& e) {
        std::cerr << "howdah: " << printable(e.what())
                  << (e.sqlstate.empty() ? "" : " (" + e.sqlstate + ")") << '\n';
        if (!e.detail.empty()) std::cerr << "detail: " << printable(e.detail) << '\n';
        if (!e.hint.empty()) std::cerr << "hint: " << printable(e.hint) << '\n';
        return was_refused;
    } catch (const no_answer& e) {
        if (asked.what != "failover" || !asked.dry_run || !settings) {
            std::cerr << "howdah: " << printable(e.what()) << '\n';
            return nobody_there;
        }
        std::cout << printable(e.what())
                  << ".\nThis comes from one look at the servers, without Howdah's record of who "
                     "wrote last:\n";
    }
    return run_ha_command(*settings, asked);
}

}  // namespace howdah::proxy::ha_client
