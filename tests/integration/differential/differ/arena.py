"""PostgreSQL, two Howdahs before it, and the ways in which a scenario is played."""
from differ.disturber import Disturber, expectations
from differ.player import SplitAt, play, single_bytes
from differ.scenario import USER

SCHEMA = """
DROP SCHEMA IF EXISTS d CASCADE; DROP SCHEMA IF EXISTS d2 CASCADE;
CREATE SCHEMA d; CREATE SCHEMA d2; GRANT ALL ON SCHEMA d, d2 TO PUBLIC;
CREATE TABLE d.t (a int PRIMARY KEY, b text);
CREATE TABLE d.u (id int PRIMARY KEY, t_a int REFERENCES d.t DEFERRABLE, n numeric CHECK (n < 1000), at date);
CREATE SEQUENCE d.others; GRANT ALL ON d.others TO PUBLIC;
CREATE TABLE d2.t (a text, c float8);
INSERT INTO d2.t VALUES ('of d2', 1.5);
GRANT ALL ON d.t, d.u, d2.t TO PUBLIC;
"""
RESET = """
TRUNCATE d.t, d.u;
INSERT INTO d.t VALUES (1, 'one'), (2, 'two'), (3, NULL), (4, 'four'), (5, '');
INSERT INTO d.u VALUES (1, 1, 1.5, '2024-02-29'), (2, 1, 20, NULL), (3, 4, -3.25, '1999-12-31');
"""
NEXT_TRANSACTION = "SELECT txid_snapshot_xmax(txid_current_snapshot())"
# What is still going on of a play that is over, and the next transaction id: the same as before
# where nothing has been written.
LEFT = f"""
SELECT (SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE datid = (SELECT oid FROM pg_database WHERE datname = 'appdb')
        AND usesysid <> 10 AND backend_type = 'client backend' AND state IS DISTINCT FROM 'idle')
     + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), ({NEXT_TRANSACTION})
"""


class Arena:
    """`ways`: name -> callable(scenario, timeout) that plays it and returns (answers, problem)."""

    def __init__(self, cluster, howdah, narrow, wait_until):
        self.wait_until, self.written, self.transaction = wait_until, True, 0
        self.admin = cluster.primary.connect("appdb")
        self.admin.execute("SET lock_timeout = '10s'; SET client_min_messages = error")
        if not self.admin.execute("SELECT FROM pg_roles WHERE rolname = 'd_role'").fetchall():
            self.admin.execute("CREATE ROLE d_role; GRANT d_role TO appuser")
        self.admin.execute(SCHEMA)
        cluster.wait_for_replicas()
        self.direct = (cluster.primary.host, cluster.primary.port)
        self.through, self.narrow = (howdah.host, howdah.port), (narrow.host, narrow.port)
        self.renew()  # other tests may have left statements running whose clients are gone
        self.disturbed = expectations(self.direct)
        self.ways = {"whole": self.play_whole, "bytes": self.play_bytes, "interleaved": self.play_interleaved}

    def close(self):
        self.admin.execute("DROP SCHEMA d CASCADE; DROP SCHEMA d2 CASCADE; DROP OWNED BY d_role; DROP ROLE d_role")
        self.admin.close()

    def elsewhere(self, sql):
        self.admin.execute(sql)

    def _play(self, scenario, address, **more):
        """From the same state of the database, and with nothing of it left running."""
        if self.written or scenario.setup:
            setup = f"SET ROLE {USER}; {scenario.setup}; RESET ROLE" if scenario.setup else ""
            self.admin.execute(f"{RESET if self.written else ''} {setup}")
            self.written = False
            before = self.admin.execute(NEXT_TRANSACTION).fetchone()[0]
        else:
            before = self.transaction
        try:
            return play(scenario, address, elsewhere=self.elsewhere, **more)
        finally:
            self.wait_until(lambda: self._is_over(before), 20, f"{scenario.name} leaves nothing behind", 0.002)
            if scenario.teardown:
                self.admin.execute(scenario.teardown)

    def _is_over(self, before):
        left, after = self.admin.execute(LEFT).fetchone()
        self.written, self.transaction = self.written or after != before, after
        return left == 0

    def renew(self):
        """Ends the idle server connections: a difference may have spoilt them for the next scenario."""
        ended = self.admin.execute(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'appdb' AND usename <> 'postgres' "
            "AND backend_type = 'client backend'").fetchall()
        pids = [pid for pid, _ in ended]
        left = "SELECT FROM pg_stat_get_activity(NULL) WHERE pid = ANY(%s)"
        self.wait_until(lambda: not self.admin.execute(left, [pids]).fetchall(), 10, "backends end", 0.002)
        ours = f":{self.direct[1]:04X}"
        self.wait_until(lambda: not _half_closed(ours), 10, "Howdah notices the end of its server connections", 0.002)

    def reference(self, scenario):
        return self._play(scenario, self.direct)

    def play_whole(self, scenario, timeout):
        return self._play(scenario, self.through, timeout=timeout), ""

    def play_bytes(self, scenario, timeout):
        return self._play(scenario, self.through, cut=single_bytes, timeout=timeout), ""

    def play_interleaved(self, scenario, timeout):
        with Disturber(self.narrow, self.disturbed, timeout) as other:
            answers = self._play(scenario, self.narrow, timeout=timeout, between=other)
            return answers, other.problem

    @staticmethod
    def positions(scenario):
        """Every place inside what the scenario sends, the ends of its steps left out."""
        at, found = 0, []
        for step in scenario.steps:
            found += range(at + 1, at + len(step.data))
            at += len(step.data)
        return found

    def play_split(self, scenario, position, timeout):
        """One write up to `position`; the rest when Howdah has read it."""
        return self._play(scenario, self.through, cut=SplitAt(position), timeout=timeout)


def _half_closed(port):
    """True while somebody has not noticed that the server has closed a connection of `port`."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(row[2].endswith(port) and row[3] == "08" for row in map(str.split, table))
