"""What Prometheus sees of clusters and failovers, and which alerts follow."""
import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import admin, at, streams, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}
PROMOTE = "EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer)"


def scrape(howdah):
    with urllib.request.urlopen(f"http://{howdah.host}:{howdah.metrics_port}/metrics", timeout=30) as answer:
        return answer.read().decode()


def series(howdah, family):
    """{labels: value} of howdah_ha_<family>; labels are a frozenset of (name, value)."""
    found = {}
    for labels, value in re.findall(rf"^howdah_ha_{family}(?:{{(.*)}})? (\S+)$", scrape(howdah), re.M):
        found[frozenset(re.findall(r'(\w+)="([^"]*)"', labels))] = float(value)
    return found


def value(howdah, family, **labels):
    """The only series that has these labels, or None."""
    values = [number for key, number in series(howdah, family).items() if labels.items() <= dict(key).items()]
    assert len(values) <= 1, values
    return values[0] if values else None


def is_ready(howdah, ready):
    wait_until(lambda: value(howdah, "cluster_ready") == ready, 30,
               lambda: f"cluster_ready is {ready}\n{series(howdah, 'failover_ready')}")


def test_a_missing_grant_shows_on_every_server_that_lacks_it_until_it_is_given(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables={**AUTOMATIC, "ha_mode": "manual"})
    is_ready(howdah, 1)
    nodes = {at(node) for node in own_cluster.nodes}
    assert {(dict(key)["server"], dict(key)["reason"], number) for key, number in
            series(howdah, "failover_ready").items()} == {(name, "", 1) for name in nodes}

    own_cluster.primary.query(f"REVOKE {PROMOTE} FROM howdah_ha")
    is_ready(howdah, 0)
    wait_until(lambda: {(dict(key)["server"], dict(key)["reason"]) for key, number in
                        series(howdah, "failover_ready").items() if number == 0}
               == {(name, "grant_promote") for name in nodes}, 30, "all three lack it")
    assert value(howdah, "failover_ready", reason="") is None

    own_cluster.primary.query(f"GRANT {PROMOTE} TO howdah_ha")
    is_ready(howdah, 1)
    wait_until(lambda: "grant_promote" not in scrape(howdah), 30, "no series is left behind")


