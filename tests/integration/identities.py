"""A node whose user may come in by every mechanism: password, SCRAM, token, client certificate."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from secrets import token_bytes

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import fail, succeed
from zope.interface import implementer

from twisted_mail_node.auth.certificates import CertificateChecker
from twisted_mail_node.auth.scram import ScramChecker
from twisted_mail_node.auth.tokens import TokenChecker
from twisted_mail_node.interfaces.credentials import IScramVerifiers, ITokens
from twisted_mail_node.mail.scram import SALT_OCTETS, ScramHash, ScramVerifier
from twisted_mail_node.node.doors import Storage
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.certificates import Issued, issue
from twisted_mail_node.testing.node import RunningNode

USER = "joe@example.test"
PASSWORD = "correct horse battery"
TOKEN = "ya29.joes-token"
MECHANISMS = (
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "EXTERNAL", "OAUTHBEARER", "XOAUTH2",
    "PLAIN", "LOGIN",
)  # fmt: skip


@implementer(IScramVerifiers)
class Verifiers:
    hashes = frozenset(ScramHash)
    iterations = 4096

    def __init__(self):
        self.kept = {
            (USER, hash): ScramVerifier.from_password(PASSWORD, hash, token_bytes(SALT_OCTETS), 4096)
            for hash in ScramHash
        }

    def verifier(self, name, hash):
        return succeed(self.kept.get((name, hash)))


@implementer(ITokens)
class Tokens:
    def account_of(self, token):
        return succeed(USER) if token == TOKEN else fail(UnauthorizedLogin("unknown token"))


class Identities:
    """The node, what its clients trust, and certificates that prove who they are."""

    def __init__(self, node, folder, authority):
        self.node = node
        self.folder = folder
        self.server_certificate = folder / "cert.pem"
        self._authority = authority

    @classmethod
    async def start(cls, reactor, folder):
        authority = issue("clients.example.test")
        (folder / "clients.pem").write_bytes(authority.pem)
        store = MemoryStore(reactor)
        checkers = [
            InMemoryUsernamePasswordDatabaseDontUse(**{USER: PASSWORD.encode()}),
            ScramChecker(Verifiers()),
            TokenChecker(Tokens(), "mail"),
            CertificateChecker(store),
        ]
        tls = {"certificate": "cert.pem", "private_key": "key.pem", "client_authorities": "clients.pem"}
        settings = {"tls": tls, "auth": {"mechanisms": list(MECHANISMS)}}
        node = await RunningNode.start(reactor, folder, settings, storage=Storage(store), checkers=checkers)
        await node.add_user(USER)
        return cls(node, folder, authority)

    async def stop(self):
        await self.node.stop()

    def port(self, service, tls):
        return self.node.port(service, tls)

    def client_certificate(self, address=USER, *, by_nobody=False):
        """A client's certificate with this address and its key: the paths of both."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = issue("nobody.test") if by_nobody else self._authority
        certificate, private = self.folder / "client.pem", self.folder / "client.key"
        issued = Issued(_signed(key, address, issuer), key)
        certificate.write_bytes(issued.pem)
        private.write_bytes(issued.key_pem)
        private.chmod(0o600)
        return certificate, private

    def context(self, *, highest=ssl.TLSVersion.TLSv1_3, certificate=None):
        """What a client of Python's trusts, and shows."""
        context = ssl.create_default_context(cafile=str(self.server_certificate))
        context.maximum_version = highest
        if certificate is not None:
            context.load_cert_chain(*map(str, certificate))
        return context


def _signed(key, address, issuer):
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "joe")]))
    builder = builder.issuer_name(issuer.certificate.subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.RFC822Name(address)])
    return builder.add_extension(names, critical=False).sign(issuer.key, hashes.SHA256())
