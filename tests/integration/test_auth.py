"""Who gets in, who does not and with which words; bytes that nobody should send."""
import hashlib
import select
import signal
import socket
import ssl
import struct

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import user
from howdah_test.wire import (CANCEL_REQUEST, GSSENC_REQUEST, PROTOCOL_3_0, PROTOCOL_3_2, SSL_REQUEST,
                              RawClient, Scram, WireError, error_fields, message, packet, scram_verifier, startup_packet)


@pytest.fixture
def raw(target):
    opened = []

    def make():
        one = RawClient(target.host, target.port)
        opened.append(one)
        return one

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def still_serves(target):
    """After the test the target must still take a login and a query."""
    yield
    with RawClient(target.host, target.port) as client:
        client.log_in(target.user, target.password, target.dbname)
        assert client.query("SELECT 1") == ([[b"1"]], ["SELECT 1"])


def refused(client, *login, **parameters):
    with pytest.raises(WireError) as raised:
        client.log_in(*login, **parameters)
    assert client.at_end(), "the connection is closed after a FATAL error"
    return tuple(raised.value.fields.get(name) for name in "SVCM")


def fatal(sqlstate, text):
    return "FATAL", "FATAL", sqlstate, text


def test_a_login_reports_what_postgresql_reports(raw, target, cluster):
    mine = raw().log_in(target.user, target.password, target.dbname, application_name="me")
    with RawClient(cluster.primary.host, cluster.primary.port) as other:
        other.log_in(target.user, target.password, target.dbname, application_name="me")
        theirs = other.parameters
    # Whether the server is a standby depends on who answers.
    for parameters in (mine.parameters, theirs):
        parameters.pop("in_hot_standby", None)
    assert mine.parameters == theirs
    assert len(mine.key) == 8
    assert mine.status == "I"


def test_a_wrong_password_is_refused(raw, target):
    assert refused(raw(), target.user, "wrong", target.dbname) == fatal(
        "28P01", 'password authentication failed for user "appuser"')
    assert refused(raw(), target.user, "", target.dbname)[2] == "28P01"


def test_an_unknown_user_looks_like_a_wrong_password(raw, target):
    assert refused(raw(), "nobody", "anything", target.dbname) == fatal(
        "28P01", 'password authentication failed for user "nobody"')


def test_an_unknown_database_is_named(raw, target):
    assert refused(raw(), target.user, target.password, "nope") == fatal(
        "3D000", 'database "nope" does not exist')


def test_the_database_defaults_to_the_name_of_the_user(raw, target):
    client = raw()
    client.send(startup_packet(PROTOCOL_3_0, user=target.user))
    kind, _ = client.read()
    assert kind == "R"


def test_a_user_must_be_named(raw):
    client = raw()
    client.send(startup_packet(PROTOCOL_3_0, database="appdb"))
    kind, body = client.read()
    assert (kind, error_fields(body)["C"], error_fields(body)["M"]) == (
        "E", "28000", "no PostgreSQL user name specified in startup packet")
    assert client.at_end()


def test_an_unknown_setting_at_login_is_refused(raw, target):
    assert refused(raw(), target.user, target.password, target.dbname, no_such_setting="1") == fatal(
        "42704", 'unrecognized configuration parameter "no_such_setting"')


def test_tls_on_request_and_after_it_a_login(raw, target):
    client = raw()
    client.send(packet(struct.pack("!I", SSL_REQUEST)))
    assert client.read_exactly(1) == b"S"
    context = ssl.create_default_context(cafile=target.ca)
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    assert client.socket.version() in ("TLSv1.2", "TLSv1.3")
    client.log_in(target.user, target.password, target.dbname)
    assert client.query("SELECT 1")[0] == [[b"1"]]


