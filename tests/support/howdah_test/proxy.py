"""A running Howdah with its configuration file and log."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from howdah_test.cluster import ADDRESS, PASSWORDS
from howdah_test.ports import free_port
from howdah_test.target import Target
from howdah_test.wait import wait_until

WRITER, READER = 10, 20
_REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:"
                     r"|Assertion .* failed|terminate called")


def binary():
    """The program under test: HOWDAH_BIN, or what preset dev has built."""
    root = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("HOWDAH_BIN") or root / "build/dev/proxy/howdah")


class Howdah:
    """Configuration is kept in `config` (a dict as in howdah.yaml); change it and `reload()`.

    Where the cluster has a network, it runs on the host `howdah` there, and listens on unix sockets.
    """

    def __init__(self, cluster, folder, program, variables=None, users=(), **sections):
        self.cluster, self.os_user = cluster, cluster.os_user
        self.folder = Path(folder)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.os_user.own(self.folder)
        self.program = program
        self.network = cluster.network
        self.host, self.port = str(self.folder) if self.network else ADDRESS, free_port()
        self.admin_port, self.metrics_port, self.api_port = free_port(), free_port(), free_port()
        self.config_file = self.folder / "howdah.yaml"
        self.stderr_file = self.folder / "howdah.log"
        self.process = None
        self.arguments = []  # of the command line, besides the configuration
        self.config = {
            "variables": {
                "interfaces": list(dict.fromkeys([f"{self.host}:{self.port}", f"{self.folder}:{self.port}"])),
                "admin_pgsql_ifaces": [f"{self.host}:{self.admin_port}"],
                "admin_metrics_ifaces": [f"{self.host}:{self.metrics_port}"],
                "ha_api_ifaces": [f"{self.host}:{self.api_port}"],
                "ssl_cert": str(cluster.authority.cert), "ssl_key": str(cluster.authority.key),
                "monitor_username": "monitor", "monitor_password": PASSWORDS["monitor"],
                "shutdown_timeout": 10000, **(variables or {}),
            },
            "servers": servers_of(cluster),
            "replication_hostgroups": [{"writer_hostgroup": WRITER, "reader_hostgroup": READER}],
            "users": [user("appuser"), *users],
            **sections,
        }

    def write_config(self):
        text = json.dumps(self.config, indent=2)  # JSON is YAML
        self.config_file.write_text(text, encoding="utf-8")
        self.os_user.own(self.config_file)
        self.config_file.chmod(0o600)

    def start(self, timeout=30, is_ready=None):
        """Starts the program; returns when it listens (`is_ready` finds out in another way)."""
        self.write_config()
        command = self.os_user.command(self.program, "--config", self.config_file, *self.arguments, death_signal="KILL")
        if self.network:
            command = self.network.command("howdah", command)
        with open(self.stderr_file, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env={**os.environ, "HOME": str(self.folder)})
        wait_until(lambda: self._listens(is_ready), timeout, lambda: f"howdah listens\n{self.log_text()[-3000:]}")
        return self

    def _listens(self, is_ready):
        if self.process.poll() is not None:
            raise RuntimeError(f"howdah ended with {self.process.returncode}\n{self.log_text()[-3000:]}")
        if not (is_ready() if is_ready else "listening on" in self.log_text()):
            return False
        with socket.socket(socket.AF_UNIX if self.network else socket.AF_INET) as probe:
            where = f"{self.folder}/.s.PGSQL.{self.port}" if self.network else (self.host, self.port)
            return probe.connect_ex(where) == 0

    def reload(self):
        self.write_config()
        self.signal(signal.SIGHUP)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, timeout=30):
        """Waits for the end and returns the exit code."""
        return self.process.wait(timeout)

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.wait()
        self.process = None

    def log_text(self):
        if not self.stderr_file.exists():
            return ""
        return self.stderr_file.read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, pattern, timeout=20, after=0):
        """Waits for a line that matches, and returns the match; `after` is a length of log_text()."""
        return wait_until(lambda: re.search(pattern, self.log_text()[after:], re.M), timeout,
                          lambda: f"/{pattern}/ in the log:\n{self.log_text()[after:][-3000:]}")

    def target(self, **changes):
        return Target(self.host, self.port, self.cluster.authority.ca, False, self.folder, **changes)

    def close(self):
        """Stops it where it runs; whatever happened before, it must have ended well."""
        if self.process is not None:
            if self.is_running():
                self.signal(signal.SIGTERM)
            try:
                code = self.wait()
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGABRT)
                self.wait()
                code = "no end within 30 s after SIGTERM"
            self.process = None
            assert code == 0, f"howdah ended with {code}\n{self.log_text()[-5000:]}"
        report = _REPORT.search(self.log_text())
        assert not report, self.log_text()[max(0, report.start() - 500):][:8000]
        shutil.rmtree(self.folder, ignore_errors=True)


def user(name, **more):
    """A row of `users:` whose password is the one the servers know."""
    return {"username": name, "password": PASSWORDS[name], "default_hostgroup": WRITER, **more}


def servers_of(cluster, **more):
    """Rows of `servers:`, placed as they are: the primary as writer, the others as readers."""
    return [{"hostgroup_id": WRITER if node is cluster.primary else READER, "hostname": node.host,
             "port": node.port, "max_connections": 30, **more} for node in cluster.nodes]
