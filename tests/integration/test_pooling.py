"""Server connections are shared, counted exactly, and carry nothing from one client to the next."""
import functools
import os
import socket
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest
from howdah_test.activity import connections_of, wait_for_statement
from howdah_test.cluster import BIN
from howdah_test.proxy import servers_of, user
from howdah_test.wait import wait_until
from psycopg import errors

pytestmark = pytest.mark.needs_howdah


@pytest.fixture
def connect(connect):
    return functools.partial(connect, user="small_user")


def small_pool(make_howdah, cluster, size, **variables):
    return make_howdah(cluster, servers=servers_of(cluster, max_connections=size),
                       users=[user("small_user")], variables={"threads": 4, **variables})


# pgbench prepares with a blocking call: with a transaction of another of its clients still open it
# would wait for a connection that only itself can free. So prepared statements come without BEGIN.
@pytest.mark.parametrize("mode, statements", [
    ("simple", "BEGIN;\nSELECT pg_sleep(0.001);\nCOMMIT;\nSELECT count(*) FROM pg_class;\n"),
    ("prepared", "SELECT nextval('replication_test_id_seq'), pg_sleep(0.001);\nSELECT count(*) FROM pg_class;\n"),
], ids=["transactions", "prepared"])
def test_fifty_busy_clients_never_use_more_than_five_connections_of_a_server(
        make_howdah, cluster, mode, statements, tmp_path):
    howdah = small_pool(make_howdah, cluster, 5, connect_timeout_server_max=60000)
    script = tmp_path / "script.sql"
    script.write_text(statements)
    process = subprocess.Popen(
        [BIN / "pgbench", "-n", "-M", mode, "-f", script, "-c", "50", "-j", "2", "-t", "60"],
        env=howdah.target().environment(user="small_user"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    most = {node.name: 0 for node in cluster.nodes}
    watchers = [(node, node.connect()) for node in cluster.nodes]
    while process.poll() is None:
        for node, watcher in watchers:
            count = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'small_user'").fetchone()[0]
            most[node.name] = max(most[node.name], count)
    for _, watcher in watchers:
        watcher.close()
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "transactions actually processed: 3000/3000" in out, out
    assert most["pg1"] == 5
    assert max(most.values()) == 5


def test_idle_clients_hold_no_server_connection(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 3)
    clients = [connect(howdah) for _ in range(40)]
    for client in clients:
        with client.transaction():
            client.execute("SELECT 1")
        client.execute("SELECT 1")
    for node in cluster.nodes:
        assert connections_of(node, "small_user") <= 3


def test_a_client_that_waits_too_long_gets_an_error_and_stays_connected(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1, connect_timeout_server_max=300)
    holder, waiter = connect(howdah), connect(howdah)
    holder.execute("BEGIN")
    holder.execute("SELECT 1")
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError) as raised:
            waiter.execute("INSERT INTO replication_test (message) VALUES ('waits')")
        assert raised.value.sqlstate == "53300" or raised.value.sqlstate.startswith("08"), raised.value
        assert "10" in str(raised.value), "the message names the hostgroup"
        assert not waiter.closed
    holder.execute("COMMIT")
    waiter.execute("INSERT INTO replication_test (message) VALUES ('goes')")


def test_waiting_clients_are_served_in_the_order_in_which_they_came(make_howdah, cluster, connect, table):
    howdah = small_pool(make_howdah, cluster, 1, connect_timeout_server_max=60000)
    holder = connect(howdah)
    holder.execute(f"CREATE TABLE {table} (id serial, number int)")
    holder.execute("BEGIN")
    holder.execute("SELECT 1")
    threads = []

    def work(number, client):
        client.execute(f"INSERT INTO {table} (number) VALUES ({number})")

    # The next one is sent only when the one before is seen to wait: it has sent its bytes and the
    # proxy has read them.
    for number in range(6):
        client = connect(howdah)
        threads.append(threading.Thread(target=work, args=(number, client)))
        threads[-1].start()
        wait_until(lambda c=client: is_read_by_the_peer(c) and sleeps(howdah), 20, "Howdah has read the statement")
    holder.execute("COMMIT")
    for thread in threads:
        thread.join(30)
    # The server's own order: that of the clients' threads is the scheduler's.
    order = [row[0] for row in holder.execute(f"/* hostgroup=10 */ SELECT number FROM {table} ORDER BY id")]
    assert order == list(range(6))


def is_read_by_the_peer(connection):
    """True where the client's socket has sent all and the proxy's end has nothing unread."""
    name = socket_names(connection)
    rows = [line.split() for line in open("/proc/net/tcp", encoding="ascii").readlines()[1:]]
    ours = [row for row in rows if (row[1], row[2]) == name]
    theirs = [row for row in rows if (row[2], row[1]) == name]
    sent = connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE
    return bool(ours and theirs) and sent and ours[0][4].startswith("00000000:") and theirs[0][4].endswith(
        ":00000000")


def sleeps(howdah):
    """True where no thread of Howdah has anything to do at this moment."""
    tasks = Path(f"/proc/{howdah.process.pid}/task").glob("*/stat")
    return all(stat.read_text().rpartition(")")[2].split()[0] == "S" for stat in tasks)


def socket_names(connection):
    with socket.socket(fileno=os.dup(connection.fileno())) as copy:
        return tuple(f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"
                     for host, port in (copy.getsockname(), copy.getpeername()))


def test_nothing_leaks_from_one_client_to_the_next(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1)
    first, second = connect(howdah), connect(howdah)
    with second.transaction():
        clean = second.execute("SELECT name, setting FROM pg_settings WHERE name NOT IN "
                               "('transaction_isolation', 'transaction_read_only')").fetchall()
    first.execute("SET search_path = pg_catalog")
    first.execute("SET my.own = 'secret'")
    first.execute("SET statement_timeout = '99s'")
    first.execute("SET TimeZone = 'Asia/Tokyo'")
    first.execute("SET client_encoding = 'LATIN1'")
    first.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    for _ in range(2):
        with first.transaction():
            assert first.execute("SHOW search_path").fetchone() == ("pg_catalog",)
            assert first.execute("SHOW my.own").fetchone() == ("secret",)
            assert first.execute("SHOW transaction_isolation").fetchone() == ("serializable",)
        with second.transaction():
            assert second.execute("SELECT name, setting FROM pg_settings WHERE name NOT IN "
                                  "('transaction_isolation', 'transaction_read_only')").fetchall() == clean
            assert second.execute("SELECT current_setting('my.own', true)").fetchone()[0] in (None, "")
            assert second.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


def test_a_role_that_one_client_has_set_is_not_the_next_ones(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1)
    first, second = connect(howdah), connect(howdah)
    first.execute("SET ROLE appuser")
    for _ in range(2):
        with first.transaction():
            assert first.execute("SELECT current_user").fetchone() == ("appuser",)
        with second.transaction():
            assert second.execute("SELECT current_user").fetchone() == ("small_user",)


def test_a_client_that_vanishes_leaves_no_transaction_and_no_temporary_table(make_howdah, cluster, connect, table):
    howdah = small_pool(make_howdah, cluster, 1)
    first = connect(howdah)
    first.execute(f"CREATE TEMP TABLE {table} (id int)")
    first.execute("BEGIN")
    first.execute("SELECT pg_advisory_lock(815)")
    first.close()
    second = connect(howdah)
    with second.transaction():
        with pytest.raises(errors.UndefinedTable), second.transaction():
            second.execute(f"SELECT * FROM {table} FOR UPDATE")
        assert second.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_a_client_that_vanishes_in_the_middle_of_a_statement_frees_its_place(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1, cancel_on_client_disconnect=True)
    first = connect(howdah)
    first.pgconn.send_query(b"DO $$ BEGIN PERFORM pg_sleep(100); END $$ /* vanishes */")
    wait_for_statement(cluster, "vanishes */")
    first.close()
    second = connect(howdah)
    with second.transaction():
        assert second.execute("SELECT 1").fetchone() == (1,)


def test_a_session_lock_and_a_temporary_table_pin_the_connection(make_howdah, cluster, connect, table):
    howdah = small_pool(make_howdah, cluster, 2)
    one, two = connect(howdah), connect(howdah)
    one.execute(f"CREATE TEMP TABLE {table} (id int)")
    two.execute("SELECT pg_advisory_lock(816)")
    for _ in range(5):
        one.execute(f"INSERT INTO {table} VALUES (1)")
        assert two.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 816 "
                           "AND pid = pg_backend_pid()").fetchone() == (1,)
    assert one.execute(f"SELECT count(*) FROM {table}").fetchone() == (5,)
    assert two.execute("SELECT pg_advisory_unlock(816)").fetchone() == (True,)


