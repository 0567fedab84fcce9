"""Administrators who ask for everything, all the time, are no trouble for clients."""
import re
import subprocess
import threading

import psycopg
import pytest
from howdah_test.cluster import BIN, PASSWORDS

pytestmark = pytest.mark.needs_howdah

ADMINISTRATORS = 10
MODULES = ("PGSQL SERVERS", "PGSQL USERS", "PGSQL QUERY RULES", "PGSQL FIREWALL", "PGSQL VARIABLES", "ADMIN VARIABLES", "HA VARIABLES")


@pytest.fixture
def howdah(cluster, make_howdah):
    own = make_howdah(cluster, start=False)
    own.config["variables"]["datadir"] = str(own.folder)
    own.config["query_rules"] = [{"rule_id": 1, "match_digest": "pgbench_accounts", "destination_hostgroup": 10}]
    return own.start()


def admin(howdah):
    return psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin", dbname="admin",
                           autocommit=True)


def statements(connection):
    """A SELECT of every table, every SHOW without arguments, and the copies between all layers."""
    tables = connection.execute("SELECT DISTINCT schema_name, table_name FROM stats.howdah_columns"
                                " WHERE schema_name <> 'stats' OR table_name NOT LIKE '%_reset'").fetchall()
    out = [f"SELECT * FROM {schema}.{table}" for schema, table in tables]
    syntaxes = [s for s, in connection.execute("SELECT syntax FROM stats.howdah_commands")]
    for syntax in syntaxes:
        if syntax.startswith("SHOW ") and not re.search(r"[<.|]", syntax):
            out.append(re.sub(r"\[[^]]*\] ?", "", syntax).strip())
    out += ["HELP", "SHOW TABLES", "SHOW PGSQL VARIABLES", "SHOW PROMETHEUS METRICS", "RELOAD", "RECONNECT"]
    for module in MODULES:
        out += [f"{what} {module} {way}" for what, way in (
            ("SAVE", "TO MEMORY"), ("LOAD", "TO RUNTIME"), ("SAVE", "TO DISK"), ("LOAD", "FROM DISK"), ("LOAD", "FROM CONFIG"))]
    return out


@pytest.fixture
def accounts(cluster):
    yield
    cluster.primary.query("DROP TABLE IF EXISTS pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history",
                          dbname="appdb")


@pytest.mark.usefixtures("accounts")
def test_ten_administrators_do_not_disturb_pgbench(howdah):
    at_writer = ["-h", howdah.host, "-p", str(howdah.port), "-U", "appuser", "appdb"]
    environment = {"PGPASSWORD": PASSWORDS["appuser"]}
    done = subprocess.run([BIN / "pgbench", "-i", "-q", "-s", "1", *at_writer], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    with admin(howdah) as console:
        for module in MODULES:
            console.execute(f"SAVE {module} TO DISK")
        suite = statements(console)
    assert len(suite) > 100
    stop, failures, rounds = threading.Event(), [], []

    def administrate(first):
        try:
            with admin(howdah) as console:
                while not stop.is_set():
                    for i in range(len(suite)):
                        if stop.is_set():
                            return
                        statement = suite[(first + i) % len(suite)]
                        try:
                            console.execute(statement)
                        except psycopg.errors.LockNotAvailable:
                            pass  # two of them write MEMORY or DISK at the same time
                        except psycopg.Error as error:
                            failures.append(f"{statement}: {error!r}")
                    rounds.append(first)
        except psycopg.Error as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=administrate, args=(i * len(suite) // ADMINISTRATORS,)) for i in range(ADMINISTRATORS)]
    for thread in threads:
        thread.start()
    try:
        bench = subprocess.run([BIN / "pgbench", "-n", "-c", "8", "-j", "2", "-t", "500", "-M", "prepared", *at_writer],
                               capture_output=True, text=True, env=environment, timeout=300)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:5]
    assert bench.returncode == 0, bench.stderr
    assert "number of transactions actually processed: 4000/4000" in bench.stdout
    assert re.search(r"number of failed transactions: 0 ", bench.stdout), bench.stdout
    print(f"{len(rounds)} rounds of {len(suite)} statements; {bench.stdout}")
