"""Online restart (SIGUSR2): a new process takes the listening sockets over, the old one ends with its clients."""
import os
import re
import signal
import socket
import subprocess
import threading

import psycopg
import pytest
from howdah_test.cluster import BIN
from howdah_test.wait import wait_until
from psycopg import errors

pytestmark = pytest.mark.needs_howdah


def connect(howdah, **changes):
    return psycopg.connect(**howdah.target().libpq(), autocommit=True, **changes)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def restart():
    """restart(howdah): pid of the new process, once it has taken over."""
    started = []

    def run(howdah):
        howdah.signal(signal.SIGUSR2)
        started.append(int(howdah.wait_for_log(r"process (\d+) has taken over")[1]))
        return started[-1]

    yield run
    for pid in started:
        if is_alive(pid):
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not is_alive(pid), 30, lambda: f"{pid} ends after SIGTERM")


def owner_of(howdah, connection):
    """The one process that has the other end of a client's connection."""
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as own:
        peer = own.getsockname()[1]
    shown = subprocess.run(["ss", "-Htnp", f"( sport = :{howdah.port} and dport = :{peer} )"],
                           capture_output=True, text=True, check=True).stdout
    owners = set(re.findall(r"pid=(\d+)", shown))
    assert len(owners) == 1, shown
    return int(owners.pop())


def test_clients_stay_with_the_old_process_and_new_ones_come_to_the_new(make_howdah, cluster, restart):
    howdah = make_howdah(cluster)
    old = howdah.process.pid
    stays = connect(howdah)
    stays.execute("BEGIN")
    stays.execute("CREATE TEMP TABLE mine (i int) ON COMMIT DROP")
    new = restart(howdah)
    assert new != old
    stays.execute("INSERT INTO mine VALUES (1)")
    assert stays.execute("SELECT count(*) FROM mine").fetchone() == (1,)
    stays.execute("COMMIT")
    assert stays.execute("SELECT 1").fetchone() == (1,)
    comes = connect(howdah)
    assert comes.execute("SELECT 2").fetchone() == (2,)
    assert owner_of(howdah, stays) == old
    assert owner_of(howdah, comes) == new
    stays.close()
    assert howdah.wait() == 0
    howdah.process = None
    assert comes.execute("SELECT 3").fetchone() == (3,)
    with connect(howdah) as another, psycopg.connect(
            **{**howdah.target().libpq(), "host": str(howdah.folder)}) as by_unix_socket:
        assert another.execute("SELECT 4").fetchone() == (4,)
        assert by_unix_socket.execute("SELECT 5").fetchone() == (5,)
    comes.close()


def test_no_login_fails_while_processes_change(make_howdah, cluster, restart, tmp_path):
    howdah = make_howdah(cluster)
    script = tmp_path / "script.sql"
    script.write_text("SELECT 1;\n")
    load = subprocess.Popen([BIN / "pgbench", "-n", "-C", "-f", script, "-c", "4", "-j", "4", "-T", "6"],
                            env=howdah.target().environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    restart(howdah)
    assert howdah.wait() == 0
    howdah.process = None
    out, err = load.communicate(timeout=60)
    assert load.returncode == 0, err
    assert "number of failed transactions: 0 (0.000%)" in out


def test_a_cancel_reaches_a_client_of_the_old_process(make_howdah, cluster, restart):
    howdah = make_howdah(cluster)
    with connect(howdah) as client:
        restart(howdah)
        result = []

        def run():
            try:
                client.execute("SELECT pg_sleep(60) /* to be cancelled */")
            except errors.QueryCanceled as error:
                result.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: any(node.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%to be cancelled%' "
                                          "AND pid <> pg_backend_pid() AND state = 'active'") for node in cluster.nodes),
                   20, lambda: "the statement runs")
        client.cancel()
        thread.join(20)
        assert len(result) == 1


def test_a_new_process_that_cannot_start_changes_nothing(make_howdah, cluster):
    howdah = make_howdah(cluster)
    howdah.config_file.write_text("variables: {no_such_option: 1}\n", encoding="utf-8")
    with connect(howdah) as client:
        howdah.signal(signal.SIGUSR2)
        howdah.wait_for_log(r"the new process did not take over: it ended with exit code 1; this one goes on")
        assert client.execute("SELECT 1").fetchone() == (1,)
        with connect(howdah) as another:
            assert another.execute("SELECT 1").fetchone() == (1,)


def test_the_administration_moves_to_the_new_process_at_once(make_howdah, cluster, restart):
    howdah = make_howdah(cluster)

    def admin():
        return psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin", dbname="admin",
                               autocommit=True)

    def owner(connection):
        text = connection.execute("SHOW PROMETHEUS METRICS").fetchone()[0]
        return re.search(r"^process_start_time_seconds (\S+)$", text, re.M)[1]

    with connect(howdah) as client, admin() as before:
        client.execute("SELECT 1")
        old = owner(before)
        restart(howdah)
        for _ in range(10):
            with admin() as after:
                assert owner(after) != old
        # Who is there stays, with what it sees of its own process.
        assert owner(before) == old
        assert before.execute("SELECT count(*) FROM stats_pgsql_processlist").fetchone() == (1,)
