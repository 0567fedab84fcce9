"""Users that no configuration lists: auth_query, and logins to servers without any password."""
import struct

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.ports import free_port
from howdah_test.proxy import user
from howdah_test.wait import wait_until
from howdah_test.wire import RawClient, WireError, scram_verifier

pytestmark = pytest.mark.needs_howdah

BY_SUPERUSER = {"auth_user": "postgres", "auth_password": PASSWORDS["postgres"]}


@pytest.fixture
def make(make_howdah, cluster):
    """A Howdah that lists no user unless told so."""
    def start(users=(), variables=None, on=cluster, **sections):
        howdah = make_howdah(on, start=False, **sections,
                             variables={**BY_SUPERUSER, "failed_login_delay": 0, **(variables or {})})
        howdah.config["users"] = list(users)
        return howdah.start()
    return start


@pytest.fixture
def role(cluster):
    """role(name, options): a role that is gone after the test."""
    made = []

    def create(name, options):
        cluster.primary.query(f"CREATE ROLE {name} LOGIN {options}")
        made.append(name)
        return name

    yield create
    for name in made:
        cluster.primary.query(f"DROP ROLE {name}")


def log_in(howdah, name, password=None, dbname="appdb", **parameters):
    with RawClient(howdah.host, howdah.port) as client:
        client.log_in(name, PASSWORDS[name] if password is None else password, dbname, **parameters)
        return client.query("SELECT current_user")[0][0][0].decode()


def refusal(howdah, name, password, **parameters):
    with pytest.raises(WireError) as raised:
        log_in(howdah, name, password, **parameters)
    assert raised.value.fields["S"] == "FATAL"
    return raised.value.sqlstate, raised.value.message


def wrong_password(name):
    return "28P01", f'password authentication failed for user "{name}"'


def test_scram_passes_through_so_that_no_password_is_stored_anywhere(make, cluster):
    howdah = make()
    assert "app_pass" not in howdah.config_file.read_text()
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("appuser",)
        with connection.transaction():
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        wait_until(lambda: connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,),
                   what="the reader is used, with the same keys")
        # New server connections are made without the client's help.
        for node in cluster.nodes:
            node.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'appuser'")
        wait_until(lambda: connection.execute("SELECT current_user").fetchone() == ("appuser",))
    with psycopg.connect(**howdah.target().libpq(**howdah.target().verified_tls(), channel_binding="require")):
        pass
    assert refusal(howdah, "appuser", "wrong") == wrong_password("appuser")


@pytest.mark.parametrize("method, name", [("password", "verifier_user"), ("md5", "md5_user"),
                                          ("md5", "verifier_user")])
def test_the_other_methods_pass_through_where_the_server_asks_for_no_more(make, method, name):
    howdah = make(variables={"authentication_method": method})
    assert log_in(howdah, name) == name
    assert refusal(howdah, name, "wrong") == wrong_password(name)


@pytest.mark.parametrize("method", ["scram-sha-256", "md5", "password"])
def test_a_user_who_does_not_exist_looks_like_a_wrong_password(make, method):
    howdah = make(variables={"authentication_method": method})
    first_words = []
    for name in ("appuser", "nobody"):
        with RawClient(howdah.host, howdah.port) as client:
            client.startup(name, "appdb")
            kind, body = client.read()
            first_words.append((kind, body[:4]))
        assert refusal(howdah, name, "wrong") == wrong_password(name)
    assert first_words[0] == first_words[1]


def test_a_role_that_may_not_log_in_is_none(make, cluster):
    cluster.primary.query("CREATE ROLE just_a_group NOLOGIN PASSWORD 'x'")
    try:
        assert refusal(make(), "just_a_group", "x") == wrong_password("just_a_group")
    finally:
        cluster.primary.query("DROP ROLE just_a_group")


def test_a_password_past_valid_until_is_none(make, role):
    """CVE-2025-2291."""
    howdah = make(variables={"auth_query_cache_ttl": 0})
    role("expired", "PASSWORD 'x' VALID UNTIL '2020-01-01'")
    role("valid", "PASSWORD 'x' VALID UNTIL '2099-01-01'")
    role("forever", "PASSWORD 'x' VALID UNTIL 'infinity'")
    assert refusal(howdah, "expired", "x") == wrong_password("expired")
    for name in ("valid", "forever"):
        assert log_in(howdah, name, "x", dbname="postgres") == name


@pytest.fixture
def trapped_database(cluster):
    """A database where everything that is not qualified means something else."""
    primary = cluster.primary
    primary.query("CREATE DATABASE trapped")
    try:
        primary.query(f"""
            CREATE SCHEMA evil;
            CREATE TABLE evil.pg_authid (rolname name, rolpassword text, rolvaliduntil timestamptz, rolcanlogin bool);
            INSERT INTO evil.pg_authid VALUES ('appuser', '{scram_verifier("owned")}', 'infinity', true);
            CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''2000-01-01''::timestamptz';
            ALTER DATABASE trapped SET search_path = evil, pg_catalog;
            ALTER ROLE postgres IN DATABASE trapped SET search_path = evil, pg_catalog""", dbname="trapped")
        stolen = primary.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'appuser'", dbname="trapped")
        assert stolen == [(scram_verifier("owned"),)], "the trap is set"
        yield "trapped"
    finally:
        primary.query("DROP DATABASE trapped WITH (FORCE)")


