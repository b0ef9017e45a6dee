"""The checker over the directory alone."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.checker import PasswordChecker
from twisted_mail_node.auth.directory import DirectoryPasswords
from twisted_mail_node.auth.passwords import Cost, Passwords
from twisted_mail_node.mail.errors import TemporaryFailure

CHEAP = Cost(memory_kib=8, passes=1)


def a_checker(directory, passwords):
    return PasswordChecker([DirectoryPasswords(directory, passwords)], passwords)


@pytest.fixture
def passwords(inline):
    return Passwords(inline, Clock(), CHEAP)


@pytest.fixture
def checker(directory, passwords, result_of, inline):
    directory.set_password_hash("joe@x", result_of(passwords.hash("secret")))
    inline.done = 0
    return a_checker(directory, passwords)


def asked(checker, name, password):
    return checker.requestAvatarId(UsernamePassword(name, password))


def test_it_is_a_checker_of_twisted_cred(checker):
    verifyObject(ICredentialsChecker, checker)


def test_right_password_gives_the_name(checker, result_of):
    assert result_of(asked(checker, b"joe@x", b"secret")) == b"joe@x"
    assert result_of(asked(checker, "joe@x", "secret")) == b"joe@x"


@pytest.mark.parametrize(
    ("name", "password"), [(b"joe@x", b"wrong"), (b"ann@x", b"secret"), (b"joe@x", b""), (b"", b"")]
)
def test_wrong_password_and_unknown_user_compute_the_same(name, password, checker, result_of, inline):
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, name, password))
    assert inline.done == 1


def test_what_is_not_text_is_refused(checker, result_of):
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, b"j\xff", b"secret"))


def test_polling_client_asks_the_directory_once(checker, directory, result_of, inline):
    for _ in range(10):
        result_of(asked(checker, b"joe@x", b"secret"))
    assert directory.asked == ["joe@x"]
    assert inline.done == 1


def test_password_change_ends_what_was_remembered(checker, directory, passwords, result_of):
    result_of(asked(checker, b"joe@x", b"secret"))
    directory.set_password_hash("joe@x", result_of(passwords.hash("other")))
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, b"joe@x", b"secret"))
    assert result_of(asked(checker, b"joe@x", b"other")) == b"joe@x"


def test_removed_user_is_refused_at_once(checker, directory, result_of):
    result_of(asked(checker, b"joe@x", b"secret"))
    directory.remove_user("joe@x")
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, b"joe@x", b"secret"))


def test_stale_hash_is_made_anew(checker, directory, result_of, inline):
    dearer = a_checker(directory, Passwords(inline, Clock(), Cost(memory_kib=16, passes=1)))
    assert result_of(asked(dearer, b"joe@x", b"secret")) == b"joe@x"
    assert directory.hashes["joe@x"].startswith("$argon2id$v=19$m=16,t=1,p=1$")
    assert result_of(asked(dearer, b"joe@x", b"secret")) == b"joe@x"


def test_stale_hash_does_not_undo_a_password_change(checker, directory, manual, passwords, result_of):
    dearer = a_checker(directory, Passwords(manual, Clock(), Cost(memory_kib=16, passes=1)))
    login = asked(dearer, b"joe@x", b"secret")
    work, verified = manual.waiting.pop()
    verified.callback(work())
    assert result_of(login) == b"joe@x"
    changed = result_of(passwords.hash("other"))
    directory.set_password_hash("joe@x", changed)
    manual.work_all()
    assert directory.hashes["joe@x"] == changed


def test_hash_that_cannot_be_made_anew_does_not_hurt_the_login(checker, directory, inline, result_of):
    dearer = a_checker(directory, Passwords(inline, Clock(), Cost(memory_kib=16, passes=1)))
    directory.set_password_hash = lambda name, new_hash: fail(TemporaryFailure("disk full"))
    assert result_of(asked(dearer, b"joe@x", b"secret")) == b"joe@x"


def test_directory_out_of_reach_is_temporary(checker, directory, result_of):
    directory.password_hash = lambda name: fail(TemporaryFailure("locked"))
    with pytest.raises(TemporaryFailure):
        result_of(asked(checker, b"joe@x", b"secret"))


def test_hash_that_changes_while_it_is_read_is_not_kept(checker, directory, passwords, result_of):
    read, kept = directory.password_hash, Deferred()
    stored = directory.hashes["joe@x"]
    directory.password_hash = lambda name: kept
    login = asked(checker, b"joe@x", b"secret")
    directory.set_password_hash("joe@x", result_of(passwords.hash("other")))
    directory.password_hash = read
    kept.callback(stored)
    assert result_of(login) == b"joe@x"
    with pytest.raises(UnauthorizedLogin):
        result_of(asked(checker, b"joe@x", b"secret"))
