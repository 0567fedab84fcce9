"""PostgreSQL's own programs, beyond psql and pgbench, in transaction mode."""
import re
import subprocess

import pytest
from howdah_test.cluster import BIN

SOURCE = """
CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('new', 'paid');
CREATE DOMAIN shop.positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE shop.numbers START 17 INCREMENT 3;
CREATE TABLE shop.customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, more jsonb);
CREATE TABLE shop."Order" (id bigint DEFAULT nextval('shop.numbers') PRIMARY KEY,
    customer int REFERENCES shop.customer, state shop.state DEFAULT 'new', n shop.positive, raw bytea,
    at timestamptz DEFAULT '2026-01-02 03:04:05+06') PARTITION BY RANGE (id);
CREATE TABLE shop.order_1 PARTITION OF shop."Order" FOR VALUES FROM (0) TO (20000);
CREATE TABLE shop.order_2 PARTITION OF shop."Order" DEFAULT;
CREATE INDEX by_state ON shop."Order" (state, at) WHERE n > 3;
CREATE FUNCTION shop.total(who int) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT sum(n) FROM shop."Order" WHERE customer = who; END;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.more = '{"a": "\\\\"}'; RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE INSERT ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE VIEW shop.totals AS SELECT c.name, shop.total(c.id) FROM shop.customer c;
CREATE MATERIALIZED VIEW shop.kept AS SELECT i FROM generate_series(1, 10) i;
INSERT INTO shop.customer (name) SELECT E'c\\t\\u00e4' || i FROM generate_series(1, 500) i;
INSERT INTO shop."Order" (customer, n, raw) SELECT i % 500 + 1, i, decode(md5(i::text), 'hex')
    FROM generate_series(1, 10000) i;
SELECT lo_from_bytea(424200 + i, decode(repeat(md5(i::text), 1000 * i), 'hex')) FROM generate_series(1, 5) i;
COMMENT ON LARGE OBJECT 424201 IS 'the first';
COMMENT ON TABLE shop.customer IS 'who';
GRANT SELECT ON shop.totals TO PUBLIC;
ALTER DATABASE {name} SET work_mem = '5MB';
"""


@pytest.fixture(scope="module")
def call(target):
    """call(name, arguments..., **connection changes): standard output; stderr is at call.stderr."""
    def run(name, *arguments, expect=0, **changes):
        done = subprocess.run([BIN / name, *map(str, arguments)], env=target.environment(**changes),
                              capture_output=True, text=True, timeout=100)
        assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        run.stderr = done.stderr
        return done.stdout
    return run


@pytest.fixture(scope="module")
def direct(cluster):
    """Connection changes that lead past Howdah to the primary."""
    return {"port": cluster.primary.port}


@pytest.fixture(scope="module")
def shop(cluster):
    """The name of a database that has some of everything."""
    name = "shop_of_programs"
    cluster.create_database(name)
    for statement in ("SET ROLE appuser", SOURCE.replace("{name}", name)):
        cluster.primary.query("SET ROLE appuser;" + statement, dbname=name)
    cluster.wait_for_replicas()
    yield name
    cluster.primary.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty(cluster, request):
    """The name of an empty database of the test's own."""
    name = "empty_" + re.sub(r"\W+", "_", request.node.name.lower())[5:40]
    cluster.create_database(name)
    yield name
    cluster.primary.query(f"DROP DATABASE {name} WITH (FORCE)")


def comparable(dump):
    """A dump without what differs from run to run."""
    return re.sub(r"^\\(un)?restrict .*\n", "", dump, flags=re.M)


@pytest.mark.parametrize("options", [[], ["--inserts", "--rows-per-insert=7"], ["--schema-only"],
                                     ["--serializable-deferrable", "--clean", "--if-exists"]],
                         ids=["copy", "inserts", "schema", "deferrable"])
def test_pg_dump_is_the_same_as_directly(call, shop, pool_of_two, direct, options):
    dump = comparable(call("pg_dump", *options, shop, port=pool_of_two))
    assert "PostgreSQL database dump complete" in dump
    assert dump == comparable(call("pg_dump", *options, shop, **direct))


