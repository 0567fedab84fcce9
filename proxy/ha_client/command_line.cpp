#include "proxy/ha_client/command_line.hpp"

#include <CLI/CLI.hpp>

namespace howdah::proxy::ha_client {
namespace {

constexpr const char* footer =
    R"(SERVER is a name, host:port, or a host; CLUSTER a name, an alias, or one of its servers.

Howdah is looked for where --config FILE has admin_pgsql_ifaces, with the first
user of admin_admin_credentials. Options go before that. What neither says is taken
from PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSSLMODE and ~/.pgpass, else it is
127.0.0.1:6132 and admin. There is no option for a password: others would see it.

Exit code: 0 done; 1 refused (with the reason), for check: not ready; 2 wrong usage;
3 no Howdah answers.

  howdah ha check --config /etc/howdah/howdah.yaml
  howdah ha recover pg1 --dry-run --config /etc/howdah/howdah.yaml
  PGPASSWORD=... howdah ha history --host howdah1 --user ann)";

constexpr const char* looking = "Look at the servers (--config; no running Howdah is needed)";
constexpr const char* ordering = "Order, from the running Howdah";
constexpr const char* afterwards = "Afterwards, from the running Howdah";

class builder {
public:
    builder(CLI::App& ha, request& into) : ha_(ha), into_(into) {}

    CLI::App& command(const char* name, const char* group, const std::string& doc) {
        auto* one = ha_.add_subcommand(name, doc);
        one->group(group)->fallthrough();
        one->footer("howdah ha --help: where Howdah is looked for, and exit codes.");
        one->callback([&into = into_, name] { into.what = name; });
        return *one;
    }
    CLI::Option* subject(CLI::App& of, const char* name, const char* doc) {
        return of.add_option(name, into_.subject, doc)->required();
    }
    CLI::Option* to(CLI::App& of, const char* doc) {
        return of.add_option("--to", into_.to, doc)->type_name("SERVER");
    }
    void loss(CLI::App& of) {
        of.add_flag("--allow-data-loss", into_.allow_data_loss,
                    "Also where confirmed commits, or more than ha_max_lag_bytes, are lost");
    }
    void dry_run(CLI::App& of) {
        of.add_flag("--dry-run", into_.dry_run, "Only print the steps and their SQL");
    }
    void cluster(CLI::App& of) {
        of.add_option("--cluster", into_.cluster, "Only of this one")->type_name("CLUSTER");
    }

private:
    CLI::App& ha_;
    request& into_;
};

}  // namespace

CLI::App& add_commands(CLI::App& cli, request& into) {
    auto* ha = cli.add_subcommand("ha", "Look at clusters, fail over, switch over, and say why");
    ha->require_subcommand(1)->fallthrough();
    ha->footer(footer);
    ha->add_option("--host", into.host,
                   "Host of Howdah's admin interface, or the folder of its "
                   "socket");
    ha->add_option("-p,--port", into.port, "Its port")->type_name("PORT");
    ha->add_option("-U,--user", into.user, "A user of admin_admin_credentials");

    builder make(*ha, into);
    const auto add = [&](const char* name, const char* group, const char* doc) -> CLI::App& {
        return make.command(name, group, doc);
    };

    add("topology", looking, "Who follows whom, and how far each is");
    add("check", looking, "Would a failover work now? What is missing?");
    add("why", looking, "What is wrong, and why nothing follows from it");

    auto& recover = add("recover", ordering, "Replace a dead primary, by its name");
    make.subject(recover, "server", "The dead primary: nobody else is replaced");
    make.to(recover, "Promote this standby, if it may be");
    make.loss(recover);
    make.dry_run(recover);

    auto& failover = add("failover", ordering, "Replace the dead primary of a cluster");
    make.subject(failover, "cluster", "With --dry-run it may be left out: all")->required(false);
    make.to(failover, "Promote this standby, if it may be");
    make.loss(failover);
    make.dry_run(failover);
    failover.footer(
        "With --dry-run, where no Howdah answers, the servers of --config are looked at instead.\n"
        "howdah ha --help: where Howdah is looked for, and exit codes.");

    auto& switchover =
        add("switchover", ordering, "Planned: the primary answers, and becomes a standby");
    make.subject(switchover, "cluster", "Of which cluster");
    make.to(switchover, "Promote this standby, if it may be");
    make.dry_run(switchover);

    auto& rewire = add("rewire", ordering, "Let a standby follow another server of its cluster");
    make.subject(rewire, "server", "The standby");
    make.to(rewire, "Whom it follows from now on")->required();

    auto& rejoin = add("rejoin", ordering, "Bring a replaced primary back as a standby");
    make.subject(rejoin, "server", "The old primary");
    make.dry_run(rejoin);

    auto& history = add("history", afterwards, "Failovers, switchovers, ...: the newest first");
    history.add_option("recovery", into.recovery, "Only this one, with its steps")->type_name("ID");
    make.cluster(history);
    history.add_option("--limit", into.limit, "At most so many")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();

    auto& ack = add("ack", afterwards, "Recoveries were seen: they block no further one by itself");
    make.cluster(ack);
    ack.add_option("--comment", into.comment, "What was found out: others will read it")
        ->required();
    return *ha;
}

std::string check(const request& asked) {
    if (asked.what == "failover" && asked.subject.empty() && !asked.dry_run)
        return "which cluster? howdah ha failover CLUSTER; --dry-run shows what would be done in "
               "all";
    for (const std::string* text : {&asked.subject, &asked.to, &asked.cluster, &asked.comment})
        if (text->find('\0') != text->npos) return "a name cannot have a zero byte";
    return {};
}

}  // namespace howdah::proxy::ha_client
