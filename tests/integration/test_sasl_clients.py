"""Python's own clients log in by every mechanism, over real TLS. SCRAM's messages are scramp's."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import ssl
from base64 import b64decode, b64encode

import pytest
import pytest_twisted
from imapclient import IMAPClient
from imapclient.exceptions import LoginError
from scramp import ScramClient
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node.testing.node import RunningNode

from .identities import PASSWORD, TOKEN, USER, Identities

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SECONDS = 20


@pytest_twisted.async_yield_fixture
async def identities(tmp_path):
    running = await Identities.start(reactor, tmp_path)
    yield running
    await running.stop()


class Imap:
    def __init__(self, identities, tls, context):
        port = identities.port("imap", tls)
        if tls == "implicit":
            self.client = imaplib.IMAP4_SSL("localhost", port, ssl_context=context, timeout=SECONDS)
        else:
            self.client = imaplib.IMAP4("localhost", port, timeout=SECONDS)
            self.client.starttls(context)
        self.mechanisms = {word[5:] for word in self.client.capabilities if word.startswith("AUTH=")}

    @property
    def socket(self):
        return self.client.socket()

    def authenticate(self, mechanism, answers):
        try:
            self.client.authenticate(mechanism, lambda challenge: next(answers)(challenge))
        except imaplib.IMAP4.error:
            return False
        return self.client.select()[0] == "OK"

    def close(self):
        self.client.logout()


class Smtp:
    def __init__(self, identities, tls, context):
        port = identities.port("submission", tls)
        if tls == "implicit":
            self.client = smtplib.SMTP_SSL("localhost", port, context=context, timeout=SECONDS)
        else:
            self.client = smtplib.SMTP("localhost", port, timeout=SECONDS)
            self.client.starttls(context=context)
        self.client.ehlo()
        self.mechanisms = set(self.client.esmtp_features["auth"].split())

    @property
    def socket(self):
        return self.client.sock

    def authenticate(self, mechanism, answers):
        code, challenge = self.client.docmd("AUTH", mechanism)
        while code == 334:
            code, challenge = self.client.docmd(b64encode(next(answers)(b64decode(challenge))).decode())
        return code == 235 and self.client.mail(USER)[0] == 250

    def close(self):
        self.client.quit()


class Pop3:
    def __init__(self, identities, tls, context):
        port = identities.port("pop3", tls)
        if tls == "implicit":
            self.client = poplib.POP3_SSL("localhost", port, context=context, timeout=SECONDS)
        else:
            self.client = poplib.POP3("localhost", port, timeout=SECONDS)
            self.client.stls(context)
        self.mechanisms = set(self.client.capa()["SASL"])

    @property
    def socket(self):
        return self.client.sock

    def authenticate(self, mechanism, answers):
        said = self._said(f"AUTH {mechanism}".encode())
        while said.startswith(b"+ "):
            said = self._said(b64encode(next(answers)(b64decode(said[2:]))))
        return said.startswith(b"+OK") and self.client.stat() == (0, 0)

    def _said(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.client.file.readline().rstrip(b"\r\n")

    def close(self):
        self.client.quit()


CLIENTS = [Imap, Smtp, Pop3]
WAYS = [("implicit", TLS_1_3), ("implicit", TLS_1_2), ("starttls", TLS_1_3)]


def scram(client, mechanism, password=PASSWORD):
    """What a SCRAM client answers, challenge by challenge."""
    binding = ("tls-server-end-point", client.socket) if mechanism.endswith("-PLUS") else None
    messages = ScramClient([mechanism], USER, password, channel_binding=binding)
    yield lambda challenge: messages.get_client_first().encode()
    yield lambda challenge: messages.set_server_first(challenge.decode()) or messages.get_client_final().encode()
    yield lambda challenge: messages.set_server_final(challenge.decode()) or b""


def spoken(message):
    """One message, then whatever ends the exchange."""
    yield lambda challenge: message
    yield lambda challenge: b"\1"


@pytest.mark.parametrize(("tls", "version"), WAYS, ids=lambda part: getattr(part, "name", part))
@pytest.mark.parametrize("protocol", CLIENTS)
@pytest_twisted.ensureDeferred
async def test_scram_bound_to_the_channel_and_not(identities, protocol, tls, version):
    def talk():
        context = identities.context(highest=version)
        for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"):
            client = protocol(identities, tls, context)
            assert client.mechanisms >= {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "PLAIN"}
            assert "EXTERNAL" not in client.mechanisms
            assert not client.authenticate(mechanism, scram(client, mechanism, "wrong"))
            assert client.authenticate(mechanism, scram(client, mechanism))
            client.close()

    await deferToThread(talk)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("protocol", CLIENTS)
@pytest_twisted.ensureDeferred
async def test_external_by_a_certificate(identities, protocol, tls):
    def talk():
        client = protocol(identities, tls, identities.context(certificate=identities.client_certificate()))
        assert "EXTERNAL" in client.mechanisms
        assert not client.authenticate("EXTERNAL", spoken(b"ann@example.test"))
        assert client.authenticate("EXTERNAL", spoken(b""))
        client.close()

    await deferToThread(talk)


@pytest.mark.parametrize("protocol", CLIENTS)
@pytest_twisted.ensureDeferred
async def test_certificate_of_an_authority_that_is_not_known_is_none(identities, protocol):
    def talk():
        certificate = identities.client_certificate(by_nobody=True)
        client = protocol(identities, "implicit", identities.context(certificate=certificate))
        assert "EXTERNAL" not in client.mechanisms
        assert not client.authenticate("EXTERNAL", spoken(b""))
        assert client.authenticate("PLAIN", spoken(f"\0{USER}\0{PASSWORD}".encode()))
        client.close()

    await deferToThread(talk)


@pytest.mark.parametrize("protocol", CLIENTS)
@pytest_twisted.ensureDeferred
async def test_tokens(identities, protocol):
    def talk():
        client = protocol(identities, "starttls", identities.context())
        xoauth2, oauthbearer = (f"user={USER}\1auth=Bearer %s\1\1", f"n,a={USER},\1auth=Bearer %s\1\1")
        assert not client.authenticate("XOAUTH2", spoken((xoauth2 % "stolen").encode()))
        assert not client.authenticate("OAUTHBEARER", spoken((oauthbearer % "stolen").encode()))
        assert client.authenticate("XOAUTH2", spoken((xoauth2 % TOKEN).encode()))
        client.close()

    await deferToThread(talk)


@pytest_twisted.ensureDeferred
async def test_imapclient_with_its_own_oauth(identities):
    def talk():
        def connected():
            port = identities.port("imap", "implicit")
            return IMAPClient("localhost", port, ssl_context=identities.context(), timeout=SECONDS)

        for login in (IMAPClient.oauth2_login, IMAPClient.oauthbearer_login):
            with connected() as client:
                login(client, USER, TOKEN)
                assert client.select_folder("INBOX")[b"EXISTS"] == 0
            with connected() as client, pytest.raises(LoginError):
                login(client, USER, "stolen")

    await deferToThread(talk)


@pytest_twisted.async_yield_fixture
async def own_verifiers(tmp_path):
    """A node that keeps verifiers of its users' passwords."""
    settings = {"auth": {"hash_memory": "8 KiB", "hash_passes": 1, "scram": ["sha-256"], "scram_iterations": 4096}}
    node = await RunningNode.start(reactor, tmp_path, settings)
    await node.add_user(USER, PASSWORD)
    yield node
    await node.stop()


@pytest_twisted.ensureDeferred
async def test_verifiers_that_the_node_keeps_itself(own_verifiers, tmp_path):
    def logs_in(mechanism, password):
        client = Imap(own_verifiers, "implicit", ssl.create_default_context(cafile=str(tmp_path / "cert.pem")))
        assert client.mechanisms == {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"}
        succeeded = client.authenticate(mechanism, scram(client, mechanism, password))
        client.close()
        return succeeded

    for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"):
        assert await deferToThread(logs_in, mechanism, PASSWORD)
    assert not await deferToThread(logs_in, "SCRAM-SHA-256", "wrong")
    await own_verifiers.node.operations.perform("user.passwd", {"name": USER, "password": "a new one"})
    assert not await deferToThread(logs_in, "SCRAM-SHA-256-PLUS", PASSWORD)
    assert await deferToThread(logs_in, "SCRAM-SHA-256-PLUS", "a new one")
