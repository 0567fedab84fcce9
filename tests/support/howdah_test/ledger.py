"""A load of bookkeeping by many clients at once, whose outcome is known beforehand.

Every driver's "mixed load" keeps the same books in its own way. In each of its turns client number
`client` moves `amount` from one account to another, in one transaction that also undoes something
to a savepoint, and then reads back outside the transaction what it has moved so far:

    amount = (client * 31 + turn * 7) % 50 + 1
    source = (client + turn) % 8
    sink = (source + 1 + client % 3) % 8

`check()` asks the primary itself whether each move is there exactly once and all balances are right.
"""
from concurrent.futures import ThreadPoolExecutor

ACCOUNTS, START = 8, 1000
CLIENTS = 20


def amount_of(client, turn):
    return (client * 31 + turn * 7) % 50 + 1


def accounts_of(client, turn):
    """(source, sink)"""
    source = (client + turn) % ACCOUNTS
    return source, (source + 1 + client % 3) % ACCOUNTS


def changes_of(client, turn):
    """[(account, difference)] in the order of the accounts, so that no two clients deadlock."""
    source, sink = accounts_of(client, turn)
    amount = amount_of(client, turn)
    return sorted([(source, -amount), (sink, amount)])


def note_of(client, turn):
    return f"{client}/{turn} \u00e4 'quoted' \\ \u20ac"


def together(work, clients=CLIENTS):
    """Runs work(client) for all clients at once in threads; the first failure is raised."""
    with ThreadPoolExecutor(clients) as threads:
        for done in [threads.submit(work, client) for client in range(clients)]:
            done.result()


class Ledger:
    """The tables `accounts` (id, balance) and `moves` (client, turn, amount, note) of one test."""

    def __init__(self, cluster, name, turns):
        self.cluster, self.turns = cluster, turns
        self.accounts, self.moves = f"{name}_a", f"{name}_m"
        self._primary(
            f"SET ROLE appuser; CREATE TABLE {self.accounts} (id int PRIMARY KEY, balance bigint NOT NULL);"
            f"INSERT INTO {self.accounts} SELECT i, {START} FROM generate_series(0, {ACCOUNTS - 1}) i;"
            f"CREATE TABLE {self.moves} (client int, turn int, amount int NOT NULL, note text, "
            "PRIMARY KEY (client, turn))")
        cluster.wait_for_replicas()

    def _primary(self, sql):
        return self.cluster.primary.query(sql, dbname="appdb")

    def check(self, clients=CLIENTS):
        """The books are what `clients` clients leave behind after all their turns."""
        moves, balances = [], [START] * ACCOUNTS
        for client in range(clients):
            for turn in range(self.turns):
                moves.append((client, turn, amount_of(client, turn), note_of(client, turn)))
                for account, difference in changes_of(client, turn):
                    balances[account] += difference
        assert self._primary(f"SELECT client, turn, amount, note FROM {self.moves} ORDER BY 1, 2") == moves
        assert self._primary(f"SELECT id, balance FROM {self.accounts} ORDER BY id") == list(enumerate(balances))

    def drop(self):
        self._primary(f"DROP TABLE IF EXISTS {self.accounts}, {self.moves}")
