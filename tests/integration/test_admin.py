"""The admin interface as an administrator uses it: psql and psycopg on the admin port, from an empty configuration to
traffic, and the layers of the configuration."""
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from howdah_test import proxysql_suite
from howdah_test.admin_reference import render
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import Howdah
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


def admin(howdah, user="admin", password="admin", **more):
    return psycopg.connect(host=howdah.host, port=howdah.admin_port, user=user, password=password, dbname="admin",
                           autocommit=True, **more)


@pytest.fixture(scope="module")
def managed(cluster, workspace, program):
    """A Howdah whose configuration these tests change; they leave it as they found it."""
    own = Howdah(cluster, workspace / "managed", program)
    try:
        yield own.start()
    finally:
        own.close()


@pytest.fixture
def console(managed):
    with admin(managed) as connection:
        yield connection


@pytest.fixture
def background():
    with ThreadPoolExecutor(1) as threads:
        yield threads


def client_of(howdah, **more):
    return psycopg.connect(**howdah.target().libpq(), **more)


def rows(connection, sql, *parameters):
    return connection.execute(sql, parameters or None).fetchall()


def psql(howdah, *commands, user="admin", password="admin"):
    arguments = [argument for command in commands for argument in ("-c", command)]
    return subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", howdah.host, "-p", str(howdah.admin_port), "-U", user, "-d", "admin",
                           *arguments], capture_output=True, text=True, timeout=30, env={"PGPASSWORD": password, "PATH":
                                                                                           "/usr/bin:/bin"})


def test_the_roles_of_servers_and_their_pings_are_seen(cluster, console):
    servers = rows(console, "SELECT hostgroup_id, port, status FROM runtime_pgsql_servers ORDER BY hostgroup_id, port")
    replicas = sorted(r.port for r in cluster.replicas)
    assert servers == [(10, cluster.primary.port, "ONLINE")] + [(20, port, "ONLINE") for port in replicas]
    failed = """SELECT count(*) FROM monitor.pgsql_server_ping_log WHERE ping_error != '' AND time_start_us >
                (SELECT max(time_start_us) - 10000000 FROM monitor.pgsql_server_ping_log)"""
    assert rows(console, failed) == [(0,)]
    wait_until(lambda: rows(console, "SELECT count(*) FROM monitor.pgsql_server_read_only_log WHERE read_only = 1")[0][0] > 0,
               10, "read_only checks are logged")


def test_a_wrong_password_and_a_stranger_are_refused(managed):
    for user, password in (("admin", "wrong"), ("nobody", "admin"), ("stats", "admin")):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            admin(managed, user, password)


