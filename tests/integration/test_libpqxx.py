"""libpqxx: each test runs one check of client.cpp, a program that is compiled once."""
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    binary = tmp_path_factory.mktemp("libpqxx") / "client"
    source = Path(__file__).with_name("client.cpp")
    subprocess.run(["g++", "-std=c++17", "-O0", "-pthread", "-o", binary, source, "-lpqxx", "-lpq"],
                   check=True, timeout=110)
    return binary


@pytest.fixture
def run(client, target, pool_of_two, ledger):
    def check(name):
        conninfo = " ".join(f"{key}={value}" for key, value in target.libpq(port=pool_of_two).items())
        done = subprocess.run([client, name, conninfo, ledger.moves.removesuffix("_m"), str(ledger.turns)],
                              capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
    return check


def test_streams_and_cursors(run):
    run("streams")


def test_pipelines_and_large_objects(run):
    run("pipelines")


def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(run, ledger):
    run("crowd")
    ledger.check()
