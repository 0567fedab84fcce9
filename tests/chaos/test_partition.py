"""Howdah, the primary and the standbys do not all see each other."""
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


def is_unchanged(howdah, cluster):
    assert "hold writers" not in howdah.log_text()
    assert [node.query("SELECT pg_is_in_recovery()")[0][0] for node in cluster.nodes] == [False, True, True]


def test_a_primary_that_only_howdah_does_not_reach_is_not_replaced(network_cluster, automatic):
    howdah = automatic(network_cluster)
    with Writers(howdah) as writers:
        network_cluster.network.drop("pg1", "howdah")
        howdah.wait_for_log("UnreachablePrimary: .* standbys that answer still stream from it")
        network_cluster.network.heal()
        writers.wait_for_rows(port=network_cluster.primary.port)
    is_unchanged(howdah, network_cluster)
    writers.check_nothing_lost(network_cluster.primary)
    writers.check_one_writer_at_a_time()


def test_standbys_of_an_idle_primary_are_asked_and_not_cut_off(network_cluster, automatic):
    howdah = automatic(network_cluster)
    for node in network_cluster.replicas:
        wait_until(lambda n=node: n.query("SELECT now() - last_msg_receipt_time > interval '3 s' "
                                          "FROM pg_stat_wal_receiver") == [(True,)], 60, "the primary is quiet")
    network_cluster.network.drop("pg1", "howdah")
    for node in network_cluster.replicas:
        howdah.wait_for_log(rf"the receiver of {node.host}:{node.port} asks the primary .*: undone")
    network_cluster.network.heal()
    howdah.wait_for_log(rf"{network_cluster.primary.host}:{network_cluster.primary.port} is back")
    is_unchanged(howdah, network_cluster)
    assert not [node for node in network_cluster.replicas if "terminating walreceiver" in node.log_text()]
