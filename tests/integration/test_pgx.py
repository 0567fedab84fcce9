"""pgx, version 4 from Debian: each test runs one check of client.go, a program that is compiled once."""
import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    binary = tmp_path_factory.mktemp("pgx") / "client"
    # Debian's packages of Go sources are a GOPATH.
    subprocess.run(["go", "build", "-o", binary, Path(__file__).with_name("client.go")], check=True, timeout=110,
                   env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""})
    return binary


@pytest.fixture
def run(client, target, pool_of_two, ledger):
    def check(name):
        url = (f"postgres://{target.user}:{target.password}@{target.host}:{pool_of_two}/{target.dbname}"
               "?sslmode=disable")
        done = subprocess.run([client, name, url, ledger.moves.removesuffix("_m"), str(ledger.turns)],
                              capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
    return check


def test_cached_and_named_statements_with_more_clients_than_connections(run):
    run("statements")


def test_batches_and_copy(run):
    run("batches")


def test_listen_and_wait_for_notifications(run):
    run("listen")


def test_a_pool_of_twenty(run):
    run("pool")


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(run, ledger):
    run("crowd")
    ledger.check()
