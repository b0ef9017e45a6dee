"""
The checker of twisted.cred for bearer tokens, over whoever says whose a token is.

Decides that a token opens its own account only.
"""

from __future__ import annotations

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from zope.interface import implementer

from ..interfaces.credentials import IBearerHint, IBearerToken, ITokens
from ..interfaces.deferred import returns_deferred


@implementer(ICredentialsChecker, IBearerHint)
class TokenChecker:
    """Checks tokens. The avatar's id is the name of the account that the token is for."""

    credentialInterfaces = (IBearerToken,)

    def __init__(self, tokens: ITokens, scope: str = "", configuration_url: str = "") -> None:
        """`scope` and `configuration_url` are told to clients, see IBearerHint."""
        self._tokens = tokens
        self.scope = scope
        self.configuration_url = configuration_url

    @returns_deferred
    async def requestAvatarId(self, credentials: IBearerToken) -> bytes | tuple[()]:
        """Fires with the account's name. Fails with: UnauthorizedLogin; TemporaryFailure."""
        name = await self._tokens.account_of(credentials.token)
        if credentials.username and credentials.username != name:
            raise UnauthorizedLogin("the token is for another account")
        return name.encode("utf-8")
