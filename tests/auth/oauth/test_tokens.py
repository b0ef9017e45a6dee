"""Whose a token is, by what it says; what reads tokens is a script."""

from __future__ import annotations

import pytest
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.oauth import tokens as module
from twisted_mail_node.auth.oauth.tokens import MAX_TOKEN_CHARACTERS, OAuthTokens, TokenRules
from twisted_mail_node.interfaces.credentials import ITokens
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

JOE = "joe@a.test"


class Reading:
    def __init__(self, **claims):
        self.saying, self.asked = claims, 0

    def claims(self, token):
        self.asked += 1
        return self.saying if hasattr(self.saying, "addCallback") else succeed(self.saying)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    store = MemoryStore(Clock())
    store.start()
    result_of(store.add_user(JOE, "!"))
    return store


@pytest.fixture
def reading():
    return Reading(email=JOE, exp=1000)


@pytest.fixture
def tell(store, clock, reading):
    def build(**rules):
        return OAuthTokens(TokenRules(domains=["a.test", "b.test"], **rules), store, clock, None, reading)

    return build


def test_it_tells_whose_a_token_is(tell):
    assert verifyObject(ITokens, tell())
    assert result_of(tell().account_of("opaque")) == JOE


@pytest.mark.parametrize("value", [JOE, "Joe@A.test", "joe"])
def test_a_name_is_an_account_however_it_is_written(tell, reading, value):
    reading.saying = {"sub": value, "email_verified": False}
    assert result_of(tell(claim="sub").account_of("opaque")) == JOE


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": 7},
        {"email": ""},
        {"email": "joe@far.test"},
        {"email": "ann@a.test"},
        {"email": JOE, "email_verified": False},
        {"email": JOE, "email_verified": "false"},
    ],
)
def test_what_names_no_account_here_is_refused(tell, reading, claims):
    reading.saying = claims
    with pytest.raises(UnauthorizedLogin):
        result_of(tell().account_of("opaque"))


@pytest.mark.parametrize(
    ("claims", "is_enough"),
    [
        ({"scope": "mail openid imap"}, True),
        ({"scp": ["imap", "mail"]}, True),
        ({"scope": "mail"}, False),
        ({"scope": "mailimap"}, False),
        ({"scope": 7}, False),
        ({}, False),
    ],
)
def test_all_scopes_have_to_be_there(tell, reading, claims, is_enough):
    reading.saying = {"email": JOE, **claims}
    asked = tell(scopes=frozenset(["mail", "imap"])).account_of("opaque")
    if is_enough:
        assert result_of(asked) == JOE
    else:
        with pytest.raises(UnauthorizedLogin, match="has not the scope"):
            result_of(asked)


def test_a_token_is_looked_at_once_until_its_time_is_over(tell, reading, clock):
    tokens = tell(remember_seconds=100)
    for _ in range(5):
        assert result_of(tokens.account_of("opaque")) == JOE
    assert reading.asked == 1
    clock.advance(100)
    result_of(tokens.account_of("opaque"))
    assert reading.asked == 2


def test_a_token_is_not_believed_beyond_its_end(tell, reading, clock):
    reading.saying = {"email": JOE, "exp": 10}
    tokens = tell(remember_seconds=100)
    result_of(tokens.account_of("opaque"))
    clock.advance(10)
    reading.saying = fail(UnauthorizedLogin("out of time"))
    with pytest.raises(UnauthorizedLogin):
        result_of(tokens.account_of("opaque"))


def test_who_was_removed_is_refused_though_the_token_is_remembered(tell, store):
    tokens = tell()
    result_of(tokens.account_of("opaque"))
    result_of(store.remove_user(JOE))
    with pytest.raises(UnauthorizedLogin):
        result_of(tokens.account_of("opaque"))


def test_what_is_remembered_is_bounded(tell, reading, monkeypatch):
    monkeypatch.setattr(module, "MOST_REMEMBERED", 1)
    tokens = tell()
    for token in ("one", "two", "one"):
        result_of(tokens.account_of(token))
    assert reading.asked == 3


def test_the_form_of_a_token_tells_who_reads_it(store, clock):
    signed, opaque = Reading(email=JOE), Reading(email=JOE)
    rules = TokenRules(domains=["a.test"])
    result_of(OAuthTokens(rules, store, clock, signed, opaque).account_of("a.b.c"))
    assert (signed.asked, opaque.asked) == (1, 0)
    result_of(OAuthTokens(rules, store, clock, signed, opaque).account_of("a-b-c"))
    assert (signed.asked, opaque.asked) == (1, 1)
    with pytest.raises(UnauthorizedLogin):
        result_of(OAuthTokens(rules, store, clock, signed, None).account_of("a-b-c"))


@pytest.mark.parametrize("token", ["x" * (MAX_TOKEN_CHARACTERS + 1), "é", "\ud800"])
def test_what_can_be_no_token_is_not_looked_at(tell, reading, token):
    with pytest.raises(UnauthorizedLogin):
        result_of(tell().account_of(token))
    assert reading.asked == 0


def test_where_nobody_can_tell_nothing_is_decided(tell, reading):
    reading.saying = fail(TemporaryFailure("the issuer is down"))
    with pytest.raises(TemporaryFailure):
        result_of(tell().account_of("opaque"))
