"""IMPORT PGBOUNCER CONFIG: from a pgbouncer.ini to clients that log in through Howdah as they did through PgBouncer."""
import os
import re
from pathlib import Path

import psycopg
import pytest
from howdah_test import Cluster
from howdah_test.cluster import PASSWORDS
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

# What Debian's package has in force; the rest of its file is comments.
DEBIAN = """[databases]
[users]
[pgbouncer]
logfile = /var/log/postgresql/pgbouncer.log
pidfile = /var/run/postgresql/pgbouncer.pid
listen_addr = localhost
listen_port = 6432
unix_socket_dir = /var/run/postgresql
auth_type = md5
auth_file = /etc/pgbouncer/userlist.txt
"""
INSTALLED = Path("/usr/share/doc/pgbouncer/examples/pgbouncer.ini")
MODULES = ("PGSQL SERVERS", "PGSQL VARIABLES", "PGSQL USERS", "PGSQL QUERY RULES", "ADMIN VARIABLES")
PAGE = Path(__file__).resolve().parents[2] / "docs/from-pgbouncer.md"
HEADING = "## Every setting\n"


@pytest.fixture(scope="module")
def elsewhere(template, workspace):
    """A second primary, with a database that the first one does not have."""
    other = Cluster(template, workspace / "elsewhere", replicas=0)
    try:
        other.create_database("archive")
        yield other.primary
    finally:
        other.close()


@pytest.fixture
def empty(make_howdah, cluster):
    """A Howdah that knows no server and no user."""
    howdah = make_howdah(cluster, start=False, servers=[], replication_hostgroups=[])
    howdah.config["users"] = []
    return howdah.start()


@pytest.fixture
def console(empty):
    with psycopg.connect(host=empty.host, port=empty.admin_port, user="admin", password="admin", dbname="admin",
                         autocommit=True) as connection:
        yield connection


def write(howdah, name, text):
    path = howdah.folder / name
    path.write_text(text, encoding="utf-8")
    howdah.os_user.own(path).chmod(0o600)
    return path


def at(howdah, node, user, dbname):
    return psycopg.connect(host=howdah.host, port=howdah.port, user=user, password=PASSWORDS[user], dbname=dbname,
                           sslmode="disable", autocommit=True)


def server_of(client):
    return client.execute("SELECT inet_server_port()").fetchone()[0]


def rows(console, sql):
    return console.execute(sql).fetchall()


def test_clients_of_debians_pgbouncer_become_clients_of_howdah(empty, console, cluster, elsewhere):
    text = INSTALLED.read_text(encoding="utf-8") if INSTALLED.exists() else DEBIAN
    primary = cluster.primary
    text = text.replace("[databases]\n", "[databases]\n"
                        f"appdb = host={primary.host} port={primary.port} pool_size=7\n"
                        f"archive = host={elsewhere.host} port={elsewhere.port} pool_mode=transaction\n", 1)
    text = re.sub(r"^auth_file = .*", "auth_file = userlist.txt", text, flags=re.M)
    write(empty, "userlist.txt", "".join(f'"{name}" "{PASSWORDS[name]}"\n' for name in ("appuser", "clear_user")))
    ini = write(empty, "pgbouncer.ini", text)

    shown = rows(console, f"IMPORT PGBOUNCER CONFIG FROM '{ini}' DRY RUN")
    assert rows(console, "SELECT count(*) FROM pgsql_servers") == [(0,)], "DRY RUN changes nothing"
    assert {row[3] for row in shown} == {"translated", "ignored"}
    by_setting = {row[1]: row for row in shown}
    line = 1 + text[:text.index("\nlisten_port")].count("\n") + 1
    assert by_setting["listen_port"][:3] == (f"{ini}:{line}", "listen_port", "6432")
    assert by_setting["pool_mode"][0] == "", "PgBouncer's default"

    notices = []
    console.add_notice_handler(lambda n: notices.append(n.message_primary))
    assert rows(console, f"import pgbouncer config from '{ini}'") == shown
    assert "LOAD PGSQL SERVERS TO RUNTIME;" in notices[-1]
    assert rows(console, "SELECT count(*) FROM runtime_pgsql_servers") == [(0,)], "nothing is in force yet"
    for module in MODULES:
        console.execute(f"LOAD {module} TO RUNTIME")
    assert any("interfaces" in notice for notice in notices), "listening elsewhere needs a restart"

    assert rows(console, "SELECT hostgroup_id, port, max_connections FROM runtime_pgsql_servers ORDER BY 1") == [
        (10, primary.port, 7), (30, elsewhere.port, 20)]
    with at(empty, primary, "appuser", "appdb") as client:
        client.execute("CREATE TEMP TABLE kept (x int)")
        client.execute("INSERT INTO kept VALUES (1)")
        assert client.execute("SELECT x FROM kept").fetchone() == (1,), "session pooling, as in PgBouncer"
        assert server_of(client) == primary.port
    for user in ("appuser", "clear_user"):
        with at(empty, elsewhere, user, "archive") as client:
            assert server_of(client) == elsewhere.port
            with client.transaction():
                assert server_of(client) == elsewhere.port
    with pytest.raises(psycopg.OperationalError, match='database "postgres"'):
        at(empty, primary, "appuser", "postgres")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=empty.host, port=empty.port, user="appuser", password="wrong", dbname="appdb")


