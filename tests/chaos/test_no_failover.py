"""Something is wrong, and the primary lives: nobody is promoted, and all goes on afterwards."""
import os
import re
import signal

import psycopg
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import at, has_followers, is_writable, timeline
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


@pytest.fixture
def howdah(calm_howdah, calm_cluster):
    """After the test everything is as it was, and in between nobody was promoted."""
    before = len(calm_howdah.log_text())
    yield calm_howdah
    calm_cluster.network.heal()
    for node in calm_cluster.nodes:
        if not node.is_running():
            node.start()
    has_followers(calm_cluster.primary, calm_cluster.replicas)
    with Writers(calm_howdah) as writers:
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)
    assert "hold writers" not in calm_howdah.log_text()[before:]
    assert [is_writable(node) for node in calm_cluster.nodes] == [True, False, False]
    assert timeline(calm_cluster.primary) == 1


def logged(howdah, pattern):
    """A function that waits for a line which is written from now on."""
    before = len(howdah.log_text())
    return lambda: howdah.wait_for_log(pattern, 30, before)


@pytest.mark.parametrize("sender, receiver", [("pg1", "howdah"), ("howdah", "pg1")])
def test_a_primary_that_only_howdah_does_not_reach_is_not_replaced(howdah, calm_cluster, sender, receiver):
    seen = logged(howdah, "UnreachablePrimary: .* standbys that answer still stream from it")
    with Writers(howdah) as writers:
        calm_cluster.network.drop(sender, receiver)
        seen()
        calm_cluster.network.heal()
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)


def test_standbys_of_an_idle_primary_are_asked_and_not_cut_off(howdah, calm_cluster):
    for node in calm_cluster.replicas:
        wait_until(lambda n=node: n.query("SELECT now() - last_msg_receipt_time > interval '3 s' "
                                          "FROM pg_stat_wal_receiver") == [(True,)], 60, "the primary is quiet")
    seen = logged(howdah, "UnreachablePrimary: .* standbys that answer still stream from it")
    calm_cluster.network.drop("pg1", "howdah")
    seen()
    assert not [node for node in calm_cluster.replicas if "terminating walreceiver" in node.log_text()]


def test_a_primary_whose_standbys_are_cut_off_keeps_writing(howdah, calm_cluster):
    seen = logged(howdah, "AllStandbysNotReplicating")
    with Writers(howdah) as writers:
        calm_cluster.network.cut("pg1", "pg2", "pg3")
        for node in calm_cluster.replicas:
            node.set("wal_receiver_timeout", "'1s'")  # they would notice after a minute
        seen()
        for node in calm_cluster.replicas:
            node.set("wal_receiver_timeout", "DEFAULT")
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)


def test_a_howdah_without_a_network_concludes_nothing(howdah, calm_cluster):
    seen = logged(howdah, "MonitorBlind")
    with Writers(howdah) as writers:
        calm_cluster.network.unplug("howdah")
        seen()
        calm_cluster.network.heal()
        writers.wait_for_rows(port=calm_cluster.primary.port)


def test_seconds_of_latency_everywhere_move_nothing(howdah, calm_cluster):
    seen = logged(howdah, "MonitorBlind|UnreachablePrimary")
    with Writers(howdah) as writers:
        for name in ("pg1", "pg2", "pg3", "howdah"):
            calm_cluster.network.degrade(name, delay=2.5)
        seen()
        again = logged(howdah, "is dead, its connections are closed")
        again()
        calm_cluster.network.heal()
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)


def test_the_loss_of_a_third_of_all_packets_moves_nothing(howdah, calm_cluster):
    with Writers(howdah) as writers:
        for name in ("pg1", "howdah"):
            calm_cluster.network.degrade(name, loss=0.16)  # of each packet's two cables, so 0.3 together
        writers.wait_for_rows(30, port=calm_cluster.primary.port, timeout=60)
        calm_cluster.network.heal()
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)


def test_a_primary_that_recovers_from_a_crash_by_itself_stays_the_primary(howdah, calm_cluster):
    with Writers(howdah) as writers:
        victim = calm_cluster.primary.query("SELECT pid FROM pg_stat_activity WHERE usename = 'appuser'")[0][0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: "all server processes terminated; reinitializing" in calm_cluster.primary.log_text(), 30)
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)


def test_a_primary_without_free_connections_is_alive(howdah, calm_cluster):
    after, taken = len(howdah.log_text()), []

    def take_all_slots():
        """Howdah's own sessions end, and others are quicker than its next: now or the next time."""
        calm_cluster.primary.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                   "WHERE usename IN ('howdah_ha', 'monitor')")
        try:
            while True:
                taken.append(calm_cluster.primary.connect(user="session_user1", dbname="appdb"))
        except psycopg.OperationalError as error:
            assert "too many clients" in str(error) or "remaining connection slots" in str(error), error
        return re.search("UnreachablePrimary: .* is alive and cannot be used", howdah.log_text()[after:])

    with Writers(howdah) as writers:
        wait_until(take_all_slots, 30, howdah.log_text)
        writers.wait_for_rows(port=calm_cluster.primary.port)
        for connection in taken:
            connection.close()
    writers.check_nothing_lost(calm_cluster.primary)


def test_a_primary_that_refuses_the_password_of_ha_is_alive(howdah, calm_cluster):
    seen = logged(howdah, "UnreachablePrimary: .* is alive and cannot be used")
    primary = calm_cluster.primary
    with Writers(howdah) as writers:
        primary.query("ALTER ROLE howdah_ha PASSWORD 'another'")
        primary.query("ALTER ROLE monitor PASSWORD 'another'")
        try:
            primary.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE usename IN ('howdah_ha', 'monitor')")
            seen()
            writers.wait_for_rows(port=primary.port)
        finally:
            for name in ("howdah_ha", "monitor"):
                primary.query(f"ALTER ROLE {name} PASSWORD '{PASSWORDS[name]}'")
    writers.check_nothing_lost(primary)


def test_a_primary_whose_catalog_is_locked_is_alive(howdah, calm_cluster):
    seen = logged(howdah, "UnreachablePrimary: ")
    primary = calm_cluster.primary
    with Writers(howdah) as writers, primary.connect() as other:
        with other.transaction():
            other.execute("LOCK TABLE pg_catalog.pg_parameter_acl")
            primary.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'howdah_ha'")
            seen()
            writers.wait_for_rows(port=primary.port)
    writers.check_nothing_lost(primary)


def test_a_howdah_that_stood_still_concludes_nothing_from_it(howdah, calm_cluster):
    with Writers(howdah) as writers:
        howdah.signal(signal.SIGSTOP)
        position = calm_cluster.primary.query("SELECT pg_switch_wal(), pg_current_wal_lsn()")[0][1]
        for node in calm_cluster.replicas:  # longer than every time-out of a check
            wait_until(lambda n=node: n.query(
                "SELECT now() - last_msg_receipt_time > interval '3 s' AND latest_end_lsn >= %s::pg_lsn "
                "FROM pg_stat_wal_receiver", [position]) == [(True,)], 60, "nobody writes")
        howdah.signal(signal.SIGCONT)
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)


def test_the_last_server_of_a_cluster_keeps_writing(howdah, calm_cluster):
    with Writers(howdah) as writers:
        seen = [logged(howdah, rf"{at(node)} .*(SHUNNED|dead)") for node in calm_cluster.replicas]
        for node in calm_cluster.replicas:
            node.kill9()
        for wait in seen:
            wait()
        writers.wait_for_rows(port=calm_cluster.primary.port)
    writers.check_nothing_lost(calm_cluster.primary)
