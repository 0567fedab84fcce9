"""Rules in the manner of pg_hba.conf, and maps in the manner of pg_ident.conf."""
import os
import pwd

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import user
from howdah_test.wire import RawClient, WireError

pytestmark = pytest.mark.needs_howdah

ME = pwd.getpwuid(os.geteuid()).pw_name


def refusal(howdah, name, password, dbname="appdb"):
    """(SQLSTATE, message) of a login over plain TCP that must fail."""
    with RawClient(howdah.host, howdah.port) as client:
        with pytest.raises(WireError) as raised:
            client.log_in(name, password, dbname)
        assert client.at_end()
        return raised.value.sqlstate, raised.value.message


def who(howdah, **changes):
    with psycopg.connect(**howdah.target().libpq(**changes)) as connection:
        return connection.execute("SELECT current_user").fetchone()[0]


def over_unix_socket(howdah, **changes):
    return who(howdah, host=str(howdah.folder), password="none", **changes)


def test_the_first_rule_that_matches_decides(make_howdah, cluster):
    howdah = make_howdah(cluster, users=[user("small_user"), user("session_user1")], hba_rules=[
        {"type": "host", "database": "appdb", "user": "small_user", "address": "127.0.0.1", "method": "reject"},
        {"type": "host", "database": "/^app", "user": ["appuser", "small_user"], "address": "127.0.0.0/8",
         "method": "scram-sha-256"}])
    assert who(howdah) == "appuser"
    tail = 'user "small_user", database "appdb", no encryption (hba_rules of Howdah)'
    assert refusal(howdah, "small_user", PASSWORDS["small_user"]) == (
        "28000", f'pg_hba.conf rejects connection for host "127.0.0.1", {tail}')
    for name, dbname in (("session_user1", "appdb"), ("appuser", "postgres"), ("nobody", "appdb")):
        assert refusal(howdah, name, PASSWORDS.get(name, "x"), dbname) == (
            "28000", f'no pg_hba.conf entry for host "127.0.0.1", user "{name}", database "{dbname}", '
                     "no encryption (hba_rules of Howdah)")


def test_a_rule_names_the_method(make_howdah, cluster):
    howdah = make_howdah(cluster, users=[user("small_user"), user("session_user1")], hba_rules=[
        {"type": "host", "user": "small_user", "address": "samehost", "method": "trust"},
        {"type": "host", "user": "session_user1", "address": "samenet", "method": "md5"},
        {"type": "host", "address": "all", "method": "password"}])
    assert who(howdah, user="small_user", password="wrong") == "small_user"
    requests = {}
    for name in ("session_user1", "appuser"):
        with RawClient(howdah.host, howdah.port) as client:
            client.startup(name, "appdb")
            kind, body = client.read()
            requests[name] = (kind, body[3])
    assert requests == {"session_user1": ("R", 5), "appuser": ("R", 3)}
    assert who(howdah, user="session_user1") == "session_user1"
    assert refusal(howdah, "appuser", "wrong")[0] == "28P01"


def test_rules_can_depend_on_tls(make_howdah, cluster):
    howdah = make_howdah(cluster, hba_rules=[
        {"type": "hostnossl", "address": "all", "method": "reject"},
        {"type": "hostssl", "address": "all", "method": "scram-sha-256"}])
    assert refusal(howdah, "appuser", PASSWORDS["appuser"])[0] == "28000"
    assert who(howdah, **howdah.target().verified_tls()) == "appuser"


def test_a_reload_replaces_the_rules_and_a_bad_one_leaves_them(make_howdah, cluster):
    howdah = make_howdah(cluster, hba_rules=[{"type": "host", "address": "all", "method": "scram-sha-256"}])
    assert who(howdah) == "appuser"
    howdah.config["hba_rules"][0]["database"] = "/("
    howdah.reload()
    howdah.wait_for_log(r"reload refused: hba rule 1: database: missing \)")
    assert who(howdah) == "appuser"
    howdah.config["hba_rules"][0] = {"type": "host", "address": "10.0.0.0/8", "method": "trust"}
    howdah.reload()
    howdah.wait_for_log(r"reload: hba_rules: changed")
    assert refusal(howdah, "appuser", PASSWORDS["appuser"])[0] == "28000"


