"""
Tokens that say themselves what they are, signed by their issuer: JWT.

Decides which are believed. What they say is for `tokens`.

Sources: RFC 7519 (JWT), RFC 8725 (what to look at), RFC 9068 (access tokens).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from twisted.cred.error import UnauthorizedLogin

from ...interfaces.deferred import returns_deferred
from .keys import Keys


class SignedTokens:
    """Reads them."""

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: Sequence[str],
        algorithms: Sequence[str],
        clock_skew_seconds: float,
    ) -> None:
        """
        Args:
            keys: of the issuer.
            issuer: that has to be in the token.
            audience: of which one has to be in it.
            algorithms: that are believed, whatever a key or a token says of itself.
            clock_skew_seconds: by which clocks may differ.
        """
        self._keys = keys
        self._issuer = issuer
        self._audience = list(audience)
        self._algorithms = list(algorithms)
        self._clock_skew_seconds = clock_skew_seconds

    # Any: what JSON has.
    @returns_deferred
    async def claims(self, token: str) -> Mapping[str, Any]:
        """What it says. Fails with: UnauthorizedLogin; TemporaryFailure."""
        if not token.isascii():
            raise UnauthorizedLogin("not a token")
        try:
            key = await self._keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise UnauthorizedLogin("the token is signed by a key that its issuer does not have")
            if key.algorithm_name not in self._algorithms:
                # PyJWT verifies by what the key says; older ones do not compare it with what the token says.
                raise UnauthorizedLogin("the token's key is for an algorithm that is not believed")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._clock_skew_seconds,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, RecursionError) as error:
            # RecursionError: older PyJWT lets json's through, of a header that is nested without end.
            raise UnauthorizedLogin(f"the token does not hold: {error}") from error
        return claims
