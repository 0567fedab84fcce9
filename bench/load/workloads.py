"""What pgbench does in each workload, and whom it is compared with."""
from dataclasses import dataclass

SELECT_ONE = "SELECT 1;\n"
ROWS = "SELECT n, repeat('x', 96) FROM generate_series(1, 10000) AS n;\n"


@dataclass(frozen=True)
class Workload:
    """`script`: instead of `-S` (None) or TPC-B (""). `session`: statements that PgBouncer 1.18 cannot keep for a client in
    transaction pooling; it pools sessions then. `transactions`: so many for each client, however long it takes."""

    name: str
    arguments: tuple
    clients: int = 16
    script: str | None = None
    session: bool = False
    tls: bool = False
    transactions: int = 0


WORKLOADS = [
    Workload("simple", ("-M", "simple")),
    Workload("extended", ("-M", "extended")),
    Workload("prepared", ("-M", "prepared"), session=True),
    Workload("tpcb", ("-M", "prepared"), script="", session=True),
    Workload("select1", ("-M", "simple"), clients=64, script=SELECT_ONE),
    Workload("rows", ("-M", "simple"), clients=4, script=ROWS),
    Workload("churn", ("-M", "simple", "-C"), clients=4),
    Workload("one", ("-M", "prepared"), clients=1, session=True),
    Workload("crowd", ("-M", "simple"), clients=500, transactions=100),
    Workload("tls", ("-M", "simple"), tls=True),
]
