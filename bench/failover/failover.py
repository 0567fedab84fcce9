"""How long applications wait for a new primary: kill -9, lost packets, a stopped machine.

    HOWDAH_BIN=build/release/proxy/howdah python3 bench/failover/failover.py [--runs 10]

Each run has a cluster of its own (three servers of PostgreSQL, each in a network namespace, with fsync on) and a Howdah
with the defaults but `ha_mode: automatic`, under 200 inserts a second by twenty clients. Needs root. Prints a
Markdown table of medians (and the worst), and how it was run.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
# pylint: disable=wrong-import-position
import psycopg  # noqa: E402
from howdah_test import Authority, Cluster, Howdah, OsUser, Template  # noqa: E402
from howdah_test.cluster import BIN, PASSWORDS  # noqa: E402
from howdah_test.network import Network  # noqa: E402
from howdah_test.proxy import binary  # noqa: E402
from howdah_test.wait import wait_until  # noqa: E402

CLIENTS, EVERY = 20, 0.1
VARIABLES = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}
FAULTS = {
    "kill -9 of the postmaster": lambda cluster: os.kill(cluster.primary.process.pid, 9),
    "its packets are lost": lambda cluster: cluster.network.unplug("pg1"),
    "SIGSTOP of all its processes": lambda cluster: cluster.primary.freeze(),
}


class Clients:
    """Insert at a steady pace, one statement a transaction; a client whose connection ends makes a new one."""

    def __init__(self, howdah):
        self.howdah, self.confirmed, self.failed = howdah, [], []
        self.threads = [threading.Thread(target=self._work, args=[n], daemon=True) for n in range(CLIENTS)]
        self.stopped = threading.Event()
        for thread in self.threads:
            thread.start()

    def _work(self, number):
        connection = None
        next_at = time.monotonic() + EVERY * number / CLIENTS
        while not self.stopped.wait(max(0, next_at - time.monotonic())):
            next_at = max(next_at + EVERY, time.monotonic())
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(**self.howdah.target().libpq(), autocommit=True)
                connection.execute("INSERT INTO replication_test (message) VALUES ('x')")
                self.confirmed.append(time.monotonic())
            except psycopg.Error as error:
                self.failed.append((error.sqlstate, str(error).strip()))

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)


def one_run(template, folder, program, break_primary):
    network = Network(["pg1", "pg2", "pg3", "howdah"])
    cluster = Cluster(template, folder / "cluster", 2, network, "fsync = on\n")
    howdah = Howdah(cluster, folder / "howdah", program, variables=VARIABLES).start()
    try:
        primary = cluster.primary
        howdah.wait_for_log("the writer of epoch 1")
        wait_until(lambda: primary.query("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == [(2,)],
                   30, "both replicas stream")
        clients = Clients(howdah)
        wait_until(lambda: len(clients.confirmed) > 400, 30, "the load runs")
        began = time.monotonic()
        break_primary(cluster)
        found = howdah.wait_for_log(r"Promoted: [\d.]+:(\d+)", 60)
        successor = cluster.node_at(found[1])
        wait_until(lambda: successor.query("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == [(1,)],
                   60, "the survivor streams", interval=0.01)
        rewired = time.monotonic() - began
        wait_until(lambda: clients.confirmed[-1] > began + rewired, 60, "writes go on")
        clients.stop()
        times = sorted(clients.confirmed)
        gap = max(b - a for a, b in zip(times, times[1:]) if b > began)
        lost = len(times) - successor.query("SELECT count(*) FROM replication_test", dbname="appdb")[0][0]
        return {"gap": gap, "failed": len(clients.failed), "rewired": rewired, "lost": max(0, lost),
                "errors": sorted({state or text for state, text in clients.failed})}
    finally:
        cluster.primary.thaw()
        howdah.close()
        cluster.close()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--only", default="", help="faults whose name contains this")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="howdah-bench-"))
    folder.chmod(0o755)
    os_user = OsUser()
    os_user.own(folder)
    try:
        template = Template(folder, os_user, Authority(folder / "tls", os_user))
        program = folder / "program"
        shutil.copyfile(binary(), program)
        program.chmod(0o755)
        print("| fault | runs | without writes: median, worst (s) | survivor streams after: median, worst (s) "
              "| failed statements: median, worst | confirmed rows lost | SQLSTATEs |\n|---|---|---|---|---|---|---|")
        for name, break_primary in FAULTS.items():
            if chosen.only not in name:
                continue
            runs = []
            for number in range(chosen.runs):
                place = folder / f"run-{len(name)}-{number}"
                place.mkdir()
                place.chmod(0o755)
                os_user.own(place)
                runs.append(one_run(template, place, program, break_primary))
                shutil.rmtree(place, ignore_errors=True)

            def both(key, form="{:.2f}", runs=runs):
                values = [run[key] for run in runs]
                return f"{form.format(statistics.median(values))}, {form.format(max(values))}"
            states = sorted({state for run in runs for state in run["errors"]})
            print(f"| {name} | {len(runs)} | {both('gap')} | {both('rewired')} | {both('failed', '{:g}')} "
                  f"| {sum(run['lost'] for run in runs)} | {', '.join(states) or '-'} |", flush=True)
        version = subprocess.run([BIN / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False)
        print(f"\n{version.strip()}, commit {commit.stdout.strip()}, {os.cpu_count()} cores, {CLIENTS} clients, "
              f"{CLIENTS / EVERY:.0f} inserts/s, asynchronous replication")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
