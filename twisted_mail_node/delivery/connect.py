"""
From a host's address to a session that may take a message: connect, greeting, TLS as the route wants it, AUTH.

It decides what makes an address useless, and how TLS falls back to plain. Neighbours: `client` is the session,
`pool` chooses the address. Sources: RFC 3207 §4 (STARTTLS), RFC 7435 (opportunistic security), RFC 4954 §4.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import cast

from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.error import TimeoutError as WaitedTooLong
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.internet.protocol import Factory
from zope.interface import Interface

from ..interfaces.delivery import Route
from ..mail.mail_host import MailHost
from ..mail.queue_item import Deferred as TryLater
from ..mail.queue_item import Delivered, Failed, Outcome
from ..mail.status import EnhancedStatus, Reply
from ..wire.smtp.client_events import LoginRefused, SessionEnded, TLSAccepted, TLSRefused
from .client import SMTPConnection, TimeLimits
from .tls import CertificateRefused, ClientTLS

_NO_CONNECTION = EnhancedStatus(4, 4, 1)
_NO_TLS = EnhancedStatus(4, 7, 4)
_TLS_FAILED = EnhancedStatus(4, 7, 5)
_NO_LOGIN = EnhancedStatus(4, 7, 8)
_LOGIN_NEEDS_TLS = EnhancedStatus(4, 7, 11)
# How much of a server's words is kept with an item.
REPLY_CHARACTERS = 1000


class IDeliveryReactor(IReactorTCP, IReactorTime, Interface):
    """What delivery needs of a reactor."""


class HostFailed(Exception):
    """No session with this host. `outcome` is what it means for a message where no other host is left."""

    def __init__(self, outcome: TryLater | Failed) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


class _HandshakeFailed(HostFailed):
    """TLS could not be established; without TLS it might go."""


def outcome_of(reply: Reply, host: str, transcript: str = "", *, reports: bool = False) -> Outcome:
    """
    What a server's reply means for a recipient, judged by its first digit (RFC 5321 §4.2.1).

    `reports` says that the server reports what becomes of what it takes, as the sender asked.
    """
    text = str(reply)[:REPLY_CHARACTERS]
    if reply.is_permanent:
        return Failed(reply.status or EnhancedStatus(5, 0, 0), text, host, transcript)
    if reply.is_temporary:
        return TryLater(reply.status or EnhancedStatus(4, 0, 0), text, host, transcript)
    return Delivered(text, host, reports=reports)


class Connector:
    """Opens sessions. `hostname` is what EHLO says; `ignored_extensions` are not made use of."""

    def __init__(
        self,
        reactor: IDeliveryReactor,
        hostname: str,
        tls: ClientTLS,
        limits: TimeLimits,
        ignored_extensions: Collection[str] = (),
    ) -> None:
        self._reactor = reactor
        self._hostname = hostname
        self._tls = tls
        self._limits = limits
        self._ignored_extensions = ignored_extensions
        self.sessions: set[SMTPConnection] = set()
        """Every connection that is not gone."""

    async def open(self, route: Route, host: MailHost, address: str, *, in_plain: bool) -> tuple[SMTPConnection, bool]:
        """
        A session that is ready for a message, and whether it was TLS that had to be done without.

        `in_plain` says that TLS has failed here before: under `may` it is not tried. Raises: HostFailed.
        """
        wants_tls = route.tls in ("encrypt", "verify") or (route.tls == "may" and not in_plain)
        try:
            return await self._open(route, host, address, wants_tls), in_plain
        except _HandshakeFailed:
            if route.tls != "may":
                raise
            # RFC 7435 §3: what is only better than nothing must not stand in the way.
            return await self._open(route, host, address, False), True

    async def _open(self, route: Route, host: MailHost, address: str, wants_tls: bool) -> SMTPConnection:
        connection = await self._connect(host, address)
        try:
            await self._introduced(connection, host)
            if wants_tls:
                await self._protect(connection, route, host)
            if route.username:
                await self._login(connection, route, host)
        except BaseException:
            # A polite end where the session allows it (RFC 5321 §3.8).
            connection.close()
            raise
        return connection

    async def _connect(self, host: MailHost, address: str) -> SMTPConnection:
        make = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        endpoint = make(self._reactor, address, host.port, timeout=self._limits.connect)
        factory = Factory.forProtocol(
            lambda: SMTPConnection(self._hostname, self._reactor, self._limits, self._ignored_extensions)
        )
        factory.noisy = False
        try:
            connection = cast(SMTPConnection, await endpoint.connect(factory))
        except ConnectingCancelledError:
            raise CancelledError from None
        except (ConnectError, OSError) as error:
            text = f"no connection to {host.name} [{address}] port {host.port}: {self._why(error)}"
            raise HostFailed(TryLater(_NO_CONNECTION, text[:REPLY_CHARACTERS])) from None
        connection.transport.setTcpNoDelay(True)
        if not connection.gone:
            self.sessions.add(connection)
            connection.on_gone = lambda: self.sessions.discard(connection)
        return connection

    def _why(self, error: ConnectError | OSError) -> str:
        if isinstance(error, WaitedTooLong) and error.osError is None:
            return f"no answer within {self._limits.connect:g} seconds"
        number = error.osError if isinstance(error, ConnectError) else error.errno
        return os.strerror(number) if isinstance(number, int) else str(error)

    async def _introduced(self, connection: SMTPConnection, host: MailHost) -> None:
        event = await connection.event()
        if isinstance(event, SessionEnded):
            outcome = outcome_of(event.reply, host.name, connection.engine.transcript)
            if isinstance(outcome, Delivered):  # a positive greeting of the wrong kind
                outcome = TryLater(EnhancedStatus(4, 5, 0), outcome.reply, host.name)
            raise HostFailed(outcome)

    async def _protect(self, connection: SMTPConnection, route: Route, host: MailHost) -> None:
        must = route.tls != "may"
        if "STARTTLS" not in connection.engine.extensions:
            if must:
                raise HostFailed(_later(_NO_TLS, "TLS is required and not offered", connection, host))
            return
        connection.engine.start_tls()
        event = await connection.event()
        if isinstance(event, TLSRefused):
            if must:
                raise HostFailed(_later(_NO_TLS, f"TLS is required and was refused: {event.reply}", connection, host))
            return
        if not isinstance(event, TLSAccepted):
            raise _HandshakeFailed(_later(_TLS_FAILED, "connection lost at STARTTLS", connection, host))
        verify = route.tls == "verify"
        problem = await connection.start_tls(self._tls.creator(host.name, verify=verify))
        if problem:
            raise _HandshakeFailed(_later(_TLS_FAILED, problem, connection, host))
        if verify:
            try:
                self._tls.check(connection.tls, host.name)
            except CertificateRefused as refused:
                raise _HandshakeFailed(_later(_TLS_FAILED, str(refused), connection, host)) from refused
        connection.engine.tls_started()
        await self._introduced(connection, host)

    async def _login(self, connection: SMTPConnection, route: Route, host: MailHost) -> None:
        if not connection.is_protected and route.tls != "none":
            raise HostFailed(_later(_LOGIN_NEEDS_TLS, "no password is sent without TLS", connection, host))
        connection.engine.login(route.username, route.password)
        event = await connection.event()
        if isinstance(event, LoginRefused | SessionEnded):
            # Our own credentials are wrong, not the message: nobody's mail is returned for that.
            status = (
                EnhancedStatus(4, event.reply.status.subject, event.reply.status.detail)
                if (event.reply.status)
                else _NO_LOGIN
            )
            raise HostFailed(_later(status, f"login failed: {event.reply}", connection, host))


def _later(status: EnhancedStatus, text: str, connection: SMTPConnection, host: MailHost) -> TryLater:
    return TryLater(status, text[:REPLY_CHARACTERS], host.name, connection.engine.transcript)
