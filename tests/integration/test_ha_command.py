"""`howdah ha ...`: one look at real servers, which changes nothing; and orders for a running Howdah."""
import os
import signal
import socket
import subprocess

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.ports import free_port
from howdah_test.recovery import at, has_followers, is_writable, streams
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


def test_a_role_without_pg_monitor_reads_what_it_may(cluster, ha):
    streams(cluster)
    code, text = ha(cluster, "topology", login="appuser")
    assert code == 0 and f"{at(cluster.primary)}: writer, timeline 1" in text.replace(" (pg1)", ""), text


# Orders for a running Howdah.

DONE, REFUSED, USAGE, NOBODY = 0, 1, 2, 3
MANUAL = {"ha_mode": "manual", "ha_username": "howdah_ha", "ha_password": PASSWORDS["howdah_ha"],
          "admin_admin_credentials": "ann:ann's secret;bob:bob's secret"}
# Nothing of the machine that the tests run on.
CLEAN = {name: text for name, text in os.environ.items() if not name.startswith("PG")}


def told(howdah, *words, config=True, **environment):
    """Exit code, standard output and standard error of `howdah ha ...`, as somebody at a terminal has it."""
    options = ["--config", howdah.config_file] if config else []
    done = subprocess.run(howdah.os_user.command(howdah.program, "ha", *words, *options), capture_output=True, text=True,
                          timeout=90, cwd=howdah.folder, env={**CLEAN, "HOME": str(howdah.folder), **environment}, check=False)
    assert "secret" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def admin_of(howdah, sql):
    with psycopg.connect(host=howdah.host, port=howdah.admin_port, user="ann", password="ann's secret", dbname="admin",
                         autocommit=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def watched(own_cluster, make_howdah):
    """Howdah in manual mode that knows who writes, over a primary with two streaming replicas."""
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables={**MANUAL, "datadir": str(own_cluster.folder)})
    howdah.wait_for_log(rf"ha: {at(own_cluster.primary)}: .* the writer of epoch 1")
    return howdah


def test_an_operator_recovers_a_killed_primary_reads_its_history_and_acknowledges_it(own_cluster, watched):
    old = own_cluster.primary
    code, out, err = told(watched, "history")
    assert (code, out, err) == (DONE, "Nothing was recovered yet.\n", "")
    code, out, err = told(watched, "recover", at(old))
    assert (code, out) == (REFUSED, "") and err.startswith("howdah: ") and "(55000)" in err and "\nhint: " in err, err
    assert is_writable(old)
    replica = own_cluster.replicas[0]
    code, out, err = told(watched, "recover", at(replica))
    assert code == REFUSED and f"{at(replica)} is not the primary" in err, err

    old.kill9()
    wait_until(lambda: "DeadPrimary" in told(watched, "why")[1], 30, "it is dead")
    chosen = own_cluster.replicas[1]
    code, out, err = told(watched, "recover", at(old), "--to", at(chosen), "--dry-run")
    assert (code, err) == (DONE, "") and f"promote {at(chosen)}" in out and "pg_promote" in out, out + err
    assert not any(is_writable(node) for node in own_cluster.replicas)

    code, out, err = told(watched, "recover", at(old), "--to", at(chosen))
    assert (code, err) == (DONE, ""), out + err
    facts = dict(line.split(None, 1) for line in out.splitlines())
    assert facts["successor"] == at(chosen) and at(old) in facts["answer"], out
    assert is_writable(chosen)
    has_followers(chosen, [replica])

    code, out, err = told(watched, "history")
    head, row = out.splitlines()[:2]
    assert (code, err) == (DONE, "") and head.split()[0] == "id", out
    for name, text in (("kind", "failover"), ("server", at(old)), ("successor", at(chosen)), ("outcome", "done"), ("by", "ann")):
        assert row[head.index(f"  {name} ") + 2:].startswith(text), out
    code, out, err = told(watched, "history", facts["recovery_id"])
    assert code == DONE and f"promote {at(chosen)}" in out and "pg_promote" in out, out
    assert told(watched, "history", "4711")[::2] == (REFUSED, "howdah: there is no recovery 4711 in the history\n")
    assert told(watched, "history", "--cluster", "other")[1] == "Nothing was recovered yet.\n"

    code, out, err = told(watched, "ack", "--comment", "bob's disk -- it's; gone")
    assert (code, err) == (DONE, "") and "1 recoveries acknowledged" in out, out + err
    assert admin_of(watched, "SELECT acknowledged_by, acknowledge_comment FROM ha.recoveries WHERE kind = 'failover'") == \
        [("ann", "bob's disk -- it's; gone")]
    assert "bob's disk" in told(watched, "history")[1]
    code, out, err = told(watched, "ack", "--comment", " ")
    assert code == REFUSED and "(22023)" in err, err


