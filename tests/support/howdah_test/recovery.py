"""What a recovery looks like from outside: in Howdah's log and on the servers."""
from howdah_test.wait import wait_until


def at(node):
    """Howdah's name for a server that has no other."""
    return f"{node.host}:{node.port}"


def followers(node):
    return sorted(row[0] for row in node.query(
        "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"))


def has_followers(upstream, standbys):
    """Waits until exactly these stream from a server."""
    names = sorted(node.name for node in standbys)
    wait_until(lambda: followers(upstream) == names, 30,
               lambda: f"{names} stream from {upstream.name}, only {followers(upstream)} do")


def successor_of(howdah, old, after=0):
    """Waits for the failover from `old`; (successor, the standbys that are left)."""
    found = howdah.wait_for_log(rf"failover complete: Failed: {at(old)}; Promoted: [\d.]+:(\d+)", 40, after)
    successor = howdah.cluster.node_at(found[1])
    return successor, [node for node in howdah.cluster.nodes if node not in (successor, old) and node.is_running()]


def is_writable(node):
    return not node.query("SELECT pg_is_in_recovery()")[0][0]


def timeline(node):
    """The one that a primary writes."""
    return node.query("SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")[0][0]
