"""Howdah, or the candidate, dies in the middle of a failover."""
import pytest
from howdah_test.acknowledged import Writers
from howdah_test.recovery import at, has_followers, is_writable, successor_of
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


@pytest.mark.parametrize("moment", [
    "hold writers: done", "stop the WAL receiver of .*: done", "takes over: at", "promote .*: done"])
def test_a_howdah_that_is_killed_during_a_failover_ends_it_when_it_is_back(sync_cluster, automatic, moment):
    howdah, old = automatic(sync_cluster, ha_durability="sync"), sync_cluster.primary
    with Writers(howdah) as writers:
        old.kill9()
        howdah.wait_for_log(moment)
        howdah.kill9()
        howdah.start()
        wait_until(lambda: any(is_writable(node) for node in sync_cluster.replicas), 30,
                   lambda: f"a successor is promoted\n{howdah.log_text()[-4000:]}")
        successor = next(node for node in sync_cluster.replicas if is_writable(node))
        survivors = [node for node in sync_cluster.replicas if node is not successor]
        writers.wait_for_rows(port=successor.port)
        has_followers(successor, survivors)
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
    assert not any(is_writable(node) for node in survivors)


def test_a_killed_howdah_lets_standbys_follow_a_primary_that_is_back(network_cluster, automatic):
    howdah, old = automatic(network_cluster), network_cluster.primary
    with Writers(howdah) as writers:
        network_cluster.network.unplug("pg1")
        howdah.wait_for_log("stop the WAL receiver of .*: done")
        howdah.kill9()
        frozen = [node for node in network_cluster.replicas if node.setting("primary_conninfo") == ""]
        network_cluster.network.heal()
        howdah.start()
        writers.wait_for_rows()
        promoted = [node for node in network_cluster.replicas if is_writable(node)]
        if promoted:  # it was too quick for us: then this one it is
            writers.wait_for_rows(port=promoted[0].port)
        else:
            assert frozen
            writers.wait_for_rows(port=old.port)
            has_followers(old, network_cluster.replicas)
    writers.check_one_writer_at_a_time()
    assert len({row.port for row in writers.rows}) == (2 if promoted else 1)


def is_being_promoted(node):
    return (node.data / "promote").exists()


def begin_promotion(howdah, cluster):
    """A failover that has asked one standby to become the primary, which does not happen yet."""
    for node in cluster.replicas:
        node.hold_startup()
    cluster.primary.kill9()
    return wait_until(lambda: next((node for node in cluster.replicas if is_being_promoted(node)), None), 30,
                      lambda: f"somebody is promoted\n{howdah.log_text()[-4000:]}")


def ends_with(howdah, cluster, writers, candidate):
    """Only the candidate was promoted, and the other standby follows it."""
    other = next(node for node in cluster.replicas if node is not candidate)
    other.thaw()
    writers.wait_for_rows(port=candidate.port)
    assert not is_being_promoted(other) and not is_writable(other)
    has_followers(candidate, [other])


def test_a_promotion_that_ends_while_howdah_is_down_is_taken_as_it_is(network_cluster, automatic):
    howdah = automatic(network_cluster)
    with Writers(howdah) as writers:
        candidate = begin_promotion(howdah, network_cluster)
        howdah.kill9()
        candidate.thaw()
        wait_until(lambda: is_writable(candidate), 30, "the candidate is promoted")
        howdah.start()
        howdah.wait_for_log(rf"{at(candidate)} was promoted to timeline 2")
        ends_with(howdah, network_cluster, writers, candidate)
    writers.check_loss_is_a_tail(candidate)
    writers.check_one_writer_at_a_time()


def test_a_promotion_that_takes_too_long_is_waited_for(network_cluster, automatic):
    howdah = automatic(network_cluster, ha_promote_timeout=1000)
    with Writers(howdah) as writers:
        candidate = begin_promotion(howdah, network_cluster)
        howdah.wait_for_log("it is not known whether .* was promoted")
        assert not any(is_writable(node) for node in network_cluster.replicas)
        candidate.thaw()
        assert successor_of(howdah, network_cluster.primary)[0] is candidate
        ends_with(howdah, network_cluster, writers, candidate)
    writers.check_loss_is_a_tail(candidate)
    writers.check_one_writer_at_a_time()


def test_nobody_else_is_promoted_while_a_candidate_is_dead_that_may_have_been(network_cluster, automatic):
    howdah = automatic(network_cluster, ha_promote_timeout=1000)
    with Writers(howdah) as writers:
        candidate = begin_promotion(howdah, network_cluster)
        candidate.kill9()
        howdah.wait_for_log(f"{at(candidate)} may have been promoted and does not answer: nobody else is promoted")
        other = next(node for node in network_cluster.replicas if node is not candidate)
        other.thaw()
        assert not is_being_promoted(other) and not is_writable(other)
        candidate.start()
        ends_with(howdah, network_cluster, writers, candidate)
    writers.check_loss_is_a_tail(candidate)
    writers.check_one_writer_at_a_time()


def test_a_howdah_that_is_killed_after_the_new_epoch_began_takes_survivors_along_when_it_is_back(
        sync_cluster, automatic):
    howdah, old = automatic(sync_cluster, ha_durability="sync"), sync_cluster.primary
    with Writers(howdah) as writers:
        old.kill9()
        howdah.wait_for_log("ha: .*store epoch 2 .*: done")
        howdah.kill9()
        successor = next(node for node in sync_cluster.replicas if is_writable(node))
        survivors = [node for node in sync_cluster.replicas if node is not successor]
        howdah.start()
        has_followers(successor, survivors)
        writers.wait_for_rows(port=successor.port)
    writers.check_nothing_lost(successor)
    writers.check_one_writer_at_a_time()