def test_bytes_behind_an_ssl_request_are_not_taken_over_into_the_encrypted_session(raw, target, still_serves):
    client = raw()
    client.send(packet(struct.pack("!I", SSL_REQUEST))
                + startup_packet(PROTOCOL_3_0, user=target.user, database=target.dbname))
    answer = client.read_exactly(1)
    assert answer in (b"S", b"E")
    context = ssl._create_unverified_context()
    with pytest.raises((OSError, EOFError, WireError)):
        client.socket = context.wrap_socket(client.socket)
        client.log_in(target.user, target.password, target.dbname)


@pytest.mark.needs_howdah  # Debian's PostgreSQL would speak GSSAPI
def test_gss_encryption_is_refused_politely_and_the_login_goes_on(raw, target):
    client = raw()
    client.send(packet(struct.pack("!I", GSSENC_REQUEST)))
    assert client.read_exactly(1) == b"N"
    client.log_in(target.user, target.password, target.dbname)


@pytest.mark.needs_howdah
def test_direct_tls_with_alpn(raw, target):
    context = ssl.create_default_context(cafile=target.ca)
    context.set_alpn_protocols(["postgresql"])
    client = raw()
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    assert client.socket.selected_alpn_protocol() == "postgresql"
    client.log_in(target.user, target.password, target.dbname)
    assert client.query("SELECT 1")[0] == [[b"1"]]


@pytest.mark.needs_howdah
def test_direct_tls_without_alpn_is_refused(target, still_serves):
    context = ssl.create_default_context(cafile=target.ca)
    with pytest.raises((OSError, EOFError)):
        with context.wrap_socket(socket.create_connection((target.host, target.port), 20),
                                 server_hostname="localhost") as client:
            client.sendall(startup_packet(PROTOCOL_3_0, user=target.user, database=target.dbname))
            if not client.recv(1):
                raise EOFError


@pytest.mark.parametrize("mode", ["require", "prefer", "disable"])
def test_scram_with_and_without_channel_binding_over_tls(target, mode):
    with psycopg.connect(**target.libpq(channel_binding=mode, **target.verified_tls())) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_channel_binding_cannot_be_had_without_tls(target):
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        psycopg.connect(**target.libpq(channel_binding="require"))


def test_a_certificate_is_checked_by_the_client(target, authority):
    wrong = {**target.verified_tls(), "sslrootcert": str(authority.other_ca)}
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(**target.libpq(**wrong))


MALFORMED_STARTUPS = {
    "length 0": struct.pack("!I", 0),
    "length 3": struct.pack("!I", 3),
    "length 4": struct.pack("!I", 4),
    "length 7": struct.pack("!I", 7) + b"abc",
    "negative length": struct.pack("!I", 0xffffffff) + b"x" * 100,
    "longer than 10,000 bytes": struct.pack("!II", 10_009, PROTOCOL_3_0) + b"x" * 10_001,
    "no terminator": packet(struct.pack("!I", PROTOCOL_3_0) + b"user\0appuser"),
    "name without value": packet(struct.pack("!I", PROTOCOL_3_0) + b"user\0appuser\0database\0"),
    "cancel request without key": packet(struct.pack("!I", CANCEL_REQUEST)),
    "cancel request with half a key": packet(struct.pack("!II", CANCEL_REQUEST, 1) + b"ab"),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS record of nonsense": b"\x16\x03\x01\x00\x05hello",
    "zeros": b"\0" * 8192,
}


@pytest.mark.parametrize("data", MALFORMED_STARTUPS.values(), ids=MALFORMED_STARTUPS.keys())
def test_a_malformed_startup_ends_the_connection_and_nothing_else(raw, still_serves, data):
    client = raw()
    client.send(data)
    if data == MALFORMED_STARTUPS["TLS record of nonsense"]:
        client.socket.shutdown(socket.SHUT_WR)
    received = b""
    try:
        while chunk := client.socket.recv(4096):
            received += chunk
    except ConnectionResetError:
        pass
    assert not received.startswith(b"R")


def test_protocol_2_is_refused(raw):
    client = raw()
    client.send(packet(struct.pack("!I", 0x20000) + b"\0" * 288))
    answer = b""
    while chunk := client.socket.recv(4096):
        answer += chunk
    # PostgreSQL words it as protocol 2 did: no length, no fields.
    assert answer.startswith(b"E") and b"FATAL" in answer
    assert b"unsupported frontend protocol 2.0: server supports 3.0 to 3." in answer


