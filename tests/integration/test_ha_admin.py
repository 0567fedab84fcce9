"""High availability by SQL on the administration port, with real servers."""
import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import at
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

MANUAL = {"ha_mode": "manual", "ha_username": "howdah_ha", "ha_password": PASSWORDS["howdah_ha"]}


def ask(howdah, sql):
    with psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin", dbname="admin",
                         autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def watched(own_cluster, make_howdah):
    """Howdah in manual mode that knows who writes, over a primary with two streaming replicas."""
    wait_until(lambda: own_cluster.primary.query(
        "SELECT count(*) = 2 FROM pg_stat_replication WHERE state = 'streaming'")[0][0], 30,
        "both replicas stream")
    howdah = make_howdah(own_cluster, variables={**MANUAL, "datadir": str(own_cluster.folder)})
    wait_until(lambda: ask(howdah, "SELECT ready_for_failover FROM ha.clusters") == [(True,)], 30,
               "a failover would work")
    return howdah


def test_an_ordered_failover_answers_when_it_has_ended_and_is_in_the_history(own_cluster, watched):
    old = own_cluster.primary
    assert ask(watched, "SELECT writer, problem FROM ha.clusters") == [(at(old), None)]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        ask(watched, f"RECOVER {at(old)}")  # it lives
    assert ask(watched, "SELECT count(*) FROM ha.recoveries WHERE kind = 'failover' AND successful") == [(0,)]
    old.kill9()
    wait_until(lambda: ask(watched, "SELECT problem FROM ha.clusters") == [("DeadPrimary",)], 30, "it is seen")
    plan = "\n".join(line or "" for line, in ask(watched, f"RECOVER {at(old)} DRY RUN"))
    assert "pg_promote" in plan
    why = ask(watched, "SHOW HA WHY")
    assert any(about == "gate" and "ha_mode is manual" in sentence for _, about, sentence in why), why

    [(_, successor, recovery)] = ask(watched, f"RECOVER {at(old)}")
    promoted = next(node for node in own_cluster.replicas if at(node) == successor)
    survivor = next(node for node in own_cluster.replicas if node is not promoted)
    assert promoted.query("SELECT pg_is_in_recovery()") == [(False,)]
    assert ask(watched, f"SELECT failed, successor, successful, ordered_by, automatic FROM ha.recoveries "
                        f"WHERE id = {recovery}") == [(at(old), successor, True, "admin", False)]
    steps = ask(watched, f"SELECT server, outcome FROM ha.recovery_steps WHERE recovery_id = {recovery}")
    assert steps
    assert {outcome for _, outcome in steps} <= {"done", "already"}, steps
    wait_until(lambda: ask(watched, "SELECT writer FROM ha.clusters") == [(successor,)], 30, "it is the writer")
    wait_until(lambda: ask(watched, f"SELECT upstream FROM ha.servers WHERE port = {survivor.port}") ==
               [(successor,)], 30, "the survivor follows")
    # Said twice, done once.
    [(sentence, again, _)] = ask(watched, f"RECOVER {at(old)}")
    assert again == successor and "replaced" in sentence
    assert ask(watched, "SELECT count(*) FROM ha.recoveries WHERE kind = 'failover' AND successful") == [(1,)]
    ask(watched, "ACK RECOVERIES COMMENT 'seen'")
    assert ask(watched, f"SELECT acknowledged, acknowledge_comment FROM ha.recoveries WHERE id = {recovery}") == \
        [(True, "seen")]


def test_what_operators_say_outlives_howdah(own_cluster, watched):
    replica = own_cluster.replicas[0]
    ask(watched, f"DOWNTIME {at(replica)} FOR 2h REASON 'new disk'")
    ask(watched, f"TAG {at(replica)} rack=r1")
    ask(watched, f"SET PROMOTION RULE PREFER FOR {at(replica)}")
    ask(watched, "DISABLE RECOVERIES")
    watched.kill9()
    before = watched.log_text().count("admin interface on")
    watched.start(is_ready=lambda: watched.log_text().count("admin interface on") > before)
    wait_until(lambda: ask(watched, f"SELECT downtimed, tags, promotion_rule FROM ha.servers WHERE port = {replica.port}")
               == [(True, '{"rack":"r1"}', "prefer")], 30, "it knows")
    assert ask(watched, "SELECT port, owner, reason FROM ha.downtimes") == [(replica.port, "admin", "new disk")]
    assert ask(watched, "SELECT type FROM ha.audit WHERE ordered_by = 'admin' ORDER BY id") == [
        ("begin-downtime",), ("tag",), ("promotion-rule",), ("disable-global-recoveries",)]


def test_a_damaged_store_is_told_at_the_start_and_left_as_it_is(own_cluster, make_howdah):
    store = own_cluster.folder / "howdah_ha.db"
    store.write_bytes(b"x" * 5000)
    store.chmod(0o666)
    howdah = make_howdah(own_cluster, variables={**MANUAL, "datadir": str(own_cluster.folder)}, start=False)
    with pytest.raises(RuntimeError, match="howdah_ha.db: file is not a database; restore it from a backup"):
        howdah.start()
    howdah.process = None
    assert store.read_bytes() == b"x" * 5000
