"""A replaced primary is fenced whether or not somebody writes meanwhile, and the fence ends when an operator takes it back."""
import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import admin, at, is_fenced, streams, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


@pytest.mark.parametrize("mode", ["automatic", "manual"])
def test_a_replaced_primary_that_returns_while_nobody_writes_is_fenced_and_adopted(own_cluster, make_howdah, mode):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables={**AUTOMATIC, "ha_mode": mode})
    howdah.wait_for_log(rf"ha: {at(own_cluster.primary)}: .* the writer of epoch 1")
    old = own_cluster.primary
    old.kill9()
    if mode == "manual":
        howdah.wait_for_log(rf"DeadPrimary: {at(old)} is dead ")
        admin(howdah, f"RECOVER {at(old)}")
    successor, _ = successor_of(howdah, old)
    # Within an hour nobody else is promoted without an order: nobody writes.
    successor.kill9()
    howdah.wait_for_log(rf"DeadPrimary\w*: {at(successor)} is dead .*No failover: ")
    old.start()
    howdah.wait_for_log(rf"fence {at(old)}: .*: done")
    assert is_fenced(old)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), old.connect("appdb", "appuser") as client:
        client.execute("INSERT INTO replication_test (message) VALUES ('lost')")
    # An operator gives the later writes up.
    admin(howdah, f"ADOPT {at(old)}")
    wait_until(lambda: not is_fenced(old), 30, "the fence is gone")
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as client:
        assert client.execute("INSERT INTO replication_test (message) VALUES ('adopted') "
                              "RETURNING inet_server_port()").fetchone()[0] == old.port
