"""The old primary comes back while its successor is made, or afterwards: it is no second writer."""
import threading

import psycopg
import pytest
from howdah_test.acknowledged import TABLE, Writers
from howdah_test.recovery import at, has_followers, is_fenced, is_writable, readers, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

# fault, and how the server comes back from it as it was
RETURNS = {
    "killed": (lambda node: node.kill9(), lambda node: node.start()),
    "powered off": (lambda node: node.network.unplug(node.name), lambda node: node.network.heal()),
    "frozen": (lambda node: node.freeze(), lambda node: node.thaw()),
}


@pytest.mark.parametrize("fault", RETURNS)
def test_a_primary_that_returns_is_fenced_and_gets_no_clients_even_from_a_restarted_howdah(
        sync_cluster, automatic, fault):
    howdah, old = automatic(sync_cluster, ha_durability="sync"), sync_cluster.primary
    fail, come_back = RETURNS[fault]
    with Writers(howdah) as writers:
        fail(old)
        successor, survivors = successor_of(howdah, old)
        writers.wait_for_rows(port=successor.port)
        come_back(old)
        wait_until(lambda: is_fenced(old), 30, "the old primary is fenced")
        before = len(howdah.log_text())
        howdah.kill9()
        howdah.start()
        howdah.wait_for_log(rf"ReturnedOldPrimary: {at(old)} accepts writes on timeline 1 and was replaced", after=before)
        writers.wait_for_rows(port=successor.port)
        assert readers(howdah) == {node.port for node in survivors}
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
    has_followers(successor, survivors)


def test_a_howdah_that_was_down_meanwhile_does_not_take_the_old_primary_for_the_writer(network_cluster, automatic):
    howdah, old = automatic(network_cluster), network_cluster.primary
    with Writers(howdah) as writers:
        old.kill9()
        successor, survivors = successor_of(howdah, old)
        has_followers(successor, survivors)
        writers.wait_for_rows(port=successor.port)
        howdah.kill9()
        for node in (successor, *survivors):
            node.stop()
        old.start()
        before = len(howdah.log_text())
        howdah.start()
        howdah.wait_for_log(f"{at(old)} is kept out: it is fenced", after=before)
        successor.start()
        writers.wait_for_rows(port=successor.port)
        for node in survivors:
            node.start()
    assert {row.port for row in writers.rows if row.timeline == 1} == {old.port}
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()


def test_an_old_primary_that_was_not_rewound_gets_no_reads_as_a_standby(network_cluster, automatic):
    howdah, old = automatic(network_cluster), network_cluster.primary
    network_cluster.network.cut("pg1", "pg2", "pg3")
    old.query(f"INSERT INTO {TABLE} SELECT -1, i, 0, 0 FROM generate_series(1, 1000) i", dbname="appdb")
    old.kill9()
    successor, survivors = successor_of(howdah, old)
    network_cluster.network.heal()
    old.configure(successor, slot="")
    before = len(howdah.log_text())
    old.start()
    howdah.wait_for_log(rf"{at(old)} .*is a standby", after=before)
    howdah.wait_for_log(rf"Detected (DivergedStandby|StandbyNotReplicating) on {at(old)}", after=before)
    assert readers(howdah) == {node.port for node in survivors}
    with Writers(howdah) as writers:
        writers.wait_for_rows(port=successor.port)


def test_commits_of_an_isolated_synchronous_primary_are_never_confirmed(sync_cluster, automatic):
    howdah, old = automatic(sync_cluster, ha_durability="sync"), sync_cluster.primary
    outcome = []

    def insert_beside_howdah():
        try:
            with old.connect(dbname="appdb", user="appuser") as connection:
                connection.execute(f"INSERT INTO {TABLE} VALUES (-1, 1, 0, 1)")
                outcome.append("confirmed")
        except psycopg.Error as error:
            outcome.append(error)

    with Writers(howdah) as writers:
        sync_cluster.network.unplug("pg1")
        client = threading.Thread(target=insert_beside_howdah, daemon=True)
        client.start()
        successor, survivors = successor_of(howdah, old)
        writers.wait_for_rows(port=successor.port)
        assert not outcome
        sync_cluster.network.heal()
        wait_until(lambda: outcome, 30, "the fence ends the session that waits")
    assert isinstance(outcome[0], psycopg.Error), outcome
    assert not successor.query(f"SELECT 1 FROM {TABLE} WHERE client = -1", dbname="appdb")
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
    has_followers(successor, survivors)


def test_a_primary_that_returns_during_the_promotion_is_too_late(sync_cluster, automatic):
    howdah, old = automatic(sync_cluster, ha_durability="sync"), sync_cluster.primary
    with Writers(howdah) as writers:
        sync_cluster.network.unplug("pg1")
        howdah.wait_for_log("hold writers: done")
        for node in sync_cluster.replicas:
            wait_until(lambda n=node: n.query("SELECT count(*) FROM pg_stat_wal_receiver") == [(0,)], 30)
            node.hold_startup()
        wait_until(lambda: any((node.data / "promote").exists() or is_writable(node)
                               for node in sync_cluster.replicas), 30, "somebody is promoted")
        sync_cluster.network.heal()
        wait_until(lambda: old.query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'howdah_ha'")[0][0], 30)
        for node in sync_cluster.replicas:
            node.thaw()
        successor, survivors = successor_of(howdah, old)
        writers.wait_for_rows(port=successor.port)
        wait_until(lambda: is_fenced(old), 30, "the old primary is fenced")
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
    has_followers(successor, survivors)
    assert not any(is_writable(node) for node in survivors)