def test_who_may_read_statistics_changes_nothing(managed):
    with admin(managed, "stats", "stats") as stats:
        assert rows(stats, "SELECT count(*) FROM stats_pgsql_processlist")[0][0] >= 0
        for sql in ("SELECT * FROM pgsql_users", "UPDATE pgsql_servers SET weight = 2", "LOAD PGSQL SERVERS TO RUNTIME",
                    "PAUSE", "SET pgsql-threads = 3", "SHOW VARIABLES"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                stats.execute(sql)


def test_a_client_is_seen_and_ended(managed, console):
    with client_of(managed) as client:
        client.execute("BEGIN")
        client.execute("SELECT 1")
        [(pid, user, state, hostgroup, backend)] = rows(
            console, "SELECT SessionID, user, backend_state, hostgroup, backend_pid FROM stats_pgsql_processlist")
        assert (pid, user, state, hostgroup) == (client.info.backend_pid, "appuser", "idle in transaction", 10)
        assert backend == client.execute("SELECT pg_backend_pid()").fetchone()[0] or backend > 0
        assert rows(console, "SELECT usename, state FROM stats_pgsql_stat_activity WHERE pid = %s", pid) == [
            ("appuser", "idle in transaction")]
        console.execute(f"KILL CONNECTION {pid}")
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    with pytest.raises(psycopg.errors.UndefinedObject, match="there is no client"):
        console.execute(f"KILL CONNECTION {pid}")


def test_what_is_loaded_is_in_force_and_what_is_wrong_changes_nothing(managed, console):
    console.execute("UPDATE pgsql_users SET max_connections = 1 WHERE username = 'appuser'")
    assert rows(console, "SELECT max_connections FROM runtime_pgsql_users WHERE username = 'appuser'") == [(10000,)]
    console.execute("LOAD PGSQL USERS TO RUNTIME")
    assert rows(console, "SELECT max_connections FROM runtime_pgsql_users WHERE username = 'appuser'") == [(1,)]
    with client_of(managed), pytest.raises(psycopg.OperationalError, match="too many connections for role"):
        client_of(managed)
    console.execute("UPDATE pgsql_users SET max_connections = 50, default_hostgroup = 77 WHERE username = 'appuser'")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="hostgroup 77 has no server"):
        console.execute("LOAD PGSQL USERS TO RUNTIME")
    assert rows(console, "SELECT max_connections, default_hostgroup FROM runtime_pgsql_users WHERE username = 'appuser'"
                ) == [(1, 10)]
    console.execute("SAVE PGSQL USERS TO MEMORY")
    assert rows(console, "SELECT max_connections FROM pgsql_users WHERE username = 'appuser'") == [(1,)]
    console.execute("LOAD PGSQL USERS FROM CONFIG")
    assert rows(console, "SELECT max_connections FROM pgsql_users WHERE username = 'appuser'") == [(10000,)]
    console.execute("LOAD PGSQL USERS TO RUNTIME")


def test_constraints_and_unknown_names_are_told_with_a_hint(console):
    with pytest.raises(psycopg.errors.CheckViolation):
        console.execute("UPDATE pgsql_servers SET weight = -1")
    with pytest.raises(psycopg.errors.CheckViolation):
        console.execute("UPDATE pgsql_servers SET status = 'SLEEPING'")
    with pytest.raises(psycopg.errors.UndefinedObject) as wrong:
        console.execute("SET pgsql-max_conections = 5")
    assert 'Did you mean "pgsql-max_connections"?' in str(wrong.value)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not from 1 to 1000000|1 to 1000000"):
        console.execute("SET pgsql-max_connections = 0")
    with pytest.raises(psycopg.errors.SyntaxError) as wrong:
        console.execute("LOAD PGSQL SERVER TO RUNTIME")
    assert wrong.value.diag.statement_position == "12"


def test_from_nothing_to_traffic_by_sql_alone(cluster, make_howdah):
    """Everything but listeners and certificates comes from psql."""
    howdah = make_howdah(cluster, start=False)
    for section in ("servers", "replication_hostgroups", "users"):
        howdah.config[section] = []
    howdah.start(is_ready=lambda: "admin interface on" in howdah.log_text())
    port = cluster.primary.port
    replicas = ", ".join(f"(20, '127.0.0.1', {r.port})" for r in cluster.replicas)
    done = psql(howdah,
                f"INSERT INTO pgsql_servers (hostgroup_id, hostname, port) VALUES (10, '127.0.0.1', {port}), {replicas}",
                "INSERT INTO pgsql_replication_hostgroups (writer_hostgroup, reader_hostgroup, check_type, comment)"
                " VALUES (10, 20, 'read_only', 'all')",
                "LOAD PGSQL SERVERS TO RUNTIME",
                f"INSERT INTO pgsql_users (username, password, default_hostgroup) VALUES"
                f" ('appuser', '{PASSWORDS['appuser']}', 10)",
                "LOAD PGSQL USERS TO RUNTIME",
                "INSERT INTO pgsql_query_rules (rule_id, active, match_pattern, destination_hostgroup, apply)"
                " VALUES (1, 1, '^SELECT 42', 10, 1)",
                "LOAD PGSQL QUERY RULES TO RUNTIME")
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    wait_until(lambda: psql(howdah, "SELECT count(*) FROM runtime_pgsql_servers WHERE status = 'ONLINE'").stdout == "3\n",
               20, "all servers are online")
    with client_of(howdah, autocommit=True) as client:
        in_recovery = "SELECT pg_is_in_recovery()"
        wait_until(lambda: client.execute(in_recovery).fetchone()[0], 20, "reads go to a replica")
        assert client.execute("SELECT 42, pg_is_in_recovery()").fetchone() == (42, False)


