#include "admin/orchestrator/route.hpp"

namespace howdah::admin::orchestrator {

// The doc line is the message that a caller gets.
std::vector<route> missing_routes() {
    return {
        {"stop-replica|stop-slave|stop-replica-nice|stop-slave-nice/:host/:port",
         "A standby that does not follow its upstream is a problem, which Howdah solves and does "
         "not make; to stop replay run pg_wal_replay_pause() there"},
        {"restart-replica|restart-slave/:host/:port",
         "PostgreSQL's WAL receiver restarts by itself; start-replica lets a standby follow its "
         "upstream again"},
        {"reset-replica|reset-slave/:host/:port",
         "A standby becomes an independent server only by promotion; remove it from pgsql_servers "
         "and promote it there"},
        {"detach-replica|detach-slave|reattach-replica|reattach-slave|detach-replica-master-host|"
         "detach-slave-master-host|reattach-replica-master-host|reattach-slave-master-host/:host/"
         ":port",
         "PostgreSQL has no detached standbys; relocate lets a standby follow another server"},
        {"set-read-only|set-writeable/:host/:port",
         "In a streaming cluster the primary writes and standbys cannot: use "
         "graceful-master-takeover to move the writer, or ALTER SYSTEM SET "
         "default_transaction_read_only on the server"},
        {"delay-replication/:host/:port/:seconds",
         "Set recovery_min_apply_delay on the standby; Howdah does not promote a delayed one"},
        {"make-co-master/:host/:port", "PostgreSQL has no co-masters: one server writes"},
        {"take-master|enslave-master/:host/:port",
         "Use graceful-master-takeover to let a standby take its primary's place"},
        {"regroup-replicas|regroup-slaves|regroup-replicas-gtid|regroup-slaves-gtid|"
         "regroup-replicas-pgtid|regroup-slaves-pgtid|regroup-replicas-bls|regroup-slaves-bls/"
         ":host/:port",
         "After a failover Howdah lets all survivors follow the new primary by itself; to do it "
         "by hand use relocate-replicas"},
        {"recover-lite/:host/:port", "Hooks cannot be left out; use recover"},
        {"recover-lite/:host/:port/:dhost/:dport", "Hooks cannot be left out; use recover"},
        {"skip-query|gtid-errant-reset-master|gtid-errant-inject-empty|locate-gtid-errant|"
         "last-pseudo-gtid|flush-binary-logs|stop-slave-sql-thread/:host/:port",
         "PostgreSQL has no binary logs and no GTIDs: standbys replay WAL, and one that diverged "
         "is rewound or copied anew"},
        {"purge-binary-logs/:host/:port/:log",
         "PostgreSQL removes WAL by itself, as replication slots and wal_keep_size allow"},
        {"restart-replica-statements|restart-slave-statements/:host/:port",
         "PostgreSQL's replication has no statements to stop and start it"},
        {"enable-semi-sync-master|disable-semi-sync-master|enable-semi-sync-source|"
         "disable-semi-sync-source|enable-semi-sync-replica|disable-semi-sync-replica/:host/:port",
         "Synchronous replication is set by synchronous_standby_names on the primary"},
        {"submit-masters-to-kv-stores",
         "Howdah has no key-value stores: clients reach the writer through it; others are told by "
         "the hook ha_post_failover"},
        {"submit-masters-to-kv-stores/:cluster",
         "Howdah has no key-value stores: clients reach the writer through it; others are told by "
         "the hook ha_post_failover"},
        {"submit-pool-instances/:pool", "Howdah has no pools of servers but hostgroups"},
        {"heuristic-cluster-pool-instances|cluster-pool-instances|heuristic-cluster-pool-lag/"
         ":cluster",
         "Howdah has no pools of servers but hostgroups: see runtime_pgsql_servers"},
        {"heuristic-cluster-pool-instances|heuristic-cluster-pool-lag/:cluster/:pool",
         "Howdah has no pools of servers but hostgroups: see runtime_pgsql_servers"},
        {"register-hostname-unresolve/:host/:port/:name",
         "A server's further names are configured, or found by its identity"},
        {"deregister-hostname-unresolve/:host/:port",
         "A server's further names are configured, or found by its identity"},
        {"hostname-resolve-cache|reset-hostname-resolve-cache",
         "Addresses are resolved anew at each connection; there is no cache to show or reset"},
        {"snapshot-topologies", "What changes is kept at once: see audit and audit-recovery"},
        {"reload-configuration", "Send SIGHUP to Howdah, or use LOAD ... TO RUNTIME there"},
        {"reelect|grab-election|raft-snapshot",
         "This Howdah is the only node: there is nothing to elect and nobody to tell"},
        {"raft-add-peer|raft-remove-peer/:node",
         "This Howdah is the only node: there is nothing to elect and nobody to tell"},
        {"kill-query/:host/:port/:process", "Use KILL CONNECTION on the admin interface"},
        {"proxysql/servers", "Howdah is the proxy: see runtime_pgsql_servers"},
        {"proxysql/servers/:hostgroup", "Howdah is the proxy: see runtime_pgsql_servers"},
        {"agents", "There are no agents to list; ha_agent is a command of the configuration"},
    };
}

}  // namespace howdah::admin::orchestrator
