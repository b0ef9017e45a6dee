"""Certificates of clients: asked for where accounts log in, demanded nowhere."""

import socket
import ssl

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from twisted_mail_node.node.tls import ServerTLS
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
