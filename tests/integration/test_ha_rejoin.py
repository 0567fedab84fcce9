"""One command makes an old primary a streaming standby again, by conf/agent.sh."""
from pathlib import Path

import psycopg
import pytest
from howdah_test.cluster import BIN, PASSWORDS
from howdah_test.proxy import READER
from howdah_test.recovery import admin, at, has_followers, readers, streams, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AGENT = Path(__file__).resolve().parents[2] / "conf" / "agent.sh"
REWIND = ("pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean), pg_read_binary_file(text), "
          "pg_read_binary_file(text, bigint, bigint, boolean)")


@pytest.fixture
def with_agent(own_cluster, make_howdah):
    """Howdah in automatic mode; its agent works on this machine, where both are one user's."""
    streams(own_cluster)
    own_cluster.primary.query(f"GRANT EXECUTE ON FUNCTION {REWIND} TO replicator")
    conf = own_cluster.folder / "agent.conf"
    conf.write_text(f"AGENT_BIN={BIN}\nAGENT_FILES=node.conf\n", encoding="utf-8")
    own_cluster.os_user.own(conf)

    def start(**variables):
        howdah = make_howdah(own_cluster, variables={
            "datadir": str(own_cluster.folder), "ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
            "ha_password": PASSWORDS["howdah_ha"], "ha_agent": f"env HOWDAH_AGENT_CONF={conf} {AGENT}", **variables})
        howdah.wait_for_log(rf"ha: {at(own_cluster.primary)}: .* the writer of epoch 1")
        return howdah
    return start


def insert(howdah, message):
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        connection.execute("INSERT INTO replication_test (message) VALUES (%s)", [message])


def has_rows(node, messages):
    wait_until(lambda: [r[0] for r in node.query("SELECT message FROM replication_test ORDER BY id", dbname="appdb")]
               == messages, 30, f"{node.name} has the rows")


def is_back(howdah, old, successor, survivors, messages):
    has_followers(successor, [old, *survivors])
    has_rows(old, messages)
    wait_until(lambda: ("ONLINE",) in admin(howdah, "SELECT status FROM runtime_pgsql_servers WHERE "
                                            f"hostgroup_id = {READER} AND port = {old.port}"), 30, "it is a reader")
    assert old.setting("port") == str(old.port), "its own configuration"
    assert old.setting("default_transaction_read_only") == "off", "it is not fenced any more"
    assert old.setting("synchronous_standby_names") == ""


def test_a_killed_primary_is_rewound_and_follows(own_cluster, with_agent):
    howdah, old = with_agent(), own_cluster.primary
    insert(howdah, "before")
    old.kill9()
    successor, survivors = successor_of(howdah, old)
    insert(howdah, "after")
    old.leave_to_others()
    [(answer, _, recovery)] = admin(howdah, f"REJOIN '{at(old)}'")
    assert answer == f"rejoin {at(old)}"
    is_back(howdah, old, successor, survivors, ["before", "after"])
    wait_until(lambda: old.port in readers(howdah, 1), 30, "it answers reads")
    steps = [row[0] for row in admin(howdah, f"SELECT what FROM ha.recovery_steps WHERE recovery_id = {recovery}")]
    assert any(what.startswith(f"rewind {at(old)}") for what in steps), steps
    assert not list(own_cluster.folder.glob("pg1.*rejoin*")) and not list(own_cluster.folder.glob("*.howdah-conf"))


def test_a_returned_primary_with_rows_of_its_own_is_rewound(own_cluster, with_agent):
    howdah, old = with_agent(), own_cluster.primary
    insert(howdah, "before")
    old.kill9()
    successor, survivors = successor_of(howdah, old)
    old.start()
    old.query("SET default_transaction_read_only = off; INSERT INTO replication_test (message) VALUES ('of nobody')",
              dbname="appdb")
    insert(howdah, "after")
    howdah.wait_for_log(rf"fence {at(old)}: .*: done")
    with psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin", dbname="admin",
                         autocommit=True) as connection:
        connection.execute(f"REJOIN '{at(old)}'")
    old.leave_to_others()
    is_back(howdah, old, successor, survivors, ["before", "after"])


def test_what_cannot_be_rewound_is_copied_and_kept_aside(own_cluster, with_agent):
    howdah, old = with_agent(), own_cluster.primary
    insert(howdah, "before")
    old.kill9()
    successor, survivors = successor_of(howdah, old)
    insert(howdah, "after")
    old.leave_to_others()
    (old.data / "global" / "pg_control").write_bytes(b"torn")
    admin(howdah, f"REJOIN '{at(old)}'")
    is_back(howdah, old, successor, survivors, ["before", "after"])
    assert len(list(own_cluster.folder.glob("pg1.before-rejoin-*"))) == 1


def test_a_switchover_takes_the_old_primary_along(own_cluster, with_agent):
    howdah, old = with_agent(), own_cluster.primary
    insert(howdah, "before")
    [(_, to, _)] = admin(howdah, f"SWITCHOVER '{at(old)}'")
    successor = own_cluster.node_at(to.rpartition(":")[2])
    old.leave_to_others()
    insert(howdah, "after")
    howdah.wait_for_log(f"rejoin complete: rejoin {at(old)}", 60)
    is_back(howdah, old, successor, [n for n in own_cluster.replicas if n is not successor], ["before", "after"])


