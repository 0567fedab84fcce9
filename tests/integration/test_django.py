"""Django over psycopg2, with server-side cursors: each test runs one check of client_django.py."""
import json
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def run(target, pool_of_two, ledger):
    def check(name):
        given = {"host": target.host, "port": pool_of_two, "user": target.user, "password": target.password,
                 "dbname": target.dbname, "accounts": ledger.accounts, "moves": ledger.moves, "turns": ledger.turns}
        done = subprocess.run(["/usr/bin/python3", "-B", Path(__file__).with_name("client_django.py"), name, json.dumps(given)],
                              text=True, capture_output=True, timeout=100)
        assert done.returncode == 0, done.stderr
    return check


def test_migrations_forth_and_back(run):
    run("migrations")


def test_orm_with_savepoints_and_aggregates(run):
    run("orm")


def test_iterators_are_server_side_cursors_in_and_outside_of_transactions(run):
    run("iterators")


def test_select_for_update_locks(run):
    run("locks")


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(run, ledger):
    run("crowd")
    ledger.check()
