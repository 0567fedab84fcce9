"""What a recovery looks like from outside: in Howdah's log and on the servers."""
import psycopg

from howdah_test.wait import wait_until


def at(node):
    """Howdah's name for a server that has no other."""
    return f"{node.host}:{node.port}"


def followers(node):
    return sorted(row[0] for row in node.query(
        "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"))


def streams(cluster):
    """Waits until both replicas stream: the state that most tests start from."""
    wait_until(lambda: cluster.primary.query(
        "SELECT count(*) = 2 FROM pg_stat_replication WHERE state = 'streaming'")[0][0], 30, "both replicas stream")


def has_followers(upstream, standbys):
    """Waits until exactly these stream from a server."""
    names = sorted(node.name for node in standbys)
    wait_until(lambda: followers(upstream) == names, 30,
               lambda: f"{names} stream from {upstream.name}, only {followers(upstream)} do\n" + "\n".join(
                   node.log_text()[-1500:] for node in standbys))


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


def admin(howdah, sql):
    """Rows of a statement at the admin interface."""
    with psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin", dbname="admin",
                         autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def readers(howdah, count=20):
    """The ports of the servers that answer reads through Howdah."""
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        return {connection.execute("/* hostgroup=20 */ SELECT inet_server_port()").fetchone()[0] for _ in range(count)}


def is_fenced(node):
    """Whether Howdah has told an old primary to confirm nothing any more."""
    return node.setting("synchronous_standby_names") == "__fenced__"