def test_a_planned_switchover_and_a_rewiring_are_carried_out_by_name(own_cluster, watched):
    old, chosen, third = own_cluster.primary, *own_cluster.replicas
    code, out, err = told(watched, "switchover", at(old), "--to", at(chosen), "--dry-run")
    assert (code, err) == (DONE, "") and "pg_promote" in out, out + err
    assert is_writable(old)
    code, out, err = told(watched, "rewire", at(third), "--to", at(chosen))
    assert (code, err) == (DONE, ""), out + err
    has_followers(chosen, [third])
    code, out, err = told(watched, "rewire", at(third), "--to", at(third))
    assert code == REFUSED and "cannot follow itself" in err, err
    code, out, err = told(watched, "switchover", at(old), "--to", at(chosen))
    assert (code, err) == (DONE, ""), out + err
    assert is_writable(chosen) and f"successor    {at(chosen)}\n" in out, out
    code, out, err = told(watched, "failover", "no such cluster")
    assert code == REFUSED and "no such cluster" in err, err


def test_who_does_not_know_the_password_gets_nothing_done(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={**MANUAL, "failed_login_delay": 0})
    there = ("history", "--host", howdah.host, "--port", str(howdah.admin_port), "--user", "ann")
    code, out, err = told(howdah, *there, config=False, PGPASSWORD="wrong")
    assert (code, out) == (REFUSED, "") and "(28P01)" in err and "\nhint: " in err, err
    code, out, err = told(howdah, *there, config=False)
    assert (code, out) == (REFUSED, "") and "hint: Set PGPASSWORD" in err, err
    assert told(howdah, *there, config=False, PGPASSWORD="ann's secret")[0] == DONE
    # The whole address from the environment, and another user of the file.
    assert told(howdah, "history", config=False, PGHOST=howdah.host, PGPORT=str(howdah.admin_port), PGUSER="bob",
                PGPASSWORD="bob's secret")[0] == DONE
    assert told(howdah, "history", "--user", "bob")[0] == DONE


def test_without_a_running_howdah_orders_fail_and_a_dry_run_looks_by_itself(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, start=False, variables={
        **MANUAL, "ha_username": "postgres", "ha_password": PASSWORDS["postgres"], "monitor_connect_timeout": 5000})
    howdah.write_config()
    for words in (("recover", at(own_cluster.primary)), ("failover", "x"), ("history",), ("ack", "--comment", "x"),
                  ("recover", at(own_cluster.primary), "--dry-run")):
        code, out, err = told(howdah, *words)
        assert (code, out) == (NOBODY, ""), words
        assert f"no Howdah answers at {howdah.host}:{howdah.admin_port}: " in err and "refused" in err, err
    wanted = own_cluster.replicas[1]
    code, out, err = told(howdah, "failover", at(own_cluster.primary), "--to", at(wanted), "--dry-run")
    assert (code, err) == (DONE, ""), out + err
    assert out.startswith(f"no Howdah answers at {howdah.host}:{howdah.admin_port}: "), out
    assert f"promote {at(wanted)}" in out and is_writable(own_cluster.primary), out
    code, out, err = told(howdah, "failover", "other", "--dry-run")
    assert code == REFUSED and "no cluster is, or has, other" in err, out + err
    assert told(howdah, "failover", "--dry-run", "--host", howdah.host, "--port", str(free_port()), config=False)[0] == NOBODY


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_howdah_that_goes_away_in_the_middle_of_an_order_has_not_refused_it(own_cluster, make_howdah, number):
    streams(own_cluster)
    gate, hook = own_cluster.folder / "gate", own_cluster.folder / "hook"
    os.mkfifo(gate)
    gate.chmod(0o666)
    hook.write_text(f"#!/bin/sh\nexec cat {gate}\n")
    hook.chmod(0o755)
    howdah = make_howdah(own_cluster, variables={**MANUAL, "ha_pre_failover": str(hook)})
    howdah.wait_for_log(rf"ha: {at(own_cluster.primary)}: .* the writer of epoch 1")
    own_cluster.primary.kill9()
    howdah.wait_for_log(f"DeadPrimary: {at(own_cluster.primary)} is dead")
    with subprocess.Popen(howdah.os_user.command(howdah.program, "ha", "recover", at(own_cluster.primary), "--config",
                                                 howdah.config_file),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN, cwd=howdah.folder) as order:
        with open(gate, "w", encoding="ascii"):  # opens when the hook reads: the order is being carried out
            howdah.signal(number)
            out, err = order.communicate(timeout=60)
    assert (order.returncode, out) == (NOBODY, "") and "hat was begun goes on" in err, err
    howdah.wait()
    howdah.process = None


