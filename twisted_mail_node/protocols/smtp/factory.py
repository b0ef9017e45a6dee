"""
The factory of SMTP, submission and LMTP connections, and the thin protocol between a transport and its driver.

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
from ...interfaces.intake import IIntake
from ...interfaces.policy import ISMTPPolicy
from ..login import Authenticator, UncountedAttempts
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
        self._open_sessions.add(self._session)
        self._session.driver.connected(self.transport)
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
        reactor: IReactorTime,
        policy: ISMTPPolicy,
        intake: IIntake,
        settings: SMTPSettings,
        portal: Portal | None = None,
        attempts: IAttempts | None = None,
    ) -> None:
        """
        Args:
            reactor: for timeouts and delays.
            policy: says who may send to whom.
            intake: takes the messages.
            settings: of this listener.
            portal: gives ILogin for IUsernamePassword; needed unless `settings.auth` is "off".
            attempts: the record of failed logins, shared with other listeners; None counts nothing.

        Raises: ValueError: AUTH is wanted and there is no portal.
        """
        if portal is None and settings.auth != "off":
            raise ValueError("AUTH needs a portal")
        self._reactor = reactor
        self._policy = policy
        self._intake = intake
        self._settings = settings
        self._authenticator = (
            None
            if portal is None or settings.auth == "off"
            else Authenticator(
                portal, attempts or UncountedAttempts(), reactor, settings.plaintext, settings.default_domain
            )
        )
        self._open_sessions = OpenSessions()

    def buildProtocol(self, addr: IAddress | None) -> SMTPProtocol:
        """See IProtocolFactory."""
        session = SMTPSession(
            secrets.token_hex(8), self._settings, self._policy, self._intake, self._authenticator, self._reactor
        )
        return SMTPProtocol(session, self._open_sessions)

    @property
    def session_count(self) -> int:
        """How many connections are open."""
        return len(self._open_sessions)

    def end_sessions(self) -> Deferred[None]:
        """
        Tell all clients 421; an answer that is being thought of is given first (RFC 5321 §3.8).

        Fires when all connections are gone; cancelling ends the wait.
        """
        return self._open_sessions.end_all()
