"""
The factory of IMAP connections, and the thin protocol between a transport and its driver.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ...interfaces.store import IMailStore
from ...wire.imap import response_codes as codes
from ...wire.imap.responses import ok, untagged
from ...wire.imap.server import IMAPServer
from ..login import Authenticator
from ..open_sessions import OpenSessions
from .capability import capabilities
from .dispatch import COMMANDS
from .session import IMAPSession
from .settings import IMAPSettings


class IMAPProtocol(Protocol):
    """One connection."""

    def __init__(self, session: IMAPSession, open_sessions: OpenSessions) -> None:
        self._session = session
        self._open_sessions = open_sessions
        # Looked up for every piece of input.
        self.dataReceived = session.driver.data_received  # type: ignore[method-assign]

    def connectionMade(self) -> None:
        """See IProtocol."""
        session = self._session
        session.driver.connected(self.transport)
        told = codes.capability(capabilities(session))
        session.begin(untagged(ok(f"{session.settings.hostname} ready", told)))
        self._open_sessions.add(session)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See IProtocol."""
        self._session.driver.connection_lost(reason)
        self._open_sessions.remove(self._session)


class IMAPFactory(Factory):
    """Makes IMAP sessions, for any stream endpoint: plain, with STARTTLS, or inside TLS from the first octet."""

    noisy = False

    def __init__(
        self,
        store: IMailStore,
        settings: IMAPSettings,
        clock: IReactorTime,
        authenticator: Authenticator,
        tls_context: object | None = None,
    ) -> None:
        """
        Args:
            store: the one whose accounts the authenticator's logins give: tells of changes, stages large messages.
            settings: of this listener.
            clock: the reactor, for timeouts and turns.
            authenticator: checks logins; its ILogin gives the account.
            tls_context: what `startTLS` takes; None does not offer STARTTLS. May be replaced while running.
        """
        self.tls_context = tls_context
        self._store = store
        self._settings = settings
        self._clock = clock
        self._authenticator = authenticator
        self._open_sessions = OpenSessions()

    def buildProtocol(self, addr: IAddress | None) -> IMAPProtocol:
        """See IProtocolFactory."""
        session = IMAPSession(
            IMAPServer(),
            self._settings,
            self._authenticator,
            self._store,
            self._clock,
            COMMANDS,
            self.tls_context,
            secrets.token_hex(8),
        )
        return IMAPProtocol(session, self._open_sessions)

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