def test_what_cannot_be_imported_is_listed_and_left_out_on_demand(empty, console, cluster):
    primary = cluster.primary
    write(empty, "users", f'"appuser" "{PASSWORDS["appuser"]}"\n"boss" "boss secret"\n')
    ini = write(empty, "strict.ini", f"""[databases]
appdb = host={primary.host} port={primary.port}
other = host={primary.host} port={primary.port} dbname=appdb user=boss password=very_secret timezone=UTC
[pgbouncer]
auth_type = scram-sha-256
pool_mode = transaction
auth_file = users
admin_users = boss
application_name_add_host = 1
tcp_keepalives = 1
""")
    before = {table: rows(console, f"SELECT * FROM {table}") for table in ("pgsql_users", "global_variables")}
    with pytest.raises(psycopg.errors.ConfigFileError) as refused:
        console.execute(f"IMPORT PGBOUNCER CONFIG FROM '{ini}'")
    assert "nothing has changed" in str(refused.value)
    detail = refused.value.diag.message_detail.splitlines()
    for number, setting in ((3, "[databases] other: user"),
                            (3, "[databases] other: timezone"), (9, "application_name_add_host"),
                            (10, "tcp_keepalives")):
        assert any(one.startswith(f"{ini}:{number}: {setting}: ") for one in detail), setting
    assert "did you mean tcp_keepalive?" in refused.value.diag.message_detail
    assert before == {table: rows(console, f"SELECT * FROM {table}") for table in before}

    shown = rows(console, f"IMPORT PGBOUNCER CONFIG FROM '{ini}' IGNORE WARNINGS")
    assert [row[3] for row in shown].count("impossible") == len(detail)
    for module in MODULES:
        console.execute(f"LOAD {module} TO RUNTIME")
    with at(empty, primary, "appuser", "appdb") as client:
        assert server_of(client) == primary.port
    with psycopg.connect(host=empty.host, port=empty.admin_port, user="boss", password="boss secret",
                         dbname="admin") as boss:
        boss.execute("SELECT 1 FROM pgsql_users")
    seen = str(shown) + str(refused.value) + "\n".join(detail) + empty.log_text()
    for secret in ("very_secret", "boss secret", PASSWORDS["appuser"]):
        assert secret not in seen


