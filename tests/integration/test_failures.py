"""Servers die, hang and come back; Howdah is told to stop and to reload."""
import signal
import socket
import threading

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import user
from howdah_test.wait import wait_until
from howdah_test.wire import RawClient, WireError

pytestmark = pytest.mark.needs_howdah

FAST = {"monitor_ping_interval": 200, "monitor_ping_timeout": 300, "monitor_read_only_interval": 200,
        "monitor_connect_timeout": 300, "connect_timeout_server_max": 1000, "threads": 2}


class Load:
    """Threads that repeat a statement each on one connection, counting answers and errors."""

    def __init__(self, howdah, statement, clients=8, prepare=None, **changes):
        self.answers, self.errors, self.last_port = [0] * clients, [], [None] * clients
        self._stop = threading.Event()
        self.connections = [psycopg.connect(**howdah.target().libpq(**changes), autocommit=True)
                            for _ in range(clients)]
        self._threads = [threading.Thread(target=self._work, args=(n, statement, prepare)) for n in range(clients)]
        for thread in self._threads:
            thread.start()

    def _work(self, number, statement, prepare):
        while not self._stop.is_set():
            try:
                self.last_port[number] = self.connections[number].execute(statement, prepare=prepare).fetchone()[0]
                self.answers[number] += 1
            except psycopg.Error as error:
                self.errors.append(error)
                if self.connections[number].closed:
                    return

    def wait_for_more(self, count=50, timeout=30):
        """Every client gets `count` more answers."""
        goal = [answers + count for answers in self.answers]
        wait_until(lambda: all(have >= want for have, want in zip(self.answers, goal)), timeout,
                   lambda: f"{count} more answers; errors: {self.errors[:3]}, answers: {self.answers}")

    def wait_for_errors(self, count, timeout=30):
        wait_until(lambda: len(self.errors) >= count, timeout, "errors")

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        for connection in self.connections:
            connection.close()


