"""Two Howdahs agree through etcd on who acts."""
import base64
import json
import shutil
import signal
import threading

import psycopg
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.cluster import PASSWORDS
from howdah_test.etcd import Etcd
from howdah_test.recovery import admin, at, has_followers, is_writable, successor_of, timeline
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

LEASE = 3
KEYS = {"key": base64.b64encode(b"/howdah/").decode(), "range_end": base64.b64encode(b"/howdah0").decode()}
ACTS = "Howdah {0}, this one, acts for this cluster"
PROMOTES = "promote .*: done"


@pytest.fixture
def etcd(network_cluster, tmp_path):
    one = Etcd(network_cluster, tmp_path / "etcd").start()
    yield one
    one.close()


@pytest.fixture
def two(network_cluster, automatic, etcd):
    """Two Howdahs, the first of which acts."""
    made = []
    for name, other in ("a", "a"), ("b", "a"):
        one = automatic(network_cluster, ha_etcd_endpoints=etcd.url, ha_lease=LEASE, ha_name=name)
        one.wait_for_log(ACTS.format("a") if name == "a" else f"Howdah {other} acts for this cluster")
        made.append(one)
    return made


def adopts(howdah, successor, epoch=2):
    howdah.wait_for_log(f"{at(successor)} is the writer of epoch {epoch}, as the Howdahs agreed in etcd", 40)


def failovers(howdah):
    return admin(howdah, "SELECT count(*) FROM ha.recoveries WHERE kind = 'failover'")[0][0]


def never_promoted(howdah):
    assert "pg_promote" not in howdah.log_text() and "failover complete" not in howdah.log_text()


def test_one_of_two_howdahs_fails_over_and_the_other_follows(network_cluster, two):
    leader, follower = two
    old = network_cluster.primary
    with Writers(leader) as ones, Writers(follower) as others:
        old.kill9()
        successor, survivors = successor_of(leader, old)
        adopts(follower, successor)
        ones.wait_for_rows(port=successor.port)
        others.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    assert timeline(successor) == 2
    assert not any(is_writable(node) for node in survivors)
    assert (int(failovers(leader)), int(failovers(follower))) == (1, 0)
    never_promoted(follower)
    ones.check_one_writer_at_a_time()
    others.check_one_writer_at_a_time()


def test_an_order_is_refused_by_the_howdah_that_does_not_act(network_cluster, two):
    _, follower = two
    with pytest.raises(Exception, match="Howdah a acts for this cluster"):
        admin(follower, f"SWITCHOVER '{at(network_cluster.primary)}'")


def test_the_other_howdah_takes_over_when_the_first_is_dead(network_cluster, two):
    leader, follower = two
    old = network_cluster.primary
    leader.kill9()
    follower.wait_for_log(ACTS.format("b"), 40)
    with Writers(follower) as writers:
        old.kill9()
        successor, survivors = successor_of(follower, old)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    leader.start()
    adopts(leader, successor)
    with Writers(leader) as writers:
        writers.wait_for_rows(port=successor.port)
    never_promoted(leader)


@pytest.mark.parametrize("moment", ["stop the WAL receiver of .*: done", "takes over: at"])
def test_a_failover_that_a_dead_howdah_began_is_ended_by_the_other(network_cluster, two, moment):
    leader, follower = two
    with Writers(follower) as writers:
        network_cluster.primary.kill9()
        leader.wait_for_log(moment)
        leader.kill9()
        successor = wait_until(
            lambda: next((node for node in network_cluster.replicas if is_writable(node)), None), 60,
            lambda: f"somebody is promoted\n{follower.log_text()[-4000:]}")
        writers.wait_for_rows(port=successor.port, timeout=60)
        other = next(node for node in network_cluster.replicas if node is not successor)
        has_followers(successor, [other])
    assert not is_writable(other) and timeline(successor) == 2
    writers.check_one_writer_at_a_time()


def test_a_howdah_that_stood_still_past_its_lease_does_nothing_when_it_goes_on(network_cluster, two):
    leader, follower = two
    old = network_cluster.primary
    old.kill9()
    leader.wait_for_log("stop the WAL receiver of .*: done")
    leader.signal(signal.SIGSTOP)
    follower.wait_for_log(ACTS.format("b"), 40)
    successor = wait_until(
        lambda: next((node for node in network_cluster.replicas if is_writable(node)), None), 60,
        lambda: f"somebody is promoted\n{follower.log_text()[-4000:]}")
    survivors = [node for node in network_cluster.replicas if node is not successor]
    has_followers(successor, survivors)
    leader.signal(signal.SIGCONT)
    adopts(leader, successor)
    with Writers(leader) as writers:
        writers.wait_for_rows(port=successor.port)
    assert timeline(successor) == 2
    assert not any(is_writable(node) for node in survivors)
    has_followers(successor, survivors)


