"""Credentials as checkers see them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from twisted.cred.credentials import ICredentials
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.credentials import IBearerToken, IScramProof, IVerifiedCertificate
from twisted_mail_node.mail.certificate import ClientCertificate
from twisted_mail_node.mail.scram import ScramHash, ScramVerifier
from twisted_mail_node.protocols.credentials import BearerToken, ScramProof, VerifiedCertificate

VERIFIER = ScramVerifier.from_password("secret", ScramHash.SHA_256, b"salt", 1)


def proof(**changed):
    """The proof of somebody who has the password, for the message `m`."""
    salted = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1)
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(key).digest(), b"m", "sha256")
    made = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    given = {"username": "joe", "hash": ScramHash.SHA_256, "auth_message": b"m", "proof": made}
    return ScramProof(**(given | changed))


@pytest.mark.parametrize(
    ("interface", "credentials"),
    [
        (IScramProof, proof()),
        (IBearerToken, BearerToken("joe", "token")),
        (IVerifiedCertificate, VerifiedCertificate("joe", ClientCertificate())),
    ],
)
def test_they_are_credentials_of_twisted_cred(interface, credentials):
    verifyObject(interface, credentials)
    verifyObject(ICredentials, credentials)


def test_right_proof_is_one():
    assert proof().is_proven_by(VERIFIER)


def test_nothing_else_is():
    assert not proof().is_proven_by(None)
    assert not proof(flaw="another nonce").is_proven_by(VERIFIER)
    assert not proof(auth_message=b"n").is_proven_by(VERIFIER)
    other = ScramVerifier.from_password("secret", ScramHash.SHA_1, b"salt", 1)
    assert not proof().is_proven_by(other)
    assert not proof(hash=ScramHash.SHA_1).is_proven_by(VERIFIER)


def test_secrets_are_not_in_the_repr():
    assert "token" not in repr(BearerToken("joe", "ya29")).replace("Token", "")
    assert "b'" not in repr(proof())