@pytest.mark.needs_howdah
def test_protocol_3_2_is_spoken(raw, target):
    client = raw()
    client.send(startup_packet(PROTOCOL_3_2, user=target.user, database=target.dbname))
    kind, body = client.read()
    assert (kind, body[:4]) == ("R", struct.pack("!I", 10))


def test_a_newer_minor_version_and_unknown_protocol_options_are_negotiated(raw, target):
    client = raw()
    client.send(startup_packet(0x30009, user=target.user, database=target.dbname, **{"_pq_.magic": "1"}))
    kind, body = client.read()
    assert kind == "v"
    newest, count = struct.unpack("!II", body[:8])
    assert newest == (PROTOCOL_3_0 if target.direct else PROTOCOL_3_2)
    assert (count, body[8:]) == (1, b"_pq_.magic\0")
    kind, body = client.read()
    assert (kind, body[:4]) == ("R", struct.pack("!I", 10))


MALFORMED_PASSWORDS = {
    "another message": message("Q", b"SELECT 1\0"),
    "empty": message("p"),
    "unknown mechanism": message("p", b"SCRAM-MD5\0" + struct.pack("!i", -1)),
    "mechanism without terminator": message("p", b"SCRAM-SHA-256"),
    "length beyond the message": message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", 999) + b"n,,n=,r=x"),
    "negative length": message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", -2) + b"n,,n=,r=x"),
    "no nonce": message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", 6) + b"n,,n=,"),
    "NUL inside": message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", 9) + b"n,,n=,r=\0"),
    "unsupported extension": message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", 13) + b"n,,m=1,n=,r=x"),
    "channel binding that was not offered": message(
        "p", b"SCRAM-SHA-256-PLUS\0" + struct.pack("!i", 30) + b"p=tls-server-end-point,,n=,r=x"),
    "2 GB": b"p" + struct.pack("!I", 0x7fffffff) + b"x" * 1000,
    "length 0": b"p" + struct.pack("!I", 0),
}


@pytest.mark.parametrize("data", MALFORMED_PASSWORDS.values(), ids=MALFORMED_PASSWORDS.keys())
def test_a_malformed_answer_to_the_password_request_is_a_protocol_violation(raw, target, still_serves, data):
    client = raw()
    client.startup(target.user, target.dbname)
    assert client.read()[0] == "R"
    client.send(data)
    try:
        while True:
            kind, body = client.read()
            # PostgreSQL treats an empty SASLInitialResponse as a question for the first challenge.
            assert kind in "ER", kind
            if kind == "E":
                fields = error_fields(body)
                assert (fields["S"], fields["C"]) in (("FATAL", "08P01"), ("FATAL", "28P01"), ("FATAL", "0A000"))
            else:
                assert struct.unpack("!I", body[:4])[0] not in (0, 12)
                break
    except (EOFError, ConnectionResetError):
        pass


