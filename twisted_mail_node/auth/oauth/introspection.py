"""
Tokens that their issuer has to be asked about.

Source: RFC 7662.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.cred.error import UnauthorizedLogin

from ...interfaces.deferred import returns_deferred
from ...mail.errors import TemporaryFailure
from .web import Web


class Introspection:
    """Asks."""

    def __init__(
        self, web: Web, url: str, client_id: str, client_secret: str, *, issuer: str, audience: Sequence[str]
    ) -> None:
        """
        Args:
            web: asks the server.
            url: of its introspection endpoint.
            client_id: as whom.
            client_secret: of that one.
            issuer: that has to be in the answer, where the answer names one; "" for any.
            audience: of which one has to be in the answer, where it names any; empty for any.
        """
        self._web = web
        self._url = url
        self._client = (client_id, client_secret)
        self._issuer = issuer
        self._audience = frozenset(audience)

    # Any: what JSON has.
    @returns_deferred
    async def claims(self, token: str) -> Mapping[str, Any]:
        """What is answered. Fails with: UnauthorizedLogin; TemporaryFailure."""
        answer = await self._web.post(self._url, {"token": token, "token_type_hint": "access_token"}, *self._client)
        if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
            raise TemporaryFailure(f"{self._url} answers with something else than RFC 7662 says")
        if not answer["active"]:
            raise UnauthorizedLogin("the token is not active")
        if self._issuer and answer.get("iss", self._issuer) != self._issuer:
            raise UnauthorizedLogin("the token is of another issuer")
        audience = answer.get("aud", list(self._audience))
        if self._audience and not self._audience & set(audience if isinstance(audience, list) else [audience]):
            raise UnauthorizedLogin("the token is for another service")
        return answer
