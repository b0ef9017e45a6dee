"""
The factory of POP3 connections, and the thin protocol between a transport and its driver.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ...interfaces.store import IMaildropLock, IMailStore
from ..login import Authenticator
from ..open_sessions import OpenSessions
from .lease import LocalMaildropLock
from .session import POP3Session
from .settings import POP3Settings
from .snapshot import Snapshots


class POP3Protocol(Protocol):
    """One connection."""

    def __init__(self, session: POP3Session, open_sessions: OpenSessions) -> None:
        self._session = session
        self._open_sessions = open_sessions
        # Looked up for every piece of input.
        self.dataReceived = session.driver.data_received  # type: ignore[method-assign]

    def connectionMade(self) -> None:
        """See IProtocol."""
        self._session.driver.connected(self.transport)
        self._session.begin()
        self._open_sessions.add(self._session)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See IProtocol."""
        self._session.driver.connection_lost(reason)
        self._open_sessions.remove(self._session)


class POP3Factory(Factory):
    """Makes POP3 sessions, for any stream endpoint: plain, with STLS, or inside TLS from the first octet."""

    noisy = False

    def __init__(
        self,
        store: IMailStore,
        settings: POP3Settings,
        clock: IReactorTime,
        authenticator: Authenticator,
        tls_context: object | None = None,
    ) -> None:
        """
        Args:
            store: keeps the maildrop locks, where it provides IMaildropLock; else this factory does.
            settings: of this listener.
            clock: the reactor, for timeouts and leases.
            authenticator: checks logins; its ILogin gives the account.
            tls_context: what `startTLS` takes; None does not offer STLS. May be replaced while running.
        """
        self.tls_context = tls_context
        self._settings = settings
        self._clock = clock
        self._authenticator = authenticator
        self._locks: IMaildropLock = IMaildropLock(store, None) or LocalMaildropLock(clock)
        self._snapshots = Snapshots()
        self._open_sessions = OpenSessions()

    def buildProtocol(self, addr: IAddress | None) -> POP3Protocol:
        """See IProtocolFactory."""
        session = POP3Session(
            secrets.token_hex(8),
            self._settings,
            self._authenticator,
            self._locks,
            self._snapshots,
            self._clock,
            self.tls_context,
        )
        return POP3Protocol(session, self._open_sessions)

    @property
    def session_count(self) -> int:
        """How many connections are open."""
        return len(self._open_sessions)

    def close_all(self) -> Deferred[None]:
        """
        Tell each client that the node stops, and close; an answer that is being thought of is given first.

        Fires when all are gone. New connections are told the same. Cancelling ends the wait.
        """
        return self._open_sessions.end_all()