@pytest.mark.parametrize("query", ["", "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1"],
                         ids=["built in", "unqualified"])
def test_no_search_path_leads_auth_query_elsewhere(make, trapped_database, role, query):
    """CVE-2025-12819: neither the client's, nor the database's, nor the role's."""
    howdah = make(variables={"auth_database": trapped_database, "auth_query": query, "auth_query_cache_ttl": 0})
    for parameters in ({}, {"search_path": "evil"}, {"options": "-c search_path=evil,pg_catalog"}):
        assert refusal(howdah, "appuser", "owned", **parameters) == wrong_password("appuser")
        assert log_in(howdah, "appuser", **parameters) == "appuser"
    if not query:
        role("expired", "PASSWORD 'x' VALID UNTIL '2020-01-01'")
        assert refusal(howdah, "expired", "x") == wrong_password("expired")


def test_the_users_name_cannot_become_part_of_the_query(make):
    howdah = make()
    for name in ("x' OR rolname='appuser", "appuser' --", "$1", "appuser\\", "a" * 64):
        assert refusal(howdah, name, PASSWORDS["appuser"]) == wrong_password(name)
    assert log_in(howdah, "appuser") == "appuser"


def test_auth_user_needs_no_more_than_one_function(make, cluster, role):
    primary = cluster.primary
    role("asker", "PASSWORD 'asker_pass'")
    primary.query("""
        CREATE SCHEMA howdah_auth;
        CREATE FUNCTION howdah_auth.look_up(INOUT name text, OUT password text) LANGUAGE sql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp AS
            'SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END
             FROM pg_authid WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper';
        REVOKE ALL ON FUNCTION howdah_auth.look_up FROM public;
        GRANT USAGE ON SCHEMA howdah_auth TO asker;
        GRANT EXECUTE ON FUNCTION howdah_auth.look_up TO asker""")
    try:
        howdah = make(variables={"auth_user": "asker", "auth_password": "asker_pass",
                                 "auth_query": "SELECT * FROM howdah_auth.look_up($1)"})
        assert log_in(howdah, "appuser") == "appuser"
        assert refusal(howdah, "postgres", PASSWORDS["postgres"]) == wrong_password("postgres")
        # The built-in query is not for such a role: that is our fault and not the client's.
        del howdah.config["variables"]["auth_query"]
        howdah.reload()
        howdah.wait_for_log("reload: auth_query: ")
        assert refusal(howdah, "appuser", PASSWORDS["appuser"]) == (
            "08001", "cannot look up users: no server has answered auth_query")
        howdah.wait_for_log("auth_query: .*permission denied for table pg_authid")
    finally:
        primary.query("DROP SCHEMA howdah_auth CASCADE")


def test_a_changed_password_works_after_one_failure_at_the_latest(make, cluster, role):
    howdah = make(variables={"auth_query_cache_ttl": "1h"})
    name = role("changing", "PASSWORD 'old'")
    assert log_in(howdah, name, "old", dbname="postgres") == name
    cluster.primary.query("ALTER ROLE changing PASSWORD 'new'")

    def new_one_works():
        try:
            return log_in(howdah, name, "new", dbname="postgres") == name
        except WireError as refused:
            assert refused.sqlstate == "28P01"
            return False

    wait_until(new_one_works, what="the new password works")
    assert refusal(howdah, name, "old")[0] == "28P01"


def test_who_is_listed_is_not_looked_up(make):
    howdah = make(users=[{"username": "small_user", "password": "another", "default_hostgroup": 10},
                         user("session_user1", active=False)])
    assert refusal(howdah, "small_user", PASSWORDS["small_user"]) == wrong_password("small_user")
    assert refusal(howdah, "session_user1", PASSWORDS["session_user1"]) == wrong_password("session_user1")
    assert log_in(howdah, "appuser") == "appuser"


def test_rules_come_before_the_look_up(make):
    howdah = make(hba_rules=[{"type": "host", "user": "appuser", "address": "all", "method": "scram-sha-256"}])
    assert log_in(howdah, "appuser") == "appuser"
    assert refusal(howdah, "small_user", PASSWORDS["small_user"])[0] == "28000"


def test_auth_hostgroup_says_where_found_users_go(make):
    howdah = make(variables={"auth_hostgroup": 20})
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as connection:
        with connection.transaction():
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_many_logins_of_many_users_at_once(make):
    howdah = make(variables={"threads": 2})
    names = ["appuser", "small_user", "verifier_user", "session_user1", "clear_user"] * 8
    clients = [RawClient(howdah.host, howdah.port) for _ in names]
    for client, name in zip(clients, names):
        client.startup(name, "appdb")
    for client in clients:
        kind, body = client.read()
        assert (kind, body[:4]) == ("R", struct.pack("!I", 10))
        client.close()
    assert log_in(howdah, "appuser") == "appuser"


def test_without_a_server_the_login_fails_soon_and_says_so(make_howdah, cluster):
    howdah = make_howdah(cluster, start=False, variables={**BY_SUPERUSER, "failed_login_delay": 0})
    howdah.config["users"] = []
    for server in howdah.config["servers"]:
        server["port"] = free_port()
    howdah.start()
    for name in ("appuser", "nobody"):
        assert refusal(howdah, name, "x") == (
            "08001", "cannot look up users: no server has answered auth_query")
