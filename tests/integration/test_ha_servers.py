"""ha_servers: what the configuration says of a server decides who is promoted, and is seen in every layer."""
import psycopg
import pytest
import yaml
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import admin, at, is_writable, streams, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


def told(node, **what):
    return {"hostname": node.host, "port": node.port, **what}


def is_known(howdah, cluster):
    howdah.wait_for_log(rf"ha: {at(cluster.primary)}: .* the writer of epoch 1")


def equal(cluster):
    """Both replicas have all that the primary wrote: nothing but the rules tells them apart."""
    wait_until(lambda: cluster.primary.query(
        "SELECT count(*) = 2 FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()")[0][0], 30,
        "both replicas have everything")


# Without a rule the first of the two is promoted.
@pytest.mark.parametrize("rule", ["prefer_not", "must_not"])
def test_a_standby_that_should_not_is_not_promoted(own_cluster, make_howdah, rule):
    streams(own_cluster)
    first, second = sorted(own_cluster.replicas, key=at)
    howdah = make_howdah(own_cluster, variables=AUTOMATIC, ha_servers=[told(first, promotion_rule=rule)])
    is_known(howdah, own_cluster)
    equal(own_cluster)
    own_cluster.primary.kill9()
    assert successor_of(howdah, own_cluster.primary)[0] is second
    assert not is_writable(first)


def test_the_only_standby_that_is_left_and_must_not_is_not_promoted(own_cluster, make_howdah):
    streams(own_cluster)
    first, second = own_cluster.replicas
    howdah = make_howdah(own_cluster, variables=AUTOMATIC, ha_servers=[told(first, promotion_rule="must_not")])
    is_known(howdah, own_cluster)
    second.kill9()
    howdah.wait_for_log(rf"{at(second)} .*refused")
    own_cluster.primary.kill9()
    howdah.wait_for_log(r"No failover: no server can be promoted")
    assert admin(howdah, f"SELECT eligible, reason FROM ha.candidates WHERE port = {first.port}") == [
        (0, "its promotion rule is must_not")]
    assert not is_writable(first)


def test_rules_are_reloaded_shown_and_saved_and_an_operators_word_counts_first(own_cluster, make_howdah):
    streams(own_cluster)
    first, second = sorted(own_cluster.replicas, key=at)
    howdah = make_howdah(own_cluster, variables=AUTOMATIC, ha_servers=[
        told(first, promotion_rule="prefer_not", data_center="west", tags={"role": "reports"})])
    is_known(howdah, own_cluster)
    columns = "SELECT promotion_rule, data_center, tags FROM ha.servers WHERE port = "
    assert admin(howdah, f"{columns}{first.port}") == [("prefer_not", "west", '{"role":"reports"}')]
    assert admin(howdah, f"{columns}{second.port}") == [("neutral", None, "{}")]
    # By SQL, as the file does it.
    with pytest.raises(psycopg.Error, match="ha server '127.0.0.1:1' is not among the servers"):
        admin(howdah, "INSERT INTO pgsql_ha_servers (hostname, port) VALUES ('127.0.0.1', 1); "
                      "LOAD PGSQL SERVERS TO RUNTIME")
    admin(howdah, "DELETE FROM pgsql_ha_servers WHERE port = 1; "
                  f"UPDATE pgsql_ha_servers SET promotion_rule = 'must_not' WHERE port = {first.port}; "
                  "LOAD PGSQL SERVERS TO RUNTIME")
    assert admin(howdah, "SELECT port, promotion_rule, tags FROM runtime_pgsql_ha_servers") == [
        (first.port, "must_not", '{"role":"reports"}')]
    wait_until(lambda: admin(howdah, f"{columns}{first.port}")[0][0] == "must_not", 20, "the rule is in force")
    saved = howdah.folder / "saved.yaml"
    admin(howdah, f"SAVE CONFIG TO FILE '{saved}'")
    assert yaml.safe_load(saved.read_text(encoding="utf-8"))["ha_servers"] == [
        told(first, promotion_rule="must_not", data_center="west", tags={"role": "reports"})]
    # By the file, while it runs.
    howdah.config["ha_servers"] = [told(second, promotion_rule="must_not")]
    howdah.reload()
    wait_until(lambda: admin(howdah, f"{columns}{second.port}")[0][0] == "must_not", 20, "the file is in force")
    assert admin(howdah, f"{columns}{first.port}") == [("neutral", None, "{}")]
    admin(howdah, f"SET PROMOTION RULE PREFER FOR {at(second)}")
    admin(howdah, f"SET PROMOTION RULE MUST_NOT FOR {at(first)}")
    equal(own_cluster)
    own_cluster.primary.kill9()
    assert successor_of(howdah, own_cluster.primary)[0] is second
