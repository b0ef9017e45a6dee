"""
The factory of SMTP, submission and LMTP connections, and the thin protocol between a transport and its driver.

Neighbours: `session`; `node` listens with it, and so can any application.
"""

from __future__ import annotations

import secrets

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ...interfaces.intake import IIntake
from ...interfaces.policy import ISMTPPolicy
from ..login import Authenticator
from ..open_sessions import OpenSessions
from .session import SMTPSession
from .settings import SMTPSettings


class SMTPProtocol(Protocol):
    """One connection."""

    def __init__(self, session: SMTPSession, open_sessions: OpenSessions) -> None:
        self._session = session
        self._open_sessions = open_sessions
        # Looked up for every piece of input.
        self.dataReceived = session.driver.data_received  # type: ignore[method-assign]

    def connectionMade(self) -> None:
        """See IProtocol."""
        self._session.driver.connected(self.transport)
        self._open_sessions.add(self._session)
        if not self._session.driver.is_gone:
            self._session.begin()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See IProtocol."""
        self._session.driver.connection_lost(reason)
        self._open_sessions.remove(self._session)


class SMTPFactory(Factory):
    """Makes SMTP, submission or LMTP sessions, for any stream endpoint: plain, STARTTLS, or inside TLS."""

    noisy = False

    def __init__(
        self,
        policy: ISMTPPolicy,
        intake: IIntake,
        settings: SMTPSettings,
        clock: IReactorTime,
        authenticator: Authenticator | None = None,
        tls_context: object | None = None,
    ) -> None:
        """
        Args:
            policy: says who may send to whom.
            intake: takes the messages.
            settings: of this listener.
            clock: the reactor, for timeouts.
            authenticator: checks logins; needed unless `settings.auth` is "off".
            tls_context: what `startTLS` takes; None does not offer STARTTLS. May be replaced while running.

        Raises: ValueError: AUTH is wanted and there is no authenticator.
        """
        if authenticator is None and settings.auth != "off":
            raise ValueError("AUTH needs an authenticator")
        self.tls_context = tls_context
        self._policy = policy
        self._intake = intake
        self._settings = settings
        self._clock = clock
        self._authenticator = authenticator if settings.auth != "off" else None
        self._open_sessions = OpenSessions()

    def buildProtocol(self, addr: IAddress | None) -> SMTPProtocol:
        """See IProtocolFactory."""
        session = SMTPSession(
            secrets.token_hex(8),
            self._settings,
            self._policy,
            self._intake,
            self._authenticator,
            self._clock,
            self.tls_context,
        )
        return SMTPProtocol(session, self._open_sessions)

    @property
    def session_count(self) -> int:
        """How many connections are open."""
        return len(self._open_sessions)

    def close_all(self) -> Deferred[None]:
        """
        Tell each client 421 and close; an answer that is being thought of is given first (RFC 5321 §3.8).

        Fires when all are gone. New connections are told the same. Cancelling ends the wait.
        """
        return self._open_sessions.end_all()
