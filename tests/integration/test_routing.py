"""Who answers what: reads the replicas, everything else the primary."""
import functools
import threading

import psycopg
import pytest
from howdah_test.activity import wait_for_statement
from howdah_test.proxy import READER, servers_of, user
from howdah_test.wait import wait_until
from psycopg import errors

pytestmark = pytest.mark.needs_howdah

REFUSED_BY_A_REPLICA = "in a read-only transaction"


@pytest.fixture(scope="module")
def objects(cluster, howdah):
    """Tables and functions; returns when every replica has them and Howdah knows the functions."""
    cluster.primary.query("""
        SET ROLE appuser;
        CREATE TABLE seen (port int);
        INSERT INTO seen VALUES (0);
        CREATE SEQUENCE numbers;
        CREATE FUNCTION volatile_port() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT inet_server_port()';
        CREATE FUNCTION stable_port() RETURNS int LANGUAGE sql STABLE AS 'SELECT inet_server_port()';
        CREATE FUNCTION note_port() RETURNS int LANGUAGE sql VOLATILE
            AS 'INSERT INTO seen VALUES (inet_server_port()) RETURNING port';
        -- Says that it only reads, and writes by way of another function.
        CREATE FUNCTION liar() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN note_port(); END';
        CREATE FUNCTION other_liar() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN note_port(); END';
        CREATE PROCEDURE note() LANGUAGE sql AS 'INSERT INTO seen VALUES (inet_server_port())';
    """, dbname="appdb")
    cluster.wait_for_replicas()
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        wait_until(lambda: connection.execute("SELECT stable_port()").fetchone()[0] != cluster.primary.port,
                   60, "Howdah has read the functions of appdb")
    yield
    cluster.primary.query("DROP OWNED BY appuser; SET ROLE appuser; CREATE TABLE replication_test ("
                          "id serial PRIMARY KEY, message text, created_at timestamptz DEFAULT now())",
                          dbname="appdb")


@pytest.fixture
def connect(connect, howdah, objects):
    return functools.partial(connect, howdah)


@pytest.fixture
def no_write_reaches_a_replica(cluster):
    before = [node.log_text().count(REFUSED_BY_A_REPLICA) for node in cluster.replicas]
    yield
    assert [node.log_text().count(REFUSED_BY_A_REPLICA) for node in cluster.replicas] == before


def ports(nodes):
    return {node.port for node in nodes}


READS = [
    "SELECT inet_server_port()",
    "SELECT inet_server_port() FROM seen LIMIT 1",
    "SELECT inet_server_port(), * FROM (SELECT count(*) FROM seen WHERE port = 0) AS s",
    "WITH s AS (SELECT * FROM seen) SELECT inet_server_port(), count(*) FROM s",
    "VALUES (inet_server_port())",
    "SELECT stable_port()",
    "SELECT inet_server_port(), now(), upper('a'), generate_series(1, 1)",
    "SELECT inet_server_port() UNION SELECT inet_server_port()",
    "/* a comment */ SELECT /* and */ inet_server_port() -- another",
    "SELECT inet_server_port() AS \"for update\", 'INSERT INTO seen'",
    "SELECT inet_server_port(); SELECT 1",
]


@pytest.mark.parametrize("sql", READS)
@pytest.mark.parametrize("prepare", [False, True], ids=["simple", "extended"])
def test_a_read_goes_to_a_replica(connect, cluster, sql, prepare):
    if prepare and ";" in sql:
        sql = sql.partition(";")[0]
    row = connect().execute(sql, prepare=prepare).fetchone()
    assert row[0] in ports(cluster.replicas)


def test_reads_are_spread_over_both_replicas_whatever_the_connection(connect, cluster):
    one = connect()
    assert {one.execute("SELECT inet_server_port()").fetchone()[0] for _ in range(60)} <= ports(cluster.replicas)
    several = {connect().execute("SELECT inet_server_port()").fetchone()[0] for _ in range(60)}
    assert several == ports(cluster.replicas)


WRITES = {
    "insert": "INSERT INTO seen VALUES (inet_server_port())",
    "update": "UPDATE seen SET port = inet_server_port() WHERE port = 0",
    "writable CTE": "WITH w AS (INSERT INTO seen VALUES (inet_server_port()) RETURNING port) SELECT * FROM w",
    "several statements": "SELECT 1; INSERT INTO seen VALUES (inet_server_port()); SELECT 2",
    "DO": "DO $$ BEGIN INSERT INTO seen VALUES (inet_server_port()); END $$",
    "CALL": "CALL note()",
    "EXPLAIN ANALYZE": "EXPLAIN ANALYZE INSERT INTO seen VALUES (inet_server_port())",
    "EXPLAIN (ANALYZE)": "EXPLAIN (COSTS off, ANALYZE true) INSERT INTO seen VALUES (inet_server_port())",
    "volatile function": "SELECT note_port()",
    "volatile function in WHERE": "SELECT 1 FROM pg_class WHERE relname = 'seen' AND note_port() > 0",
    "volatile function in FROM": "SELECT * FROM generate_series(1, 1), note_port()",
    "comment in front": "/* SELECT */ -- SELECT\n INSERT INTO seen VALUES (inet_server_port())",
}


