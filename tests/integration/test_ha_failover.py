"""Howdah replaces a dead primary by itself: what applications and administrators see."""
import threading

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import READER, WRITER
from howdah_test.recovery import admin, at, streams
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


def write(howdah, message):
    """One row through Howdah; the port of the server that has it."""
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        return connection.execute("INSERT INTO replication_test (message) VALUES (%s) RETURNING inet_server_port()",
                                  [message]).fetchone()[0]


def is_known(howdah, cluster):
    """Howdah has written down who the writer is: from now on it may act."""
    howdah.wait_for_log(rf"ha: {at(cluster.primary)}: .* the writer of epoch 1")


def test_a_killed_primary_is_replaced_and_survivors_follow(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables=AUTOMATIC)
    is_known(howdah, own_cluster)
    old = own_cluster.primary
    assert write(howdah, "before") == old.port
    old.kill9()
    successor = own_cluster.node_at(write(howdah, "after"))
    assert successor in own_cluster.replicas
    survivor = next(node for node in own_cluster.replicas if node is not successor)
    howdah.wait_for_log(rf"failover complete: Failed: {at(old)}; Promoted: {at(successor)}$")
    wait_until(lambda: successor.query("SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'")
               == [(survivor.name,)], 30, "the survivor streams from the successor")
    wait_until(lambda: [r[0] for r in survivor.query("SELECT message FROM replication_test ORDER BY id", dbname="appdb")]
               == ["before", "after"], 30, "the survivor has every row")


def status(howdah, node):
    return {(row[0], row[1]) for row in admin(
        howdah, f"SELECT hostgroup_id, status FROM runtime_pgsql_servers WHERE port = {node.port}")}


def test_in_manual_mode_nobody_is_promoted_and_the_reason_is_said(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables={**AUTOMATIC, "ha_mode": "manual"})
    is_known(howdah, own_cluster)
    own_cluster.primary.kill9()
    howdah.wait_for_log(rf"DeadPrimary: {at(own_cluster.primary)} is dead .*No failover: ha_mode is manual")
    assert all(node.query("SELECT pg_is_in_recovery()")[0][0] for node in own_cluster.replicas)


def test_a_replaced_primary_that_returns_gets_no_clients_and_is_fenced(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables={**AUTOMATIC, "datadir": str(own_cluster.folder)})
    is_known(howdah, own_cluster)
    old = own_cluster.primary
    assert write(howdah, "before") == old.port
    old.kill9()
    successor = own_cluster.node_at(write(howdah, "after"))
    howdah.wait_for_log("failover complete")
    # It remembers over its own death, too.
    howdah.kill9()
    old.start()
    howdah.start()
    howdah.wait_for_log(rf"fence {at(old)}: .*: done")
    assert status(howdah, old) == {(READER, "SHUNNED")}
    assert status(howdah, successor) == {(WRITER, "ONLINE")}
    assert write(howdah, "later") == successor.port
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), old.connect("appdb", "appuser") as client:
        client.execute("INSERT INTO replication_test (message) VALUES ('lost')")


def test_a_fence_holds_though_clients_come_back_all_the_time(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables=AUTOMATIC)
    is_known(howdah, own_cluster)
    old = own_cluster.primary
    old.kill9()
    assert write(howdah, "after") != old.port
    old.start()
    done = threading.Event()

    def come_back():
        while not done.is_set():
            try:
                with old.connect("appdb", "appuser") as client:
                    client.execute("SELECT pg_sleep(0.05)")
            except psycopg.Error:
                continue

    clients = [threading.Thread(target=come_back, daemon=True) for _ in range(8)]
    for client in clients:
        client.start()
    try:
        howdah.wait_for_log(rf"fence {at(old)}: .*: (done|already|failed)")
        assert f"fence failed: fence {at(old)}" not in howdah.log_text()
    finally:
        done.set()
        for client in clients:
            client.join(30)
