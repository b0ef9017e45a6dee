"""
What the factories of all protocols share: the thin protocol between a transport and its session, and the wait until
all sessions have ended.

Neighbours: `driver` moves the octets, a session says what they mean, `open_sessions` knows who is there.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from .driver import Driver
from .open_sessions import OpenSessions


class Session(Protocol):
    """What a connection needs of a session."""

    @property
    def driver(self) -> Driver:
        """Moves the octets."""

    def begin(self) -> None:
        """The driver has its transport: greet."""

    def end(self) -> None:
        """Tell the client and close, once an answer that is being thought of has been given."""


class Connection(TwistedProtocol):
    """One connection and its session."""

    def __init__(self, session: Session, open_sessions: OpenSessions) -> None:
        self._session = session
        self._open_sessions = open_sessions
        # Looked up for every piece of input.
        self.dataReceived = session.driver.data_received  # type: ignore[method-assign]

    def connectionMade(self) -> None:
        """See IProtocol."""
        session = self._session
        session.driver.connected(self.transport)
        self._open_sessions.add(session)
        if not session.driver.is_gone:
            session.begin()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See IProtocol."""
        self._session.driver.connection_lost(reason)
        self._open_sessions.remove(self._session)


class SessionFactory(Factory):
    """
    Makes a session for each connection, on any stream endpoint: plain, with STARTTLS, or inside TLS.

    A protocol's factory says how by `session`. `tls_context` is what `startTLS` takes; None does not offer it. It
    may be replaced while running.
    """

    noisy = False

    def __init__(self, tls_context: object | None) -> None:
        self.tls_context = tls_context
        self._open_sessions = OpenSessions()

    def session(self) -> Session:
        """A session for a new connection."""
        raise NotImplementedError

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        """See IProtocolFactory."""
        return Connection(self.session(), self._open_sessions)

    @property
    def session_count(self) -> int:
        """How many connections are open."""
        return len(self._open_sessions)

    def close_all(self) -> Deferred[None]:
        """
        Tell each client that the node stops, and close; an answer that is being thought of is given first.

        Fires when all are gone. New connections are told the same (SMTP: 421, RFC 5321 §3.8). Cancelling ends the
        wait.
        """
        return self._open_sessions.end_all()
