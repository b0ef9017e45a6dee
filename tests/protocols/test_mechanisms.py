"""Which mechanisms are offered: by portal, line and setting."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_mail_node.interfaces.credentials import IBearerToken, IScramProof, IScramVerifiers, IVerifiedCertificate
from twisted_mail_node.mail.envelope import Peer
from twisted_mail_node.mail.scram import ScramHash
from twisted_mail_node.protocols import mechanisms
from twisted_mail_node.protocols.login import Authenticator, UncountedAttempts
from twisted_mail_node.wire.sasl.mechanisms import MECHANISMS

FAR, NEAR = Peer("192.0.2.1"), Peer("127.0.0.1")
FAR_TLS, NEAR_TLS = Peer("192.0.2.1", tls=True), Peer("127.0.0.1", tls=True)
CERTIFICATE = object()


@implementer(IRealm)
class Realm:
    """Nobody gets as far as here."""


@implementer(IScramVerifiers)
class Checker:
    def __init__(self, interface, hashes=ScramHash):
        self.credentialInterfaces = (interface,)
        self.hashes = frozenset(hashes)


class Handle:
    """TLS 1.3 behind its handshake, in which the client has shown nothing."""

    def get_protocol_version_name(self):
        return "TLSv1.3"

    def get_peer_finished(self):
        return b"finished"

    def get_cipher_name(self):
        return "x"

    def get_verify_mode(self):
        return 0


@implementer(ISSLTransport)
class Transport:
    """TLS of ours, or of somebody else."""

    def __init__(self, *, ours=True):
        self._handle = Handle() if ours else object()

    def getHandle(self):  # noqa: N802
        return self._handle


PASSWORDS = InMemoryUsernamePasswordDatabaseDontUse()
PROOFS, TOKENS = Checker(IScramProof), Checker(IBearerToken)
CERTIFICATES = Checker(IVerifiedCertificate)
EVERYTHING = (PASSWORDS, PROOFS, TOKENS, CERTIFICATES)
SCRAM = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"]
UNBOUND = ["SCRAM-SHA-256", "SCRAM-SHA-1"]
BEARER = ["OAUTHBEARER", "XOAUTH2"]
PLAIN = ["PLAIN", "LOGIN"]


def offered(peer, transport=None, plaintext="loopback", checkers=EVERYTHING, setting=tuple(MECHANISMS)):
    authenticator = Authenticator(
        Portal(Realm(), checkers), UncountedAttempts(), Clock(), plaintext, mechanisms=setting
    )
    return list(authenticator.mechanisms(peer, transport))


@pytest.fixture
def certified(monkeypatch):
    """Every TLS connection has a client certificate that holds."""
    monkeypatch.setattr(mechanisms, "certificate_of", lambda transport: CERTIFICATE if transport else None)


@pytest.mark.parametrize(
    ("peer", "transport", "plaintext", "names"),
    [
        (FAR, None, "loopback", []),
        (FAR, None, "never", []),
        (FAR, None, "always", [*UNBOUND, *PLAIN]),  # a token never crosses the open
        (NEAR, None, "loopback", [*UNBOUND, *BEARER, *PLAIN]),
        (NEAR, None, "never", []),
        (FAR_TLS, Transport(), "never", [*SCRAM, *BEARER, *PLAIN]),
        (NEAR_TLS, Transport(), "loopback", [*SCRAM, *BEARER, *PLAIN]),
        # TLS that cannot be asked, such as a proxy's, is TLS; there is nothing to bind to.
        (FAR_TLS, Transport(ours=False), "loopback", [*UNBOUND, *BEARER, *PLAIN]),
    ],
)
def test_what_is_safe_on_a_line(peer, transport, plaintext, names):
    assert offered(peer, transport, plaintext) == names


def test_external_is_offered_to_who_has_a_certificate(certified):
    assert "EXTERNAL" in offered(FAR_TLS, Transport())
    assert "EXTERNAL" not in offered(FAR, None)
    assert "EXTERNAL" not in offered(FAR_TLS, Transport(), checkers=(PASSWORDS,))


@pytest.mark.parametrize(
    ("checkers", "names"),
    [
        ((), []),
        ((PASSWORDS,), PLAIN),
        ((PROOFS,), SCRAM),
        ((TOKENS,), BEARER),
        ((CERTIFICATES,), []),
        ((Checker(IScramProof, [ScramHash.SHA_256]),), ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]),
        ((Checker(IScramProof, []),), []),
        # Verifiers are needed before there is a proof to check.
        ((type("Bare", (), {"credentialInterfaces": (IScramProof,)})(),), []),
    ],
)
def test_only_what_somebody_can_check(checkers, names):
    assert offered(FAR_TLS, Transport(), checkers=checkers) == names


def test_the_setting_says_which_and_in_which_order():
    assert offered(FAR_TLS, Transport(), setting=["LOGIN", "SCRAM-SHA-256", "PLAIN"]) == [
        "LOGIN",
        "SCRAM-SHA-256",
        "PLAIN",
    ]
    assert offered(FAR_TLS, Transport(), setting=[]) == []


@pytest.mark.parametrize("name", ["ANONYMOUS", "CRAM-MD5", "DIGEST-MD5", "plain"])
def test_what_there_is_not_cannot_be_set(name):
    with pytest.raises(ValueError, match=f"there is no mechanism {name}"):
        offered(FAR_TLS, setting=["PLAIN", name])
