"""Replication connections through Howdah: PostgreSQL's own programs and a subscription."""
import os
import shutil
import signal
import subprocess

import psycopg
import pytest
from howdah_test import Cluster
from howdah_test.cluster import BIN, PASSWORDS, Node
from howdah_test.proxy import user
from howdah_test.wait import wait_until
from howdah_test.wire import CANCEL_REQUEST, RawClient, WireError, packet

pytestmark = pytest.mark.needs_howdah


@pytest.fixture(scope="module")
def publisher(template, workspace):
    """A primary with wal_level = logical and one standby."""
    own = Cluster(template, workspace / "publisher", replicas=1)
    own.primary.query("ALTER SYSTEM SET wal_level = logical")
    own.primary.query("GRANT pg_read_all_data TO replicator")
    own.primary.stop()
    own.primary.start()
    yield own
    own.close()


@pytest.fixture(scope="module")
def proxy(publisher, workspace, program):
    """The publisher's Howdah; the user `replicator` may replicate."""
    from howdah_test import Howdah  # pylint: disable=import-outside-toplevel
    one = Howdah(publisher, workspace / "replication-howdah", program, users=[user("replicator")])
    one.start()
    yield one
    one.close()


@pytest.fixture
def programs(publisher):
    """Runs PostgreSQL's programs as the servers' OS user; those that still run are ended."""
    running = []

    class Programs:
        @staticmethod
        def environment(proxy, **changes):
            # The caller's home may be closed to them.
            return {**proxy.target(user="replicator").environment(**changes), "HOME": "/"}

        def run(self, proxy, name, *arguments, **changes):
            return publisher.os_user.run(BIN / name, *arguments, env=self.environment(proxy, **changes))

        def start(self, proxy, name, *arguments, **changes):
            command = publisher.os_user.command(BIN / name, *arguments, death_signal="KILL")
            running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, text=True, cwd="/",
                                            env=self.environment(proxy, **changes)))
            return running[-1]

    yield Programs()
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def folder(workspace, publisher, request):
    """An empty folder of the servers' OS user."""
    path = workspace / f"files-{request.node.name[:40].replace('/', '_').replace('[', '_').rstrip(']')}"
    path.mkdir()
    path.chmod(0o700)
    yield publisher.os_user.own(path)
    shutil.rmtree(path)


def walsenders(node, name):
    """Walsenders with that application_name: (pid, state)."""
    return node.query("SELECT pid, state FROM pg_stat_replication WHERE application_name = %s", [name])


def slot_is_active(node, slot):
    return node.query("SELECT active FROM pg_replication_slots WHERE slot_name = %s", [slot]) == [(True,)]


def drop_slot(node, slot):
    wait_until(lambda: not slot_is_active(node, slot), 20, f"slot {slot} is free")
    node.query("SELECT pg_drop_replication_slot(%s)", [slot])


