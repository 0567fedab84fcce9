"""asyncpg: extended protocol only, binary, its own protocol code, many named statements."""
import asyncio
import functools
import io
import ssl
import zlib

import asyncpg
import pytest
from howdah_test.activity import statement_runs
from howdah_test.ledger import CLIENTS, amount_of, changes_of, note_of
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, PARAMETER_BYTES, RAISE_ERROR,
                                 RAISE_FIELDS, RAISE_NOTICE, big_checksum)


@pytest.fixture
def connect(target):
    """connect(**changes): a coroutine; connections are closed by `run_async`."""
    def make(**changes):
        options = {"host": target.host, "port": target.port, "user": target.user, "ssl": False,
                   "password": target.password, "database": target.dbname, "timeout": 20, **changes}
        return asyncpg.connect(**options)
    return make


def run_async(test):
    """Runs a coroutine test to its end."""
    @functools.wraps(test)
    def wrapper(*arguments, **fixtures):
        asyncio.run(asyncio.wait_for(test(*arguments, **fixtures), 110))
    return wrapper


@run_async
async def test_scram_login_without_and_with_verified_tls(connect, target):
    plain = await connect()
    assert await plain.fetchval("SELECT current_user::text") == "appuser"
    await plain.close()
    context = ssl.create_default_context(cafile=target.ca)
    tls = await connect(host="localhost", ssl=context)
    assert tls._transport.get_extra_info("ssl_object") is not None
    assert await tls.fetchval("SELECT $1::int + 1", 4) == 5
    await tls.close()


@run_async
async def test_prepared_statements_are_reused_across_transactions(connect):
    connection = await connect()
    statements = [await connection.prepare(f"SELECT $1::int * {number}, $2::text") for number in range(120)]
    for turn in range(5):
        for number, statement in enumerate(statements):
            assert tuple(await statement.fetchrow(turn, f"t{turn}")) == (turn * number, f"t{turn}")
    await connection.close()


@run_async
async def test_forty_clients_share_the_servers_with_statements_of_their_own(connect):
    async def work(number):
        connection = await connect()
        for turn in range(30):
            assert await connection.fetchval(f"SELECT $1::int + {number % 7}", turn) == turn + number % 7
            async with connection.transaction():
                assert await connection.fetchval(f"SELECT {number}::int8 + $1", turn) == number + turn
        await connection.close()
    await asyncio.gather(*(work(number) for number in range(40)))


@run_async
async def test_the_same_text_with_other_parameter_types_is_another_statement(connect):
    connection, other = await connect(), await connect()
    for _ in range(3):
        assert await connection.fetchval("SELECT $1::int", 1) == 1
        assert await other.fetchval("SELECT $1::text", "1") == "1"
    await connection.close()
    await other.close()


@run_async
async def test_commit_rollback_savepoint_and_an_error_inside_a_transaction(connect, table):
    connection = await connect()
    await connection.execute(f"CREATE TABLE {table} (id int PRIMARY KEY)")
    async with connection.transaction():
        await connection.execute(f"INSERT INTO {table} VALUES ($1)", 1)
        with pytest.raises(asyncpg.UniqueViolationError):
            async with connection.transaction():
                await connection.execute(f"INSERT INTO {table} VALUES ($1)", 1)
        await connection.execute(f"INSERT INTO {table} VALUES ($1)", 2)
    transaction = connection.transaction(isolation="serializable")
    await transaction.start()
    await connection.execute(f"INSERT INTO {table} VALUES (3)")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await connection.fetch("SELECT 1 / $1::int", 0)
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await connection.fetch("SELECT 1")
    await transaction.rollback()
    async with connection.transaction():
        await connection.execute(f"UPDATE {table} SET id = id")
        rows = await connection.fetch(f"SELECT id FROM {table} ORDER BY id")
    assert [row["id"] for row in rows] == [1, 2]
    await connection.execute(f"DROP TABLE {table}")
    await connection.close()


@run_async
async def test_copy_in_and_out(connect, table):
    connection = await connect()
    await connection.execute(f"CREATE TABLE {table} (id int, v text)")
    records = [(number, f"value {number}") for number in range(50_000)]
    assert await connection.copy_records_to_table(table, records=records) == "COPY 50000"
    out = io.BytesIO()
    async with connection.transaction():
        await connection.execute(f"DELETE FROM {table} WHERE id < 0")
        assert await connection.copy_from_query(f"SELECT * FROM {table} ORDER BY id", output=out) == "COPY 50000"
    assert out.getvalue() == b"".join(b"%d\tvalue %d\n" % (number, number) for number in range(50_000))
    await connection.execute(f"DROP TABLE {table}")
    await connection.close()


@run_async
async def test_a_cancelled_task_cancels_its_statement(connect, cluster):
    connection = await connect()
    marker = "asyncpg cancel */"
    task = asyncio.create_task(connection.fetch(f"SELECT pg_sleep(100) /* {marker}"))
    while not await asyncio.to_thread(statement_runs, cluster, marker):
        assert not task.done(), task
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await connection.fetchval("SELECT 1") == 1
    while await asyncio.to_thread(statement_runs, cluster, marker):
        pass
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetch("SELECT pg_sleep(100)", timeout=0.2)
    assert await connection.fetchval("SELECT 2") == 2
    await connection.close()


