"""The realm's avatars, and whom they may send as."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import AllowAnonymousAccess, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import Anonymous, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.passwords import Cost, Passwords
from twisted_mail_node.auth.portal import Login, make_portal
from twisted_mail_node.interfaces.auth import ILogin
from twisted_mail_node.mail.address import Address


class Store:
    def account(self, name):
        return succeed(f"the account {name}")


@pytest.fixture
def passwords(inline):
    return Passwords(inline, Clock(), Cost(memory_kib=8, passes=1))


def test_portal_gives_the_account(directory, passwords, result_of):
    directory.set_password_hash("joe@x", result_of(passwords.hash("secret")))
    portal = make_portal(Store(), directory, passwords)
    interface, login, logout = result_of(portal.login(UsernamePassword(b"joe@x", b"secret"), None, ILogin))
    assert interface is ILogin
    verifyObject(ILogin, login)
    assert login.name == "joe@x"
    assert result_of(login.account()) == "the account joe@x"
    assert logout() is None


def test_checker_of_an_embedder_takes_the_place_of_ours(directory, passwords, result_of):
    checker = InMemoryUsernamePasswordDatabaseDontUse(**{"Joe@x": b"pw"})
    portal = make_portal(Store(), directory, passwords, [checker])
    _, login, _ = result_of(portal.login(UsernamePassword(b"Joe@x", b"pw"), None, ILogin))
    assert login.name == "joe@x"


def test_nobody_is_anonymous(directory, passwords, result_of):
    portal = make_portal(Store(), directory, passwords, [AllowAnonymousAccess()])
    with pytest.raises(UnauthorizedLogin):
        result_of(portal.login(Anonymous(), None, ILogin))


def test_realm_gives_nothing_else(directory, passwords):
    portal = make_portal(Store(), directory, passwords)
    with pytest.raises(NotImplementedError):
        portal.realm.requestAvatar(b"joe@x", None)


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [
        (None, True),
        ("joe@x", True),
        ("Joe@X", True),
        ("joe+list@x", True),
        ("ann@x", False),
        ("ann+joe@x", False),
        ("joe@y", False),
        ("joel@x", False),
        ("sales@x", True),
        ("Sales+2024@x", True),
        ("info@x", True),
        ("round@x", False),
        ("other@x", False),
        ("anything@catch.x", True),
        ("taken@catch.x", False),
        ("taken+tag@catch.x", False),
        ("alias@catch.x", False),
        ("nobody@x", False),
    ],
)
def test_whom_an_account_may_send_as(sender, allowed, directory, result_of):
    directory.hashes.update({"joe@x": "h", "ann@x": "h", "taken@catch.x": "h"})
    directory.aliases_by_source.update(
        {
            "sales@x": (Address.parse("ann@x"), Address.parse("joe+sales@x")),
            "info@x": (Address.parse("sales@x"),),
            "round@x": (Address.parse("about@x"),),
            "about@x": (Address.parse("round@x"),),
            "other@x": (Address.parse("ann@x"),),
            "@catch.x": (Address.parse("joe@x"),),
            "alias@catch.x": (Address.parse("ann@x"),),
        }
    )
    login = Login("joe@x", Store(), directory)
    address = None if sender is None else Address.parse(sender)
    assert result_of(login.may_send_as(address)) is allowed


def test_long_chain_of_aliases_is_given_up(directory, result_of):
    for number in range(50):
        directory.aliases_by_source[f"a{number}@x"] = (Address.parse(f"a{number + 1}@x"),)
    directory.aliases_by_source["a50@x"] = (Address.parse("joe@x"),)
    login = Login("joe@x", Store(), directory)
    assert result_of(login.may_send_as(Address.parse("a0@x"))) is False
    assert result_of(login.may_send_as(Address.parse("a45@x"))) is True
