"""SCRAM verifiers in the directory: made of what is shown, gone with it."""

from __future__ import annotations

import pytest
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.directory import DirectoryPasswords
from twisted_mail_node.auth.passwords import Cost, Passwords
from twisted_mail_node.auth.verifiers import Verifiers
from twisted_mail_node.interfaces.credentials import IScramVerifiers
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.scram import LEAST_ITERATIONS, SALT_OCTETS, ScramHash, ScramVerifier

JOE = "joe@x"


class Keeping:
    """Keeps verifiers as a directory does."""

    def __init__(self, directory):
        self.directory, self.by_name, self.asked = directory, {}, 0

    def verifiers(self, name):
        self.asked += 1
        return succeed(self.by_name.get(name, ()))

    def keep_verifiers(self, name, password_hash, verifiers):
        if self.directory.hashes.get(name) != password_hash:
            return succeed(False)
        self.by_name[name] = tuple(verifiers)
        self.directory.version += 1
        return succeed(True)


@pytest.fixture
def keeping(directory):
    return Keeping(directory)


@pytest.fixture
def passwords(inline):
    return Passwords(inline, Clock(), Cost(memory_kib=8, passes=1))


@pytest.fixture
def verifiers(directory, keeping, inline):
    return Verifiers(directory, keeping, inline, [ScramHash.SHA_256], LEAST_ITERATIONS)


@pytest.fixture
def source(directory, passwords, verifiers, result_of):
    directory.set_password_hash(JOE, result_of(passwords.hash("secret")))
    return DirectoryPasswords(directory, passwords, verifiers)


def is_of(verifier, password):
    return verifier == ScramVerifier.from_password(password, verifier.hash, verifier.salt, verifier.iterations)


def test_it_is_what_an_exchange_asks(verifiers):
    assert verifyObject(IScramVerifiers, verifiers)
    assert (verifiers.hashes, verifiers.iterations) == (frozenset([ScramHash.SHA_256]), LEAST_ITERATIONS)


def test_a_login_that_shows_the_password_leaves_a_verifier(source, verifiers, result_of):
    assert result_of(verifiers.verifier(JOE, ScramHash.SHA_256)) is None
    assert result_of(source.check(JOE, "secret"))
    verifier = result_of(verifiers.verifier(JOE, ScramHash.SHA_256))
    assert is_of(verifier, "secret")
    assert (verifier.iterations, len(verifier.salt)) == (LEAST_ITERATIONS, SALT_OCTETS)
    assert result_of(verifiers.verifier(JOE, ScramHash.SHA_1)) is None


def test_a_wrong_password_leaves_none(source, keeping, result_of):
    assert result_of(source.check(JOE, "wrong")) is False
    assert keeping.by_name == {}


def test_a_client_that_polls_makes_one_verifier_and_few_questions(source, keeping, inline, result_of):
    for _ in range(10):
        result_of(source.check(JOE, "secret"))
    # One hash was computed for the directory, one verified, one verifier made.
    assert inline.done == 3
    assert keeping.asked == 2


@pytest.mark.parametrize(
    ("hashes", "iterations"),
    [([ScramHash.SHA_256], LEAST_ITERATIONS + 1), ([ScramHash.SHA_1, ScramHash.SHA_256], LEAST_ITERATIONS)],
)
def test_verifiers_made_under_other_settings_are_made_anew(
    hashes, iterations, source, directory, keeping, passwords, inline, result_of
):
    result_of(source.check(JOE, "secret"))
    now = Verifiers(directory, keeping, inline, hashes, iterations)
    assert result_of(DirectoryPasswords(directory, passwords, now).check(JOE, "secret"))
    assert [(verifier.hash, verifier.iterations) for verifier in keeping.by_name[JOE]] == [
        (hash, iterations) for hash in hashes
    ]


def test_a_verifier_of_a_password_that_was_changed_meanwhile_is_not_kept(
    directory, keeping, manual, verifiers, result_of
):
    directory.set_password_hash(JOE, "old hash")
    slow = Verifiers(directory, keeping, manual, [ScramHash.SHA_256], LEAST_ITERATIONS)
    made = slow.make(JOE, "secret", "old hash")
    directory.set_password_hash(JOE, "new hash")
    manual.work_all()
    result_of(made)
    assert keeping.by_name == {}


def test_while_one_is_made_no_second_is_begun(directory, keeping, manual):
    directory.set_password_hash(JOE, "hash")
    slow = Verifiers(directory, keeping, manual, [ScramHash.SHA_256], LEAST_ITERATIONS)
    for _ in range(3):
        slow.complete(JOE, "secret", "hash")
    assert len(manual.waiting) == 1
    manual.work_all()
    assert len(keeping.by_name[JOE]) == 1


def test_a_password_that_saslprep_prohibits_has_none(source, directory, passwords, keeping, result_of):
    directory.set_password_hash(JOE, result_of(passwords.hash("\u0007bell")))
    with capturedLogs() as events:
        assert result_of(source.check(JOE, "\u0007bell"))
    assert keeping.by_name == {}
    assert "is prohibited" in events[0]["reason"]


def test_a_verifier_that_cannot_be_made_does_not_hurt_the_login(source, keeping, result_of):
    keeping.keep_verifiers = lambda *_: fail(TemporaryFailure("disk full"))
    with capturedLogs() as events:
        assert result_of(source.check(JOE, "secret"))
    assert [event["reason"] for event in events] == ["disk full"]
