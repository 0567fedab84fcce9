"""SQLAlchemy: ORM and core over psycopg2 and asyncpg."""
import asyncio

import pytest
import sqlalchemy as sa
from howdah_test.ledger import CLIENTS, amount_of, changes_of, note_of, together
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


@pytest.fixture
def url(target, pool_of_two):
    def make(driver):
        return sa.engine.URL.create(f"postgresql+{driver}", target.user, target.password, target.host, pool_of_two,
                                    target.dbname)
    return make


@pytest.fixture
def engine(url):
    """An engine over psycopg2 whose pool has room for 20 clients."""
    made = sa.create_engine(url("psycopg2"), pool_size=20, max_overflow=0, future=True)
    yield made
    made.dispose()


@pytest.fixture
def async_engine(url):
    """An engine over asyncpg; to be disposed of in the loop that used it."""
    return create_async_engine(url("asyncpg"), pool_size=20, max_overflow=0, connect_args={"ssl": False})


@pytest.fixture
def books(ledger):
    """(Account, Move): the ledger's tables as classes."""
    base = orm.declarative_base()

    class Account(base):
        __tablename__ = ledger.accounts
        id = sa.Column(sa.Integer, primary_key=True)
        balance = sa.Column(sa.BigInteger, nullable=False)

    class Move(base):
        __tablename__ = ledger.moves
        client = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
        turn = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
        amount = sa.Column(sa.Integer, nullable=False)
        note = sa.Column(sa.Text)

    return Account, Move


def totals_of(move, client, turn):
    """What client has moved so far: count, sum, and the note of its turn."""
    return sa.select(sa.func.count(), sa.func.sum(move.amount),
                     sa.func.max(move.note).filter(move.turn == turn)).where(move.client == client)


SERIES = sa.text("SELECT i * CAST(:factor AS int) FROM generate_series(1, 200) AS i")


def test_orm_with_schema_reflection_relations_and_returning(engine, table):
    base = orm.declarative_base()

    class Parent(base):
        __tablename__ = f"{table}_p"
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.String(40), unique=True)
        tags = sa.Column(sa.dialects.postgresql.ARRAY(sa.Text))
        more = sa.Column(sa.dialects.postgresql.JSONB)
        children = orm.relationship("Child", order_by="Child.id", cascade="all, delete-orphan")

    class Child(base):
        __tablename__ = f"{table}_c"
        id = sa.Column(sa.Integer, primary_key=True)
        parent_id = sa.Column(sa.ForeignKey(Parent.id))
        state = sa.Column(sa.Enum("new", "old", name=f"{table}_state"))

    base.metadata.create_all(engine)
    try:
        with orm.Session(engine) as session:
            session.add_all(Parent(name=f"p{n}", tags=["a", str(n)], more={"n": n},
                                   children=[Child(state="new") for _ in range(n)]) for n in range(5))
            session.commit()
            found = session.scalars(sa.select(Parent).options(orm.selectinload(Parent.children)).order_by(Parent.id)).all()
            assert [(p.name, p.tags, p.more, len(p.children)) for p in found] == [
                (f"p{n}", ["a", str(n)], {"n": n}, n) for n in range(5)]
            session.delete(found[4])
            found[3].children.pop()
            found[2].children[0].state = "old"
            session.commit()
            assert session.execute(sa.select(Child.state, sa.func.count()).group_by(Child.state).order_by(Child.state)).all() == [
                ("new", 4), ("old", 1)]
            with pytest.raises(sa.exc.IntegrityError):
                session.add(Parent(name="p1"))
                session.flush()
            session.rollback()
            upsert = sa.dialects.postgresql.insert(Parent).values(name="p1", tags=[])
            upsert = upsert.on_conflict_do_update(index_elements=["name"], set_={"tags": ["up"]}).returning(Parent.tags)
            assert session.execute(upsert).scalar_one() == ["up"]
            session.commit()
        reflected = sa.MetaData()
        with engine.begin() as connection:
            reflected.reflect(connection, only=[f"{table}_p", f"{table}_c"])
        assert [key.column.table.name for key in reflected.tables[f"{table}_c"].foreign_keys] == [f"{table}_p"]
    finally:
        base.metadata.drop_all(engine)


