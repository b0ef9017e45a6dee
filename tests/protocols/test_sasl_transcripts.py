"""The dialogues of tests/transcripts/sasl: each mechanism in each protocol, whole and in pieces."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_mail_node.auth.certificates import CertificateChecker
from twisted_mail_node.auth.portal import MailRealm
from twisted_mail_node.auth.scram import ScramChecker
from twisted_mail_node.auth.tokens import TokenChecker
from twisted_mail_node.interfaces.credentials import IScramVerifiers, ITokens
from twisted_mail_node.mail.certificate import ClientCertificate
from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.mail.scram import ScramHash, ScramVerifier
from twisted_mail_node.policy import OpenPolicy
from twisted_mail_node.protocols import mechanisms, sasl
from twisted_mail_node.protocols.imap import IMAPFactory, IMAPSettings
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.protocols.smtp import SMTPFactory, SMTPSettings
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.testing.deferreds import result_of
from twisted_mail_node.testing.transcripts import needs_of, run_transcript
from twisted_mail_node.wire.sasl.mechanisms import MECHANISMS

PATHS = sorted((Path(__file__).parents[1] / "transcripts" / "sasl").glob("*.txt"))
USER = "user@example.com"
HOST = "mx.example.com"
SALTS = {ScramHash.SHA_1: "QSXCR+Q6sek8bf92", ScramHash.SHA_256: "W22ZaJ0SNY7soEsUEjb6gQ=="}
VERIFIERS = {hash: ScramVerifier.from_password("pencil", hash, b64decode(salt), 4096) for hash, salt in SALTS.items()}
TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


@implementer(IScramVerifiers)
class Verifiers:
    hashes = frozenset(ScramHash)
    iterations = 4096

    def verifier(self, name, hash):
        return succeed(VERIFIERS[hash] if name == USER else None)


@implementer(ITokens)
class Tokens:
    def account_of(self, token):
        return succeed(USER) if token == TOKEN else fail(UnauthorizedLogin("forged"))


class Server:
    """What a transcript connects to: one protocol, with the user of the standards' examples."""

    def __init__(self, protocol, *, tls=False, hello=False, nonce=b"nonce"):
        self.clock = Clock()
        self.tls, self.hello = tls, hello
        store = MemoryStore(self.clock)
        result_of(store.start())
        result_of(store.add_user(USER, "hash"))
        checkers = [
            ScramChecker(Verifiers()),
            TokenChecker(Tokens(), "mail", "https://issuer.example.com/"),
            CertificateChecker(store),
        ]
        authenticator = Authenticator(
            Portal(MailRealm(store, store), checkers),
            UncountedAttempts(),
            self.clock,
            default_domain="example.com",
            mechanisms=tuple(MECHANISMS),
            new_nonce=lambda: nonce,
        )
        match protocol:
            case "smtp":
                settings = SMTPSettings(hostname=HOST, service=Service.SUBMISSION, auth="required")
                self.factory = SMTPFactory(OpenPolicy(), None, settings, self.clock, authenticator)
            case "imap":
                self.factory = IMAPFactory(store, IMAPSettings(hostname=HOST), self.clock, authenticator)
            case "pop3":
                self.factory = POP3Factory(store, POP3Settings(hostname=HOST), self.clock, authenticator)

    def __call__(self, name):
        connection = MemoryConnection(self.factory.buildProtocol(None), MemoryTransport(tls=self.tls))
        if self.hello:
            assert b"AUTH " in connection.say(b"EHLO client.example.com\r\n")
        return connection

    def advance(self, seconds):
        self.clock.advance(seconds)


@pytest.fixture
def tls(monkeypatch):
    """What TLS vouches for, where a transcript has it."""

    def vouch(certificate):
        monkeypatch.setattr(mechanisms, "can_bind", lambda transport: True)
        monkeypatch.setattr(sasl, "bindings_of", lambda transport: {"tls-exporter": bytes(range(32))})
        monkeypatch.setattr(mechanisms, "certificate_of", lambda transport: certificate)
        monkeypatch.setattr(sasl, "certificate_of", lambda transport: certificate)

    return vouch


@pytest.mark.parametrize("piece", [1, 7, 1_000_000])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_transcript(path, piece, tls):
    given, certificate = {}, None
    for need in needs_of(path):
        match need.split():
            case ["tls"] | ["hello"]:
                given[need] = True
            case ["nonce", nonce]:
                given["nonce"] = nonce.encode()
            case ["a", "certificate"]:
                certificate = ClientCertificate(addresses=(USER,))
            case _:
                raise AssertionError(f"nobody knows how to give {need!r}")
    if "tls" in given:
        tls(certificate)
    run_transcript(path, Server(path.stem.partition("_")[0], **given), piece)
