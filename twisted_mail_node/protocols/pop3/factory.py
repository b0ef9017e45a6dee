"""
The factory of POP3 connections, and the thin protocol between a transport and its driver.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ...interfaces.auth import IAttempts
from ...interfaces.store import IMaildropLock, IMailStore
from ..login import Authenticator, UncountedAttempts
from ..open_sessions import OpenSessions
from .lease import LocalMaildropLock
from .session import POP3Session
from .settings import POP3Settings


class POP3Protocol(Protocol):
    """One connection."""

    def __init__(self, session: POP3Session, open_sessions: OpenSessions) -> None:
        self._session = session
        self._open_sessions = open_sessions
        # Looked up for every piece of input.
        self.dataReceived = session.driver.data_received  # type: ignore[method-assign]

    def connectionMade(self) -> None:
        """See IProtocol."""
        self._open_sessions.add(self._session)
        self._session.driver.connected(self.transport)
        self._session.begin()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See IProtocol."""
        self._session.driver.connection_lost(reason)
        self._open_sessions.remove(self._session)


class POP3Factory(Factory):
    """Makes POP3 sessions, for any stream endpoint: plain, with STLS, or inside TLS from the first octet."""

    noisy = False

    def __init__(
        self,
        reactor: IReactorTime,
        portal: Portal,
        store: IMailStore,
        settings: POP3Settings | None = None,
        attempts: IAttempts | None = None,
    ) -> None:
        """
        Args:
            reactor: for timeouts, delays and leases.
            portal: gives ILogin for IUsernamePassword.
            store: keeps the maildrop locks, where it provides IMaildropLock; else this factory does.
            settings: of this listener.
            attempts: the record of failed logins, shared with other listeners; None counts nothing.
        """
        self._reactor = reactor
        self._settings = settings or POP3Settings()
        self._locks: IMaildropLock = IMaildropLock(store, None) or LocalMaildropLock(reactor)
        self._authenticator = Authenticator(
            portal,
            attempts or UncountedAttempts(),
            reactor,
            self._settings.plaintext,
            self._settings.default_domain,
        )
        self._open_sessions = OpenSessions()

    def buildProtocol(self, addr: IAddress | None) -> POP3Protocol:
        """See IProtocolFactory."""
        session_id = secrets.token_hex(8)
        session = POP3Session(session_id, self._settings, self._authenticator, self._locks, self._reactor)
        return POP3Protocol(session, self._open_sessions)

    @property
    def session_count(self) -> int:
        """How many connections are open."""
        return len(self._open_sessions)

    def end_sessions(self) -> Deferred[None]:
        """Tell all clients that the node stops. Fires when all connections are gone; cancelling ends the wait."""
        return self._open_sessions.end_all()
