"""Who is promoted, who must not be, and what becomes of the other standbys."""
import os
import subprocess

import pytest
from howdah_test.acknowledged import TABLE, Writers
from howdah_test.cluster import BIN, PASSWORDS
from howdah_test.recovery import admin, at, followers, has_followers, is_writable, readers, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


@pytest.mark.parametrize("names", ["ANY 1 (pg2, pg3)", "pg2"])
def test_nobody_is_promoted_where_the_dead_standby_may_hold_a_confirmed_commit_alone(make_cluster, automatic, names):
    cluster = make_cluster(sync=names)
    howdah = automatic(cluster, ha_durability="sync")
    primary, second, third = cluster.nodes
    with Writers(howdah) as writers:
        second.kill9()
        primary.kill9()
        howdah.wait_for_log("DeadPrimaryAndSomeStandbys: .* No failover: nobody is promoted: ")
        assert not is_writable(third)
        second.start()
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()


def test_a_standby_with_paused_replay_is_passed_over_and_one_that_is_backed_up_is_not(network_cluster, automatic):
    howdah = automatic(network_cluster)
    primary, paused, backed_up = network_cluster.nodes
    paused.query("SELECT pg_wal_replay_pause()")
    with backed_up.connect() as backup, Writers(howdah) as writers:
        backup.execute("SELECT pg_backup_start('test', true)")
        primary.kill9()
        assert successor_of(howdah, primary)[0] is backed_up
        writers.wait_for_rows(port=backed_up.port)
        paused.query("SELECT pg_wal_replay_resume()")
        has_followers(backed_up, [paused])
    writers.check_loss_is_a_tail(backed_up)
    writers.check_one_writer_at_a_time()
    network_cluster.nodes.remove(primary)
    wait_until(lambda: not set(writers.lost(paused)) - set(writers.lost(backed_up)), 30, "all rows are there")


def test_the_standby_with_the_most_wal_is_promoted_and_the_other_takes_the_rest_from_it(network_cluster, automatic):
    howdah = automatic(network_cluster)
    primary, second, third = network_cluster.nodes
    with Writers(howdah) as writers:
        network_cluster.network.cut("pg1", "pg2")
        writers.wait_for_rows(50)
        primary.kill9()
        assert successor_of(howdah, primary)[0] is third
        network_cluster.network.heal()
        writers.wait_for_rows(port=third.port)
        has_followers(third, [second])
    writers.check_loss_is_a_tail(third)
    writers.check_one_writer_at_a_time()


