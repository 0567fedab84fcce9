"""Limits of time and number, and what becomes of the statements of clients that go away."""
import os
import socket

import psycopg
import pytest
from howdah_test.activity import connections_of, statement_runs, wait_for_statement
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import servers_of, user
from howdah_test.wait import wait_until
from howdah_test.wire import RawClient, WireError
from psycopg import errors

pytestmark = pytest.mark.needs_howdah


def small_pool(make_howdah, cluster, size, **options):
    return make_howdah(cluster, servers=servers_of(cluster, max_connections=size), **options)


def test_a_statement_that_takes_longer_than_query_timeout_is_stopped_on_the_server(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, variables={"query_timeout": 300})
    client = connect(howdah)
    for statement in ("SELECT pg_sleep(100) /* stopped read */",
                      "DO $$ BEGIN PERFORM pg_sleep(100); END $$ /* stopped write */"):
        with pytest.raises(errors.QueryCanceled, match="canceling statement due to query_timeout"):
            client.execute(statement)
    assert not statement_runs(cluster, "stopped ")
    assert client.execute("SELECT 1").fetchone() == (1,)


def test_in_a_transaction_a_stopped_statement_fails_the_transaction_only(make_howdah, cluster, connect):
    client = connect(make_howdah(cluster, variables={"query_timeout": "300ms"}))
    with pytest.raises(errors.QueryCanceled), client.transaction():
        client.execute("SELECT pg_sleep(100)")
    with client.transaction():
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_a_transaction_that_takes_too_long_ends_its_client(make_howdah, cluster, connect, table):
    howdah = make_howdah(cluster, variables={"transaction_timeout": 500})
    client = connect(howdah)
    client.execute(f"CREATE TABLE {table} (id int)")
    client.execute("BEGIN")
    client.execute(f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(psycopg.OperationalError, match="terminating connection due to transaction timeout"):
        client.execute("SELECT pg_sleep(100)")
    assert client.closed
    other = connect(howdah)
    assert other.execute(f"TABLE {table}").fetchall() == []
    other.execute(f"DROP TABLE {table}")


def test_a_database_and_a_user_may_have_their_own_times(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, users=[user("small_user", query_timeout=0)],
                         databases=[{"name": "appdb", "query_timeout": "300ms"}])
    with pytest.raises(errors.QueryCanceled):
        connect(howdah).execute("SELECT pg_sleep(100)")
    # Neither the other user nor the other database has a limit; both run longer than that one.
    assert connect(howdah, user="small_user").execute("SELECT 1 FROM pg_sleep(0.5)").fetchone() == (1,)
    assert connect(howdah, dbname="postgres").execute("SELECT 1 FROM pg_sleep(0.5)").fetchone() == (1,)


def test_a_client_that_waits_gets_a_notice(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1, variables={"query_wait_notify": 200, "threads": 1})
    holder, waiting = connect(howdah), connect(howdah)
    notices = []

    def on_notice(notice):
        notices.append((notice.severity, notice.message_primary))
        holder.execute("COMMIT")

    waiting.add_notice_handler(on_notice)
    holder.execute("BEGIN")
    waiting.execute("CREATE TEMP TABLE waited (id int)")
    primary = f"{cluster.primary.host}:{cluster.primary.port}"
    assert notices == [("NOTICE", "waiting for a server connection in hostgroup 10: all connections are in use "
                                  f"({primary} has 1)")]


def backend_at_primary(connection):
    with connection.transaction():
        return connection.execute("SELECT pg_backend_pid()").fetchone()[0]


def vanish(connection):
    """Closes the socket without a word."""
    os.dup2(os.open(os.devnull, os.O_RDWR), connection.pgconn.socket)


def test_what_a_vanished_client_has_sent_takes_effect(make_howdah, cluster, connect, table):
    howdah = make_howdah(cluster)
    client = connect(howdah)
    client.execute(f"CREATE TABLE {table} (id int)")
    statement = f"INSERT INTO {table} SELECT 1 FROM pg_sleep(1) /* goes on {table} */"
    client.pgconn.send_query(statement.encode())
    wait_for_statement(cluster, f"goes on {table} */")
    vanish(client)
    wait_until(lambda: cluster.primary.query(f"TABLE {table}", dbname="appdb") == [(1,)], 20, "the row is there")
    cluster.primary.query(f"DROP TABLE {table}", dbname="appdb")


def test_what_a_vanished_client_has_sent_is_cancelled_where_that_is_wanted(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1, variables={"cancel_on_client_disconnect": True})
    client = connect(howdah)
    pid = backend_at_primary(client)
    client.pgconn.send_query(b"DO $$ BEGIN PERFORM pg_sleep(100); END $$ /* vanished */")
    wait_for_statement(cluster, "vanished */")
    vanish(client)
    wait_until(lambda: not statement_runs(cluster, "vanished */"), 20, "the statement ends")
    # The connection went back to the pool, clean.
    other = connect(howdah)
    assert backend_at_primary(other) == pid


def refusal(howdah, name, dbname="appdb"):
    with RawClient(howdah.host, howdah.port) as client, pytest.raises(WireError) as refused:
        client.log_in(name, PASSWORDS[name], dbname)
    return refused.value.fields["S"], refused.value.sqlstate, refused.value.message


def test_too_many_clients_of_a_database_are_told_so(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, databases=[{"name": "appdb", "max_connections": 2}])
    clients = [connect(howdah) for _ in range(2)]
    assert refusal(howdah, "appuser") == ("FATAL", "53300", 'too many connections for database "appdb"')
    assert connect(howdah, dbname="postgres").execute("SELECT 1").fetchone() == (1,)
    clients[0].close()
    wait_until(lambda: _can_log_in(howdah), 20, "there is room again")


def _can_log_in(howdah):
    try:
        psycopg.connect(**howdah.target().libpq()).close()
        return True
    except psycopg.OperationalError:
        return False


def test_too_many_clients_of_an_address_are_told_so_and_unix_sockets_are_exempt(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, variables={"max_connections_per_address": 1})
    connect(howdah)
    assert refusal(howdah, "appuser") == ("FATAL", "53300", 'too many connections from address "127.0.0.1"')
    for _ in range(3):
        assert connect(howdah, host=str(howdah.folder)).execute("SELECT 1").fetchone() == (1,)


def test_reserved_connections_are_left_to_those_who_may_use_them(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, variables={"max_connections": 3, "reserved_connections": 2},
                         users=[user("small_user", use_reserved_connections=True)])
    connect(howdah)
    assert refusal(howdah, "appuser") == (
        "FATAL", "53300", "remaining connection slots are reserved for users with use_reserved_connections")
    for _ in range(2):
        connect(howdah, user="small_user")
    assert refusal(howdah, "small_user") == ("FATAL", "53300", "sorry, too many clients already")


def test_limits_follow_a_reload(make_howdah, cluster, connect):
    howdah = make_howdah(cluster)
    clients = [connect(howdah) for _ in range(2)]
    howdah.config["databases"] = [{"name": "appdb", "max_connections": 2}]
    howdah.reload()
    # The log tells of a reload a moment before the workers have it.
    wait_until(lambda: not _can_log_in(howdah), 20, "the limit is in force")
    assert refusal(howdah, "appuser")[2] == 'too many connections for database "appdb"'
    assert clients[0].execute("SELECT 1").fetchone() == (1,)


def test_server_connections_are_closed_at_their_age_while_nobody_uses_them(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, variables={"connection_max_age_ms": 500}, users=[user("small_user")])
    client = connect(howdah, user="small_user")
    client.execute("SELECT 1")
    wait_until(lambda: sum(connections_of(node, "small_user") for node in cluster.nodes) == 0, 20,
               "the server connections are closed")
    assert client.execute("SELECT 1").fetchone() == (1,)


def test_out_of_file_descriptors_new_clients_are_refused_and_others_go_on(cluster, workspace, program):
    from howdah_test import Howdah  # pylint: disable=import-outside-toplevel
    script = workspace / "howdah-with-few-descriptors"
    script.write_text(f'#!/bin/sh\nulimit -n 80\nexec {program} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    howdah = Howdah(cluster, workspace / "few-descriptors", script, variables={"threads": 1})
    howdah.start()
    try:
        first, leaves = (psycopg.connect(**howdah.target().libpq(), autocommit=True) for _ in range(2))
        clients = []
        # Clients that say nothing take up a descriptor as well.
        for _ in range(100):
            clients.append(socket.create_connection((howdah.host, howdah.port), timeout=20))
        assert clients[-1].recv(1) == b"E"
        clients[-1].setblocking(False)
        assert b"53300" in clients[-1].recv(1000)
        # There are descriptors left for servers: in a transaction the first needs one.
        with first.transaction():
            assert first.execute("SELECT count(*) FROM pg_class WHERE oid = 1259").fetchone() == (1,)
        # A client that leaves makes room for one: that is not the end of the scarcity, and is not told as such.
        leaves.close()
        wait_until(lambda: _can_log_in(howdah), 20, howdah.log_text)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(20):
                clients.append(psycopg.connect(**howdah.target().libpq()))
        refusals = howdah.log_text().count("out of file descriptors: refusing clients")
        assert refusals == 1, howdah.log_text()
        for client in clients:
            client.close()
        wait_until(lambda: _can_log_in(howdah) and "clients are accepted" in howdah.log_text(), 20, howdah.log_text)
        first.close()
    finally:
        howdah.close()
