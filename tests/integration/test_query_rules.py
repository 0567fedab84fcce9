"""What query rules do to statements, on real servers."""
import psycopg
import pytest
from howdah_test.proxy import servers_of
from howdah_test.wait import wait_until
from psycopg import errors

pytestmark = pytest.mark.needs_howdah

BOTH = pytest.mark.parametrize("prepare", [False, True], ids=["simple", "extended"])


def run(connection, statement, prepare, *values):
    """In the simple protocol, or prepared under a name."""
    if prepare:
        return connection.execute(statement, values or None, prepare=True)
    return psycopg.ClientCursor(connection).execute(statement, values or None)


def refusal(connection, statement, prepare=False):
    """The error for the statement, or nothing."""
    try:
        run(connection, statement, prepare)
        return None
    except errors.InsufficientPrivilege as refused:
        return str(refused)


@pytest.fixture
def rows(cluster, table):
    with cluster.primary.connect("appdb") as admin:
        admin.execute(f"CREATE TABLE {table} (n int)")
        admin.execute(f"GRANT ALL ON {table} TO PUBLIC")
        yield table
        admin.execute(f"DROP TABLE {table}")


@BOTH
def test_a_refused_statement_aborts_its_transaction(make_howdah, cluster, connect, rows, prepare):
    howdah = make_howdah(cluster, query_rules=[
        {"rule_id": 1, "match_digest": "^delete", "error_msg": "nothing is deleted here"}])
    client = connect(howdah, autocommit=False)
    run(client, f"INSERT INTO {rows} VALUES (1)", prepare)
    with pytest.raises(errors.InsufficientPrivilege, match="nothing is deleted here"):
        run(client, f"DELETE FROM {rows}", prepare)
    with pytest.raises(errors.InFailedSqlTransaction):
        run(client, f"INSERT INTO {rows} VALUES (2)", prepare)
    client.rollback()
    assert run(client, f"SELECT count(*) FROM {rows}", prepare).fetchone() == (0,)
    client.commit()
    client.autocommit = True
    for _ in range(3):
        with pytest.raises(errors.InsufficientPrivilege):
            run(client, f"DELETE FROM {rows}", prepare)
        run(client, f"INSERT INTO {rows} VALUES (3)", prepare)
    assert run(client, f"SELECT count(*) FROM {rows} WHERE n = 3 AND true", prepare).fetchone() == (3,)


def test_a_refused_statement_of_a_pipeline_undoes_what_precedes_it(make_howdah, cluster, connect, rows):
    howdah = make_howdah(cluster, query_rules=[{"rule_id": 1, "match_digest": "^delete", "error_msg": "no"}])
    client = connect(howdah)
    with pytest.raises(errors.InsufficientPrivilege), client.pipeline():
        client.execute(f"INSERT INTO {rows} VALUES (1)")
        client.execute(f"DELETE FROM {rows}")
        client.execute(f"INSERT INTO {rows} VALUES (2)")
    assert client.execute(f"SELECT count(*) FROM {rows}").fetchone() == (0,)


@BOTH
def test_a_statement_is_answered_without_being_run(make_howdah, cluster, connect, rows, prepare):
    howdah = make_howdah(cluster, query_rules=[
        {"rule_id": 1, "match_digest": "^delete", "OK_msg": "DELETE 7"}])
    client = connect(howdah)
    run(client, f"INSERT INTO {rows} VALUES (1)", prepare)
    for value in (1, 2, 3):
        assert run(client, f"DELETE FROM {rows} WHERE n = %s", prepare, value).rowcount == 7
    with client.transaction():
        assert run(client, f"DELETE FROM {rows}", prepare).rowcount == 7
    assert run(client, f"SELECT count(*) FROM {rows}", prepare).fetchone() == (1,)


@BOTH
def test_a_rewritten_statement_is_run_as_rewritten(make_howdah, cluster, connect, prepare):
    howdah = make_howdah(cluster, query_rules=[
        {"rule_id": 1, "match_pattern": r"\bfull_name\b", "replace_pattern": "current_user",
         "re_modifiers": "CASELESS,GLOBAL"}])
    client = connect(howdah)
    for _ in range(3):
        assert run(client, "SELECT full_name, FULL_NAME, 'x' || %s::text", prepare, "y").fetchone() == (
            "appuser", "appuser", "xy")


