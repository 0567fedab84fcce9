"""Fixtures: clusters in networks of their own, and Howdahs in these. The rest is integration's."""
import importlib.util
import sys
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest

_INTEGRATION = Path(__file__).resolve().parents[1] / "integration" / "conftest.py"
_spec = importlib.util.spec_from_file_location("integration_fixtures", _INTEGRATION)
_integration = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _integration
_spec.loader.exec_module(_integration)
# pylint: disable=wrong-import-position
from integration_fixtures import (  # noqa: E402,F401
    authority, make_howdah, os_user, program, pytest_collection_modifyitems, pytest_configure,
    pytest_runtest_makereport, template, time_limit, workspace)

from howdah_test.acknowledged import create_table  # noqa: E402
from howdah_test.cluster import PASSWORDS, Cluster  # noqa: E402
from howdah_test.network import Network, why_not  # noqa: E402
from howdah_test.proxy import Howdah  # noqa: E402
from howdah_test.recovery import at, has_followers  # noqa: E402

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}
_serial = count(1)


@contextmanager
def cluster_in_network(template, folder, replicas=2, settings="", sync=""):
    """Servers on hosts of their own names, all of them streaming, and a host `howdah`."""
    if why_not():
        pytest.skip(why_not())
    with ExitStack() as made:
        network = Network([*(f"pg{n}" for n in range(1, replicas + 2)), "howdah"])
        made.callback(network.close)
        one = Cluster(template, folder, replicas, network, settings)
        made.callback(one.close)
        if sync:
            one.primary.query(f"ALTER SYSTEM SET synchronous_standby_names = '{sync}'")
            one.primary.query("SELECT pg_reload_conf()")
        has_followers(one.primary, one.replicas)
        create_table(one)
        one.wait_for_replicas()
        yield one


def start_automatic(howdah):
    """Returns when it has written down who the writer is: from then on it may act."""
    primary = howdah.cluster.primary
    data = howdah.folder / "data"
    data.mkdir(exist_ok=True)
    howdah.config["variables"].setdefault("datadir", str(howdah.os_user.own(data)))
    howdah.start().wait_for_log(rf"ha: {at(primary)}: .* the writer of epoch 1")
    return howdah


@pytest.fixture
def make_cluster(template, workspace):
    """make_cluster(replicas=2, settings=..., sync="ANY 1 (pg2, pg3)")"""
    with ExitStack() as made:
        yield lambda **options: made.enter_context(
            cluster_in_network(template, workspace / f"chaos-{next(_serial)}", **options))


@pytest.fixture
def network_cluster(make_cluster):
    """A primary with two asynchronous replicas."""
    return make_cluster()


@pytest.fixture
def sync_cluster(make_cluster):
    """A primary whose commits wait for one of two replicas."""
    return make_cluster(sync="ANY 1 (pg2, pg3)")


@pytest.fixture
def automatic(make_howdah):
    """automatic(cluster, servers=(), **variables): a Howdah that may fail over by itself; `servers`
    are rows beside the cluster's."""
    def make(cluster, servers=(), **variables):
        howdah = make_howdah(cluster, start=False, variables={**AUTOMATIC, **variables})
        howdah.config["servers"] += servers
        return start_automatic(howdah)
    return make


@pytest.fixture(scope="module")
def calm_cluster(template, workspace):
    """One for all tests of a file: each leaves it as it was."""
    with cluster_in_network(template, workspace / f"chaos-{next(_serial)}") as one:
        yield one


@pytest.fixture(scope="module")
def calm_howdah(calm_cluster, workspace, program):
    """The Howdah of the calm cluster; it may fail over, and never should."""
    one = Howdah(calm_cluster, workspace / f"calm-howdah-{next(_serial)}", program,
                 variables={**AUTOMATIC, "failed_login_delay": 0})
    start_automatic(one)
    yield one
    one.close()
