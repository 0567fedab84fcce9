"""What the monitor makes of real servers: two primaries, another cluster, replication lag, slow start, servers that let
nobody in, certificates, names."""
import shutil
import time
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from howdah_test.cluster import BIN, PASSWORDS, Node
from howdah_test.proxy import READER, WRITER, servers_of, user
from howdah_test.wait import wait_until
from test_admin import admin
from test_metrics import metrics_of

pytestmark = pytest.mark.needs_howdah

# Often, and with patience: no server here is silent, and the machine may be slow.
FAST = {"ha_mode": "observe",  # what the monitor does by itself
        "monitor_ping_interval": 200, "monitor_ping_timeout": 10000, "monitor_read_only_interval": 200,
        "monitor_read_only_timeout": 10000, "monitor_connect_timeout": 10000, "monitor_replication_lag_interval": 100,
        "monitor_replication_lag_timeout": 10000, "connect_timeout_server": 10000, "connect_timeout_server_max": 5000,
        "monitor_slow_start": 0, "threads": 2}
READ = "SELECT inet_server_port(), count(*) FROM replication_test"
WRITE = "INSERT INTO replication_test (message) VALUES ('x') RETURNING inet_server_port()"


def connect(howdah, **changes):
    return psycopg.connect(**howdah.target().libpq(**changes), autocommit=True)


def shown(howdah, node, columns="status, reason"):
    """The node's row in monitor.pgsql_server_status, where it stands in one hostgroup."""
    with admin(howdah) as console:
        found = console.execute(f"SELECT {columns} FROM monitor.pgsql_server_status WHERE port = {node.port}").fetchall()
    assert len(found) == 1, found
    return found[0]


def wait_for_status(howdah, node, status, timeout=30):
    wait_until(lambda: shown(howdah, node)[0] == status, timeout, lambda: f"{status}: {shown(howdah, node)}")


def metric(howdah, name, **labels):
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in metrics_of(howdah).splitlines():
        if line.startswith(name + "{") and all(label in line for label in wanted):
            return float(line.split()[-1])
    return None


def write_port(howdah):
    """Where a write by a new client ends; None where it fails."""
    try:
        with connect(howdah) as connection:
            return connection.execute(WRITE).fetchone()[0]
    except psycopg.Error:
        return None


