"""What hooks are told, by their variables, when a real primary dies."""
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import admin, at, streams, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"], "ha_hook_shell": True}
SAID = "{failureType} of {failedHost}:{failedPort}, downtime {isDowntimed}, {countReplicas} replicas {replicaHosts}"


def test_a_detection_names_the_downtime_and_the_standbys_and_a_recovery_the_successor(own_cluster, make_howdah):
    streams(own_cluster)
    told = own_cluster.folder / "told"
    told.mkdir()
    own_cluster.os_user.own(told)
    howdah = make_howdah(own_cluster, variables={
        **AUTOMATIC, "ha_on_failure_detection": f"echo {SAID} >> {told}/detected",
        "ha_post_failover": f"echo {SAID} to {{successorAlias}} >> {told}/recovered"})
    old = own_cluster.primary
    howdah.wait_for_log(rf"ha: {at(old)}: .* the writer of epoch 1")
    replicas = {at(node) for node in own_cluster.replicas}
    admin(howdah, f"DOWNTIME {at(old)} FOR 1h REASON 'disk'")
    old.kill9()
    howdah.wait_for_log(rf"DeadPrimary: {at(old)} is dead .*No failover: .*is in downtime: disk")

    def lines(name):
        return (told / name).read_text(encoding="utf-8").splitlines() if (told / name).exists() else []

    def of(line):
        """The line without the list of replicas, and the list, whose order means nothing."""
        start = line.index(" replicas ") + len(" replicas ")
        return line[:start].rstrip(), set(line[start:].split(" ")[0].split(","))  # of other detections it may be empty

    expected = (f"DeadPrimary of {old.host}:{old.port}, downtime true, 2 replicas", replicas)
    wait_until(lambda: expected in map(of, lines("detected")), 20, lambda: f"the detection: {lines('detected')}")
    admin(howdah, f"RECOVER {at(old)}")
    successor, _ = successor_of(howdah, old)
    wait_until(lambda: [of(line) for line in lines("recovered")] == [expected], 20,
               lambda: f"the recovery: {lines('recovered')}")
    assert lines("recovered")[0].endswith(f" to {successor.host}")
