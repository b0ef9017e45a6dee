"""
The keys that an issuer signs tokens with, fetched when they are needed and kept for a while.

A token with a key that is not known makes the set be fetched anew, and not more often than once a minute, so that who
invents keys costs the issuer nothing. A fetch belongs to nobody: who asked may hang up, and the others learn of it.

Source: RFC 7517 (JWK sets).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jwt import PyJWKSet, PyJWTError
from jwt.api_jwk import PyJWK
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...interfaces.deferred import returns_deferred
from ...mail.errors import TemporaryFailure

FRESH_SECONDS = 3600.0
"""For so long a key that was withdrawn may still be believed."""

PATIENCE_SECONDS = 60.0
"""Between two fetches."""


class Keys:
    """A key set."""

    _log = Logger()

    # Any: what JSON has.
    def __init__(self, fetch: Callable[[], Deferred[Any]], clock: IReactorTime) -> None:
        """
        Args:
            fetch: gives the set as JSON; fails with TemporaryFailure.
            clock: ages it.
        """
        self._fetch = fetch
        self._clock = clock
        self._waiting: list[Deferred[None]] | None = None
        self._by_id: Mapping[str | None, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    @returns_deferred
    async def find(self, key_id: str | None) -> PyJWK | None:
        """The key of that id; None: there is none. Without an id: the only one. Fails with: TemporaryFailure."""
        if not self._has(key_id):
            await self._fetched()
        if self._fetched_at == float("-inf"):
            raise TemporaryFailure("the keys of the issuer of tokens are not known")
        return self._of(key_id)

    def _has(self, key_id: str | None) -> bool:
        return self._clock.seconds() - self._fetched_at < FRESH_SECONDS and self._of(key_id) is not None

    def _of(self, key_id: str | None) -> PyJWK | None:
        if key_id is None and len(self._by_id) == 1:
            return next(iter(self._by_id.values()))
        return self._by_id.get(key_id)

    def _fetched(self) -> Deferred[None]:
        """Fires once there is news, or it is too early for any. Cancelling ends the wait, not the fetch."""
        is_first = self._waiting is None
        if is_first and self._clock.seconds() - self._tried_at < PATIENCE_SECONDS:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._give_up)
        self._waiting = [*(self._waiting or ()), waiting]
        if is_first:
            self._tried_at = self._clock.seconds()
            Deferred.fromCoroutine(self._fetch_anew()).addBoth(self._tell)
        return waiting

    def _give_up(self, waiting: Deferred[None]) -> None:
        if self._waiting is not None and waiting in self._waiting:
            self._waiting.remove(waiting)

    def _tell(self, result: object) -> None:
        told, self._waiting = self._waiting or [], None
        if isinstance(result, Failure):
            self._log.failure("the keys of the issuer of tokens can't be read", result)
        for waiting in told:
            waiting.callback(None)

    async def _fetch_anew(self) -> None:
        try:
            keys = PyJWKSet.from_dict(await self._fetch()).keys
        except (TemporaryFailure, PyJWTError, AttributeError, TypeError) as error:
            # What was fetched before goes on to hold: an issuer that is down for a moment ends no logins.
            self._log.warn("the keys of the issuer of tokens can't be had: {reason}", reason=str(error))
            return
        self._by_id = {key.key_id: key for key in keys if key.public_key_use in (None, "sig")}
        self._fetched_at = self._clock.seconds()