@pytest.fixture
def lasting(cluster, make_howdah):
    """Howdah with a DISK layer."""
    howdah = make_howdah(cluster, start=False)
    howdah.config["variables"]["datadir"] = str(howdah.folder)
    return howdah.start()


def test_what_is_saved_to_disk_outlives_the_process(lasting):
    with admin(lasting) as console:
        assert rows(console, "SELECT count(*) FROM disk.pgsql_users") == [(0,)]
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="never saved"):
            console.execute("LOAD PGSQL USERS FROM DISK")
        console.execute("UPDATE pgsql_users SET comment = 'kept' WHERE username = 'appuser'")
        console.execute("SAVE PGSQL USERS TO DISK")
        console.execute("UPDATE pgsql_servers SET comment = 'lost'")
    assert (lasting.folder / "howdah.db").stat().st_mode & 0o777 == 0o600
    lasting.kill9()
    before = lasting.log_text().count("admin interface on")
    lasting.start(is_ready=lambda: lasting.log_text().count("admin interface on") > before)
    assert "PGSQL USERS from DISK" in lasting.log_text()
    with admin(lasting) as console:
        assert rows(console, "SELECT comment FROM runtime_pgsql_users WHERE username = 'appuser'") == [("kept",)]
        assert rows(console, "SELECT DISTINCT comment FROM runtime_pgsql_servers") == [("",)]
    with client_of(lasting) as client:
        assert client.execute("SELECT 1").fetchone() == (1,)


def restarted(howdah, *arguments):
    """The same Howdah, ended and started with these arguments."""
    howdah.signal(signal.SIGTERM)
    howdah.wait()
    before = howdah.log_text().count("admin interface on")
    howdah.arguments = list(arguments)
    return howdah.start(is_ready=lambda: howdah.log_text().count("admin interface on") > before)


def test_layers_that_differ_are_told_and_a_start_chooses(lasting):
    with admin(lasting) as console:
        assert rows(console, "SELECT * FROM config_drift") == []
        assert ("PGSQL USERS", "CONFIG", None) in rows(console, "SELECT * FROM howdah_layers")
        console.execute("UPDATE pgsql_users SET max_connections = 77 WHERE username = 'appuser'")
        console.execute("INSERT INTO pgsql_users (username, password, default_hostgroup) VALUES ('later', 'x', 10)")
        console.execute("SAVE PGSQL USERS TO DISK")
        drift = "SELECT table_name, row_key, column_name, config_value, disk_value, runtime_value FROM config_drift"
        assert rows(console, drift) == [
            ("pgsql_users", "appuser, 1", "max_connections", "10000", "77", "10000"),
            ("pgsql_users", "later, 1", None, None, "there", None)]
    of_users = "SELECT username, max_connections FROM runtime_pgsql_users ORDER BY 1"
    with admin(restarted(lasting)) as console:
        assert rows(console, of_users) == [("appuser", 77), ("later", 10000)]
        assert rows(console, "SELECT started_from FROM howdah_layers WHERE module = 'PGSQL USERS' AND saved_at > 0") == [("DISK",)]
    with admin(restarted(lasting, "--reload")) as console:
        assert rows(console, of_users) == [("appuser", 10000), ("later", 10000)]
        assert rows(console, "SELECT max_connections FROM disk.pgsql_users WHERE username = 'appuser'") == [(10000,)]
    with admin(restarted(lasting, "--initial")) as console:
        assert rows(console, of_users) == [("appuser", 10000)]
        assert rows(console, "SELECT * FROM disk.pgsql_users") == []
    assert (lasting.folder / "howdah.db.bak").exists()


