"""Who exists, where users are known in several places."""

from __future__ import annotations

import pytest
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.joined import JoinedDirectory, Welcoming
from twisted_mail_node.interfaces.credentials import IAppPasswords, app_passwords_of
from twisted_mail_node.interfaces.store import IDirectory
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.password_marks import ELSEWHERE
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE, ANN = "joe@x", "ann@x"


class Users:
    def __init__(self, *names):
        self.names, self.asked, self.version = set(names), [], 1

    def knows(self, name):
        self.asked.append(name)
        return succeed(name in self.names)


@pytest.fixture
def store():
    store = MemoryStore(Clock())
    store.start()
    result_of(store.add_user(JOE, "hash"))
    return store


@pytest.fixture
def file():
    return Users(ANN, JOE)


@pytest.fixture
def joined(store, file):
    return JoinedDirectory(store, [file, Users()], [("Sent", "\\Sent")])


def test_it_is_a_directory(joined):
    assert verifyObject(IDirectory, joined)


def test_an_own_user_is_asked_of_nobody_else(joined, file):
    assert result_of(joined.password_hash(JOE)) == "hash"
    assert file.asked == []


def test_who_is_known_elsewhere_gets_an_account_at_the_first_word(joined, store):
    assert result_of(joined.password_hash(ANN)) == ELSEWHERE
    account = result_of(store.account(ANN))
    assert [info.name for info in result_of(account.mailboxes())] == ["INBOX", "Sent"]
    assert list(result_of(joined.users())) == [ANN, JOE]
    version = joined.version
    assert result_of(joined.password_hash(ANN)) == ELSEWHERE
    assert joined.version == version


def test_an_account_that_is_there_without_a_user_is_taken(joined, store):
    result_of(store.create_account(ANN))
    assert result_of(joined.password_hash(ANN)) == ELSEWHERE


def test_who_is_known_nowhere_does_not_exist(joined, store):
    assert result_of(joined.password_hash("bob@x")) is None
    assert result_of(store.accounts()) == [JOE]


def test_who_is_known_nowhere_any_more_keeps_mail_and_gets_none(joined, file, store):
    result_of(joined.password_hash(ANN))
    file.names.discard(ANN)
    assert result_of(joined.password_hash(ANN)) is None
    assert ANN in result_of(store.accounts())


def test_a_password_given_here_ends_the_asking(joined, file):
    result_of(joined.password_hash(ANN))
    result_of(joined.set_password_hash(ANN, "own"))
    file.names.discard(ANN)
    assert result_of(joined.password_hash(ANN)) == "own"


@pytest.mark.parametrize(("verdict", "accounts"), [(True, [ANN, JOE]), (False, [JOE]), (None, [JOE])])
def test_a_right_password_makes_an_account(joined, store, verdict, accounts):
    class Source:
        hashes_here = False

        def check(self, name, password):
            return succeed(verdict)

    source = Welcoming(Source(), joined)
    assert not source.hashes_here
    for _ in range(2):
        assert result_of(source.check(ANN, "secret")) is verdict
    assert list(result_of(store.accounts())) == accounts


def test_where_a_source_cannot_tell_nobody_knows(joined, file):
    file.knows = lambda name: fail(TemporaryFailure("LDAP is down"))
    with pytest.raises(TemporaryFailure):
        result_of(joined.password_hash(ANN))


def test_what_any_source_tells_anew_makes_the_old_answers_old(joined, file, store):
    version = joined.version
    file.version += 1
    assert joined.version > version


def test_further_doors_are_the_own_directorys(joined, store):
    assert app_passwords_of(joined) is store
    assert verifyObject(IAppPasswords, app_passwords_of(joined))


def test_users_and_aliases_are_the_own_directorys(joined, store):
    result_of(joined.add_user("bob@x", "hash"))
    result_of(joined.set_alias("all@x", [Address("bob", "x")]))
    assert list(result_of(joined.alias("all@x"))) == [Address("bob", "x")]
    assert [source for source, _ in result_of(joined.aliases())] == ["all@x"]
    result_of(joined.remove_user("bob@x"))
    assert list(result_of(store.users())) == [JOE]