@pytest.mark.parametrize("dump_with, restore_with", [
    (["-Fp"], None),
    (["-Fc", "-Z1"], ["-1"]),
    (["-Fd"], ["-j", "2"]),
    (["-Fd", "-j", "2"], ["-j", "2"]),
    (["-Ft"], ["--disable-triggers", "-S", "postgres"]),
], ids=["plain", "custom-one-transaction", "directory-restored-by-two", "directory-both-by-two", "tar"])
def test_what_is_dumped_and_restored_is_the_same(
        call, shop, empty, pool_of_two, target, direct, tmp_path, dump_with, restore_with):
    # Two jobs of pg_dump are three transactions at once: more than two connections can bear.
    dump_port = target.port if "-j" in dump_with else pool_of_two
    user = {"user": "postgres"} if restore_with and "-S" in restore_with else {}
    file = tmp_path / "dump"
    call("pg_dump", *dump_with, "-f", file, shop, port=dump_port)
    if restore_with is None:
        call("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, empty, port=pool_of_two)
    else:
        call("pg_restore", "--exit-on-error", *restore_with, "-d", empty, file, port=pool_of_two, **user)
    original, restored = (comparable(call("pg_dump", name, **direct)) for name in (shop, empty))
    assert restored == original


def test_pg_dumpall_of_roles_and_databases(call, shop, pool_of_two, direct):
    through = comparable(call("pg_dumpall", "--exclude-database=appdb", port=pool_of_two, user="postgres"))
    assert shop in through and "CREATE ROLE appuser" in through
    assert through == comparable(call("pg_dumpall", "--exclude-database=appdb", user="postgres", **direct))


def test_pg_isready(call, pool_of_two):
    assert "accepting connections" in call("pg_isready", port=pool_of_two)


def test_createuser_createdb_and_their_opposites(call, pool_of_two, cluster):
    admin = {"port": pool_of_two, "user": "postgres"}
    call("createuser", "--no-password", "--createdb", "made_by_createuser", **admin)
    call("createdb", "--owner", "made_by_createuser", "made_by_createdb", "with a comment", **admin)
    assert cluster.primary.query(
        "SELECT pg_get_userbyid(datdba), shobj_description(oid, 'pg_database') FROM pg_database "
        "WHERE datname = 'made_by_createdb'") == [("made_by_createuser", "with a comment")]
    call("dropdb", "made_by_createdb", **admin)
    call("dropuser", "made_by_createuser", **admin)
    assert cluster.primary.query("SELECT 1 FROM pg_roles WHERE rolname = 'made_by_createuser'") == []


def test_a_database_that_nobody_uses_any_more_can_be_dropped(call, pool_of_two, cluster):
    admin = {"port": pool_of_two, "user": "postgres"}
    call("createdb", "used_and_dropped", **admin)
    call("psql", "-X", "-c", "CREATE TABLE t (i int)", "used_and_dropped", **admin)
    try:
        call("dropdb", "used_and_dropped", **admin)
    finally:
        cluster.primary.query("DROP DATABASE IF EXISTS used_and_dropped WITH (FORCE)")


def test_a_database_that_replicas_do_not_know_yet_is_read_from_the_primary(call, pool_of_two, cluster):
    admin = {"port": pool_of_two, "user": "postgres"}
    for replica in cluster.replicas:
        replica.query("SELECT pg_wal_replay_pause()")
    try:
        call("createdb", "just_made", **admin)
        assert call("psql", "-XAt", "-c", "SELECT 42", "just_made", **admin) == "42\n"
    finally:
        for replica in cluster.replicas:
            replica.query("SELECT pg_wal_replay_resume()")
        call("dropdb", "just_made", **admin)


def test_dropdb_with_force(call, pool_of_two, cluster):
    admin = {"port": pool_of_two, "user": "postgres"}
    call("createdb", "dropped_with_force", **admin)
    call("psql", "-X", "-c", "CREATE TABLE t (i int)", "dropped_with_force", **admin)
    call("dropdb", "--force", "dropped_with_force", **admin)
    assert cluster.primary.query("SELECT 1 FROM pg_database WHERE datname = 'dropped_with_force'") == []


def test_a_login_to_a_database_that_is_gone_is_refused(call, pool_of_two):
    admin = {"port": pool_of_two, "user": "postgres"}
    call("createdb", "gone", **admin)
    call("psql", "-X", "-c", "SELECT 1", "gone", **admin)
    call("dropdb", "--force", "gone", **admin)
    call("psql", "-X", "-c", "SELECT 1", "gone", expect=2, **admin)


def test_vacuumdb_and_reindexdb_with_two_jobs(call, shop, pool_of_two, cluster):
    def state():
        return cluster.primary.query(
            "SELECT (SELECT count(*) FROM pg_statistic s WHERE starelid = 'shop.order_1'::regclass) > 0, "
            "pg_relation_filenode('shop.order_1_pkey'), relallvisible > 0 FROM pg_class "
            "WHERE oid = 'shop.order_1'::regclass", dbname=shop)[0]
    before = state()
    call("vacuumdb", "--analyze", "-j", "2", shop, port=pool_of_two, user="postgres")
    call("reindexdb", "-j", "2", "-S", "shop", shop, port=pool_of_two, user="postgres")
    after = state()
    assert (after[0], after[2]) == (True, True)
    assert after[1] != before[1]
    call("vacuumdb", "--analyze-in-stages", shop, port=pool_of_two, user="postgres")
    call("reindexdb", "--concurrently", "-t", "shop.customer", shop, port=pool_of_two, user="postgres")
    call("clusterdb", "--all", port=pool_of_two, user="postgres")


def test_pg_amcheck_finds_nothing(call, shop, pool_of_two):
    out = call("pg_amcheck", "--install-missing", "--heapallindexed", "-j", "1", "-s", "shop", shop,
                  port=pool_of_two, user="postgres")
    assert out == ""
