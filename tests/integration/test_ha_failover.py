"""Howdah replaces a dead primary by itself: what applications and administrators see."""
import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import READER, WRITER
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


def at(node):
    return f"{node.host}:{node.port}"


def streams(cluster):
    wait_until(lambda: cluster.primary.query(
        "SELECT count(*) = 2 FROM pg_stat_replication WHERE state = 'streaming'")[0][0], 30,
        "both replicas stream")


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