def test_discard_all_gives_the_client_a_clean_session(make_howdah, cluster, connect, table):
    howdah = small_pool(make_howdah, cluster, 2)
    client = connect(howdah)
    client.execute("SET work_mem = '7MB'")
    client.execute(f"CREATE TEMP TABLE {table} (id int)")
    client.execute("PREPARE p AS SELECT 1")
    client.execute("DISCARD ALL")
    with client.transaction():
        assert client.execute("SHOW work_mem").fetchone() == ("4MB",)
    with pytest.raises(errors.UndefinedTable):
        client.execute(f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(errors.InvalidSqlStatementName):
        client.execute("EXECUTE p")


def test_session_mode_keeps_one_server_connection_for_the_whole_session(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, users=[user("session_user1", pool_mode="session")])
    clients = [connect(howdah, user="session_user1") for _ in range(4)]
    pids = []
    for _ in range(3):
        turn = []
        for client in clients:
            with client.transaction():
                turn.append(client.execute("SELECT pg_backend_pid()").fetchone()[0])
        pids.append(turn)
    assert pids[0] == pids[1] == pids[2]
    assert len(set(pids[0])) == 4


def test_statement_mode_runs_statements_and_refuses_transactions(make_howdah, cluster, connect, table):
    howdah = make_howdah(cluster, users=[user("statement_user1", pool_mode="statement")])
    client = connect(howdah, user="statement_user1")
    client.execute(f"CREATE TABLE {table} (id int)")
    client.execute(f"INSERT INTO {table} VALUES (%s)", [1], prepare=True)
    with pytest.raises(psycopg.Error) as raised:
        client.execute("BEGIN")
        client.execute("SELECT 1")
    assert raised.value.sqlstate
    again = connect(howdah, user="statement_user1")
    again.execute(f"DROP TABLE {table}")


def test_a_statement_is_prepared_once_per_server_connection(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1)
    clients = [connect(howdah) for _ in range(10)]
    for _ in range(3):
        for client in clients:
            with client.transaction():
                client.execute("SELECT %s::int + 4711", [1], prepare=True)
    with clients[0].transaction():
        prepared = clients[0].execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%4711%' AND statement NOT LIKE "
            "'%pg_prepared%'").fetchone()[0]
    assert prepared == 1


def test_the_cache_of_prepared_statements_is_bounded(make_howdah, cluster, connect):
    howdah = small_pool(make_howdah, cluster, 1, max_stmts_per_connection=20)
    client = connect(howdah)
    client.prepared_max = 500
    for _ in range(2):
        for number in range(100):
            with client.transaction():
                assert client.execute(f"SELECT %s::int + {number}", [1], prepare=True).fetchone() == (number + 1,)
    with client.transaction():
        assert client.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0] <= 21
