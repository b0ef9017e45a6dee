"""
Connections to LDAP servers, kept for the next question, and no more than so many at a time.

Decides which server is asked: the first that can be connected to. Neighbours: `connection`; `users` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.internet.interfaces import IReactorTime

from ...interfaces.deferred import returns_deferred
from ...mail.errors import TemporaryFailure, Unavailable
from .connection import LDAPConnection

T = TypeVar("T")

IDLE_SECONDS = 60.0
"""A connection that was idle for longer is not trusted: firewalls forget it without a word."""

Connect = Callable[[], Deferred[LDAPConnection]]
# Any: what a coroutine sends and awaits is of no concern here.
Work = Callable[[LDAPConnection], Coroutine[Any, Any, T]]


class Pool:
    """Lends connections."""

    def __init__(
        self, servers: Sequence[Connect], clock: IReactorTime, at_once: int = 8, timeout_seconds: float = 10.0
    ) -> None:
        """
        Args:
            servers: each connects to one; tried in this order.
            clock: for the timeout.
            at_once: connections.
            timeout_seconds: for a question, the connection made and the wait for one counted in.
        """
        self._servers = servers
        self._clock = clock
        self._free = DeferredSemaphore(at_once)
        self._timeout_seconds = timeout_seconds
        self._idle: list[tuple[LDAPConnection, float]] = []
        self._used: set[LDAPConnection] = set()
        self._stopped = False

    def run(self, work: Work[T]) -> Deferred[T]:
        """
        Do the work on a connection; once more on a new one, where a kept one turns out to be lost.

        Fails with: TemporaryFailure, also when it takes too long; else as the work does.
        """
        running = Deferred.fromCoroutine(self._run(work))
        running.addTimeout(self._timeout_seconds, self._clock, self._too_long)
        return running

    # Any: what addTimeout hands on.
    def _too_long(self, result: Any, seconds: float) -> Any:
        if isinstance(getattr(result, "value", None), CancelledError):
            raise TemporaryFailure(f"the LDAP server does not answer within {seconds:g} s") from WaitedTooLong()
        return result

    async def _run(self, work: Work[T]) -> T:
        await self._free.acquire()
        try:
            kept = self._take_kept()
            if kept is not None:
                try:
                    return await self._lend(kept, work)
                except TemporaryFailure:
                    if kept.is_open:
                        raise
            return await self._lend(await self._connect(), work)
        finally:
            self._free.release()

    async def _lend(self, connection: LDAPConnection, work: Work[T]) -> T:
        self._used.add(connection)
        try:
            result = await work(connection)
        except BaseException:
            connection.close()
            raise
        finally:
            self._used.discard(connection)
        if self._stopped:
            connection.close()
        else:
            self._idle.append((connection, self._clock.seconds()))
        return result

    def _take_kept(self) -> LDAPConnection | None:
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_open and self._clock.seconds() - since <= IDLE_SECONDS:
                return connection
            connection.close()
        return None

    @returns_deferred
    async def _connect(self) -> LDAPConnection:
        if self._stopped:
            raise Unavailable("not running")
        failure: TemporaryFailure | None = None
        for connect in self._servers:
            try:
                return await connect()
            except TemporaryFailure as error:
                failure = error
        raise failure or Unavailable("no LDAP server is configured")

    def stop(self) -> None:
        """Hang up on all. What is under way fails."""
        self._stopped = True
        for connection in (*self._used, *(connection for connection, _ in self._idle)):
            connection.close()
        self._idle.clear()
