"""Reads that never go back in time, while one replica stops replaying now and then and the other is late."""
import os
import random
import threading
import time

import psycopg
import pytest
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

CLIENTS = int(os.environ.get("HOWDAH_TEST_CLIENTS", "20"))
PAIRS = int(os.environ.get("HOWDAH_TEST_PAIRS", "4000"))


class Disturbance:
    """Pauses and resumes replay on one replica at random; the other replays 200 ms late."""

    def __init__(self, cluster, seed):
        self._paused, late = cluster.replicas
        late.query("ALTER SYSTEM SET recovery_min_apply_delay = '200ms'")
        late.query("SELECT pg_reload_conf()")
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.is_set():
            self._paused.query("SELECT pg_wal_replay_pause()")
            self._stop.wait(self._random.uniform(0, 0.3))
            self._paused.query("SELECT pg_wal_replay_resume()")
            self._stop.wait(self._random.uniform(0, 0.3))

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Client(threading.Thread):
    """Writes a number and reads it again, at once and after a pause; and looks whether what all have
    written ever gets less."""

    def __init__(self, howdah, number, pairs):
        super().__init__()
        self.connection = psycopg.connect(**howdah.target().libpq(), autocommit=True)
        self.number, self.pairs, self.random = number, pairs, random.Random(number)
        self.stale, self.backwards, self.ports, self.error = 0, 0, {}, None

    def read(self):
        own, total, port = self.connection.execute(
            "SELECT max(n) FILTER (WHERE client = %s), sum(n), inet_server_port() FROM pair",
            (self.number,)).fetchone()
        self.ports[port] = self.ports.get(port, 0) + 1
        return own, total

    def run(self):
        try:
            seen = 0
            for n in range(1, self.pairs + 1):
                self.connection.execute("UPDATE pair SET n = %s WHERE client = %s", (n, self.number))
                for pause in (0, self.random.choice((0, 0, 0.002, 0.02, 0.1))):
                    time.sleep(pause)
                    own, total = self.read()
                    self.stale += own < n
                    self.backwards += total < seen
                    seen = max(seen, total)
        except psycopg.Error as error:
            self.error = error
        finally:
            self.connection.close()


def run_pairs(cluster, howdah, pairs):
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        connection.execute("CREATE TABLE pair (client int PRIMARY KEY, n bigint NOT NULL)")
        connection.execute(f"INSERT INTO pair SELECT c, 0 FROM generate_series(1, {CLIENTS}) c")
    for replica in cluster.replicas:
        wait_until(lambda r=replica: r.query("SELECT to_regclass('pair')", dbname="appdb") != [(None,)], 20,
                   "the table is on the replica")
    with Disturbance(cluster, seed=7):
        clients = [Client(howdah, number, pairs // CLIENTS) for number in range(1, CLIENTS + 1)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert [c.error for c in clients if c.error] == []
    ports = {}
    for client in clients:
        for port, reads in client.ports.items():
            ports[port] = ports.get(port, 0) + reads
    return sum(c.stale for c in clients), sum(c.backwards for c in clients), ports


def test_a_client_sees_its_own_writes_and_never_goes_back(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster)
    stale, backwards, ports = run_pairs(own_cluster, howdah, PAIRS)
    print(f"{PAIRS} pairs: stale {stale}, backwards {backwards}, reads by server {ports}")
    assert (stale, backwards) == (0, 0)
    assert sum(ports.get(replica.port, 0) for replica in own_cluster.replicas) > 0


def test_eventual_reads_may_be_old(own_cluster, make_howdah):
    """Shows that the test above can fail."""
    howdah = make_howdah(own_cluster, variables={"read_consistency": "eventual"})
    stale, backwards, ports = run_pairs(own_cluster, howdah, 400)
    print(f"400 pairs: stale {stale}, backwards {backwards}, reads by server {ports}")
    assert stale > 0 and backwards > 0


def test_a_floor_is_handed_to_another_session(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster)
    for replica in own_cluster.replicas:
        replica.query("SELECT pg_wal_replay_pause()")
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as first, \
            psycopg.connect(**howdah.target().libpq(), autocommit=True) as second, \
            psycopg.connect(**howdah.target().libpq(), autocommit=True) as third:
        first.execute("INSERT INTO replication_test (message) VALUES ('seen')")
        floor = first.execute("SHOW howdah.lsn").fetchone()[0]
        assert floor == first.execute("SHOW howdah.lsn", prepare=True).fetchone()[0]
        second.execute(f"SET howdah.min_lsn = '{floor}'")
        count = "SELECT count(*), inet_server_port() FROM replication_test"
        assert second.execute(count).fetchone() == (1, own_cluster.primary.port)
        assert third.execute(count).fetchone()[0] == 0, "a session of its own that has seen nothing"
        for replica in own_cluster.replicas:
            replica.query("SELECT pg_wal_replay_resume()")
        def read_at_a_replica():
            seen, port = second.execute(count).fetchone()
            assert seen == 1
            return port in {replica.port for replica in own_cluster.replicas}
        wait_until(read_at_a_replica, 20, "a replica has caught up and answers")


def test_strong_reads_are_the_primarys(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables={"read_consistency": "strong"})
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        for _ in range(10):
            assert connection.execute("SELECT inet_server_port(), count(*) FROM replication_test").fetchone()[0] == \
                own_cluster.primary.port
