"""
Whose an OAuth token is.

Decides which account a token's words mean, whether its scope is enough, and for how long that is known without asking
again. Neighbours: `auth.tokens` checks logins by what is told here; `signed` and `introspection` read tokens.

Source: RFC 6749 §3.3 (scope).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from ...interfaces.credentials import ITokens
from ...interfaces.deferred import returns_deferred
from ...interfaces.store import IDirectory
from ...mail.address import Address
from ...mail.errors import TemporaryFailure

MOST_REMEMBERED = 10_000

MAX_TOKEN_CHARACTERS = 8192
"""Our own bound; a line of a client is shorter as a rule."""


class Reading(Protocol):
    """Reads tokens."""

    # Any: what JSON has.
    def claims(self, token: str) -> Deferred[Mapping[str, Any]]:
        """What the token says. Fails with: UnauthorizedLogin; TemporaryFailure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """
    What is asked of a token.

    Attributes:
        domains: accounts are at home there; the first completes names without "@".
        claim: has the account's name.
        scopes: that it needs, all of them.
        remember_seconds: for how long a token is believed without a second look; never beyond its own end.
    """

    domains: Sequence[str]
    claim: str = "email"
    scopes: frozenset[str] = frozenset()
    remember_seconds: float = 300.0


@implementer(ITokens)
class OAuthTokens:
    """Tells whose tokens are."""

    _log = Logger()

    def __init__(
        self,
        rules: TokenRules,
        directory: IDirectory,
        clock: IReactorTime,
        signed: Reading | None = None,
        opaque: Reading | None = None,
    ) -> None:
        """
        Args:
            rules: see there.
            directory: says who exists.
            clock: its seconds are those since the epoch.
            signed: reads tokens that have the form of a JWT; None: `opaque` is asked.
            opaque: reads all others; None: nobody can.
        """
        self._rules = rules
        self._directory = directory
        self._clock = clock
        self._signed = signed
        self._opaque = opaque
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    @returns_deferred
    async def account_of(self, token: str) -> str:
        """See ITokens."""
        # RFC 6750 §2.1: letters, digits and a few signs.
        if not token.isascii() or len(token) > MAX_TOKEN_CHARACTERS:
            raise UnauthorizedLogin("not a token, or too long for one")
        digest = hashlib.sha256(token.encode("ascii")).digest()
        name = self._known_account(digest)
        if name is None:
            claims = await self._claims(token)
            name = self._account(claims)
            self._remember(digest, name, claims)
        # Asked each time: the account may have gone since.
        if await self._directory.password_hash(name) is None:
            raise UnauthorizedLogin("no such user")
        return name

    async def _claims(self, token: str) -> Mapping[str, Any]:  # Any: what JSON has.
        reading = self._signed if self._signed is not None and token.count(".") == 2 else self._opaque
        if reading is None:
            raise UnauthorizedLogin("not a token that can be read here")
        try:
            return await reading.claims(token)
        except TemporaryFailure as error:
            self._log.warn("a token can't be looked at: {reason}", reason=error.text)
            raise

    def _account(self, claims: Mapping[str, Any]) -> str:
        rules = self._rules
        if missing := rules.scopes - _scopes(claims):
            raise UnauthorizedLogin(f"the token has not the scope {' '.join(sorted(missing))}")
        value = claims.get(rules.claim)
        if not isinstance(value, str):
            raise UnauthorizedLogin(f"the token has no {rules.claim}")
        # Some issuers write it as text.
        if str(claims.get("email_verified")).lower() == "false" and rules.claim == "email":
            raise UnauthorizedLogin("the token's address is not verified")
        text = unicodedata.normalize("NFC", value)
        try:
            address = Address.parse(text if "@" in text else f"{text}@{rules.domains[0]}")
        except ValueError as error:
            raise UnauthorizedLogin(f"the token's {rules.claim} is no account's name") from error
        if address.domain not in rules.domains:
            raise UnauthorizedLogin("the token is for somebody elsewhere")
        return address.key

    def _known_account(self, digest: bytes) -> str | None:
        name, until = self._known.get(digest, ("", 0.0))
        return name if until > self._clock.seconds() else None

    def _remember(self, digest: bytes, name: str, claims: Mapping[str, Any]) -> None:
        until = self._clock.seconds() + self._rules.remember_seconds
        end = claims.get("exp")
        if isinstance(end, int | float):
            until = min(until, end)
        self._known[digest] = (name, until)
        self._known.move_to_end(digest)
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """RFC 6749 §3.3 has a text with blanks between; some issuers have a list, by another name."""
    found = claims.get("scope", claims.get("scp", ""))
    return frozenset(found.split() if isinstance(found, str) else map(str, found) if isinstance(found, list) else ())
