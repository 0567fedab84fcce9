"""The primary dies, in one way or another: one successor, no confirmed commit lost, one writer."""
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


def at(node):
    return f"{node.host}:{node.port}"


def successor_of(howdah, cluster):
    """Waits for the failover from the cluster's primary; (successor, the standbys that are left)."""
    found = howdah.wait_for_log(
        rf"failover complete: Failed: {at(cluster.primary)}; Promoted: [\d.]+:(\d+)", 40)
    successor = cluster.node_at(found[1])
    return successor, [node for node in cluster.replicas if node is not successor]


def has_followers(successor, survivors):
    wait_until(lambda: sorted(successor.query(
        "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"))
        == sorted((node.name,) for node in survivors), 30, f"{survivors} stream from {successor.name}")


@pytest.mark.parametrize("fault", ["killed", "silent"])
def test_a_dead_primary_is_replaced_and_no_confirmed_commit_is_lost(sync_cluster, automatic, fault):
    howdah = automatic(sync_cluster, ha_durability="sync")
    with Writers(howdah) as writers:
        if fault == "killed":
            sync_cluster.primary.kill9()
        else:
            sync_cluster.network.drop("pg1")
        successor, survivors = successor_of(howdah, sync_cluster)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