def test_a_stolen_proof_does_not_open_another_session(raw, target):
    scram = Scram(target.password)
    first, second = raw(), raw()
    answers = []
    for client in (first, second):
        client.startup(target.user, target.dbname)
        client.read()
        initial = scram.initial()
        client.send(message("p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(initial)) + initial))
        answers.append(client.read()[1][4:])
    stolen = scram.response(answers[0])
    second.send(message("p", stolen))
    kind, body = second.read()
    assert kind == "E" and error_fields(body)["C"] in ("28P01", "08P01")
    first.send(message("p", stolen))
    assert first.read()[1][:4] == struct.pack("!I", 12)


MALFORMED_MESSAGES = {
    "unknown type": message("y"),
    "length 0": b"Q" + struct.pack("!I", 0),
    "length 3": b"Q" + struct.pack("!I", 3),
    "negative length": b"Q" + struct.pack("!I", 0x80000000),
    "query of 2 GB": b"Q" + struct.pack("!I", 0x7fffffff) + b"SELECT 1" * 100,
    "sync with a body of 2 GB": b"S" + struct.pack("!I", 0x7fffffff),
    "query without terminator": message("Q", b"SELECT 1"),
    "parse without terminator": message("P", b"name") + message("S"),
    "parse with too few types": message("P", b"\0SELECT 1\0" + struct.pack("!H", 9)) + message("S"),
    "bind without counts": message("B", b"\0\0") + message("S"),
    "bind to a statement without terminator": message("B", b"\0abc") + message("S"),
    "bind with a value beyond the message": message(
        "B", b"\0\0" + struct.pack("!HHi", 0, 1, 0x7fffffff)) + message("S"),
    "describe of an unknown kind": message("D", b"X\0") + message("S"),
    "describe that is empty": message("D") + message("S"),
    "close that is empty": message("C") + message("S"),
    "execute without a limit": message("E", b"\0") + message("S"),
    "copy data outside of copy": message("d", b"abc") + message("c") + message("S"),
    "password after the login": message("p", b"abc\0"),
    "half a header and the end": b"Q\0\0",
}


@pytest.mark.parametrize("data", MALFORMED_MESSAGES.values(), ids=MALFORMED_MESSAGES.keys())
def test_a_malformed_message_is_an_error_and_hurts_nobody_else(raw, target, still_serves, data):
    client = raw().log_in(target.user, target.password, target.dbname)
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)
    errors = []
    try:
        while True:
            kind, body = client.read()
            if kind == "E":
                errors.append(error_fields(body))
            assert kind in "EZ123nsDTCIt", kind
    except (EOFError, ConnectionResetError):
        pass
    for fields in errors:
        assert len(fields["C"]) == 5 and fields["M"] and fields["V"] in ("ERROR", "FATAL")


def test_a_cancel_request_with_a_wrong_key_is_ignored(raw, target, still_serves):
    victim = raw().log_in(target.user, target.password, target.dbname)
    pid, key = struct.unpack("!II", victim.key)
    for request in ((pid, key ^ 1), (pid + 1, key), (0, 0)):
        client = raw()
        client.send(packet(struct.pack("!III", CANCEL_REQUEST, *request)))
        assert client.at_end()
    assert victim.query("SELECT 1")[0] == [[b"1"]]


# --- configurations of their own ------------------------------------------------------------------

needs_howdah = pytest.mark.needs_howdah


def log_in(howdah, name, password=None, **parameters):
    """Logs in over plain TCP, asks who it is, and closes."""
    with RawClient(howdah.host, howdah.port) as client:
        client.log_in(name, PASSWORDS.get(name) if password is None else password, "appdb", **parameters)
        return client.query("SELECT current_user")[0][0][0].decode()


@needs_howdah
@pytest.mark.parametrize("name", ["md5_user", "clear_user", "tls_user", "session_user1"])
def test_servers_may_ask_for_md5_cleartext_tls_or_scram(howdah, name):
    assert log_in(howdah, name) == name


@needs_howdah
def test_users_given_by_a_verifier(make_howdah, cluster):
    verifier = scram_verifier(PASSWORDS["verifier_user"], iterations=8192)
    howdah = make_howdah(cluster, users=[{
        "username": "verifier_user", "password": verifier, "default_hostgroup": 10,
        "server_password": PASSWORDS["verifier_user"]}])
    assert log_in(howdah, "verifier_user") == "verifier_user"
    with pytest.raises(WireError) as raised:
        log_in(howdah, "verifier_user", "wrong")
    assert raised.value.sqlstate == "28P01"


@needs_howdah
def test_a_scram_verifier_alone_is_enough_where_the_server_has_the_same(make_howdah, cluster):
    verifier = cluster.primary.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'verifier_user'")[0][0]
    assert verifier.startswith("SCRAM-SHA-256$")
    howdah = make_howdah(cluster, users=[
        {"username": "verifier_user", "password": verifier, "default_hostgroup": 10}])
    assert log_in(howdah, "verifier_user") == "verifier_user"


@needs_howdah
def test_md5_towards_clients(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={"authentication_method": "md5"}, users=[user("small_user")])
    with RawClient(howdah.host, howdah.port) as client:
        client.startup("small_user", "appdb")
        kind, body = client.read()
        assert (kind, body[:4], len(body)) == ("R", struct.pack("!I", 5), 8)
    assert log_in(howdah, "small_user") == "small_user"
    with pytest.raises(WireError) as raised:
        log_in(howdah, "small_user", "wrong")
    assert (raised.value.sqlstate, raised.value.message) == (
        "28P01", 'password authentication failed for user "small_user"')


@needs_howdah
@pytest.mark.parametrize("method", ["md5", "password", "scram-sha-256"])
def test_an_md5_hash_is_enough_for_md5_and_password_but_not_for_scram(make_howdah, cluster, method):
    password = PASSWORDS["md5_user"]
    stored = "md5" + hashlib.md5(f"{password}md5_user".encode()).hexdigest()
    howdah = make_howdah(cluster, variables={"authentication_method": method}, users=[
        {"username": "md5_user", "password": stored, "server_password": password, "default_hostgroup": 10}])
    if method == "scram-sha-256":
        with pytest.raises(WireError) as raised:
            log_in(howdah, "md5_user")
        assert raised.value.sqlstate == "28P01"
    else:
        assert log_in(howdah, "md5_user") == "md5_user"
    with pytest.raises(WireError) as raised:
        log_in(howdah, "md5_user", "wrong")
    assert raised.value.sqlstate == "28P01"


@needs_howdah
def test_trust_asks_nobody_for_a_password(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={"authentication_method": "trust"}, users=[user("small_user")])
    assert log_in(howdah, "small_user", "") == "small_user"
    with pytest.raises(WireError) as raised:
        log_in(howdah, "nobody", "")
    assert raised.value.sqlstate == "28000"


@needs_howdah
def test_too_many_clients_are_told_so(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={"max_connections": 3, "threads": 2}, users=[user("small_user")])
    target = howdah.target()
    clients = [RawClient(howdah.host, howdah.port).log_in("small_user", PASSWORDS["small_user"], "appdb")
               for _ in range(3)]
    with RawClient(howdah.host, howdah.port) as fourth:
        assert refused(fourth, target.user, target.password, target.dbname) == fatal(
            "53300", "sorry, too many clients already")
    for client in clients:
        client.close()


@needs_howdah
def test_too_many_clients_of_one_user_are_told_so(make_howdah, cluster):
    howdah = make_howdah(cluster, users=[user("small_user", max_connections=2)], variables={"threads": 2})
    clients = [RawClient(howdah.host, howdah.port).log_in("small_user", PASSWORDS["small_user"], "appdb")
               for _ in range(2)]
    with RawClient(howdah.host, howdah.port) as third:
        assert refused(third, "small_user", PASSWORDS["small_user"], "appdb") == fatal(
            "53300", 'too many connections for role "small_user"')
    assert log_in(howdah, "appuser") == "appuser"
    for client in clients:
        client.close()


@needs_howdah
def test_tls_can_be_required_of_clients(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={"client_sslmode": "require"}, users=[user("small_user")])
    with RawClient(howdah.host, howdah.port) as client:
        assert refused(client, "small_user", PASSWORDS["small_user"], "appdb")[2] == "28000"
    target = howdah.target()
    for mode in ("require", "verify-full"):
        changes = {**target.verified_tls(), "sslmode": mode, "user": "small_user"}
        with psycopg.connect(**target.libpq(**changes)) as connection:
            assert connection.pgconn.ssl_in_use


@needs_howdah
def test_tls_can_be_required_of_one_user(make_howdah, cluster):
    howdah = make_howdah(cluster, users=[user("small_user", use_ssl=True)])
    with RawClient(howdah.host, howdah.port) as client:
        assert refused(client, "small_user", PASSWORDS["small_user"], "appdb")[2] == "28000"
    assert log_in(howdah, "appuser") == "appuser"


@needs_howdah
def test_tls_towards_clients_can_be_off(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={"client_sslmode": "disable"})
    with RawClient(howdah.host, howdah.port) as client:
        client.send(packet(struct.pack("!I", SSL_REQUEST)))
        assert client.read_exactly(1) == b"N"
        client.log_in("appuser", PASSWORDS["appuser"], "appdb")


@needs_howdah
@pytest.mark.parametrize("mode, encrypted", [
    ("disable", False), ("prefer", True), ("require", True), ("verify-ca", True), ("verify-full", True)])
def test_tls_towards_servers(make_howdah, cluster, mode, encrypted):
    howdah = make_howdah(cluster, variables={"server_sslmode": mode, "ssl_p2s_ca": str(cluster.authority.ca)})
    with RawClient(howdah.host, howdah.port) as client:
        client.log_in("appuser", PASSWORDS["appuser"], "appdb")
        rows, _ = client.query("BEGIN; SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid(); COMMIT")
        assert rows == [[b"t" if encrypted else b"f"]]


@needs_howdah
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_server_with_a_certificate_of_another_authority_is_not_used(make_howdah, cluster, mode):
    howdah = make_howdah(cluster, variables={
        "server_sslmode": mode, "ssl_p2s_ca": str(cluster.authority.other_ca), "connect_timeout_server_max": 1000})
    with pytest.raises((WireError, EOFError)):
        log_in(howdah, "appuser")
    howdah.wait_for_log("certificate")


def answer_to_wrong_password(client, name):
    """Sends a wrong cleartext password; the answer is still to be read."""
    client.startup(name, "appdb")
    assert client.read() == ("R", struct.pack("!I", 3))
    client.send(message("p", b"wrong\0"))


@needs_howdah
def test_the_answer_to_a_failed_login_is_held_back_and_nobody_else_waits(make_howdah, cluster):
    howdah = make_howdah(cluster, users=[user("small_user")], variables={
        "threads": 1, "failed_login_delay": 5000, "connect_timeout_client": 20000,
        "authentication_method": "password"})
    with RawClient(howdah.host, howdah.port) as guesser:
        answer_to_wrong_password(guesser, "appuser")
        howdah.wait_for_log("failed login 1 within a minute from 127.0.0.1")
        assert log_in(howdah, "small_user") == "small_user"
        assert select.select([guesser.socket], [], [], 0)[0] == [], "held back"
        kind, body = guesser.read()
        assert (kind, error_fields(body)["C"]) == ("E", "28P01")


@needs_howdah
def test_a_stop_ends_a_login_that_is_held_back(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={
        "failed_login_delay": 10000, "connect_timeout_client": 20000, "authentication_method": "password"})
    with RawClient(howdah.host, howdah.port) as guesser:
        answer_to_wrong_password(guesser, "appuser")
        howdah.wait_for_log("failed login 1 within a minute")
        howdah.signal(signal.SIGTERM)
        assert howdah.wait() == 0
        with pytest.raises((EOFError, ConnectionResetError)):
            guesser.read()


@needs_howdah
def test_failed_logins_are_counted_per_address(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={
        "failed_login_delay": 0, "authentication_method": "password"}, start=False)
    howdah.config["variables"]["interfaces"] = [f"127.0.0.1:{howdah.port}", f"[::1]:{howdah.port}"]
    howdah.start()
    for number in (1, 2, 3):
        with RawClient(howdah.host, howdah.port) as guesser:
            answer_to_wrong_password(guesser, "nobody")
            assert guesser.read()[0] == "E"
        howdah.wait_for_log(f"failed login {number} within a minute from 127.0.0.1")
    with RawClient("::1", howdah.port) as guesser:
        answer_to_wrong_password(guesser, "appuser")
        assert guesser.read()[0] == "E"
    howdah.wait_for_log("failed login 1 within a minute from ::1")
