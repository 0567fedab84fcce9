"""A real etcd with one member."""
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from howdah_test.cluster import ADDRESS
from howdah_test.ports import free_port
from howdah_test.wait import wait_until


class Etcd:
    """Runs where Howdah does: on its host, where the cluster has a network, else on this machine.

    `tls`: (authority, cert, key) of the server, which then wants a client certificate of it.
    """

    def __init__(self, cluster, folder, tls=None):
        self.network, self.tls = cluster.network, tls
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port, self._peer_port = free_port(), free_port()
        self.url = f"{'https' if tls else 'http'}://{ADDRESS}:{self.port}"
        self.process = None

    def start(self):
        command = ["/usr/bin/etcd", "--data-dir", self.folder / "data", "--listen-client-urls", self.url,
                   "--advertise-client-urls", self.url, "--listen-peer-urls", f"http://{ADDRESS}:{self._peer_port}",
                   "--initial-advertise-peer-urls", f"http://{ADDRESS}:{self._peer_port}",
                   "--initial-cluster", f"default=http://{ADDRESS}:{self._peer_port}"]
        if self.tls:
            authority, cert, key = self.tls
            command += ["--cert-file", cert, "--key-file", key, "--client-cert-auth", "--trusted-ca-file", authority]
        command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        if self.network:
            command = self.network.command("howdah", command)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "ETCD_UNSUPPORTED_ARCH": os.uname().machine})
        wait_until(lambda: "ready to serve client requests" in self.log_text() or
                   "serving insecure client requests" in self.log_text() or
                   "serving client requests" in self.log_text(), 30,
                   lambda: f"etcd listens\n{self.log_text()[-3000:]}")
        return self

    def ask(self, path, **what):
        """The answer to a request of etcd's JSON interface."""
        request = ("import sys, urllib.request\n"
                   "print(urllib.request.urlopen(sys.argv[1], sys.argv[2].encode(), 20).read().decode())")
        command = [sys.executable, "-c", request, f"{self.url}/v3/{path}", json.dumps(what)]
        if self.network:
            command = self.network.command("howdah", command)
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def log_text(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def close(self):
        if self.process is not None:
            self.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)
