"""
The factory of SMTP, submission and LMTP listeners, and the thin Protocol that joins transport, driver and session.
"""

from __future__ import annotations

from itertools import count

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from ...interfaces.intake import IIntake
from ...interfaces.policy import ISMTPPolicy
from ...wire.smtp import replies
from ..driver import Driver
from ..login import Authenticator
from ..peer import peer_of
from .session import SMTPSession
from .settings import SMTPSettings


class SMTPFactory(ServerFactory):
    """
    Serves SMTP, submission or LMTP; to be given to any stream endpoint.

    Args:
        policy: says who may send to whom.
        intake: takes the messages.
        settings: of this listener.
        clock: the reactor, for timeouts.
        authenticator: checks logins; needed unless `settings.auth` is "off".
        tls_context: a context factory for STARTTLS; None does not offer it. May be replaced while running.

    `connections` are those open now.
    """

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
        if authenticator is None and settings.auth != "off":
            raise ValueError("AUTH needs an authenticator")
        self.policy = policy
        self.intake = intake
        self.settings = settings
        self.clock = clock
        self.authenticator = authenticator
        self.tls_context = tls_context
        self.connections: set[SMTPProtocol] = set()
        self._numbers = count(1)
        self._closing: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> SMTPProtocol:
        """A protocol for a new connection."""
        session = f"{self.settings.service.value}-{next(self._numbers)}"
        return SMTPProtocol(self, session)

    def close_all(self) -> Deferred[None]:
        """
        Tell each client 421 and close; an answer that is being thought of is given first (RFC 5321 §3.8).

        Fires when all are gone. New connections are told the same. Source: RFC 5321 §4.2.3, 421.
        """
        if self._closing is None:
            self._closing = Deferred()
            for protocol in list(self.connections):
                protocol.shut_down()
            self._note_gone()
        closed: Deferred[None] = succeed(None)
        if self._closing.called:
            return closed
        closed = Deferred()
        self._closing.addCallback(lambda _: closed.callback(None))
        return closed

    @property
    def is_closing(self) -> bool:
        """Whether `close_all` was called."""
        return self._closing is not None

    def gone(self, protocol: SMTPProtocol) -> None:
        """A protocol tells that its connection has ended."""
        self.connections.discard(protocol)
        self._note_gone()

    def _note_gone(self) -> None:
        if self._closing is not None and not self.connections and not self._closing.called:
            self._closing.callback(None)


class SMTPProtocol(Protocol):
    """One connection. All it does is to pass on what Twisted tells."""

    def __init__(self, factory: SMTPFactory, session_id: str) -> None:
        self._factory = factory
        self._session_id = session_id
        self._driver: Driver | None = None

    def connectionMade(self) -> None:
        """Called by Twisted: say hello."""
        factory, settings = self._factory, self._factory.settings
        session = SMTPSession(
            settings,
            factory.policy,
            factory.intake,
            factory.authenticator,
            factory.tls_context,
            peer_of(self.transport, self._session_id),
        )
        self._driver = session.driver = Driver(session.engine, session, factory.clock)
        factory.connections.add(self)
        self._driver.connected(self.transport)
        if factory.is_closing:
            self.shut_down()
            return
        self._driver.set_timeout(settings.command_timeout_seconds)
        self._driver.resume()

    def dataReceived(self, data: bytes) -> None:
        """Called by Twisted."""
        assert self._driver is not None
        self._driver.data_received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Called by Twisted."""
        self._factory.gone(self)
        if self._driver is not None:
            self._driver.connection_lost(reason)

    def shut_down(self) -> None:
        """The node stops: last words, then close."""
        if self._driver is not None:
            self._driver.finish(replies.render(replies.SHUTTING_DOWN))
