"""pgbench in all its modes: no transaction may fail."""
import re
import subprocess

import pytest
from howdah_test.cluster import BIN

PIPELINE = r"""
\set aid random(1, 100000)
\startpipeline
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
\endpipeline
\startpipeline
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance - 1 WHERE aid = :aid;
END;
\endpipeline
"""


@pytest.fixture(scope="module")
def pgbench(target, cluster):
    """pgbench(arguments..., **connection changes): number of transactions; fails where one failed or a client aborted."""
    def run(*arguments, **changes):
        done = subprocess.run([BIN / "pgbench", *arguments], env=target.environment(**changes),
                              capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        assert "aborted" not in done.stderr, done.stderr
        if "-i" in arguments:
            return 0
        assert "number of failed transactions: 0 (0.000%)" in done.stdout, done.stdout
        return int(re.search(r"transactions actually processed: (\d+)", done.stdout).group(1))

    run("-i", "-s", "1", "-q")
    cluster.wait_for_replicas()
    yield run
    cluster.primary.query("DROP TABLE pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history",
                          dbname="appdb")


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("script", ["select-only", "tpcb-like", "simple-update"])
def test_no_transaction_fails(pgbench, mode, script):
    assert pgbench("-M", mode, "-b", script, "-c", "8", "-j", "2", "-T", "3") > 0


@pytest.mark.parametrize("mode", ["extended", "prepared"])
def test_pipelines_do_not_fail(pgbench, mode, tmp_path):
    script = tmp_path / "pipeline.sql"
    script.write_text(PIPELINE)
    assert pgbench("-M", mode, "-f", str(script), "-c", "8", "-j", "2", "-T", "3") > 0


def test_a_connection_per_transaction_does_not_fail(pgbench):
    assert pgbench("-S", "-C", "-c", "4", "-j", "2", "-t", "25") == 100


def test_balances_add_up_after_tpcb(pgbench, cluster):
    pgbench("-M", "prepared", "-c", "8", "-j", "2", "-t", "50")
    sums = cluster.primary.query(
        "SELECT (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(tbalance) FROM pgbench_tellers)",
        dbname="appdb")[0]
    assert sums[0] == sums[1]


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_twenty_clients_share_two_connections_and_the_books_are_right(pgbench, pool_of_two, cluster, mode):
    # A thread for each client: pgbench prepares with a blocking call, and clients of one thread would
    # wait for connections that only they can free.
    before = books(cluster)
    assert pgbench("-M", mode, "-n", "-c", "20", "-j", "20", "-t", "15", port=pool_of_two) == 300
    entries, *sums = (now - then for now, then in zip(books(cluster), before))
    assert entries == 300
    assert len(set(sums)) == 1


@pytest.mark.parametrize("mode", ["extended", "prepared"])
def test_pipelines_of_twenty_clients_share_two_connections(pgbench, pool_of_two, cluster, mode, tmp_path):
    script = tmp_path / "pipeline.sql"
    script.write_text(PIPELINE)
    sum_before = cluster.primary.query("SELECT sum(abalance) FROM pgbench_accounts", dbname="appdb")
    assert pgbench("-M", mode, "-n", "-f", str(script), "-c", "20", "-j", "20", "-t", "15", port=pool_of_two) == 300
    assert cluster.primary.query("SELECT sum(abalance) FROM pgbench_accounts", dbname="appdb") == sum_before


def books(cluster):
    """Number of entries in the history; what accounts, tellers, branches and history add up to."""
    return cluster.primary.query(
        "SELECT (SELECT count(*) FROM pgbench_history), (SELECT sum(abalance) FROM pgbench_accounts), "
        "(SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches), "
        "(SELECT coalesce(sum(delta), 0) FROM pgbench_history)", dbname="appdb")[0]


@pytest.mark.needs_howdah
def test_select_only_is_spread_over_both_replicas_and_spares_the_primary(pgbench, cluster):
    before = {node.name: selects(node) for node in cluster.nodes}
    transactions = pgbench("-S", "-M", "prepared", "-n", "-c", "8", "-j", "2", "-t", "500")
    share = {node.name: selects(node) - before[node.name] for node in cluster.nodes}
    assert share["pg1"] == 0
    assert share["pg2"] + share["pg3"] == transactions == 4000
    assert min(share["pg2"], share["pg3"]) > 1000


def selects(node):
    """Index scans of the accounts table, as the node's own processes have counted them.

    A backend hands its counts in when it has been idle for a while or ends, so they are asked to.
    """
    node.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
               "WHERE usename = 'appuser' AND state = 'idle'")
    return node.query("SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_tables "
                      "WHERE relname = 'pgbench_accounts'", dbname="appdb")[0][0]
