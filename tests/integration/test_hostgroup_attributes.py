"""pgsql_hostgroup_attributes: through all layers of the configuration, and what it does to the connections of real servers."""
import signal

import psycopg
import pytest
import yaml
from howdah_test.proxy import Howdah, servers_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

TABLE = "pgsql_hostgroup_attributes"
COLUMNS = ("hostgroup_id", "max_num_online_servers", "autocommit", "free_connections_pct", "init_connect", "multiplex",
           "connection_warming", "throttle_connections_per_sec", "ignore_session_variables", "hostgroup_settings",
           "servers_defaults", "comment")


def admin(howdah):
    return psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin", dbname="admin",
                           autocommit=True)


def rows(connection, sql, *parameters):
    return connection.execute(sql, parameters or None).fetchall()


def tag(table):
    """What lets connections be told from those of others, and what counts them at a server."""
    columns = {"init_connect": f"SET application_name TO '{table}'", "ignore_session_variables": '["application_name"]'}

    def count(node):
        return node.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [table])[0][0]

    return columns, count


def with_attributes(make_howdah, cluster, *entries, **options):
    return make_howdah(cluster, hostgroup_attributes=list(entries), **options)


def test_the_table_goes_through_all_layers(cluster, workspace, program):
    folder = workspace / "attribute_layers"
    howdah = Howdah(cluster, folder, program, hostgroup_attributes=[{"hostgroup_id": 20, "comment": "of the file"}])
    howdah.config["variables"]["datadir"] = str(folder)
    try:
        howdah.start()
        with admin(howdah) as console:
            assert tuple(c.name for c in console.execute(f"SELECT * FROM {TABLE}").description) == COLUMNS
            assert rows(console, f"SELECT * FROM runtime_{TABLE}") == [
                (20, 1000000, -1, 10, "", 1, 0, 1000000, "", "", "", "of the file")]
            written = (10, 1, -1, 50, "SET statement_timeout TO '1min'", 0, 1, 30, '["application_name"]', "{}",
                       '{"weight": 3}', "by SQL")
            console.execute(f"INSERT INTO {TABLE} VALUES ({', '.join(['%s'] * len(written))})", written)
            assert rows(console, f"SELECT hostgroup_id FROM runtime_{TABLE}") == [(20,)]
            console.execute("LOAD PGSQL SERVERS TO RUNTIME")
            assert rows(console, f"SELECT * FROM runtime_{TABLE} WHERE hostgroup_id = 10") == [written]
            drift = f"SELECT row_key, column_name FROM config_drift WHERE table_name = '{TABLE}'"
            assert rows(console, drift) == [("10", None)]
            console.execute("SAVE PGSQL SERVERS TO DISK")
            saved = folder / "saved.yaml"
            console.execute(f"SAVE CONFIG TO FILE '{saved}'")
            console.execute(f"DELETE FROM {TABLE}")
            console.execute("SAVE PGSQL SERVERS TO MEMORY")
            assert rows(console, f"SELECT hostgroup_id FROM {TABLE} ORDER BY 1") == [(10,), (20,)]
            console.execute("LOAD PGSQL SERVERS FROM CONFIG")
            assert rows(console, f"SELECT hostgroup_id FROM {TABLE}") == [(20,)]
            console.execute("LOAD PGSQL SERVERS FROM DISK")
            assert rows(console, f"SELECT * FROM {TABLE} WHERE hostgroup_id = 10") == [written]
        entries = yaml.safe_load(saved.read_text(encoding="utf-8"))["hostgroup_attributes"]
        assert entries[0]["init_connect"] == "SET statement_timeout TO '1min'"
        assert [e["hostgroup_id"] for e in entries] == [10, 20]
        howdah.signal(signal.SIGTERM)
        howdah.wait()
        before = howdah.log_text().count("admin interface on")
        howdah.start(is_ready=lambda: howdah.log_text().count("admin interface on") > before)
        with admin(howdah) as console:
            assert rows(console, f"SELECT * FROM runtime_{TABLE} WHERE hostgroup_id = 10") == [written]
    finally:
        howdah.close()


def test_what_is_wrong_is_said_and_changes_nothing(make_howdah, cluster):
    howdah = make_howdah(cluster)
    with admin(howdah) as console:
        for change, pattern in (
                ("INSERT INTO {} (hostgroup_id, multiplex) VALUES (10, 2)", "CHECK constraint failed"),
                ("INSERT INTO {} (hostgroup_id, servers_defaults) VALUES (10, '{{')", "CHECK constraint failed"),
                ("INSERT INTO {} (hostgroup_id) VALUES (10), (10)", "UNIQUE constraint failed")):
            with pytest.raises(psycopg.Error, match=pattern):
                console.execute(change.format(TABLE))
        for columns, values, pattern in (
                ("hostgroup_id", "77", "hostgroup 77 has no server"),
                ("hostgroup_id, autocommit", "10, 1", "autocommit: '1' has no meaning in PostgreSQL"),
                ("hostgroup_id, init_connect", "10, 'SET statement_timeout'", "hostgroup 10: init_connect: PostgreSQL's grammar"),
                ("hostgroup_id, init_connect", "10, 'LISTEN x'", "must not leave this behind on the connection: listen"),
                ("hostgroup_id, ignore_session_variables", "10, '[\"search_path\"]'", "search_path cannot be ignored"),
                ("hostgroup_id, hostgroup_settings", "10, '{\"handle_warnings\": 1}'", "handle_warnings"),
                ("hostgroup_id, servers_defaults", "10, '{\"wieght\": 1}'", "has the key 'wieght'")):
            console.execute(f"INSERT INTO {TABLE} ({columns}) VALUES ({values})")
            with pytest.raises(psycopg.errors.InvalidParameterValue, match=pattern):
                console.execute("LOAD PGSQL SERVERS TO RUNTIME")
            assert rows(console, f"SELECT * FROM runtime_{TABLE}") == []
            console.execute(f"DELETE FROM {TABLE}")


