"""Prepared statements of the protocol outlive what befalls them on the servers, and never lie about their columns."""
import asyncio

import asyncpg
import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import servers_of, user
from psycopg import errors

pytestmark = pytest.mark.needs_howdah

FORGET = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"


@pytest.fixture
def table(cluster):
    cluster.primary.query("DROP TABLE IF EXISTS changing; CREATE TABLE changing (a int); "
                          "GRANT ALL ON changing TO PUBLIC", dbname="appdb")
    yield "changing"
    cluster.primary.query("DROP TABLE changing", dbname="appdb")


@pytest.fixture
def small(make_howdah, cluster):
    """One server connection for everybody, so that its statements are everybody's."""
    return make_howdah(cluster, servers=servers_of(cluster, max_connections=1), users=[user("small_user")],
                       variables={"read_consistency": "strong"})


def connect(howdah, **changes):
    connection = psycopg.connect(**howdah.target().libpq(user="small_user"), autocommit=True, **changes)
    connection.prepare_threshold = 0
    return connection


def connect_asyncpg(howdah):
    target = howdah.target()
    return asyncpg.connect(host=target.host, port=target.port, user="small_user", password=PASSWORDS["small_user"],
                           database=target.dbname, ssl=False, timeout=20)


def widen(cluster):
    cluster.primary.query("ALTER TABLE changing ADD COLUMN b int DEFAULT 7", dbname="appdb")


def lose_server_connections(cluster):
    cluster.primary.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'small_user'")


@pytest.mark.parametrize("statement", ["INSERT INTO changing VALUES (1) RETURNING *", "SELECT * FROM changing"])
def test_a_statement_whose_table_has_changed_is_prepared_anew_outside_a_transaction(small, cluster, table, statement):
    with connect(small) as first, connect(small) as second:
        first.execute("INSERT INTO changing VALUES (1)")
        for connection in (first, second):
            assert connection.execute(statement).fetchone() == (1,)
        widen(cluster)
        for connection in (second, first, second):
            assert connection.execute(statement).fetchone() == (1, 7)


def test_many_clients_see_no_error_when_tables_change_under_them(make_howdah, cluster, table):
    howdah = make_howdah(cluster, servers=servers_of(cluster, max_connections=3), users=[user("small_user")])

    async def client(number, changed):
        connection = await psycopg.AsyncConnection.connect(**howdah.target().libpq(user="small_user"), autocommit=True)
        connection.prepare_threshold = 0
        widths = set()
        for _ in range(40):
            row = await (await connection.execute("INSERT INTO changing VALUES (%s) RETURNING *", (number,))).fetchone()
            assert row[0] == number
            widths.add(len(row))
            if len(widths) == 2 or (changed.is_set() and len(row) > 1):
                break
            await asyncio.sleep(0)
        else:
            await changed.wait()
            row = await (await connection.execute("INSERT INTO changing VALUES (%s) RETURNING *", (number,))).fetchone()
            widths.add(len(row))
        await connection.close()
        return max(widths)

    async def everybody():
        changed = asyncio.Event()
        clients = [asyncio.create_task(client(number, changed)) for number in range(20)]
        await asyncio.to_thread(widen, cluster)
        changed.set()
        return await asyncio.gather(*clients)

    assert asyncio.run(everybody()) == [2] * 20


def test_inside_a_transaction_the_error_is_shown_as_by_postgresql(small, cluster, table):
    with connect(small) as client:
        client.execute("INSERT INTO changing VALUES (1) RETURNING *")
        widen(cluster)
        with pytest.raises(errors.FeatureNotSupported, match="cached plan must not change result type"):
            with client.transaction():
                client.execute("INSERT INTO changing VALUES (1) RETURNING *")
        assert client.execute("INSERT INTO changing VALUES (1) RETURNING *").fetchone() == (1, 7)


@pytest.mark.parametrize("lost", [False, True], ids=["same-connection", "new-connection"])
def test_a_client_that_relies_on_the_columns_it_was_shown_is_never_given_others(small, cluster, table, lost):
    async def scenario():
        client = await connect_asyncpg(small)
        statement = await client.prepare("INSERT INTO changing VALUES (1) RETURNING *")
        assert tuple(await statement.fetchrow()) == (1,)
        await asyncio.to_thread(widen, cluster)
        if lost:
            await asyncio.to_thread(lose_server_connections, cluster)
        else:
            # Another client prepares the same text on the same connection, in its new shape.
            other = await connect_asyncpg(small)
            assert tuple(await other.fetchrow("INSERT INTO changing VALUES (1) RETURNING *")) == (1, 7)
            await other.close()
        before = await client.fetchval("SELECT count(*) FROM changing")
        with pytest.raises(asyncpg.InvalidCachedStatementError):
            await statement.fetchrow()
        assert await client.fetchval("SELECT count(*) FROM changing") == before
        # asyncpg prepares again by itself where the statement is its own.
        assert tuple(await client.fetchrow("INSERT INTO changing VALUES (1) RETURNING *")) == (1, 7)
        await client.close()

    asyncio.run(scenario())


def test_statements_that_the_server_has_dropped_behind_our_back_are_prepared_again(small):
    with connect(small) as client, connect(small) as other:
        assert client.execute("SELECT %s::int", (1,)).fetchone() == (1,)
        other.execute(FORGET)
        assert client.execute("SELECT %s::int", (2,)).fetchone() == (2,)


def test_statements_outlive_their_server_connection(small, cluster):
    with connect(small) as client:
        assert client.execute("SELECT %s::int", (1,)).fetchone() == (1,)
        lose_server_connections(cluster)
        assert client.execute("SELECT %s::int", (2,)).fetchone() == (2,)


@pytest.mark.parametrize("limit", [{"max_stmts_per_connection": 20}, {"max_stmts_bytes_per_connection": 65536}],
                         ids=["count", "bytes"])
def test_thousands_of_statements_work_and_few_stay_on_the_server(make_howdah, cluster, limit):
    howdah = make_howdah(cluster, servers=servers_of(cluster, max_connections=1), users=[user("small_user")],
                         variables={"read_consistency": "strong", **limit})
    padding = "-" * 2000
    with connect(howdah) as client:
        client.prepared_max = 10_000
        for turn in range(2):
            for number in range(1500):
                sql = f"SELECT {number} --{padding}"
                assert client.execute(sql).fetchone() == (number,)
        kept = client.execute("SELECT count(*), sum(length(statement)) FROM pg_prepared_statements",
                              prepare=False).fetchone()
    assert 2 <= kept[0] <= (20 if "max_stmts_per_connection" in limit else 33)
