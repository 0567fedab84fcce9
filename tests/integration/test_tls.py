"""TLS towards clients: certificates of clients, revocation, versions, and files that change."""
import shutil
import socket
import ssl
import struct

import psycopg
import pytest
from howdah_test.wire import SSL_REQUEST, packet

pytestmark = pytest.mark.needs_howdah


def handshake(howdah, context, session=None):
    """Asks for TLS; the secured socket."""
    plain = socket.create_connection((howdah.host, howdah.port), 20)
    plain.sendall(packet(struct.pack("!I", SSL_REQUEST)))
    assert plain.recv(1) == b"S"
    return context.wrap_socket(plain, server_hostname="localhost", session=session)


def shown_certificate(howdah):
    with handshake(howdah, ssl._create_unverified_context()) as secured:
        return secured.getpeercert(binary_form=True)


def connect(howdah, certificate=None, **changes):
    if certificate:
        changes |= {"sslcert": str(certificate[0]), "sslkey": str(certificate[1])}
    return psycopg.connect(**howdah.target().libpq(**{**howdah.target().verified_tls(), **changes}))


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_certificates_can_be_required_of_all_clients(make_howdah, cluster, authority, mode):
    howdah = make_howdah(cluster, variables={"client_sslmode": mode, "ssl_ca": str(authority.ca)})
    with connect(howdah, authority.client("appuser")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="requires a valid client certificate"):
        connect(howdah, sslcert="/nonexistent")
    with pytest.raises(psycopg.OperationalError, match="Howdah demands TLS"):
        connect(howdah, sslmode="disable")
    other = authority.client("somebody_else")
    if mode == "verify-ca":
        connect(howdah, other).close()
    else:
        with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
            connect(howdah, other)


def test_a_revoked_certificate_is_refused_from_the_reload_on(make_howdah, cluster, authority, os_user):
    good, bad = authority.client("appuser", "good"), authority.client("appuser", "bad")
    howdah = make_howdah(cluster, variables={"client_sslmode": "verify-ca", "ssl_ca": str(authority.ca)})
    connect(howdah, bad).close()
    crl = howdah.folder / "clients.crl"
    shutil.copyfile(authority.revoked(bad[0]), crl)
    os_user.own(crl)
    howdah.config["variables"]["ssl_crl"] = str(crl)
    howdah.reload()
    howdah.wait_for_log("reload: ssl_crl: ")
    connect(howdah, good).close()
    with pytest.raises(psycopg.OperationalError):
        connect(howdah, bad)
    howdah.wait_for_log("client .*: TLS handshake failed: certificate revoked")


def test_the_oldest_version_of_tls_can_be_raised(make_howdah, cluster):
    howdah = make_howdah(cluster, variables={"ssl_min_protocol_version": "TLSv1.3"})
    old, new = ssl._create_unverified_context(), ssl._create_unverified_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, OSError)):
        handshake(howdah, old)
    with handshake(howdah, new) as secured:
        assert secured.version() == "TLSv1.3"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_not_resumed(howdah, version):
    context = ssl._create_unverified_context()
    context.minimum_version = context.maximum_version = version
    with handshake(howdah, context) as first:
        session = first.session
        assert session is None or not session.has_ticket
    with handshake(howdah, context, session) as second:
        assert not second.session_reused


def test_a_reload_shows_new_clients_a_new_certificate_and_keeps_the_old_clients(
        make_howdah, cluster, authority, os_user):
    howdah = make_howdah(cluster, start=False)
    cert, key = howdah.folder / "shown.crt", howdah.folder / "shown.key"

    def install(new_cert, new_key):
        for source, to in ((new_cert, cert), (new_key, key)):
            shutil.copyfile(source, to)
            to.chmod(0o600)
            os_user.own(to)

    install(authority.cert, authority.key)
    howdah.config["variables"] |= {"ssl_cert": str(cert), "ssl_key": str(key)}
    howdah.start()
    old = shown_certificate(howdah)
    with connect(howdah) as kept:
        kept.execute("SET application_name = 'before'")
        renewed = authority.server("renewed", os_user)
        install(renewed[0], authority.key)
        howdah.reload()
        howdah.wait_for_log("reload refused: .*shown.* the running configuration stays")
        assert shown_certificate(howdah) == old

        install(*renewed)
        howdah.reload()
        howdah.wait_for_log("reload: new clients are shown another certificate")
        assert shown_certificate(howdah) == ssl.PEM_cert_to_DER_cert(renewed[0].read_text())
        assert kept.execute("SHOW application_name").fetchone() == ("before",)
    connect(howdah).close()
