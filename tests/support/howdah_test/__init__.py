"""Real PostgreSQL clusters and a running Howdah for the integration tests."""
from howdah_test.cluster import Cluster, Node, Template
from howdah_test.ledger import Ledger
from howdah_test.osuser import OsUser
from howdah_test.proxy import Howdah
from howdah_test.target import Target
from howdah_test.tls import Authority
from howdah_test.wait import wait_until
from howdah_test.wire import RawClient, WireError

__all__ = [
    "Authority", "Cluster", "Howdah", "Ledger", "Node", "OsUser", "RawClient", "Target", "Template",
    "WireError", "wait_until",
]