@BOTH
def test_a_statement_over_the_timeout_of_its_rule_is_cancelled(make_howdah, cluster, connect, prepare):
    howdah = make_howdah(cluster, query_rules=[{"rule_id": 1, "match_pattern": "slow", "timeout": 200}])
    client = connect(howdah)
    with pytest.raises(errors.QueryCanceled, match="timeout of a query rule"):
        run(client, "SELECT pg_sleep(100) /* slow */", prepare)
    assert run(client, "SELECT 1", prepare).fetchone() == (1,)


@BOTH
def test_multiplex_0_keeps_the_server_connection(make_howdah, cluster, connect, prepare):
    howdah = make_howdah(cluster, query_rules=[
        {"rule_id": 1, "match_pattern": "keep", "multiplex": 0}, {"rule_id": 2, "match_pattern": "free", "multiplex": 1}],
        servers=servers_of(cluster, max_connections=3))
    client, other = connect(howdah), connect(howdah)
    backend = "SELECT pg_backend_pid() /* {} */"
    mine = run(client, backend.format("keep"), prepare).fetchone()[0]
    assert run(other, backend.format("other"), prepare).fetchone()[0] != mine
    assert run(client, backend.format("mine"), prepare).fetchone()[0] == mine
    run(client, backend.format("free"), prepare)


def test_a_prepared_statement_follows_the_rules_of_a_reload(make_howdah, cluster, connect, rows):
    howdah = make_howdah(cluster, query_rules=[
        {"rule_id": 1, "match_pattern": "alias", "replace_pattern": rows, "destination_hostgroup": 10}])
    client = connect(howdah)
    statement = "SELECT count(*) FROM alias"
    assert run(client, statement, True).fetchone() == (0,)
    howdah.config["query_rules"].append({"rule_id": 2, "match_digest": "from alias", "error_msg": "closed"})
    howdah.reload()
    wait_until(lambda: refusal(client, statement, True) == "closed", 20, lambda: "the new rule is in force")
    howdah.config["query_rules"].pop()
    howdah.reload()
    wait_until(lambda: refusal(client, statement, True) is None, 20, lambda: "the rule is gone")
    assert run(client, statement, True).fetchone() == (0,)


def test_fast_routing_and_flags_choose_the_hostgroup(make_howdah, cluster, connect):
    howdah = make_howdah(
        cluster,
        variables={"read_consistency": "eventual"},
        query_rules=[{"rule_id": 1, "match_pattern": "report", "flagOUT": 5}],
        query_rules_fast_routing=[
            {"username": "appuser", "database": "appdb", "destination_hostgroup": 10},
            {"username": "", "database": "appdb", "flagIN": 5, "destination_hostgroup": 20}])
    client = connect(howdah)
    ports = [client.execute(f"SELECT inet_server_port() AS {name}").fetchone()[0] for name in ("plain", "report")]
    assert ports[0] == cluster.primary.port
    assert ports[1] in {node.port for node in cluster.replicas}


def test_a_rule_that_cannot_be_compiled_is_named_and_changes_nothing(make_howdah, cluster, connect):
    howdah = make_howdah(cluster, query_rules=[{"rule_id": 1, "match_pattern": "kept", "error_msg": "kept"}])
    howdah.config["query_rules"].append({"rule_id": 2, "match_pattern": "(?=a)"})
    howdah.reload()
    howdah.wait_for_log("reload refused: query rule 2: match_pattern: invalid perl operator")
    with pytest.raises(errors.InsufficientPrivilege):
        connect(howdah).execute("SELECT 'kept'")


def test_the_firewall_blocks_what_is_not_listed(make_howdah, cluster, connect):
    howdah = make_howdah(
        cluster, variables={"firewall_whitelist_enabled": True, "firewall_whitelist_errormsg": "not on the list"},
        firewall_whitelist_users=[{"username": "appuser", "client_address": "", "mode": "DETECTING"}])
    client = connect(howdah)
    assert client.execute("SELECT 1").fetchone() == (1,)
    howdah.wait_for_log("firewall: detected a statement of appuser@")
    howdah.config["firewall_whitelist_users"][0]["mode"] = "PROTECTING"
    howdah.reload()
    wait_until(lambda: refusal(client, "SELECT 1") == "not on the list", 20, lambda: "the firewall blocks")
