"""Disks, names, passwords, certificates and clocks around a failover."""
import shutil
import signal
import subprocess
import threading

import psycopg
import pytest
from howdah_test.acknowledged import TABLE, Writers
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import at, has_followers, is_writable, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


@pytest.fixture
def small_disk(workspace, os_user):
    """small_disk(folder, size="1m"): a file system of its own."""
    mounted = []

    def mount(folder, size="1m"):
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        mounted.append(folder)
        return os_user.own(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(4096))


def test_nothing_is_begun_while_the_journal_cannot_be_written(network_cluster, automatic, small_disk, workspace):
    disk = small_disk(workspace / "small-disk")
    howdah, primary = automatic(network_cluster, datadir=str(disk)), network_cluster.primary
    with Writers(howdah) as writers:
        fill(disk)
        primary.kill9()
        howdah.wait_for_log("the history cannot be written|the journal cannot be written")
        assert not any(is_writable(node) for node in network_cluster.replicas)
        assert all(node.setting("primary_conninfo") for node in network_cluster.replicas)
        (disk / "filler").unlink()
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()


def test_a_primary_that_dies_of_a_full_disk_is_replaced(network_cluster, automatic, small_disk, workspace):
    primary = network_cluster.primary
    primary.stop()
    disk = small_disk(workspace / "wal-disk", "64m")
    own = primary.data / "pg_wal"
    primary.os_user.run("cp", "-a", f"{own}/.", disk)
    shutil.rmtree(own)
    own.symlink_to(disk)
    primary.start()
    has_followers(primary, network_cluster.replicas)
    segment = primary.query("SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size'")[0][0]
    howdah = automatic(network_cluster)
    with Writers(howdah) as writers:
        fill(disk)
        with pytest.raises(psycopg.OperationalError):
            while True:
                primary.query(f"INSERT INTO {TABLE} VALUES (-1, (SELECT count(*) FROM {TABLE} WHERE client = -1), 0, 0);"
                              "SELECT pg_switch_wal()", dbname="appdb")
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    # pg_switch_wal leaves up to a segment empty between what was lost and what was not.
    writers.check_loss_is_a_tail(successor, (1 << 20) + segment)
    writers.check_one_writer_at_a_time()


def make_primary_start_up_forever(primary):
    """After this kill it says for a minute that it is starting up."""
    primary.kill9()
    (primary.data / "recovery.signal").write_text("")
    with open(primary.data / "node.conf", "a", encoding="utf-8") as config:
        config.write("restore_command = 'sleep 60; false'\n")
    primary.os_user.own(primary.data / "recovery.signal")
    primary.begin()

    def starts_up():
        try:
            primary.query("SELECT 1")
        except psycopg.OperationalError as error:
            return "the database system is starting up" in str(error)
        return False
    wait_until(starts_up, 30, "the primary is starting up")


def test_a_primary_that_starts_up_is_waited_for_as_long_as_is_allowed(network_cluster, automatic):
    howdah, primary = automatic(network_cluster), network_cluster.primary
    with Writers(howdah) as writers:
        howdah.signal(signal.SIGSTOP)
        make_primary_start_up_forever(primary)
        howdah.signal(signal.SIGCONT)
        howdah.wait_for_log("UnreachablePrimary: .* is alive and cannot be used: .*starting up")
        assert "hold writers" not in howdah.log_text()
        howdah.config["variables"]["ha_start_timeout"] = 1000
        howdah.reload()
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()


def test_a_name_that_cannot_be_resolved_holds_nobody_else_up(network_cluster, automatic):
    howdah = automatic(network_cluster, servers=[{"hostgroup_id": 20, "hostname": "pg4.invalid", "port": 5432}])
    primary = network_cluster.primary
    with Writers(howdah) as writers:
        primary.kill9()
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()


def test_a_commit_that_was_under_way_is_of_unknown_outcome_and_not_repeated(sync_cluster, automatic):
    howdah, primary = automatic(sync_cluster, ha_durability="sync"), sync_cluster.primary
    with psycopg.connect(**howdah.target().libpq()) as connection:
        connection.execute(f"INSERT INTO {TABLE} VALUES (-1, 1, 0, 1)")
        sync_cluster.network.cut("pg1", "pg2", "pg3")

        def kill_once_it_waits():
            wait_until(lambda: primary.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), 30)
            primary.kill9()
        killer = threading.Thread(target=kill_once_it_waits)
        killer.start()
        with pytest.raises(psycopg.Error) as failure:
            connection.commit()
        killer.join()
        assert failure.value.sqlstate == "08007", failure.value
    successor, _ = successor_of(howdah, primary)
    assert not successor.query(f"SELECT 1 FROM {TABLE} WHERE client = -1", dbname="appdb")


def test_a_rewired_standby_keeps_its_password_file_and_its_tls(network_cluster, automatic):
    cluster, primary = network_cluster, network_cluster.primary
    files = {}
    for node in cluster.nodes:
        rules = node.data / "pg_hba.conf"
        rules.write_text("hostnossl replication all samenet reject\n" + rules.read_text())
        files[node] = cluster.folder / f"{node.name}.pgpass"
    primary.query("ALTER ROLE replicator PASSWORD 'rotated'")
    for node in cluster.replicas:
        files[node].write_text("*:*:*:replicator:rotated\n")
        files[node].chmod(0o600)
        cluster.os_user.own(files[node])
    for node in cluster.nodes:
        node.query("SELECT pg_reload_conf()")
    for node in cluster.replicas:
        node.set("primary_conninfo", f"'host={primary.host} port={primary.port} user=replicator "
                 f"passfile={files[node]} sslmode=verify-ca sslrootcert={cluster.authority.ca} application_name={node.name}'")
    has_followers(primary, cluster.replicas)
    howdah = automatic(cluster)
    with Writers(howdah) as writers:
        primary.kill9()
        successor, survivors = successor_of(howdah, primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    for node in survivors:
        conninfo = node.setting("primary_conninfo")
        assert f"passfile={files[node]}" in conninfo and "sslmode=verify-ca" in conninfo, conninfo
        assert "rotated" not in conninfo and PASSWORDS["replicator"] not in conninfo
    assert successor.query("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)") == [(True,)]
    assert "rotated" not in howdah.log_text() and at(successor) in howdah.log_text()
    writers.check_one_writer_at_a_time()
