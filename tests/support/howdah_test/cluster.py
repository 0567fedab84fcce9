"""A primary and its streaming replicas: real PostgreSQL in a folder that goes away afterwards."""
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from howdah_test.ports import free_port
from howdah_test.wait import wait_until

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
ADDRESS = "127.0.0.1"
PASSWORDS = {
    "postgres": "super_pass", "appuser": "app_pass_2026", "monitor": "monitor_pass_2026",
    "replicator": "repl_pass_2026", "session_user1": "session_pass", "statement_user1": "statement_pass",
    "verifier_user": "verifier_pass", "md5_user": "md5_pass", "clear_user": "clear_pass",
    "tls_user": "tls_pass", "small_user": "small_pass", "howdah_ha": "ha_pass_2026",
}
_SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 100
max_prepared_transactions = 20
wal_level = replica
wal_log_hints = on
hot_standby = on
max_wal_senders = 10
max_replication_slots = 10
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 200ms
shared_buffers = 32MB
fsync = off
ssl = on
log_line_prefix = '%m [%p] %a '
"""
_HBA = """
host     all          md5_user    127.0.0.1/32  md5
host     all          clear_user  127.0.0.1/32  password
hostssl  all          tls_user    127.0.0.1/32  scram-sha-256
host     all          tls_user    127.0.0.1/32  reject
host     all          all         127.0.0.1/32  scram-sha-256
host     replication  replicator  127.0.0.1/32  scram-sha-256
local    all          all                       scram-sha-256
host     all          all         samenet       scram-sha-256
host     replication  all         samenet       scram-sha-256
"""


class Template:
    """The data folder of a stopped primary with users, database and slots, made once and copied."""

    def __init__(self, folder, os_user, authority):
        self.os_user, self.authority = os_user, authority
        self.data = Path(folder) / "template"
        password_file = os_user.own(_written(Path(folder) / "superuser", PASSWORDS["postgres"]))
        os_user.run(BIN / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                    "--data-checksums", "--wal-segsize=4", "--no-sync", "--auth=scram-sha-256",
                    f"--pwfile={password_file}")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as config:
            config.write(_SETTINGS + f"ssl_cert_file = '{authority.cert}'\n"
                         f"ssl_key_file = '{authority.key}'\ninclude_if_exists = 'node.conf'\n")
        _written(self.data / "pg_hba.conf", _HBA)
        node = Node("pg1", self.data, os_user, Path(folder))
        node.configure()
        node.start()
        self._create_objects(node)
        node.stop()

    @staticmethod
    def _create_objects(node):
        for name, password in PASSWORDS.items():
            if name == "postgres":
                continue
            node.query(f"SET password_encryption = '{'md5' if name == 'md5_user' else 'scram-sha-256'}';"
                       f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        node.query("ALTER ROLE replicator REPLICATION; GRANT pg_monitor TO monitor; GRANT appuser TO "
                   + ", ".join(n for n in PASSWORDS if n not in ("postgres", "appuser", "monitor",
                                                                 "replicator", "howdah_ha")))
        # As docs/high-availability.md says.
        node.query("ALTER ROLE howdah_ha REPLICATION; GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO howdah_ha")
        node.query("GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer), "
                   "pg_catalog.pg_reload_conf() TO howdah_ha")
        node.query("GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name, synchronous_standby_names, "
                   "default_transaction_read_only, wal_receiver_timeout TO howdah_ha")
        node.query("CREATE DATABASE appdb OWNER appuser")
        node.query("SET ROLE appuser; CREATE TABLE replication_test (id serial PRIMARY KEY, "
                   "message text, created_at timestamptz DEFAULT now())", dbname="appdb")
        for replica in ("pg2", "pg3"):
            node.query(f"SELECT pg_create_physical_replication_slot('{replica}', true)")


class Node:
    """One PostgreSQL server. The postmaster is our child: its death is seen and reaped here."""

    def __init__(self, name, data, os_user, sockets, network=None):
        self.name, self.data, self.os_user, self.sockets = name, Path(data), os_user, sockets
        self.network = network
        self.host, self.port = network.address(name) if network else ADDRESS, free_port()
        self.log = self.data.with_suffix(".log")
        self.process, self.started_by_others = None, False

    def configure(self, primary=None, slot=None):
        """Writes port and, for a replica of `primary`, where to stream from; `slot`: else its name."""
        lines = [f"port = {self.port}", f"cluster_name = '{self.name}'", f"listen_addresses = '{self.host}'",
                 f"unix_socket_directories = '{self.sockets}'"]
        if primary:
            lines += [f"primary_conninfo = 'host={primary.host} port={primary.port} user=replicator "
                      f"password={PASSWORDS['replicator']} application_name={self.name}'",
                      f"primary_slot_name = '{self.name if slot is None else slot}'"]
            self.os_user.own(_written(self.data / "standby.signal", ""))
        self.os_user.own(_written(self.data / "node.conf", "\n".join(lines) + "\n"))

    def start(self, timeout=60):
        """Starts the server and waits until it answers queries."""
        self.begin()
        self.wait_until_ready(timeout)

    def begin(self):
        """Starts the server and does not wait for it."""
        assert self.process is None, f"{self.name} runs already"
        # Killed postmasters leave this behind; our pids do not repeat, so nobody else's is meant.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.sockets.glob(f".s.PGSQL.{self.port}*"):
            lock.unlink()
        command = self.os_user.command(BIN / "postgres", "-D", self.data, death_signal="QUIT")
        if self.network:
            command = self.network.command(self.name, command)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                            env={**os.environ, "HOME": str(self.data)})  # libpq looks there

    def wait_until_ready(self, timeout=60):
        wait_until(self._answers, timeout, lambda: f"{self.name} starts\n{self.log_text()[-2000:]}")

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended\n{self.log_text()[-2000:]}")
        try:
            return self.query("SELECT 1")
        except psycopg.OperationalError:
            return False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def _signal(self, number):
        os.kill(self.process.pid, number)

    def leave_to_others(self):
        """Our postmaster has ended or will; whoever starts one in its place, close() ends it."""
        if self.process is not None:
            self.process.wait(60)
        self.process, self.started_by_others = None, True

    def stop(self, fast=True):
        """Stops the server (fast or immediate) and waits for its end; nothing where it is down."""
        if self.started_by_others and _processes_in(str(self.data)):
            self.os_user.run(BIN / "pg_ctl", "stop", "-w", "-m", "fast" if fast else "immediate", "-D", self.data)
        if self.process is None:
            return
        if self.is_running():
            self.thaw()
            self._signal(signal.SIGINT if fast else signal.SIGQUIT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        self._wait_for_backends()
        self.process = None

    def kill9(self):
        """kill -9 of the postmaster; returns when its backends have noticed, too."""
        self._signal(signal.SIGKILL)
        self._wait_for_backends()
        self.process = None

    def _wait_for_backends(self):
        self.process.wait(60)
        marker = str(self.data)
        # Those that stand still would never notice.
        _send(signal.SIGKILL, [pid for pid in _processes_in(marker) if _state_of(pid) == "T"])
        wait_until(lambda: not _processes_in(marker), 60, f"backends of {self.name} end")

    def freeze(self):
        """SIGSTOP to the postmaster and every backend: connections stay open, nobody answers."""
        _send(signal.SIGSTOP, _processes_in(str(self.data)))

    def thaw(self):
        _send(signal.SIGCONT, _processes_in(str(self.data)))

    def hold_startup(self):
        """SIGSTOP to the process that replays and that a promotion waits for; thaw() lets it go on."""
        os.kill(self.pid_of("startup"), signal.SIGSTOP)

    def pid_of(self, kind):
        """The process that PostgreSQL calls so: startup, walreceiver, ..."""
        for pid in _processes_in(str(self.data)):
            if f": {kind}" in Path(f"/proc/{pid}/cmdline").read_text(errors="replace"):
                return pid
        raise RuntimeError(f"{self.name} has no process {kind}")

    def set(self, name, value):
        """ALTER SYSTEM and reload; `value` as in SQL."""
        self.query(f"ALTER SYSTEM SET {name} = {value}")
        self.query("SELECT pg_reload_conf()")

    def setting(self, name):
        return self.query(f"SHOW {name}")[0][0]

    def promote(self):
        self.query("SELECT pg_promote(true, 60)")

    def connect(self, dbname="postgres", user="postgres", **options):
        options = {"autocommit": True, "connect_timeout": 10, "sslmode": "disable", **options}
        host = str(self.sockets) if self.network else self.host
        return psycopg.connect(host=host, port=self.port, dbname=dbname, user=user,
                               password=PASSWORDS[user], application_name="test", **options)

    def query(self, sql, parameters=None, dbname="postgres"):
        """Runs `sql` as superuser on a connection of its own; rows, or [] where there are none."""
        with self.connect(dbname) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


class Cluster:
    """`nodes[0]` is the first primary; `close()` stops all and deletes the folder.

    With a network each server runs on its host of the same name, and the tests talk to it through
    its unix socket.
    """

    def __init__(self, template, folder, replicas=2, network=None, settings=""):
        self.os_user, self.authority, self.network = template.os_user, template.authority, network
        self.folder = self.os_user.own(_made(Path(folder)))
        self.nodes = [Node(f"pg{number}", self.folder / f"pg{number}", self.os_user, self.folder,
                           network)
                      for number in range(1, replicas + 2)]
        for node in self.nodes:
            self.os_user.run("cp", "-a", template.data, node.data)
            if node is not self.primary:
                shutil.rmtree(node.data / "pg_replslot")
                self.os_user.own(_made(node.data / "pg_replslot"))
            with open(node.data / "postgresql.conf", "a", encoding="utf-8") as config:
                config.write(settings)
            node.configure(None if node is self.primary else self.primary)
        for node in self.nodes:
            node.begin()
        for node in self.nodes:
            node.wait_until_ready()
        for node in self.nodes[3:]:  # the template has slots for two
            self.primary.query("SELECT pg_create_physical_replication_slot(%s, true)", [node.name])
        self.wait_for_replicas()

    @property
    def primary(self):
        return self.nodes[0]

    @property
    def replicas(self):
        return self.nodes[1:]

    def create_database(self, name):
        """Owned by appuser. From template0: a Howdah of another test may keep a connection to template1."""
        self.primary.query(f"CREATE DATABASE {name} OWNER appuser TEMPLATE template0")

    def wait_for_replicas(self, timeout=60):
        """Returns when every running replica has replayed all that the primary has written."""
        position = self.primary.query("SELECT pg_current_wal_lsn()")[0][0]
        for node in self.replicas:
            if node.is_running():
                wait_until(
                    lambda n=node: n.query("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position])[0][0],
                    timeout, f"{node.name} replays up to {position}")

    def node_at(self, port):
        return next(node for node in self.nodes if node.port == int(port))

    def close(self):
        for node in self.nodes:
            node.stop(fast=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def _made(path):
    path.mkdir()
    path.chmod(0o700)
    return path


def _state_of(pid):
    """As in ps; X where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _send(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _processes_in(data_folder):
    """Pids of the live PostgreSQL processes whose working directory is `data_folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if _state_of(entry.name) not in "ZX" and os.readlink(entry / "cwd") == data_folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