def test_a_setting_of_init_connect_is_there_whatever_clients_do(make_howdah, cluster, connect):
    howdah = with_attributes(
        make_howdah, cluster,
        {"hostgroup_id": 10, "init_connect": "SET statement_timeout TO '77s'; SET search_path TO \"$user\", app, public"},
        {"hostgroup_id": 20, "init_connect": "SET statement_timeout TO '33s'"},
        servers=servers_of(cluster, max_connections=1), variables={"threads": 1, "read_consistency": "eventual"})

    def shown(client, name="statement_timeout"):
        with client.transaction():
            return client.execute(f"SHOW {name}").fetchone()[0]

    one, other = connect(howdah), connect(howdah)
    assert shown(one) == shown(other) == "77s"
    assert shown(one, "search_path") == '"$user", app, public'
    assert one.execute("SELECT current_setting('statement_timeout')").fetchone()[0] == "33s", "a reader has its own"
    one.execute("SET statement_timeout TO '5s'")
    assert (shown(one), shown(other)) == ("5s", "77s")
    one.execute("RESET statement_timeout")
    assert (shown(one), shown(other)) == ("77s", "77s")
    one.execute("SET statement_timeout TO '6s'")
    one.execute("DISCARD ALL")
    assert (shown(one), shown(other)) == ("77s", "77s")


def test_statements_of_init_connect_are_run_on_new_connections_and_after_discarding(make_howdah, cluster, connect, table):
    cluster.primary.query(f"CREATE TABLE {table} (pid int)", dbname="appdb")
    cluster.primary.query(f"GRANT ALL ON {table} TO PUBLIC", dbname="appdb")
    howdah = with_attributes(make_howdah, cluster, variables={"threads": 1}, servers=servers_of(cluster, max_connections=1),
                             *[{"hostgroup_id": 10, "free_connections_pct": 100,
                                "init_connect": f"INSERT INTO {table} VALUES (pg_backend_pid())"}])

    def runs(pid):
        return cluster.primary.query(f"SELECT count(*) FROM {table} WHERE pid = %s", [pid], dbname="appdb")[0][0]

    client = connect(howdah)
    with client.transaction():
        pid = client.execute("SELECT pg_backend_pid()").fetchone()[0]
    assert runs(pid) == 1
    client.execute("LISTEN x")
    client.close()
    wait_until(lambda: runs(pid) == 2, 20, "it was run again behind DISCARD ALL")
    cluster.primary.query(f"DROP TABLE {table}", dbname="appdb")


def test_a_failing_init_connect_is_told_to_the_client_and_mended_by_a_load(make_howdah, cluster, connect):
    howdah = with_attributes(make_howdah, cluster, {"hostgroup_id": 10, "init_connect": "SELECT no_such_function()"})
    with pytest.raises(psycopg.OperationalError, match=r"init_connect failed: .*no_such_function\(\) does not exist"):
        connect(howdah)
    with admin(howdah) as console:
        console.execute(f"UPDATE {TABLE} SET init_connect = ''")
        console.execute("LOAD PGSQL SERVERS TO RUNTIME")
    with connect(howdah) as client, client.transaction():
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_a_changed_init_connect_replaces_idle_connections(make_howdah, cluster, connect):
    howdah = with_attributes(make_howdah, cluster, {"hostgroup_id": 10, "init_connect": "SET work_mem TO '1MB'"})
    client = connect(howdah)

    def work_mem():
        with client.transaction():
            return client.execute("SHOW work_mem").fetchone()[0]

    assert work_mem() == "1MB"
    with admin(howdah) as console:
        assert rows(console, "SELECT DISTINCT init_connect FROM stats_pgsql_free_connections WHERE srv_port = %s",
                    cluster.primary.port) == [("SET work_mem TO '1MB'",)]
        console.execute(f"UPDATE {TABLE} SET init_connect = 'SET work_mem TO ''2MB'''")
        console.execute("LOAD PGSQL SERVERS TO RUNTIME")
        wait_until(lambda: rows(console, "SELECT count(*) FROM stats_pgsql_free_connections WHERE init_connect LIKE '%%1MB%%'") == [
            (0,)], 10, "old connections are closed")
    assert work_mem() == "2MB"


