"""Certificates of clients: asked for where accounts log in, demanded nowhere."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreContext, X509StoreContextError
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from twisted_mail_node.node.tls import ServerTLS, load_contexts
from twisted_mail_node.testing.certificates import issue
from twisted_mail_node.testing.node import RunningNode

from .conversation import Conversation, settings, trusting, written

ALL_WITH_TLS = [
    {"service": "smtp", "tls": "starttls", "auth": "off"},
    {"service": "submission", "tls": "implicit", "auth": "required"},
    {"service": "pop3", "tls": "implicit"},
    {"service": "imap", "tls": "starttls"},
]

WORDS = {"smtp": [b"EHLO c.test\r\n", b"STARTTLS\r\n"], "imap": [b"a STARTTLS\r\n"]}


@pytest.fixture(scope="module")
def authority():
    return issue("authority.test")


@pytest.fixture
def talk(tmp_path, authority):
    issued = issue("mx.a.test")
    path = tmp_path / "clients.pem"
    path.write_bytes(authority.pem)
    tls = ServerTLS(Clock())
    tls.load(settings(written(tmp_path, "a", issued), client_authorities=path))

    def talk(certificate=None, *, version=ssl.TLSVersion.TLSv1_3, asks=True):
        context = trusting(issued)
        context.maximum_version = version
        if certificate is not None:
            files = written(tmp_path, "client", certificate)
            context.load_cert_chain(files["certificate"], files["private_key"])
        return Conversation(tls, context, "mx.a.test", asks=asks)

    return talk


def is_served(conversation):
    conversation.client.write(b"hello")
    conversation.carry()
    return conversation.server.recv(10) == b"hello"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_the_authorities_is_there_to_be_looked_at(talk, authority, version):
    mine = issue("joe@a.test", issuer=authority, extensions=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])
    conversation = talk(mine, version=version)
    assert is_served(conversation)
    assert conversation.server.get_peer_certificate().to_cryptography() == mine.certificate


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["none", "stranger", "ended", "server"])
def test_who_has_none_or_one_that_does_not_hold_is_served_as_well(talk, authority, version, kind):
    certificate = {
        "none": lambda: None,
        "stranger": lambda: issue("joe@a.test"),
        "ended": lambda: issue("joe@a.test", issuer=authority, days=-1),
        "server": lambda: issue(
            "joe@a.test", issuer=authority, extensions=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
        ),
    }[kind]()
    assert is_served(talk(certificate, version=version))


def test_the_client_is_told_which_authorities_count(talk, authority):
    names = talk(issue("joe@a.test", issuer=authority)).server.get_client_ca_list(as_cryptography=True)
    assert names == [authority.certificate.subject]


def revocations(authority, *revoked, days=1):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - timedelta(days=2))
        .next_update(now + timedelta(days=days))
    )
    for one in revoked:
        serial = one.certificate.serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(days=2)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def holds(folder, issued, authorities, lists):
    """Whether the node would believe this client, by the store of its context."""
    (folder / "clients.pem").write_bytes(b"".join(one.pem for one in authorities))
    (folder / "revoked.pem").write_bytes(lists)
    files = written(folder, "a", authorities[0])
    trusted = {"client_authorities": folder / "clients.pem"}
    if lists:
        trusted["client_revocations"] = folder / "revoked.pem"
    store = load_contexts(settings(files, **trusted)).asking.default.get_cert_store()
    try:
        X509StoreContext(store, X509.from_cryptography(issued.certificate)).verify_certificate()
    except X509StoreContextError:
        return False
    return True


def test_what_an_authority_has_revoked_counts_no_more(tmp_path, authority):
    kept, revoked = (issue(f"{name}@a.test", issuer=authority) for name in ("kept", "revoked"))
    assert holds(tmp_path, revoked, [authority], b"")
    lists = revocations(authority, revoked)
    assert not holds(tmp_path, revoked, [authority], lists)
    assert holds(tmp_path, kept, [authority], lists)
    assert not holds(tmp_path, kept, [authority], revocations(authority, days=-1)), "a list that is out of time"


def test_of_several_authorities_each_has_its_list(tmp_path, authority):
    other = issue("other-authority.test")
    mine = issue("joe@a.test", issuer=other)
    assert not holds(tmp_path, mine, [authority, other], revocations(authority))
    assert holds(tmp_path, mine, [authority, other], revocations(authority) + revocations(other))
    assert not holds(tmp_path, mine, [authority, other], revocations(authority) + revocations(other, mine))


@pytest.mark.parametrize("listen", ALL_WITH_TLS)
@pytest_twisted.ensureDeferred
async def test_listeners_ask_where_accounts_log_in(tmp_path, authority, listen):
    (tmp_path / "clients.pem").write_bytes(authority.pem)
    files = {"certificate": "cert.pem", "private_key": "key.pem"}
    places = [{**listen, "endpoint": "tcp:0:interface=127.0.0.1"}]
    settings = {"listen": places, "tls": {**files, "client_authorities": "clients.pem"}}
    running = await RunningNode.start(reactor, tmp_path, settings)
    port = running.port(listen["service"], listen["tls"])

    def authorities_asked_for():
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            if listen["tls"] == "starttls":
                for words in WORDS[listen["service"]]:
                    plain.recv(1000)
                    plain.sendall(words)
                plain.recv(1000)
            client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), plain)
            client.set_connect_state()
            client.setblocking(True)
            client.do_handshake()
            return client.get_client_ca_list(as_cryptography=True)

    asked = await deferToThread(authorities_asked_for)
    assert asked == ([] if listen.get("auth") == "off" else [authority.certificate.subject])
    await running.stop()


def test_where_nobody_logs_in_nobody_is_asked(talk, authority):
    conversation = talk(issue("joe@a.test", issuer=authority), asks=False)
    assert is_served(conversation)
    assert conversation.server.get_peer_certificate() is None
    assert not conversation.server.get_verify_mode()
