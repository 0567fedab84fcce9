"""psql's own commands on the admin interface, its tab completion, and what JDBC's tools ask for."""
import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_howdah

DRIVER = "/usr/share/java/postgresql.jar"

COMMANDS = r"""\l, \l+, \dn, \dn+, \dt, \dt+, \dt *.*, \dt main.*, \dv, \dv+, \dv stats.*, \d, \d+, \d pgsql_servers,
\d+ pgsql_servers, \d disk.pgsql_servers, \d stats.*, \d+ monitor.*, \d pgsql_servers_pkey, \di, \di+, \du,
\du+, \dg, \df, \df+, \df *.*, \dp, \z pgsql_users, \dT, \dT+ *.*, \dx, \db, \db+, \dD, \dF, \dFd, \dFp,
\dFt, \do, \dL, \dC, \dc, \dd, \ddp, \dy, \des, \dew, \deu, \det, \dRp, \dRp+, \dRs, \dX, \dP, \dA, \dA+,
\dAc, \dAf, \da, \dO, \drds, \dconfig, \dconfig *, \dS, \dS+, \conninfo, \encoding, \dE, \ds, \dm""".replace("\n", " ").split(", ")


def run(howdah, *commands, user="admin", password="admin", options=()):
    arguments = [argument for command in commands for argument in ("-c", command)]
    return subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", *options, "-h", howdah.host, "-p", str(howdah.admin_port), "-U", user,
                           "-d", "admin", *arguments], capture_output=True, text=True, timeout=30,
                          env={"PGPASSWORD": password, "PATH": "/usr/bin:/bin"})


def shown(howdah, *commands, **more):
    done = run(howdah, *commands, **more)
    assert done.stderr == ""
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("user", ["admin", "stats"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_psql_works(howdah, command, user):
    done = run(howdah, command, user=user, password=user)
    assert "ERROR" not in done.stderr
    assert done.stderr == "" or done.stderr.startswith("Did not find any"), done.stderr


def test_the_database_its_schemas_and_who_may_log_in(howdah):
    unaligned = ["-At"]
    assert [row[:3] for row in shown(howdah, r"\l", options=unaligned)] == [["admin", "admin", "UTF8"]]
    schemas = [row[0] for row in shown(howdah, r"\dn", options=unaligned)]
    assert [s for s in schemas if s != "disk"] == ["main", "monitor", "pgbouncer", "stats"]
    assert shown(howdah, r"\du", options=unaligned) == [["admin", "Superuser", "{}"], ["stats", "", "{}"]]


def test_tables_of_the_configuration_are_tables_and_live_ones_are_views(howdah):
    tables = [row[:3] for row in shown(howdah, r"\dt", options=["-At"])]
    views = [row[:3] for row in shown(howdah, r"\dv", options=["-At"])]
    assert ["main", "pgsql_servers", "table"] in tables
    assert ["main", "global_variables", "table"] in tables
    assert ["main", "runtime_pgsql_servers", "view"] in views
    assert ["stats", "stats_pgsql_connection_pool", "view"] in views
    assert ["monitor", "pgsql_server_ping_log", "view"] in views
    assert [row[1] for row in shown(howdah, r"\dt pgsql_serv*", options=["-At"])] == ["pgsql_servers"]


def test_a_table_is_described_with_types_defaults_key_and_checks(howdah):
    text = run(howdah, r"\d pgsql_servers").stdout
    assert re.search(r'Table "main.pgsql_servers"', text)
    assert re.search(r"^ hostgroup_id +\| bigint +\| +\| not null \| *\w* *$", text, re.M)
    assert re.search(r"^ port +\| bigint +\| +\| not null \| 5432 *$", text, re.M)
    assert re.search(r"^ status +\| text +\| +\| not null \| 'ONLINE' *$", text, re.M)
    assert '"pgsql_servers_pkey" PRIMARY KEY, btree (hostgroup_id, hostname, port)' in text
    assert '"pgsql_servers_port_check" CHECK ("port" >= 1 AND "port" <= 65535)' in text
    assert "Port." in run(howdah, r"\d+ pgsql_servers").stdout


def test_tab_completion_knows_tables_columns_and_schemas(howdah):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", PGPASSWORD="admin")
        os.execvp("psql", ["psql", "-X", "-h", howdah.host, "-p", str(howdah.admin_port), "-U", "admin", "-d", "admin"])
    text = ""

    def read_until(wanted):
        nonlocal text
        end = time.monotonic() + 20
        while wanted not in text:
            assert time.monotonic() < end and select.select([terminal], [], [], 20)[0], text
            text += os.read(terminal, 4096).decode()

    try:
        read_until("admin=# ")
        for typed, completed in (("SELECT * FROM global_v\t", "ariables "), ("\x15SELECT * FROM stats.stats_pgsql_free_c\t", "onnections "),
                                 ("\x15UPDATE pgsql_servers SET max_con\t", "max_connections "), ("\x15SELECT * FROM moni\t", "monitor.")):
            text = ""
            os.write(terminal, typed.encode())
            read_until(completed)
        assert "ERROR" not in text
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def test_the_types_of_a_result_and_repeated_and_expanded_output(howdah):
    done = subprocess.run(["psql", "-X", "-At", "-h", howdah.host, "-p", str(howdah.admin_port), "-U", "admin", "-d", "admin"],
                          input="SELECT hostgroup_id, hostname FROM pgsql_servers \\gdesc\n\\x on\nSELECT 1 AS a;\n\\timing on\nSELECT 2;\n",
                          capture_output=True, text=True, timeout=30, env={"PGPASSWORD": "admin", "PATH": "/usr/bin:/bin"})
    assert done.stderr == ""
    assert done.stdout.startswith("hostgroup_id|bigint\nhostname|text\nExpanded display is on.\na|1\n")
    assert "Time: " in done.stdout


def test_jdbc_tools_find_tables_columns_and_keys(howdah, tmp_path):
    source = Path(__file__).with_name("Metadata.java")
    subprocess.run(["javac", "-cp", DRIVER, "-d", tmp_path, source], check=True, timeout=100)
    done = subprocess.run(["java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-cp", f"{tmp_path}:{DRIVER}", "Metadata",
                           f"jdbc:postgresql://{howdah.host}:{howdah.admin_port}/admin?sslmode=disable"],
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert found["catalogs"] == "[admin]"
    assert "main" in found["schemas"] and "pg_catalog" in found["schemas"]
    assert found["tables"] == "[pgsql_servers TABLE]"
    assert found["views"] == "[stats_pgsql_users]"
    assert "username text NO" in found["columns"] and "default_hostgroup int8" in found["columns"]
    assert found["key"] == "[1 hostgroup_id pgsql_servers_pkey, 2 hostname pgsql_servers_pkey, 3 port pgsql_servers_pkey]"
    assert "pgsql_servers_pkey hostgroup_id" in found["indexes"]
    assert (found["types"], found["imported"], found["functions"], found["keywords"]) == ("true", "[]", "[]", "true")
    assert found["result"] == "int8 12"