def test_the_configuration_file_and_the_log_are_read_and_opened_anew(lasting):
    with admin(lasting) as console:
        lasting.config["users"][0]["comment"] = "reloaded"
        lasting.write_config()
        console.execute("RELOAD")
        assert rows(console, "SELECT comment FROM runtime_pgsql_users") == [("reloaded",)]
        lasting.config_file.write_text("users: 7\n", encoding="utf-8")
        with pytest.raises(psycopg.errors.ConfigFileError):
            console.execute("RELOAD")
        assert rows(console, "SELECT comment FROM runtime_pgsql_users") == [("reloaded",)]
        for command in ("PROXYSQL FLUSH LOGS", "PROXYSQL RELOAD TLS"):
            console.execute(command)


def test_a_configuration_that_was_saved_to_a_file_starts_howdah(lasting):
    saved = lasting.folder / "saved.yaml"
    with admin(lasting) as console:
        console.execute("UPDATE pgsql_users SET comment = 'in the file' WHERE username = 'appuser'")
        console.execute(f"SAVE CONFIG TO FILE '{saved}'")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "in the file" in saved.read_text()
    checked = subprocess.run([str(lasting.program), "--config", str(saved), "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_several_statements_transactions_and_parameters_work(console):
    with console.transaction():
        console.execute("UPDATE pgsql_servers SET comment = %s WHERE hostgroup_id = %s", ("seen", 20))
        assert rows(console, "SELECT DISTINCT comment FROM pgsql_servers WHERE hostgroup_id = 20") == [("seen",)]
        raise psycopg.Rollback()
    assert rows(console, "SELECT count(*) FROM pgsql_servers WHERE comment = 'seen'") == [(0,)]
    cursor = console.execute("SELECT 1; SELECT 'two'")
    assert cursor.fetchall() == [(1,)]
    assert cursor.nextset() and cursor.fetchall() == [("two",)]
    typed = console.execute("SELECT hostgroup_id, hostname, weight * 1.5 FROM pgsql_servers LIMIT 1", binary=True).fetchone()
    assert [type(v) for v in typed] == [int, str, float]


def test_a_pause_holds_clients_and_a_resume_lets_them_go(managed, console, background):
    with client_of(managed, autocommit=True) as client:
        client.execute("SELECT 1")
        console.execute("PAUSE")
        answer = background.submit(lambda: client.execute("SELECT 7").fetchone())
        wait_until(lambda: rows(console, "SELECT count(*) FROM stats_pgsql_processlist WHERE command = 'Wait'") == [(1,)],
                   10, "the client waits")
        console.execute("RESUME")
        assert answer.result(30) == (7,)


def test_a_runaway_statement_is_cancelled_and_others_go_on(managed, console, background):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with admin(managed) as other:
        answer = background.submit(lambda: other.execute(endless))
        assert rows(console, "SELECT 1") == [(1,)]
        wait_until(lambda: other.cancel() or answer.done(), 30, "it is cancelled")
        with pytest.raises(psycopg.errors.QueryCanceled):
            answer.result()
        assert rows(other, "SELECT 2") == [(2,)]


def test_statements_are_counted_by_their_digest(managed, console):
    console.execute("SELECT count(*) FROM stats_pgsql_query_digest_reset").fetchall()
    with client_of(managed, autocommit=True) as client:
        for number in range(5):
            client.execute(f"SELECT {number} AS counted")
        client.execute("CREATE TABLE IF NOT EXISTS counted (a int)")
        client.execute("INSERT INTO counted VALUES (1), (2)")
    counted = """SELECT hostgroup, count_star, sum_rows_sent, sum_rows_affected FROM stats_pgsql_query_digest
                 WHERE digest_text LIKE %s"""
    assert rows(console, counted, "select ? as counted")[0][1:3] == (5, 5)
    assert rows(console, counted, "insert into counted%")[0] == (10, 1, 0, 2)
    [(least, most, total, half)] = rows(console, "SELECT min_time, max_time, sum_time, p50_time FROM stats_pgsql_query_digest"
                                                 " WHERE digest_text = 'select ? as counted'")
    assert 0 < least <= most <= total and half > 0
    with client_of(managed, autocommit=True) as client:
        client.execute("DROP TABLE counted")


def test_errors_commands_and_traffic_are_counted_per_server(cluster, managed, console):
    for table in ("stats_pgsql_errors_reset", "stats_pgsql_connection_pool_reset"):
        console.execute(f"SELECT * FROM {table}").fetchall()
    counted = "SELECT Total_cnt, Total_Time_us FROM stats_pgsql_commands_counters WHERE Command = 'CREATE_TABLE'"
    before = rows(console, counted)[0]
    with client_of(managed, autocommit=True) as client:
        client.execute("CREATE TABLE IF NOT EXISTS kinds (a int)")
        for _ in range(3):
            with pytest.raises(psycopg.errors.UndefinedTable):
                client.execute("DELETE FROM no_such_table")
        client.execute("DROP TABLE kinds")
    after = rows(console, counted)[0]
    assert after[0] == before[0] + 1 and after[1] > before[1]
    [error] = rows(console, """SELECT hostgroup, port, username, database, sqlstate, count_star, last_error FROM stats_pgsql_errors
                               WHERE last_seen >= first_seen AND client_address = '127.0.0.1'""")
    assert error == (10, cluster.primary.port, "appuser", "appdb", "42P01", 3, 'relation "no_such_table" does not exist')
    [(statements, sent, received, most)] = rows(
        console, """SELECT Queries, Bytes_data_sent, Bytes_data_recv, MaxConnUsed FROM stats_pgsql_connection_pool_reset
                    WHERE hostgroup = 10""")
    assert statements >= 5 and sent > 100 and received > 100 and most >= 1
    assert rows(console, "SELECT Queries FROM stats_pgsql_connection_pool WHERE hostgroup = 10") == [(0,)]
    console.execute("TRUNCATE TABLE stats_pgsql_errors")
    assert rows(console, "SELECT count(*) FROM stats_pgsql_errors") == [(0,)]


def test_prepared_statements_and_what_runs_are_seen(managed, console, background):
    with client_of(managed, autocommit=True) as client, client_of(managed, autocommit=True) as other:
        for c in (client, other):
            c.execute("SELECT %s::int + 4711", (1,), prepare=True)
        [shown] = rows(console, """SELECT ref_count_client, ref_count_server > 0, num_param_types, query
                                   FROM stats_pgsql_prepared_statements_info WHERE query LIKE '%% + 4711'""")
        assert shown == (2, True, 1, "SELECT $1::int + 4711")
        running = background.submit(lambda: client.execute("SELECT pg_sleep(60) AS slow"))
        wait_until(lambda: rows(console, "SELECT info FROM stats_pgsql_processlist WHERE info LIKE '%%slow'") ==
                   [("select pg_sleep(?) as slow",)], 10, "what runs is shown")
        # PostgreSQL ignores a cancel that overtakes its statement.
        wait_until(lambda: client.cancel() or running.done(), 30, "it is cancelled")
        with pytest.raises(psycopg.errors.QueryCanceled):
            running.result()


def test_addresses_whose_logins_failed_are_known_and_forgotten(managed, console):
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**{**managed.target().libpq(), "password": "wrong"})
    [(address, failures, recent)] = rows(console, """SELECT client_address, error_count, last_updated > strftime('%%s') - 60
                                                     FROM stats_pgsql_client_host_cache""")
    assert (address, recent) == ("127.0.0.1", True) and failures >= 1
    console.execute("PROXYSQL FLUSH PGSQL CLIENT HOSTS")
    assert rows(console, "SELECT * FROM stats_pgsql_client_host_cache") == []


def test_prometheus_finds_its_metrics(managed, console):
    with urllib.request.urlopen(f"http://{managed.host}:{managed.metrics_port}/metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    assert re.search(r'^howdah_server_up\{hostgroup="10",server="127.0.0.1:\d+"\} 1$', text, re.M)
    assert re.search(r'^howdah_server_in_recovery\{server="127.0.0.1:\d+"\} 1$', text, re.M)
    names = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert len(names) == len(set(names)) > 30
    for name, kind in names:
        assert (kind == "counter") == name.endswith("_total"), name
    [(shown,)] = rows(console, "SHOW PROMETHEUS METRICS")
    assert re.findall(r"^# TYPE (\S+)", shown, re.M) == [name for name, _ in names]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{managed.host}:{managed.metrics_port}/nothing", timeout=30)


def test_pgbouncers_console_has_its_columns(managed, console):
    with client_of(managed) as client:
        client.execute("SELECT 1")
        cursor = console.execute("SHOW POOLS")
        assert [c.name for c in cursor.description] == [
            "database", "user", "cl_active", "cl_waiting", "cl_active_cancel_req", "cl_waiting_cancel_req", "sv_active",
            "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login", "maxwait",
            "maxwait_us", "pool_mode", "load_balance_hosts"]
        assert ("appdb", "appuser", 1) in [r[:3] for r in cursor.fetchall()]
        [client_row] = rows(console, "SELECT type, user, database, state FROM pgbouncer.clients")
        assert client_row == ("C", "appuser", "appdb", "active")
    for name in ("CLIENTS", "SERVERS", "DATABASES", "USERS", "LISTS", "CONFIG", "VERSION", "STATS_AVERAGES"):
        assert console.execute(f"SHOW {name}").description


def test_a_pause_is_the_state_of_pgbouncers_console(console):
    assert rows(console, "SHOW STATE") == [("active", "yes"), ("paused", "no"), ("suspended", "no")]
    console.execute("PAUSE")
    assert rows(console, "SHOW STATE")[1] == ("paused", "yes")
    console.execute("RESUME")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        console.execute("SHOW FDS")


DOCS = Path(__file__).resolve().parents[2] / "docs"


def is_current(page, text):
    """Whether the page has this text; it gets it where the documentation is to be renewed."""
    if os.environ.get("HOWDAH_RENEW_DOCS"):
        page.write_text(text, encoding="utf-8")
    return page.read_text(encoding="utf-8") == text


def test_the_reference_pages_are_current(lasting):
    with admin(lasting) as console:
        assert is_current(DOCS / "admin-reference.md", render(lambda sql: rows(console, sql))), "stale: see its head"


def test_what_proxysql_has_is_here_or_has_a_reason_not_to_be(lasting):
    page = DOCS / "admin.md"
    begin, end = "<!-- begin: proxysql_suite.py -->\n", "<!-- end -->\n"
    before, _, after = page.read_text(encoding="utf-8").partition(begin)
    with admin(lasting) as console:
        text = before + begin + proxysql_suite.render(lambda sql: rows(console, sql)) + end + after.partition(end)[2]
    assert is_current(page, text), "stale: renew it as admin-reference.md"


def test_the_history_of_statistics_is_kept_on_disk(lasting):
    with admin(lasting) as console:
        console.execute("SET admin-stats_history_interval = 1")
        console.execute("LOAD ADMIN VARIABLES TO RUNTIME")
        kept = "SELECT count(DISTINCT timestamp) FROM stats_history.history_pgsql_status_variables WHERE Variable_Name = 'Questions'"
        wait_until(lambda: rows(console, kept)[0][0] >= 2, 20, "samples are kept")
        assert rows(console, "SELECT count(DISTINCT srv_port) FROM stats_history.history_stats_pgsql_connection_pool") == [(3,)]
        with client_of(lasting, autocommit=True) as client:
            client.execute("SELECT 'to be kept'")
        console.execute("SAVE PGSQL DIGEST TO DISK")
        digests = "SELECT count_star FROM stats_history.history_pgsql_query_digest WHERE digest_text = 'select ?'"
        assert rows(console, digests) == [(1,)]
        assert rows(console, "SELECT count(*) FROM stats_pgsql_query_digest WHERE digest_text = 'select ?'") == [(0,)]
    lasting.kill9()
    before = lasting.log_text().count("admin interface on")
    lasting.start(is_ready=lambda: lasting.log_text().count("admin interface on") > before)
    with admin(lasting, "stats", "stats") as console:
        assert rows(console, digests) == [(1,)]