def test_peer_lets_an_os_user_in_under_its_own_name_or_by_a_map(make_howdah, cluster):
    howdah = make_howdah(
        cluster, users=[user("small_user"), user("session_user1")],
        user_maps=[{"map": "m", "system_user": ME, "database_user": "small_user"},
                   {"map": "m", "system_user": f"/^({ME[0]}).*", "database_user": "session_user\\1"}],
        hba_rules=[{"type": "local", "user": "appuser", "method": "peer"},
                   {"type": "local", "method": "peer", "map": "m"}])
    assert over_unix_socket(howdah, user="small_user") == "small_user"
    for name in ("appuser", "session_user1"):
        with pytest.raises(psycopg.OperationalError, match=f'peer authentication failed for user "{name}"'):
            over_unix_socket(howdah, user=name)
    howdah.wait_for_log(f'peer name "{ME}" may not be user "session_user1" by user map "m"')


def test_peer_does_not_let_in_a_user_that_is_not_there(make_howdah, cluster):
    howdah = make_howdah(cluster, hba_rules=[{"type": "local", "method": "peer"}])
    with pytest.raises(psycopg.OperationalError, match=f'role "{ME}" does not exist'):
        over_unix_socket(howdah, user=ME)


@pytest.fixture
def certificates(make_howdah, cluster, authority):
    """A Howdah with rules on certificates, and how to connect with one."""
    howdah = make_howdah(
        cluster, variables={"ssl_ca": str(authority.ca)},
        users=[user(name) for name in ("small_user", "session_user1", "statement_user1")],
        user_maps=[{"map": "m", "system_user": "/^(.*)@example$", "database_user": "\\1"}],
        hba_rules=[
            {"type": "hostssl", "user": "appuser", "address": "all", "method": "cert"},
            {"type": "hostssl", "user": "small_user", "address": "all", "method": "cert", "map": "m"},
            {"type": "hostssl", "user": "session_user1", "address": "all", "method": "scram-sha-256",
             "clientcert": "verify-ca"},
            {"type": "hostssl", "user": "statement_user1", "address": "all", "method": "scram-sha-256",
             "clientcert": "verify-full"}])

    def connect(name, certificate=None, **changes):
        if certificate:
            changes |= {"sslcert": str(certificate[0]), "sslkey": str(certificate[1])}
        return who(howdah, user=name, **{**howdah.target().verified_tls(), **changes})

    return connect


def test_cert_lets_the_owner_of_a_certificate_in_without_a_password(certificates, authority):
    mine, other = authority.client("appuser"), authority.client("other")
    assert certificates("appuser", mine, password="none") == "appuser"
    with pytest.raises(psycopg.OperationalError, match='certificate authentication failed for user "appuser"'):
        certificates("appuser", other)
    with pytest.raises(psycopg.OperationalError, match="connection requires a valid client certificate"):
        certificates("appuser", sslcert="/nonexistent")


def test_a_certificate_of_another_authority_is_refused_by_the_handshake(certificates, authority):
    with pytest.raises(psycopg.OperationalError, match="alert unknown ca|SSL|closed"):
        certificates("appuser", authority.stranger("appuser"))


def test_cert_may_use_a_map(certificates, authority):
    assert certificates("small_user", authority.client("small_user@example"), password="none") == "small_user"
    with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
        certificates("small_user", authority.client("small_user"))


def test_clientcert_asks_for_a_certificate_and_the_password(certificates, authority):
    any_certificate, named = authority.client("anybody"), authority.client("statement_user1")
    assert certificates("session_user1", any_certificate) == "session_user1"
    assert certificates("statement_user1", named) == "statement_user1"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        certificates("session_user1", any_certificate, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="requires a valid client certificate"):
        certificates("session_user1", sslcert="/nonexistent")
    with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
        certificates("statement_user1", any_certificate)
