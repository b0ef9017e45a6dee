"""The checker of SCRAM proofs."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import fail, succeed
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.scram import ScramChecker
from twisted_mail_node.interfaces.credentials import IScramProof, IScramVerifiers
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.scram import ScramHash, ScramVerifier

VERIFIER = ScramVerifier.from_password("secret", ScramHash.SHA_256, b"salt", 1)


@implementer(IScramVerifiers)
class Verifiers:
    hashes = frozenset({ScramHash.SHA_256})
    iterations = 4096

    def __init__(self):
        self.kept = {("joe@x", ScramHash.SHA_256): VERIFIER}

    def verifier(self, name, hash):
        found = self.kept.get((name, hash))
        return fail(found) if isinstance(found, Exception) else succeed(found)


@implementer(IScramProof)
class Proof:
    """Proves what it is made with."""

    def __init__(self, username, verifier, hash=ScramHash.SHA_256):
        self.username, self.hash = username, hash
        self._verifier = verifier

    def is_proven_by(self, verifier):
        return verifier is not None and verifier == self._verifier


@pytest.fixture
def verifiers():
    return Verifiers()


@pytest.fixture
def checker(verifiers):
    return ScramChecker(verifiers)


def test_it_is_a_checker_and_keeps_verifiers(checker, verifiers, result_of):
    verifyObject(ICredentialsChecker, checker)
    verifyObject(IScramVerifiers, checker)
    assert (checker.hashes, checker.iterations) == (verifiers.hashes, 4096)
    assert result_of(checker.verifier("joe@x", ScramHash.SHA_256)) is VERIFIER


def test_right_proof_gives_the_name(checker, result_of):
    assert result_of(checker.requestAvatarId(Proof("joe@x", VERIFIER))) == b"joe@x"


@pytest.mark.parametrize(
    "proof",
    [
        Proof("joe@x", ScramVerifier.from_password("wrong", ScramHash.SHA_256, b"salt", 1)),
        Proof("joe@x", VERIFIER, ScramHash.SHA_1),
        Proof("ann@x", VERIFIER),
    ],
    ids=["wrong", "another hash", "no such user"],
)
def test_wrong_proof_is_refused(checker, proof, result_of):
    with pytest.raises(UnauthorizedLogin):
        result_of(checker.requestAvatarId(proof))


def test_password_that_was_changed_meanwhile_is_refused(checker, verifiers, result_of):
    proof = Proof("joe@x", result_of(checker.verifier("joe@x", ScramHash.SHA_256)))
    verifiers.kept["joe@x", ScramHash.SHA_256] = ScramVerifier.from_password("new", ScramHash.SHA_256, b"salt", 1)
    with pytest.raises(UnauthorizedLogin):
        result_of(checker.requestAvatarId(proof))


def test_verifiers_that_cannot_be_had_decide_nothing(checker, verifiers, result_of):
    verifiers.kept["joe@x", ScramHash.SHA_256] = TemporaryFailure("down")
    with pytest.raises(TemporaryFailure):
        result_of(checker.requestAvatarId(Proof("joe@x", VERIFIER)))
