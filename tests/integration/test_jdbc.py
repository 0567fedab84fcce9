"""PgJDBC: each test runs one check of Client.java in a JVM of its own."""
import subprocess
from pathlib import Path

import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.samples import BIG_BYTES, BIG_QUERY, BIG_ROWS, RAISE_ERROR, RAISE_NOTICE, big_checksum

DRIVER = "/usr/share/java/postgresql.jar"


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    source = Path(__file__).with_name("Client.java")
    subprocess.run(["javac", "-cp", DRIVER, "-d", folder, source], check=True, timeout=100)
    return folder


@pytest.fixture
def start(classes, target):
    """start(check, port=..., name=value...): the running JVM."""
    started = []

    def run(check, port=target.port, **more):
        arguments = [text for pair in more.items() for text in pair]
        started.append(subprocess.Popen(
            ["java", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{DRIVER}",
             "Client", check, f"jdbc:postgresql://localhost:{port}/{target.dbname}", target.user,
             target.password, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(process, text=None):
    out, err = process.communicate(text, timeout=100)
    assert process.returncode == 0, err
    return out


def test_login_with_scram_and_tls_and_its_errors(start, target):
    finish(start("login", ca=str(target.ca)))


def test_prepared_statements_are_reused_across_transactions(start):
    finish(start("prepared"))


def test_a_batch_of_5000_and_one_that_fails(start, table):
    finish(start("batch", table=table))


def test_commit_rollback_savepoint_read_only_and_isolation(start, table):
    finish(start("transactions", table=table))


def test_copy_in_and_out(start, table):
    finish(start("copy", table=table))


def test_cancel_stops_the_running_statement_only(start, cluster):
    process = start("cancel")
    wait_for_statement(cluster, "jdbc cancel */")
    finish(process, "go\n")


@pytest.mark.slow
def test_a_200_mb_result_arrives_unchanged_through_a_portal_in_a_small_heap(start):
    assert finish(start("big", sql=BIG_QUERY)).split() == [str(BIG_ROWS), str(BIG_BYTES), str(big_checksum())]


def test_a_10_mb_parameter_goes_there_and_back(start):
    finish(start("parameter"))


def test_errors_and_notices_arrive_with_all_their_fields(start):
    finish(start("errors", error=RAISE_ERROR, notice=RAISE_NOTICE))


def test_settings_last_over_transactions_and_stay_with_their_client(start):
    finish(start("settings"))


def test_fetch_size_holdable_and_updatable_results(start, pool_of_two, ledger):
    finish(start("cursors", port=pool_of_two, accounts=ledger.accounts))


def test_batches_with_and_without_rewriting(start, pool_of_two, ledger):
    finish(start("batches", port=pool_of_two, moves=ledger.moves))


def test_prepare_thresholds_with_more_clients_than_connections(start, pool_of_two):
    finish(start("thresholds", port=pool_of_two))


def test_generated_keys_and_several_statements_at_once(start, pool_of_two, table):
    finish(start("keys", port=pool_of_two, table=table))


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(start, pool_of_two, ledger):
    finish(start("crowd", port=pool_of_two, moves=ledger.moves, accounts=ledger.accounts, turns=str(ledger.turns)))
    ledger.check()
