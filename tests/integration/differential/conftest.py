"""The arena of the differential suite: the shared cluster and two Howdahs of its own."""
import os

import pytest
from differ.arena import Arena
from howdah_test import Howdah, wait_until
from howdah_test.proxy import servers_of, user

DIRECT = os.environ.get("HOWDAH_TEST_DIRECT") == "1"
# A client that waits this long for a server connection waits for one that is not given back.
WAIT_MS = 500


@pytest.fixture(scope="session")
def arena(cluster, workspace, program):
    """One Howdah with room, and one that has a single connection per server."""
    users = [user("verifier_user", read_write_split=True), user("md5_user"), user("clear_user")]
    # One thread: what a scenario finds on its server connection does not depend on chance.
    variables = {"threads": 1, "read_write_split": False, "connect_timeout_server_max": WAIT_MS}
    wide = Howdah(cluster, workspace / "differential-wide", program, variables=variables, users=users)
    narrow = Howdah(cluster, workspace / "differential-narrow", program, variables=variables, users=users,
                    servers=servers_of(cluster, max_connections=1))
    try:
        if DIRECT:
            wide = narrow = cluster.primary
        else:
            wide.start()
            narrow.start()
        made = Arena(cluster, wide, narrow, wait_until)
        yield made
    finally:
        if not DIRECT:
            wide.close()
            narrow.close()
    made.close()