def test_an_import_replaces_what_was_there_as_a_whole(empty, console, cluster):
    console.execute("INSERT INTO pgsql_servers (hostgroup_id, hostname) VALUES (77, 'old')")
    console.execute("INSERT INTO pgsql_query_rules (rule_id, destination_hostgroup) VALUES (1, 77)")
    console.execute("SET pgsql-monitor_ping_interval = 1234")
    ini = write(empty, "p.ini", f"[databases]\n* = host={cluster.primary.host}\n[pgbouncer]\nauth_type=trust\n"
                                "query_wait_timeout = 3.5\n")
    console.execute(f"IMPORT PGBOUNCER CONFIG FROM '{ini}'")
    assert rows(console, "SELECT hostgroup_id, hostname FROM pgsql_servers") == [(10, cluster.primary.host)]
    assert rows(console, "SELECT * FROM pgsql_query_rules") == []
    values = dict(rows(console, "SELECT * FROM global_variables"))
    assert values["pgsql-connect_timeout_server_max"] == "3500"
    assert values["pgsql-monitor_ping_interval"] == "1234", "PgBouncer has no say in it"
    console.execute("BEGIN")
    console.execute(f"IMPORT PGBOUNCER CONFIG FROM '{write(empty, 'q.ini', '[databases]')}'")
    assert rows(console, "SELECT * FROM pgsql_servers") == []
    console.execute("ROLLBACK")
    assert len(rows(console, "SELECT * FROM pgsql_servers")) == 1


def test_files_that_cannot_be_read_are_named_and_only_administrators_may_ask(empty, console):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="must begin with '/'"):
        console.execute("IMPORT PGBOUNCER CONFIG FROM 'pgbouncer.ini'")
    with pytest.raises(psycopg.errors.ConfigFileError) as refused:
        console.execute("IMPORT PGBOUNCER CONFIG FROM '/nowhere/pgbouncer.ini' IGNORE WARNINGS")
    assert refused.value.diag.message_detail.endswith("No such file or directory")
    broken = write(empty, "broken.ini", "[databases]\nsecret stuff\n")
    with pytest.raises(psycopg.errors.ConfigFileError) as refused:
        console.execute(f"IMPORT PGBOUNCER CONFIG FROM '{broken}'")
    assert refused.value.diag.message_detail == f'{broken}:2: expected "name = value"'
    with pytest.raises(psycopg.errors.SyntaxError):
        console.execute(f"IMPORT PGBOUNCER CONFIG FROM '{broken}' DRY")
    with psycopg.connect(host=empty.host, port=empty.admin_port, user="stats", password="stats", dbname="admin",
                         autocommit=True) as stats:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stats.execute(f"IMPORT PGBOUNCER CONFIG FROM '{broken}' DRY RUN")
        assert len(stats.execute("SHOW PGBOUNCER SETTINGS").fetchall()) > 100


def test_a_route_to_the_readers_of_a_pair_does_not_move_its_clients(make_howdah, cluster):
    howdah = make_howdah(cluster, query_rules_fast_routing=[
        {"username": "", "database": "appdb", "destination_hostgroup": 20}],
        query_rules=[{"rule_id": 1, "match_pattern": "stay", "apply": 1}])
    with at(howdah, cluster.primary, "appuser", "appdb") as client:
        wait_until(lambda: server_of(client) != cluster.primary.port, 20, lambda: "the route is taken")
        assert client.execute("SELECT inet_server_port() AS stay FOR UPDATE").fetchone()[0] == cluster.primary.port


def test_the_page_for_users_of_pgbouncer_is_current(console):
    out = [HEADING]
    section = None
    for now, setting, becomes, note in rows(console, "SHOW PGBOUNCER SETTINGS"):
        if now != section:
            out.append(f"\n### {now}\n\n| PgBouncer | Howdah | |\n|---|---|---|\n")
            section = now
        out.append(f"| `{setting}` | {becomes.replace('|', chr(92) + '|')} | {note.replace('|', chr(92) + '|')} |\n")
    text = PAGE.read_text(encoding="utf-8")
    current = text.partition(HEADING)[0] + "".join(out)
    if os.environ.get("HOWDAH_RENEW_DOCS"):
        PAGE.write_text(current, encoding="utf-8")
        text = current
    assert text == current, "stale: run this test with HOWDAH_RENEW_DOCS=1"