def test_who_listens_and_says_nothing_is_nobody(cluster, make_howdah):
    howdah = make_howdah(cluster, start=False, variables=MANUAL)
    howdah.write_config()
    with socket.create_server((howdah.host, 0)) as silent:  # the system accepts, and nobody says a word
        code, out, err = told(howdah, "history", "--port", str(silent.getsockname()[1]), PGCONNECT_TIMEOUT="1")
    assert (code, out) == (NOBODY, "") and "within 1 s" in err, err


def test_who_may_only_look_reads_the_history_and_orders_nothing(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={**MANUAL, "admin_stats_credentials": "eve:eve's secret"})
    assert told(howdah, "history", "--user", "eve")[0] == DONE
    code, out, err = told(howdah, "switchover", at(cluster.primary), "--user", "eve")
    assert (code, out) == (REFUSED, "") and "(42501)" in err, err


def test_a_dry_run_of_all_clusters_comes_from_the_running_howdah(cluster, make_howdah):
    howdah = make_howdah(cluster, variables=MANUAL)
    howdah.wait_for_log(rf"ha: {at(cluster.primary)}: .* the writer of epoch 1")
    code, out, err = told(howdah, "failover", "--dry-run")
    assert (code, err) == (DONE, "") and out.startswith(f"cluster {at(cluster.primary)}\nnot called for now: "), out + err


def test_a_server_that_is_no_howdah_is_not_sent_an_order(cluster, make_howdah):
    howdah = make_howdah(cluster, start=False, variables=MANUAL)
    howdah.write_config()
    node = cluster.primary
    code, out, err = told(howdah, "recover", "pg1", config=False, PGHOST=node.host, PGPORT=str(node.port), PGUSER="postgres",
                          PGPASSWORD=PASSWORDS["postgres"])
    assert (code, out) == (NOBODY, ""), err
    assert "no Howdah" in err or "is not the admin interface of a Howdah" in err, err


@pytest.mark.parametrize("words", [(), ("frobnicate",), ("failover",), ("recover",), ("rewire", "pg3"), ("ack",),
                                   ("switchover", "main", "--allow-data-loss"), ("history", "--limit", "none")],
                         ids=lambda words: "-".join(words) or "nothing")
def test_wrong_usage_is_told_apart_from_a_refusal(cluster, make_howdah, words):
    howdah = make_howdah(cluster, start=False, variables=MANUAL)
    howdah.write_config()
    code, out, err = told(howdah, *words)
    assert (code, out) == (USAGE, "") and err, err


def test_a_configuration_that_cannot_be_used_sends_nothing(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={"threads": "many"}, start=False)
    howdah.write_config()
    for words in (("check",), ("history",), ("failover", "main")):
        code, out, err = told(howdah, *words)
        assert (code, out) == (USAGE, "") and "threads" in err, err
    assert told(howdah, "check", config=False)[0] == USAGE


def test_the_help_names_every_command(cluster, make_howdah):
    howdah = make_howdah(cluster, start=False)
    code, out, err = told(howdah, "--help", config=False)
    assert (code, err) == (DONE, "")
    for name in ("topology", "check", "why", "recover", "failover", "switchover", "rewire", "rejoin", "history", "ack"):
        assert f"\n  {name} " in out, out
        code, text, err = told(howdah, name, "--help", config=False)
        assert (code, err) == (DONE, "") and text, name
