"""Fixtures: clusters in networks of their own, and Howdahs in these. The rest is integration's."""
import importlib.util
import sys
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
from howdah_test.wait import wait_until  # noqa: E402

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


@pytest.fixture
def make_cluster(template, workspace):
    """make_cluster(replicas=2, settings=..., sync="ANY 1 (pg2, pg3)"): servers on hosts of their own
    names, all of them streaming, and a host `howdah`."""
    if why_not():
        pytest.skip(why_not())
    made = []

    def make(replicas=2, settings="", sync=""):
        network = Network([*(f"pg{n}" for n in range(1, replicas + 2)), "howdah"])
        made.append(network)
        one = Cluster(template, workspace / f"chaos-{len(made)}", replicas, network, settings)
        made.append(one)
        if sync:
            one.primary.query(f"ALTER SYSTEM SET synchronous_standby_names = '{sync}'")
            one.primary.query("SELECT pg_reload_conf()")
        wait_until(lambda: one.primary.query("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                   == [(replicas,)], 30, "all replicas stream")
        create_table(one)
        one.wait_for_replicas()
        return one

    yield make
    for one in reversed(made):
        one.close()


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
    """automatic(cluster, **variables): a Howdah that may fail over by itself and has written down
    who the writer is."""
    def make(cluster, **variables):
        howdah = make_howdah(cluster, variables={**AUTOMATIC, **variables})
        primary = cluster.primary
        howdah.wait_for_log(rf"ha: {primary.host}:{primary.port}: .* the writer of epoch 1")
        return howdah
    return make
