"""Two Howdahs agree through etcd on who acts."""
import signal

import pytest
from howdah_test.acknowledged import Writers
from howdah_test.cluster import PASSWORDS
from howdah_test.etcd import Etcd
from howdah_test.recovery import admin, at, has_followers, is_writable, successor_of, timeline
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

LEASE = 3
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
