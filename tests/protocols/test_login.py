"""Logging in: plaintext rule, names, failures, delays."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_mail_node.interfaces.auth import IAttempts, ILogin
from twisted_mail_node.mail.envelope import Peer
from twisted_mail_node.mail.errors import NoSuchAccount, TemporaryFailure
from twisted_mail_node.protocols.login import Authenticator, LoginRefused, account_name

PEER = Peer("192.0.2.1")


@implementer(ILogin)
class Avatar:
    def __init__(self, name):
        self.name = name


@implementer(IRealm)
class Realm:
    def __init__(self, error=None):
        self.error = error

    def requestAvatar(self, avatarId, mind, *interfaces):  # noqa: N803
        assert interfaces == (ILogin,)
        if self.error is not None:
            raise self.error
        return succeed((ILogin, Avatar(avatarId.decode()), lambda: None))


@implementer(IAttempts)
class Attempts:
    def __init__(self, delay=0.0):
        self.delay, self.seen = delay, []

    def delay_before(self, host, name):
        return self.delay

    def failed(self, host, name):
        self.seen.append(("failed", host, name))

    def succeeded(self, host, name):
        self.seen.append(("succeeded", host, name))


class Checker:
    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer):
        self.answer = answer

    def requestAvatarId(self, credentials):
        return self.answer


def authenticator(attempts=None, clock=None, plaintext="loopback", checker=None, realm=None):
    users = InMemoryUsernamePasswordDatabaseDontUse(**{"joe@example.test": b"secret"})
    portal = Portal(realm or Realm(), [checker or users])
    return Authenticator(portal, attempts or Attempts(), clock or Clock(), plaintext, "example.test")


def result(deferred):
    seen = []
    deferred.addBoth(seen.append)
    assert seen, "no result yet"
    return seen[0]


@pytest.mark.parametrize("name", ["joe@example.test", "joe", "JOE", " Joe@Example.TEST "])
def test_name_leads_to_the_account(name):
    attempts = Attempts()
    login = result(authenticator(attempts).login(PEER, name, "secret"))
    assert login.name == "joe@example.test"
    assert attempts.seen == [("succeeded", "192.0.2.1", "joe@example.test")]


@pytest.mark.parametrize(("name", "password"), [("joe", "wrong"), ("ann", "secret"), ("joe", "")])
def test_wrong_password_and_unknown_name_are_refused_alike(name, password):
    attempts = Attempts()
    failure = result(authenticator(attempts).login(PEER, name, password))
    assert failure.check(LoginRefused)
    assert failure.value.text == "user name or password is wrong"
    assert str(failure.value.status) == "5.7.8"
    assert attempts.seen == [("failed", "192.0.2.1", f"{name}@example.test")]


def test_account_that_went_meanwhile_is_refused():
    failure = result(authenticator(realm=Realm(NoSuchAccount("gone"))).login(PEER, "joe", "secret"))
    assert failure.check(LoginRefused)


def test_failing_checker_is_temporary_and_counts_as_nothing():
    attempts = Attempts()
    checker = Checker(fail(TemporaryFailure("disk /dev/sda is full")))
    failure = result(authenticator(attempts, checker=checker).login(PEER, "joe", "secret"))
    assert failure.check(TemporaryFailure)
    assert "disk" not in failure.value.text
    assert str(failure.value.status) == "4.7.0"
    assert attempts.seen == []


def test_broken_checker_is_temporary_and_logged(logged_failures):
    failure = result(authenticator(checker=Checker(fail(KeyError("x")))).login(PEER, "joe", "secret"))
    assert failure.check(TemporaryFailure)
    assert logged_failures.pop().check(KeyError)


def test_portal_without_a_checker_is_temporary_and_logged(logged_failures):
    failure = result(Authenticator(Portal(Realm()), Attempts(), Clock()).login(PEER, "joe", "secret"))
    assert failure.check(TemporaryFailure)
    assert logged_failures.pop()


def test_address_that_failed_before_waits_first():
    clock, attempts = Clock(), Attempts(4.0)
    login = authenticator(attempts, clock).login(PEER, "joe", "secret")
    clock.advance(3.9)
    assert not login.called
    clock.advance(0.1)
    assert result(login).name == "joe@example.test"


def test_address_that_would_wait_too_long_is_sent_away():
    failure = result(authenticator(Attempts(31.0)).login(PEER, "joe", "secret"))
    assert failure.check(TemporaryFailure)
    assert failure.value.text == "too many failed logins, try again later"


def test_cancelling_ends_the_wait():
    clock, attempts = Clock(), Attempts(4.0)
    login = authenticator(attempts, clock).login(PEER, "joe", "secret")
    login.cancel()
    assert result(login).check(CancelledError)
    assert clock.getDelayedCalls() == []
    assert attempts.seen == []


def test_cancelling_ends_the_check():
    attempts = Attempts()
    login = authenticator(attempts, checker=Checker(Deferred())).login(PEER, "joe", "secret")
    login.cancel()
    assert result(login).check(CancelledError)
    assert attempts.seen == []


@pytest.mark.parametrize(
    ("setting", "host", "tls", "allowed"),
    [
        ("never", "127.0.0.1", False, False),
        ("never", "192.0.2.1", True, True),
        ("loopback", "127.0.0.1", False, True),
        ("loopback", "", False, True),
        ("loopback", "192.0.2.1", False, False),
        ("loopback", "192.0.2.1", True, True),
        ("always", "192.0.2.1", False, True),
    ],
)
def test_plaintext_rule(setting, host, tls, allowed):
    assert authenticator(plaintext=setting).plaintext_allowed(Peer(host, tls=tls)) is allowed


def test_name_is_composed():
    assert account_name("Jo\u0308@X") == "j\u00f6@x"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("J\u00d6@B\u00fccher.example", "j\u00f6@xn--bcher-kva.example"),
        ("j\u00f6@XN--bcher-kva.example", "j\u00f6@xn--bcher-kva.example"),
        ("joe@\u2665", "joe@\u2665"),
        ("a@b@X", "a@b@x"),
        ("joe", "joe"),
    ],
)
def test_a_domain_in_a_name_is_the_same_however_it_is_written(typed, name):
    assert account_name(typed) == name


def test_a_login_that_was_seen_elsewhere_is_one():
    assert result(authenticator().login_vouched_for(" Joe ")).name == "joe@example.test"


@pytest.mark.parametrize(
    ("mechanisms", "host", "allowed"),
    [
        (("PLAIN",), "127.0.0.1", True),
        (("SCRAM-SHA-256", "LOGIN"), "127.0.0.1", True),
        (("SCRAM-SHA-256",), "127.0.0.1", False),
        (("PLAIN",), "192.0.2.1", False),
    ],
)
def test_passwords_outside_of_sasl_go_where_those_within_go(mechanisms, host, allowed):
    users = InMemoryUsernamePasswordDatabaseDontUse()
    asked = Authenticator(Portal(Realm(), [users]), Attempts(), Clock(), mechanisms=mechanisms)
    assert asked.passwords_allowed(Peer(host)) is allowed
