"""Random message sequences by seed: the same seed brings the same sequence, on every machine."""
import random

from differ.messages import (COPY_DONE, FLUSH, SYNC, bind, close_portal, close_statement, copy_data, copy_fail, describe_portal,
                             describe_statement, execute, parse, query, run)
from differ.scenario import ready, scenario, send

_STATEMENTS = ("s", "s1", "s2", "stmt", "S_1", "")
_PORTALS = ("", "p", "q")
# SQL and how many parameters it takes.
_TEXTS = (
    ("SELECT a, b FROM d.t ORDER BY a", 0), ("SELECT b FROM d.t WHERE a = $1", 1), ("SELECT $1::int + $2::int", 2), ("SELECT 1/$1::int", 1),
    ("INSERT INTO d.t VALUES ($1, $2) RETURNING a", 2), ("UPDATE d.t SET b = $2 WHERE a = $1", 2), ("DELETE FROM d.t WHERE a = $1", 1), ("SELECT count(*) FROM d.u WHERE t_a = $1", 1),
    ("SELECT i FROM generate_series(1, 6) AS i", 0), ("SELECT upper($1)", 1), ("", 0), ("SELEC", 0), ("SELECT * FROM d.nothing", 0), ("SELECT nothing", 0), ("BEGIN", 0), ("COMMIT", 0), ("ROLLBACK", 0),
    ("SAVEPOINT a", 0), ("ROLLBACK TO a", 0), ("RELEASE a", 0), ("SET d.custom = 'of the protocol'", 0), ("SHOW TimeZone", 0), ("INSERT INTO d.u VALUES ($1, $2)", 2), ("SET TimeZone = 'Asia/Tokyo'", 0),
    ("SELECT t.a, u.n FROM d.t JOIN d.u ON t_a = a ORDER BY id", 0), ("EXPLAIN (COSTS OFF) SELECT 1", 0), ("SELECT a FROM d.t WHERE b = $1 FOR UPDATE", 1),
)
_SIMPLE = (
    "SELECT 1", "SELECT a, b FROM d.t ORDER BY a", "SELECT count(*) FROM d.t", "INSERT INTO d.t VALUES (20, 'twenty')", "DELETE FROM d.t WHERE a >= 20", "UPDATE d.t SET b = 'u' WHERE a = 2", "SELECT 1/0", "SELEC", "",
    "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", "BEGIN; INSERT INTO d.t VALUES (21, 'x'); COMMIT", "SELECT 1; SELECT 2", "INSERT INTO d.t VALUES (22, 'x'); SELECT 1/0", "SET d.custom = 'x'",
    "SET TimeZone = 'Europe/Vienna'", "SET application_name = 'generated'", "RESET TimeZone", "RESET ALL", "SHOW TimeZone", "SHOW application_name", "SET LOCAL work_mem = '128kB'", "SHOW work_mem", "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "BEGIN READ ONLY", "SHOW transaction_isolation", "DEALLOCATE ALL", "DISCARD ALL", "DO $$ BEGIN RAISE NOTICE 'note'; END $$", "COPY d.t TO STDOUT", "DECLARE c CURSOR FOR SELECT a FROM d.t ORDER BY a", "FETCH 2 FROM c", "CLOSE c",
    "SET search_path = d2", "SELECT * FROM t ORDER BY 1", "SET CONSTRAINTS ALL DEFERRED", "INSERT INTO d.u VALUES (30, 999)", "SET ROLE d_role", "RESET ROLE", "SELECT current_user",
)
_VALUES = ("0", "1", "2", "4", "30", "31", "abc", "", None, "x" * 300)


class _Maker:
    def __init__(self, seed):
        self.random = random.Random(f"howdah {seed}")
        self.parameters = {}

    def _values(self, count):
        return [self.random.choice(_VALUES) for _ in range(count)]

    def _formats(self):
        return self.random.choice(((),) * 6 + ((0,), (1,)))

    def _parse(self):
        name, (sql, count) = self.random.choice(_STATEMENTS), self.random.choice(_TEXTS)
        self.parameters[name] = count
        return close_statement(name) + parse(sql, name)

    def _bind(self):
        name = self.random.choice(_STATEMENTS)
        values = self._values(self.parameters.get(name, 0))
        return bind(*values, statement=name, portal=self.random.choice(_PORTALS), results=self._formats())

    def _extended(self):
        """One to three extended messages that belong together more often than not."""
        choose = self.random.random()
        if choose < 0.35:
            sql, count = self.random.choice(_TEXTS)
            self.parameters[""] = count
            return run(sql, *self._values(count), results=self._formats())
        if choose < 0.55:
            return self._parse()
        if choose < 0.8:
            name, portal = self.random.choice(_STATEMENTS), self.random.choice(_PORTALS)
            data = bind(*self._values(self.parameters.get(name, 0)), statement=name, portal=portal, results=self._formats())
            if self.random.random() < 0.5:
                data += describe_portal(portal)
            return data + execute(portal, self.random.choice((0, 0, 0, 1, 2)))
        return self.random.choice((
            lambda: describe_statement(self.random.choice(_STATEMENTS)), lambda: describe_portal(self.random.choice(_PORTALS)),
            lambda: execute(self.random.choice(_PORTALS), self.random.choice((0, 1, 2))), lambda: close_portal(self.random.choice(_PORTALS)),
            lambda: close_statement(self.random.choice(_STATEMENTS)), self._bind, lambda: FLUSH))()

    def _batch(self):
        return b"".join(self._extended() for _ in range(self.random.randint(1, 5))) + SYNC

    def _unit(self):
        """A batch, a Query, or a COPY: ends with one ReadyForQuery."""
        choose = self.random.random()
        if choose < 0.5:
            return self._batch()
        if choose < 0.94:
            return query(self.random.choice(_SIMPLE))
        rows = [copy_data(f"{number}\tcopied\n") for number in self.random.sample(range(40, 90), 3)]
        if self.random.random() < 0.3:
            rows[1] = copy_data("no number\tx\n")
        return query("COPY d.t FROM STDIN") + b"".join(rows) + self.random.choice((COPY_DONE, COPY_DONE, copy_fail("no more")))

    def step(self, pipelined):
        units = [self._unit() for _ in range(self.random.choice((1, 1, 2, 3, 5)) if pipelined else 1)]
        return send(*units, until=ready(len(units)))


def generated(seed, pipelined):
    """The scenario of a seed: steps, of several batches each if `pipelined`, then the state that they leave."""
    maker = _Maker(seed)
    steps = [maker.step(pipelined) for _ in range(maker.random.randint(5, 10) if pipelined else maker.random.randint(9, 16))]
    return scenario(f"seed_{seed}", *steps, "ROLLBACK", "SELECT a, b FROM d.t ORDER BY a", "SELECT current_user, current_setting('TimeZone'), current_setting('search_path')")