def test_without_multiplexing_every_session_has_its_own_connection_and_it_is_seen_why(make_howdah, cluster, connect, table):
    columns, open_at = tag(table)
    howdah = with_attributes(make_howdah, cluster, {"hostgroup_id": 10, "multiplex": 0, **columns}, variables={"threads": 1})
    clients = [connect(howdah) for _ in range(3)]

    def backend(client):
        with client.transaction():
            return client.execute("SELECT pg_backend_pid()").fetchone()[0]

    pids = [backend(c) for c in clients]
    assert len(set(pids)) == 3
    assert [backend(c) for c in clients] == pids
    assert open_at(cluster.primary) == 3
    with admin(howdah) as console:
        assert rows(console, "SELECT DISTINCT extended_info FROM stats_pgsql_processlist WHERE user = 'appuser'")[0][0].startswith(
            '{"pins": ["hostgroup"]')
        console.execute(f"UPDATE {TABLE} SET multiplex = 1")
        console.execute("LOAD PGSQL SERVERS TO RUNTIME")
    for client in clients:
        backend(client)
    with admin(howdah) as console:
        assert rows(console, "SELECT count(*) FROM stats_pgsql_processlist WHERE extended_info LIKE '%%hostgroup%%'") == [(0,)]


def test_unused_connections_are_closed_down_to_the_share(make_howdah, cluster, connect, table):
    columns, open_at = tag(table)
    howdah = with_attributes(make_howdah, cluster, {"hostgroup_id": 10, "free_connections_pct": 10, **columns},
                             servers=servers_of(cluster, max_connections=20))
    clients = [connect(howdah) for _ in range(8)]
    for client in clients:
        client.execute("BEGIN")
        client.execute("SELECT pg_backend_pid()")
    assert open_at(cluster.primary) >= 8
    for client in clients:
        client.execute("COMMIT")
    wait_until(lambda: open_at(cluster.primary) == 2, 20, "two of twenty are kept")


def test_a_server_is_warmed_up_by_its_first_use(make_howdah, cluster, connect, table):
    columns, open_at = tag(table)
    howdah = with_attributes(make_howdah, cluster,
                             {"hostgroup_id": 10, "connection_warming": 1, "free_connections_pct": 25, **columns},
                             servers=servers_of(cluster, max_connections=20))
    connect(howdah).execute("BEGIN")
    wait_until(lambda: open_at(cluster.primary) == 5, 20, "five of twenty are open")


def test_connections_are_opened_at_the_rate(make_howdah, cluster, connect, table):
    columns, open_at = tag(table)
    howdah = with_attributes(make_howdah, cluster, {"hostgroup_id": 10, "throttle_connections_per_sec": 2, **columns})
    clients = [connect(howdah) for _ in range(4)]
    for client in clients:
        client.execute("BEGIN")
        client.execute("SELECT 1")
    assert open_at(cluster.primary) >= 4
    [(fastest,)] = cluster.primary.query(
        "SELECT extract(epoch FROM max(backend_start) - min(backend_start))::float FROM pg_stat_activity "
        "WHERE application_name = %s", [table])
    # Not how fast, but that it cannot be faster: the fourth comes 1.5 s behind the first.
    assert fastest > 1


def test_ignored_variables_do_not_reach_the_servers(make_howdah, cluster, connect):
    howdah = with_attributes(make_howdah, cluster,
                             {"hostgroup_id": 10, "ignore_session_variables": '["application_name"]'})
    client = connect(howdah, application_name="of_the_client")
    with client.transaction():
        assert client.execute("SHOW application_name").fetchone() == ("",)
    # The reader's hostgroup ignores nothing.
    assert client.execute("SELECT current_setting('application_name')").fetchone() == ("of_the_client",)


def test_a_hostgroup_with_too_many_online_servers_takes_no_work_until_one_is_gone(make_howdah, cluster, connect):
    howdah = with_attributes(make_howdah, cluster, {"hostgroup_id": 20, "max_num_online_servers": 1})
    client = connect(howdah)
    with admin(howdah) as console:
        status = "SELECT status FROM runtime_pgsql_servers WHERE hostgroup_id = 20"
        assert rows(console, status) == [("SHUNNED",)] * len(cluster.replicas)
        assert client.execute("SELECT pg_is_in_recovery()").fetchone() == (False,), "reads go to the writer"
        howdah.wait_for_log(r"more than its max_num_online_servers \(1\)")
        gone = cluster.replicas[1:]
        console.execute("UPDATE pgsql_servers SET status = 'OFFLINE_SOFT' WHERE port IN "
                        f"({', '.join(str(r.port) for r in gone)})")
        console.execute("LOAD PGSQL SERVERS TO RUNTIME")
        wait_until(lambda: ("ONLINE",) in rows(console, status), 10, "one reader is online")
    wait_until(lambda: client.execute("SELECT pg_is_in_recovery()").fetchone() == (True,), 10, "reads go to the reader")