@pytest.fixture
def load():
    started = []

    def make(*arguments, **options):
        started.append(Load(*arguments, **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


READ = "SELECT inet_server_port(), count(*) FROM replication_test"
WRITE = "INSERT INTO replication_test (message) VALUES ('x') RETURNING inet_server_port()"


@pytest.mark.parametrize("prepare", [False, True], ids=["simple", "prepared"])
def test_kill_9_of_a_replica_is_not_seen_by_reading_clients(own_cluster, make_howdah, load, prepare):
    howdah = make_howdah(own_cluster, variables=FAST)
    readers = load(howdah, READ, clients=24, prepare=prepare)
    replicas = own_cluster.replicas
    for victim, survivor in (replicas, reversed(replicas)):
        readers.wait_for_more()
        victim.kill9()
        readers.wait_for_more()
        wait_until(lambda: set(readers.last_port) == {survivor.port}, 20, "all reads at the survivor")
        victim.start()
        wait_until(lambda: victim.port in readers.last_port, 30, "the replica gets reads again")
    readers.stop()
    assert readers.errors == []


def test_a_replica_that_hangs_is_taken_out_and_reads_go_on(own_cluster, make_howdah, load):
    howdah = make_howdah(own_cluster, variables=FAST)
    victim, survivor = own_cluster.replicas
    victim.freeze()
    try:
        with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
            def answered():
                try:
                    return connection.execute(READ).fetchone()[0] == survivor.port
                except psycopg.Error:
                    return False
            wait_until(answered, 30, "a read is answered")
        howdah.wait_for_log(f"(?i){victim.port}.*shun|shun.*{victim.port}")
        readers = load(howdah, READ)
        readers.wait_for_more()
        assert set(readers.last_port) == {survivor.port}
        readers.stop()
        assert readers.errors == []
    finally:
        victim.thaw()


def test_kill_9_of_the_primary_reads_go_on_and_writes_fail_clearly_until_it_is_back(
        own_cluster, make_howdah, load):
    howdah = make_howdah(own_cluster, variables=FAST)
    primary = own_cluster.primary
    readers, writers = load(howdah, READ), load(howdah, WRITE, clients=4)
    readers.wait_for_more()
    writers.wait_for_more()
    primary.kill9()
    writers.wait_for_errors(12)
    readers.wait_for_more()
    assert readers.errors == []
    for error in writers.errors:
        assert isinstance(error, psycopg.OperationalError), error
        assert (error.sqlstate or "")[:2] in ("08", "57", "53"), (error.sqlstate, error)
    assert not any(connection.closed for connection in writers.connections)
    # The same client connections work on when the server is back.
    primary.start()
    writers.wait_for_more(timeout=60)
    readers.wait_for_more()
    writers.stop()
    readers.stop()
    assert readers.errors == []


def test_a_transaction_whose_server_dies_ends_with_an_error_and_the_client_stays(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute(WRITE)
        own_cluster.primary.kill9()
        with pytest.raises(psycopg.OperationalError) as raised:
            connection.execute(WRITE)
        assert (raised.value.sqlstate or "")[:2] in ("08", "57")
        assert not connection.closed
        connection.execute("ROLLBACK")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute(READ).fetchone()[0] in {node.port for node in own_cluster.replicas}


def test_a_commit_whose_server_dies_is_reported_as_unknown(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    own_cluster.primary.query("CREATE TABLE slow (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);"
                              "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                              "'BEGIN PERFORM pg_sleep(100); RETURN NULL; END';"
                              "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
                              "FOR EACH ROW EXECUTE FUNCTION wait(); GRANT ALL ON slow TO appuser", dbname="appdb")
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO slow VALUES (1)")
        raised = []

        def commit():
            try:
                connection.execute("COMMIT")
            except psycopg.Error as error:
                raised.append(error)

        thread = threading.Thread(target=commit)
        thread.start()
        wait_until(lambda: own_cluster.primary.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), 20, "COMMIT runs")
        own_cluster.primary.kill9()
        thread.join(30)
        assert [error.sqlstate for error in raised] == ["08007"]
        assert not connection.closed


def test_a_promoted_replica_becomes_the_writer(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    own_cluster.primary.kill9()
    successor = own_cluster.replicas[0]
    successor.promote()
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        def written():
            try:
                return connection.execute(WRITE).fetchone()[0]
            except psycopg.Error:
                return None
        assert wait_until(written, 30, "a write succeeds") == successor.port
        with connection.transaction():
            assert connection.execute("SELECT count(*) FROM replication_test WHERE message = 'x'").fetchone()[0] >= 1
            assert connection.execute("SELECT inet_server_port()").fetchone()[0] == successor.port


def test_all_servers_down_is_a_clear_error_and_not_the_end(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    connection = psycopg.connect(**howdah.target().libpq(), autocommit=True)
    for node in own_cluster.nodes:
        node.stop(fast=False)
    for statement in (READ, WRITE, READ):
        with pytest.raises(psycopg.OperationalError) as raised:
            connection.execute(statement)
        assert (raised.value.sqlstate or "")[:2] in ("08", "57", "53")
        assert not connection.closed
    for node in own_cluster.nodes:
        node.start()

    def works():
        try:
            return connection.execute(WRITE).fetchone()
        except psycopg.Error:
            return None

    wait_until(works, 30, "a write after the return")
    connection.close()


# --- signals --------------------------------------------------------------------------------------

def test_sigterm_lets_transactions_finish_and_refuses_new_clients(cluster, make_howdah):
    howdah = make_howdah(cluster, users=[user("small_user")])
    busy = psycopg.connect(**howdah.target().libpq(), autocommit=True)
    idle = RawClient(howdah.host, howdah.port).log_in("small_user", PASSWORDS["small_user"], "appdb")
    busy.execute("BEGIN")
    busy.execute(WRITE)
    howdah.signal(signal.SIGTERM)
    messages = idle.read_until("E")
    assert b"57P01" in messages[-1][1]
    assert idle.at_end()

    def refused():
        try:
            with RawClient(howdah.host, howdah.port) as late:
                late.log_in("small_user", PASSWORDS["small_user"], "appdb")
        except (OSError, EOFError, WireError):
            return True
        return False

    wait_until(refused, 10, "new clients are refused")
    assert busy.execute(WRITE).fetchone()[0] == cluster.primary.port
    busy.execute("COMMIT")
    assert howdah.wait() == 0
    busy.close()


def test_a_drain_is_bounded_by_shutdown_timeout(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={"shutdown_timeout": 500})
    connection = psycopg.connect(**howdah.target().libpq(), autocommit=True)
    connection.execute("BEGIN")
    connection.execute("SELECT 1")
    howdah.signal(signal.SIGTERM)
    assert howdah.wait() == 0
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_a_second_sigterm_stops_at_once(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={"shutdown_timeout": 600000})
    connection = psycopg.connect(**howdah.target().libpq(), autocommit=True)
    connection.execute("BEGIN")
    connection.execute("SELECT 1")
    howdah.signal(signal.SIGTERM)
    howdah.wait_for_log("(?i)finishing|drain")
    howdah.signal(signal.SIGTERM)
    assert howdah.wait() == 0
    connection.close()


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(cluster, make_howdah):
    howdah = make_howdah(cluster, start=False)
    path = howdah.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        cluster.os_user.own(path)
        path.chmod(0o777)
        notify.settimeout(30)
        howdah.os_user = _WithEnvironment(howdah.os_user, f"NOTIFY_SOCKET={path}")
        howdah.start()
        assert b"READY=1" in notify.recv(4096)
        howdah.signal(signal.SIGTERM)
        while b"STOPPING=1" not in notify.recv(4096):
            pass
    assert howdah.wait() == 0


class _WithEnvironment:
    """An OsUser whose programs start with one more environment variable."""

    def __init__(self, os_user, assignment):
        self.os_user, self.assignment = os_user, assignment

    def command(self, *arguments, **options):
        return self.os_user.command("env", self.assignment, *arguments, **options)

    def own(self, path):
        return self.os_user.own(path)


def test_it_runs_as_an_unprivileged_user(howdah, os_user):
    with open(f"/proc/{howdah.process.pid}/status", encoding="ascii") as status:
        uid = next(line.split()[1] for line in status if line.startswith("Uid:"))
    assert int(uid) == os_user.entry.pw_uid != 0


def test_an_idle_transaction_is_ended_after_its_time(cluster, make_howdah):
    howdah = make_howdah(cluster, variables={"max_transaction_idle_time": 300})
    connection = psycopg.connect(**howdah.target().libpq(), autocommit=True)
    connection.execute("BEGIN")
    connection.execute("LOCK TABLE replication_test IN ACCESS SHARE MODE")
    wait_until(lambda: not cluster.primary.query(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND usename = 'appuser'"),
        20, "the transaction is over")
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def test_a_statement_in_flight_at_a_replica_restart_is_run_again(own_cluster, make_howdah):
    howdah = make_howdah(own_cluster, variables=FAST)
    results, failures = [], []

    def read():
        try:
            with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
                results.append(connection.execute(
                    "SELECT count(*), inet_server_port() FROM generate_series(1, 3000000) /* in flight */").fetchone())
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    victim = own_cluster.replicas[0]
    wait_until(lambda: victim.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%in flight */' "
                                    "AND state = 'active' AND pid <> pg_backend_pid()"), 20, "a read runs there")
    victim.kill9()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert [count for count, _ in results] == [3_000_000] * 6
