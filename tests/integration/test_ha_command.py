"""`howdah ha ...`: one look at real servers, and what it says about them. It changes nothing."""
import subprocess

import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import at, streams
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


@pytest.fixture
def ha(make_howdah):
    """ha(cluster, "check"): exit code and output. Logs in as a role that may do everything."""
    def run(cluster, *words, login="postgres"):
        one = make_howdah(cluster, start=False, variables={
            "monitor_username": login, "monitor_password": PASSWORDS[login],
            "monitor_connect_timeout": 5000})  # however slow the machine is
        one.write_config()
        command = one.os_user.command(one.program, "ha", *words, "--config", one.config_file)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60,
                              cwd=one.folder, check=False)
        assert not done.stderr or done.returncode, done.stderr
        for password in PASSWORDS.values():
            assert password not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr
    return run


def test_topology_shows_every_server_in_its_place(cluster, ha):
    streams(cluster)
    code, text = ha(cluster, "topology")
    assert code == 0, text
    lines = text.splitlines()
    assert lines[0] == f"cluster {at(cluster.primary)}"
    assert lines[1].startswith(f"  {at(cluster.primary)} (pg1): writer, timeline 1, WAL up to 0/"), text
    for node in cluster.replicas:
        line = next(line for line in lines if line.startswith(f"    {at(node)} ({node.name}): standby, timeline 1"))
        assert line.endswith(f"streaming from {at(cluster.primary)}"), text
    assert len(lines) == 4, text


def test_check_of_a_healthy_cluster_is_ready_and_without_privileges_says_what_to_grant(cluster, ha):
    streams(cluster)
    code, text = ha(cluster, "check")
    assert code == 0 and "  ready: " in text, text
    code, text = ha(cluster, "check", login="monitor")
    assert code == 1 and "not ready" in text, text
    assert "GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer)" in text


def test_a_dead_primary_is_diagnosed_and_the_plan_names_who_takes_over(own_cluster, ha):
    streams(own_cluster)
    own_cluster.primary.kill9()
    for node in own_cluster.replicas:
        wait_until(lambda n=node: not n.query("SELECT 1 FROM pg_stat_wal_receiver"), 30, "receivers end")
    code, text = ha(own_cluster, "why")
    assert code == 0 and "critical DeadPrimary:" in text, text
    assert f"{at(own_cluster.primary)} is taken for the primary" in text
    assert "closed mode: " in text, text
    code, text = ha(own_cluster, "failover", "--dry-run")
    assert code == 0 and "pg_promote" in text, text
    assert "how far the primary was is not known. This is what an operator who accepts a loss" in text, text
    assert any(f"{at(own_cluster.primary)} -> {at(node)}" in text for node in own_cluster.replicas), text
    assert all(node.query("SELECT pg_is_in_recovery()")[0][0] for node in own_cluster.replicas)
    assert ha(own_cluster, "check")[0] == 1


def test_a_primary_that_hangs_is_not_called_dead_while_its_standbys_have_not_noticed(own_cluster, ha):
    streams(own_cluster)
    own_cluster.primary.freeze()
    try:
        code, text = ha(own_cluster, "why")
    finally:
        own_cluster.primary.thaw()
    assert code == 0 and "critical UnreachablePrimary:" in text, text
    for node in own_cluster.replicas:
        assert f"{at(node)} heard nothing from the primary" in text, text


def test_a_failover_that_is_no_dry_run_is_refused(cluster, ha):
    code, text = ha(cluster, "failover")
    assert code == 1 and "--dry-run" in text


def test_a_role_without_pg_monitor_reads_what_it_may(cluster, ha):
    streams(cluster)
    code, text = ha(cluster, "topology", login="appuser")
    assert code == 0 and f"{at(cluster.primary)}: writer, timeline 1" in text.replace(" (pg1)", ""), text
