"""node-postgres: each test runs one check of client.js in a process of its own."""
import json
import os
import subprocess
from pathlib import Path

import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, RAISE_ERROR, RAISE_FIELDS, RAISE_NOTICE,
                                 big_checksum)


@pytest.fixture
def start(target):
    """start(check, name=value...): the running program."""
    started = []

    def run(check, **more):
        settings = {"host": target.host, "port": target.port, "user": target.user, "ca": str(target.ca),
                    "password": target.password, "dbname": target.dbname, **more}
        started.append(subprocess.Popen(
            ["node", Path(__file__).with_name("client.js"), check, json.dumps(settings)],
            env={"NODE_PATH": "/usr/share/nodejs", **os.environ}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
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


def test_login_with_scram_and_tls_and_its_errors(start):
    finish(start("login"))


def test_prepared_statements_of_eight_clients_with_the_same_names(start):
    finish(start("prepared"))


def test_commit_rollback_savepoint_and_an_error_inside_a_transaction(start, table):
    finish(start("transactions", table=table))


def test_copy_in_and_out(start, table):
    finish(start("copy", table=table))


def test_cancel_stops_the_running_statement_only(start, cluster):
    process = start("cancel")
    wait_for_statement(cluster, "node cancel */")
    finish(process, "go\n")


@pytest.mark.slow
def test_a_200_mb_result_streams_through_unchanged(start):
    assert finish(start("big", sql=BIG_QUERY)).split() == [str(BIG_ROWS), str(BIG_BYTES), str(big_checksum())]


def test_a_10_mb_parameter_goes_there_and_back(start):
    finish(start("parameter"))


def test_errors_and_notices_arrive_with_all_their_fields(start):
    finish(start("errors", error=RAISE_ERROR, notice=RAISE_NOTICE, fields=RAISE_FIELDS))


def test_settings_last_over_transactions_and_stay_with_their_client(start):
    finish(start("settings"))


def test_400_statements_over_a_pool_of_20(start):
    finish(start("pool"))


def test_cursors_with_more_clients_than_connections(start, pool_of_two):
    finish(start("cursors", port=pool_of_two))


def test_listen_and_notify(start, pool_of_two, table):
    finish(start("listen", port=pool_of_two, table=table))


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(start, pool_of_two, ledger):
    finish(start("crowd", port=pool_of_two, moves=ledger.moves, accounts=ledger.accounts, turns=ledger.turns))
    ledger.check()
