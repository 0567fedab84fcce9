"""Results that rules keep, statements that rules mirror or log: on real servers."""
import json

import psycopg
import pytest
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

BOTH = pytest.mark.parametrize("prepare", [False, True], ids=["simple", "extended"])
KEEP = {"rule_id": 1, "match_digest": "^select", "cache_ttl": 600000}


@pytest.fixture
def rows(cluster, table):
    """A table whose rows belong to tenants."""
    with cluster.primary.connect("appdb") as admin:
        admin.execute(f"CREATE TABLE {table} (tenant text DEFAULT 'a', n int)")
        admin.execute(f"GRANT ALL ON {table} TO PUBLIC")
        yield table
        admin.execute(f"DROP TABLE {table}")


def run(connection, statement, prepare, *values, binary=False):
    if prepare:
        with connection.cursor(binary=binary) as cursor:
            return cursor.execute(statement, values or None, prepare=True).fetchall()
    return psycopg.ClientCursor(connection).execute(statement, values or None).fetchall()


@BOTH
def test_a_result_is_kept_for_others_until_its_time_is_over(make_howdah, cluster, connect, rows, prepare):
    howdah = make_howdah(cluster, variables={"threads": 1}, query_rules=[
        KEEP, {"rule_id": 2, "match_pattern": "soon", "cache_ttl": 50}])
    one, other = connect(howdah), connect(howdah)
    count, soon = f"SELECT count(*) FROM {rows}", f"SELECT count(*) AS soon FROM {rows}"
    for client in (one, other):
        assert run(client, count, prepare) == [(0,)]
    one.execute(f"INSERT INTO {rows} VALUES ('a', 1)")
    for client in (one, other, one):
        assert run(client, count, prepare) == [(0,)]
    wait_until(lambda: run(other, soon, prepare) == [(1,)], 20, lambda: "the old result was over")
    with one.transaction():
        assert run(one, count, prepare) == [(1,)]
    assert run(one, count, prepare) == [(0,)]
    run(one, "SELECT set_config('howdah.read_consistency', 'strong', false)", False)
    assert run(one, count, prepare) == [(1,)]


def test_an_administrator_sees_the_cache_and_empties_it(make_howdah, cluster, connect, rows):
    howdah = make_howdah(cluster, query_rules=[KEEP])
    client = connect(howdah)
    count = f"SELECT count(*) FROM {rows}"
    with psycopg.connect(host=howdah.host, port=howdah.admin_port, user="admin", password="admin",
                         dbname="admin", autocommit=True) as admin:
        def counter(name):
            return int(admin.execute("SELECT Variable_Value FROM stats_pgsql_global WHERE Variable_Name = %s",
                                     (f"Query_Cache_{name}",)).fetchone()[0])

        def answers():
            return [run(client, count, False) for _ in range(2)]

        assert answers() == [[(0,)], [(0,)]]
        assert (counter("Entries"), counter("count_SET"), counter("count_GET_OK")) == (1, 1, 1)
        assert counter("Memory_bytes") > counter("bytes_IN") == counter("bytes_OUT") > 0
        by_hostgroup = dict(admin.execute(
            "SELECT hostgroup, count_star FROM stats_pgsql_query_digest WHERE digest_text LIKE 'select count%'"))
        assert by_hostgroup[-1] == 1
        client.execute(f"INSERT INTO {rows} VALUES ('a', 1)")
        admin.execute("PROXYSQL FLUSH QUERY CACHE")
        assert counter("Entries") == 0
        assert answers() == [[(1,)], [(1,)]]


@BOTH
def test_parameters_and_types_are_told_apart(make_howdah, cluster, connect, rows, prepare):
    howdah = make_howdah(cluster, variables={"threads": 1}, query_rules=[KEEP])
    client = connect(howdah)
    for _ in range(3):
        for value in (1, 2, 70000, "x", "1", None, True, 1.5):
            assert run(client, "SELECT %s AS value, 'é'", prepare, value) == [(value, "é")]
    if prepare:
        for binary in (False, True, False, True):
            assert run(client, "SELECT %s::int4 AS n, now() IS NOT NULL", True, 7, binary=binary) == [(7, True)]


