"""Databases that clients know under another name than the servers (PgBouncer's dbname=)."""
import psycopg
import pytest
from howdah_test.recovery import admin
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

KEEP = {"rule_id": 1, "match_digest": "^select", "cache_ttl": 600000}


@pytest.fixture(scope="module")
def databases(cluster):
    """Two databases with a table that says which it is, and a function that only their catalogue shows to be STABLE."""
    names = ["shop_2025", "shop_2026"]
    for name in names:
        cluster.create_database(name)
        for sql in (f"CREATE TABLE place AS SELECT '{name}' AS name", "GRANT ALL ON place TO PUBLIC",
                    "CREATE TABLE log (n int)", "GRANT ALL ON log TO PUBLIC",
                    "CREATE FUNCTION at_reader() RETURNS bool LANGUAGE sql STABLE AS 'SELECT pg_is_in_recovery()'"):
            cluster.primary.query(sql, dbname=name)
    cluster.wait_for_replicas()
    yield names
    for name in names:
        cluster.primary.query(f"DROP DATABASE {name} WITH (FORCE)")


def lead(howdah, there):
    admin(howdah, f"REPLACE INTO pgsql_databases (name, server_database) VALUES ('shop', '{there}')")
    admin(howdah, "LOAD PGSQL USERS TO RUNTIME")


def where(client):
    return client.execute("SELECT current_database(), name FROM place").fetchone()


def test_clients_get_what_the_name_stands_for_on_the_servers(make_howdah, cluster, connect, databases):
    howdah = make_howdah(cluster, databases=[{"name": "shop", "server_database": "shop_2025", "max_connections": 2}])
    client = connect(howdah, dbname="shop")
    assert where(client) == ("shop_2025", "shop_2025")
    assert where(connect(howdah, dbname="shop_2025")) == ("shop_2025", "shop_2025"), "its own name goes on to lead there"
    assert where(connect(howdah, dbname="shop_2026")) == ("shop_2026", "shop_2026")
    wait_until(lambda: client.execute("SELECT at_reader()").fetchone()[0], what="functions are looked up there")
    connect(howdah, dbname="shop")
    with pytest.raises(psycopg.OperationalError, match='too many connections for database "shop"'):
        connect(howdah, dbname="shop")
    rows = {row[0]: row[3] for row in admin(howdah, "SHOW DATABASES")}
    assert (rows["shop"], rows["shop_2026"]) == ("shop_2025", "shop_2026")


def test_clients_follow_a_changed_name_and_see_nothing_of_the_database_before(make_howdah, cluster, connect, databases):
    howdah = make_howdah(cluster, databases=[{"name": "shop", "server_database": "shop_2025"}], query_rules=[KEEP])
    client, other = connect(howdah, dbname="shop"), connect(howdah, dbname="shop")
    assert [where(c) for c in (client, other, client)] == [("shop_2025", "shop_2025")] * 3
    with other.transaction():
        other.execute("INSERT INTO log VALUES (2)")
        lead(howdah, "shop_2026")
        assert where(client) == ("shop_2026", "shop_2026")
        assert where(connect(howdah, dbname="shop")) == ("shop_2026", "shop_2026")
        assert where(other) == ("shop_2025", "shop_2025"), "a transaction stays where it began"
    assert where(other) == ("shop_2026", "shop_2026")
    admin(howdah, "DELETE FROM pgsql_databases")
    admin(howdah, "LOAD PGSQL USERS TO RUNTIME")
    with pytest.raises(psycopg.errors.InvalidCatalogName, match='database "shop" does not exist'):
        client.execute("SELECT 1 FROM place")


def test_a_database_can_be_dropped_although_clients_know_it_by_another_name(make_howdah, cluster, connect):
    cluster.create_database("shop_old")
    howdah = make_howdah(cluster, databases=[{"name": "shop", "server_database": "shop_old"}])
    with connect(howdah, dbname="shop") as client, client.transaction():
        client.execute("SELECT 1")
    with connect(howdah) as client:
        client.execute("DROP DATABASE shop_old")
    with pytest.raises(psycopg.OperationalError, match='database "shop_old" does not exist'):
        connect(howdah, dbname="shop")
