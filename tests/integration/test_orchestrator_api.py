"""Orchestrator's API, asked as orchestrator-client asks: two HEADs and a GET by curl for each call, and what it prints."""
import json
import subprocess

import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.orchestrator_client import Client, drawn, key, keys, path_of
from howdah_test.recovery import admin, at, streams
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

HA = {"ha_mode": "manual", "ha_username": "howdah_ha", "ha_password": PASSWORDS["howdah_ha"],
      "ha_api_credentials": "ann:api_secret", "ha_api_tokens": "ci:0123456789abcdef"}


def is_known(howdah, cluster):
    """Howdah has written down who the writer is: from now on it may act."""
    howdah.wait_for_log(rf"ha: {at(cluster.primary)}: .* the writer of epoch 1")


@pytest.fixture
def watching(cluster, make_howdah):
    """A Howdah over the shared cluster, which it changes nothing of; and its client."""
    streams(cluster)
    howdah = make_howdah(cluster, variables=HA)
    is_known(howdah, cluster)
    client = Client(howdah)
    wait_until(lambda: client.analysis() == [], 30, lambda: f"nothing is wrong: {client.analysis()}")
    return howdah, client


def test_topology_of_a_healthy_idle_cluster_is_ok_everywhere(cluster, watching):
    _, client = watching
    # A standby that just started may have something left to replay.
    lines = wait_until(lambda: (found := drawn(client, cluster.primary)) and "null" not in str(found) and found, 30,
                       lambda: f"no lag is unknown: {drawn(client, cluster.primary)}")
    assert list(lines)[0] == at(cluster.primary)
    mark, facts = lines[at(cluster.primary)]
    assert mark == "" and facts[:2] == ["0s", "ok"] and facts[3:] == ["rw", ">>"], lines
    for node in cluster.replicas:
        mark, facts = lines[at(node)]
        assert mark == "+" and facts[:2] == ["0s", "ok"] and facts[3:] == ["ro", ">>"], lines


def test_reading_calls_answer_with_what_the_servers_are(cluster, watching):
    _, client = watching
    primary, standby = cluster.primary, cluster.replicas[0]
    everybody = sorted(at(node) for node in cluster.nodes)
    assert [one["ClusterName"] for one in client.call("clusters-info")] == [at(primary)]
    assert keys(client.call("all-instances")) == everybody
    assert keys(client.call(f"cluster/{at(standby)}")) == everybody
    assert keys(client.call("masters")) == [at(primary)]
    assert client.call(f"master/{at(standby)}")["ClusterName"] == at(primary)
    assert keys(client.call(f"instance-replicas/{path_of(primary)}")) == sorted(at(node) for node in cluster.replicas)
    assert key(client.call(f"instance/{path_of(standby)}")["MasterKey"]) == at(primary)
    assert keys(client.call(f"search?s={standby.port}%0A")) == [at(standby)]
    assert client.details("check-global-recoveries") == "enabled"
    assert client.call("downtimed/") == []
    assert client.call("raft-state") == "Leader"
    assert client.status("leader-check") == "200"
    found = client.call(f"instance/{path_of(standby)}")
    assert (found["ReplicationSQLThreadState"], found["ReplicationIOThreadState"]) == (1, 1)
    assert found["SecondsBehindMaster"] == {"Int64": 0, "Valid": True}


def test_what_operators_say_is_kept_and_shown(cluster, watching):
    _, client = watching
    standby = cluster.replicas[0]
    here = path_of(standby)
    assert key(client.details(f"begin-downtime/{here}/ann%0A/a%2Fb%20disk%0A/1h")) == at(standby)
    wait_until(lambda: keys(client.call("downtimed/")) == [at(standby)], 30, "the downtime is listed")
    assert client.call(f"instance/{here}")["DowntimeReason"] == "a/b disk"
    assert key(client.details(f"end-downtime/{here}")) == at(standby)
    wait_until(lambda: client.call("downtimed/") == [], 30, "the downtime is over")
    assert key(client.details(f"tag/{here}?tag=rack%3D7%0A")) == at(standby)
    wait_until(lambda: client.call(f"tags/{here}") == ["rack=7"], 30, "the tag is listed")
    assert keys(client.details(f"untag/{here}?tag=rack")) == [at(standby)]
    assert client.details("disable-global-recoveries") == "disabled"
    wait_until(lambda: client.details("check-global-recoveries") == "disabled", 30, "recoveries are off")
    assert client.details("enable-global-recoveries") == "enabled"
    assert [row["AuditType"] for row in client.call("audit")][:2] == ["enable-global-recoveries",
                                                                     "disable-global-recoveries"]


def test_the_mode_is_changed_at_run_time_and_memory_knows_it(watching):
    howdah, client = watching
    tables = ("runtime_global_variables", "global_variables")

    def shown():
        return [admin(howdah, f"SELECT variable_value FROM {t} WHERE variable_name = 'ha-mode'")[0][0] for t in tables]

    before = client.details("ha-mode")
    assert shown() == [before, before]
    assert "observe, manual or automatic" in client.error("ha-mode/auto")
    admin(howdah, "SET ha-recovery_block = 7777")
    for mode in ("observe", "automatic", before):
        assert client.details(f"ha-mode/{mode}") == mode
        wait_until(lambda: shown() == [mode, mode], 30, "both layers have it")
        assert client.details("ha-mode") == mode
    assert admin(howdah, "SELECT variable_value FROM runtime_global_variables WHERE variable_name = 'ha-recovery_block'") \
        != [("7777",)], "what was only prepared stays so"
    admin(howdah, "SAVE HA VARIABLES FROM RUNTIME")
    assert client.call("audit")[0]["AuditType"] == "ha-mode"


