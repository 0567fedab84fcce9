"""A DBA's day with a cluster: what is asked, in its order, and what must be answered. By kill -9 and by lost packets,
with somebody who orders the recovery and without."""
import threading

import psycopg
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.orchestrator_client import Client, drawn, key, path_of
from howdah_test.proxy import READER, WRITER
from howdah_test.recovery import admin, at, has_followers, is_fenced, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

# the fault, and the end of it
FAULTS = {
    "killed": (lambda cluster: cluster.primary.kill9(), lambda cluster: cluster.primary.start()),
    "packets lost": (lambda cluster: cluster.network.unplug("pg1"), lambda cluster: cluster.network.heal()),
}


class Readers:
    """Clients that read all the time, each statement alone; `errors` must stay empty."""

    def __init__(self, howdah, clients=8):
        self.howdah, self.errors, self.reads, self._stopped = howdah, [], 0, threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self):
        try:
            with psycopg.connect(**self.howdah.target().libpq(), autocommit=True) as connection:
                while not self._stopped.wait(0.02):
                    connection.execute("SELECT count(*) FROM replication_test")
                    self.reads += 1
        except psycopg.Error as error:
            self.errors.append(error)


def roles(howdah):
    return {(row[0], int(row[1]), row[2]) for row in admin(
        howdah, "SELECT hostgroup_id, port, status FROM runtime_pgsql_servers")}


def has_roles(howdah, writer, online, shunned):
    wanted = {(WRITER, writer.port, "ONLINE")} if writer else set()
    wanted |= {(READER, node.port, "ONLINE") for node in online} | {(READER, node.port, "SHUNNED") for node in shunned}
    wait_until(lambda: roles(howdah) == wanted, 30, lambda: f"{roles(howdah)} becomes {wanted}")


def write(howdah):
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        return connection.execute("INSERT INTO replication_test (message) VALUES ('x') RETURNING inet_server_port()"
                                  ).fetchone()[0]


def is_healthy(howdah, client, cluster):
    """Steps 1 to 7."""
    old = cluster.primary
    has_roles(howdah, old, cluster.replicas, [])
    assert admin(howdah, "SELECT count(*) FROM monitor.pgsql_server_ping_log WHERE ping_error != '' AND time_start_us > "
                 "(SELECT max(time_start_us) - 10000000 FROM monitor.pgsql_server_ping_log)") == [(0,)]
    assert write(howdah) == old.port
    wait_until(lambda: "null" not in str(drawn(client, old)) and client.analysis() == [], 30, "all is well")
    lines = drawn(client, old)
    assert lines[at(old)][0] == "" and lines[at(old)][1][3:] == ["rw", ">>"], lines
    assert all(lines[at(node)][0] == "+" and lines[at(node)][1][3:] == ["ro", ">>"] for node in cluster.replicas), lines
    assert client.details("check-global-recoveries") == "enabled"


def recovers_by_order(howdah, client, cluster):
    """Steps 8 and 10 to 13: nobody does anything until somebody says so."""
    old = cluster.primary
    has_roles(howdah, None, cluster.replicas, [old])
    wait_until(lambda: client.analysis()[:1] == [f"{at(old)} (cluster {at(old)}): DeadPrimary"], 30,
               lambda: f"the death is seen: {client.analysis()}")
    assert drawn(client, old)[at(old)][1][:2] == ["unknown", "invalid"]
    howdah.wait_for_log(rf"DeadPrimary: {at(old)} is dead .*No failover: ha_mode is manual")
    assert all(node.query("SELECT pg_is_in_recovery()")[0][0] for node in cluster.replicas)
    first, second = client.call(f"recover/{path_of(old)}"), client.call(f"recover/{path_of(old)}")
    assert first["Code"] == second["Code"] == "OK" and first["Details"] == second["Details"], (first, second)
    failovers = [one for one in client.call("audit-recovery") if one["Kind"] == "failover"]
    assert [key(one["SuccessorKey"]) for one in failovers] == [key(first["Details"])]
    assert client.details("ack-all-recoveries?comment=verified") == "verified"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", ["manual", "automatic"])
def test_the_walkthrough(network_cluster, automatic, mode, fault):
    howdah, old = automatic(network_cluster, ha_mode=mode), network_cluster.primary
    client = Client(howdah)
    fail, come_back = FAULTS[fault]
    is_healthy(howdah, client, network_cluster)
    with Readers(howdah) as reading, Writers(howdah) as writers:
        fail(network_cluster)
        if mode == "manual":
            recovers_by_order(howdah, client, network_cluster)
        successor, survivors = successor_of(howdah, old)
        howdah.wait_for_log(f"Detected DeadPrimary on {at(old)}")
        has_roles(howdah, successor, survivors, [old])
        assert write(howdah) == successor.port
        has_followers(successor, survivors)
        writers.wait_for_rows(port=successor.port)
        come_back(network_cluster)
        wait_until(lambda: is_fenced(old), 30, "the old primary is fenced")
        has_roles(howdah, successor, survivors, [old])
        writers.wait_for_rows(port=successor.port)
        assert any("ReturnedOldPrimary" in one for one in client.analysis()), client.analysis()
    assert not reading.errors and reading.reads > 100
    writers.check_loss_is_a_tail(successor)
    writers.check_one_writer_at_a_time()
    digests = admin(howdah, "SELECT hostgroup, digest_text FROM stats_pgsql_query_digest")
    assert all(where == WRITER for where, text in digests if text.startswith("insert")), digests
    assert READER in {where for where, text in digests if text.startswith("select count")}, digests