def test_streamed_results_and_nested_transactions(engine, books, ledger):
    _, move = books
    with engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, yield_per=30).execute(SERIES, {"factor": 3})
        assert sum(row[0] for row in streamed) == 20100 * 3
        connection.rollback()
    with orm.Session(engine) as session:
        session.add(move(client=1, turn=1, amount=1))
        with session.begin_nested():
            session.add(move(client=1, turn=2, amount=2))
        with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
            session.execute(sa.insert(move), [{"client": 1, "turn": turn, "amount": 0} for turn in (3, 4, 1)])
        with session.begin_nested() as inner:
            session.add(move(client=1, turn=5, amount=5))
            session.flush()
            inner.rollback()
        session.commit()
        assert session.scalars(sa.select(move.turn).order_by(move.turn)).all() == [1, 2]
    two_phase = engine.connect()
    transaction = two_phase.begin_twophase(ledger.moves)
    two_phase.execute(sa.insert(move).values(client=2, turn=1, amount=1))
    transaction.prepare()
    transaction.commit()
    assert two_phase.execute(sa.select(sa.func.count()).select_from(move)).scalar() == 3
    two_phase.close()


def test_isolation_levels_of_connections(engine):
    for level in ("SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "AUTOCOMMIT"):
        with engine.connect() as connection:
            connection = connection.execution_options(isolation_level=level)
            wanted = "read committed" if level == "AUTOCOMMIT" else level.lower()
            assert connection.execute(sa.text("SHOW transaction_isolation")).scalar() == wanted
    with engine.connect() as connection:
        assert connection.execute(sa.text("SHOW transaction_isolation")).scalar() == "read committed"


def test_twenty_clients_of_psycopg2_share_two_connections_per_server(engine, books, ledger):
    account, move = books

    def work(client):
        total = 0
        for turn in range(ledger.turns):
            total += amount_of(client, turn)
            with orm.Session(engine) as session:
                session.add(move(client=client, turn=turn, amount=amount_of(client, turn), note=note_of(client, turn)))
                session.flush()
                with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
                    session.execute(sa.insert(move).values(client=client, turn=turn, amount=0))
                for number, difference in changes_of(client, turn):
                    session.get(account, number, with_for_update=True).balance += difference
                    session.flush()
                session.commit()
                assert session.execute(totals_of(move, client, turn)).one() == (turn + 1, total, note_of(client, turn))
                rows = session.execute(SERIES, {"factor": client}, execution_options={"stream_results": True})
                assert sum(row[0] for row in rows.yield_per(60)) == 20100 * client
            # Another connection of the engine's pool: what it may read of the books is not certain.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                assert sum(row[0] for row in connection.execute(SERIES, {"factor": client})) == 20100 * client

    together(work)
    ledger.check()


def test_twenty_clients_of_asyncpg_share_two_connections_per_server(async_engine, books, ledger):
    account, move = books

    async def work(client):
        total = 0
        for turn in range(ledger.turns):
            total += amount_of(client, turn)
            async with AsyncSession(async_engine, expire_on_commit=False) as session:
                session.add(move(client=client, turn=turn, amount=amount_of(client, turn), note=note_of(client, turn)))
                await session.flush()
                with pytest.raises(sa.exc.IntegrityError):
                    async with session.begin_nested():
                        await session.execute(sa.insert(move).values(client=client, turn=turn, amount=0))
                for number, difference in changes_of(client, turn):
                    await session.execute(sa.update(account).where(account.id == number).values(
                        balance=account.balance + difference).execution_options(synchronize_session=False))
                await session.commit()
                rows = await session.execute(totals_of(move, client, turn))
                assert rows.one() == (turn + 1, total, note_of(client, turn))
                streamed = await session.stream(SERIES, {"factor": client})
                assert sum([row[0] async for row in streamed.yield_per(60)]) == 20100 * client
                await session.rollback()
            async with async_engine.connect() as connection:
                connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
                assert sum(row[0] for row in await connection.execute(SERIES, {"factor": client})) == 20100 * client

    async def crowd():
        await asyncio.gather(*(work(client) for client in range(CLIENTS)))
        await async_engine.dispose()

    asyncio.run(asyncio.wait_for(crowd(), 100))
    ledger.check()
