"""The other client: between the steps of a scenario it does what must not be seen there."""
from differ.compare import difference
from differ.messages import (SYNC, bind, close_statement, describe_statement, execute, parse, query, run)
from differ.player import Player, play
from differ.scenario import Login, Scenario, send

TURNS = 40
# Names that the scenarios use, too.
NAMES = ("s", "s1", "s2", "s3", "stmt", "S_1")


def _settings(turn):
    odd = turn % 2
    return query(
        f"SET search_path = {'pg_catalog' if odd else 'd2, d'}; SET DateStyle = '{'German' if odd else 'SQL, DMY'}';"
        f"SET TimeZone = '{'Asia/Tokyo' if odd else 'America/Lima'}'; SET application_name = 'other {turn}';"
        f"SET statement_timeout = {10000 + turn}; SET client_min_messages = {'debug1' if odd else 'error'};"
        f"SET default_transaction_isolation = '{'serializable' if odd else 'repeatable read'}';"
        f"SET bytea_output = {'escape' if odd else 'hex'}; SET d.custom = 'other {turn}'; SET ROLE d_role")


def _look():
    return run("SELECT current_user, session_user, current_schemas(false)::text, current_setting('DateStyle'), "
               "current_setting('TimeZone'), current_setting('application_name'), current_setting('d.custom', true), "
               "current_setting('statement_timeout'), current_setting('default_transaction_isolation')") + SYNC


def _statements(turn):
    data = b""
    for number, name in enumerate(NAMES):
        data += close_statement(name) + parse(f"SELECT 'another''s {name}', $1::int + {number + turn % 3}", name)
    data += bind("7", statement="s1") + describe_statement("s1") + execute() + SYNC
    return data + parse("SELECT 'another''s unnamed', $1::text") + SYNC


def turn(number):
    """What the other client sends in its turn `number`, in one write."""
    kind = number % 5
    if kind == 0:
        return _settings(number) + _look() + _statements(number)
    if kind == 1:
        return _settings(number) + query("BEGIN") + query("INSERT INTO d.t VALUES (900, 'other')") + query("ROLLBACK") + _look()
    if kind == 2:
        return _statements(number) + query("DEALLOCATE ALL") + query("RESET ALL; RESET ROLE") + _look()
    if kind == 3:
        return query("SET d.others = 'x'; SELECT setval('d.others', 5)") + query("SELECT 1/0") + _look()
    return query("DISCARD ALL") + _look()


SCRIPT = Scenario("disturber", tuple(send(turn(number)) for number in range(TURNS)))


class Disturber:
    """Takes its turns through Howdah; its own answers must be PostgreSQL's, too."""

    def __init__(self, address, expected, timeout):
        self.player, self.expected, self.turn, self.problem = Player(address, timeout=timeout), expected, 0, ""
        self.player.log_in(Login())
        self.player.take()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.player.__exit__()

    def __call__(self, step):
        if self.problem or self.turn == TURNS:
            return
        one = SCRIPT.steps[self.turn]
        self.turn += 1
        self.player.send(one.data)
        self.player.hear()
        if self.player.told[0][0] != "E":
            self.player.read(one.until)
        told = self.player.take()
        if told == self.expected[self.turn]:
            return
        if told[0][0] == "E" and b"C08001\0" in told[0][1]:
            self.problem = (f"before step {step + 1} the client holds the server, though nothing that it did before "
                            "is a reason for it")
        else:
            part = Scenario("", (one,))
            self.problem = (f"the other client, in its turn {self.turn} before step {step + 1}: "
                            + difference(part, [[], self.expected[self.turn], []], [[], told, []]))


def expectations(address):
    return play(SCRIPT, address)
