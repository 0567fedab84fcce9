"""Clients that insert rows through Howdah during a fault and write down which were confirmed.

Each row says which server accepted it, on which timeline and at which WAL position. What must hold
afterwards does not depend on when the fault came.
"""
import threading
import time
from dataclasses import dataclass
from itertools import count

import psycopg

from howdah_test.wait import wait_until

TABLE = "acknowledged"
_numbers = count(1)  # of clients; several tests may write into one table
_TIMELINE = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
_INSERT = (f"INSERT INTO {TABLE} (client, turn, port, timeline) VALUES (%s, %s, inet_server_port(), {_TIMELINE}) "
           "RETURNING port, timeline, pg_current_wal_insert_lsn() - '0/0'")


@dataclass(frozen=True)
class Row:
    """A confirmed insert. `began` and `ended` are moments of one clock."""

    client: int
    turn: int
    port: int
    timeline: int
    position: int
    began: float
    ended: float


def create_table(cluster):
    cluster.primary.query(f"SET ROLE appuser; CREATE TABLE {TABLE} (client int, turn int, port int NOT NULL, "
                          "timeline int NOT NULL, PRIMARY KEY (client, turn))", dbname="appdb")


class Writers:
    """Use as a context manager: `with Writers(howdah) as writers:`. At its end all have stopped.

    A client whose statement fails connects again and takes its next turn; a turn is never repeated.
    """

    def __init__(self, howdah, clients=3):
        self.howdah, self.cluster = howdah, howdah.cluster
        self.rows, self.errors = [], []
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._connections = {}
        self._threads = {number: threading.Thread(target=self._work, args=[number], daemon=True)
                         for number in (next(_numbers) for _ in range(clients))}

    def __enter__(self):
        for thread in self._threads.values():
            thread.start()
        self.wait_for_rows()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends every client, also one whose statement waits."""
        self._stopped.set()

        def all_ended():
            for client, connection in list(self._connections.items()):
                if self._threads[client].is_alive():
                    try:
                        connection.cancel()
                    except psycopg.Error:
                        pass
            return not any(thread.is_alive() for thread in self._threads.values())
        wait_until(all_ended, 30, "the writers stop", interval=0.1)

    def _work(self, client):
        turn, connection = 0, None
        while not self._stopped.is_set():
            turn, began = turn + 1, time.monotonic()
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(**self.howdah.target().libpq(), autocommit=True)
                    self._connections[client] = connection
                row = connection.execute(_INSERT, [client, turn]).fetchone()
                with self._lock:
                    self.rows.append(Row(client, turn, *map(int, row), began, time.monotonic()))
            except psycopg.Error as error:
                with self._lock:
                    self.errors.append(error)
            self._stopped.wait(0.01)  # the pace of the load
        if connection is not None:
            connection.close()

    def wait_for_rows(self, count=5, port=None, timeout=30):
        """Until so many more rows, accepted by the server at `port` where given, are confirmed."""
        def those():
            return sum(port in (None, row.port) for row in list(self.rows))
        before = those()
        wait_until(lambda: those() >= before + count, timeout,
                   lambda: f"rows {'on ' + str(port) if port else ''} are confirmed; last errors {self.errors[-3:]}"
                           f"\n{self.howdah.log_text()[-3000:]}")

    def lost(self, node):
        """Confirmed rows that a server does not have."""
        there = set(node.query(f"SELECT client, turn FROM {TABLE}", dbname="appdb"))
        return [row for row in self.rows if (row.client, row.turn) not in there]

    def check_nothing_lost(self, node):
        lost = self.lost(node)
        assert not lost, f"{len(lost)} of {len(self.rows)} confirmed rows are lost: {lost[:5]}"

    def check_loss_is_a_tail(self, node, limit=1 << 20):
        """What is lost comes after all of its timeline that is left, and is at most `limit` bytes of WAL."""
        lost = self.lost(node)
        if not lost:
            return
        timelines = {row.timeline for row in lost}
        assert len(timelines) == 1, lost
        kept = [row for row in self.rows if row.timeline in timelines and row not in lost]
        # A row's position is that of its insert; of two at a time either may have been committed first.
        first = min(lost, key=lambda row: row.ended)
        late = [row for row in kept if row.began > first.ended]
        assert not late, f"{first} is lost, and {late[0]}, which began later, is not"
        size = (max(row.position for row in lost)
                - max((row.position for row in kept), default=min(row.position for row in lost)))
        assert size <= limit, f"{size} bytes of WAL are lost"

    def check_one_writer_at_a_time(self):
        """No two servers accepted rows on one timeline, nor did one after its successor did.

        Each timeline belongs to one epoch: `timeline` is what the server itself wrote on.
        """
        first = {}
        for row in sorted(self.rows, key=lambda one: one.ended):
            ports = {one.port for one in self.rows if one.timeline == row.timeline}
            assert len(ports) == 1, f"{ports} accepted writes on timeline {row.timeline}"
            first.setdefault(row.timeline, row.ended)
        for timeline, ended in first.items():
            late = [row for row in self.rows if row.timeline < timeline and row.began > ended]
            assert not late, f"rows began on an old timeline after one on {timeline} was confirmed: {late[:3]}"