def test_wal_that_was_received_and_not_replayed_is_not_lost(sync_cluster, automatic):
    howdah = automatic(sync_cluster, ha_durability="sync")
    with Writers(howdah) as writers:
        for node in sync_cluster.replicas:
            node.hold_startup()
        writers.wait_for_rows(50)
        sync_cluster.primary.kill9()
        wait_until(lambda: any((node.data / "promote").exists() for node in sync_cluster.replicas), 30)
        for node in sync_cluster.replicas:
            node.thaw()
        successor, survivors = successor_of(howdah, sync_cluster.primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()


def test_a_standby_that_was_down_during_the_failover_is_taken_along_when_it_is_back(network_cluster, automatic):
    howdah = automatic(network_cluster)
    primary, second, third = network_cluster.nodes
    third.stop()
    with Writers(howdah) as writers:
        primary.kill9()
        assert successor_of(howdah, primary)[0] is second
        writers.wait_for_rows(port=second.port)
        third.start()
        has_followers(second, [third])
    writers.check_loss_is_a_tail(second)
    writers.check_one_writer_at_a_time()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_standby_that_had_more_than_the_successor_gets_no_reads_when_it_is_back(network_cluster, automatic, is_restarted):
    howdah = automatic(network_cluster)
    primary, second, third = network_cluster.nodes
    network_cluster.network.cut("pg1", "pg2")
    primary.query(f"INSERT INTO {TABLE} SELECT -1, i, 0, 0 FROM generate_series(1, 1000) i", dbname="appdb")
    wait_until(lambda: third.query(f"SELECT count(*) FROM {TABLE}", dbname="appdb") == [(1000,)], 30, "pg3 has the rows")
    third.stop()
    primary.kill9()
    assert successor_of(howdah, primary)[0] is second
    if is_restarted:
        howdah.kill9()
        howdah.start()
    network_cluster.network.heal()
    third.start()
    wait_until(lambda: (third.port, "DivergedStandby") in admin(howdah, "SELECT port, problem FROM ha.analysis"), 30,
               lambda: admin(howdah, "SELECT * FROM ha.analysis"))
    howdah.wait_for_log(f"{at(third)} is kept out: it is fenced")
    assert admin(howdah, f"SELECT status FROM runtime_pgsql_servers WHERE port = {third.port}") == [("SHUNNED",)]


def test_a_standby_whose_wal_is_gone_is_reported_and_not_called_healthy(network_cluster, automatic):
    primary, _, third = network_cluster.nodes
    primary.set("max_slot_wal_keep_size", "'4MB'")
    howdah = automatic(network_cluster)
    third.stop()
    for _ in range(6):
        primary.query(f"INSERT INTO {TABLE} SELECT -1, coalesce(max(turn), 0) + 1, 0, 0 FROM {TABLE} WHERE client = -1; "
                      "SELECT pg_switch_wal()", dbname="appdb")
    primary.query("CHECKPOINT")
    wait_until(lambda: primary.query("SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'pg3'")
               == [("lost",)], 30, "the slot is lost")
    third.start()
    howdah.wait_for_log(f"the slot pg3 of {at(third)} on {at(primary)} has lost its WAL: copy the standby anew")


def test_a_cascade_goes_on_below_the_new_primary_or_below_a_survivor(make_cluster, automatic):
    cluster = make_cluster(replicas=3)
    primary, second, third, fourth = cluster.nodes
    second.query("SELECT pg_create_physical_replication_slot('pg4')")
    fourth.set("primary_conninfo", f"'host={second.host} port={second.port} user=replicator "
               f"password={PASSWORDS['replicator']} application_name=pg4'")
    has_followers(second, [fourth])
    howdah = automatic(cluster)
    with Writers(howdah) as writers:
        primary.kill9()
        successor, _ = successor_of(howdah, primary)
        assert successor in (second, third)
        writers.wait_for_rows(port=successor.port)
        other = third if successor is second else second
        wait_until(lambda: other.name in followers(successor), 30, "the survivor follows")
        has_followers(second, [fourth, third] if successor is second else [fourth])
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()
    wait_until(lambda: not set(writers.lost(fourth)) - set(writers.lost(successor)), 30, "rows arrive down the cascade")


def test_a_slot_that_somebody_else_uses_is_left_to_him(network_cluster, automatic, workspace):
    howdah, primary = automatic(network_cluster), network_cluster.primary
    others = []
    try:
        for node, name in zip(network_cluster.replicas, ("pg3", "pg2")):
            node.query(f"SELECT pg_create_physical_replication_slot('{name}', true)")
            folder = workspace / f"received-{node.port}"
            folder.mkdir()
            command = [BIN / "pg_receivewal", "-h", node.host, "-p", node.port, "-U", "replicator", "-S", name, "-D", folder]
            others.append(subprocess.Popen(node.network.command(node.name, command), stderr=subprocess.DEVNULL,
                                           env={**os.environ, "PGPASSWORD": PASSWORDS["replicator"]}))
            wait_until(lambda n=node, s=name: n.query(
                "SELECT active FROM pg_replication_slots WHERE slot_name = %s", [s]) == [(True,)], 30, "it is in use")
        with Writers(howdah) as writers:
            primary.kill9()
            successor, (survivor,) = successor_of(howdah, primary)
            writers.wait_for_rows(port=successor.port)
            wait_until(lambda: survivor.name in followers(successor), 30, "the survivor follows")
        assert survivor.setting("primary_slot_name") not in ("", survivor.name)
    finally:
        for other in others:
            other.kill()
            other.wait()
    writers.check_one_writer_at_a_time()


def test_a_survivor_that_the_successor_rejects_is_reported(network_cluster, automatic):
    howdah, primary = automatic(network_cluster, ha_rewire_timeout=1000), network_cluster.primary
    for node in network_cluster.replicas:
        rules = node.data / "pg_hba.conf"
        rules.write_text("host replication all samenet reject\nhost replication all all reject\n" + rules.read_text())
        node.query("SELECT pg_reload_conf()")
    with Writers(howdah) as writers:
        primary.kill9()
        successor, (survivor,) = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        howdah.wait_for_log(f"{at(survivor)} follows {at(successor)}: failed")
        howdah.wait_for_log(rf"Detected (StandbyNotReplicating|AllStandbysNotReplicating) on ({at(survivor)}|{at(successor)})")
        rules = successor.data / "pg_hba.conf"
        rules.write_text(rules.read_text().replace("reject", "scram-sha-256"))
        successor.query("SELECT pg_reload_conf()")
        has_followers(successor, [survivor])
    writers.check_one_writer_at_a_time()


def test_a_second_failover_waits_for_an_acknowledgement_and_then_takes_the_new_timeline(network_cluster, automatic):
    howdah, first = automatic(network_cluster), network_cluster.primary
    with Writers(howdah) as writers:
        first.kill9()
        second, (third,) = successor_of(howdah, first)
        writers.wait_for_rows(port=second.port)
        has_followers(second, [third])
        second.kill9()
        howdah.wait_for_log(rf"No failover: {at(first)} was replaced \d+ s ago; the next failover by itself is blocked")
        assert not is_writable(third)
        assert readers(howdah) == {third.port}
        admin(howdah, "ACK RECOVERIES COMMENT 'seen'")
        assert successor_of(howdah, second)[0] is third
        writers.wait_for_rows(port=third.port)
    writers.check_one_writer_at_a_time()
    assert {row.timeline for row in writers.rows} == {1, 2, 3}


def test_a_paused_howdah_does_nothing_and_fails_over_when_it_goes_on(network_cluster, automatic):
    howdah, primary = automatic(network_cluster), network_cluster.primary
    howdah.config["variables"]["ha_mode"] = "manual"
    howdah.reload()
    howdah.wait_for_log("reload: .*ha_mode")
    with Writers(howdah) as writers:
        primary.kill9()
        howdah.wait_for_log("DeadPrimary: .* No failover: ha_mode is manual")
        assert not any(is_writable(node) for node in network_cluster.replicas)
        howdah.config["variables"]["ha_mode"] = "automatic"
        howdah.reload()
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()