@pytest.mark.parametrize("wal", ["stream", "fetch"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_base_backup_taken_through_howdah_starts_and_has_the_data(
        publisher, proxy, programs, folder, workspace, wal, tls):
    table = f"backed_up_{wal}_{'tls' if tls else 'plain'}"
    publisher.primary.query(f"CREATE TABLE {table} AS SELECT n, md5(n::text) FROM generate_series(1, 20000) n",
                            dbname="appdb")
    changes = proxy.target().verified_tls() if tls else {}
    data = folder / "backup"
    programs.run(proxy, "pg_basebackup", "-D", data, "-X", wal, "--checkpoint=fast", "--no-sync", **changes)
    programs.run(proxy, "pg_verifybackup", data)
    restored = Node("restored", data, publisher.os_user, workspace)
    restored.configure()
    restored.start()
    try:
        assert restored.query(f"SELECT count(*), max(n) FROM {table}", dbname="appdb") == [(20000, 20000)]
    finally:
        restored.stop(fast=False)


def test_a_base_backup_over_tls_on_both_sides_is_encrypted_on_both_sides(
        publisher, make_howdah, programs, folder):
    both = make_howdah(publisher, users=[user("replicator", use_ssl=True)],
                       variables={"server_sslmode": "verify-full", "ssl_p2s_ca": str(publisher.authority.ca)})
    for row in both.config["servers"]:
        row["hostname"] = "localhost"
    both.reload()
    both.wait_for_log("reload: .*")
    changes = both.target().verified_tls()
    receiver = programs.start(both, "pg_receivewal", "-D", folder, "--no-loop", **changes)
    senders = wait_until(lambda: publisher.primary.query(
        "SELECT ssl FROM pg_stat_replication JOIN pg_stat_ssl USING (pid) WHERE usename = 'replicator' "
        "AND application_name = 'test' AND state = 'streaming'"), 30,
        lambda: f"a walsender: {receiver.poll()} {both.log_text()}")
    assert senders == [(True,)]
    receiver.send_signal(signal.SIGINT)
    assert receiver.wait(30) == 0


def test_receivewal_with_a_slot_gets_every_segment(publisher, proxy, programs, folder):
    primary = publisher.primary
    programs.run(proxy, "pg_receivewal", "--create-slot", "--slot=archive")
    receiver = programs.start(proxy, "pg_receivewal", "-D", folder, "--slot=archive", "--no-loop", "--synchronous")
    try:
        wait_until(lambda: slot_is_active(primary, "archive"), 30, "the slot is in use")
        last = None
        for number in range(3):
            primary.query(f"CREATE TABLE archived_{number} AS SELECT generate_series(1, 10000) n", dbname="appdb")
            last = primary.query("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
            primary.query("SELECT pg_switch_wal()")
        wait_until(lambda: (folder / last).exists(), 60, lambda: f"{last} in {os.listdir(folder)}")
        # What has arrived is what the primary has.
        original = (primary.data / "pg_wal" / last).read_bytes()
        assert (folder / last).read_bytes() == original
        # Its feedback has arrived, too: the slot moves on.
        wait_until(lambda: primary.query("SELECT pg_walfile_name(restart_lsn) > %s FROM pg_replication_slots "
                                         "WHERE slot_name = 'archive'", [last])[0][0], 30, "the slot moves on")
    finally:
        receiver.send_signal(signal.SIGINT)
        assert receiver.wait(30) == 0
        drop_slot(primary, "archive")


def test_recvlogical_gets_the_changes_in_order(publisher, proxy, programs, folder):
    primary = publisher.primary
    primary.query("CREATE TABLE decoded (n int PRIMARY KEY)", dbname="appdb")
    slot = ("--slot=decoding", "--dbname=appdb")
    programs.run(proxy, "pg_recvlogical", *slot, "--create-slot", "--plugin=test_decoding")
    changes = folder / "changes"
    receiver = programs.start(proxy, "pg_recvlogical", *slot, "--start", f"--file={changes}", "--no-loop",
                              "--fsync-interval=0", "--option=include-xids=0")
    try:
        wait_until(lambda: slot_is_active(primary, "decoding"), 30, "the slot is in use")
        with psycopg.connect(**proxy.target().libpq(user="appuser"), autocommit=True):
            for n in range(3):
                primary.query("INSERT INTO decoded VALUES (%s)", [n], dbname="appdb")
        expected = [line for n in range(3) for line in
                    ("BEGIN", f"table public.decoded: INSERT: n[integer]:{n}", "COMMIT")]
        wait_until(lambda: changes.exists() and changes.read_text().splitlines() == expected, 30,
                   lambda: f"changes: {changes.exists() and changes.read_text()}")
    finally:
        receiver.send_signal(signal.SIGINT)
        assert receiver.wait(30) == 0
        drop_slot(primary, "decoding")


def test_a_subscription_copies_the_tables_and_follows_the_changes(publisher, proxy, template, workspace):
    primary = publisher.primary
    primary.query("CREATE TABLE shop (id int PRIMARY KEY, what text);"
                  "INSERT INTO shop SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n;"
                  "CREATE PUBLICATION all_of_it FOR TABLE shop", dbname="appdb")
    other = Cluster(template, workspace / "subscriber", replicas=0)
    try:
        there = other.primary
        there.query("CREATE TABLE shop (id int PRIMARY KEY, what text)", dbname="appdb")
        there.query(f"CREATE SUBSCRIPTION through_howdah CONNECTION 'host={proxy.host} port={proxy.port} "
                    f"dbname=appdb user=replicator password={PASSWORDS['replicator']}' PUBLICATION all_of_it",
                    dbname="appdb")
        rows = "SELECT count(*), count(*) FILTER (WHERE what = 'changed') FROM shop"
        wait_until(lambda: there.query(rows, dbname="appdb") == [(5000, 0)], 60, "the tables are copied")
        # The writes go through Howdah as well.
        with psycopg.connect(**proxy.target().libpq(), autocommit=True) as client:
            client.execute("SELECT 1")
        primary.query("UPDATE shop SET what = 'changed' WHERE id <= 100; DELETE FROM shop WHERE id > 4000; "
                      "INSERT INTO shop VALUES (9999, 'new')", dbname="appdb")
        wait_until(lambda: there.query(rows, dbname="appdb") == [(4001, 100)], 60,
                   lambda: f"the changes arrive: {there.query(rows, dbname='appdb')}")
        assert walsenders(primary, "through_howdah")[0][1] == "streaming"
        there.query("DROP SUBSCRIPTION through_howdah", dbname="appdb")
        # Its slot is gone, too: that went over a replication connection.
        assert primary.query("SELECT 1 FROM pg_replication_slots WHERE slot_name = 'through_howdah'") == []
    finally:
        other.close()


def test_a_standby_streams_through_howdah(publisher, proxy, programs, folder, workspace):
    data = folder / "standby"
    programs.run(proxy, "pg_basebackup", "-D", data, "-X", "stream", "--checkpoint=fast", "--no-sync", "-R")
    standby = Node("cascaded", data, publisher.os_user, workspace)
    standby.os_user.own(data / "standby.signal")
    (data / "node.conf").write_text(f"port = {standby.port}\nunix_socket_directories = '{workspace}'\n")
    standby.os_user.own(data / "node.conf")
    standby.start()
    try:
        publisher.primary.query("CREATE TABLE streamed AS SELECT 42 AS answer", dbname="appdb")
        wait_until(lambda: standby.query("SELECT to_regclass('streamed') IS NOT NULL", dbname="appdb") == [(True,)],
                   30, lambda: f"the standby follows\n{standby.log_text()[-2000:]}")
        assert standby.query("SELECT sender_port FROM pg_stat_wal_receiver") == [(proxy.port,)]
    finally:
        standby.stop(fast=False)


def test_psql_can_identify_the_system_and_run_sql(publisher, proxy, programs):
    info = "dbname=appdb replication=database"
    rows = programs.run(proxy, "psql", info, "-AtX", "-c", "IDENTIFY_SYSTEM", "-c", "SHOW wal_level",
                        "-c", "SELECT current_database(), pg_is_in_recovery()").splitlines()
    system, timeline, _, database = rows[0].split("|")
    assert (system, timeline, database) == (
        *map(str, publisher.primary.query("SELECT system_identifier FROM pg_control_system()")[0]), "1", "appdb")
    assert rows[1:] == ["logical", "appdb|f"]
    physical = programs.run(proxy, "psql", "replication=true", "-AtX", "-c", "IDENTIFY_SYSTEM")
    assert physical.strip().split("|")[0] == system


def test_the_server_decides_who_may_replicate(proxy):
    with RawClient(proxy.host, proxy.port) as client, pytest.raises(WireError) as refused:
        client.log_in("appuser", PASSWORDS["appuser"], "appdb", replication="database")
    assert (refused.value.fields["S"], refused.value.sqlstate) == ("FATAL", "42501")
    assert "walsender" in refused.value.message or "replication" in refused.value.message


def test_a_wrong_password_is_refused_by_howdah(proxy):
    with RawClient(proxy.host, proxy.port) as client, pytest.raises(WireError) as refused:
        client.log_in("replicator", "wrong", "appdb", replication="true")
    assert refused.value.sqlstate == "28P01"


def test_a_cancel_reaches_a_replication_command(publisher, proxy):
    with RawClient(proxy.host, proxy.port) as client:
        client.log_in("replicator", PASSWORDS["replicator"], "appdb", replication="database",
                      application_name="to_be_cancelled")
        client.send(b"Q" + (4 + len("SELECT pg_sleep(100)") + 1).to_bytes(4, "big") + b"SELECT pg_sleep(100)\0")
        wait_until(lambda: publisher.primary.query(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'to_be_cancelled' "
            "AND wait_event = 'PgSleep'"), 20, "it sleeps")
        with RawClient(proxy.host, proxy.port) as canceller:
            canceller.send(packet(CANCEL_REQUEST.to_bytes(4, "big") + client.key))
            assert canceller.at_end()
        messages = client.read_until("Z")
        assert messages[-2][0] == "E" and b"57014" in messages[-2][1]


def test_the_stream_survives_nothing_but_reports_the_death_of_its_server(own_cluster, make_howdah):
    """kill -9 of the primary: the client of the stream is told, and can come back after a failover."""
    howdah = make_howdah(own_cluster, users=[user("replicator")],
                         variables={"monitor_ping_interval": 200, "monitor_read_only_interval": 200})
    with RawClient(howdah.host, howdah.port) as client:
        client.log_in("replicator", PASSWORDS["replicator"], "appdb", replication="true")
        own_cluster.primary.kill9()
        try:
            kinds = [kind for kind, _ in iter(client.read, None)]
        except (EOFError, ConnectionResetError):
            kinds = []
        assert set(kinds) <= {"E", "N"}
    own_cluster.replicas[0].promote()

    def comes_back():
        with RawClient(howdah.host, howdah.port) as again:
            try:
                again.log_in("replicator", PASSWORDS["replicator"], "appdb", replication="true")
            except (WireError, EOFError):
                return False
            return True
    wait_until(comes_back, 30, lambda: howdah.log_text()[-3000:])