@pytest.mark.parametrize("fault", ["dead", "silent"])
def test_without_etcd_nobody_is_promoted_and_the_cluster_is_served_on(network_cluster, two, etcd, fault):
    leader, follower = two
    with Writers(leader) as ones, Writers(follower) as others:
        etcd.signal(signal.SIGSTOP) if fault == "silent" else etcd.kill9()
        for howdah in two:
            howdah.wait_for_log("etcd does not answer, nobody may act without it")
        leader.wait_for_log("etcd does not answer: nobody may act", 40)
        ones.wait_for_rows(port=network_cluster.primary.port)
        others.wait_for_rows(port=network_cluster.primary.port)
    # Its lease has to end by itself.
    wait_until(lambda: "nobody may act" in str(admin(leader, "SELECT * FROM ha.gates")), 30, "the reason is told")
    network_cluster.primary.kill9()
    for howdah in two:
        howdah.wait_for_log("No failover: .*nobody may act")
        never_promoted(howdah)
    assert not any(is_writable(node) for node in network_cluster.replicas)
    etcd.signal(signal.SIGCONT) if fault == "silent" else etcd.start()
    wait_until(lambda: sum(is_writable(node) for node in network_cluster.replicas) == 1, 60,
               lambda: f"one is promoted\n{leader.log_text()[-4000:]}")


def test_a_howdah_that_is_stopped_leaves_its_place_at_once(two):
    leader, follower = two
    leader.signal(signal.SIGTERM)
    assert leader.wait() == 0
    leader.process = None
    follower.wait_for_log(ACTS.format("b"))


def test_etcd_is_asked_over_tls_with_a_client_certificate(network_cluster, automatic, make_howdah, tmp_path,
                                                         os_user):
    authority = network_cluster.authority
    cert, key = authority.client("howdah")
    os_user.own(key)
    etcd = Etcd(network_cluster, tmp_path / "etcd", (authority.ca, authority.cert, authority.key)).start()
    try:
        automatic(network_cluster, ha_etcd_endpoints=etcd.url, ha_etcd_ca_file=str(authority.ca),
                  ha_etcd_cert_file=str(cert), ha_etcd_key_file=str(key), ha_name="a").wait_for_log(ACTS.format("a"))
        stranger = make_howdah(network_cluster, variables={
            "ha_username": "howdah_ha", "ha_password": PASSWORDS["howdah_ha"], "ha_mode": "automatic",
            "ha_etcd_endpoints": etcd.url, "ha_etcd_ca_file": str(authority.other_ca)})
        stranger.wait_for_log("etcd does not answer, nobody may act without it: .*TLS: unable to get local issuer certificate")
        with Writers(stranger) as writers:  # it serves all the same
            writers.wait_for_rows(port=network_cluster.primary.port)
    finally:
        etcd.close()


def test_etcd_is_asked_as_a_user_also_when_it_has_forgotten_who_logged_in(network_cluster, automatic, make_howdah, etcd):
    etcd.ask("auth/user/add", name="root", password="root_pass")
    etcd.ask("auth/user/grant", user="root", role="root")
    etcd.ask("auth/role/add", name="howdahs")
    etcd.ask("auth/role/grant", name="howdahs", perm={"permType": "READWRITE", **KEYS})
    etcd.ask("auth/user/add", name="howdah", password="etcd_pass")
    etcd.ask("auth/user/grant", user="howdah", role="howdahs")
    etcd.ask("auth/enable")
    howdah = automatic(network_cluster, ha_etcd_endpoints=etcd.url, ha_etcd_username="howdah", ha_etcd_password="etcd_pass",
                       ha_lease=LEASE, ha_name="a")
    howdah.wait_for_log(ACTS.format("a"))
    stranger = make_howdah(network_cluster, variables={
        "ha_username": "howdah_ha", "ha_password": PASSWORDS["howdah_ha"], "ha_mode": "automatic",
        "ha_etcd_endpoints": etcd.url, "ha_etcd_username": "howdah", "ha_etcd_password": "wrong"})
    stranger.wait_for_log("etcd does not answer, nobody may act without it: .*(authentication failed|password)")
    etcd.kill9()  # logins are kept in its memory
    howdah.wait_for_log("etcd does not answer, nobody may act without it")
    before = len(howdah.log_text())
    etcd.start()
    howdah.wait_for_log("ha: etcd answers", after=before)
    network_cluster.primary.kill9()
    successor_of(howdah, network_cluster.nodes[0])


def test_an_endpoint_of_etcd_that_hangs_is_passed_over(network_cluster, automatic, etcd, tmp_path):
    hung = Etcd(network_cluster, tmp_path / "hung").start()
    hung.signal(signal.SIGSTOP)
    try:
        howdah = automatic(network_cluster, ha_etcd_endpoints=f"{hung.url};{etcd.url}", ha_lease=LEASE, ha_name="a")
        howdah.wait_for_log(ACTS.format("a"), 30)
        network_cluster.primary.kill9()
        successor_of(howdah, network_cluster.nodes[0])
    finally:
        hung.close()