def test_without_an_agent_the_commands_are_shown_and_nothing_is_done(own_cluster, with_agent):
    howdah, old = with_agent(ha_agent=""), own_cluster.primary
    old.kill9()
    successor, survivors = successor_of(howdah, old)
    with pytest.raises(psycopg.Error, match=r"no agent is configured \(ha_agent\)"):
        admin(howdah, f"REJOIN '{at(old)}'")
    shown = "\n".join(row[0] for row in admin(howdah, f"REJOIN '{at(old)}' DRY RUN"))
    assert f"pg_rewind --target-pgdata='{old.data}'" in shown and "password=****" in shown
    assert PASSWORDS["replicator"] not in shown
    # A survivor needs no agent: SQL is enough.
    survivors[0].set("primary_conninfo", "''")
    admin(howdah, f"REJOIN '{at(survivors[0])}'")
    has_followers(successor, survivors)


def test_an_agent_that_fails_is_said_and_can_be_asked_again(own_cluster, with_agent):
    howdah, old = with_agent(), own_cluster.primary
    old.kill9()
    successor, survivors = successor_of(howdah, old)
    old.leave_to_others()
    conf = own_cluster.folder / "agent.conf"
    right = conf.read_text(encoding="utf-8")
    conf.write_text("AGENT_SHELL=no-such-shell\n", encoding="utf-8")
    with pytest.raises(psycopg.Error, match=r"stop .*it ended with exit code 127: .*no-such-shell"):
        admin(howdah, f"REJOIN '{at(old)}'")
    assert admin(howdah, "SELECT kind, successful FROM ha.recoveries ORDER BY id")[-1][0] == "rejoin"
    conf.write_text(right, encoding="utf-8")
    admin(howdah, f"REJOIN '{at(old)}'")
    has_followers(successor, [old, *survivors])


@pytest.fixture
def deadly_agent(own_cluster):
    """deadly_agent(action, moment): an agent that kills Howdah the first time it is asked for that."""
    def make(action, moment):
        script = own_cluster.folder / "deadly-agent.sh"
        kill = f'[[ $HOWDAH_ACTION = {action} && ! -e {script}.done ]] && touch {script}.done && kill -9 $PPID'
        before, after = (kill, "") if moment == "before" else ("", kill)
        script.write_text(f"#!/bin/bash\n{before}\n{AGENT} < /dev/null\nstatus=$?\n{after}\nexit $status\n", encoding="utf-8")
        script.chmod(0o755)
        own_cluster.os_user.own(script)
        return f"env HOWDAH_AGENT_CONF={own_cluster.folder / 'agent.conf'} {script}"
    return make


def order_and_die(howdah, sql):
    with pytest.raises(psycopg.OperationalError):
        admin(howdah, sql)
    howdah.wait()
    howdah.process = None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_howdah_that_dies_when_a_switchover_stops_the_primary_starts_it_again(own_cluster, with_agent, deadly_agent, moment):
    howdah, old = with_agent(ha_mode="manual", ha_agent=deadly_agent("stop", moment)), own_cluster.primary
    insert(howdah, "before")
    order_and_die(howdah, f"SWITCHOVER '{at(old)}'")
    old.leave_to_others()
    howdah.start()
    wait_until(lambda: can_insert(howdah, "after"), 60, howdah.log_text)
    assert old.query("SELECT NOT pg_is_in_recovery()") == [(True,)]
    has_followers(old, own_cluster.replicas)
    rows = admin(howdah, "SELECT kind, successful, ended_at IS NOT NULL FROM ha.recoveries")
    assert [(kind, bool(successful), bool(ended)) for kind, successful, ended in rows] == [("switchover", False, True)]
    [(_, to, _)] = admin(howdah, f"SWITCHOVER '{at(old)}'")
    successor = own_cluster.node_at(to.rpartition(":")[2])
    is_back(howdah, old, successor, [n for n in own_cluster.replicas if n is not successor], ["before", "after"])


def can_insert(howdah, message):
    try:
        insert(howdah, message)
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("action", ["rewind", "configure", "start"])
def test_a_howdah_that_dies_while_an_old_primary_is_taken_along_goes_on_with_it(own_cluster, with_agent, deadly_agent, action):
    howdah, old = with_agent(ha_mode="manual", ha_agent=deadly_agent(action, "before")), own_cluster.primary
    insert(howdah, "before")
    [(_, to, _)] = admin(howdah, f"SWITCHOVER '{at(old)}'")
    successor = own_cluster.node_at(to.rpartition(":")[2])
    howdah.wait()
    howdah.process = None
    old.leave_to_others()
    howdah.start()
    # The agent of the one that died may still bring it back, too.
    howdah.wait_for_log(f"rejoin complete: rejoin {at(old)}", 60)
    is_back(howdah, old, successor, [n for n in own_cluster.replicas if n is not successor], ["before"])