@pytest.mark.parametrize("sql", WRITES.values(), ids=WRITES.keys())
def test_a_write_goes_to_the_primary_at_once(connect, cluster, no_write_reaches_a_replica, sql):
    cluster.primary.query("DELETE FROM seen", dbname="appdb")
    cluster.primary.query("INSERT INTO seen VALUES (0)", dbname="appdb")
    connect().execute(sql)
    assert cluster.primary.query("SELECT port FROM seen WHERE port <> 0", dbname="appdb") == [(cluster.primary.port,)]


WRITER_READS = {
    "FOR UPDATE": "SELECT inet_server_port() FROM seen FOR UPDATE",
    "FOR SHARE below": "SELECT * FROM (SELECT inet_server_port() FROM seen FOR SHARE) AS s",
    "nextval": "SELECT inet_server_port(), nextval('numbers')",
    "volatile function": "SELECT volatile_port()",
    "advisory lock": "SELECT inet_server_port(), pg_try_advisory_xact_lock(4711)",
    "advisory lock in WHERE": "SELECT inet_server_port() WHERE pg_try_advisory_xact_lock(4712)",
    "transaction id": "SELECT inet_server_port(), txid_current()",
    "notify": "SELECT inet_server_port(), pg_notify('nobody', '')",
    "hint": "/* hostgroup=10 */ SELECT inet_server_port()",
}


@pytest.mark.parametrize("sql", WRITER_READS.values(), ids=WRITER_READS.keys())
@pytest.mark.parametrize("prepare", [False, True], ids=["simple", "extended"])
def test_a_select_that_means_something_else_on_a_replica_goes_to_the_primary(
        connect, cluster, no_write_reaches_a_replica, sql, prepare):
    assert connect().execute(sql, prepare=prepare).fetchone()[0] == cluster.primary.port


def test_select_into_and_ddl_go_to_the_primary(connect, cluster, table, no_write_reaches_a_replica):
    connection = connect()
    connection.execute(f"SELECT inet_server_port() AS port INTO {table}")
    assert cluster.primary.query(f"SELECT port FROM {table}", dbname="appdb") == [(cluster.primary.port,)]
    connection.execute(f"CREATE INDEX ON {table} (port)")
    connection.execute(f"TRUNCATE {table}")
    connection.execute(f"VACUUM {table}")
    connection.execute(f"DROP TABLE {table}")


def test_a_statement_that_cannot_be_parsed_goes_to_the_primary(connect, cluster):
    before = cluster.primary.log_text().count("SELEKT")
    with pytest.raises(errors.SyntaxError):
        connect().execute("SELEKT inet_server_port()")
    assert cluster.primary.log_text().count("SELEKT") > before
    assert not any("SELEKT" in node.log_text() for node in cluster.replicas)


def test_a_transaction_stays_on_the_primary_with_all_its_reads(connect, cluster):
    connection = connect(autocommit=False)
    for _ in range(3):
        pid = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert connection.execute("SELECT inet_server_port()").fetchone()[0] == cluster.primary.port
        connection.execute("INSERT INTO seen VALUES (1)")
        assert connection.execute("SELECT pg_backend_pid()").fetchone() == pid
        connection.rollback()


