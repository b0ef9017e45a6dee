"""Several sources of passwords: who is asked about whom."""

from __future__ import annotations

import pytest
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from twisted_mail_node.auth.checker import PasswordChecker
from twisted_mail_node.auth.passwords import Cost, Passwords
from twisted_mail_node.mail.errors import TemporaryFailure


class Source:
    def __init__(self, passwords, *, hashes_here=True):
        self.passwords, self.asked, self.hashes_here = passwords, [], hashes_here

    def check(self, name, password):
        self.asked.append(name)
        known = self.passwords.get(name)
        return known if hasattr(known, "addCallback") else succeed(None if known is None else known == password)


class OneAppPassword:
    def label_of(self, name, password):
        return succeed("phone" if (name, password) == ("joe@x", "app") else None)


@pytest.fixture
def passwords(inline):
    return Passwords(inline, Clock(), Cost(memory_kib=8, passes=1))


@pytest.fixture
def first():
    return Source({"joe@x": "secret"})


@pytest.fixture
def second():
    return Source({"joe@x": "other", "ann@x": "secret"}, hashes_here=False)


@pytest.fixture
def checker(first, second, passwords):
    return PasswordChecker([first, second], passwords, OneAppPassword())


def asked(checker, name, password):
    return checker.requestAvatarId(UsernamePassword(name, password))


def test_a_name_is_decided_by_the_first_that_knows_it(checker, second, result_of):
    assert result_of(asked(checker, b"joe@x", b"secret")) == b"joe@x"
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, b"joe@x", b"other"))
    assert second.asked == []


def test_the_next_is_asked_about_names_that_the_first_does_not_know(checker, first, second, result_of):
    assert result_of(asked(checker, b"ann@x", b"secret")) == b"ann@x"
    assert first.asked == second.asked == ["ann@x"]


@pytest.mark.parametrize(("name", "password"), [("ann@x", "wrong"), ("nobody@x", "secret"), ("nobody@x", "")])
def test_a_refusal_takes_a_hash_where_no_source_has_computed_one(checker, name, password, inline, result_of):
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, name, password))
    assert inline.done == 1


def test_a_source_that_computed_a_hash_is_enough(checker, inline, result_of):
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, "joe@x", "wrong"))
    assert inline.done == 0


def test_an_empty_password_is_shown_to_nobody(checker, first, second, result_of):
    second.passwords["ann@x"] = ""
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, "ann@x", ""))
    assert first.asked == second.asked == []


def test_where_a_source_cannot_tell_nothing_is_decided(checker, second, result_of):
    second.passwords["ann@x"] = fail(TemporaryFailure("LDAP is down"))
    with pytest.raises(TemporaryFailure):
        result_of(asked(checker, "ann@x", "secret"))


def test_an_app_password_comes_before_all_and_the_log_tells_which(checker, first, inline, result_of):
    with capturedLogs() as events:
        assert result_of(asked(checker, "joe@x", "app")) == b"joe@x"
    assert [formatEvent(event) for event in events] == ["login of 'joe@x' by app password 'phone'"]
    assert (first.asked, inline.done) == ([], 0)


def test_a_password_that_is_no_app_password_is_looked_for_elsewhere(checker, result_of):
    assert result_of(asked(checker, "joe@x", "secret")) == b"joe@x"
