"""The primary dies, in one way or another: one successor, no confirmed commit lost, one writer."""
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.recovery import has_followers, successor_of

pytestmark = pytest.mark.needs_howdah

FAULTS = {
    "killed": lambda cluster: cluster.primary.kill9(),
    "powered off": lambda cluster: cluster.network.unplug("pg1"),
    "unheard": lambda cluster: cluster.network.drop("pg1"),
    "frozen": lambda cluster: cluster.primary.freeze(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_dead_primary_is_replaced_and_no_confirmed_commit_is_lost(sync_cluster, automatic, fault):
    howdah = automatic(sync_cluster, ha_durability="sync")
    with Writers(howdah) as writers:
        FAULTS[fault](sync_cluster)
        successor, survivors = successor_of(howdah, sync_cluster.primary)
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