def test_every_answer_is_json_and_says_what_is_wrong(watching):
    _, client = watching
    assert "pg9:5432" in client.error("instance/pg9/5432")
    assert "graceful-master-takeover" in client.error("set-read-only/pg1/5432")
    assert client.status("no-such-call") == "404" and "no-such-call" in client.error("no-such-call")
    assert client.status("instance/%zz/1") == "400"
    assert client.status("clusters", "-X", "PUT") == "405"
    assert json.loads(client.curl("-H", "X: " + "x" * 20000, client.url))["Code"] == "ERROR"


def test_who_may_change_something(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={**HA, "ha_api_trust_loopback": False, "failed_login_delay": 0})
    client = Client(howdah)
    change = "disable-global-recoveries"
    assert client.status(change) == "401" and "Unauthorized" in client.error(change)
    assert client.status(change, "-u", "ann:wrong") == "401"
    assert client.status("clusters") == "200"
    for login in (["--basic", "--user", "ann:api_secret"], ["-H", "Authorization: Bearer 0123456789abcdef"]):
        assert client.details(change, *login) == "disabled"
        assert client.status(change, *login, "-H", "Origin: http://elsewhere.example") == "403"
    wait_until(lambda: {row["Message"].split(":")[0] for row in client.call("audit")} == {"ann", "ci"}, 30,
               lambda: f"the audit says who it was: {client.call('audit')}")


def test_a_page_of_another_site_cannot_use_the_trust_in_this_machine(watching):
    _, client = watching
    for header in ("Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Referer: http://evil.example/",
                   "Host: evil.example"):
        assert client.status("disable-global-recoveries", "-H", header) == "403", header
    assert client.status("disable-global-recoveries", "-H", "X-Forwarded-For: 10.0.0.9") == "401"
    assert client.details("check-global-recoveries") == "enabled"


def test_https_with_the_certificate_of_the_proxy(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={**HA, "ha_api_tls": True})
    client = Client(howdah, "--cacert", str(cluster.authority.ca), scheme="https")
    assert client.call("raft-health") == "healthy"
    done = subprocess.run(["curl", "-s", client.url.replace("https", "http")], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and not done.stdout


def test_recover_as_the_client_sends_it_promotes_one_and_lets_the_other_follow(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables=HA)
    is_known(howdah, own_cluster)
    client, old = Client(howdah), own_cluster.primary
    assert "Recovery not attempted" in client.error(f"recover/{path_of(own_cluster.replicas[0])}")
    old.kill9()
    wait_until(lambda: client.analysis()[:1] == [f"{at(old)} (cluster {at(old)}): DeadPrimary"], 30,
               lambda: f"the death is seen: {client.analysis()}")
    lines = drawn(client, old)
    assert lines[at(old)][1][:2] == ["unknown", "invalid"], lines
    assert all(key(client.call(f"instance/{path_of(node)}")["MasterKey"]) == at(old) for node in own_cluster.replicas)
    blocked = client.call("blocked-recoveries")
    assert [key(one["FailedInstanceKey"]) for one in blocked] == [at(old)] and "manual" in blocked[0]["Reason"]

    first, second = client.call(f"recover/{path_of(old)}"), client.call(f"recover/{path_of(old)}")
    assert first["Code"] == second["Code"] == "OK", (first, second)
    successor = own_cluster.node_at(first["Details"]["Port"])
    assert successor in own_cluster.replicas and second["Details"] == first["Details"]
    survivor = next(node for node in own_cluster.replicas if node is not successor)
    third = client.call(f"recover/{path_of(old)}/{path_of(survivor)}")
    assert third["Details"] == first["Details"] and at(survivor) in third["Message"]
    assert not successor.query("SELECT pg_is_in_recovery()")[0][0]
    assert survivor.query("SELECT pg_is_in_recovery()")[0][0]
    howdah.wait_for_log(rf"failover complete: Failed: {at(old)}; Promoted: {at(successor)}$")

    # Others may follow it: survivors that are rewired, an old primary that is fenced.
    failovers = [one for one in client.call("audit-recovery") if one["Kind"] == "failover"]
    assert [(key(one["AnalysisEntry"]["AnalyzedInstanceKey"]), key(one["SuccessorKey"]), one["IsSuccessful"])
            for one in failovers] == [(at(old), at(successor), True)]
    assert client.details("ack-all-recoveries?comment=verified%0A") == "verified"
    wait_until(lambda: all(one["Acknowledged"] for one in client.call("audit-recovery")), 30, "it is acknowledged")
    wait_until(lambda: key(client.call(f"instance/{path_of(survivor)}")["MasterKey"]) == at(successor), 30,
               "the survivor follows the successor")
    assert client.call(f"cluster-info/{at(old)}")["ClusterName"] == at(successor)
    steps = client.call(f"audit-recovery-steps/{failovers[0]['UID']}")
    assert any("promote" in step["Message"] for step in steps), steps


def test_a_graceful_takeover_names_the_successor(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables=HA)
    is_known(howdah, own_cluster)
    client, wanted = Client(howdah), own_cluster.replicas[1]
    taken = client.details(f"graceful-master-takeover-auto/{at(own_cluster.primary)}/{path_of(wanted)}")
    assert key(taken["SuccessorKey"]) == at(wanted)
    assert not wanted.query("SELECT pg_is_in_recovery()")[0][0]
    wait_until(lambda: keys(client.call("masters")) == [at(wanted)], 30, "the successor is the master")
