"""postgres.js: each test runs one check of client_postgresjs.js in a process of its own."""
import json
import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def run(target, pool_of_two):
    def check(name, **more):
        settings = {"host": target.host, "port": pool_of_two, "user": target.user, "password": target.password,
                    "dbname": target.dbname, **more}
        done = subprocess.run(
            ["node", Path(__file__).with_name("client_postgresjs.js"), name, json.dumps(settings)],
            env={"NODE_PATH": "/usr/share/nodejs", **os.environ}, text=True, capture_output=True, timeout=100)
        assert done.returncode == 0, done.stderr
    return check


def test_prepared_and_unnamed_statements_with_more_clients_than_connections(run):
    run("statements")


def test_copy_as_streams_rows_as_they_come_and_cursors_that_are_left(run, ledger):
    run("streams", moves=ledger.moves)


def test_listen_and_notify(run, table):
    run("listen", table=table)


def test_a_pool_of_twenty(run):
    run("pool")


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(run, ledger):
    run("crowd", moves=ledger.moves, accounts=ledger.accounts, turns=ledger.turns)
    ledger.check()