@pytest.mark.slow
@run_async
async def test_a_200_mb_result_arrives_unchanged_through_a_portal(connect):
    connection = await connect()
    checksum, size, rows = 0, 0, 0
    async with connection.transaction():
        async for (text,) in connection.cursor(BIG_QUERY, prefetch=2000):
            data = text.encode()
            checksum, size, rows = zlib.crc32(data, checksum), size + len(data), rows + 1
    assert (rows, size, checksum) == (BIG_ROWS, BIG_BYTES, big_checksum())
    await connection.close()


@run_async
async def test_a_10_mb_parameter_goes_there_and_back(connect):
    connection = await connect()
    data = bytes(range(256)) * (PARAMETER_BYTES // 256)
    assert await connection.fetchval("SELECT $1::bytea", data) == data
    await connection.close()


@run_async
async def test_errors_arrive_with_all_their_fields(connect):
    connection = await connect()
    with pytest.raises(asyncpg.PostgresError) as raised:
        await connection.execute(RAISE_ERROR)
    error = raised.value
    assert {
        "sqlstate": error.sqlstate, "message": error.message, "detail": error.detail,
        "hint": error.hint, "schema": error.schema_name, "table": error.table_name,
        "column": error.column_name, "datatype": error.data_type_name,
        "constraint": error.constraint_name,
    } == RAISE_FIELDS
    with pytest.raises(asyncpg.InvalidCatalogNameError, match='database "nope" does not exist'):
        await connect(database="nope")
    with pytest.raises(asyncpg.InvalidPasswordError, match='password authentication failed for user "appuser"'):
        await connect(password="wrong")
    await connection.close()


@run_async
async def test_notices_arrive(connect):
    connection, notices = await connect(), []
    connection.add_log_listener(lambda _, message: notices.append((message.sqlstate, message.message)))
    await connection.execute(RAISE_NOTICE)
    await asyncio.sleep(0)  # listeners run in the next turn of the loop
    assert notices == [("HW001", "the message")]
    await connection.close()


@run_async
async def test_settings_last_over_transactions_and_stay_with_their_client(connect):
    one = await connect(server_settings={"application_name": "one", "lock_timeout": "7s"})
    other = await connect()
    await one.execute("SET extra_float_digits = 0")
    for _ in range(5):
        assert await one.fetchval("SHOW lock_timeout") == "7s"
        assert await one.fetchval("SHOW application_name") == "one"
        assert await one.fetchval("SHOW extra_float_digits") == "0"
        assert await other.fetchval("SHOW lock_timeout") == "0"
        assert await other.fetchval("SHOW extra_float_digits") == "1"
    await one.reset()  # what asyncpg's own pool sends between its users
    assert await one.fetchval("SHOW extra_float_digits") == "1"
    assert await one.fetchval("SHOW lock_timeout") == "7s"
    await one.close()
    await other.close()


@run_async
async def test_asyncpg_pool_and_type_introspection(target, cluster, connect, table):
    owner = await connect()
    await owner.execute(f"CREATE TYPE {table} AS (a int, b text)")
    cluster.wait_for_replicas()
    async with asyncpg.create_pool(host=target.host, port=target.port, user=target.user, ssl=False,
                                   password=target.password, database=target.dbname,
                                   min_size=4, max_size=8) as pool:
        async def work(number):
            return tuple(await pool.fetchval(f"SELECT ROW($1::int, 'x')::{table}", number))
        assert await asyncio.gather(*(work(n) for n in range(50))) == [(n, "x") for n in range(50)]
    await owner.execute(f"DROP TYPE {table}")
    await owner.close()


@run_async
async def test_cursors_and_prepared_statements_with_more_clients_than_connections(connect, pool_of_two):
    async def work(client):
        connection = await connect(port=pool_of_two)
        statement = await connection.prepare("SELECT i * $1::int AS n FROM generate_series(1, 500) AS i")
        assert [a.name for a in statement.get_attributes()] == ["n"]
        for _ in range(3):
            async with connection.transaction():
                cursor = await statement.cursor(client)
                assert await cursor.forward(10) == 10
                assert [row["n"] for row in await cursor.fetch(5)] == [client * n for n in range(11, 16)]
                rows = [row["n"] async for row in statement.cursor(client, prefetch=70)]
                assert rows == [client * n for n in range(1, 501)]
                assert (await cursor.fetchrow())["n"] == client * 16
            assert await statement.fetchval(client) == client
        with pytest.raises(asyncpg.NoActiveSQLTransactionError):
            await statement.cursor(client)
        await connection.close()
    await asyncio.gather(*(work(client) for client in range(8)))


@run_async
async def test_cached_statements_follow_a_table_that_others_change(connect, pool_of_two, ledger):
    one, two, owner = [await connect(port=pool_of_two) for _ in range(3)]
    query = f"SELECT * FROM {ledger.accounts} WHERE id = $1 FOR SHARE"
    for column in range(3):
        wanted = (3, 1000) + tuple(range(column))
        assert tuple(await one.fetchrow(query, 3)) == wanted
        async with one.transaction():  # two gets the other connection to the primary
            assert tuple(await one.fetchrow(query, 3)) == wanted
            assert tuple(await two.fetchrow(query, 3)) == wanted
        await owner.execute(f"ALTER TABLE {ledger.accounts} ADD COLUMN c{column} int DEFAULT {column}")
    for connection in (one, two, owner):
        await connection.close()


@run_async
async def test_binary_copy_from_records_and_between_clients(connect, pool_of_two, ledger):
    one, two = await connect(port=pool_of_two), await connect(port=pool_of_two)
    records = [(client, turn, client * turn, None if turn % 3 else "\u00e4\t\\." * turn)
               for client in range(20) for turn in range(200)]
    assert await one.copy_records_to_table(ledger.moves, records=records) == "COPY 4000"
    out = io.BytesIO()
    await one.copy_from_query(f"SELECT * FROM {ledger.moves} WHERE client >= $1", 10, output=out, format="binary")
    await two.execute(f"DELETE FROM {ledger.moves} WHERE client >= 10")
    out.seek(0)
    assert await two.copy_to_table(ledger.moves, source=out, format="binary") == "COPY 2000"
    with pytest.raises(asyncpg.UniqueViolationError):
        await one.copy_records_to_table(ledger.moves, records=records[:5])
    async with one.transaction():  # what the other one wrote is on the primary
        rows = await one.fetch(f"SELECT * FROM {ledger.moves} ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == records
    await one.close()
    await two.close()


@run_async
async def test_listeners_hear_what_is_committed_and_stop_hearing(connect, pool_of_two, table):
    listener, sender, heard = await connect(port=pool_of_two), await connect(port=pool_of_two), asyncio.Queue()

    def hear(_connection, _pid, channel, payload):
        heard.put_nowait((channel, payload))

    await listener.add_listener(table, hear)
    transaction = sender.transaction()
    await transaction.start()
    await sender.execute("SELECT pg_notify($1, 'never')", table)
    await transaction.rollback()
    await sender.execute("SELECT pg_notify($1, 'once')", table)
    assert await heard.get() == (table, "once")
    assert await listener.fetchval("SELECT 7") == 7
    await listener.remove_listener(table, hear)
    await sender.execute("SELECT pg_notify($1, 'unheard')", table)
    assert await listener.fetchval("SELECT 8") == 8
    assert heard.empty()
    await listener.close()
    await sender.close()


@run_async
async def test_twenty_clients_with_a_mixed_load_share_two_connections_per_server(connect, pool_of_two, ledger):
    async def work(client):
        # Some cache no statements, some few: names are used again and closed then.
        connection = await connect(port=pool_of_two, statement_cache_size=(100, 3, 0)[client % 3],
                                   server_settings={"howdah_test.client": str(client)})
        total = 0
        for turn in range(ledger.turns):
            total += amount_of(client, turn)
            row = (client, turn, amount_of(client, turn), note_of(client, turn))
            async with connection.transaction():
                await connection.execute(f"INSERT INTO {ledger.moves} VALUES ($1, $2, $3, $4)", *row)
                with pytest.raises(asyncpg.UniqueViolationError):
                    async with connection.transaction():
                        await connection.executemany(f"INSERT INTO {ledger.moves} VALUES ($1, $2, $3, $4)",
                                                     [(client, 1000 + turn, 0, ""), row])
                await connection.executemany(
                    f"UPDATE {ledger.accounts} SET balance = balance + $2 WHERE id = $1", changes_of(client, turn))
            assert tuple(await connection.fetchrow(
                f"SELECT count(*), sum(amount), max(note) FILTER (WHERE turn = $1) FROM {ledger.moves} "
                "WHERE client = $2", turn, client)) == (turn + 1, total, row[3])
            assert await connection.fetchval(f"SELECT $1::int * {turn}", client) == client * turn
            assert await connection.fetchval("SHOW howdah_test.client") == str(client)
            async with connection.transaction(readonly=True, isolation="repeatable_read"):
                rows = [n async for (n,) in connection.cursor(
                    "SELECT i * $1::int FROM generate_series(1, 100) AS i", client, prefetch=30)]
            assert sum(rows) == 5050 * client
            if turn == 3:
                with pytest.raises(asyncpg.DivisionByZeroError):
                    await connection.fetch("SELECT 1 / $1::int", 0)
                with pytest.raises(asyncio.TimeoutError):
                    await connection.fetch("SELECT pg_sleep(100)", timeout=0.05)
            if turn == 5:
                await connection.reload_schema_state()
        await connection.close()

    await asyncio.gather(*(work(client) for client in range(CLIENTS)))
    await asyncio.to_thread(ledger.check)