def test_a_failover_is_seen_from_the_problem_to_the_new_writer(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables=AUTOMATIC)
    is_ready(howdah, 1)
    old = own_cluster.primary
    assert value(howdah, "writer", server=at(old)) == 1
    assert (value(howdah, "epoch"), value(howdah, "timeline")) == (1, 1)
    assert value(howdah, "mode", mode="automatic") == 1
    assert value(howdah, "recoveries_total", kind="failover", outcome="successful") == 0
    assert series(howdah, "last_recovery_duration_seconds") == {} == series(howdah, "problem")
    for replica in own_cluster.replicas:
        wait_until(lambda name=at(replica): value(howdah, "missing_wal_bytes", server=name) == 0, 30, "it has all WAL")
    assert value(howdah, "writers_held", hostgroup="10") == 0

    old.kill9()
    successor, _ = successor_of(howdah, old)
    wait_until(lambda: value(howdah, "writer", server=at(successor)) == 1, 30, "the successor writes")
    wait_until(lambda: value(howdah, "recovery_under_way") == 0, 30, "all is done")
    assert (value(howdah, "epoch"), value(howdah, "timeline"), value(howdah, "writer", server=at(old))) == (2, 2, 0)
    assert value(howdah, "recoveries_total", kind="failover", outcome="successful") == 1
    assert value(howdah, "recoveries_total", kind="failover", outcome="failed") == 0
    assert value(howdah, "last_recovery_success", kind="failover") == 1
    [(took, writable)] = admin(howdah, "SELECT took_ms, writable_after_ms FROM ha.recoveries WHERE kind = 'failover'")
    assert round(value(howdah, "last_recovery_duration_seconds", kind="failover") * 1000) in (took, took + 1)
    assert round(value(howdah, "last_recovery_until_writable_seconds", kind="failover") * 1000) in (writable, writable + 1)
    wait_until(lambda: value(howdah, "failover_ready", server=at(old), reason="not_reachable") == 0, 30, "the old one is gone")
    assert value(howdah, "replay_lag_seconds", server=at(old)) is None
    age = value(howdah, "facts_age_seconds", server=at(old))
    wait_until(lambda: value(howdah, "facts_age_seconds", server=at(old)) > age, 30, "what is known of it grows older")
    # Nobody has acknowledged it: the next one needs an order.
    assert value(howdah, "gate_open", gate="past recoveries") == 0
    admin(howdah, "ACK RECOVERIES COMMENT 'seen'")
    wait_until(lambda: value(howdah, "gate_open", gate="past recoveries") == 1, 30, "the next one may come")
    done = subprocess.run(["promtool", "check", "metrics"], input=scrape(howdah), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_dead_primary_in_manual_mode_is_a_critical_problem_until_it_is_back(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables={**AUTOMATIC, "ha_mode": "manual"})
    is_ready(howdah, 1)
    old = own_cluster.primary
    old.kill9()
    wait_until(lambda: value(howdah, "problem", problem="DeadPrimary") == 1, 30, "it is seen")
    assert value(howdah, "problem", problem="DeadPrimary", server=at(old), severity="critical") == 1
    assert value(howdah, "gate_open", gate="mode") == 0
    old.start()
    wait_until(lambda: value(howdah, "problem", problem="DeadPrimary") is None, 60, "it is over")
    wait_until(lambda: value(howdah, "writer", server=at(old)) == 1, 60, "it writes again")


def fires(folder, alert, minutes, **values):
    """Whether an alert of conf/ fires after so many minutes in which series had these values, one a minute."""
    text = {"rule_files": [str(Path(__file__).resolve().parents[2] / "conf/prometheus-alerts.yml")], "evaluation_interval": "15s",
            "tests": [{"interval": "1m", "input_series": [{"series": name, "values": value} for name, value in values.items()],
                       "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []}]}]}
    file = folder / "alert.yml"
    file.write_text(json.dumps(text), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == ("SUCCESS" in output), output
    assert done.returncode == 0 or f'alertname="{alert}"' in output, output
    return done.returncode != 0


AUTO = {'howdah_ha_mode{instance="h",mode="automatic"}': "1x20"}
CLUSTER = '{instance="h",cluster="c"%s}'


def test_an_unready_failover_alerts_where_howdah_should_act_by_itself(tmp_path):
    unready = {"howdah_ha_cluster_ready" + CLUSTER % "": "0x20"}
    assert fires(tmp_path, "HowdahFailoverNotReady", 10, **unready, **AUTO)
    assert not fires(tmp_path, "HowdahFailoverNotReady", 10, **unready, **{name: "0x20" for name in AUTO})
    assert not fires(tmp_path, "HowdahFailoverNotReady", 1, **unready, **AUTO), "a moment is no reason to wake anybody"
    assert not fires(tmp_path, "HowdahFailoverNotReady", 10, **{name: "1x20" for name in unready}, **AUTO)


def test_a_critical_problem_alerts_until_it_is_over(tmp_path):
    problem = "howdah_ha_problem" + CLUSTER % ',server="pg1:5432",problem="DeadPrimary",severity="%s"'
    assert fires(tmp_path, "HowdahProblem", 10, **{problem % "critical": "1x20"})
    assert not fires(tmp_path, "HowdahProblem", 10, **{problem % "warning": "1x20"})
    assert not fires(tmp_path, "HowdahProblem", 10, **{problem % "critical": "1x2 stale"})


def test_the_first_failover_and_a_failed_one_alert(tmp_path):
    count = "howdah_ha_recoveries_total" + CLUSTER % ',kind="failover",outcome="%s"'
    assert fires(tmp_path, "HowdahFailover", 6, **{count % "successful": "0 0 0 1x10"})
    assert not fires(tmp_path, "HowdahFailover", 6, **{count % "successful": "0x10"})
    assert fires(tmp_path, "HowdahRecoveryFailed", 6, **{count % "failed": "0 0 0 1x10"})
    assert not fires(tmp_path, "HowdahRecoveryFailed", 6, **{count.replace("failover", "rewire") % "failed": "0 0 0 1x10"})


def test_what_hangs_or_is_blocked_alerts(tmp_path):
    for alert, name in (("HowdahRecoveryHangs", "howdah_ha_recovery_under_way" + CLUSTER % ""),
                        ("HowdahWritersHeld", 'howdah_ha_writers_held{instance="h",hostgroup="10"}')):
        assert fires(tmp_path, alert, 10, **{name: "1x20"}) and not fires(tmp_path, alert, 10, **{name: "0x20"})
    gate = "howdah_ha_gate_open" + CLUSTER % ',gate="%s"'
    assert fires(tmp_path, "HowdahFailoverBlocked", 10, **{gate % "past recoveries": "0x20"}, **AUTO)
    assert not fires(tmp_path, "HowdahFailoverBlocked", 10, **{gate % "diagnosis": "0x20"}, **AUTO)
    assert fires(tmp_path, "HowdahBlind", 10, howdah_ha_cycle_age_seconds="31x20")
    assert not fires(tmp_path, "HowdahBlind", 10, howdah_ha_cycle_age_seconds="1x20")
    assert fires(tmp_path, "HowdahRecoveriesDisabled", 90, howdah_ha_recoveries_enabled="0x100")


def test_a_failover_that_may_have_lost_something_alerts_for_an_hour(tmp_path):
    of = CLUSTER % ',kind="failover"'
    values = {"howdah_ha_last_recovery_loss_bytes" + of: "4096x100", "howdah_ha_last_recovery_timestamp_seconds" + of: "60x100"}
    assert fires(tmp_path, "HowdahFailoverMayHaveLost", 10, **values)
    assert not fires(tmp_path, "HowdahFailoverMayHaveLost", 70, **values)
    values["howdah_ha_last_recovery_loss_bytes" + of] = "0x100"
    assert not fires(tmp_path, "HowdahFailoverMayHaveLost", 10, **values)
