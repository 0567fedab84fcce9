"""Fixtures: one shared cluster with one Howdah, and clusters of their own for tests that break things.

HOWDAH_TEST_DIRECT=1 points the client tests at the primary itself, to see that they are right.
"""
import os
import shutil
import signal
import sys
import tempfile
import zlib
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
# pylint: disable=wrong-import-position
from howdah_test import Authority, Cluster, Howdah, Ledger, OsUser, Target, Template  # noqa: E402
from howdah_test.proxy import binary, servers_of, user  # noqa: E402

DIRECT = os.environ.get("HOWDAH_TEST_DIRECT") == "1"
SECONDS_PER_TEST = int(os.environ.get("HOWDAH_TEST_SECONDS", "120"))


def pytest_configure(config):
    config.addinivalue_line("markers", "needs_howdah: says nothing about PostgreSQL itself")
    config.addinivalue_line("markers", "slow: takes more than 20 seconds")


def pytest_collection_modifyitems(config, items):
    if DIRECT:
        left_out = [item for item in items if item.get_closest_marker("needs_howdah")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
        for item in items:  # what Howdah cannot do yet, PostgreSQL can
            item.own_markers = [mark for mark in item.own_markers if mark.name != "xfail"]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of the logs of the Howdahs that the test used."""
    report = (yield).get_result()
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Howdah):
                report.sections.append((f"log of {name}", value.log_text()[-4000:]))


@pytest.fixture(autouse=True)
def time_limit():
    """A test that hangs fails, and the next one gets its turn."""
    def expired(*_):
        raise TimeoutError(f"test took more than {SECONDS_PER_TEST} s")
    previous = signal.signal(signal.SIGALRM, expired)
    signal.alarm(SECONDS_PER_TEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def os_user():
    return OsUser()


@pytest.fixture(scope="session")
def workspace(os_user):
    """A folder that the servers' OS user may enter, deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="howdah-test-"))
    folder.chmod(0o755)
    os_user.own(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(workspace, os_user):
    return Authority(workspace / "tls", os_user)


@pytest.fixture(scope="session")
def template(workspace, os_user, authority):
    return Template(workspace, os_user, authority)


@pytest.fixture(scope="session")
def program(workspace):
    """A copy of the program: its build folder may be closed to the servers' OS user."""
    copy = workspace / "howdah"
    shutil.copyfile(binary(), copy)
    copy.chmod(0o755)
    return copy


@pytest.fixture(scope="session")
def cluster(template, workspace):
    """The shared cluster; tests leave it as they found it."""
    shared = Cluster(template, workspace / "shared")
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def howdah(cluster, workspace, request):
    """The shared Howdah with the configuration that most people have, and four threads."""
    shared = Howdah(cluster, workspace / "shared-howdah", request.getfixturevalue("program"),
                    variables={"threads": 4, "failed_login_delay": 0},
                    users=[user("session_user1", pool_mode="session"),
                           user("statement_user1", pool_mode="statement"),
                           user("md5_user"), user("clear_user"), user("tls_user")])
    shared.start()
    yield shared
    shared.close()


@pytest.fixture
def connect():
    """Opens connections to a Howdah that are closed at the end of the test."""
    opened = []

    def make(howdah, autocommit=True, **changes):
        # Threads open connections at the same time: the last of `opened` may be another's.
        one = psycopg.connect(**howdah.target().libpq(**changes), autocommit=autocommit)
        opened.append(one)
        return one

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def target(cluster, workspace, request):
    """Where client tests connect to."""
    if DIRECT:
        return Target(cluster.primary.host, cluster.primary.port, cluster.authority.ca, True,
                      cluster.folder)
    return request.getfixturevalue("howdah").target()


@pytest.fixture(scope="session")
def pool_of_two(cluster, workspace, request):
    """The port of a Howdah in transaction mode that has two connections per server, however many
    clients come. Its clients wait long: how fast the machine is must not matter."""
    if DIRECT:
        yield cluster.primary.port
        return
    small = Howdah(cluster, workspace / "pool-of-two", request.getfixturevalue("program"),
                   variables={"threads": 4, "connect_timeout_server_max": 60000},
                   servers=servers_of(cluster, max_connections=2), users=[user("postgres")])
    try:
        yield small.start().port
    finally:
        small.close()


@pytest.fixture
def ledger(cluster, table):
    """The books that the 20 clients of a mixed load keep."""
    books = Ledger(cluster, table, turns=8)
    yield books
    books.drop()


@pytest.fixture
def own_cluster(template, workspace, request):
    """A cluster that the test may break."""
    own = Cluster(template, workspace / f"own-{request.node.name[:40].replace('/', '_')}")
    yield own
    own.close()


@pytest.fixture
def make_howdah(workspace, program):
    """Starts Howdahs; each must end well: make_howdah(cluster, variables={...}, users=[...])."""
    started = []

    def make(cluster, start=True, **options):
        one = Howdah(cluster, workspace / f"howdah-{len(started)}", program, **options)
        started.append(one)
        return one.start() if start else one

    yield make
    problems = []
    for one in started:
        try:
            one.close()
        except AssertionError as problem:
            problems.append(str(problem))
        shutil.rmtree(one.folder, ignore_errors=True)
    assert not problems, "\n".join(problems)


@pytest.fixture
def table(request):
    """A table name that no other test uses."""
    words = "".join(c if c.isalnum() else "_" for c in request.node.name.lower())
    return f"t_{words[5:30]}_{zlib.crc32(request.node.nodeid.encode()):08x}"
