"""The checker of bearer tokens."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import fail, succeed
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.tokens import TokenChecker
from twisted_mail_node.interfaces.credentials import IBearerHint, IBearerToken, ITokens
from twisted_mail_node.mail.errors import TemporaryFailure


@implementer(ITokens)
class Tokens:
    def account_of(self, token):
        match token:
            case "joes":
                return succeed("joe@x")
            case "later":
                return fail(TemporaryFailure("the issuer does not answer"))
            case _:
                return fail(UnauthorizedLogin("forged"))


@implementer(IBearerToken)
class Shown:
    def __init__(self, username, token):
        self.username, self.token = username, token


CHECKER = TokenChecker(Tokens(), "mail", "https://issuer.test/")


def test_it_is_a_checker_and_has_a_hint():
    verifyObject(ICredentialsChecker, CHECKER)
    verifyObject(IBearerHint, CHECKER)
    assert (CHECKER.scope, CHECKER.configuration_url) == ("mail", "https://issuer.test/")


@pytest.mark.parametrize("name", ["", "joe@x"])
def test_token_opens_its_account(name, result_of):
    assert result_of(CHECKER.requestAvatarId(Shown(name, "joes"))) == b"joe@x"


@pytest.mark.parametrize(("name", "token"), [("ann@x", "joes"), ("joe@x", "forged"), ("", "")])
def test_token_opens_nothing_else(name, token, result_of):
    with pytest.raises(UnauthorizedLogin):
        result_of(CHECKER.requestAvatarId(Shown(name, token)))


def test_issuer_that_does_not_answer_decides_nothing(result_of):
    with pytest.raises(TemporaryFailure):
        result_of(CHECKER.requestAvatarId(Shown("", "later")))
