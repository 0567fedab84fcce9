"""Where another program manages a cluster, Howdah only observes: what administrators see, on real servers."""
import contextlib
import re

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import admin, at, is_writable, streams
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


def managed(node):
    """What is said of a server with a session of Patroni."""
    return rf"Patroni manages {re.escape(at(node))} \(a session is called Patroni heartbeat\): Howdah only observes"


@contextlib.contextmanager
def patroni(*nodes):
    """A session on each as Patroni's agent has it."""
    with contextlib.ExitStack() as stack:
        for node in nodes:
            stack.enter_context(psycopg.connect(host=node.host, port=node.port, user="postgres", dbname="postgres",
                                                password=PASSWORDS["postgres"], application_name="Patroni heartbeat",
                                                autocommit=True))
        yield


def is_known(howdah, cluster):
    howdah.wait_for_log(rf"ha: {at(cluster.primary)}: .* the writer of epoch 1")


def settings(node):
    return node.query("SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' ORDER BY 1, 2")


def test_nobody_is_promoted_beside_patroni_and_the_reason_is_said(own_cluster, make_howdah):
    streams(own_cluster)
    witness, other = own_cluster.replicas
    untouched = [settings(node) for node in own_cluster.replicas]
    with patroni(witness):
        howdah = make_howdah(own_cluster, variables=AUTOMATIC)
        is_known(howdah, own_cluster)
        howdah.wait_for_log(managed(witness))
        (ready, why), = admin(howdah, "SELECT ready_for_failover, readiness FROM ha.clusters")
        assert not ready and re.search(managed(witness), why)
        assert ("other_manager", 1) in admin(howdah, f"SELECT reason, blocking FROM ha.preflight WHERE port = {witness.port}")
        assert admin(howdah, "SELECT port, other_manager FROM ha.servers WHERE other_manager IS NOT NULL") == [
            (witness.port, "Patroni")]
        with pytest.raises(psycopg.Error, match=managed(witness)):
            admin(howdah, f"SWITCHOVER {at(own_cluster.primary)}")
        with pytest.raises(psycopg.Error, match=managed(witness)):
            admin(howdah, f"REWIRE {at(other)} TO {at(witness)}")
        own_cluster.primary.kill9()
        howdah.wait_for_log(rf"DeadPrimary: {at(own_cluster.primary)} is dead .*No failover: .*{managed(witness)}")
        assert any(re.search(managed(witness), " ".join(map(str, row))) for row in admin(howdah, "SHOW HA WHY"))
        with pytest.raises(psycopg.Error, match=managed(witness)):
            admin(howdah, f"RECOVER {at(own_cluster.primary)}")
        assert not any(is_writable(node) for node in own_cluster.replicas)
        assert [settings(node) for node in own_cluster.replicas] == untouched
        # An operator knows better.
        howdah.config["variables"]["ha_ignore_managers"] = "Patroni"
        howdah.reload()
        howdah.wait_for_log(rf"failover complete: Failed: {at(own_cluster.primary)}; Promoted: ", 40)
        assert sum(is_writable(node) for node in own_cluster.replicas) == 1


def test_in_manual_mode_recover_is_refused_with_the_reason(own_cluster, make_howdah):
    streams(own_cluster)
    witness = own_cluster.replicas[0]
    with patroni(own_cluster.primary, witness):
        howdah = make_howdah(own_cluster, variables={**AUTOMATIC, "ha_mode": "manual"})
        is_known(howdah, own_cluster)
        own_cluster.primary.kill9()
        howdah.wait_for_log(rf"DeadPrimary: {at(own_cluster.primary)} is dead ")
        with pytest.raises(psycopg.Error, match="Patroni manages .*: Howdah only observes"):
            admin(howdah, f"RECOVER {at(own_cluster.primary)}")
        assert not any(is_writable(node) for node in own_cluster.replicas)


def test_a_session_that_has_gone_still_counts(own_cluster, make_howdah):
    streams(own_cluster)
    witness = own_cluster.replicas[0]
    with patroni(witness):
        howdah = make_howdah(own_cluster, variables=AUTOMATIC)
        howdah.wait_for_log(managed(witness))
    wait_until(lambda: not witness.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'Patroni%'"), 30,
               "the session is gone")
    own_cluster.primary.kill9()
    howdah.wait_for_log(rf"DeadPrimary: {at(own_cluster.primary)} is dead .*No failover: .*{managed(witness)}")
    assert not any(is_writable(node) for node in own_cluster.replicas)
