"""Who is measured: PostgreSQL itself, and PgBouncer, pgpool-II and Howdah before it. PgBouncer and Howdah have 20
server connections; pgpool-II has one for each client."""
import os
import shutil
import socket
import subprocess
from pathlib import Path

from howdah_test import Howdah
from howdah_test.cluster import ADDRESS, PASSWORDS
from howdah_test.ports import free_port
from howdah_test.proxy import servers_of
from howdah_test.wait import wait_until

POOL, MOST_CLIENTS = 20, 600
USER, DATABASE = "appuser", "appdb"


class Contender:
    """What pgbench connects to: `port`."""

    def version(self):
        return ""

    def pids(self):
        """Of the processes before the server."""
        return []

    def database(self, session):
        """Its name for clients; `session`: where they keep prepared statements."""
        del session
        return DATABASE

    def close(self):
        pass


class Direct(Contender):
    """The primary without anything before it."""

    name = "direct"

    def __init__(self, cluster):
        self.port = cluster.primary.port


class _Program(Contender):
    """A program that listens and runs until it is told to end; its folder is its own."""

    def __init__(self, cluster, folder):
        self.cluster, self.os_user, self.folder = cluster, cluster.os_user, Path(folder)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.os_user.own(self.folder)
        self.port, self.process = free_port(), None

    def _write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return self.os_user.own(path)

    def _start(self, *command):
        log = self.folder / "log"
        with open(log, "ab") as out:
            self.process = subprocess.Popen(self.os_user.command(*command, death_signal="KILL"), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, cwd=self.folder)
        wait_until(self._listens, 30, lambda: f"{self.name} listens\n{log.read_text(errors='replace')[-2000:]}")

    def _listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}\n{(self.folder / 'log').read_text()[-2000:]}")
        with socket.socket() as probe:
            return probe.connect_ex((ADDRESS, self.port)) == 0

    def pids(self):
        return [self.process.pid]

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class PgBouncer(_Program):
    """Debian's, or the one at PGBOUNCER_BIN."""

    name = "pgbouncer"
    program = os.environ.get("PGBOUNCER_BIN") or shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")

    def __init__(self, cluster, folder):
        super().__init__(cluster, folder)
        self._write("users", f'"{USER}" "{PASSWORDS[USER]}"\n')
        server = f"host={ADDRESS} port={cluster.primary.port} dbname={DATABASE}"
        config = self._write("ini", f"""
[databases]
{DATABASE} = {server} pool_mode=transaction
of_sessions = {server} pool_mode=session
[pgbouncer]
listen_addr = {ADDRESS}
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.folder}/users
default_pool_size = {POOL}
max_client_conn = {MOST_CLIENTS}
ignore_startup_parameters = extra_float_digits
server_tls_sslmode = disable
client_tls_sslmode = allow
client_tls_cert_file = {cluster.authority.cert}
client_tls_key_file = {cluster.authority.key}
log_connections = 0
log_disconnections = 0
""")
        self._start(self.program, config)

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]

    def database(self, session):
        return "of_sessions" if session else DATABASE


class Pgpool(_Program):
    """Debian's; a process for each client, which keeps its server connection."""

    name = "pgpool"
    program = shutil.which("pgpool", path="/usr/sbin:/usr/bin")

    def __init__(self, cluster, folder):
        super().__init__(cluster, folder)
        self._write("passwords", f"{USER}:TEXT{PASSWORDS[USER]}\n")
        self._write("hba", "host all all 127.0.0.1/32 scram-sha-256\n")
        config = self._write("conf", f"""
backend_clustering_mode = 'streaming_replication'
listen_addresses = '{ADDRESS}'
port = {self.port}
pcp_port = {free_port()}
unix_socket_directories = '{self.folder}'
pcp_socket_dir = '{self.folder}'
pid_file_name = '{self.folder}/pid'
logdir = '{self.folder}'
work_dir = '{self.folder}'
backend_hostname0 = '{ADDRESS}'
backend_port0 = {cluster.primary.port}
backend_weight0 = 1
enable_pool_hba = on
pool_passwd = '{self.folder}/passwords'
num_init_children = 72
max_pool = 1
load_balance_mode = off
sr_check_period = 0
ssl = on
ssl_cert = '{cluster.authority.cert}'
ssl_key = '{cluster.authority.key}'
""")
        self._start(self.program, "-n", "-f", config, "-a", self.folder / "hba")

    def version(self):
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True)
        return (done.stdout + done.stderr).splitlines()[0]

    def pids(self):
        """It and its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [self.process.pid, *map(int, children.split())]


class OurHowdah(Contender):
    """With its defaults, one worker: digests, statistics and read/write splitting are on."""

    name = "howdah"

    def __init__(self, cluster, folder, program):
        self.program = program
        # One server: what splits reads is on, and has only one place to send them to.
        servers = [one for one in servers_of(cluster, max_connections=POOL) if one["port"] == cluster.primary.port]
        self.howdah = Howdah(cluster, folder, program, variables={"threads": 1}, servers=servers).start()
        self.port = self.howdah.port

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]

    def pids(self):
        return [self.howdah.process.pid]

    def close(self):
        self.howdah.close()