def agreed_epochs(etcd):
    """Of the records that etcd holds."""
    found = etcd.ask("kv/range", **KEYS).get("kvs", [])
    return [json.loads(base64.b64decode(one["value"]))["record"]["epoch"] for one in found
            if base64.b64decode(one["key"]).endswith(b"/record")]


def test_an_etcd_that_was_restored_from_a_backup_does_not_bring_back_the_old_primary(network_cluster, two, etcd):
    leader, follower = two
    old = network_cluster.primary
    wait_until(lambda: agreed_epochs(etcd) == [1], 30, "the first epoch is agreed")
    etcd.kill9()
    shutil.copytree(etcd.folder / "data", etcd.folder / "backup")
    etcd.start()
    old.kill9()
    successor, _ = successor_of(leader, old)
    adopts(follower, successor)
    assert agreed_epochs(etcd) == [2]
    etcd.kill9()
    shutil.rmtree(etcd.folder / "data")
    (etcd.folder / "backup").rename(etcd.folder / "data")
    etcd.start()
    leader.wait_for_log("etcd has epoch 1, this Howdah's record epoch 2")
    with Writers(leader) as ones, Writers(follower) as others:
        wait_until(lambda: agreed_epochs(etcd) == [2], 40, lambda: leader.log_text()[-3000:] + follower.log_text()[-3000:])
        ones.wait_for_rows(port=successor.port)
        others.wait_for_rows(port=successor.port)
    assert {row.port for row in ones.rows + others.rows} == {successor.port}
    never_promoted(follower)


@pytest.mark.parametrize("moment", ["hold writers", "stop the WAL receiver of .*: done"])
def test_a_switchover_that_etcd_dies_in_is_undone_or_ended_when_it_is_back(network_cluster, two, etcd, moment):
    leader, follower = two
    old = network_cluster.primary
    with Writers(leader) as ones, Writers(follower) as others:
        ordered = threading.Thread(target=order_quietly, args=[leader, f"SWITCHOVER '{at(old)}'"])
        ordered.start()
        leader.wait_for_log(moment)
        etcd.kill9()
        leader.wait_for_log("etcd does not answer: nobody may act: .*Connection refused")
        before = len(leader.log_text())
        etcd.start()
        leader.wait_for_log("Howdah ., this one, acts|Howdah . acts", after=before)
        ordered.join(60)
        assert not ordered.is_alive()
        wait_until(lambda: sum(map(is_writable, network_cluster.nodes)) == 1, 30, "one of them writes")
        writer = next(node for node in network_cluster.nodes if is_writable(node))
        ones.wait_for_rows(port=writer.port)
        others.wait_for_rows(port=writer.port)
    ones.check_nothing_lost(writer)
    others.check_nothing_lost(writer)
    ones.check_one_writer_at_a_time()
    others.check_one_writer_at_a_time()


def order_quietly(howdah, sql):
    """Whether it is carried out or refused is all one."""
    try:
        admin(howdah, sql)
    except psycopg.Error:
        pass


def test_etcd_is_taken_into_use_and_out_again_by_a_reload(network_cluster, automatic, etcd):
    howdah = automatic(network_cluster, ha_lease=LEASE, ha_name="a")
    howdah.config["variables"]["ha_etcd_endpoints"] = etcd.url
    howdah.reload()
    howdah.wait_for_log(ACTS.format("a"))
    etcd.kill9()
    howdah.wait_for_log("etcd does not answer: nobody may act: .*Connection refused")
    howdah.config["variables"]["ha_etcd_endpoints"] = ""
    howdah.reload()
    howdah.wait_for_log("reload: ha_etcd_endpoints")
    network_cluster.primary.kill9()
    successor_of(howdah, network_cluster.nodes[0])


@pytest.mark.parametrize("variables, message", [
    ({"ha_etcd_endpoints": "etcd1:2379"}, "ha_etcd_endpoints: 'etcd1:2379' is not of the form http://host:port"),
    ({"ha_etcd_endpoints": "https://etcd1:2379", "ha_etcd_ca_file": "/nowhere"}, 'cannot load CA file "/nowhere"'),
    ({"ha_etcd_endpoints": "http://etcd1:2379", "ha_etcd_cert_file": "/x"},
     "ha_etcd_cert_file and ha_etcd_key_file belong together")])
def test_settings_of_etcd_that_cannot_be_used_are_told_at_the_start(calm_cluster, make_howdah, variables, message):
    howdah = make_howdah(calm_cluster, start=False, variables=variables)
    with pytest.raises(RuntimeError, match="howdah ended with [1-9]") as ended:
        howdah.start()
    howdah.process = None
    assert message in str(ended.value)