@pytest.mark.parametrize("begin", [
    "BEGIN READ ONLY", "START TRANSACTION READ ONLY", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"])
def test_a_read_only_transaction_goes_to_one_replica(connect, cluster, begin):
    connection = connect()
    connection.execute(begin)
    port = connection.execute("SELECT inet_server_port()").fetchone()[0]
    assert port in ports(cluster.replicas)
    for _ in range(10):
        assert connection.execute("SELECT inet_server_port()").fetchone()[0] == port
    with pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO seen VALUES (1)")
    connection.execute("ROLLBACK")
    connection.execute("INSERT INTO seen VALUES (1)")


def test_default_transaction_read_only_sends_transactions_to_a_replica(connect, cluster):
    connection = connect()
    connection.execute("SET default_transaction_read_only = on")
    for _ in range(3):
        connection.execute("BEGIN")
        assert connection.execute("SELECT inet_server_port()").fetchone()[0] in ports(cluster.replicas)
        connection.execute("COMMIT")
    connection.execute("SET default_transaction_read_only = off")
    connection.execute("BEGIN")
    assert connection.execute("SELECT inet_server_port()").fetchone()[0] == cluster.primary.port
    connection.execute("COMMIT")
    other = connect(options="-c default_transaction_read_only=on")
    other.execute("BEGIN")
    assert other.execute("SELECT inet_server_port()").fetchone()[0] in ports(cluster.replicas)
    with pytest.raises(errors.ReadOnlySqlTransaction):
        other.execute("INSERT INTO seen VALUES (1)")


@pytest.mark.parametrize("function, prepare", [("liar", False), ("other_liar", True)], ids=["simple", "extended"])
def test_a_write_that_looked_like_a_read_is_run_again_on_the_primary_and_remembered(
        connect, cluster, function, prepare):
    refused = lambda: sum(node.log_text().count(REFUSED_BY_A_REPLICA) for node in cluster.replicas)  # noqa: E731
    before = refused()
    connection = connect()
    assert connection.execute(f"SELECT {function}()", prepare=prepare).fetchone()[0] == cluster.primary.port
    assert refused() == before + 1
    for _ in range(5):
        assert connection.execute(f"SELECT {function}()", prepare=prepare).fetchone()[0] == cluster.primary.port
    assert refused() == before + 1


@pytest.mark.parametrize("prepare", [False, True])
def test_a_read_of_an_unlogged_table_is_answered_by_the_primary(connect, cluster, prepare):
    connection = connect()
    connection.execute("CREATE UNLOGGED TABLE IF NOT EXISTS unlogged (a int)")
    connection.execute("INSERT INTO unlogged VALUES (1)")
    cluster.wait_for_replicas()
    other = connect()
    for _ in range(3):
        count, port = other.execute("SELECT count(*), inet_server_port() FROM unlogged", prepare=prepare).fetchone()
        assert count > 0 and port == cluster.primary.port


def test_a_pipeline_with_a_write_is_answered_in_order(connect, cluster):
    connection = connect()
    with connection.pipeline():
        cursors = [connection.execute("SELECT inet_server_port()", prepare=True),
                   connection.execute("INSERT INTO seen VALUES (7) RETURNING inet_server_port()", prepare=True),
                   connection.execute("SELECT count(*) FROM seen WHERE port = 7", prepare=True)]
        answers = [cursor.fetchone()[0] for cursor in cursors]
    assert answers[1] == cluster.primary.port
    assert answers[2] >= 1
    connection.execute("DELETE FROM seen WHERE port = 7")


def test_copy_out_of_a_query_is_a_read_and_copy_in_is_a_write(connect, cluster, no_write_reaches_a_replica):
    with connect().cursor().copy("COPY (SELECT inet_server_port()) TO STDOUT") as copy:
        assert int(b"".join(copy)) in ports(cluster.replicas)
    connection = connect()
    with connection.cursor().copy("COPY seen FROM STDIN") as copy:
        copy.write("99\n")
    connection.execute("DELETE FROM seen WHERE port = 99")


def test_cancel_finds_the_statement_on_a_replica(connect, cluster):
    connection, outcome = connect(), []
    heavy = "SELECT count(*) FROM generate_series(1, 100000000000) /* cancel on a replica */"

    def work():
        try:
            connection.execute(heavy)
        except errors.QueryCanceled as error:
            outcome.append(error.sqlstate)

    thread = threading.Thread(target=work)
    thread.start()
    assert wait_for_statement(cluster, "cancel on a replica */") in cluster.replicas
    connection.cancel()
    thread.join(30)
    assert outcome == ["57014"]


def test_without_read_write_split_everything_goes_to_the_default_hostgroup(make_howdah, cluster, objects):
    howdah = make_howdah(cluster, users=[user("session_user1", default_hostgroup=READER),
                                         user("small_user", read_write_split=False)])
    with psycopg.connect(**howdah.target().libpq(user="small_user"), autocommit=True) as connection:
        assert {connection.execute("SELECT inet_server_port()").fetchone()[0] for _ in range(20)} == {
            cluster.primary.port}
    with psycopg.connect(**howdah.target().libpq(user="session_user1"), autocommit=True) as connection:
        assert connection.execute("SELECT inet_server_port()").fetchone()[0] in ports(cluster.replicas)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE never (id int)")


def test_a_replica_of_weight_0_gets_nothing_while_another_is_there(make_howdah, cluster, objects):
    servers = servers_of(cluster)
    servers[2]["weight"] = 0
    howdah = make_howdah(cluster, servers=servers)
    answered = set()
    for _ in range(30):
        with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
            answered.add(connection.execute("SELECT inet_server_port()").fetchone()[0])
    assert answered == {cluster.nodes[1].port}


@pytest.mark.parametrize("prepare", [False, True], ids=["simple", "extended"])
def test_query_rules_decide_before_the_split(make_howdah, cluster, objects, prepare):
    howdah = make_howdah(cluster, variables={"read_consistency": "eventual"}, query_rules=[
        {"rule_id": 1, "match_pattern": "to_the_writer", "destination_hostgroup": 10, "apply": True},
        {"rule_id": 2, "username": "nobody", "destination_hostgroup": 10, "apply": True}])
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        answered = [connection.execute(f"SELECT inet_server_port() AS {name}", prepare=prepare).fetchone()[0]
                    for name in ("to_the_writer", "elsewhere")]
    assert answered[0] == cluster.primary.port
    assert answered[1] in ports(cluster.replicas)