def test_nobody_sees_the_rows_of_another_role_or_tenant(make_howdah, cluster, connect, rows):
    with cluster.primary.connect("appdb") as admin:
        admin.execute(f"INSERT INTO {rows} VALUES ('a', 1), ('b', 2), ('appuser', 3)")
        admin.execute(f"CREATE POLICY own ON {rows} USING (tenant IN (current_user, current_setting('app.tenant', true)))")
        admin.execute(f"ALTER TABLE {rows} ENABLE ROW LEVEL SECURITY")
    howdah = make_howdah(cluster, variables={"threads": 1, "read_consistency": "eventual", "read_write_split": False},
                         query_rules=[KEEP])
    statement = f"SELECT n FROM {rows} ORDER BY n"
    clients = {tenant: connect(howdah) for tenant in ("a", "b", "c")}
    for tenant, client in clients.items():
        client.execute(f"SET app.tenant = '{tenant}'")
    for _ in range(3):
        for prepare in (False, True):
            assert run(clients["a"], statement, prepare) == [(1,), (3,)]
            assert run(clients["b"], statement, prepare) == [(2,), (3,)]
            assert run(clients["c"], statement, prepare) == [(3,)]
    clients["a"].execute("SET app.tenant = 'b'")
    assert run(clients["a"], statement, True) == [(2,), (3,)]


def test_settings_that_shape_a_result_are_told_apart(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, variables={"threads": 1}, query_rules=[KEEP])
    client, other = connect(howdah), connect(howdah)
    statement = "SELECT '2020-02-01 12:00+00'::timestamptz::text, 1.5::float8::text, 'Δ'"
    assert run(client, statement, False) == run(other, statement, False)
    before = run(client, statement, False)
    other.execute("SET TimeZone = 'Asia/Tokyo'")
    assert run(other, statement, False) != before
    other.execute("SET DateStyle = 'German'")
    assert run(other, statement, False)[0][0].startswith("01.02.2020")
    other.execute("RESET ALL")
    assert run(other, statement, False) == before


def test_changed_columns_are_not_hidden_from_who_knows_the_old_ones(make_howdah, cluster, connect, rows):
    howdah = make_howdah(cluster, variables={"threads": 1, "read_write_split": False}, query_rules=[KEEP])
    knows, fresh = connect(howdah), connect(howdah)
    statement = f"SELECT * FROM {rows}"
    knows.execute(f"INSERT INTO {rows} VALUES ('a', 1)")
    knows.pgconn.prepare(b"mine", statement.encode())
    assert knows.pgconn.describe_prepared(b"mine").nfields == 2
    with cluster.primary.connect("appdb") as admin:
        admin.execute(f"ALTER TABLE {rows} ADD COLUMN extra int")
    fresh.pgconn.prepare(b"mine", statement.encode())
    assert fresh.pgconn.exec_prepared(b"mine", []).nfields == 3
    result = knows.pgconn.exec_prepared(b"mine", [])
    # libpq describes the portal each time: it is told of the new column, as by PostgreSQL it would
    # be told that the plan must not change.
    assert result.nfields == 3 or b"cached plan must not change" in result.error_message


@BOTH
def test_a_mirrored_statement_is_run_once_more(make_howdah, cluster, connect, rows, prepare):
    howdah = make_howdah(cluster, query_rules=[
        {"rule_id": 1, "match_digest": "^insert", "mirror_hostgroup": 10}])
    client = connect(howdah)
    with cluster.primary.connect("appdb") as admin:
        def numbers():
            return sorted(n for n, in admin.execute(f"SELECT n FROM {rows}").fetchall())

        if prepare:
            client.execute(f"INSERT INTO {rows} VALUES ('a', %s)", (5,), prepare=True, binary=True)
        else:
            psycopg.ClientCursor(client).execute(f"INSERT INTO {rows} VALUES ('a', %s)", (5,))
        wait_until(lambda: numbers() == [5, 5], 20, lambda: f"mirrored: {numbers()}")
        with pytest.raises(ZeroDivisionError), client.transaction():
            client.execute(f"INSERT INTO {rows} VALUES ('a', 6)")
            raise ZeroDivisionError
        wait_until(lambda: numbers() == [5, 5, 6], 20, lambda: f"mirrored outside of the transaction: {numbers()}")


def test_the_query_log_has_one_json_object_per_statement(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, variables={"eventslog_filename": "queries.log", "eventslog_parameters": True},
                         query_rules=[{"rule_id": 1, "match_pattern": "logged", "log": True}])
    file = howdah.folder / "queries.log"
    client = connect(howdah)
    client.execute("SELECT 1 AS logged")
    client.execute("SELECT %s::text AS logged", ("it's",), prepare=True)
    client.execute("SELECT 2 AS quiet")
    with pytest.raises(psycopg.errors.UndefinedTable):
        client.execute("SELECT * FROM logged_nowhere")

    def events():
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    wait_until(lambda: len(events()) >= 3, 20, lambda: str(events()))
    first, second, third = events()
    assert first["query"] == "SELECT 1 AS logged" and first["rows_sent"] == 1
    assert second["query"] == "SELECT $1::text AS logged" and second["parameters"] == ["it's"]
    assert third["sqlstate"] == "42P01" and third["username"] == "appuser"
    assert {event["database"] for event in events()} == {"appdb"}