def test_a_replica_promoted_beside_its_primary_writes_and_the_old_primary_is_kept_out(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    old, (new, follower) = own_cluster.primary, own_cluster.replicas
    client = connect(howdah)
    assert client.execute(WRITE).fetchone()[0] == old.port
    assert metric(howdah, "howdah_split_brain", hostgroup=WRITER) == 0
    new.promote()
    wait_for_status(howdah, old, "SHUNNED")
    assert f"on timeline 1, and 127.0.0.1:{new.port} has already written on timeline 2" in shown(howdah, old)[1]
    assert old.query("SELECT pg_is_in_recovery()") == [(False,)], "it is alive and takes writes"
    assert [write_port(howdah) for _ in range(10)] == [new.port] * 10
    assert client.execute(WRITE).fetchone()[0] == new.port, "a client that was there before"
    assert metric(howdah, "howdah_split_brain", hostgroup=WRITER) == 1
    howdah.wait_for_log(f"{old.port} is kept out: it is a primary on timeline 1")
    # Who still gets the old primary's data is not read from.
    wait_for_status(howdah, follower, "SHUNNED")
    assert f"which 127.0.0.1:{old.port} still writes" in shown(howdah, follower)[1]
    assert {client.execute(READ).fetchone()[0] for _ in range(10)} == {new.port}
    # It stays out when it comes back, and when the new primary is gone: nobody writes then.
    old.stop()
    wait_until(lambda: metric(howdah, "howdah_split_brain", hostgroup=WRITER) == 0, 20, "no split brain")
    old.start()
    wait_until(lambda: "has already written" in (shown(howdah, old)[1] or ""), 20, "the old primary is judged again")
    new.kill9()
    wait_for_status(howdah, new, "SHUNNED")
    assert write_port(howdah) is None
    client.close()


def test_of_two_primaries_on_one_timeline_the_writer_stays_and_a_split_brain_is_reported(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    writer, second = own_cluster.primary, own_cluster.replicas[0]
    assert write_port(howdah) == writer.port
    second.stop()
    (second.data / "standby.signal").unlink()
    second.start()
    assert second.query("SELECT pg_is_in_recovery(), timeline_id FROM pg_control_checkpoint()") == [(False, 1)]
    wait_until(lambda: "split brain" in (shown(howdah, second)[1] or ""), 30, lambda: shown(howdah, second))
    assert shown(howdah, second)[0] == "SHUNNED"
    assert metric(howdah, "howdah_split_brain", hostgroup=WRITER) == 1
    assert [write_port(howdah) for _ in range(5)] == [writer.port] * 5
    assert second.query("SELECT count(*) FROM replication_test", dbname="appdb")[0][0] <= 1


@pytest.fixture
def stranger(own_cluster, os_user, template):
    """A primary of another cluster, with the same users."""
    data = own_cluster.folder / "stranger"
    os_user.run(BIN / "initdb", "-D", data, "-U", "postgres", "--no-sync", "--auth=trust")
    with open(data / "postgresql.conf", "a", encoding="utf-8") as config:
        config.write("listen_addresses = '127.0.0.1'\ninclude_if_exists = 'node.conf'\n")
    node = Node("stranger", data, os_user, own_cluster.folder)
    node.configure()
    node.start()
    node.query("CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor; CREATE ROLE appuser LOGIN")
    node.query("CREATE DATABASE appdb OWNER appuser")
    yield node
    node.stop(fast=False)


@pytest.mark.parametrize("hostgroup", [WRITER, READER])
def test_a_server_of_another_cluster_is_refused(own_cluster, make_howdah, stranger, hostgroup):
    servers = [*servers_of(own_cluster),
               {"hostgroup_id": hostgroup, "hostname": stranger.host, "port": stranger.port}]
    howdah = make_howdah(own_cluster, variables=FAST, servers=servers)
    wait_for_status(howdah, stranger, "SHUNNED")
    assert "it is a primary of another cluster (system identifier" in shown(howdah, stranger)[1]
    howdah.wait_for_log(f"{stranger.port} is kept out: it is a primary of another cluster")
    assert write_port(howdah) == own_cluster.primary.port
    own_cluster.primary.kill9()
    wait_for_status(howdah, own_cluster.primary, "SHUNNED")
    assert write_port(howdah) is None
    assert shown(howdah, stranger)[0] == "SHUNNED"


@contextmanager
def paused(*nodes):
    for node in nodes:
        node.query("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        for node in nodes:
            node.query("SELECT pg_wal_replay_resume()")


def lag_log(howdah, node):
    with admin(howdah) as console:
        return console.execute("SELECT repl_lag, success_time_us, error FROM monitor.pgsql_server_replication_lag_log "
                               f"WHERE port = {node.port} ORDER BY time_start_us").fetchall()


def test_a_late_replica_is_not_read_from_until_it_has_caught_up(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables={**FAST, "read_consistency": "eventual"},
                         servers=servers_of(own_cluster, max_replication_lag=1))
    late, other = own_cluster.replicas
    with connect(howdah) as reader, paused(late):
        assert write_port(howdah) == own_cluster.primary.port
        wait_for_status(howdah, late, "SHUNNED_REPLICATION_LAG")
        assert shown(howdah, late)[1] == "it is further behind than its max_replication_lag (1 s)"
        lag_ms, lag_bytes = shown(howdah, late, "lag_ms, lag_bytes")
        assert lag_ms > 1000 and lag_bytes > 0
        assert {reader.execute(READ).fetchone()[0] for _ in range(20)} == {other.port}
        server = f"127.0.0.1:{late.port}"
        assert metric(howdah, "howdah_server_replication_lag_seconds", server=server) > 1
        assert metric(howdah, "howdah_server_replication_lag_bytes", server=server) > 0
        assert metric(howdah, "howdah_server_status", server=server, status="SHUNNED_REPLICATION_LAG") == 1
        assert metric(howdah, "howdah_all_readers_lagging", hostgroup=READER) == 0
        wait_until(lambda: lag_log(howdah, late)[-1][0] >= 2, 20, "the log shows how it falls back")
        howdah.wait_for_log(rf"{late.port} is [0-9.]+ s \(\d+ bytes of WAL\) behind, max_replication_lag is 1 s; was ONLINE in "
                            f"{READER}, now SHUNNED_REPLICATION_LAG in {READER}")
    wait_for_status(howdah, late, "ONLINE")
    with connect(howdah) as reader:
        wait_until(lambda: reader.execute(READ).fetchone()[0] == late.port, 20, "it is read from again")


def test_an_idle_cluster_has_no_lag(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST, servers=servers_of(own_cluster, max_replication_lag=1))
    assert write_port(howdah)
    idle_since = time.monotonic()
    for node in own_cluster.replicas:
        wait_until(lambda n=node: shown(howdah, n, "lag_ms, lag_bytes") == (0, 0), 20, "everything is replayed")
    wait_until(lambda: time.monotonic() - idle_since > 3, 20, "the last transaction is older than the limit")
    for node in own_cluster.replicas:
        assert shown(howdah, node, "status, lag_ms, lag_bytes") == ("ONLINE", 0, 0)
        rows = lag_log(howdah, node)
        assert [row[0] for row in rows][-10:] == [0] * 10
        assert {row[0] for row in rows} <= {0, None}, "it is not known before the primary has answered"
        assert all(success > 0 and error is None for _, success, error in rows)
    assert "SHUNNED" not in howdah.log_text()


def test_a_replica_that_was_late_before_howdah_started_is_found_out(own_cluster, make_howdah):
    late = own_cluster.replicas[0]
    own_cluster.primary.query("INSERT INTO replication_test (message) VALUES ('before')", dbname="appdb")
    own_cluster.wait_for_replicas()
    with paused(late):
        wait_until(lambda: late.query("SELECT now() - pg_last_xact_replay_timestamp() > '10 s'")[0][0], 60, "it is old")
        own_cluster.primary.query("INSERT INTO replication_test (message) VALUES ('since')", dbname="appdb")
        started = time.monotonic()
        howdah = make_howdah(own_cluster, variables=FAST, servers=servers_of(own_cluster, max_replication_lag=8))
        wait_for_status(howdah, late, "SHUNNED_REPLICATION_LAG")
        lag_ms = shown(howdah, late, "lag_ms")[0]
        assert lag_ms / 1000 > time.monotonic() - started, "it is late for longer than it is watched"
    wait_for_status(howdah, late, "ONLINE")


@pytest.mark.parametrize("policy", ["writer", "error", "stale"])
def test_when_every_reader_is_late_the_policy_holds(own_cluster, make_howdah, policy):
    howdah = make_howdah(own_cluster, variables={**FAST, "read_consistency": "eventual",
                                                 "monitor_all_readers_lagging": policy},
                         servers=servers_of(own_cluster, max_replication_lag=1))
    replicas = {node.port for node in own_cluster.replicas}
    with connect(howdah) as client, paused(*own_cluster.replicas):
        assert write_port(howdah) == own_cluster.primary.port
        for node in own_cluster.replicas:
            wait_for_status(howdah, node, "SHUNNED_REPLICATION_LAG")
        what = {"writer": "the writer answers reads", "error": "reads fail", "stale": "reads may be stale"}[policy]
        howdah.wait_for_log(f"every reader of hostgroup {READER} is behind its max_replication_lag: {what}")
        assert metric(howdah, "howdah_all_readers_lagging", hostgroup=READER) == 1
        if policy == "error":
            for prepare in (False, True):
                with pytest.raises(psycopg.OperationalError, match="further behind than its max_replication_lag") as raised:
                    client.execute(READ, prepare=prepare)
                assert raised.value.sqlstate == "08001"
            with pytest.raises(psycopg.OperationalError, match="further behind"):
                client.execute("BEGIN READ ONLY")
            client.execute("ROLLBACK")
            assert client.execute(WRITE).fetchone()[0] == own_cluster.primary.port
        else:
            ports = {client.execute(READ).fetchone()[0] for _ in range(20)}
            assert ports == ({own_cluster.primary.port} if policy == "writer" else replicas)
    with connect(howdah) as client:
        wait_until(lambda: shown(howdah, own_cluster.replicas[0])[0] == "ONLINE", 20, "they have caught up")
        howdah.wait_for_log(f"hostgroup {READER} is read from as usual again")
        assert client.execute(READ).fetchone()[0] in replicas


def test_a_replica_that_comes_back_gets_its_weight_step_by_step(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables={**FAST, "monitor_slow_start": 10000})
    victim = own_cluster.replicas[0]
    assert shown(howdah, victim, "status, weight_percent") == ("ONLINE", 100), "not at the start of Howdah"
    victim.kill9()
    wait_for_status(howdah, victim, "SHUNNED")
    assert "it does not answer" in shown(howdah, victim)[1]
    victim.start()
    wait_for_status(howdah, victim, "ONLINE")
    shares = []

    def complete():
        shares.append(shown(howdah, victim, "weight_percent")[0])
        return shares[-1] == 100

    wait_until(complete, 30, lambda: f"the whole weight: {shares}")
    assert shares == sorted(shares) and shares[0] < 100, shares
    assert metric(howdah, "howdah_server_weight_ratio", server=f"127.0.0.1:{victim.port}") == 1


def test_one_users_wrong_password_takes_no_server_from_the_others(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables={**FAST, "read_consistency": "eventual"},
                         users=[user("small_user", server_password="wrong")])
    with connect(howdah) as good:
        for _ in range(20):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                connect(howdah, user="small_user", password=PASSWORDS["small_user"])
            assert good.execute(READ).fetchone()[0] != own_cluster.primary.port
            assert good.execute(WRITE).fetchone()[0] == own_cluster.primary.port
    assert {shown(howdah, node)[0] for node in own_cluster.nodes} == {"ONLINE"}
    assert "SHUNNED" not in howdah.log_text()


def test_a_server_that_is_full_is_not_dead(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    full = own_cluster.replicas[0]

    def failed_connects():
        with admin(howdah) as console:
            return console.execute("SELECT connect_error FROM monitor.pgsql_server_connect_log WHERE connect_error IS NOT NULL "
                                   f"AND port = {full.port}").fetchall()

    with ExitStack() as held, full.connect() as superuser:
        def fill():
            while True:
                try:
                    held.enter_context(full.connect(user="appuser", dbname="appdb"))
                except psycopg.OperationalError:
                    return

        def refused():
            superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monitor'")
            fill()
            return len(failed_connects()) >= 6

        wait_until(refused, 60, lambda: f"the monitor is refused: {failed_connects()}", interval=0.1)
        assert all("53300" in error for error, in failed_connects()), failed_connects()
        assert shown(howdah, full)[0] == "ONLINE"
        assert "SHUNNED" not in howdah.log_text()


def test_servers_that_demand_certificates_get_the_monitors_and_the_clients_connections(own_cluster, make_howdah, authority, os_user):
    for node in own_cluster.nodes:
        (node.data / "pg_ident.conf").write_text("proxy howdah-proxy monitor\nproxy howdah-proxy appuser\n", encoding="utf-8")
        hba = node.data / "pg_hba.conf"
        hba.write_text("hostssl all appuser 127.0.0.1/32 cert clientcert=verify-full map=proxy\n"
                       "hostssl all monitor 127.0.0.1/32 cert clientcert=verify-full map=proxy\n"
                       "host all appuser,monitor 127.0.0.1/32 reject\n" + hba.read_text(encoding="utf-8"), encoding="utf-8")
        node.query(f"ALTER SYSTEM SET ssl_ca_file = '{authority.ca}'")
        node.query("SELECT pg_reload_conf()")
        wait_until(lambda n=node: n.query("SHOW ssl_ca_file") == [(str(authority.ca),)], 20, "reloaded")
    howdah = make_howdah(own_cluster, start=False,
                         variables={**FAST, "server_sslmode": "verify-full", "ssl_p2s_ca": str(authority.ca)})
    cert, key = howdah.folder / "proxy.crt", howdah.folder / "proxy.key"
    for source, to in zip(authority.client("howdah-proxy"), (cert, key)):
        shutil.copyfile(source, to)
        to.chmod(0o600)
        os_user.own(to)
    howdah.start()
    howdah.wait_for_log("the monitor cannot log in as \"monitor\".*certificate")
    with pytest.raises(psycopg.OperationalError):
        connect(howdah)
    howdah.config["variables"] |= {"ssl_p2s_cert": str(cert), "ssl_p2s_key": str(key)}
    howdah.reload()
    for node in own_cluster.nodes:
        role = "primary" if node is own_cluster.primary else "standby"
        wait_until(lambda n=node, r=role: shown(howdah, n, "status, role") == ("ONLINE", r), 30, f"{node.name} is seen")
        wait_until(lambda n=node: n.query("SELECT client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = "
                                          "'monitor'")[:1] == [("/CN=howdah-proxy",)], 20, "the monitor shows its certificate")
    with connect(howdah) as client:
        assert client.execute(READ).fetchone()[0] != own_cluster.primary.port
        client.execute("BEGIN")
        assert client.execute("SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == ("/CN=howdah-proxy",)
        client.execute("COMMIT")


def test_of_a_names_addresses_the_one_that_answers_is_used(cluster, make_howdah):
    servers = [{**row, "hostname": "localhost"} for row in servers_of(cluster)]
    howdah = make_howdah(cluster, variables={**FAST, "server_sslmode": "verify-full", "ssl_p2s_ca": str(cluster.authority.ca)},
                         servers=servers)
    for node in cluster.nodes:
        wait_until(lambda n=node: shown(howdah, n, "status, address") == ("ONLINE", "127.0.0.1"), 30, f"{node.name} is seen")
    with connect(howdah) as client:
        assert client.execute(READ).fetchone()[0] != cluster.primary.port


class _WithHosts:
    """An OsUser whose programs see `hosts` as /etc/hosts."""

    def __init__(self, os_user, hosts):
        self.os_user, self.hosts = os_user, hosts

    def command(self, *arguments, death_signal="KILL"):
        script = f'mount --bind {self.hosts} /etc/hosts && exec setpriv --pdeathsig {death_signal} "$@"'
        return self.os_user.command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *arguments)

    def own(self, path):
        return self.os_user.own(path)


def test_a_name_that_leads_to_another_server_is_followed(own_cluster, make_howdah):
    before, after = own_cluster.replicas
    after.stop()
    after.host, after.port = "127.0.0.2", before.port
    after.configure(own_cluster.primary)
    with open(after.data / "node.conf", "a", encoding="utf-8") as config:
        config.write("listen_addresses = '127.0.0.2'\n")
    after.start()
    servers = servers_of(own_cluster)[:2]
    servers[1]["hostname"] = "replica.howdah.test"
    howdah = make_howdah(own_cluster, start=False, servers=servers, variables={**FAST, "monitor_local_dns_cache_ttl": 100})
    hosts = howdah.folder / "hosts"
    hosts.write_text("127.0.0.1 replica.howdah.test\n", encoding="utf-8")
    howdah.os_user = _WithHosts(howdah.os_user, hosts)
    howdah.start()
    where = "SELECT host(inet_server_addr()), count(*) FROM replication_test"
    with connect(howdah) as client:
        assert client.execute(where).fetchone()[0] == "127.0.0.1"
        assert shown(howdah, before, "address") == ("127.0.0.1",)
        hosts.write_text("127.0.0.2 replica.howdah.test\n", encoding="utf-8")
        wait_until(lambda: client.execute(where).fetchone()[0] == "127.0.0.2", 60, "the client has followed", interval=0.1)
        assert shown(howdah, after, "status, address") == ("ONLINE", "127.0.0.2")
        assert {client.execute(where).fetchone()[0] for _ in range(20)} == {"127.0.0.2"}
        wait_until(lambda: before.query("SELECT 1 FROM pg_stat_activity WHERE usename IN ('appuser', 'monitor')") == [], 30,
                   "nobody is left at the old server")
    assert "SHUNNED" not in howdah.log_text()


def test_least_connections_gives_a_read_to_the_reader_with_the_fewest_in_use(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={"threads": 1, "load_balance": "least_connections"})
    with ExitStack() as held:
        def begin():
            client = held.enter_context(connect(howdah))
            client.execute("BEGIN READ ONLY")
            return client, client.execute("SELECT inet_server_port()").fetchone()[0]

        first, second = (node.port for node in cluster.replicas)
        clients = [begin() for _ in range(8)]
        assert sorted(port for _, port in clients) == sorted([first, second] * 4)
        for client, port in clients:
            if port == first:
                client.execute("COMMIT")
        assert [begin()[1] for _ in range(4)] == [first] * 4
