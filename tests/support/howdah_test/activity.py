"""What the servers themselves say about who is connected and what runs."""
from howdah_test.wait import wait_until


def wait_for_statement(cluster, marker, timeout=20):
    """Waits until a statement that contains `marker` runs somewhere; returns the node."""
    def look():
        for node in cluster.nodes:
            if node.is_running() and node.query(
                    "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s "
                    "AND pid <> pg_backend_pid()", [f"%{marker}%"]):
                return node
        return None
    return wait_until(look, timeout, f"a statement with {marker} runs")


def statement_runs(cluster, marker):
    """True while a statement that contains `marker` runs on any running node."""
    return any(node.query("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s "
                          "AND pid <> pg_backend_pid()", [f"%{marker}%"])
               for node in cluster.nodes if node.is_running())


def connections_of(node, user):
    """How many connections `user` has on a node."""
    return node.query("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [user])[0][0]
