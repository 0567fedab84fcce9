"""What the client tests connect to: Howdah, or PostgreSQL itself for comparison."""
import os
from dataclasses import dataclass
from pathlib import Path

from howdah_test.cluster import PASSWORDS


@dataclass(frozen=True)
class Target:
    """Where to connect; `direct` is true where it is PostgreSQL itself."""

    host: str
    port: int
    ca: Path
    direct: bool
    socket_folder: Path
    dbname: str = "appdb"
    user: str = "appuser"

    @property
    def password(self):
        return PASSWORDS[self.user]

    def libpq(self, **changes):
        """Keyword arguments for psycopg, psycopg2 and everything else on libpq; plain TCP."""
        user = changes.pop("user", self.user)
        return {"host": self.host, "port": self.port, "dbname": self.dbname, "user": user,
                "password": PASSWORDS.get(user), "sslmode": "disable", "connect_timeout": 20,
                **changes}

    def verified_tls(self):
        """Additions to libpq() for TLS with certificate and host name checked."""
        return {"sslmode": "verify-full", "sslrootcert": str(self.ca), "host": "localhost"}

    def environment(self, **changes):
        """Environment for libpq programs such as psql and pgbench."""
        names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER",
                 "password": "PGPASSWORD", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT",
                 "connect_timeout": "PGCONNECT_TIMEOUT", "channel_binding": "PGCHANNELBINDING",
                 "options": "PGOPTIONS"}
        values = {names[key]: str(value) for key, value in self.libpq(**changes).items()}
        return {**os.environ, "PGAPPNAME": "test", **values}
