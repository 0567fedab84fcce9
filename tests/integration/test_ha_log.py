"""Howdah's log says what is new, and says it once."""
import collections
import re

import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.recovery import admin, at, streams, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

AUTOMATIC = {"ha_mode": "automatic", "ha_recover_cluster_filters": "*", "ha_username": "howdah_ha",
             "ha_password": PASSWORDS["howdah_ha"]}


def test_a_sentence_in_which_only_seconds_go_by_is_logged_once(own_cluster, make_howdah):
    streams(own_cluster)
    howdah = make_howdah(own_cluster, variables=AUTOMATIC)
    howdah.wait_for_log(rf"ha: {at(own_cluster.primary)}: .* the writer of epoch 1")
    own_cluster.primary.kill9()
    successor, _ = successor_of(howdah, own_cluster.primary)
    howdah.wait_for_log(rf"{at(successor)} is the writer of epoch 2")
    successor.kill9()
    howdah.wait_for_log(r"No failover: .*was replaced \d+ s ago")
    seen = set()

    def counted():
        """The seconds that the decision has shown so far."""
        seen.update(re.findall(r"was replaced (\d+) s ago", admin(howdah, "SELECT decision FROM ha.clusters")[0][0]))
        return len(seen) >= 4

    wait_until(counted, 30, lambda: f"four cycles, each with another number of seconds: {seen}")
    said = collections.Counter(re.sub(r"\d+ s ago", "", line) for line in
                               re.findall(r"ha: .*was replaced \d+ s ago.*", howdah.log_text()))
    assert set(said.values()) == {1}, said
